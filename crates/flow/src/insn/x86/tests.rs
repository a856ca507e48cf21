//! Our effects beside iced's own tables, over instructions from a real kernel.

use super::{decode, instruction, operand};
use crate::insn::{AccessKind, Effect, Insn, decode as decode_any};
use iced_x86::{InstructionInfoFactory, OpAccess};
use kwhy_base::{Arch, ImageAddr, Reg};
use std::collections::BTreeSet;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

fn samples() -> impl Iterator<Item = (&'static str, Vec<u8>, ImageAddr)> {
    include_str!("../../../tests/data/x86_64.txt").lines().map(|line| {
        let mut words = line.split(' ');
        let raw = bytes(words.next().unwrap());
        (line, raw, ImageAddr(u64::from_str_radix(words.next().unwrap(), 16).unwrap()))
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

fn writes(access: OpAccess) -> bool {
    use OpAccess::{CondWrite, ReadCondWrite, ReadWrite, Write};
    matches!(access, Write | CondWrite | ReadWrite | ReadCondWrite)
}

/// A register that iced says is written and our effects keep would be a lie in the data flow.
#[test]
fn no_written_register_is_forgotten() {
    let mut factory = InstructionInfoFactory::new();
    for (line, raw, address) in samples() {
        let insn = instruction(&raw, address).unwrap();
        let ours = decode(&raw, address).unwrap();
        let known = written(&ours.effects);
        let moves_stack_for_the_callee = matches!(
            insn.flow_control(),
            iced_x86::FlowControl::Call | iced_x86::FlowControl::IndirectCall | iced_x86::FlowControl::Return
        );
        for used in factory.info(&insn).used_registers() {
            let Some(register) = operand::register(used.register()) else { continue };
            if !writes(used.access()) || (moves_stack_for_the_callee && register == super::RSP) {
                continue;
            }
            // `xchg %ax,%ax` and its like are no-ops that iced counts as writes.
            if insn.mnemonic() == iced_x86::Mnemonic::Nop {
                continue;
            }
            assert!(
                known.contains(&register),
                "{line}: {register:?} is written, but not by {:?}",
                ours.effects
            );
        }
    }
}

/// Every access to memory is there with its direction and width, and none is made up.
#[test]
fn memory_accesses_are_those_of_the_tables() {
    let mut factory = InstructionInfoFactory::new();
    for (line, raw, address) in samples() {
        let insn = instruction(&raw, address).unwrap();
        let ours: Insn = decode_any(Arch::X86_64, &raw, address).unwrap();
        // Far branches read a selector as well, which a flow's target leaves out.
        if line.contains(" ljmp ") || line.contains(" lcall ") {
            continue;
        }
        let mut expected = BTreeSet::new();
        for used in factory.info(&insn).used_memory() {
            let (reads, changes) = match used.access() {
                OpAccess::Read | OpAccess::CondRead => (true, false),
                OpAccess::Write | OpAccess::CondWrite => (false, true),
                OpAccess::ReadWrite | OpAccess::ReadCondWrite => (true, true),
                _ => continue,
            };
            let memory = operand::compose(
                used.segment(),
                used.base(),
                used.index(),
                used.scale(),
                used.displacement(),
            );
            // A repeated string instruction has no size in the tables.
            let size = match u8::try_from(used.memory_size().size()) {
                Ok(0) => None,
                Ok(size) => Some(size),
                Err(_) => Some(255),
            };
            expected.insert((format!("{memory:?}"), reads, changes, size));
        }
        let found: BTreeSet<_> = ours
            .accesses()
            .into_iter()
            .map(|access| {
                let (reads, changes) = match access.kind {
                    AccessKind::Read => (true, false),
                    AccessKind::Write => (false, true),
                    AccessKind::Modify => (true, true),
                };
                (format!("{:?}", access.memory), reads, changes, Some(access.width))
            })
            .collect();
        let unsized_string = insn.is_string_instruction();
        let strip = |set: &BTreeSet<(String, bool, bool, Option<u8>)>| -> BTreeSet<_> {
            set.iter()
                .map(|(m, r, c, s)| {
                    (m.clone(), *r, *c, if unsized_string { None } else { s.filter(|s| *s > 0) })
                })
                .collect()
        };
        assert_eq!(strip(&found), strip(&expected), "{line}: {:?}", ours.effects);
    }
}
