//! Forms of other CPUs' reports that no kernel at hand prints, written after the kernel's own source.

use kwhy_base::{Arch, Reg};
use kwhy_oops::CrashRecord;

fn one(text: &str) -> CrashRecord {
    let mut log = kwhy_oops::parse(text.as_bytes());
    assert_eq!(log.crashes.len(), 1, "{text}\n{log:#?}");
    log.crashes.remove(0)
}

fn control(crash: &CrashRecord, name: &str) -> Option<u64> {
    crash.control_registers.iter().find(|(n, _)| n == name).and_then(|(_, v)| v.value.value)
}

fn symbols(crash: &CrashRecord) -> Vec<&str> {
    crash.frames.iter().filter_map(|frame| frame.at.symbol.as_deref()).collect()
}

#[track_caller]
fn pc(crash: &CrashRecord, symbol: &str, offset: u64) {
    let found = crash.pc.as_ref().map(|pc| (pc.value.symbol.as_deref(), pc.value.offset));
    assert_eq!(found, Some((Some(symbol), Some(offset))));
}

/// arch/loongarch/kernel/traps.c since 6.3.
#[test]
fn loongarch() {
    let crash = one("\
[   12.000001] CPU 0 Unable to handle kernel paging request at virtual address 0000000000000018, era == 90000000012a44c8, ra == 90000000012a44b0
[   12.000002] Oops[#1]:
[   12.000003] CPU: 0 PID: 66 Comm: sh Not tainted 6.6.0-loong64 #1
[   12.000004] pc 90000000012a44c8 ra 90000000012a44b0 tp 9000000102d10000 sp 9000000102d13d50
[   12.000005] a0 0000000000000063 a1 0000000000000018 a2 0000000000000000 a3 9000000102d13c28
[   12.000006] a4 9000000001c5ed18 a5 0000000000000000 a6 0000000000000000 a7 0000000000000040
[   12.000007] t0 0000000000000001 t1 0000000000000002 t2 0000000000000003 t3 0000000000000004
[   12.000008] t4 0000000000000005 t5 0000000000000006 t6 0000000000000007 t7 0000000000000008
[   12.000009] t8 0000000000000009 u0 9000000001000000 s9 000000000000000b s0 000000000000000c
[   12.000010] s1 000000000000000d s2 000000000000000e s3 000000000000000f s4 0000000000000010
[   12.000011] s5 0000000000000011 s6 0000000000000012 s7 0000000000000013 s8 0000000000000014
[   12.000012]    ra: 90000000012a44b0 ferry_start+0x30/0x60
[   12.000013]   ERA: 90000000012a44c8 berth_depth+0x8/0x20
[   12.000014]  CRMD: 000000b0 (PLV0 -IE -DA +PG DACF=CC DACM=CC -WE)
[   12.000015]  PRMD: 00000004 (PPLV0 +PIE -PWE)
[   12.000016]  EUEN: 00000000 (-FPE -SXE -ASXE -BTE)
[   12.000017]  ECFG: 00071c1d (LIE=0,2-4,10-12 VS=7)
[   12.000018] ESTAT: 00010000 [PIL] (IS= ECode=1 EsubCode=0)
[   12.000019]  BADV: 0000000000000018
[   12.000020]  PRID: 0014c010 (Loongson-64bit, Loongson-3A5000)
[   12.000021] Modules linked in:
[   12.000022] Process sh (pid: 66, threadinfo=00000000deadbeef, task=00000000cafef00d)
[   12.000023] Stack : 0000000000000001 0000000000000002 0000000000000003 0000000000000004
[   12.000024]         0000000000000005 0000000000000006 0000000000000007 0000000000000008
[   12.000025]         ...
[   12.000026] Call Trace:
[   12.000027] [<90000000012a44c8>] berth_depth+0x8/0x20
[   12.000028] [<90000000012a44b0>] ferry_start+0x30/0x60
[   12.000029] [<9000000000221a54>] do_syscall+0x94/0x130
[   12.000030]
[   12.000031] Code: 4c000020  00150000  02ffc063 <28806084> 4c000020  00000000  00000000  00000000  00000000
[   12.000032]
[   12.000033] ---[ end trace 0000000000000000 ]---
");
    assert_eq!(crash.arch, Some(Arch::Loongarch64));
    pc(&crash, "berth_depth", 8);
    assert_eq!(crash.lr.as_ref().and_then(|lr| lr.value.symbol.clone()).as_deref(), Some("ferry_start"));
    assert_eq!(crash.registers.known(Reg(3)), Some(0x9000_0001_02d1_3d50));
    assert_eq!(crash.registers.known(Reg(5)), Some(0x18), "a1");
    assert_eq!(crash.registers.known(Reg(31)), Some(0x14), "s8");
    assert_eq!(control(&crash, "ESTAT"), Some(0x1_0000));
    assert_eq!(crash.fault_address.as_ref().and_then(|a| a.value.value), Some(0x18));
    assert_eq!(
        crash.flags.as_ref().map(|(v, w)| (v.value.value, w.as_str())),
        Some((Some(4), "PPLV0 +PIE -PWE"))
    );
    let code = crash.code.as_ref().unwrap();
    assert_eq!(code.fault_index, Some(12));
    assert_eq!(code.bytes.get(12..16), Some(&[Some(0x84), Some(0x60), Some(0x80), Some(0x28)][..]));
    assert_eq!(symbols(&crash), ["berth_depth", "ferry_start", "do_syscall"]);
    assert_eq!((crash.cpu, crash.pid, crash.stack_words.len()), (Some(0), Some(66), 8));
}

/// arch/loongarch/kernel/traps.c of 6.1.
#[test]
fn loongarch_old() {
    let crash = one("\
[   12.000001] CPU 2 Unable to handle kernel paging request at virtual address 0000000000000018, era == 90000000012a44c8, ra == 90000000012a44b0
[   12.000002] Oops[#1]:
[   12.000003] CPU: 2 PID: 66 Comm: sh Not tainted 6.1.0-loong64 #1
[   12.000004] $ 0   : 0000000000000000 90000000012a44b0 9000000102d10000 9000000102d13d50
[   12.000005] $ 4   : 0000000000000063 0000000000000018 0000000000000000 9000000102d13c28
[   12.000006] era   : 90000000012a44c8 berth_depth+0x8/0x20
[   12.000007] ra    : 90000000012a44b0 ferry_start+0x30/0x60
[   12.000008] CSR crmd: 000000b0\tCSR prmd: 00000004\tCSR euen: 00000000\tCSR ecfg: 00071c1c\tCSR estat: 00020000
[   12.000009] ExcCode : 2 (SubCode 0)
[   12.000010] BadVA : 0000000000000018
[   12.000011] PrId  : 0014c010 (Loongson-64bit)
[   12.000012] Call Trace:
[   12.000013] [<90000000012a44c8>] berth_depth+0x8/0x20
[   12.000014] [<90000000012a44b0>] ferry_start+0x30/0x60
");
    assert_eq!(crash.arch, Some(Arch::Loongarch64));
    pc(&crash, "berth_depth", 8);
    assert_eq!(crash.registers.known(Reg(5)), Some(0x18));
    assert_eq!(control(&crash, "ESTAT"), Some(0x2_0000));
    assert_eq!(crash.cpu, Some(2));
}

/// arch/riscv/kernel/process.c of 5.4 (`sepc`), and of 6.1 on 32 bits.
#[test]
fn riscv_old_and_narrow() {
    let crash = one("\
[   12.000001] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018
[   12.000002] Oops [#1]
[   12.000003] CPU: 0 PID: 66 Comm: sh Not tainted 5.4.0 #1
[   12.000004] sepc: ffffffe0001fdb4c ra : ffffffe0001fdb40 sp : ffffffe01f7c7d50
[   12.000005]  gp : ffffffe000b3c2d8 tp : ffffffe01f5ad280 t0 : ffffffe000b4d8e8
[   12.000006] sstatus: 0000000200000120 sbadaddr: 0000000000000018 scause: 000000000000000d
[   12.000007] ---[ end trace 0000000000000000 ]---
");
    assert_eq!(crash.arch, Some(Arch::Riscv64));
    assert_eq!(crash.pc.as_ref().and_then(|pc| pc.value.address), Some(0xffff_ffe0_001f_db4c));
    assert_eq!(crash.registers.known(Reg(4)), Some(0xffff_ffe0_1f5a_d280));
    assert_eq!(control(&crash, "cause"), Some(0xd));
    let crash = one("\
[   12.000001] Unable to handle kernel NULL pointer dereference at virtual address 00000018
[   12.000002] Oops [#1]
[   12.000003] CPU: 0 PID: 66 Comm: sh Not tainted 6.1.0 #1
[   12.000004] epc : berth_depth+0x8/0x20
[   12.000005]  ra : ferry_start+0x30/0x60
[   12.000006] epc : c01fdb4c ra : c01fdb40 sp : c1f7dd50
[   12.000007]  gp : c0b3c2d8 tp : c1f5a280 t0 : c0b4d8e8
[   12.000008] status: 00000120 badaddr: 00000018 cause: 0000000f
[   12.000009] [<c01fdb4c>] berth_depth+0x8/0x20
");
    assert_eq!(crash.arch, Some(Arch::Riscv32));
    pc(&crash, "berth_depth", 8);
    assert_eq!(crash.registers.known(Reg(2)), Some(0xc1f7_dd50));
    assert_eq!(symbols(&crash), ["berth_depth"]);
}

/// arch/powerpc/kernel/process.c of 5.10 on 32 bits: eight registers a line, big-endian code.
#[test]
fn ppc_narrow() {
    let crash = one("\
[   12.000001] BUG: Kernel NULL pointer dereference on write at 0x00000018
[   12.000002] Faulting instruction address: 0xc0012a48
[   12.000003] Oops: Kernel access of bad area, sig: 11 [#1]
[   12.000004] BE PAGE_SIZE=4K PowerPC 44x Platform
[   12.000005] CPU: 0 PID: 66 Comm: sh Not tainted 5.10.0 #1
[   12.000006] NIP:  c0012a48 LR: c0012a30 CTR: c0012a00
[   12.000007] REGS: c1f7bd90 TRAP: 0300   Not tainted  (5.10.0)
[   12.000008] MSR:  00009032 <EE,ME,IR,DR,RI>  CR: 28002224  XER: 20000000
[   12.000009] DAR: 00000018 DSISR: 42000000
[   12.000010] GPR00: c0012a30 c1f7be50 c1e50000 00000000 00000007 00000001 00000002 00000003
[   12.000011] GPR08: 00000008 00000009 0000000a 0000000b 0000000c 0000000d 0000000e 0000000f
[   12.000012] NIP [c0012a48] berth_set_depth+0x8/0x20
[   12.000013] LR [c0012a30] ferry_start+0x30/0x60
[   12.000014] Call Trace:
[   12.000015] [c1f7be50] [c0012a30] ferry_start+0x30/0x60 (unreliable)
[   12.000016] [c1f7be70] [c0012b30] init_module+0x10/0x20
[   12.000017] Instruction dump:
[   12.000018] 4e800020 60000000 <90830018> 4e800020 XXXXXXXX
[   12.000019] ---[ end trace 0000000000000000 ]---
");
    assert_eq!(crash.arch, Some(Arch::Ppc));
    pc(&crash, "berth_set_depth", 8);
    assert_eq!(crash.registers.known(Reg(4)), Some(7));
    assert_eq!(crash.registers.known(Reg(15)), Some(0xf));
    assert_eq!(control(&crash, "DSISR"), Some(0x4200_0000));
    assert_eq!((crash.oops_text.as_deref(), &crash.oops_code), (Some("Kernel access of bad area"), &None));
    let code = crash.code.as_ref().unwrap();
    assert_eq!((code.fault_index, code.bytes.len()), (Some(8), 20));
    assert_eq!(code.bytes.get(8..12), Some(&[Some(0x90), Some(0x83), Some(0), Some(0x18)][..]));
    assert_eq!(code.bytes.last(), Some(&None));
    assert!(!crash.frames[0].reliable && crash.frames[1].reliable);
}

/// arch/x86/kernel/process_32.c and dumpstack_32.c of 3.16.
#[test]
fn i386_old() {
    let crash = one("\
[   12.000001] BUG: unable to handle kernel NULL pointer dereference at 00000018
[   12.000002] IP: [<f8a12345>] berth_depth+0x5/0x10 [trip]
[   12.000003] *pde = 00000000
[   12.000004] Oops: 0002 [#1] SMP
[   12.000005] Modules linked in: trip(O+)
[   12.000006] CPU: 1 PID: 66 Comm: insmod Tainted: G           O  3.16.0-4-686-pae #1 Debian 3.16.7
[   12.000007] task: f5b3c2d0 ti: f5a12000 task.ti: f5a12000
[   12.000008] EIP: 0060:[<f8a12345>] EFLAGS: 00010246 CPU: 1
[   12.000009] EIP is at berth_depth+0x5/0x10 [trip]
[   12.000010] EAX: 00000000 EBX: f8a14000 ECX: 00000001 EDX: 00000007
[   12.000011] ESI: 00000002 EDI: 00000003 EBP: f5a13e50 ESP: f5a13e4c
[   12.000012]  DS: 007b ES: 007b FS: 00d8 GS: 00e0 SS: 0068
[   12.000013] CR0: 80050033 CR2: 00000018 CR3: 35b2a000 CR4: 000006f0
[   12.000014] Stack:
[   12.000015]  f8a12310 f5a13e58 c10002d5
[   12.000016] Call Trace:
[   12.000017]  [<f8a12310>] ? ferry_start+0x10/0x20 [trip]
[   12.000018]  [<c10002d5>] do_one_initcall+0xb5/0x1b0
[   12.000019] Code: 90 90 55 89 e5 <c7> 40 18 07 00 00 00
[   12.000020] EIP: [<f8a12345>] berth_depth+0x5/0x10 [trip] SS:ESP 0068:f5a13e4c
[   12.000021] CR2: 0000000000000018
[   12.000022] ---[ end trace 0123456789abcdef ]---
");
    assert_eq!(crash.arch, Some(Arch::I386));
    pc(&crash, "berth_depth", 5);
    assert_eq!(crash.pc.as_ref().and_then(|pc| pc.value.address), Some(0xf8a1_2345));
    assert_eq!(crash.registers.known(Reg(4)), Some(0xf5a1_3e4c), "esp");
    assert_eq!(crash.registers.known(Reg(3)), Some(0xf8a1_4000), "ebx");
    assert_eq!(crash.flags.as_ref().and_then(|(v, _)| v.value.value), Some(0x1_0246));
    assert_eq!(symbols(&crash), ["ferry_start", "do_one_initcall"]);
}

/// arch/arm/kernel/traps.c of 4.4 with frame pointers; Thumb-2 code of 6.6 with `when write`.
#[test]
fn arm_old_and_thumb() {
    let crash = one("\
[   12.000001] Unable to handle kernel NULL pointer dereference at virtual address 00000018
[   12.000002] pgd = c5a3c000
[   12.000003] [00000018] *pgd=00000000
[   12.000004] Internal error: Oops: 817 [#1] SMP ARM
[   12.000005] CPU: 0 PID: 66 Comm: sh Not tainted 4.4.0 #1
[   12.000006] task: c5b3c2d0 ti: c5a12000 task.ti: c5a12000
[   12.000007] PC is at berth_depth+0x8/0x20
[   12.000008] LR is at ferry_start+0x30/0x60
[   12.000009] pc : [<c0012a48>]    lr : [<c0012a30>]    psr: 60000013
[   12.000010] sp : c5a13e50  ip : c5a13e58  fp : c5a13e54
[   12.000011] r10: 00000000  r9 : 00000009  r8 : 00000008
[   12.000012] r7 : 00000007  r6 : 00000006  r5 : 00000005  r4 : 00000004
[   12.000013] r3 : 00000003  r2 : 00000002  r1 : 00000001  r0 : 00000000
[   12.000014] Process sh (pid: 66, stack limit = 0xc5a12210)
[   12.000015] Stack: (0xc5a13e50 to 0xc5a14000)
[   12.000016] 3e40:                                     c5a13e64 c0012a30 c5a13e74 c5a13e68
[   12.000017] Backtrace:
[   12.000018] [<c0012a40>] (berth_depth) from [<c0012a30>] (ferry_start+0x30/0x60)
[   12.000019] [<c0012a00>] (ferry_start) from [<c0009714>] (do_one_initcall+0x8c/0x1d0)
[   12.000020] Code: e1a0c00d e92dd800 e24cb004 e3a03007 (e5803018)
[   12.000021] ---[ end trace 0123456789abcdef ]---
");
    assert_eq!(crash.arch, Some(Arch::Arm));
    pc(&crash, "berth_depth", 8);
    assert_eq!(crash.oops_code.as_ref().and_then(|c| c.value.value), Some(0x817));
    assert_eq!(crash.registers.known(Reg(9)), Some(9));
    assert_eq!(crash.stack_words.len(), 4);
    assert_eq!(symbols(&crash), ["berth_depth", "ferry_start", "do_one_initcall"]);
    let crash = one("\
[   12.000001] Unable to handle kernel NULL pointer dereference at virtual address 00000018 when write
[   12.000002] Internal error: Oops: 805 [#1] SMP THUMB2
[   12.000003] CPU: 0 PID: 66 Comm: sh Not tainted 6.6.0 #1
[   12.000004] PC is at berth_depth+0x2/0x8
[   12.000005] LR is at ferry_start+0x11/0x20
[   12.000006] pc : [<c0012a42>]    lr : [<c0012a31>]    psr: 60000033
[   12.000007] Code: b580 af00 (6181) bd80
[   12.000008] ---[ end trace 0000000000000000 ]---
");
    let code = crash.code.as_ref().unwrap();
    assert_eq!((code.fault_index, code.bytes.get(4..6)), (Some(4), Some(&[Some(0x81), Some(0x61)][..])));
    assert_eq!(crash.fault_address.as_ref().and_then(|a| a.value.value), Some(0x18));
}
