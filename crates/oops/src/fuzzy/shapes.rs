//! The lines of a crash report that have a shape of their own.
//!
//! Only lines that the readers of fields need are here, as the kernel prints them
//! (arch/arm64/kernel/{traps,process}.c, arch/arm64/mm/fault.c, arch/x86/kernel/{dumpstack,process_64}.c,
//! arch/x86/mm/fault.c, kernel/panic.c, lib/dump_stack.c). The holes are [`Shape::new`]'s.

use std::sync::LazyLock;

use super::shape::Shape;

/// What opens a report; recognised only where lines of one follow.
pub(super) const OPENER: &str = "header";
/// A line of a call trace.
pub(super) const FRAME: &str = "frame";
/// The program counter.
pub(super) const PC: &str = "pc";
/// The link register.
pub(super) const LR: &str = "lr";
/// A line that holds registers, each after its name.
pub(super) const ROW: &str = "row";
/// A line that is known only where nothing in it is damaged.
pub(super) const PLAIN: &str = "plain";
/// Words only.
pub(super) const WORDS: &str = "line";

const OPENERS: &[&str] = &[
    "Unable to handle kernel paging request at virtual address {h16}",
    "Unable to handle kernel NULL pointer dereference at virtual address {h16}",
    "Unable to handle kernel access to user memory outside uaccess routines at virtual address {h16}",
    "Unable to handle kernel read from unreadable memory at virtual address {h16}",
    "Unable to handle kernel write to read-only memory at virtual address {h16}",
    "Unable to handle kernel execute from non-executable memory at virtual address {h16}",
    "Unable to handle kernel execution of user memory at virtual address {h16}",
    "Unable to handle kernel unknown {*} at virtual address {h16}",
    "BUG: unable to handle page fault for address: {h16}",
    "BUG: kernel NULL pointer dereference, address: {h16}",
    "kernel tried to execute NX-protected page - exploit attempt? (uid: {d})",
    "Oops: {h4} [#{d}]{*}",
    "Oops: general protection fault, {*}: {h4} [#{d}]{*}",
    "Oops: invalid opcode: {h4} [#{d}]{*}",
    "general protection fault, probably for non-canonical address 0x{h}: {h4} [#{d}]{*}",
    "general protection fault, maybe for address 0x{h}: {h4} [#{d}]{*}",
    "general protection fault: {h4} [#{d}]{*}",
    "BUG: TASK stack guard page was hit at {h16} (stack is {h16}..{h16})",
    "BUG: IRQ stack guard page was hit at {h16} (stack is {h16}..{h16})",
    "stack guard page: {h4} [#{d}]{*}",
    "Insufficient stack space to handle exception!",
    "ESR: 0x{h16} -- {*}",
    "FAR: 0x{h16}",
    "stack segment: {h4} [#{d}]{*}",
    "invalid opcode: {h4} [#{d}]{*}",
    "divide error: {h4} [#{d}]{*}",
    "divide_error: {h4} [#{d}]{*}",
    "int3: {h4} [#{d}]{*}",
    "Internal error: {*}: {h} [#{d}]{*}",
    "kernel BUG at {*}:{d}!",
    "WARNING: CPU: {d} PID: {d} at {*}:{d} {s}+0x{h}/0x{h}",
    "WARNING: CPU: {d} PID: {d} at {*}:{d} {s}+0x{h}/0x{h} [{s}]",
    "watchdog: BUG: soft lockup - CPU#{d} stuck for {d}s! [{*}:{d}]",
    "INFO: task {*}:{d} blocked for more than {d} seconds.",
    "BUG: sleeping function called from invalid context at {*}:{d}",
    "BUG: scheduling while atomic: {*}/{d}/0x{h}",
    "BUG: spinlock bad magic on CPU#{d}, {*}/{d}",
    "BUG: KASAN: {*} in {s}+0x{h}/0x{h}{*}",
    "BUG: KMSAN: {*} in {s}+0x{h}/0x{h}{*}",
    "BUG: KCSAN: {*} in {s}+0x{h}/0x{h}{*}",
    "BUG: KCSAN: {*} in {s} / {s}",
    "BUG: KFENCE: {*} in {s}+0x{h}/0x{h}{*}",
    "BUG: KASAN: {*}",
    "BUG: KMSAN: {*}",
    "BUG: KCSAN: {*}",
    "BUG: KFENCE: {*}",
    "NMI watchdog: BUG: soft lockup - CPU#{d} stuck for {d}s! [{*}:{d}]",
    "WARNING: CPU: {d} PID: {d} at {*}:{d} {s}+0x{h}/0x{h}()",
    "WARNING: CPU: {d} PID: {d} at {*}:{d} {s}+0x{h}/0x{h} [{s}]()",
    "Kernel panic - not syncing: {*}",
    "rcu: INFO: {s} self-detected stall on CPU",
    "INFO: {s} self-detected stall on CPU",
    "INFO: {s} detected stalls on CPUs/tasks:",
    "rcu: INFO: {s} detected stalls on CPUs/tasks:",
    "------------[ cut here ]------------",
];

