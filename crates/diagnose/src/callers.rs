//! A parameter followed up the stack: what it is called where it came from.

use crate::context::Facts;
use crate::names::base_name;
use crate::scenes::Scenes;
use kwhy_base::Reg;
use kwhy_flow::expr::Terms;
use kwhy_flow::insn::Flow;
use kwhy_flow::scene::Scene;
use std::rc::Rc;

/// A frame that handed the value on.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The value in that frame's terms.
    pub terms: Terms,
    /// It is, or lies within, what that frame was handed itself.
    pub handed_on: bool,
}

/// How many frames a value is followed up.
const MAX_FRAMES: usize = 8;
/// How many functions may pass a call on by jumping to the next.
const MAX_TAIL_CALLS: usize = 3;

/// Follows what `register` held on entry to `symbol` up the call trace: one entry a frame, the
/// last one being where the value is no longer a mere parameter or where helpers end.
pub fn follow(facts: &Facts<'_>, scenes: &Scenes<'_, '_>, symbol: &str, register: Reg) -> Vec<Caller> {
    let mut found = Vec::new();
    let mut wanted = symbol.to_owned();
    let mut register = register;
    let frames = facts.places.frames.iter().filter(|frame| frame.returns && frame.reliable);
    for place in frames.take(MAX_FRAMES) {
        let Some((scene, address)) = scenes.at(place) else { break };
        let Some(call) = scene.insn(address) else { break };
        let call = call.address;
        let Some(at_call) = register_at_call(scenes, &scene, call, &wanted, register) else { break };
        let Some((terms, value)) = scene.argument_terms(call, at_call) else { break };
        let entry = scene.as_entry(value);
        found.push(Caller { terms, handed_on: entry.is_some() });
        // Helpers pass on what they were given; the first function that is none answers for it.
        let Some((next, _)) = entry else { break };
        if crate::helpers::helper(&scene.symbol).is_none() {
            break;
        }
        wanted = scene.symbol.clone();
        register = next;
    }
    found
}

/// A call: the function it is in, its address, and the register that hands the value over.
pub type Call<'o, 'd> = (Rc<Scene<'o, 'd>>, kwhy_base::ImageAddr, Reg);

/// The call that entered `symbol`, where the trace and the code agree on it.
pub fn call_of<'o, 'd>(
    facts: &Facts<'_>,
    scenes: &Scenes<'o, 'd>,
    symbol: &str,
    register: Reg,
) -> Option<Call<'o, 'd>> {
    let place = facts.places.frames.iter().find(|frame| frame.returns && frame.reliable)?;
    let (scene, address) = scenes.at(place)?;
    let call = scene.insn(address)?.address;
    let at_call = register_at_call(scenes, &scene, call, symbol, register)?;
    Some((scene, call, at_call))
}

/// Which register holds, at the call, what `wanted` found in `register` on entry: the same
/// where the call goes there; another where functions between pass the call on by a jump.
/// `None` where the call goes elsewhere, so that the trace has a gap here.
fn register_at_call(
    scenes: &Scenes<'_, '_>,
    scene: &Scene<'_, '_>,
    call: kwhy_base::ImageAddr,
    wanted: &str,
    register: Reg,
) -> Option<Reg> {
    match scene.callee_name(call) {
        Some(callee) if same_function(&callee, wanted) => Some(register),
        Some(callee) => through_jumps(scenes, &callee, wanted, register, MAX_TAIL_CALLS),
        // An indirect call may go anywhere; the trace says it came here.
        None => scene
            .insn(call)
            .is_some_and(|insn| matches!(insn.flow, Flow::CallIndirect(_)))
            .then_some(register),
    }
}

fn through_jumps(
    scenes: &Scenes<'_, '_>,
    callee: &str,
    wanted: &str,
    register: Reg,
    budget: usize,
) -> Option<Reg> {
    let budget = budget.checked_sub(1)?;
    let kernel = scenes.kernel()?;
    let scene = scenes.symbol(kernel, callee)?;
    for insn in &scene.code.insns {
        let Flow::Jump(target) = insn.flow else { continue };
        let Some(name) = scene.code.symbol_name(scene.image, target) else { continue };
        let at_jump = if same_function(&name, wanted) {
            Some(register)
        } else if scene.code.index_of(target).is_none() {
            through_jumps(scenes, &name, wanted, register, budget)
        } else {
            None
        };
        if let Some(at_jump) = at_jump {
            let (entry, plus) = scene.as_entry(scene.register(insn.address, at_jump)?)?;
            return (plus == 0).then_some(entry);
        }
    }
    None
}

/// Whether two symbols are one function: aliases differ in underscores and `__pi_`, clones in suffixes.
pub fn same_function(a: &str, b: &str) -> bool {
    let plain = |name: &str| {
        let name = base_name(name);
        name.strip_prefix("__pi_").unwrap_or(name).trim_start_matches('_').to_owned()
    };
    a == b || plain(a) == plain(b)
}
