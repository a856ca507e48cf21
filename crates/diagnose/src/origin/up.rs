//! Up the stack: which call a function was entered by, as far as the call trace, or the way that
//! the trail came down by, tells.

use super::Ctx;
use crate::callers::same_function;
use crate::location::Place;
use kwhy_base::ImageAddr;
use kwhy_flow::insn::Flow;
use kwhy_flow::scene::Scene;
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
