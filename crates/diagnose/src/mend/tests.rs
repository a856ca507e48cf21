//! A small log against the object that flow's tests are made with, taken for a module.

use super::mend;
use crate::{ImageInput, Inputs, analyze, images};
use kwhy_base::Reg;
use kwhy_oops::{CrashRecord, Damage, Grade};

const MODULE: &[u8] = include_bytes!("../../../flow/tests/data/accesses-x86_64.o");

/// `chain()` reads `0x48(%rax)`; the rest of the trace are calls of the object's functions.
const LOG: &str = "\
[   20.000001] BUG: unable to handle page fault for address: 0000000000008048
[   20.000002] #PF: supervisor read access in kernel mode
[   20.000003] #PF: error_code(0x0000) - not-present page
[   20.000004] PGD 0 P4D 0 
[   20.000005] Oops: 0000 [#1] PREEMPT SMP NOPTI
[   20.000006] CPU: 1 PID: 88 Comm: sh Tainted: G           OE      6.1.0 #1 Example
[   20.000007] RIP: 0010:chain+0x4/0x10 [accesses]
[   20.000008] Code: 66 66 2e 0f 1f 84 00 00 00 00 00 48 8b 47 48 <48> 8b 40 48 48 8b 00 c3 0f 1f 40 00 53 48 89 fb 48 89 f7
[   20.000009] RSP: 0018:ffffc900005b3d98 EFLAGS: 00000202
[   20.000010] RAX: 0000000000008000 RBX: 0000000000000005 RCX: 0000000000000000
[   20.000011] RDX: 0000000000000000 RSI: 0000000000000514 RDI: ffff888005570260
[   20.000012] RBP: ffff888005213700 R08: 0000000000000004 R09: 000000000000000a
[   20.000013] R10: 000000000000000a R11: 0fffffffffffffff R12: 000000000c3fe980
[   20.000014] R13: ffff888004ca5780 R14: 0000000000000005 R15: ffffc900005b3e90
[   20.000015] FS:  000000000c3fc3c0(0000) GS:ffff88801f400000(0000) knlGS:0000000000000000
[   20.000016] CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033
[   20.000017] CR2: 0000000000008048 CR3: 0000000005544000 CR4: 0000000000750eb0
[   20.000018] Call Trace:
[   20.000019]  <TASK>
[   20.000020]  use+0x5/0x10
[   20.000021]  rounds+0x20/0x40 [accesses]
[   20.000022]  other+0x5/0x10
[   20.000023]  hidden+0x1d/0x30 [accesses]
[   20.000024]  ? kept+0xc/0x20 [accesses]
[   20.000025]  </TASK>
[   20.000026] Modules linked in: accesses(OE)
[   20.000027] ---[ end trace 0000000000000000 ]---
";

fn inputs() -> Vec<ImageInput<'static>> {
    vec![ImageInput { name: "accesses.ko".to_owned(), data: MODULE }]
}

fn after(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(LOG.to_owned(), |log, (from, to)| {
        assert!(log.contains(from), "{from}");
        log.replacen(from, to, 1)
    })
}

fn mended(changes: &[(&str, &str)]) -> Option<CrashRecord> {
    let log = kwhy_oops::parse(after(changes).as_bytes());
    assert_eq!(log.crashes.len(), 1);
    let inputs = inputs();
    mend(&log.crashes[0], &images::open(&inputs))
}

/// What is told of one field.
#[track_caller]
fn told(record: &CrashRecord, field: &str) -> Damage {
    let mut all = record.damage.iter().filter(|d| d.field == field);
    let one = all.next().unwrap_or_else(|| panic!("{field}: {:#?}", record.damage)).clone();
    assert_eq!(all.next(), None);
    one
}

#[test]
fn a_clean_log_is_left_alone() {
    assert_eq!(mended(&[]), None);
}

#[test]
fn an_offset_by_the_call_before_it() {
    for printed in ["rounds+0x28/0x40", "rounds+0x2/0x40"] {
        let record = mended(&[("rounds+0x20/0x40", printed)]).unwrap();
        let at = &record.frames[1].at;
        assert_eq!((at.offset, at.unreadable), (Some(0x20), false), "{printed}");
        let told = told(&record, "frame");
        assert_eq!(told.printed, format!("{printed} [accesses]"));
        assert_eq!(told.likely.as_deref(), Some("rounds+0x20/0x40 [accesses]"));
        assert_eq!(told.grade, Grade::Proved);
    }
}

