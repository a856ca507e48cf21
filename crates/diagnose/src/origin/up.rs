//! Up the stack: which call a function was entered by, as far as the call trace, or the way that
//! the trail came down by, tells.

use super::Ctx;
use super::memory::Survey;
use crate::callers::same_function;
use crate::location::Place;
use kwhy_base::ImageAddr;
use kwhy_flow::insn::Flow;
use kwhy_flow::scene::Scene;
use kwhy_image::{Image, Type};
use std::rc::Rc;

/// A place in the code with the function around it.
#[derive(Clone)]
pub struct Here<'o, 'd> {
    /// Index of the image.
    pub image: usize,
    /// The function.
    pub scene: Rc<Scene<'o, 'd>>,
    /// How it was entered.
    pub above: Rc<Above<'o, 'd>>,
}

/// How a function was entered.
pub enum Above<'o, 'd> {
    /// By the frame with this index among those that return.
    Stack(usize),
    /// By the call, or the jump, at a place.
    Site(Here<'o, 'd>, ImageAddr),
    /// That is not known.
    Nothing,
}

/// How many functions may pass a call on by jumping to the next.
const MAX_TAIL_CALLS: usize = 3;

/// The frames that a value may have been handed on by.
pub fn frames<'c>(ctx: &'c Ctx<'_, '_, '_>) -> impl Iterator<Item = &'c Place> {
    ctx.facts.places.frames.iter().filter(|frame| frame.returns && frame.reliable)
}

/// Where the faulting function's own frame ends: for a call through a bad pointer the first frame
/// is that of the caller itself.
pub fn first_above(ctx: &Ctx<'_, '_, '_>, here: &Place) -> usize {
    if !ctx.facts.places.pc_is_garbage {
        return 0;
    }
    frames(ctx)
        .position(|frame| frame.address == here.address && frame.image == here.image)
        .map_or(0, |at| at + 1)
}

/// The call that a function was entered by: its place, and whether the call trace and the code
/// agree on it.
pub fn entered_by<'o, 'd>(ctx: &Ctx<'_, 'o, 'd>, here: &Here<'o, 'd>) -> Option<(Here<'o, 'd>, ImageAddr)> {
    let index = match here.above.as_ref() {
        Above::Nothing => return None,
        Above::Site(caller, at) => return Some((caller.clone(), *at)),
        Above::Stack(index) => *index,
    };
    let place = frames(ctx).nth(index)?;
    let (scene, address) = ctx.scenes.at(place)?;
    let call = scene.insn(address)?.address;
    let image = place.image?;
    let caller = Here { image, scene, above: Rc::new(Above::Stack(index.saturating_add(1))) };
    match caller.scene.callee_name(call) {
        Some(callee) if same_function(&callee, &here.scene.symbol) => Some((caller, call)),
        Some(_) => {
            let target = target_of(ctx, &caller, call)?;
            through_jumps(ctx, target, &here.scene.symbol, &(caller, call), MAX_TAIL_CALLS)
        }
        // An indirect call may go anywhere; the trace says it came here.
        None => caller
            .scene
            .insn(call)
            .is_some_and(|insn| matches!(insn.flow, Flow::CallIndirect(_)))
            .then_some((caller, call)),
    }
}

/// The last of the jumps by which functions pass a call on until `wanted` is entered.
fn through_jumps<'o, 'd>(
    ctx: &Ctx<'_, 'o, 'd>,
    (image, scene): (usize, Rc<Scene<'o, 'd>>),
    wanted: &str,
    entered: &(Here<'o, 'd>, ImageAddr),
    budget: usize,
) -> Option<(Here<'o, 'd>, ImageAddr)> {
    let budget = budget.checked_sub(1)?;
    let above = Rc::new(Above::Site(entered.0.clone(), entered.1));
    let here = Here { image, scene, above };
    for insn in &here.scene.code.insns {
        let Flow::Jump(target) = insn.flow else { continue };
        if here.scene.code.index_of(target).is_some() {
            continue;
        }
        let name = here.scene.callee_name(insn.address);
        if name.is_some_and(|name| same_function(&name, wanted)) {
            return Some((here.clone(), insn.address));
        }
        if let Some(next) = target_of(ctx, &here, insn.address)
            && let Some(found) = through_jumps(ctx, next, wanted, &(here.clone(), insn.address), budget)
        {
            return Some(found);
        }
    }
    None
}

