//! IBM Z's register dump (arch/s390/kernel/dumpstack.c, process.c, dis.c, mm/fault.c).

use kwhy_arch::Ending;
use kwhy_base::{Arch, Reg};

use super::State;
use super::cpus::{Rows, address, flags, is_value, numbered, own, place, register};
use super::trace::interrupted_by_registers;
use super::values::{code_ref, hex_token};
use crate::record::{CodeDump, CodeRef, CrashRecord, Located, PrintedHex};
use crate::text::Line;
use crate::words::Words;

pub(super) fn line(line: &Line<'_>, state: &mut State, record: &mut CrashRecord) -> bool {
    let text = line.text.trim();
    psw(text, line.number, state, record)
        || psw_fields(text, state, record)
        || general(text, line.number, state, record)
        || code(text, line.number, state, record)
        || fault(text, line.number, state, record)
        || trace(text, line.number, state, record)
}

/// `fixpoint divide exception: 0009 ilc:2 [#7] SMP`: only IBM Z prints an instruction length code.
pub(super) fn trigger(text: &str, number: u32, record: &mut CrashRecord) {
    let Some((_, rest)) = text.cut(" ilc:") else {
        if text.starts_with("Unable to handle kernel pointer dereference in virtual ") {
            record.arch = record.arch.or(Some(Arch::S390x));
        }
        return;
    };
    if !text.contains("[#") {
        return;
    }
    record.arch = Some(Arch::S390x);
    if let Some(value) = hex_token(rest) {
        record.control_registers.push(("ilc".to_owned(), Located { value, line: number }));
    }
}

/// `Krnl PSW : 0704c00180000000 000003ff7fd070c6 (fn+0x6/0x40 [mod])`.
fn psw(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    if text.starts_with("User PSW :") {
        record.arch = Some(Arch::S390x);
        state.user = true;
        return true;
    }
    let Some(rest) = text.strip_prefix("Krnl PSW :") else { return false };
    record.arch = Some(Arch::S390x);
    if record.pc.is_some() {
        state.user = true;
    }
    if !own(state) {
        return true;
    }
    interrupted_by_registers(state, record);
    let mut words = rest.split_ascii_whitespace();
    let (mask, at) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    flags(mask, "", number, state, record);
    let mut found = address(at);
    if let Some((_, symbol)) = rest.split_once('(')
        && let Some((named, _)) = code_ref(symbol)
        && named.symbol.is_some()
    {
        found = CodeRef { address: found.address, ..named };
    }
    place(&mut record.pc, found, number);
    register(state, record, Arch::S390x, "psw.addr", at, number);
    true
}

/// `R:0 T:1 IO:1 EX:1 Key:0 M:1 W:0 P:0 AS:3 CC:0 PM:0 RI:0 EA:3`: the mask's fields, in words.
fn psw_fields(text: &str, state: &State, record: &mut CrashRecord) -> bool {
    if !(text.starts_with("R:") && text.contains(" T:") && text.contains(" Key:")) {
        return false;
    }
    if own(state)
        && let Some((_, words)) = &mut record.flags
        && words.is_empty()
    {
        text.clone_into(words);
    }
    true
}

/// `Krnl GPRS: 0000000000057fa8 …`, with three more rows of four.
fn general(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    if text.starts_with("User GPRS:") {
        state.user = true;
        return true;
    }
    let Some(rest) = text.strip_prefix("Krnl GPRS:") else { return false };
    record.arch = Some(Arch::S390x);
    more_registers(rest.trim(), 0, number, state, record);
    true
}

pub(super) fn more_registers(
    text: &str,
    next: u16,
    number: u32,
    state: &mut State,
    record: &mut CrashRecord,
) -> bool {
    let words = text.split_ascii_whitespace().collect::<Vec<_>>();
    if words.is_empty() || words.len() > 4 || !words.iter().all(|word| is_value(word)) {
        return false;
    }
    let mut next = next;
    for digits in words {
        if next < 16 {
            numbered(state, record, Arch::S390x, Reg(next), digits, number);
        }
        next = next.saturating_add(1);
    }
    if next < 16 {
        state.rows = Rows::S390Registers(next);
    }
    true
}

