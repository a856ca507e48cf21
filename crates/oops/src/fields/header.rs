//! The trigger line and the lines that complete it.

use super::values::hex_token;
use crate::record::{CrashRecord, Located};
use crate::text::Line;
use crate::words::{AnyOf, Words, begins_any};

/// Reads what the trigger line itself says.
pub(super) fn trigger(line: &Line<'_>, record: &mut CrashRecord) {
    let text = line.text.trim();
    for mark in [
        " at virtual address ",
        " for address: ",
        ", address: ",
        "paging request at ",
        "NULL pointer dereference at ",
        "non-canonical address ",
        "maybe for address ",
        "access to user memory outside uaccess routines at virtual address ",
        "data access on read at ",
        "data access on write at ",
        "instruction fetch at ",
    ] {
        if let Some((_, rest)) = text.cut(mark)
            && let Some(value) = hex_token(rest.trim_start_matches("(ptrval)"))
            && record.fault_address.is_none()
        {
            record.fault_address = Some(Located { value, line: line.number });
        }
    }
    super::cpus::trigger(text, line.number, record);
    assertion(text, line.number, record);
    oops_line(text, line.number, record);
    task(text, record);
    if let Some((_, rest)) = text.cut("CPU#") {
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        record.cpu = record.cpu.or_else(|| digits.parse().ok());
    }
    // `WARNING: CPU: 0 PID: 12 at …`.
    if let Some((_, rest)) = text.cut("WARNING: CPU: ") {
        let mut numbers = rest.split_ascii_whitespace();
        record.cpu = numbers.next().and_then(|n| n.parse().ok());
        record.pid = numbers.nth(1).and_then(|n| n.parse().ok());
    }
}

/// `kernel BUG at FILE:LINE!`, `WARNING: … at FILE:LINE fn`, `UBSAN: … in FILE:LINE:COLUMN`.
fn assertion(text: &str, number: u32, record: &mut CrashRecord) {
    let rest = if let Some((_, rest)) = text.cut("kernel BUG at ") {
        rest
    } else if let Some((_, rest)) = text.cut("invalid context at ") {
        rest
    } else if let Some((_, rest)) = text.cut("UBSAN: ") {
        match rest.cut(" in ") {
            Some((_, place)) => place,
            None => return,
        }
    } else if let Some((_, rest)) = text.cut("WARNING: ") {
        // Since late 2025 the place comes first: `WARNING: file.c:12 at fn+0x1/0x2, CPU#0`.
        match rest.cut(" at ") {
            Some((before, _)) if place(before).is_some() => before,
            Some((_, after)) => after,
            None => return,
        }
    } else {
        return;
    };
    if let Some((file, line)) = place(rest)
        && record.assertion.is_none()
    {
        record.assertion = Some(Located { value: (file, line), line: number });
    }
}

/// `FILE:LINE` at the start of `text`.
fn place(text: &str) -> Option<(String, u32)> {
    let word = text.split(|c: char| c.is_whitespace() || c == '!').next()?;
    let mut parts = word.split(':');
    let file = parts.next().filter(|f| f.contains('.') || f.contains('/'))?;
    let line = parts.next()?.parse().ok()?;
    Some((file.to_owned(), line))
}

/// `Internal error: Oops - BUG: 00000000f2000800 [#1] SMP`, `Oops: 0002 [#1] PREEMPT SMP NOPTI`,
/// `general protection fault, probably for non-canonical address 0x…: 0000 [#1] SMP`.
fn oops_line(text: &str, number: u32, record: &mut CrashRecord) -> bool {
    let Some((before, after)) = text.cut("[#") else { return false };
    if record.oops_count.is_some() {
        return true;
    }
    let Some((count, flags)) = after.split_once(']') else { return false };
    record.oops_count = count.parse().ok();
    // MIPS and LoongArch close the line with a colon.
    let flags = flags.trim_end_matches(':');
    record.oops_flags = flags.split_ascii_whitespace().map(str::to_owned).collect();
    // IBM Z prints the instruction's length behind the code.
    let before = before.split(" ilc:").next().unwrap_or(before).trim_end();
    if let Some((words, _)) = before.cut_last(", sig: ") {
        // PowerPC's number is that of a signal, in decimal.
        record.oops_text = Some(words.strip_prefix("Oops: ").unwrap_or(words).trim().to_owned());
    } else if let Some((words, code)) = before.rsplit_once(':') {
        let words = words.strip_prefix("Internal error: ").unwrap_or(words);
        let words = words.strip_prefix("Oops: ").filter(|w| !w.is_empty()).unwrap_or(words);
        record.oops_text = Some(words.trim().to_owned());
        // `Oops: general protection fault …` keeps its words; `Oops - Undefined instruction: 0`.
        record.oops_code = hex_token(code).map(|value| Located { value, line: number });
    } else {
        record.oops_text = Some(before.to_owned());
    }
    true
}