const FRAMES: &[&str] =
    &["{s}+0x{h}/0x{h}", "{s}+0x{h}/0x{h} [{s}]", "? {s}+0x{h}/0x{h}", "? {s}+0x{h}/0x{h} [{s}]"];

const ROWS: &[&str] = &[
    "sp : {h16}",
    "x29: {h16} x28: {h16} x27: {h16}",
    "x26: {h16} x25: {h16} x24: {h16}",
    "x23: {h16} x22: {h16} x21: {h16}",
    "x20: {h16} x19: {h16} x18: {h16}",
    "x17: {h16} x16: {h16} x15: {h16}",
    "x14: {h16} x13: {h16} x12: {h16}",
    "x11: {h16} x10: {h16} x9 : {h16}",
    "x8 : {h16} x7 : {h16} x6 : {h16}",
    "x5 : {h16} x4 : {h16} x3 : {h16}",
    "x2 : {h16} x1 : {h16} x0 : {h16}",
    // Kernels before 5.11 print two a line.
    "x29: {h16} x28: {h16}",
    "x27: {h16} x26: {h16}",
    "x25: {h16} x24: {h16}",
    "x23: {h16} x22: {h16}",
    "x21: {h16} x20: {h16}",
    "x19: {h16} x18: {h16}",
    "x17: {h16} x16: {h16}",
    "x15: {h16} x14: {h16}",
    "x13: {h16} x12: {h16}",
    "x11: {h16} x10: {h16}",
    "x9 : {h16} x8 : {h16}",
    "x7 : {h16} x6 : {h16}",
    "x5 : {h16} x4 : {h16}",
    "x3 : {h16} x2 : {h16}",
    "x1 : {h16} x0 : {h16}",
    "RSP: {h4}:{h16} EFLAGS: {h8}",
    "RSP: {h4}:{h16} EFLAGS: {h8} ORIG_RAX: {h16}",
    "RAX: {h16} RBX: {h16} RCX: {h16}",
    "RDX: {h16} RSI: {h16} RDI: {h16}",
    "RBP: {h16} R08: {h16} R09: {h16}",
    "R10: {h16} R11: {h16} R12: {h16}",
    "R13: {h16} R14: {h16} R15: {h16}",
    "FS:  {h16}({h4}) GS:{h16}({h4}) knlGS:{h16}",
    "FS:  {h16}(0000) GS:{h16}(0000) knlGS:{h16}",
    "CS:  {h4} DS: {h4} ES: {h4} CR0: {h16}",
    "CR2: {h16} CR3: {h16} CR4: {h16}",
    "CR2: {h16}",
    "PKRU: {h8}",
    "ESR = 0x{h16}",
    "ESR = 0x{h8}",
    "pstate: {h8} ({*})",
];

const OTHERS: &[&str] = &[
    "Mem abort info:",
    "Data abort info:",
    "EC = 0x{h}: {*}, IL = {d} bits",
    "SET = {d}, FnV = {d}",
    "EA = {d}, S1PTW = {d}",
    "FSC = 0x{h}: {*}",
    "ISV = {d}, ISS = 0x{h}",
    "ISV = {d}, ISS = 0x{h}, ISS2 = 0x{h}",
    "CM = {d}, WnR = {d}",
    "CM = {d}, WnR = {d}, TnD = {d}, TagAccess = {d}",
    "GCS = {d}, Overlay = {d}, DirtyBit = {d}, Xs = {d}",
    "[{h16}] address between user and kernel address ranges",
    "[{h16}] user address but active_mm is swapper",
    "[{h16}] pgd={h16}, p4d={h16}, pud={h16}, pmd={h16}, pte={h16}",
    "[{h16}] pgd={h16}, p4d={h16}, pud={h16}, pmd={h16}",
    "[{h16}] pgd={h16}, p4d={h16}, pud={h16}",
    "[{h16}] pgd={h16}, p4d={h16}",
    "user pgtable: {d}k pages, {d}-bit VAs, pgdp={h16}",
    "swapper pgtable: {d}k pages, {d}-bit VAs, pgdp={h16}",
    "#PF: supervisor read access in kernel mode",
    "#PF: supervisor write access in kernel mode",
    "#PF: supervisor instruction fetch in kernel mode",
    "#PF: error_code(0x{h4}) - not-present page",
    "#PF: error_code(0x{h4}) - permissions violation",
    "#PF: error_code(0x{h4}) - reserved bit violation",
    "PGD {h} PUD {h} PMD {h} PTE {h}",
    "PGD {h} PUD {h} PMD {h}",
    "PGD {h} PUD {h}",
    "PGD {h} P4D {h} PUD {h} PMD {h} PTE {h}",
    "PGD {h} P4D {h} PUD {h} PMD {h}",
    "PGD {h} P4D {h} PUD {h}",
    "PGD {h} P4D {h}",
    "PGD {h}",
    "CPU: {d} PID: {d} Comm: {*} Not tainted {*} #{d}{*}",
    "CPU: {d} PID: {d} Comm: {*} Tainted: {*} #{d}{*}",
    "CPU: {d} UID: {d} PID: {d} Comm: {*} Not tainted {*} #{d}{*}",
    "CPU: {d} UID: {d} PID: {d} Comm: {*} Tainted: {*} #{d}{*}",
    "Hardware name: {*}",
    "Workqueue: {*}",
    "Modules linked in: {*}",
    "Modules linked in:",
    "Call trace:",
    "Call Trace:",
    "<TASK>",
    "</TASK>",
    "<IRQ>",
    "</IRQ>",
    "<NMI>",
    "</NMI>",
    "<EOI>",
    "Code: Unable to access opcode bytes at 0x{h}.",
    "Code: Bad RIP value.",
    "Code: bad PC value",
    "Code: {h8} {h8} {h8} {h8} ({h8})",
    "Code: {*}",
    "---[ end trace {h16} ]---",
    "---[ end Kernel panic - not syncing: {*}",
    "Kernel Offset: 0x{h} from 0x{h}{*}",
    "Kernel Offset: 0x{h}",
    "Kernel Offset: disabled{*}",
    "PHYS_OFFSET: 0x{h}",
    "note: {*}[{d}] exited with {*}",
    "RIP: 0033:0x{h}",
];

