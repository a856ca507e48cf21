//! Who put a value into memory: the stores of a member, of a global variable or of an array's
//! element, the places that make the object and leave it as it was, initialisers.
//!
//! The functions of the log's modules are read (`survey`); each way in which a value gets into
//! memory is a file of its own: stores (`stored`), objects that are made and not filled in
//! (`made`), variables and their initialisers (`data`), objects given back (`gone`), and writes
//! that run over: out of an array (`overrun`), out of a member that is too narrow (`spilled`), out
//! of an object into its neighbour (`neighbour`). An object that was taken for one of another type
//! holds another type's values (`unlike`). What a stored value may be is told in `worth`.

mod data;
mod families;
mod gone;
mod made;
mod neighbour;
#[cfg(test)]
mod objects;
mod overrun;
mod spilled;
mod stored;
mod survey;
#[cfg(test)]
mod tests;
mod typed;
mod unlike;
mod worth;

use super::{Candidate, Ctx, Explains, Spot, What};
use kwhy_arch::ValueKind;
use kwhy_base::catalogue::memory as say;
use kwhy_base::{ImageAddr, Prose, prose};
use kwhy_flow::stores::Wanted;
use kwhy_flow::value::Value;
use kwhy_image::Type;
use std::rc::Rc;
use survey::Known;

pub use families::by_family;
pub use survey::{Survey, spot as plain_spot};

/// What the value was read from.
#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    /// A member of a struct (of an element of an array of them, too).
    Member {
        /// `struct module_use`.
        record: String,
        /// `target`, `mkobj.kobj`, `ports[i]`.
        member: String,
        /// Bytes from the start of the struct; of an indexed access the constant part.
        offset: u64,
    },
    /// A variable with a fixed address, or a member or element of it.
    Global {
        /// The symbol.
        symbol: String,
        /// Its address in the image that defines it; `None` where only its name is known there.
        address: Option<ImageAddr>,
        /// Bytes into it; of an indexed access the constant part.
        offset: u64,
        /// It is a per-cpu variable.
        per_cpu: bool,
    },
    /// Something else that a pointer points to: `*table[i]`.
    Pointee {
        /// What was read, in C.
        text: String,
    },
}

/// A question to memory: who put this value there?
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// What was read.
    pub held: Held,
    /// Bytes read; 0 where that is not known.
    pub size: u64,
    /// It is one element of several.
    pub indexed: bool,
    /// The value that was found there, where it is known.
    pub value: Option<u64>,
    /// Index of the image of the load, and the instruction.
    pub load: (usize, ImageAddr),
    /// What was read, in C, in the terms of the function that read it.
    pub text: String,
    /// How well a perfect answer explains: not better than this.
    pub at_best: Explains,
}

/// How many candidates are told.
const MAX_TOLD: usize = 6;

/// A candidate with what it is ranked by.
#[derive(Clone, Debug)]
struct Lead {
    candidate: Candidate,
    /// Among those that explain the value equally well: the surer ones first.
    order: u8,
    /// See [`Known::distance`].
    distance: u8,
    /// The trace goes through the function.
    on_stack: bool,
}

/// One question being answered.
struct Search<'s, 'a, 'o, 'd> {
    ctx: &'s Ctx<'a, 'o, 'd>,
    asked: &'s Asked,
    survey: Rc<Survey<'o, 'd>>,
    /// The member, where it is one.
    wanted: Option<Wanted>,
    /// Image, first address and the one past the last, where it is a variable.
    range: Option<(usize, u64, u64)>,
    /// What the value looks like.
    kind: Option<ValueKind>,
}

/// Where an instruction is in the source, in the function that its reader thinks in.
pub fn place(ctx: &Ctx<'_, '_, '_>, index: usize, at: ImageAddr) -> Option<Spot> {
    Some(survey::spot(ctx.images.image(index)?, index, at))
}

