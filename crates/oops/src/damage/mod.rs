//! Where a log contradicts itself, or cannot be what the kernel printed.
//!
//! One detector a file; each sees the whole record and the report's lines and knows nothing of
//! the others. A detector must stay silent on every log that the kernel itself printed: what
//! only looks odd is no damage. Contradictions that only the machine code can show (the fault
//! address against base register and displacement) are found elsewhere, with [`crate::slip`].

mod code;
mod digits;
mod list;
mod missing;
mod stack;
mod syndrome;
mod time;
mod who;

use kwhy_base::Prose;

use crate::record::{CrashRecord, Damage, Grade};
use crate::text::Line;

type Detector = fn(&CrashRecord, &[&Line<'_>]) -> Vec<Damage>;

/// Every detector.
const DETECTORS: &[Detector] = &[
    syndrome::esr,
    syndrome::page_fault,
    digits::registers,
    digits::addresses,
    time::backwards,
    code::places,
    code::trace_top,
    stack::pointer,
    missing::registers,
    missing::code,
    list::modules,
    who::cpu_and_pid,
];

/// No report, however broken, needs more lines than this said about it.
pub(crate) const MOST: usize = 256;

/// All damage of `record`, by line.
pub(crate) fn find(record: &CrashRecord, lines: &[&Line<'_>]) -> Vec<Damage> {
    let mut all = DETECTORS.iter().flat_map(|detector| detector(record, lines)).collect::<Vec<_>>();
    all.sort_by(|a, b| (a.line, &a.field).cmp(&(b.line, &b.field)));
    all.truncate(MOST);
    all
}

fn damage(
    line: u32,
    field: &str,
    printed: &str,
    likely: Option<String>,
    grade: Grade,
    reason: Prose,
) -> Damage {
    Damage { line, field: field.to_owned(), printed: printed.to_owned(), likely, grade, reason }
}

#[cfg(test)]
pub(crate) mod tests {
    use crate::record::{CrashRecord, Damage};

    /// A whole ARM64 report as the kernel prints it, to be damaged by each test.
    pub(crate) const ARM64: &str = "\
[   10.000001] Unable to handle kernel paging request at virtual address 000aaabbbbccccdd
[   10.000002] Mem abort info:
[   10.000003]   ESR = 0x0000000096000004
[   10.000004]   EC = 0x25: DABT (current EL), IL = 32 bits
[   10.000005]   SET = 0, FnV = 0
[   10.000006]   EA = 0, S1PTW = 0
[   10.000007]   FSC = 0x04: level 0 translation fault
[   10.000008] Data abort info:
[   10.000009]   ISV = 0, ISS = 0x00000004
[   10.000010]   CM = 0, WnR = 0
[   10.000011] [000aaabbbbccccdd] address between user and kernel address ranges
[   10.000012] Internal error: Oops: 0000000096000004 [#1] SMP
[   10.000013] Modules linked in: driver(OE) virtio_net
[   10.000014] CPU: 0 PID: 92 Comm: insmod Tainted: G           OE      6.1.0 #1 Example
[   10.000015] Hardware name: linux,dummy-virt (DT)
[   10.000016] pstate: 20400005 (nzCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
[   10.000017] pc : driver_start+0x3c/0x7c [driver]
[   10.000018] lr : driver_start+0x28/0x7c [driver]
[   10.000019] sp : ffff80000859b960
[   10.000020] x29: ffff80000859b960 x28: ffff80000859baa0 x27: ffffa051f9cbc5f0
[   10.000021] x26: ffffa051c2a92058 x25: ffff80000859bb50 x24: ffffa051c2a92370
[   10.000022] x23: ffffa051c2a92090 x22: 0000000000000000 x21: ffff000008004580
[   10.000023] x20: 0000000000000000 x19: ffffa051c2a92040 x18: 0000000000000000
[   10.000024] x17: 34366d72612d6475 x16: ffffa051f8f72c30 x15: 0000000000000000
[   10.000025] x14: ffffffffffffffff x13: 0000000000000006 x12: ffff00001feed380
[   10.000026] x11: ffffa051f98e1260 x10: 0000000000000000 x9 : ffffa051f8fb5d58
[   10.000027] x8 : 0101010101010101 x7 : 7f7f7f7f7f7f7f7f x6 : 736877645e727872
[   10.000028] x5 : 0000000000000000 x4 : ffff000008027680 x3 : 0000000000000000
[   10.000029] x2 : ffffa051c2a92058 x1 : ffffa051c2a92090 x0 : 5a0aaabbbbccccdd
[   10.000030] Call trace:
[   10.000031]  driver_start+0x3c/0x7c [driver]
[   10.000032]  do_one_initcall+0x4c/0x210
[   10.000033]  el0t_64_sync+0x18c/0x190
[   10.000034] Code: 540005e0 f94016a0 aa1a03e2 aa1703e1 (f9406400)
[   10.000035] ---[ end trace 0000000000000000 ]---
";

    /// A whole x86-64 report.
    pub(crate) const X86: &str = "\
[   20.000001] BUG: unable to handle page fault for address: ffffffffc02021e4
[   20.000002] #PF: supervisor write access in kernel mode
[   20.000003] #PF: error_code(0x0003) - permissions violation
[   20.000004] PGD 2a15067 P4D 2a15067 PUD 2a17067 PMD 55c0067 PTE 80000000055bd161
[   20.000005] Oops: 0003 [#1] PREEMPT SMP NOPTI
[   20.000006] CPU: 1 PID: 88 Comm: sh Tainted: G           OE      6.1.0 #1 Example
[   20.000007] RIP: 0010:tune_set+0xc/0x20 [tune]
[   20.000008] Code: 0f 1f 44 00 00 <89> 07 c3
[   20.000009] RSP: 0018:ffffc900005b3d98 EFLAGS: 00000202
[   20.000010] RAX: ffffffffc02021d8 RBX: 0000000000000005 RCX: 0000000000000000
[   20.000011] RDX: 0000000000000000 RSI: 0000000000000514 RDI: ffff888005570260
[   20.000012] RBP: ffff888005213700 R08: 0000000000000004 R09: 000000000000000a
[   20.000013] R10: 000000000000000a R11: 0fffffffffffffff R12: 000000000c3fe980
[   20.000014] R13: ffff888004ca5780 R14: 0000000000000005 R15: ffffc900005b3e90
[   20.000015] FS:  000000000c3fc3c0(0000) GS:ffff88801f400000(0000) knlGS:0000000000000000
[   20.000016] CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033
[   20.000017] CR2: ffffffffc0200fe2 CR3: 0000000005544000 CR4: 0000000000750eb0
[   20.000018] Call Trace:
[   20.000019]  <TASK>
[   20.000020]  tune_write+0x67/0x71 [tune]
[   20.000021]  ? vfs_write+0xc7/0x3f0
[   20.000022]  do_syscall_64+0x5d/0x90
[   20.000023]  </TASK>
[   20.000024] Modules linked in: tune(OE)
[   20.000025] CR2: ffffffffc02021e4
[   20.000026] ---[ end trace 0000000000000000 ]---
";

    pub(crate) fn record(text: &str) -> CrashRecord {
        let log = crate::parse(text.as_bytes());
        assert_eq!(log.crashes.len(), 1, "{text}");
        log.crashes.into_iter().next().unwrap()
    }

    /// The damage of `log` once its `from` is written `to`; `from` must occur.
    #[track_caller]
    pub(crate) fn after(log: &str, from: &str, to: &str) -> Vec<Damage> {
        assert!(log.contains(from), "{from}");
        record(&log.replacen(from, to, 1)).damage
    }

    #[track_caller]
    pub(crate) fn one(log: &str, from: &str, to: &str) -> Damage {
        let mut all = after(log, from, to);
        assert_eq!(all.len(), 1, "{all:#?}");
        all.remove(0)
    }

    #[test]
    fn what_the_kernel_printed_is_whole() {
        for log in [ARM64, X86] {
            assert_eq!(record(log).damage, []);
        }
    }
}
