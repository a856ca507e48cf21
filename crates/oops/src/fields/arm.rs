//! ARM64's register dump and abort information (arch/arm64/kernel/process.c, arch/arm64/mm/fault.c),
//! and what 32-bit ARM prints in the same words.

use kwhy_base::{Arch, Reg};

use super::State;
use super::trace::interrupted_by_registers;
use super::values::{code_ref, hex_token};
use crate::record::{CodeDump, CodeRef, CrashRecord, Located, PrintedHex};
use crate::text::Line;
use crate::words::Words;

/// The names of the fields that are printed from the ESR (`mem_abort_decode`, `data_abort_decode`).
const ESR_FIELDS: &[&str] = &[
    "EC",
    "IL",
    "SET",
    "FnV",
    "EA",
    "S1PTW",
    "FSC",
    "ISV",
    "ISS",
    "ISS2",
    "CM",
    "WnR",
    "SAS",
    "SSE",
    "SRT",
    "SF",
    "AR",
    "TnD",
    "TagAccess",
    "GCS",
    "Overlay",
    "DirtyBit",
    "Xs",
    "AssuredOnly",
];

pub(super) fn line(line: &Line<'_>, state: &mut State, record: &mut CrashRecord) -> bool {
    let text = line.text.trim();
    abort_information(text, line.number, record)
        || bracketed_address(text, line.number, record)
        || program_counter(text, line.number, state, record)
        || general(text, line.number, state, record)
        || code(text, line.number, state, record)
}

fn abort_information(text: &str, number: u32, record: &mut CrashRecord) -> bool {
    if text == "Mem abort info:" || text == "Data abort info:" {
        record.arch = Some(Arch::Arm64);
        return true;
    }
    if let Some(rest) = text.strip_prefix("ESR = ").or_else(|| text.strip_prefix("ESR: ")) {
        if record.esr.is_none() {
            record.esr = hex_token(rest).map(|value| Located { value, line: number });
        }
        record.arch = Some(Arch::Arm64);
        return true;
    }
    let mut any = false;
    let fields = if text.contains(" = ") { text } else { "" };
    for part in fields.split(", ") {
        let Some((name, value)) = part.cut(" = ") else { continue };
        if ESR_FIELDS.contains(&name.trim()) {
            let field = Located { value: (name.trim().to_owned(), value.trim().to_owned()), line: number };
            let double = record.esr_fields.iter().any(|f| f.value.0 == field.value.0);
            if !double {
                record.esr_fields.push(field);
            }
            any = true;
        }
    }
    any || text.starts_with("user pgtable:")
        || text.starts_with("swapper pgtable:") && remark(text, number, record)
}

fn remark(text: &str, number: u32, record: &mut CrashRecord) -> bool {
    record.remarks.push(Located { value: text.to_owned(), line: number });
    true
}

