//! Where values come from, on a small object for each CPU: what functions return, what they look
//! at first, and what loops carry.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kwhy_base::ImageAddr;
use kwhy_flow::insn::Flow;
use kwhy_flow::returns::Return;
use kwhy_flow::scene::Scene;
use kwhy_flow::sources::Source;
use kwhy_image::Image;
use std::collections::BTreeSet;

const SOURCE: &str = include_str!("data/trail.c");
const X86: &[u8] = include_bytes!("data/trail-x86_64.o");
const ARM: &[u8] = include_bytes!("data/trail-arm64.o");

/// The line that a marker stands on.
fn line(marker: &str) -> u32 {
    let wanted = format!("@{marker} ");
    let at = SOURCE.lines().position(|line| line.contains(&wanted)).unwrap();
    u32::try_from(at).unwrap() + 1
}

/// Does the same for both CPUs.
fn both(function: &str, check: impl Fn(&Scene<'_, '_>)) {
    for data in [X86, ARM] {
        let image = Image::parse(data).unwrap();
        let entry = image.symbols_named(function).remove(0).address;
        check(&Scene::new(&image, entry).unwrap());
    }
}

fn line_of(scene: &Scene<'_, '_>, at: ImageAddr) -> u32 {
    scene.image.source_at(at).first().and_then(|frame| frame.line).unwrap()
}

/// The lines that set what the function returns, where that may be `observed`; and whom it calls last.
fn returned(scene: &Scene<'_, '_>, observed: Option<u64>) -> (BTreeSet<u32>, Vec<String>) {
    let (mut lines, mut calls) = (BTreeSet::new(), Vec::new());
    let result = kwhy_arch::cpu(scene.arch()).unwrap().result;
    for out in scene.returns(result, observed) {
        match out {
            Return::Value { leaf, .. } => lines.extend(leaf.set.iter().map(|at| line_of(scene, *at))),
            Return::TailCall { callee, .. } => calls.extend(callee),
        }
    }
    (lines, calls)
}

fn error(number: i64) -> Option<u64> {
    Some(number as u64)
}

#[test]
fn what_may_be_null_is_told_from_what_was_found_not_to_be() {
    both("find", |scene| {
        // The element was looked at, and the error is another number.
        assert_eq!(returned(scene, Some(0)), (BTreeSet::from([line("null")]), vec!["made".to_owned()]));
        let loaded = line("element") - 1;
        let expected = BTreeSet::from([line("error"), loaded]);
        assert_eq!(returned(scene, error(-22)), (expected, vec!["made".to_owned()]));
    });
    both("checked", |scene| {
        assert_eq!(returned(scene, Some(0)).0, BTreeSet::new());
        assert!(returned(scene, error(-12)).0.contains(&line("nomem")));
        assert!(!returned(scene, error(-22)).0.contains(&line("nomem")));
    });
}

#[test]
fn a_choice_without_a_branch_has_both_values() {
    both("chosen", |scene| {
        assert_eq!(returned(scene, Some(0)).0.len(), 1);
        // The address of something is never an error; ARM64 code reads an import's from a table.
        assert!(returned(scene, error(-22)).0.is_empty() || scene.arch() == kwhy_base::Arch::Arm64);
    });
}

#[test]
fn a_loops_pointer_comes_from_before_it_and_from_its_last_round() {
    both("walk", |scene| {
        let access = scene
            .code
            .insns
            .iter()
            .filter(|insn| !insn.accesses().is_empty() && line_of(scene, insn.address) != line("first"))
            .find_map(|insn| {
                let recovered = scene.recover(insn.address, None, &|_| None)?;
                Some((insn.address, recovered.base?))
            });
        let (at, base) = access.unwrap();
        let arms = scene.arms(base, None, at, Some(0));
        let told: BTreeSet<(bool, u32)> =
            arms.iter().flat_map(|arm| arm.set.iter().map(|at| (arm.carried, line_of(scene, *at)))).collect();
        let first = told.iter().find(|(carried, _)| !carried).unwrap();
        let round = told.iter().find(|(carried, _)| *carried).unwrap();
        assert_eq!(first.1, line("first"));
        assert!([line("advance"), line("follow")].contains(&round.1), "{told:?}");
        assert!(arms.iter().all(|arm| matches!(scene.source(arm.value), Source::Read(_))));
    });
}

/// The result of the function's call of `find`, and an instruction at the marked line.
fn result_and(scene: &Scene<'_, '_>, marker: &str) -> (kwhy_flow::value::Value, ImageAddr) {
    let insns = &scene.code.insns;
    let call = insns.iter().find(|insn| scene.callee_name(insn.address).as_deref() == Some("find")).unwrap();
    let after = call.address.offset(i64::from(call.len));
    let result = kwhy_arch::cpu(scene.arch()).unwrap().result;
    let value = scene.register(after, result).unwrap();
    let wanted = line(marker);
    let on = |line: u32| {
        let mut there = insns.iter().filter(move |insn| line_of(scene, insn.address) == line);
        there.find(|insn| !matches!(insn.flow, Flow::Branch(_)))
    };
    // The last load of a function may carry the line of its closing brace.
    let at = on(wanted).or_else(|| on(wanted + 1)).unwrap();
    (value, at.address)
}

#[test]
fn a_result_that_was_looked_at_is_told_from_one_that_was_not() {
    both("looks", |scene| {
        let (value, at) = result_and(scene, "looked");
        assert!(scene.is_tested(value));
        assert!(scene.is_tested_before(value, at));
        let guard = scene.guards(at).remove(0);
        assert!(!scene.allows(&guard, value, 0));
        assert!(scene.allows(&guard, value, 8));
        assert!(scene.guard_text(&guard, at).unwrap().starts_with("node"));
        let other = scene.otherwise(&guard).unwrap();
        assert!(!scene.is_tested_before(value, scene.code.entry));
        assert!(scene.guards(other).iter().all(|guard| scene.allows(guard, value, 0)));
    });
    both("looks_not", |scene| {
        let (value, at) = result_and(scene, "unlooked");
        assert!(!scene.is_tested(value));
        assert!(!scene.is_tested_before(value, at));
        assert!(matches!(scene.source(value), Source::Result { callee: Some(name), .. } if name == "find"));
    });
}