/// The function that the direct call or jump at `at` goes to, in whatever image it is.
pub fn target_of<'o, 'd>(
    ctx: &Ctx<'_, 'o, 'd>,
    here: &Here<'o, 'd>,
    at: ImageAddr,
) -> Option<(usize, Rc<Scene<'o, 'd>>)> {
    let (Flow::Call(target) | Flow::Jump(target)) = here.scene.insn(at)?.flow else { return None };
    if here.scene.image.section_at(target).is_some() && here.scene.code.imports.name(target).is_none() {
        return Some((here.image, ctx.scenes.of(here.image, target)?));
    }
    let name = here.scene.callee_name(at)?;
    let images = std::iter::once(ctx.scenes.kernel()).flatten().chain(ctx.images.used());
    for image in images {
        if let Some(scene) = ctx.scenes.symbol(image, &name) {
            return Some((image, scene));
        }
    }
    None
}

/// How many functions a member may hold for a call through it to be followed.
const MAX_TARGETS: usize = 8;

/// The functions that the indirect call at `at` may go to: those that the image's tables put into
/// the member that is called. None where there are too many to tell anything.
pub fn targets_of<'o, 'd>(
    ctx: &Ctx<'_, 'o, 'd>,
    here: &Here<'o, 'd>,
    at: ImageAddr,
) -> Vec<(usize, Rc<Scene<'o, 'd>>)> {
    let Some(terms) = here.scene.call_target(at) else { return Vec::new() };
    let (Some(record), Some(offset)) = (&terms.record, terms.offset.and_then(|o| u64::try_from(o).ok()))
    else {
        return Vec::new();
    };
    let image = here.scene.image;
    let mut found: Vec<(usize, Rc<Scene<'o, 'd>>)> = Vec::new();
    for variable in Survey::of(ctx).statics(image) {
        let Some(ty) = variable.ty else { continue };
        let (element, count) = match image.strip(ty) {
            Type::Array { element, count } => (element, count.unwrap_or(1)),
            _ => (ty, 1),
        };
        if image.type_name(element) != *record {
            continue;
        }
        let size = image.size_of(element).unwrap_or(8).max(1);
        for index in 0..count.min(64) {
            let slot = variable.address.0.wrapping_add(index.wrapping_mul(size)).wrapping_add(offset);
            let Some(target) = pointer_at(image, ImageAddr(slot)) else { continue };
            let Some(scene) = ctx.scenes.of(here.image, target) else { continue };
            if scene.code.entry == target && !found.iter().any(|(_, known)| known.code.entry == target) {
                found.push((here.image, scene));
            }
            if found.len() > MAX_TARGETS {
                return Vec::new();
            }
        }
    }
    found
}

/// The code address that initialised data holds.
fn pointer_at(image: &Image<'_>, at: ImageAddr) -> Option<ImageAddr> {
    let relocated = image.relocations(at..at.offset(8)).into_iter().find(|(place, _)| *place == at);
    let target = match relocated {
        Some((_, relocation)) => relocation.address?.offset(relocation.addend),
        None => ImageAddr(u64::from_le_bytes(image.bytes(at, 8)?.get(..8)?.try_into().ok()?)),
    };
    image.symbol_at(target).filter(|symbol| symbol.function && symbol.address == target)?;
    // What tracing patches stands in front of what debug information calls the function's code.
    image.function_at(target).map(|function| function.entry)
}