/// Whose report it is, where the header names the task.
fn task(text: &str, record: &mut CrashRecord) {
    let body = if let Some((_, rest)) = text.cut("INFO: task ") {
        rest.split(" blocked").next().and_then(|r| r.split(" can't die").next())
    } else if text.contains("soft lockup") {
        text.rsplit_once('[').and_then(|(_, rest)| rest.strip_suffix(']'))
    } else {
        None
    };
    if let Some((comm, pid)) = body.and_then(|b| b.rsplit_once(':'))
        && let Ok(pid) = pid.trim().parse()
    {
        record.comm = Some(comm.to_owned());
        record.pid = Some(pid);
    }
}

/// Lines just before the trigger that already speak of the crash.
pub(super) fn preface(line: &Line<'_>, record: &mut CrashRecord) {
    let text = line.text.trim();
    if !text.starts_with("------------[ cut here") {
        record.remarks.push(Located { value: text.to_owned(), line: line.number });
    }
}

/// Lines after the trigger that complete the header.
pub(super) fn follow_up(line: &Line<'_>, record: &mut CrashRecord) -> bool {
    let text = line.text.trim();
    if text.contains("[#") && text.contains(']') && oops_line(text, line.number, record) {
        super::cpus::trigger(text, line.number, record);
        return true;
    }
    for (access, mark) in [("Read", "Read of size "), ("Write", "Write of size "), ("Access", "at addr ")] {
        if text.starts_with(mark) && access != "Access" || access == "Access" && text.contains("by task") {
            if let Some((_, rest)) = text.cut("at addr ").or_else(|| text.cut("at address "))
                && record.fault_address.is_none()
            {
                record.fault_address = hex_token(rest).map(|value| Located { value, line: line.number });
            }
            if let Some((_, who)) = text.cut("by task ")
                && let Some((comm, pid)) = who.rsplit_once('/')
            {
                record.comm.get_or_insert_with(|| comm.to_owned());
                record.pid = record.pid.or_else(|| pid.parse().ok());
            }
            record.remarks.push(Located { value: text.to_owned(), line: line.number });
            return true;
        }
    }
    const REMARKS: &[&str] = &[
        "KASAN: null-ptr-deref in range",
        "KASAN: maybe wild-memory-access",
        "KASAN: probably",
        "The buggy address",
        "which belongs to the cache",
        "refcount_t: ",
        "list_add",
        "list_del",
        "usercopy: ",
        "Kernel panic - not syncing",
        "kernel BUG at ",
        "rcu: ",
        "\t(detected by",
        "(detected by",
        "(t=",
        "task:",
        "last function:",
        "workqueue: ",
        "Fixing recursive fault",
        "Object 0x",
        "Slab 0x",
        "Pointer tag: ",
        "Insufficient stack space",
        "Exception stack",
        "note: ",
        "signed integer overflow",
        "index ",
        "shift exponent",
        "load of ",
        "member access within",
        "division by zero",
        "left shift of",
        "object size ",
        "Showing all locks held",
        "locks held by",
        "lock held by",
        "ODEBUG: ",
        "in_atomic(): ",
        "preempt_count: ",
        "RCU nest depth: ",
        "Unreliable",
    ];
    if begins_any(text, REMARKS) || is_lock_line(text) {
        record.remarks.push(Located { value: text.to_owned(), line: line.number });
        if record.assertion.is_none() && text.starts_with("kernel BUG at ") {
            assertion(text, line.number, record);
        }
        return true;
    }
    false
}

/// lockdep's lines about locks: ` #0: (&lock){+.+.}-{3:3}, at: fn+0x1/0x2`, `is trying to acquire lock:`.
fn is_lock_line(text: &str) -> bool {
    static WORDS: AnyOf = AnyOf::new(&[
        ", at: ",
        "but task is already holding",
        "*** DEADLOCK ***",
        "Possible unsafe locking scenario",
    ]);
    text.ends_with("is trying to acquire lock:") || WORDS.is_in(text)
}
