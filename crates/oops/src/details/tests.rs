//! Each family's details, of reports in the kernel's own wordings (older and newer).

use super::{Details, Section, StackRef, Value};
use crate::record::{CrashRecord, Family};

/// What the catalogue must have a label for.
pub(crate) trait Named {
    const KEY: &'static str;
    const FIELDS: &'static [&'static str];
}

/// Every struct's key and fields.
fn named() -> Vec<(&'static str, &'static [&'static str])> {
    use super::*;
    macro_rules! all { ($($t:ty),*) => { vec![$((<$t>::KEY, <$t>::FIELDS)),*] } }
    all!(
        Track,
        FrameObject,
        Kasan,
        Kfence,
        Kmsan,
        Kcsan,
        KcsanAccess,
        Ubsan,
        Refcount,
        ListCorruption,
        Usercopy,
        Slab,
        SlabTrack,
        BadPage,
        Leak,
        Lock,
        TaskLocks,
        Link,
        Usage,
        Step,
        Lockdep,
        StalledCpu,
        CpuStack,
        RcuStall,
        Lockup,
        HungTask,
        BusyQueue,
        WorkerPool,
        WorkqueueLockup,
        Oom,
        AllocationFailure,
        Atomic,
        StackOverflow,
        Panic,
        MachineCheck,
        Edac,
        Ghes,
        GhesSection
    )
}

#[test]
fn every_struct_and_field_has_a_label_in_the_catalogue() {
    let known = |name: String| {
        kwhy_base::catalogue::details::MESSAGES.iter().any(|message| message.key.eq_ignore_ascii_case(&name))
    };
    for (key, fields) in named() {
        assert!(known(format!("is_{key}")), "no title for {key}");
        for field in fields {
            assert!(known((*field).to_owned()), "no label for {key}.{field}");
        }
    }
}

fn read(text: &str, family: Family) -> (Details, CrashRecord) {
    let lines = crate::text::split(text.as_bytes());
    let lines: Vec<_> = lines.iter().collect();
    let mut record = crate::fields::read(&[], &lines);
    record.family = Some(family);
    (super::read(&[], &lines, &record), record)
}

fn show(section: &Section, record: &CrashRecord, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    out.push_str(&format!("{indent}{}\n", section.key));
    for fact in &section.facts {
        let value = match &fact.value {
            Value::Number(number) => number.to_string(),
            Value::Signed(number) => number.to_string(),
            Value::Hex(hex) => format!("0x{}", hex.digits),
            Value::Flag(flag) => flag.to_string(),
            Value::Text(text) => format!("{text:?}"),
        };
        out.push_str(&format!("{indent}  {} = {value} :{}\n", fact.name, fact.line));
    }
    let frames = match section.stack {
        Some(StackRef::Own) => Some(&record.frames),
        Some(StackRef::Other(index)) => record.other_stacks.get(index).map(|(_, frames)| frames),
        None => None,
    };
    if let Some(frames) = frames {
        let names: Vec<&str> = frames.iter().filter_map(|frame| frame.at.symbol.as_deref()).collect();
        out.push_str(&format!("{indent}  stack {:?}: {}\n", section.stack, names.join(" < ")));
    }
    for part in &section.parts {
        show(part, record, depth + 1, out);
    }
}

/// The reports of a file, parted by lines `### Family`, as they are read.
fn shown(text: &str) -> String {
    let mut out = String::new();
    for report in text.split("### ").skip(1) {
        let (family, body) = report.split_once('\n').unwrap();
        let name = family.split(' ').next().unwrap();
        let family_of = |name: &str| match name {
            "Kasan" => Family::Kasan,
            "Kfence" => Family::Kfence,
            "Kmsan" => Family::Kmsan,
            "Kcsan" => Family::Kcsan,
            "Ubsan" => Family::Ubsan,
            "Lockdep" => Family::Lockdep,
            "RcuStall" => Family::RcuStall,
            "SoftLockup" => Family::SoftLockup,
            "HardLockup" => Family::HardLockup,
            "HungTask" => Family::HungTask,
            "GeneralProtection" => Family::GeneralProtection,
            "Panic" => Family::Panic,
            _ => Family::Other,
        };
        let (details, record) = read(body, family_of(name));
        out.push_str(&format!("### {family}\n"));
        for section in details.sections() {
            show(&section, &record, 0, &mut out);
        }
    }
    out
}

#[test]
fn sanitizers() {
    insta::assert_snapshot!(shown(include_str!("../../tests/shapes/details/sanitizers.txt")));
}

#[test]
fn heap() {
    insta::assert_snapshot!(shown(include_str!("../../tests/shapes/details/heap.txt")));
}

#[test]
fn locks() {
    insta::assert_snapshot!(shown(include_str!("../../tests/shapes/details/locks.txt")));
}

#[test]
fn stalls() {
    insta::assert_snapshot!(shown(include_str!("../../tests/shapes/details/stalls.txt")));
}

#[test]
fn contexts_memory_and_hardware() {
    insta::assert_snapshot!(shown(include_str!("../../tests/shapes/details/other.txt")));
}

#[test]
fn an_ordinary_oops_has_none() {
    let text = "BUG: unable to handle page fault for address: 0\nCall Trace:\n f+0x1/0x2\n";
    let (details, _) = read(text, Family::PageFault);
    assert!(details.sections().is_empty());
    assert_eq!(format!("{details:?}"), "[]");
}
