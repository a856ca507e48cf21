//! Who writes a member: every place of an image that gives `struct module_use.target` a value,
//! with the ways that the kernel's entry points lead there.
//!
//! Only units whose debug information defines the struct are read: a unit that merely declares it
//! cannot reach a member. Where very many do (`struct module` is known to every second unit of a
//! kernel) functions without any store at the member's distance are passed over unread.

pub mod ways;

use kwhy_base::ImageAddr;
use kwhy_flow::code::Code;
use kwhy_flow::insn::{AccessKind, Flow};
use kwhy_flow::scene::Scene;
use kwhy_flow::stores::{Store, StoreKind, Wanted};
use kwhy_image::{Image, ImageKind, SourceFrame, Type, TypeId};
use ways::{Step, Ways};

/// A member's name in the question was not understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Unanswered {
    /// No image describes the struct.
    NoType,
    /// It has no such member.
    NoMember,
}

/// One place that gives the member a value.
#[derive(Clone, Debug)]
pub struct Writer {
    /// What it does.
    pub store: Store,
    /// Index of the image among those given.
    pub image: usize,
    /// The module; `None` for the kernel.
    pub module: Option<String>,
    /// The function whose source line it is.
    pub function: String,
    /// The symbol that its code is in (another, where it was inlined).
    pub symbol: String,
    /// Bytes into the symbol.
    pub offset: u64,
    /// Source file.
    pub file: Option<String>,
    /// Source line.
    pub line: Option<u32>,
    /// Ways from entry points to it, the plainest first; each ends with `function`.
    pub ways: Vec<Vec<Step>>,
}

/// All of them.
#[derive(Clone, Debug)]
pub struct Writers {
    /// What was asked for, as found.
    pub wanted: Wanted,
    /// The member's path: `target`.
    pub member: String,
    /// The places, assignments first, then by image and address.
    pub writers: Vec<Writer>,
    /// Units that define the struct.
    pub units: usize,
    /// Functions read.
    pub functions: usize,
}

/// Up to this many units, every function of them is read in full.
const FEW_UNITS: usize = 64;

/// The member that `path` (`target`, `mkobj.kobj`) names: offset and size in bytes.
#[must_use]
pub fn member(image: &Image<'_>, record: TypeId, path: &str) -> Option<(u64, u64)> {
    let names: Vec<&str> = path.split('.').collect();
    find(image, record, &names, 0)
}

fn find(image: &Image<'_>, ty: TypeId, names: &[&str], depth: u32) -> Option<(u64, u64)> {
    let (first, rest) = names.split_first()?;
    let Type::Record(record) = image.strip(ty) else { return None };
    if depth > 16 {
        return None;
    }
    record.members.iter().find_map(|member| {
        let (offset, size) = match member.name.as_deref() {
            Some(name) if name == *first && rest.is_empty() => {
                (0, image.size_of(member.ty).unwrap_or(0).max(1))
            }
            Some(name) if name == *first => find(image, member.ty, rest, depth + 1)?,
            None => find(image, member.ty, names, depth + 1)?,
            _ => return None,
        };
        Some((member.offset.saturating_add(offset), size))
    })
}

