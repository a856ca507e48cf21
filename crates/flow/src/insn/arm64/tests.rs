//! Our effects beside what objdump's text says of instructions from a real kernel: an
//! independent reading of the same words.

use crate::insn::{AccessKind, Effect, Flow, Insn, MemOperand, Value, decode};
use kwhy_base::{Arch, ImageAddr, Reg};
use std::collections::BTreeSet;

fn insn(word: u32) -> Insn {
    decode(Arch::Arm64, &word.to_le_bytes(), ImageAddr(0x1_0000)).unwrap()
}

fn samples() -> impl Iterator<Item = (&'static str, Insn)> {
    include_str!("../../../tests/data/arm64.txt").lines().map(|line| {
        let mut words = line.splitn(3, ' ');
        let word = u32::from_str_radix(words.next().unwrap(), 16).unwrap().swap_bytes();
        let address = ImageAddr(u64::from_str_radix(words.next().unwrap(), 16).unwrap());
        (words.next().unwrap(), decode(Arch::Arm64, &word.to_le_bytes(), address).unwrap())
    })
}

fn written(effects: &[Effect]) -> BTreeSet<Reg> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Set { register, .. } | Effect::Clobber(register) => Some(*register),
            Effect::Load { register, .. } => *register,
            Effect::Modify { old, .. } => *old,
            _ => None,
        })
        .collect()
}

fn register(operand: &str) -> Option<Reg> {
    match operand {
        "sp" => Some(Reg(31)),
        _ => operand.strip_prefix(['x', 'w'])?.parse().ok().map(Reg),
    }
}

#[test]
fn destinations_are_written() {
    let reads_first = |name: &str| {
        name.starts_with("st") && !name.starts_with("stx") && !name.starts_with("stlx")
            || name.starts_with("b.")
            || matches!(
                name,
                "cbz"
                    | "cbnz"
                    | "tbz"
                    | "tbnz"
                    | "cmp"
                    | "cmn"
                    | "tst"
                    | "ccmp"
                    | "ccmn"
                    | "br"
                    | "blr"
                    | "ret"
                    | "wfet"
                    | "wfit"
                    | "msr"
                    | "bl"
                    | "b"
                    | "svc"
            )
    };
    for (text, insn) in samples() {
        let (name, operands) = text.split_once(' ').unwrap_or((text, ""));
        if reads_first(name) {
            continue;
        }
        let known = written(&insn.effects);
        let two = matches!(name, "ldp" | "ldnp" | "ldpsw" | "ldxp" | "ldaxp");
        // Atomics: the second operand gets the old value, except that `cas` uses the first.
        let atomic = (name.starts_with("ld")
            && insn.effects.iter().any(|e| matches!(e, Effect::Modify { .. })))
            || name.starts_with("swp");
        let mut operands = operands.split(", ");
        let skip = usize::from(atomic);
        for operand in operands.by_ref().skip(skip).take(if two { 2 } else { 1 }) {
            if let Some(register) = register(operand) {
                assert!(known.contains(&register), "{text}: {:?}", insn.effects);
            }
        }
    }
}

