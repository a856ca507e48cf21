//! What an expression rests on where no debug information speaks: inferred types, and what callers
//! hand to helpers that say nothing themselves.

use crate::callers;
use crate::context::Facts;
use crate::expression::{Expressed, expression, made, size_check};
use crate::helpers::helper;
use crate::location::Place;
use crate::names::base_name;
use crate::origin::Start;
use crate::scenes::Scenes;
use kwhy_base::catalogue::expression as say;
use kwhy_base::prose;
use kwhy_flow::describe::Footing;
use kwhy_flow::expr::Recovered;
use kwhy_flow::kin::Why;
use kwhy_flow::scene::Scene;
use kwhy_report::model::{Check, Grade, Outcome};

/// A helper of one parameter whose own access says nothing: what its caller handed it is all that
/// it can have tripped over.
pub(crate) fn handed_to_helper(
    facts: &Facts<'_>,
    scenes: &Scenes<'_, '_>,
    scene: &Scene<'_, '_>,
    here: &Place,
) -> Expressed {
    let nothing = Expressed::default;
    let one = scene.parameter_count(base_name(&scene.symbol)) == Some(1);
    if !one || helper(&scene.symbol).is_none() {
        return nothing();
    }
    let Some(register) = facts.cpu.and_then(|cpu| cpu.arguments.first().copied()) else { return nothing() };
    let Some(caller) = callers::follow(facts, scenes, &scene.symbol, register).pop() else {
        return nothing();
    };
    let mut main = caller.terms.clone();
    if main.record.is_none() {
        return nothing();
    }
    main.text = format!("{}({})", base_name(&scene.symbol), main.text);
    let checks = vec![size_check(scene, here)];
    // The way from the parameter to the access is not known.
    let expression = expression(&main, std::slice::from_ref(&caller.terms), Grade::Possible, checks);
    let start = Start::Value { value: scene.entered_with(register), observed: None, index: None };
    Expressed {
        expression: Some(expression),
        start: Some(start),
        caller: Some(caller),
        ..Expressed::default()
    }
}

/// From what the pointer's type was inferred, where nothing declares it.
pub(crate) fn type_check(scene: &Scene<'_, '_>, recovered: &Recovered) -> Option<Check> {
    if recovered.main.footing >= Footing::Earlier {
        return None;
    }
    let wanted = recovered.main.record.clone()?;
    let base = recovered.base?;
    let (record, why) = match scene.why_typed(base) {
        Some(found) => Some(found).filter(|(record, _)| *record == wanted),
        // A member says itself to what it points; what it is a member of was inferred.
        None => scene.why_typed_before(base),
    }?;
    let detail = match why {
        Why::Declared(function) => prose!(say::TYPE_DECLARED, record = record, function = function),
        Why::Passed(function) => prose!(say::TYPE_PASSED, record = record, function = function),
        Why::Returned(function) => prose!(say::TYPE_RETURNED, record = record, function = function),
        Why::Member(member) => prose!(say::TYPE_MEMBER, record = record, member = member),
        Why::Allocated { function, callee, size } => {
            prose!(say::TYPE_ALLOCATED, record = record, function = function, size = size, callee = callee)
        }
        Why::Stored => prose!(say::TYPE_STORED, record = record),
        Why::Sized(size) => prose!(say::TYPE_SIZED, record = record, size = size),
        Why::Only(count) => prose!(say::TYPE_ONLY, record = record, count = count),
    };
    Some(made("type", Outcome::Agrees, detail))
}