/// Who writes `record.path` in `images`; ways are looked for where `with_ways` is set.
///
/// # Errors
///
/// When no image has the type, or the type no such member.
pub fn writers(
    images: &[&Image<'_>],
    record: &str,
    path: &str,
    with_ways: bool,
) -> Result<Writers, Unanswered> {
    let tag = record.split_whitespace().last().unwrap_or(record);
    let mut wanted: Option<Wanted> = None;
    let mut known = false;
    let mut found: Vec<Writer> = Vec::new();
    let (mut unit_count, mut function_count) = (0, 0);
    for (index, image) in images.iter().enumerate() {
        let units = image.units_naming(tag);
        let many = units.len() > FEW_UNITS;
        let mut here: Vec<(Writer, ImageAddr)> = Vec::new();
        for unit in units {
            let Some(ty) = image.find_type_in(unit, record) else { continue };
            known = true;
            // Files may define different structs of one name: the member is looked up in each.
            let Some((offset, size)) = member(image, ty, path) else { continue };
            let asked = Wanted { record: image.type_name(ty), offset, size };
            unit_count += 1;
            for entry in image.functions_of(unit) {
                if many && !worth(image, entry, &asked) {
                    continue;
                }
                let Some(scene) = Scene::new(image, entry) else { continue };
                function_count += 1;
                for store in scene.stores_into(&asked) {
                    here.push((writer(&scene, store, index), scene.code.entry));
                }
            }
            wanted.get_or_insert(asked);
        }
        if with_ways && here.iter().any(|(writer, _)| shows_ways(writer.store.kind)) {
            let ways = Ways::new(image);
            for (writer, entry) in here.iter_mut().filter(|(w, _)| shows_ways(w.store.kind)) {
                writer.ways = ways.to(*entry, writer.store.at);
                for way in &mut writer.ways {
                    // The helpers of headers that were inlined there are no part of the way.
                    if let Some(at) = way.iter().rposition(|step| step.function == writer.function) {
                        way.truncate(at.saturating_add(1));
                    }
                }
            }
        }
        found.extend(here.into_iter().map(|(writer, _)| writer));
    }
    let Some(wanted) = wanted else {
        return Err(if known { Unanswered::NoMember } else { Unanswered::NoType });
    };
    // A static function of a header is in many units: the same line of the same symbol is one.
    found.sort_by_key(|writer| (writer.store.kind, writer.image, writer.store.at));
    found.dedup_by(|a, b| (a.image, a.store.at) == (b.image, b.store.at));
    Ok(Writers {
        wanted,
        member: path.to_owned(),
        writers: found,
        units: unit_count,
        functions: function_count,
    })
}

/// Whether the way to such a place tells something: that an object is freed says where, not by whom.
fn shows_ways(kind: StoreKind) -> bool {
    kind != StoreKind::Freed
}

/// Whether a function could write the member, by a look at its instructions alone: a store at the
/// member's own distance from a pointer, a wider one that reaches it, or a call.
fn worth(image: &Image<'_>, entry: ImageAddr, wanted: &Wanted) -> bool {
    let Some(function) = image.function_at(entry) else { return false };
    let code = Code::read(image, entry, &function.ranges);
    let (Ok(from), Ok(to)) =
        (i64::try_from(wanted.offset), i64::try_from(wanted.offset.saturating_add(wanted.size)))
    else {
        return false;
    };
    code.insns.iter().any(|insn| match &insn.flow {
        Flow::Call(target) | Flow::Jump(target) => {
            code.symbol_name(image, *target).is_some_and(|name| kwhy_flow::stores::handles_objects(&name))
        }
        _ => insn.accesses().iter().any(|access| {
            let at = access.memory.displacement;
            access.kind != AccessKind::Read && at < to && at.saturating_add(i64::from(access.width)) > from
        }),
    })
}

fn writer(scene: &Scene<'_, '_>, store: Store, image: usize) -> Writer {
    let frames = scene.image.source_at(store.at);
    // `kmalloc()` and other helpers of headers are not who does it, and neither is a copy loop.
    let level = kwhy_flow::expr::primary_level(&frames, frames.len());
    let frame = frames.get(level).or(frames.first());
    let function =
        frame.map_or_else(|| crate::names::base_name(&scene.symbol).to_owned(), |f| f.function.to_string());
    let module = match scene.image.kind() {
        ImageKind::Module(name) => name.clone(),
        ImageKind::Kernel => None,
    };
    let start = scene.image.symbol_at(store.at).map_or(scene.code.entry, |symbol| symbol.address);
    Writer {
        image,
        module,
        function,
        symbol: scene.symbol.clone(),
        offset: store.at.0.saturating_sub(start.0),
        file: frame.and_then(|frame| frame.file.as_deref().map(str::to_owned)),
        line: frame.and_then(|frame| frame.line),
        ways: Vec::new(),
        store,
    }
}

/// The functions between two points of a path, outermost first: those that the compiler inlined
/// into one another at `site`.
pub(crate) fn inlined(image: &Image<'_>, site: ImageAddr) -> Vec<SourceFrame> {
    let mut frames = image.source_at(site);
    frames.reverse();
    frames
}