#[test]
fn bases_offsets_and_write_back_are_those_of_the_text() {
    let mut checked = 0;
    for (text, insn) in samples() {
        let Some((before, rest)) = text.split_once('[') else { continue };
        if before.starts_with("prf")
            || before.contains('z') && before.contains("ld1")
            || text.contains("mul vl")
        {
            continue;
        }
        let (inside, after) = rest.split_once(']').unwrap();
        let mut parts = inside.split(", ");
        let base = register(parts.next().unwrap()).unwrap();
        let second = parts.next();
        let offset = second.and_then(|part| part.strip_prefix('#')).map(|n| n.parse::<i64>().unwrap());
        let accesses = insn.accesses();
        let first = accesses.first().unwrap_or_else(|| panic!("{text}: no access"));
        assert!(accesses.iter().all(|access| access.memory.base == Some(base)), "{text}: {accesses:?}");
        let start = accesses.iter().map(|access| access.memory.displacement).min().unwrap();
        assert_eq!(start, offset.unwrap_or(0), "{text}");
        if let Some(index) = second.and_then(register) {
            let ours = first.memory.index.unwrap_or_else(|| panic!("{text}: no index"));
            assert_eq!(ours.register, index, "{text}");
            assert_eq!(ours.narrow, inside.contains("xtw"), "{text}");
            assert_eq!(ours.signed, inside.contains("sxt"), "{text}");
            let shift = inside.rsplit_once('#').map_or(0, |(_, n)| n.parse::<u32>().unwrap());
            assert_eq!(u32::from(ours.scale), 1 << shift, "{text}");
        }
        let moves = after.starts_with('!') || after.starts_with(", #");
        let moved = insn.effects.iter().any(
            |e| matches!(e, Effect::Set { register, value: Value::Address(_), .. } if *register == base),
        );
        assert_eq!(moves, moved, "{text}: {:?}", insn.effects);
        let expected = match text.get(..2) {
            Some("ld") if accesses.iter().all(|a| a.kind == AccessKind::Read) => AccessKind::Read,
            Some("st") if accesses.iter().all(|a| a.kind == AccessKind::Write) => AccessKind::Write,
            _ => AccessKind::Modify,
        };
        assert!(accesses.iter().all(|access| access.kind == expected), "{text}: {accesses:?}");
        checked += 1;
    }
    assert!(checked > 300, "{checked} memory operands");
}

#[test]
fn loads_know_their_order_and_width() {
    let at = |base, displacement| MemOperand { base: Some(Reg(base)), displacement, ..MemOperand::default() };
    let widths =
        |word| insn(word).accesses().iter().map(|a| (a.memory.displacement, a.width)).collect::<Vec<_>>();
    assert_eq!(widths(0xa8c1_7bfd), [(0, 8), (8, 8)]); // ldp x29, x30, [sp], #16
    assert_eq!(widths(0x3dc0_0400), [(16, 16)]); // ldr q0, [x0, #16]
    assert_eq!(widths(0xad40_0400), [(0, 16), (16, 16)]); // ldp q0, q1, [x0]
    assert_eq!(widths(0x3940_0440), [(1, 1)]); // ldrb w0, [x2, #1]
    assert_eq!(widths(0x7940_1282), [(8, 2)]); // ldrh w2, [x20, #8]
    assert_eq!(widths(0xb980_0842), [(8, 4)]); // ldrsw x2, [x2, #8]
    assert_eq!(widths(0xd50b_7420), [(0, 64)]); // dc zva, x0
    // ldp x0, x1, [x0]: the base is overwritten last.
    let effects = insn(0xa940_0400).effects;
    assert!(
        matches!(&effects[1], Effect::Load { register: Some(Reg(0)), memory, .. } if *memory == at(0, 0))
    );
}

#[test]
fn the_kernels_own_registers_are_told() {
    let value = |word| match insn(word).effects.as_slice() {
        [Effect::Set { value, .. }] => value.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(value(0xd538_4100), Value::System("sp_el0"));
    assert_eq!(value(0xd538_d082), Value::System("tpidr_el1"));
    assert_eq!(value(0xd53c_d042), Value::System("tpidr_el2"));
    assert_eq!(value(0x9000_0000), Value::Constant(0x1_0000)); // adrp x0, .
    assert_eq!(value(0x5280_0023), Value::Constant(1)); // mov w3, #1
    assert_eq!(value(0x1280_0015), Value::Constant(0xffff_ffff)); // mov w21, #-1
}

#[test]
fn control_goes_where_it_goes() {
    assert_eq!(insn(0xd65f_03c0).flow, Flow::Return);
    assert_eq!(insn(0xd65f_0bff).flow, Flow::Return); // retaa
    assert_eq!(insn(0xd421_0000).flow, Flow::Stop); // brk
    assert_eq!(insn(0).flow, Flow::Stop); // udf
    assert_eq!(insn(0x9400_0001).flow, Flow::Call(ImageAddr(0x1_0004)));
    assert_eq!(insn(0x17ff_ffff).flow, Flow::Jump(ImageAddr(0xfffc)));
    assert_eq!(insn(0x5400_0041).flow, Flow::Branch(ImageAddr(0x1_0008)));
}
