//! Causes, exception tables and trails of a module without any debug information.

#![allow(missing_docs, clippy::unwrap_used)] // A test may fail as it likes.

use kwhy_diagnose::{ImageInput, Inputs, analyze};
use serde_json::Value;

const X86: &[u8] = include_bytes!("bare/bare-x86_64.o");
const ARM64: &[u8] = include_bytes!("bare/bare-arm64.o");

/// A fault on x86-64, with more lines of the trace.
fn x86(place: &str, address: u64, registers: &[(&str, u64)], frames: &[&str]) -> Value {
    let mut lines = vec![
        format!("BUG: unable to handle page fault for address: {address:016x}"),
        "#PF: supervisor read access in kernel mode".to_owned(),
        "#PF: error_code(0x0000) - not-present page".to_owned(),
        "Oops: 0000 [#1] PREEMPT SMP NOPTI".to_owned(),
        "CPU: 0 PID: 61 Comm: cat Tainted: G           OE      6.1.0-20-amd64 #1".to_owned(),
        format!("RIP: 0010:{place} [bare]"),
        "RSP: 0018:ffffb1c04059bac0 EFLAGS: 00010202".to_owned(),
    ];
    lines.extend(registers.iter().map(|(name, value)| format!("{name}: {value:016x}")));
    lines.push(format!("CR2: {address:016x} CR3: 00000000027d6000 CR4: 0000000000750eb0"));
    lines.extend(["Call Trace:".to_owned(), " <TASK>".to_owned()]);
    lines.extend(frames.iter().map(|frame| format!(" {frame} [bare]")));
    lines.extend([" </TASK>".to_owned(), "Modules linked in: bare(OE)".to_owned()]);
    told(&lines, X86)
}

/// A fault on arm64.
fn arm64(place: &str, address: u64, registers: &[(&str, u64)]) -> Value {
    let mut lines = vec![
        format!("Unable to handle kernel paging request at virtual address {address:016x}"),
        "Mem abort info:".to_owned(),
        "  ESR = 0x0000000096000004".to_owned(),
        "swapper pgtable: 4k pages, 48-bit VAs, pgdp=0000000041d4b000".to_owned(),
        "Internal error: Oops: 0000000096000004 [#1] SMP".to_owned(),
        "CPU: 0 PID: 61 Comm: cat Tainted: G           OE      6.1.0-20-arm64 #1".to_owned(),
        format!("pc : {place} [bare]"),
        "sp : ffff80000800bb90".to_owned(),
    ];
    lines.extend(registers.iter().map(|(name, value)| format!("{name} : {value:016x}")));
    lines.extend(["Call trace:".to_owned(), format!(" {place} [bare]")]);
    told(&lines, ARM64)
}

fn told(lines: &[String], image: &[u8]) -> Value {
    let log: String = lines.iter().map(|line| format!("[    1.000000] {line}\n")).collect();
    let images = vec![ImageInput { name: "bare.ko".to_owned(), data: image }];
    let report = analyze(&Inputs { log: log.as_bytes(), images, sources: None });
    serde_json::to_value(&report).unwrap()["crashes"][0].clone()
}

fn best(crash: &Value) -> (&str, &str) {
    let best = &crash["hypotheses"][0];
    (best["cause"].as_str().unwrap_or_default(), best["grade"].as_str().unwrap_or_default())
}

#[test]
fn an_index_that_leads_out_of_a_variable() {
    // modes+0x4 at an index of 0x1800000, eight bytes each.
    let crash = x86("mode_clock+0x0/0x8", 0xffff_ffff_cc29_e204, &[("RDI", 0x180_0000), ("RAX", 0x17)], &[]);
    assert_eq!(best(&crash), ("out-of-bounds", "likely"), "{:#}", crash["hypotheses"]);
    let said = crash["hypotheses"][0]["for"].to_string();
    assert!(said.contains("`modes` has 0x20 bytes"), "{said}");
    // The index itself is gone; the variable's address in a register tells what it was.
    let crash = arm64(
        "mode_clock+0xc/0x14",
        0xffff_c339_1d64_803c,
        &[("x1", 0xffff_c339_1164_8018), ("x0", 0xffff_c339_1d64_8038)],
    );
    assert_eq!(best(&crash), ("out-of-bounds", "likely"), "{:#}", crash["hypotheses"]);
    // An element that there is: the variable is not what is wrong.
    let crash = x86("mode_clock+0x0/0x8", 0xffff_ffff_cc29_e214, &[("RDI", 2)], &[]);
    assert_ne!(best(&crash).0, "out-of-bounds");
}

#[test]
fn a_far_index_whose_pointer_is_gone() {
    let crash = arm64(
        "histo_at+0x4/0xc",
        0xffff_5e6d_480e_ee0c,
        &[("x0", 0xffff_0001_480e_ee00), ("x1", 0xffff_5e6d_480e_ee00)],
    );
    assert_eq!(best(&crash), ("out-of-bounds", "possible"), "{:#}", crash["hypotheses"]);
}

#[test]
fn an_index_that_walks_off_the_end_of_a_vmalloc_area() {
    let at = |address, index| {
        arm64("frame_fill+0x18/0x28", address, &[("x4", index), ("x5", 0xffff_8000_081d_a000)])
    };
    let crash = at(0xffff_8000_081d_e000, 0x1000);
    assert_eq!(best(&crash), ("out-of-bounds", "likely"), "{:#}", crash["hypotheses"]);
    // In the midst of a page nothing ends: the pointer itself may be stale.
    assert_ne!(best(&at(0xffff_8000_081d_e040, 0x1010)).0, "out-of-bounds");
}

#[test]
fn a_value_is_followed_to_the_caller_by_registers() {
    let crash = x86("port_drops+0x0/0x5", 8, &[("RDI", 0)], &["port_show+0x10/0x20"]);
    assert_eq!(best(&crash).0, "null-pointer");
    let functions: Vec<&str> =
        crash["trail"].as_array().unwrap().iter().filter_map(|step| step["function"].as_str()).collect();
    assert_eq!(functions.first(), Some(&"port_drops"), "{:#}", crash["trail"]);
    assert_eq!(functions.last(), Some(&"port_show"), "{:#}", crash["trail"]);
    assert_eq!(crash["blame"]["function"], "port_show", "{:#}", crash["blame"]);
}

#[test]
fn the_exception_table_speaks_of_user_addresses() {
    let user = 0x0000_7f12_3456_7000;
    let crash = x86("user_word+0x0/0x4", user, &[("RDI", user)], &[]);
    assert_eq!(crash["fixup"]["covered"], true, "{:#}", crash["fixup"]);
    assert_eq!(crash["fixup"]["kind"], "EX_TYPE_UACCESS");
    // CR4 has SMAP, EFLAGS has no AC.
    assert!(crash["fixup"]["reasons"].to_string().contains("EFLAGS.AC"), "{:#}", crash["fixup"]);
    let crash = x86("port_drops+0x0/0x5", user + 8, &[("RDI", user)], &[]);
    assert_eq!(crash["fixup"]["covered"], false, "{:#}", crash["fixup"]);
    assert_eq!(best(&crash).0, "user-access");
    let crash = x86("port_drops+0x0/0x5", 8, &[("RDI", 0)], &[]);
    assert!(crash["fixup"].is_null(), "nothing to say of a kernel's pointer");
}
