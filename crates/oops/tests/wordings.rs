//! The same facts in the words of different kernels and through different transports.

use kwhy_base::{Arch, Reg};
use kwhy_oops::{CrashRecord, Family};

#[track_caller]
fn first(text: &str) -> CrashRecord {
    kwhy_oops::parse(text.as_bytes()).crashes.into_iter().next().unwrap_or_default()
}

fn place(at: &kwhy_oops::CodeRef) -> (Option<&str>, Option<u64>, Option<&str>) {
    (at.symbol.as_deref(), at.offset, at.module.as_deref())
}

#[test]
fn arm64_before_4_13() {
    let crash = first(
        "\
Unable to handle kernel NULL pointer dereference at virtual address 00000018
pgd = ffffffc0f1b1d000
[00000018] *pgd=0000000000000000
Internal error: Oops: 96000005 [#1] PREEMPT SMP
Modules linked in: drv(O)
CPU: 2 PID: 1234 Comm: app Tainted: G        W  O    4.4.38 #1
Hardware name: Example
task: ffffffc0f1a1d000 ti: ffffffc0f1b88000 task.ti: ffffffc0f1b88000
PC is at drv_read+0x24/0x80 [drv]
LR is at vfs_read+0x98/0x12c
pc : [<ffffffbffc0a1024>] lr : [<ffffffc0001d2f8c>] pstate: 60000145
sp : ffffffc0f1b8be20
x29: ffffffc0f1b8be20 x28: ffffffc0f1b88000
x1 : 0000000000000000 x0 : 0000000000000018
Process app (pid: 1234, stack limit = 0xffffffc0f1b88020)
Call trace:
[<ffffffbffc0a1024>] drv_read+0x24/0x80 [drv]
[<ffffffc0001d2f8c>] vfs_read+0x98/0x12c
Code: 910003fd f9000bf3 aa0003f3 (f9400c00)
",
    );
    assert_eq!(crash.arch, Some(Arch::Arm64));
    assert_eq!(crash.title, "BUG: unable to handle kernel NULL pointer dereference in drv_read");
    let pc = crash.pc.unwrap().value;
    assert_eq!(place(&pc), (Some("drv_read"), Some(0x24), Some("drv")));
    assert_eq!(pc.address, Some(0xffff_ffbf_fc0a_1024));
    assert_eq!(crash.lr.unwrap().value.address, Some(0xffff_ffc0_001d_2f8c));
    assert_eq!(crash.flags.unwrap().0.value.value, Some(0x6000_0145));
    assert_eq!(crash.registers.known(Reg(0)), Some(0x18));
    assert_eq!(crash.registers.known(Reg(31)), Some(0xffff_ffc0_f1b8_be20));
    assert_eq!(crash.fault_address.unwrap().value.value, Some(0x18));
    assert_eq!(crash.fault_address_note.unwrap().0.value.digits, "00000018");
    assert_eq!(crash.oops_code.unwrap().value.value, Some(0x9600_0005));
    assert_eq!(crash.tainted.unwrap().value, "GWO");
    assert_eq!(crash.release.unwrap().value, "4.4.38");
    assert_eq!(crash.frames.len(), 2);
    assert_eq!(crash.code.unwrap().fault_index, Some(12));
    assert_eq!(crash.damage, []);
}

#[test]
fn arm64_internal_errors() {
    for (header, text, code, family) in [
        (
            "Internal error: Oops - BTI: 0000000034000002 [#1] SMP",
            "Oops - BTI",
            0x3400_0002,
            Family::OtherException,
        ),
        (
            "Internal error: Oops - FPAC: 0000000072000000 [#1] SMP",
            "Oops - FPAC",
            0x7200_0000,
            Family::OtherException,
        ),
        (
            "Internal error: Oops - Undefined instruction: 0000000002000000 [#1] SMP",
            "Oops - Undefined instruction",
            0x200_0000,
            Family::InvalidOpcode,
        ),
        (
            "Internal error: synchronous external abort: 0000000096000210 [#1] SMP",
            "synchronous external abort",
            0x9600_0210,
            Family::Hardware,
        ),
    ] {
        let crash = first(&format!(
            "{header}\nCPU: 0 PID: 1 Comm: x Not tainted 6.1.0 #1\npc : drv_go+0x10/0x20 [drv]\nCall trace:\n drv_go+0x10/0x20 [drv]\n"
        ));
        assert_eq!(crash.family, Some(family), "{header}");
        assert_eq!(crash.oops_text.as_deref(), Some(text));
        assert_eq!(crash.oops_code.unwrap().value.value, Some(code));
        assert_eq!((crash.title.as_str(), crash.kind.as_str()), ("Internal error in drv_go", "arm-fault"));
    }
}

#[test]
fn serror() {
    let log = "\
SError Interrupt on CPU0, code 0x00000000bf000002 -- SError
CPU: 0 PID: 5 Comm: kworker/0:0 Not tainted 6.1.0 #1
pstate: 20400005 (nzCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
pc : readl_dev+0x10/0x20 [drv]
Kernel panic - not syncing: Asynchronous SError Interrupt
CPU: 0 PID: 5 Comm: kworker/0:0 Not tainted 6.1.0 #1
Call trace:
 dump_backtrace+0x0/0x20
 panic+0x10/0x20
 readl_dev+0x10/0x20 [drv]
 drv_probe+0x4/0x8 [drv]
";
    let all = kwhy_oops::parse(log.as_bytes()).crashes;
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].family, all[0].comm.as_deref()), (Some(Family::Hardware), Some("kworker/0:0")));
}