/// Lines that are much like others, and are not to be taken for them.
const OTHERWISE: &[&str] = &[
    // the program counters of mips, riscv, loongarch, s390 and ppc
    "epc   : {h} {*}",
    "epc : {*}",
    "ra    : {h} {*}",
    "ERA: {h} {*}",
    "Krnl PSW : {h} {h} {*}",
    "NIP [{h}] {*}",
    "P4D {h}",
    "PUD {h}",
    "PMD {h}",
    "PTE {h}",
    "RIP: 0023:0x{h}",
    "EIP: {*}",
    "x28: {h16} x27: {h16}",
    "IP: {*}",
    "PC is at {*}",
    "LR is at {*}",
    "pgd = {h}",
    "[{h}] pgd = {h}",
    "[{h}] *pgd={*}",
    "[{h}] pgd={*}",
    "caller is {s}+0x{h}/0x{h}",
    "code: {*}",
    "error: {*}",
    "pc : [<{h}>] lr : [<{h}>] psr: {h}",
    "Caller: {*}",
    "LR = {s}+0x{h}/0x{h}",
    "NIP = {s}+0x{h}/0x{h}",
    "{s}+0x{h}/0x{h} ({*})",
    "{s}+0x{h}/0x{h} [{s}] ({*})",
    "{s}+0x{h}/0x{h} {*}:{d}",
    "{s}+0x{h}/0x{h} {*} [inline]",
    "{s}+0x{h}/0x{h} [{s}] {*}:{d}",
    "{s}+0x{h}/0x{h} [{s}] {*} [inline]",
    "? {s}+0x{h}/0x{h} {*}:{d}",
    "? {s}+0x{h}/0x{h} {*} [inline]",
    "RIP: 0010:{s}+0x{h}/0x{h} {*}:{d}",
    "RIP: 0010:{s}+0x{h}/0x{h} {*} [inline]",
    "pc : {s}+0x{h}/0x{h} {*}:{d}",
    "pc : {s}+0x{h}/0x{h} {*} [inline]",
    "lr : {s}+0x{h}/0x{h} {*}:{d}",
    "lr : {s}+0x{h}/0x{h} {*} [inline]",
];

/// Every shape.
pub(super) static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let mut all: Vec<Shape> = Vec::new();
    let mut add = |name: &'static str, before: &str, patterns: &[&str]| {
        all.extend(patterns.iter().map(|pattern| Shape::new(name, &format!("{before}{pattern}"))));
    };
    add(OPENER, "", OPENERS);
    add(ROW, "", ROWS);
    add(WORDS, "", OTHERS);
    for place in ["{s}+0x{h}/0x{h}", "{s}+0x{h}/0x{h} [{s}]", "0x{h}"] {
        add(PC, "pc : ", &[place]);
        add(LR, "lr : ", &[place]);
        add(PC, "RIP: 0010:", &[place]);
    }
    add(FRAME, "", FRAMES);
    add(PLAIN, "", OTHERWISE);
    all
});

/// The shape of timestamps, and what follows.
pub(super) static STAMP: LazyLock<Shape> = LazyLock::new(|| Shape::new("timestamp", "[{b}{d}.{d6}]{*}"));
