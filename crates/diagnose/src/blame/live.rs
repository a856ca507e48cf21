//! What the call trace says of the order in which the candidates ran: what comes after a call that
//! has not returned has not run, and of two stores on the way the later one is what was found.

use crate::expression::Expressed;
use crate::names::base_name;
use crate::origin::{Candidate, Ctx, Explains, Start, Trail, What};
use kwhy_base::ImageAddr;
use kwhy_flow::scene::Scene;
use kwhy_flow::value::{Node, NodeId, Value};

/// The trail with its candidates in the order that the call trace leaves possible.
pub fn sorted(ctx: &Ctx<'_, '_, '_>, expressed: &Expressed, trail: &Trail) -> Trail {
    let mut trail = trail.clone();
    trail.carried |= carried(ctx, expressed);
    let ran: Vec<Candidate> =
        trail.candidates.iter().filter(|candidate| !is_still_to_run(ctx, candidate)).cloned().collect();
    // In a loop it may have run in an earlier round: where nothing else is left it stays.
    if !ran.is_empty() {
        trail.candidates = ran;
    }
    let stores = |candidate: &Candidate| candidate.what == What::MemberStore;
    if let Some(first) = trail.candidates.first().filter(|first| stores(first))
        && let Some(depth) = depth(ctx, first)
    {
        let later = trail.candidates.iter().enumerate().skip(1).filter(|(_, other)| stores(other));
        let later = later.filter_map(|(at, other)| self::depth(ctx, other).map(|own| (own, at)));
        if let Some((_, at)) = later.filter(|(own, _)| *own < depth).min() {
            let winner = trail.candidates.remove(at);
            trail.candidates.insert(0, winner);
        }
    }
    trail
}

/// Puts what has not run yet behind what explains the value as well, and of two stores on the way
/// the later one first. An earlier call may have run what this one has not: nothing is left out.
pub fn reorder(ctx: &Ctx<'_, '_, '_>, candidates: &mut Vec<Candidate>) {
    candidates.sort_by_cached_key(|candidate| (candidate.explains, is_still_to_run(ctx, candidate)));
    let stores =
        |candidate: &Candidate| candidate.what == What::MemberStore && candidate.explains != Explains::Hardly;
    let Some(first) = candidates.first().filter(|first| stores(first)) else { return };
    let Some(depth) = depth(ctx, first) else { return };
    let later = candidates.iter().enumerate().skip(1).filter(|(_, other)| stores(other));
    let later = later.filter(|(_, other)| !is_still_to_run(ctx, other));
    let later = later.filter_map(|(at, other)| self::depth(ctx, other).map(|own| (own, at)));
    if let Some((_, at)) = later.filter(|(own, _)| *own < depth).min() {
        let winner = candidates.remove(at);
        candidates.insert(0, winner);
    }
}

/// How near to the fault a candidate's function is in the live call trace: smaller is nearer. A
/// function that was called there and has jumped on lies between two frames.
fn depth(ctx: &Ctx<'_, '_, '_>, candidate: &Candidate) -> Option<usize> {
    let function = candidate.spot.function.as_deref()?;
    let mut found = None;
    for (index, place) in ctx.facts.places.chain().into_iter().enumerate() {
        let own = index.saturating_mul(2).saturating_add(1);
        let symbol = place.at.symbol.as_deref().map(base_name) == Some(function);
        if place.at.module == candidate.spot.module
            && (symbol || place.source.iter().any(|frame| *frame.function == *function))
        {
            found = Some(own);
        } else if place.returns
            && let Some((scene, address)) = ctx.scenes.at(place)
            && let Some(call) = scene.insn(address)
            && scene.callee_name(call.address).as_deref().map(base_name) == Some(function)
        {
            found = Some(own.saturating_sub(1));
        }
        if found.is_some() {
            break;
        }
    }
    found
}

/// Whether the candidate stands behind the call that its function has not returned from.
fn is_still_to_run(ctx: &Ctx<'_, '_, '_>, candidate: &Candidate) -> bool {
    let Some((image, at)) = candidate.spot.code else { return false };
    let frames = ctx.facts.places.chain();
    // What comes after the faulting instruction itself has not run either.
    let live = frames
        .into_iter()
        .enumerate()
        .filter(|(index, place)| (*index == 0 || place.returns) && place.image == Some(image));
    live.map(|(_, place)| place).any(|place| {
        let Some((scene, address)) = ctx.scenes.at(place) else { return false };
        let (Some(own), Some(call)) = (scene.code.index_of(at), scene.code.index_of(address)) else {
            return false;
        };
        own > call && !leads_back(&scene, at, address)
    })
}

/// Whether a branch behind `from` goes back to before `to`: a loop around both.
fn leads_back(scene: &Scene<'_, '_>, from: ImageAddr, to: ImageAddr) -> bool {
    use kwhy_flow::insn::Flow;
    scene.code.insns.iter().filter(|insn| insn.address >= from).any(|insn| match insn.flow {
        Flow::Jump(target) | Flow::Branch(target) => target <= to && scene.code.index_of(target).is_some(),
        _ => false,
    })
}

/// Whether the pointer that was followed goes round a loop, read anew from what it points to in
/// each round, and nothing in the function compares it with anything.
fn carried(ctx: &Ctx<'_, '_, '_>, expressed: &Expressed) -> bool {
    let Some(Start::Value { value, .. }) = &expressed.start else { return false };
    let Some((scene, _)) = ctx.facts.places.here().and_then(|here| ctx.scenes.at(here)) else { return false };
    let Some(round) = round(&scene, *value) else { return false };
    let compared = |value: Value| value.node.is_some_and(|node| round.contains(&node));
    !scene.comparisons().iter().any(|one| compared(one.left) || compared(one.right))
}

/// The values of a loop that reads its pointer through itself: the phi and what is read.
fn round(scene: &Scene<'_, '_>, value: Value) -> Option<Vec<NodeId>> {
    let id = value.node?;
    let phi = match scene.node(id)? {
        Node::Phi { .. } => id,
        Node::Load { address, .. } => address.node?,
        _ => return None,
    };
    let Node::Phi { block, place } = scene.node(phi)? else { return None };
    let inputs = scene.phi_inputs(block, place);
    let reads_itself = |node: NodeId| match scene.node(node) {
        Some(Node::Load { address, .. }) => address.node == Some(phi),
        _ => false,
    };
    let read: Vec<NodeId> =
        inputs.iter().filter_map(|(_, input)| input.node).filter(|n| reads_itself(*n)).collect();
    (!read.is_empty()).then(|| [vec![phi], read].concat())
}
