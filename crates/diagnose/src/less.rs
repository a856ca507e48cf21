//! What is known of a faulting access that no type explains: the value that was followed, as the code
//! has it, so that it can be traced back all the same; and whether it is `container_of()` of NULL, a
//! small negative number that is something that was read less exactly that offset, and not what a
//! function returned as its error.

use crate::context::Facts;
use crate::origin::Start;
use crate::scenes::Scenes;

/// The value to trace back: what the register held that the access followed.
pub fn start(facts: &Facts<'_>, scenes: &Scenes<'_, '_>) -> Option<Start> {
    if !facts.is_access_fault() || facts.places.pc_is_garbage {
        return None;
    }
    let followed = facts.followed.as_ref()?;
    let register = followed.register?;
    let (scene, pc) = scenes.at(facts.places.here()?)?;
    let accessed = scene.accesses(pc).into_iter().any(|access| {
        access.memory.base == Some(register)
            && access.memory.segment.is_none()
            && access.memory.index.is_none()
    });
    let value = scene.register(pc, register).filter(|value| accessed && value.node.is_some())?;
    // A damaged register's better reading is an inference; the trail may only rest on what it is.
    let observed = facts.record.registers.known(register).filter(|known| *known == followed.value);
    Some(Start::Value { value, observed, index: None })
}

/// The offset that was taken off NULL, where the base of the faulting access is such a value.
pub fn null_less(facts: &Facts<'_>, scenes: &Scenes<'_, '_>) -> Option<u64> {
    if !facts.is_access_fault() || facts.places.pc_is_garbage {
        return None;
    }
    let (scene, pc) = scenes.at(facts.places.here()?)?;
    scene.accesses(pc).into_iter().find_map(|access| {
        let base = access.memory.base.filter(|_| access.memory.segment.is_none())?;
        let number = facts.record.registers.known(base)?;
        let value = scene.register(pc, base)?;
        scene.is_null_less(value, number).then(|| number.wrapping_neg())
    })
}