/// Who may have put the value there, best first.
pub fn producers(ctx: &Ctx<'_, '_, '_>, asked: &Asked) -> Vec<Candidate> {
    let typed = typed::typed(ctx, asked);
    let search = Search::new(ctx, typed.as_ref().unwrap_or(asked));
    let (mut leads, stores) = stored::stores(&search);
    leads.extend(written_through(&search));
    leads.extend(overrun::overruns(&search));
    leads.extend(spilled::spills(&search));
    leads.extend(neighbour::neighbours(&search));
    leads.extend(unlike::unlike(&search));
    leads.extend(gone::gone(&search));
    if !search.is_bare() {
        leads.extend(data::initialisers(&search));
        leads.extend(made::missing(&search, stores));
    } else if search.asked.value == Some(0) {
        leads.extend(made::passed_over(&search));
    }
    rank(leads, asked.at_best)
}

/// A pointer that is good to read through and was written through: who reads it casts the
/// `const` away.
fn written_through(search: &Search<'_, '_, '_, '_>) -> Vec<Lead> {
    let (index, at) = search.asked.load;
    let written = search.ctx.facts.fault.access == Some(kwhy_arch::Access::Write);
    let good = matches!(search.kind, Some(ValueKind::KernelPointer | ValueKind::KernelText));
    let known = search
        .survey
        .functions
        .iter()
        .find(|known| known.image == index && known.scene.code.index_of(at).is_some());
    let (Some(known), true) = (known, written && good) else { return Vec::new() };
    let place = survey::spot(known.scene.image, index, at);
    let function = place.function.clone().unwrap_or_default();
    let detail = prose!(say::WRITES_THROUGH, function = function, text = &search.asked.text);
    vec![search.lead(known, place, What::Code, Explains::Perhaps, 2, detail)]
}

/// Best first; of several on one line the best.
fn rank(mut leads: Vec<Lead>, at_best: Explains) -> Vec<Candidate> {
    leads.sort_by(|a, b| {
        let key = |lead: &Lead| (lead.candidate.explains, lead.order, lead.distance, !lead.on_stack);
        let place = |lead: &Lead| (lead.candidate.spot.file.clone(), lead.candidate.spot.line);
        key(a).cmp(&key(b)).then_with(|| place(a).cmp(&place(b)))
    });
    let mut told: Vec<Candidate> = Vec::new();
    for mut lead in leads {
        let same = |other: &Candidate| {
            (&other.spot.file, other.spot.line) == (&lead.candidate.spot.file, lead.candidate.spot.line)
        };
        if lead.candidate.spot.line.is_some() && told.iter().any(same) {
            continue;
        }
        lead.candidate.explains = lead.candidate.explains.max(at_best);
        told.push(lead.candidate);
    }
    // What would take another mishap is told only where there is little else.
    if told.iter().any(|candidate| candidate.explains != Explains::Hardly) {
        told.retain(|candidate| candidate.explains != Explains::Hardly);
    }
    told.truncate(MAX_TOLD);
    told
}