/// `Krnl Code: 000003ff7fd070b8: f0a0000407fe srp …`, one instruction a line, `>` at the PSW's address
/// and `#` at the instruction before it. `Krnl Code:#000…` where the mark takes the blank's place;
/// a line of bytes where the disassembler is not built in.
fn code(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let Some(rest) = text.strip_prefix("Krnl Code:") else { return false };
    if !own(state) || std::mem::replace(&mut state.code_seen, true) {
        return true;
    }
    if rest.trim().starts_with("Bad PSW") {
        record.code_note = Some(Located { value: rest.trim().to_owned(), line: number });
        return true;
    }
    record.code = Some(CodeDump { bytes: Vec::new(), fault_index: None, line: number });
    if !more_code(rest.trim(), state, record) {
        record.code = None;
    }
    true
}

pub(super) fn more_code(text: &str, state: &mut State, record: &mut CrashRecord) -> bool {
    let (mark, rest) = match text.strip_prefix('>') {
        Some(rest) => (Some('>'), rest),
        None => match text.strip_prefix('#') {
            Some(rest) => (Some('#'), rest),
            None => (None, text),
        },
    };
    let Some((at, rest)) = rest.split_once(':') else { return false };
    let bytes = rest.split_ascii_whitespace().next().unwrap_or_default();
    let whole = matches!(bytes.len(), 4 | 8 | 12) && bytes.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_value(at.trim()) || !whole {
        return false;
    }
    // Where the PSW points depends on how the interruption ended; without a code it was a trap that
    // the kernel made itself (`mc`), which is completed.
    let ending = match record.oops_code.as_ref().and_then(|code| code.value.value) {
        Some(code) => kwhy_arch::ending(code),
        None => Ending::After,
    };
    if let Some(dump) = &mut record.code {
        let faulting = match ending {
            Ending::At => mark == Some('>'),
            Ending::After => mark == Some('#'),
        };
        if faulting {
            dump.fault_index = Some(dump.bytes.len());
        }
        let pairs = (0..bytes.len()).step_by(2).filter_map(|i| bytes.get(i..i.saturating_add(2)));
        dump.bytes.extend(pairs.map(|pair| u8::from_str_radix(pair, 16).ok()));
    }
    state.rows = Rows::S390Code;
    true
}

/// `Failing address: 0000000000000000 TEID: 0000000000000483` and the lines about it.
fn fault(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    if let Some(rest) = text.strip_prefix("Failing address: ") {
        record.arch = record.arch.or(Some(Arch::S390x));
        if record.fault_address.is_none() {
            record.fault_address = hex_token(rest).map(|value| Located { value, line: number });
        }
        if let Some(teid) = rest.cut("TEID: ").and_then(|(_, digits)| hex_token(digits)) {
            state.control(record, "TEID", &teid.digits, number);
        }
        return true;
    }
    let known = text.starts_with("Fault in ") && text.contains(" mode while using ")
        || text.starts_with("AS:") && text.contains(" R3:");
    if known {
        record.remarks.push(Located { value: text.to_owned(), line: number });
    }
    known
}

/// `Last Breaking-Event-Address:` ends the trace; the place below it is where the CPU last branched.
fn trace(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let Some(rest) = text.strip_prefix("Last Breaking-Event-Address:") else { return false };
    state.trace = None;
    if rest.trim().is_empty() {
        state.rows = Rows::S390Breaking;
    } else {
        breaking_event(rest.trim(), number, record);
    }
    true
}

pub(super) fn breaking_event(text: &str, number: u32, record: &mut CrashRecord) -> bool {
    if !text.starts_with("[<") {
        return false;
    }
    let said = "Last Breaking-Event-Address: ";
    if !record.remarks.iter().any(|remark| remark.value.starts_with(said)) {
        record.remarks.push(Located { value: format!("{said}{text}"), line: number });
        if let Some((digits, _)) = text.get(2..).and_then(|rest| rest.cut(">]")) {
            let value = Located { value: PrintedHex::new(digits), line: number };
            record.control_registers.push(("last breaking event".to_owned(), value));
        }
    }
    true
}
