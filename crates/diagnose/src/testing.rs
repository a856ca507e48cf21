//! Hand-made records for the tests.

use crate::context::Facts;
use crate::detectors::Case;
use crate::images::Images;
use kwhy_base::{Arch, RegValue};
use kwhy_oops::{CodeDump, CodeRef, CrashRecord, Family, Frame, Located, ModuleEntry, PrintedHex};

/// A record whose trace has these functions (`name [module]`), top first, from line 20 on.
pub fn record_with_frames(frames: &[&str]) -> CrashRecord {
    CrashRecord {
        first_line: 1,
        last_line: 99,
        frames: frames
            .iter()
            .zip(20..)
            .map(|(text, line)| Frame { at: at(text), reliable: true, inline: false, line })
            .collect(),
        ..CrashRecord::default()
    }
}

/// `name [module]` as a place.
pub fn at(text: &str) -> CodeRef {
    let (name, module) = match text.split_once(" [") {
        Some((name, module)) => (name, Some(module.trim_end_matches(']').to_owned())),
        None => (text, None),
    };
    CodeRef {
        symbol: Some(name.to_owned()),
        offset: Some(0x10),
        size: Some(0x40),
        module,
        ..CodeRef::default()
    }
}

/// A module of the list.
pub fn module(name: &str, taints: &str, state: Option<char>) -> ModuleEntry {
    ModuleEntry { name: name.into(), taints: taints.into(), state, last_unloaded: false, line: 12 }
}

/// A record with a trigger line.
pub fn headed(family: Family, header: &str) -> CrashRecord {
    CrashRecord {
        first_line: 1,
        last_line: 99,
        family: Some(family),
        header: header.to_owned(),
        ..CrashRecord::default()
    }
}

/// The record with another line quoted.
pub fn remarked(mut record: CrashRecord, text: &str) -> CrashRecord {
    record.remarks.push(Located { value: text.to_owned(), line: 2 });
    record
}

/// A page fault on reading `address`.
pub fn access_fault(arch: Arch, address: u64) -> CrashRecord {
    let mut record = headed(Family::PageFault, "Unable to handle kernel paging request");
    record.arch = Some(arch);
    record.fault_address = Some(Located { value: hex(address), line: 1 });
    record.pc = Some(Located { value: at("somewhere [driver]"), line: 10 });
    with_code(record, if arch == Arch::Arm64 { "96000004" } else { "0000" })
}

fn hex(value: u64) -> PrintedHex {
    PrintedHex { digits: format!("{value:016x}"), value: Some(value) }
}

/// The record with this error code (ESR on ARM64).
pub fn with_code(mut record: CrashRecord, code: &str) -> CrashRecord {
    let printed = PrintedHex { digits: code.into(), value: u64::from_str_radix(code, 16).ok() };
    record.oops_code = Some(Located { value: printed, line: 3 });
    record
}

/// The record with this register printed.
pub fn with_register(mut record: CrashRecord, name: &str, value: u64) -> CrashRecord {
    let register = kwhy_arch::cpu(record.arch.unwrap()).unwrap().register(name).unwrap();
    record.registers.0.insert(register, RegValue::Known { value, line: 12 });
    record
}

/// The record with this ARM64 word as the bracketed one of its `Code:` line.
pub fn arm64_code(record: CrashRecord, word: u32) -> CrashRecord {
    code(record, &word.to_le_bytes())
}

/// The record with these x86 bytes from the bracketed one on.
pub fn x86_code(record: CrashRecord, bytes: &[u8]) -> CrashRecord {
    let mut all = bytes.to_vec();
    all.extend([0x90; 16]);
    code(record, &all)
}

fn code(mut record: CrashRecord, bytes: &[u8]) -> CrashRecord {
    let bytes = bytes.iter().copied().map(Some).collect();
    record.code = Some(CodeDump { bytes, fault_index: Some(0), line: 30 });
    record
}

/// What a detector makes of a record.
pub fn detected(record: &CrashRecord, detect: fn(&Facts<'_>) -> Option<Case>) -> Option<Case> {
    detected_in(std::slice::from_ref(record), 0, detect)
}

/// The same, of one crash among others.
pub fn detected_in(
    log: &[CrashRecord],
    index: usize,
    detect: fn(&Facts<'_>) -> Option<Case>,
) -> Option<Case> {
    let images = Images::check(&[], &log[index]);
    detect(&Facts::new(log, index, &images).unwrap())
}