impl<'s, 'a, 'o, 'd> Search<'s, 'a, 'o, 'd> {
    fn new(ctx: &'s Ctx<'a, 'o, 'd>, asked: &'s Asked) -> Search<'s, 'a, 'o, 'd> {
        let kind = asked.value.and_then(|value| {
            let arch = ctx.facts.arch()?;
            let decodes = |value| crate::code::as_code(arch, value);
            Some(kwhy_arch::classify_value(arch, value, &ctx.facts.space, &decodes).kind)
        });
        let image = ctx.images.image(asked.load.0);
        let mut wanted = None;
        let mut range = None;
        match &asked.held {
            Held::Member { record, offset, .. } => {
                // An element of an array may have been written as any of them.
                let whole = || {
                    let image = image?;
                    let ty =
                        image.find_type_near(record, asked.load.1).or_else(|| image.find_type(record))?;
                    let Type::Record(record) = image.strip(ty) else { return None };
                    record.members.iter().find_map(|member| {
                        let size = image.size_of(member.ty)?;
                        let end = member.offset.checked_add(size)?;
                        (member.offset..end).contains(offset).then_some((member.offset, size))
                    })
                };
                let unknown = asked.indexed || asked.size == 0;
                let (offset, size) = unknown.then(whole).flatten().unwrap_or((*offset, asked.size.max(1)));
                wanted = Some(Wanted { record: record.clone(), offset, size });
            }
            Held::Global { symbol, address, offset, .. } => {
                range = address.or_else(|| symbol_address(ctx, asked.load.0, symbol)).and_then(|address| {
                    let first = address.0.checked_add(*offset)?;
                    let size = image.and_then(|image| image.symbol_at(address)).map(|symbol| symbol.elf_size);
                    let end = match size.filter(|size| asked.indexed && *size > 0) {
                        Some(size) => address.0.checked_add(size)?,
                        None => first.checked_add(asked.size.max(1))?,
                    };
                    Some((asked.load.0, first, end))
                });
            }
            Held::Pointee { .. } => {}
        }
        Search { ctx, asked, survey: Survey::of(ctx), wanted, range, kind }
    }

    /// Whether the value found is no address of anything: NULL, an error, a small number.
    fn is_nothing(&self) -> bool {
        matches!(self.kind, Some(ValueKind::Null | ValueKind::ErrorPointer | ValueKind::SmallInteger))
    }

    /// Whether the value found may be a good pointer.
    fn can_be_pointer(&self) -> bool {
        matches!(
            self.kind,
            None | Some(ValueKind::KernelPointer | ValueKind::KernelText | ValueKind::TaggedPointer)
        )
    }

    /// Whether the struct is a part of so many others that only stores say which one is meant.
    fn is_bare(&self) -> bool {
        const BARE: &[&str] = &[
            "struct list_head",
            "struct hlist_node",
            "struct hlist_head",
            "struct rb_node",
            "struct mutex",
            "struct spinlock",
            "struct raw_spinlock",
            "struct kref",
            "struct refcount_struct",
            "struct kobject",
            "struct work_struct",
            "struct timer_list",
            "struct callback_head",
        ];
        self.wanted.as_ref().is_some_and(|wanted| BARE.contains(&wanted.record.as_str()))
    }

    /// Whether the low bytes of the value found are text, whatever the rest is: where a copy ended.
    fn begins_with_text(&self) -> bool {
        let printable = |byte: &u8| (0x20..0x7f).contains(byte);
        let Some(bytes) = self.asked.value.map(u64::to_le_bytes).filter(|_| self.asked.size == 8) else {
            return false;
        };
        bytes.iter().take(3).all(printable) && bytes.iter().filter(|byte| printable(byte)).count() >= 4
    }

    /// Whether the value found is zero, or nothing is known of it.
    fn may_be_zero(&self) -> bool {
        self.asked.value.is_none_or(|value| value == 0)
    }

    /// A stored number against the value found.
    fn of_constant(&self, known: &Known<'_, '_>, number: u64) -> Option<Explains> {
        // An address that the loader moves.
        let moved = number > 0x1000
            && (known.scene.image.section_at(ImageAddr(number)).is_some()
                || known.scene.code.imports.within(ImageAddr(number)).is_some());
        if moved {
            // Text in the low half is no address that was stored whole.
            let whole = self.can_be_pointer() && !self.begins_with_text();
            return whole.then_some(Explains::Perhaps);
        }
        let Some(value) = self.asked.value else {
            return Some(if number == 0 { Explains::Perhaps } else { Explains::Hardly });
        };
        let size = match (self.asked.size, &self.wanted) {
            (0, Some(wanted)) => wanted.size,
            (size, _) => size,
        };
        let bits = size.clamp(1, 8).saturating_mul(8);
        let mask = if bits >= 64 { u64::MAX } else { (1u64 << bits).wrapping_sub(1) };
        (number & mask == value & mask).then_some(Explains::Exactly)
    }

