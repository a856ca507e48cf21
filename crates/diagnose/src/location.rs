//! Where it happened: `symbol+offset` of the log turned into image addresses and source lines,
//! for the program counter and every frame; and the call site where the PC itself is garbage.

use crate::fault::FaultFacts;
use crate::images::Images;
use kwhy_arch::{Access, Region};
use kwhy_base::{Arch, ImageAddr};
use kwhy_image::{Image, SourceFrame, Symbol};
use kwhy_oops::{CodeRef, CrashRecord};
use kwhy_report::model::{self, Hex};

/// One place in the code.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// As the log names it.
    pub at: CodeRef,
    /// `false` for a `?` frame.
    pub reliable: bool,
    /// 1-based line of the log; `None` for a frame known from LR only.
    pub line: Option<u32>,
    /// Whether it is a return address: the call is the instruction before.
    pub returns: bool,
    /// Which image it is in, by its index among those offered.
    pub image: Option<usize>,
    /// Where in that image; for a return address already moved into the call instruction.
    pub address: Option<ImageAddr>,
    /// Source lines there, innermost inlined call first.
    pub source: Vec<SourceFrame>,
}

/// The places of one crash.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places {
    /// The program counter.
    pub pc: Option<Place>,
    /// The PC is no code at all: control was sent to a bad address.
    pub pc_is_garbage: bool,
    /// Where control was sent from, for a garbage PC.
    pub call_site: Option<Place>,
    /// The call trace, top first, the caller known only from LR included.
    pub frames: Vec<Place>,
}

impl Places {
    /// The place to speak of.
    pub fn here(&self) -> Option<&Place> {
        if self.pc_is_garbage { self.call_site.as_ref() } else { self.pc.as_ref() }
    }

    /// The place to speak of and then its callers, without saying any of them twice.
    pub fn chain(&self) -> Vec<&Place> {
        let mut chain: Vec<&Place> = self.here().into_iter().collect();
        for frame in self.frames.iter().filter(|frame| frame.reliable && frame.at.symbol.is_some()) {
            let known =
                chain.iter().any(|p| p.at.symbol == frame.at.symbol && p.at.offset == frame.at.offset);
            if !known {
                chain.push(frame);
            }
        }
        chain
    }

    /// The source file to bring the crash to, by the rule for symbolised logs, where images and
    /// not the log itself name the files. `None` where a place without a file, which nobody can
    /// tell to be a mere helper's, stands before the first that would be blamed.
    pub fn guilty_file(&self, record: &CrashRecord) -> Option<String> {
        let reliable = self.frames.iter().filter(|frame| frame.reliable && frame.at.symbol.is_some());
        let places: Vec<kwhy_oops::Place<'_>> = (self.here().into_iter().chain(reliable))
            .flat_map(|place| {
                let inlined = place.source.iter().map(|frame| kwhy_oops::Place {
                    function: Some(&frame.function),
                    file: frame.file.as_deref(),
                });
                let bare = kwhy_oops::Place { function: place.at.symbol.as_deref(), file: None };
                inlined.chain(place.source.is_empty().then_some(bare))
            })
            .collect();
        let known = places.iter().take_while(|place| place.file.is_some());
        let blamed = known.clone().any(|place| place.file.is_some_and(|f| !kwhy_oops::is_helper_file(f)));
        (blamed || known.count() == places.len())
            .then(|| kwhy_oops::guilty_file(record.family, &places))
            .flatten()
    }

    /// Whether the log itself came with source places.
    pub fn symbolised(record: &CrashRecord) -> bool {
        let own = record.pc.iter().map(|pc| &pc.value).chain(record.frames.iter().map(|frame| &frame.at));
        own.into_iter().any(|at| at.source.is_some())
    }
}

/// Finds the places of `record`.
pub fn places(record: &CrashRecord, images: &Images<'_, '_>, fault: &FaultFacts) -> Places {
    let pc = record.pc.as_ref().map(|pc| place(&pc.value, Some(pc.line), true, false, images));
    let pc_is_garbage = pc_is_garbage(record, fault);
    let mut frames: Vec<Place> = Vec::new();
    for (index, frame) in record.frames.iter().enumerate() {
        // ARM64 (and some others) print the PC itself as the first frame; every other frame is a return address.
        let is_pc = index == 0
            && record
                .pc
                .as_ref()
                .is_some_and(|pc| pc.value.symbol == frame.at.symbol && pc.value.offset == frame.at.offset);
        frames.push(place(&frame.at, Some(frame.line), frame.reliable, !is_pc, images));
    }
    if let Some(hidden) = hidden_caller(record) {
        let at = frames.iter().position(|frame| frame.returns).unwrap_or(frames.len()).min(1);
        frames.insert(at, place(hidden, None, true, true, images));
    }
    let call_site = if pc_is_garbage { call_site(record, &frames, images) } else { None };
    Places { pc, pc_is_garbage, call_site, frames }
}