#[test]
fn a_name_by_the_symbol_table() {
    let record = mended(&[("rounds+0x20/0x40", "r0unds+0x20/0x40")]).unwrap();
    assert_eq!(record.frames[1].at.symbol.as_deref(), Some("rounds"));
    // Nothing of the object is called like it.
    assert_eq!(mended(&[("rounds+0x20/0x40", "bounce+0x20/0x40")]), None);
}

#[test]
fn a_size_is_the_symbols() {
    let record = mended(&[("hidden+0x1d/0x30", "hidden+0x1d/0x38")]).unwrap();
    assert_eq!(record.frames[3].at.size, Some(0x30));
    // Another build's function has another size: that is no slip.
    assert_eq!(mended(&[("hidden+0x1d/0x30", "hidden+0x1d/0x74")]), None);
}

#[test]
fn a_module_by_the_image() {
    let record = mended(&[("rounds+0x20/0x40 [accesses]", "rounds+0x20/0x40 [acccsses]")]).unwrap();
    assert_eq!(record.frames[1].at.module.as_deref(), Some("accesses"));
}

#[test]
fn the_pc_by_the_bytes_of_its_code() {
    for printed in ["chain+0x8/0x10", "cha1n+0x4/0x10", "chain+0x4/0x18", "chaim+0xA/0x10"] {
        let record = mended(&[("chain+0x4/0x10", printed)]).unwrap();
        let pc = &record.pc.as_ref().unwrap().value;
        assert_eq!((pc.symbol.as_deref(), pc.offset, pc.size), (Some("chain"), Some(4), Some(0x10)));
        assert_eq!(told(&record, "pc").likely.as_deref(), Some("chain+0x4/0x10 [accesses]"));
    }
}

#[test]
fn code_bytes_by_the_image() {
    let mut log = kwhy_oops::parse(LOG.as_bytes());
    let unread = log.crashes[0].code.as_mut().unwrap();
    let at = unread.fault_index.unwrap() + 2;
    unread.bytes[at] = None;
    let inputs = inputs();
    let record = mend(&log.crashes[0], &images::open(&inputs)).unwrap();
    let code = record.code.as_ref().unwrap();
    assert_eq!(code.bytes[code.fault_index.unwrap() + 2], Some(0x40));
    assert_eq!(told(&record, "Code").likely.as_deref(), Some("40"));
    // More than a bit, and alike.
    let record = mended(&[("<48> 8b 40 48", "<48> 3b 40 48")]).unwrap();
    assert_eq!(told(&record, "Code").grade, Grade::Likely);
    // One bit may have flipped in memory, in a log that is well otherwise or where no look-alike explains it.
    assert_eq!(mended(&[("<48> 8b 40 48", "<48> 8b 48 48")]), None);
    let record = mended(&[("<48> 8b 40 48", "<48> 8b 42 48"), ("rounds+0x20", "rounds+0x28")]).unwrap();
    assert_eq!(record.damage.iter().filter(|d| d.field == "Code").count(), 0);
}

#[test]
fn a_register_by_the_fault_address() {
    let changes = [("RAX: 0000000000008000", "RAX: 0000000000003000"), ("0x1d/0x30", "0x1d/0x3O")];
    let record = mended(&changes).unwrap();
    assert_eq!(record.registers.known(Reg(0)), Some(0x8000));
    assert_eq!(told(&record, "rax").grade, Grade::Likely);
    // A register that the address contradicts is evidence in a log that is not damaged.
    assert_eq!(mended(&changes[..1]), None);
}

#[test]
fn nothing_is_surer_than_what_it_rests_on() {
    let grades = |log: &str| {
        let report = analyze(&Inputs { log: log.as_bytes(), images: inputs(), sources: None });
        let crash = report.crashes.into_iter().next().unwrap();
        let expression = crash.expression.unwrap();
        (expression.text, expression.grade, crash.registers.into_iter().next().unwrap())
    };
    use kwhy_report::model::Grade;
    let (text, grade, _) = grades(LOG);
    assert_eq!(grade, Grade::Proved);
    let damaged = after(&[("RAX: 0000000000008000", "RAX: 0000000000003000"), ("0x1d/0x30", "0x1d/0x3O")]);
    let (same, grade, rax) = grades(&damaged);
    assert_eq!((same, grade), (text, Grade::Likely));
    assert_eq!((rax.printed.as_deref(), rax.value.map(|v| v.0)), (Some("0000000000003000"), Some(0x8000)));
}