    /// Whether an address of a function is that of what was read.
    fn reaches(&self, known: &Known<'_, '_>, at: ImageAddr, address: Value) -> bool {
        self.reached(known, at, address, self.asked.size).is_some()
    }

    /// The same for a write of `width` bytes; what the object is called there.
    fn reached(&self, known: &Known<'_, '_>, at: ImageAddr, address: Value, width: u64) -> Option<String> {
        if let Some((image, first, end)) = self.range {
            let from = address.plus as u64;
            let indexed = self.asked.indexed || matches!(self.asked.held, Held::Global { per_cpu: true, .. });
            let hit = known.image == image
                && (address.node.is_none() || indexed)
                && from < end
                && from.saturating_add(width.max(1)) > first;
            return hit.then(|| self.asked.text.clone());
        }
        let wanted = self.wanted.as_ref()?;
        let image = known.scene.image;
        // `*tail = …` where `tail` is `&list->first` at first and `&(*tail)->next` after that.
        let addresses = std::iter::once(address).chain(self.addresses(known, address));
        for address in addresses {
            let within = known.scene.objects_of(at, address).into_iter();
            let hit = within
                .filter(|within| wanted.is_reached(image, within.record, within.offset, width))
                .map(|within| within.pointer)
                .next();
            if hit.is_some() {
                return hit;
            }
        }
        None
    }

    /// What an address is where it is one of several.
    fn addresses(&self, known: &Known<'_, '_>, address: Value) -> Vec<Value> {
        let chosen = matches!(
            address.node.and_then(|id| known.scene.node(id)),
            Some(kwhy_flow::value::Node::Phi { .. })
        );
        if !chosen {
            return Vec::new();
        }
        let choices = known.scene.choices(address).into_iter().map(|choice| choice.value);
        choices.filter(|value| value.node.is_some()).collect()
    }

    /// Whether the value found says so much that the same number elsewhere is no chance.
    fn is_telling(&self) -> bool {
        self.asked.size == 8
            && self.asked.value.is_some_and(|value| value > 0xffff_ffff)
            && matches!(
                self.kind,
                Some(
                    ValueKind::MachineCode
                        | ValueKind::Integer
                        | ValueKind::AsciiText
                        | ValueKind::UserPointer
                        | ValueKind::BitFlip
                )
            )
    }

    /// A number in the words of the report.
    fn number(&self, number: u64) -> String {
        match (number, self.asked.size) {
            (0, 8) => "NULL".to_owned(),
            (number, 8) if self.kind == Some(ValueKind::ErrorPointer) => {
                format!("ERR_PTR({})", number as i64)
            }
            (number, _) if number < 4096 => number.to_string(),
            (number, _) => hex(number),
        }
    }

    fn lead(
        &self,
        known: &Known<'_, '_>,
        spot: Spot,
        what: What,
        explains: Explains,
        order: u8,
        detail: Prose,
    ) -> Lead {
        let mut reasons = Vec::new();
        if known.on_stack {
            reasons.push(prose!(say::ON_STACK, function = crate::names::base_name(&known.scene.symbol)));
        } else if known.distance == 0 && spot.module.is_some() {
            reasons.push(prose!(say::SAME_MODULE));
        }
        let candidate = Candidate { reasons, ..Candidate::new(what, spot, explains, detail) };
        Lead { candidate, order, distance: known.distance, on_stack: known.on_stack }
    }
}

fn symbol_address(ctx: &Ctx<'_, '_, '_>, image: usize, symbol: &str) -> Option<ImageAddr> {
    match ctx.images.image(image)?.symbols_named(symbol).as_slice() {
        [one] => Some(one.address),
        _ => None,
    }
}

fn hex(value: u64) -> String {
    format!("{value:#x}")
}