/// Whether the PC is an address that was jumped to rather than code that ran.
///
/// A page fault on an instruction fetch always means so: the fault address *is* the PC.
fn pc_is_garbage(record: &CrashRecord, fault: &FaultFacts) -> bool {
    if fault.access == Some(Access::Execute) {
        return true;
    }
    let Some(pc) = &record.pc else { return false };
    if pc.value.symbol.is_some() {
        return false;
    }
    let Some(address) = pc.value.address else { return false };
    let context = kwhy_arch::AddressContext::default();
    match record.arch {
        Some(arch) => {
            let region = kwhy_arch::classify_address(arch, address, &context).region;
            matches!(
                region,
                Region::Null
                    | Region::NearNull
                    | Region::User
                    | Region::NonCanonical
                    | Region::ErrorPointer
                    | Region::Poison
            )
        }
        None => address < 0x1000,
    }
}

/// The caller of a garbage PC: LR where there is one, else the first frame of the trace.
fn call_site(record: &CrashRecord, frames: &[Place], images: &Images<'_, '_>) -> Option<Place> {
    if record.arch == Some(Arch::Arm64)
        && let Some(lr) = record.lr.as_ref().filter(|lr| lr.value.symbol.is_some())
    {
        return Some(place(&lr.value, Some(lr.line), true, true, images));
    }
    let named = |frame: &&Place| frame.at.symbol.is_some() && frame.returns;
    frames.iter().filter(|frame| frame.reliable).find(named).or_else(|| frames.iter().find(named)).cloned()
}

/// The caller that a function without a frame record hides from an ARM64 trace: LR points into
/// another function than the PC's, and the trace's second frame is not it.
///
/// Once a function has called anything, LR points into itself; so an LR that points elsewhere
/// is still the function's own return address.
fn hidden_caller(record: &CrashRecord) -> Option<&CodeRef> {
    if record.arch != Some(Arch::Arm64) {
        return None;
    }
    let lr = &record.lr.as_ref()?.value;
    let pc = &record.pc.as_ref()?.value;
    let symbol = lr.symbol.as_ref()?;
    let same = |other: &CodeRef| other.symbol.as_ref() == Some(symbol) && other.module == lr.module;
    if pc.symbol.is_none() || same(pc) || record.frames.iter().take(3).any(|frame| same(&frame.at)) {
        return None;
    }
    // Without a trace there is nothing to hide from.
    record.frames.first()?;
    Some(lr)
}

fn place(at: &CodeRef, line: Option<u32>, reliable: bool, returns: bool, images: &Images<'_, '_>) -> Place {
    let mut place =
        Place { at: at.clone(), reliable, line, returns, image: None, address: None, source: Vec::new() };
    if let Some((index, image)) = images.used_for(at.module.as_deref())
        && let Some(address) = image_address(image, at)
    {
        // A return address belongs to the call before it; where the call is the function's last
        // instruction the return address is not even in the function.
        let address = if returns { address.offset(-1) } else { address };
        place.image = Some(index);
        place.source = image.source_at(address);
        place.address = Some(address);
    }
    place
}

/// A return address of another stack than the crash's, for the report.
pub fn frame(frame: &kwhy_oops::Frame, images: &Images<'_, '_>) -> model::Frame {
    place(&frame.at, Some(frame.line), frame.reliable, true, images).frame()
}

/// The image address of `symbol+offset`: of several static functions of that name, the one of
/// the printed size; `None` where that leaves more than one or none.
pub fn image_address(image: &Image<'_>, at: &CodeRef) -> Option<ImageAddr> {
    let offset = at.offset?;
    // The kernel names an address after the last symbol before it, code or not: what lies behind
    // the symbol's end is none of its code. A return address may stand right at the end.
    if at.size.is_some_and(|size| size > 0 && offset > size) {
        return None;
    }
    let symbol = choose(image.symbols_named(at.symbol.as_deref()?), at.size)?;
    Some(ImageAddr(symbol.address.0.wrapping_add(offset)))
}

/// The symbol meant, by its size.
pub fn choose(mut symbols: Vec<Symbol>, size: Option<u64>) -> Option<Symbol> {
    symbols.sort_by_key(|symbol| symbol.address);
    symbols.dedup_by_key(|symbol| symbol.address);
    if let Some(size) = size {
        let of_size: Vec<&Symbol> = symbols.iter().filter(|s| s.size == size || s.elf_size == size).collect();
        match of_size.as_slice() {
            [only] => return Some((*only).clone()),
            [] => {}
            _ => return None,
        }
    }
    match symbols.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

impl Place {
    /// In the report's terms. What the log itself symbolised stands in where there is no image.
    pub fn location(&self) -> model::Location {
        let chain: Vec<model::SourceFrame> = self
            .source
            .iter()
            .map(|frame| model::SourceFrame {
                function: frame.function.to_string(),
                file: frame.file.as_ref().map(ToString::to_string),
                line: frame.line,
            })
            .collect();
        let innermost = chain.first();
        model::Location {
            symbol: self.at.symbol.clone(),
            offset: self.at.offset.map(Hex),
            size: self.at.size.map(Hex),
            module: self.at.module.clone(),
            file: innermost
                .and_then(|frame| frame.file.clone())
                .or_else(|| self.at.source.as_ref().map(|(file, _)| file.clone())),
            line: innermost
                .and_then(|frame| frame.line)
                .or_else(|| self.at.source.as_ref().map(|(_, line)| *line)),
            inline_chain: chain,
        }
    }

    /// As a frame of the trace.
    pub fn frame(&self) -> model::Frame {
        model::Frame { location: self.location(), reliable: self.reliable, link: None, log_line: self.line }
    }
}