/// `[000323bfa8c17cc5] address between user and kernel address ranges`, `[addr] pgd=…`.
fn bracketed_address(text: &str, number: u32, record: &mut CrashRecord) -> bool {
    let Some((digits, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) else { return false };
    let rest = rest.trim();
    let wording = ["pgd=", "*pgd=", "address between", "user address but", "p4d=", "pgd ="];
    if digits.len() > 20 || digits.is_empty() || !wording.iter().any(|w| rest.starts_with(w)) {
        return false;
    }
    if record.fault_address_note.is_none() && record.fault_address.is_some() {
        let value = Located { value: PrintedHex::new(digits.trim()), line: number };
        record.fault_address_note = Some((value, rest.to_owned()));
    }
    true
}

/// `pc : fn+0x1/0x2`, `lr : …`, and before 4.13 `PC is at fn+…` with
/// `pc : [<addr>] lr : [<addr>] pstate: …`.
fn program_counter(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let place = |name: &str, body: &str, state: &mut State, record: &mut CrashRecord| {
        let Some((at, _)) = code_ref(body) else { return false };
        if state.user || state.ended {
            return true;
        }
        let slot = if name == "pc" { &mut record.pc } else { &mut record.lr };
        match slot {
            Some(Located { value, .. }) => {
                // `PC is at` gave the symbol, this line the address.
                if value.address.is_none() && at.symbol.is_none() {
                    value.address = at.address;
                }
            }
            None => *slot = Some(Located { value: at, line: number }),
        }
        true
    };
    if let Some(rest) = text.strip_prefix("PC is at ").or_else(|| text.strip_prefix("pc is at ")) {
        interrupted_by_registers(state, record);
        return place("pc", rest, state, record);
    }
    if let Some(rest) = text.strip_prefix("LR is at ") {
        return place("lr", rest, state, record);
    }
    let Some(rest) = text.strip_prefix("pc : ") else {
        return match text.strip_prefix("lr : ") {
            Some(rest) => place("lr", rest, state, record),
            None => false,
        };
    };
    interrupted_by_registers(state, record);
    let (pc, others) = match rest.cut("lr : ") {
        Some((pc, lr)) => (pc, Some(lr)),
        None => (rest, None),
    };
    if !place("pc", pc, state, record) {
        // A PC that is no place at all is kept as unreadable rather than dropped.
        record.pc.get_or_insert(Located {
            value: CodeRef { unreadable: true, ..CodeRef::default() },
            line: number,
        });
    }
    if let Some(others) = others {
        let end = others.place_of("pstate").or_else(|| others.place_of("psr")).unwrap_or(others.len());
        place("lr", others.get(..end).unwrap_or(others), state, record);
        if let Some((_, flags)) = others.cut("pstate: ").or_else(|| others.cut("psr: ")) {
            pstate(flags, number, state, record);
        }
        if others.contains("psr: ") {
            record.arch = Some(Arch::Arm);
        }
    } else {
        record.arch = record.arch.or(Some(Arch::Arm64));
    }
    true
}

fn pstate(rest: &str, number: u32, state: &State, record: &mut CrashRecord) {
    if state.user || state.ended || record.flags.is_some() {
        return;
    }
    let Some(value) = hex_token(rest) else { return };
    let words = rest.split_once('(').map(|(_, w)| w.trim_end_matches(')').to_owned()).unwrap_or_default();
    record.flags = Some((Located { value, line: number }, words));
}

/// `x29: … x28: …`, `sp : …`, `pstate: …`.
fn general(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    if let Some(rest) = text.strip_prefix("pstate: ") {
        record.arch = Some(Arch::Arm64);
        interrupted_by_registers(state, record);
        pstate(rest, number, state, record);
        return true;
    }
    let mut any = false;
    for (name, value) in pairs(text) {
        let reg = match name {
            "sp" => 31,
            _ => match name.strip_prefix('x').and_then(|n| n.parse::<u16>().ok()) {
                Some(n @ 0..=30) => n,
                _ => continue,
            },
        };
        any = true;
        if record.arch != Some(Arch::Arm) {
            record.arch = Some(Arch::Arm64);
            state.register(record, name, Reg(reg), value, number);
        }
    }
    any
}

/// `name: value` pairs of a register line; ARM pads the name (`x9 : …`).
pub(super) fn pairs(text: &str) -> Vec<(&str, &str)> {
    let mut pairs = Vec::new();
    let mut words = text.split_ascii_whitespace().peekable();
    while let Some(word) = words.next() {
        let (name, glued) = match word.split_once(':') {
            Some(split) => split,
            None => match words.peek() {
                Some(&":") => {
                    words.next();
                    (word, "")
                }
                _ => continue,
            },
        };
        let value = match glued {
            "" => match words.peek() {
                // The value may be missing altogether, at the end of a torn line.
                Some(next) if !next.ends_with(':') => words.next(),
                _ => None,
            },
            glued => Some(glued),
        };
        if let Some(value) = value {
            pairs.push((name, value));
        }
    }
    pairs
}

/// `Code: 540005e0 f94016a0 (f9406400)`, words of 32 bits as numbers, or `bad PC value`.
fn code(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let Some(rest) = text.strip_prefix("Code: ") else { return false };
    let rest = rest.trim();
    if rest.eq_ignore_ascii_case("bad PC value") || rest.eq_ignore_ascii_case("bad PC value.") {
        if !state.user && record.code.is_none() && record.code_note.is_none() {
            record.code_note = Some(Located { value: rest.to_owned(), line: number });
        }
        return true;
    }
    let words = rest.split_ascii_whitespace().collect::<Vec<_>>();
    let is_word = |w: &&str| w.trim_matches(['(', ')']).len() == 8;
    if words.is_empty() || words.iter().filter(|w| is_word(w)).count() * 2 < words.len() {
        return false;
    }
    if state.user || state.ended || std::mem::replace(&mut state.code_seen, true) {
        return true;
    }
    let mut dump = CodeDump { bytes: Vec::new(), fault_index: None, line: number };
    for word in words {
        if word.starts_with('(') {
            dump.fault_index = Some(dump.bytes.len());
        }
        let value = PrintedHex::new(word.trim_matches(['(', ')'])).value;
        match value.and_then(|v| u32::try_from(v).ok()) {
            Some(value) => dump.bytes.extend(value.to_le_bytes().map(Some)),
            None => dump.bytes.extend([None; 4]),
        }
    }
    record.code = Some(dump);
    true
}
