//! Reports of every CPU, most of them printed by real kernels (see `cpus/README.md`).
//!
//! Whole records are compared, in a short form that still has every field of the CPU: a change here
//! is a change of what people see.

use std::fmt::Write;
use std::path::Path;

use kwhy_base::{Arch, RegValue};
use kwhy_oops::{CodeRef, CrashRecord};

fn place(at: &CodeRef) -> String {
    let mut text = at.symbol.clone().unwrap_or_default();
    if let Some(offset) = at.offset {
        let _ = write!(text, "+{offset:#x}");
    }
    if let Some(size) = at.size {
        let _ = write!(text, "/{size:#x}");
    }
    if let Some(module) = &at.module {
        let _ = write!(text, " [{module}]");
    }
    if let Some(address) = at.address {
        let _ = write!(text, " @{address:#x}");
    }
    if at.unreadable {
        text.push_str(" unreadable");
    }
    text
}

/// Everything of the record but its frames' lines, one field a line.
fn show(crash: &CrashRecord) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<10} {value}");
    };
    let arch = crash.arch;
    line("title", crash.title.clone());
    line("kind", format!("{} {:?} corrupted={}", crash.kind, crash.family, crash.corrupted));
    line("alt", crash.alt_titles.join(" | "));
    line("lines", format!("{}-{}", crash.first_line, crash.last_line));
    line("arch", arch.map_or("?", Arch::name).to_owned());
    line("header", crash.header.clone());
    let release = crash.release.as_ref().map(|r| r.value.as_str());
    line(
        "task",
        format!("cpu {:?} pid {:?} comm {:?} release {release:?}", crash.cpu, crash.pid, crash.comm),
    );
    line("hardware", format!("{:?}", crash.hardware.as_ref().map(|h| &h.value)));
    line("oops", format!("{:?} #{:?} {:?}", crash.oops_text, crash.oops_count, crash.oops_flags));
    let digits = |value: &Option<kwhy_oops::Located<kwhy_oops::PrintedHex>>| {
        value.as_ref().map_or("-".to_owned(), |v| format!("{} (line {})", v.value.digits, v.line))
    };
    line("code", digits(&crash.oops_code));
    line("address", digits(&crash.fault_address));
    if let Some((value, words)) = &crash.flags {
        line("flags", format!("{} [{words}]", value.value.digits));
    }
    line("pc", crash.pc.as_ref().map_or("-".to_owned(), |pc| place(&pc.value)));
    line("lr", crash.lr.as_ref().map_or("-".to_owned(), |lr| place(&lr.value)));
    let cpu = arch.and_then(kwhy_arch::cpu);
    let registers = crash.registers.0.iter().map(|(reg, value)| {
        let name = cpu.and_then(|cpu| cpu.name(*reg)).unwrap_or("?");
        match value {
            RegValue::Known { value, .. } => format!("{name}={value:x}"),
            RegValue::Damaged { printed, .. } => format!("{name}=DAMAGED {printed}"),
        }
    });
    line("registers", registers.collect::<Vec<_>>().join(" "));
    let controls = crash.control_registers.iter().map(|(name, v)| format!("{name}={}", v.value.digits));
    line("controls", controls.collect::<Vec<_>>().join(" "));
    if let Some(code) = &crash.code {
        let bytes = code.bytes.iter().enumerate().map(|(at, byte)| {
            let mark = if code.fault_index == Some(at) { "<" } else { "" };
            mark.to_owned() + &byte.map_or("??".to_owned(), |byte| format!("{byte:02x}"))
        });
        line("bytes", bytes.collect::<Vec<_>>().join(" "));
    }
    if let Some(note) = &crash.code_note {
        line("no bytes", note.value.clone());
    }
    let words = crash.stack_words.iter().take(3).map(|w| format!("{w:x}")).collect::<Vec<_>>().join(" ");
    line("stack", format!("{} words: {words}", crash.stack_words.len()));
    for frame in &crash.frames {
        line("frame", format!("{}{}", if frame.reliable { "" } else { "? " }, place(&frame.at)));
    }
    for (opener, frames) in &crash.other_stacks {
        line("stack of", opener.value.clone());
        for frame in frames {
            line("  frame", place(&frame.at));
        }
    }
    let modules = crash.modules.iter().map(|m| format!("{}({}{:?})", m.name, m.taints, m.state));
    line("modules", modules.collect::<Vec<_>>().join(" "));
    for remark in &crash.remarks {
        line("remark", remark.value.clone());
    }
    for damage in &crash.damage {
        line("DAMAGE", format!("{} {:?} {:?}", damage.field, damage.printed, damage.likely));
    }
    text
}

#[test]
fn every_log_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cpus");
    let mut logs = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "log"))
        .collect::<Vec<_>>();
    logs.sort();
    assert!(logs.len() > 40, "{}", logs.len());
    let mut archs = std::collections::BTreeMap::new();
    for path in logs {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let log = kwhy_oops::parse(&std::fs::read(&path).unwrap());
        assert!(!log.crashes.is_empty(), "{name}");
        let cpu = name.split('-').next().unwrap().to_owned();
        archs.entry(cpu).or_insert_with(Vec::new).extend(log.crashes.iter().map(|crash| crash.arch));
        // What the kernel itself printed is whole.
        let damage = log.crashes.iter().flat_map(|crash| &crash.damage).collect::<Vec<_>>();
        assert!(damage.is_empty(), "{name}: {damage:#?}");
        let text = log.crashes.iter().map(show).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(name, text);
    }
    for (cpu, found) in archs {
        let expected = match cpu.as_str() {
            "ppc64le" | "ppc64" => Arch::Ppc64,
            "mips32" | "mips64" => Arch::Mips,
            name => Arch::from_name(name).unwrap(),
        };
        assert!(found.iter().all(|arch| *arch == Some(expected)), "{cpu}: {found:?}");
    }
}
