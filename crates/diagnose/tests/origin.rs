//! Where a bad value came from, on a small module that was compiled for the purpose.

#![allow(missing_docs, clippy::unwrap_used)] // A test may fail as it likes.

use kwhy_diagnose::{ImageInput, Inputs, analyze};
use serde_json::Value;

const POOL: &[u8] = include_bytes!("origin/pool-x86_64.o");

/// The log of a read fault of the module.
fn log(place: &str, address: u64, register: &str, value: u64) -> String {
    let register = format!("{register}: {value:016x}");
    [
        &format!("BUG: unable to handle page fault for address: {address:016x}"),
        "#PF: supervisor read access in kernel mode",
        "#PF: error_code(0x0000) - not-present page",
        "Oops: 0000 [#1] PREEMPT SMP NOPTI",
        "CPU: 0 PID: 61 Comm: cat Tainted: G           OE      6.1.0-20-amd64 #1",
        &format!("RIP: 0010:{place} [pool]"),
        "RSP: 0018:ffffb1c04059bac0 EFLAGS: 00010202",
        &register,
        &format!("CR2: {address:016x} CR3: 00000000027d6000 CR4: 0000000000750eb0"),
        "Call Trace:",
        " <TASK>",
        " </TASK>",
        "Modules linked in: pool(OE)",
    ]
    .map(|line| format!("[    1.000000] {line}\n"))
    .concat()
}

/// (what, function, line) of every producer named, best first.
fn origins(log: &str) -> Vec<(String, String, u64)> {
    let images = vec![ImageInput { name: "pool.ko".to_owned(), data: POOL }];
    let report = analyze(&Inputs { log: log.as_bytes(), images, sources: None });
    let report = serde_json::to_value(&report).unwrap();
    let said = report["crashes"][0]["origin"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    said.iter()
        .map(|origin| (text(&origin["what"]), text(&origin["function"]), origin["line"].as_u64().unwrap()))
        .collect()
}

fn expected(rows: &[(&str, &str, u64)]) -> Vec<(String, String, u64)> {
    rows.iter().map(|(what, function, line)| ((*what).to_owned(), (*function).to_owned(), *line)).collect()
}

#[test]
fn a_variable_that_a_condition_leaves_as_it_started() {
    let found = origins(&log("pool_size+0x7/0xc", 8, "RAX", 0));
    let rows = [
        ("global", "pool_init", 25),
        // The condition, not the definition, says why it is so.
        ("missing-store", "pool_init", 24),
        ("global", "pool_size", 31),
    ];
    assert_eq!(found, expected(&rows));
}

#[test]
fn a_value_from_outside_is_the_function_s_that_was_handed_it() {
    let found = origins(&log("item_show+0x0/0x9", 0x7f12_1000_0008, "RDI", 0x7f12_1000_0000));
    assert_eq!(found, expected(&[("parameter", "item_show", 41)]));
}
