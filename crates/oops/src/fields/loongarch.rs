//! LoongArch's register dump since 6.3 (arch/loongarch/kernel/traps.c); before it was worded like
//! MIPS', and is read there.

use kwhy_base::Arch;

use super::State;
use super::cpus::{address, flags, is_value, own, place, register};
use super::trace::interrupted_by_registers;
use super::values::{code_ref, hex_token};
use crate::record::{CodeRef, CrashRecord, Located};
use crate::text::Line;
use crate::words::Words;

pub(super) fn line(line: &Line<'_>, state: &mut State, record: &mut CrashRecord) -> bool {
    let text = line.text.trim();
    general(text, line.number, state, record)
        || places(text, line.number, state, record)
        || special(text, line.number, state, record)
}

/// `pc 9000000000c4a6a8 ra 9000000000c4a69c tp … sp …`, `a0 … a1 …`: names and values in turn,
/// without a colon.
fn general(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    const FIRSTS: &[&str] = &["pc ", "a0 ", "a4 ", "t0 ", "t4 ", "t8 ", "s1 ", "s5 "];
    if !FIRSTS.iter().any(|first| text.starts_with(first)) {
        return false;
    }
    let words = text.split_ascii_whitespace().collect::<Vec<_>>();
    let in_turn =
        words.chunks(2).all(|pair| matches!(pair, [name, value] if name.len() <= 3 && is_value(value)));
    if !in_turn || words.len() < 4 {
        return false;
    }
    record.arch = Some(Arch::Loongarch64);
    if text.starts_with("pc ") {
        if state.names.contains(&format!("{}:3", Arch::Loongarch64)) {
            state.user = true;
        }
        interrupted_by_registers(state, record);
    }
    for pair in words.chunks(2) {
        let [name, digits] = pair else { continue };
        if own(state) && *name == "pc" {
            place(&mut record.pc, address(digits), number);
        }
        if own(state) && *name == "ra" {
            place(&mut record.lr, address(digits), number);
        }
        register(state, record, Arch::Loongarch64, name, digits, number);
    }
    true
}

/// `  ERA: 9000000000c4a6a8 fn+0x1c/0x60`, `   ra: …`.
fn places(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let (is_pc, rest) = match (text.strip_prefix("ERA: "), text.strip_prefix("ra: ")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        _ => return false,
    };
    let (digits, symbol) = rest.split_once(' ').unwrap_or((rest, ""));
    if !is_value(digits) {
        return false;
    }
    record.arch = Some(Arch::Loongarch64);
    if !own(state) {
        return true;
    }
    let mut at = address(digits);
    if let Some((found, _)) = code_ref(symbol).filter(|(found, _)| found.symbol.is_some()) {
        at = CodeRef { address: at.address, ..found };
    }
    place(if is_pc { &mut record.pc } else { &mut record.lr }, at, number);
    true
}

/// ` CRMD: 000000b0 (PLV0 -IE …)`, `ESTAT: 00010000 [PIL] (IS= ECode=1 EsubCode=0)`, ` BADV: …`,
/// ` PRID: 0014c010 (Loongson-64bit, Loongson-3A5000)`.
fn special(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let Some((name, rest)) = text.cut(": ") else { return false };
    if !matches!(name, "CRMD" | "PRMD" | "EUEN" | "ECFG" | "ESTAT" | "BADV" | "PRID") {
        return false;
    }
    let Some(value) = hex_token(rest) else { return false };
    record.arch = Some(Arch::Loongarch64);
    let words = rest.split_once(' ').map_or("", |(_, words)| words);
    match name {
        // The state before the exception is in PRMD; CRMD already is the handler's.
        "PRMD" => flags(&value.digits, words.trim_matches(['(', ')']), number, state, record),
        "BADV" if own(state) && record.fault_address.is_none() => {
            record.fault_address = Some(Located { value: value.clone(), line: number });
        }
        "PRID" if own(state) && record.hardware.is_none() => {
            let model = words.trim_matches(['(', ')']);
            record.hardware = (!model.is_empty()).then(|| Located { value: model.to_owned(), line: number });
        }
        _ => {}
    }
    state.control(record, name, &value.digits, number);
    true
}