#[test]
fn x86_jump_to_nowhere() {
    for (rip, code) in
        [("0x0", "Bad RIP value."), ("0xdead4ead", "Unable to access opcode bytes at RIP 0xdead4e83.")]
    {
        let crash = first(&format!(
            "BUG: kernel NULL pointer dereference, address: 0000000000000000\n#PF: supervisor instruction fetch in kernel mode\n\
             #PF: error_code(0x0010) - not-present page\nOops: 0010 [#1] SMP\nRIP: 0010:{rip}\nCode: {code}\n\
             RSP: 0018:ffffc900005aba48 EFLAGS: 00000246\nRAX: 0000000000000000 RBX: ffff8880055750c0 RCX: ffffc900005abb08\n\
             Call Trace:\n go+0x1f/0x40 [drv]\nRIP: 0033:0x47b7a0\nCode: 40 00 <48> 90\nRAX: ffffffffffffffda RBX: 0000000000000001 RCX: 000000000047b7a0\n"
        ));
        let pc = crash.pc.unwrap().value;
        assert_eq!(pc.symbol, None);
        assert_eq!(Some(pc.address.unwrap()), u64::from_str_radix(&rip[2..], 16).ok());
        assert_eq!(crash.code_note.unwrap().value, code);
        assert!(crash.code.is_none(), "the user's code is not the crash's");
        assert_eq!(crash.registers.known(Reg(0)), Some(0), "the user's registers are not the crash's");
        assert_eq!(crash.title, "BUG: unable to handle kernel NULL pointer dereference in go");
    }
}

#[test]
fn one_fault_in_many_transports() {
    let plain = include_str!("shapes/x86-gpf.log");
    let stripped =
        plain.lines().map(|line| line.split_once("] ").map_or(line, |(_, text)| text)).collect::<Vec<_>>();
    // Lines of other printk callers are told apart by the caller id alone.
    let own = stripped.iter().filter(|line| !line.contains("eth0")).collect::<Vec<_>>();
    let expected = first(plain);
    assert_eq!(expected.title, "BUG: corrupted list in jq_complete");
    type Style = (&'static str, fn(&str) -> String);
    let styles: [Style; 6] = [
        ("dmesg -T", |line| format!("[Sun Nov 22 11:44:54 2026] {line}")),
        ("iso", |line| format!("2026-11-22T11:44:54,123456+00:00 {line}")),
        ("syslog", |line| format!("Nov 22 11:44:54 box kernel: {line}")),
        ("mail", |line| format!("> > [   31.208811] {line}")),
        ("dmesg -x", |line| format!("kern  :warn  : [   31.208811] {line}")),
        ("serial", |line| format!("<4>[   31.208811] {line}\r")),
    ];
    for (name, style) in styles {
        let text = own.iter().map(|line| style(line) + "\n").collect::<String>();
        let crash = first(&text);
        assert_eq!(crash.title, expected.title, "{name}");
        assert_eq!(crash.frames.len(), expected.frames.len(), "{name}");
        assert_eq!(crash.registers.0.len(), expected.registers.0.len(), "{name}");
        assert_eq!(crash.modules.len(), expected.modules.len(), "{name}");
        assert_eq!(
            crash.kernel_offset.map(|k| k.value),
            expected.kernel_offset.as_ref().map(|k| k.value),
            "{name}"
        );
    }
}

#[test]
fn modules_over_several_lines() {
    let crash = first(
        "[    1.000001] BUG: unable to handle page fault for address: ffff\n\
         [    1.000002] Modules linked in: a_mod(OE) b_mod c_mod(+)\n\
         [    1.000003]  d_mod(PO-) e_mod\n\
         [    1.000004]  f_mod g_mod [last unloaded: gone]\n\
         [    1.000005] CPU: 0 PID: 1 Comm: x Not tainted 6.1.0 #1\n",
    );
    let names = crash.modules.iter().map(|m| (m.name.as_str(), m.taints.as_str(), m.state, m.last_unloaded));
    assert_eq!(
        names.collect::<Vec<_>>(),
        [
            ("a_mod", "OE", None, false),
            ("b_mod", "", None, false),
            ("c_mod", "", Some('+'), false),
            ("d_mod", "PO", Some('-'), false),
            ("e_mod", "", None, false),
            ("f_mod", "", None, false),
            ("g_mod", "", None, false),
            ("gone", "", None, true),
        ]
    );
    assert!(!crash.modules_cut);
    assert_eq!(crash.pid, Some(1));
}

#[test]
fn crashes_one_after_another() {
    let log = include_str!("shapes/mixed.log");
    let titles = kwhy_oops::parse(log.as_bytes()).crashes.into_iter().map(|c| c.title).collect::<Vec<_>>();
    assert_eq!(
        titles,
        [
            "BUG: unable to handle kernel NULL pointer dereference in old_read",
            "KASAN: slab-use-after-free Write in ring_pop",
            "WARNING: refcount bug in ring_put",
            "INFO: task hung in ab_commit",
            "BUG: soft lockup in spin_write",
        ]
    );
}

#[test]
fn arm64_unrecoverable_stack_and_newest_wording() {
    let crash = first(
        "\
[    5.000001] Unable to handle kernel paging request at virtual address dead000000000108
[    5.000002] Mem abort info:
[    5.000003]   ESR = 0x0000000096000044
[    5.000004]   EC = 0x25: DABT (current EL), IL = 32 bits
[    5.000005]   SET = 0, FnV = 0
[    5.000006]   EA = 0, S1PTW = 0
[    5.000007]   FSC = 0x04: level 0 translation fault
[    5.000008] Data abort info:
[    5.000009]   ISV = 0, ISS = 0x00000044, ISS2 = 0x00000000
[    5.000010]   CM = 0, WnR = 1, TnD = 0, TagAccess = 0
[    5.000011]   GCS = 0, Overlay = 0, DirtyBit = 0, Xs = 0
[    5.000012] [dead000000000108] address between user and kernel address ranges
[    5.000013] Internal error: Oops: 0000000096000044 [#1]  SMP
[    5.000014] Modules linked in: drv(OE)
[    5.000015] CPU: 3 UID: 0 PID: 77 Comm: sh Tainted: G           OE      6.13.0 #1
[    5.000016] Tainted: [O]=OOT_MODULE, [E]=UNSIGNED_MODULE
[    5.000017] pc : drv_del+0x20/0x40 [drv]
[    5.000018] Call trace:
[    5.000019]  drv_del+0x20/0x40 [drv] (P)
[    5.000020]  drv_write+0x10/0x20 [drv]
",
    );
    assert_eq!((crash.cpu, crash.pid, crash.comm.as_deref()), (Some(3), Some(77), Some("sh")));
    assert_eq!(crash.tainted.unwrap().value, "GOE");
    assert_eq!(crash.esr_fields.len(), 18);
    assert_eq!(crash.frames.len(), 2);
    assert_eq!(place(&crash.frames[0].at), (Some("drv_del"), Some(0x20), Some("drv")));
    assert_eq!(crash.oops_flags, ["SMP"]);
    assert_eq!(crash.damage, []);
}

/// CONFIG_STACKTRACE_BUILD_ID (5.14), decode_stacktrace.sh's `(file:line)` (6.16), named taints (6.9).
#[test]
fn places_with_build_ids_and_source_lines() {
    let crash = first(
        "\
BUG: kernel NULL pointer dereference, address: 0000000000000018
#PF: supervisor read access in kernel mode
Oops: Oops: 0000 [#1] SMP NOPTI
CPU: 1 UID: 0 PID: 88 Comm: sh Tainted: G           OE       6.12.0 #1 PREEMPT(voluntary)  0123456789abcdef0123456789abcdef01234567
Tainted: [O]=OOT_MODULE, [E]=UNSIGNED_MODULE
RIP: 0010:tune_set+0xc/0x20 (drivers/tune/tune.c:41) tune
Call Trace:
 <TASK>
 tune_write+0x67/0x71 [tune 89abcdef0123456789abcdef0123456789abcdef]
 vfs_write+0xc7/0x3f0 (fs/read_write.c:590 (discriminator 1))
 do_syscall_64+0x5d/0x90 arch/x86/entry/common.c:83
 </TASK>
",
    );
    let id = |id: Option<&kwhy_base::BuildId>| id.map(ToString::to_string);
    let kernel = crash.build_id.as_ref().map(|id| &id.value);
    assert_eq!(id(kernel).as_deref(), Some("0123456789abcdef0123456789abcdef01234567"));
    assert_eq!(crash.version.as_deref(), Some("#1 PREEMPT(voluntary)"));
    assert_eq!(crash.tainted.map(|t| t.value).as_deref(), Some("GOE"));
    let pc = crash.pc.map(|pc| pc.value).unwrap_or_default();
    assert_eq!(place(&pc), (Some("tune_set"), Some(0xc), Some("tune")));
    assert_eq!(pc.source, Some(("drivers/tune/tune.c".to_owned(), 41)));
    let frame = |index: usize| crash.frames.get(index).map(|frame| frame.at.clone()).unwrap_or_default();
    assert_eq!(place(&frame(0)), (Some("tune_write"), Some(0x67), Some("tune")));
    assert_eq!(id(frame(0).build_id.as_ref()).as_deref(), Some("89abcdef0123456789abcdef0123456789abcdef"));
    assert_eq!(frame(1).source, Some(("fs/read_write.c".to_owned(), 590)));
    assert_eq!(frame(2).source, Some(("arch/x86/entry/common.c".to_owned(), 83)));
}
