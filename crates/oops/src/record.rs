//! What one crash in a log says, as typed facts. Nothing here is inferred: every field is what
//! was printed, with the line it was printed on.

use kwhy_base::{Arch, BuildId, Registers};

/// A value and the 1-based line of the log it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// 1-based line of the log.
    pub line: u32,
}

/// A hexadecimal number as printed, with the number it reads as.
///
/// The digits are kept because damage shows in them (15 digits where 16 belong).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintedHex {
    /// Exactly the digits printed, without `0x`.
    pub digits: String,
    /// Those digits as a number; `None` where they are none (a letter slipped in) or exceed 64 bits.
    pub value: Option<u64>,
}

impl CrashRecord {
    /// Whether the crash is an instruction fetch that failed: the program counter is then an
    /// address that was jumped to, which need not be code, and a name printed for it is only that
    /// of the last symbol before it.
    #[must_use]
    pub fn is_fetch_fault(&self) -> bool {
        // Exception classes 0x20 and 0x21: instruction aborts (Arm ARM, ESR_EL1.EC).
        let esr = self.esr.as_ref().and_then(|esr| esr.value.value);
        let aborted = esr.is_some_and(|esr| matches!((esr >> 26) & 0x3f, 0x20 | 0x21));
        aborted || self.pf_lines.iter().any(|line| line.value.contains("instruction fetch"))
    }
}

/// `symbol+0xoffset/0xsize [module]`, or a bare address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeRef {
    /// The symbol, suffixes (`.isra.0`, `.cold`) included; `None` for a bare address.
    pub symbol: Option<String>,
    /// Offset into the symbol, in bytes.
    pub offset: Option<u64>,
    /// The symbol's size, in bytes.
    pub size: Option<u64>,
    /// The module in brackets.
    pub module: Option<String>,
    /// The module's or kernel's build-id, where the log prints it in the frame.
    pub build_id: Option<BuildId>,
    /// The address, where one is printed (`[<ffff…>]`, `0xffff…`).
    pub address: Option<u64>,
    /// `true` where digits of this place were not hexadecimal, so that a number is missing above.
    pub unreadable: bool,
    /// The offset's digits as printed (without `0x`), where they are not how the kernel prints
    /// a number: letters that are no digits, capitals, leading zeros.
    pub offset_digits: Option<String>,
    /// The size's digits as printed, where they are not how the kernel prints a number.
    pub size_digits: Option<String>,
    /// `file:line` as symbolised by whoever made the log.
    pub source: Option<(String, u32)>,
}

/// One line of a call trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where the return address (or, in the top frame of some traces, the PC) points.
    pub at: CodeRef,
    /// `false` for a frame marked `?`: found on the stack, not by unwinding.
    pub reliable: bool,
    /// `true` where the line is an inline frame of a symbolised log (`[inline]`).
    pub inline: bool,
    /// 1-based line of the log.
    pub line: u32,
}

/// The bytes of a `Code:` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeDump {
    /// Bytes in address order; `None` for what was unreadable. ARM64 words are taken apart little-endian.
    pub bytes: Vec<Option<u8>>,
    /// Index in `bytes` of the faulting instruction's first byte, where one is bracketed.
    pub fault_index: Option<usize>,
    /// 1-based line of the log.
    pub line: u32,
}

/// One entry of `Modules linked in:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleEntry {
    /// The module's name.
    pub name: String,
    /// Letters in parentheses without `+` and `-`: `OE`, `PO`…
    pub taints: String,
    /// `+` being loaded, `-` being unloaded.
    pub state: Option<char>,
    /// `true` for the `[last unloaded: …]` entry, which is no longer linked in.
    pub last_unloaded: bool,
    /// 1-based line of the log.
    pub line: u32,
}

/// The sort of report the trigger line opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// `Unable to handle kernel …`, `BUG: unable to handle page fault`, `… paging request`.
    PageFault,
    /// `general protection fault`.
    GeneralProtection,
    /// `divide error`.
    DivideError,
    /// `invalid opcode` with no BUG line, ARM64 `Oops - Undefined instruction`.
    InvalidOpcode,
    /// Any other `Internal error:` or processor exception (`int3`, `stack segment`, BTI, FPAC…).
    OtherException,
    /// `kernel BUG at FILE:LINE!`.
    Bug,
    /// `WARNING: CPU: … at FILE:LINE`.
    Warning,
    /// `refcount_t: …` warnings.
    Refcount,
    /// `list_add corruption`, `list_del corruption`.
    ListCorruption,
    /// `BUG: KASAN: …`.
    Kasan,
    /// `BUG: KFENCE: …`.
    Kfence,
    /// `BUG: KMSAN: …`.
    Kmsan,
    /// `BUG: KCSAN: …`.
    Kcsan,
    /// `UBSAN: …`.
    Ubsan,
    /// `INFO: task … blocked for more than`.
    HungTask,
    /// `watchdog: BUG: soft lockup`.
    SoftLockup,
    /// `watchdog: … hard LOCKUP`.
    HardLockup,
    /// `rcu: INFO: … detected stall`.
    RcuStall,
    /// lockdep reports.
    Lockdep,
    /// `BUG: sleeping function called from invalid context`, `scheduling while atomic`.
    AtomicSleep,
    /// `usercopy: Kernel memory … attempt detected`.
    Usercopy,
    /// `BUG <cache> … Redzone overwritten / Poison overwritten / Object already free` and other SLUB reports.
    Slab,
    /// Stack protector, stack guard page, corrupted stack end.
    Stack,
    /// `PANIC: double fault`.
    DoubleFault,
    /// `Kernel panic - not syncing:` with nothing above it.
    Panic,
    /// Machine check, SError, EDAC, GHES.
    Hardware,
    /// Anything else that a trigger found.
    Other,
}

/// One crash report out of a log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CrashRecord {
    /// 1-based first line of the report.
    pub first_line: u32,
    /// 1-based last line of the report.
    pub last_line: u32,
    /// Which sort of report it is.
    pub family: Option<Family>,
    /// The trigger line's text, without timestamp and prefix.
    pub header: String,
    /// syzkaller-style title.
    pub title: String,
    /// Alternative titles, for merging.
    pub alt_titles: Vec<String>,
    /// The key of syzkaller-compatible kinds (`page-fault`, `kasan-read`…; empty when it has none).
    pub kind: String,
    /// Whether the report is torn beyond a sure title.
    pub corrupted: bool,
    /// The source file to blame, for symbolised text.
    pub guilty_file: Option<String>,

    /// The CPU architecture, from registers, entry symbols and wording.
    pub arch: Option<Arch>,
    /// `6.1.0-56-cloud-arm64`.
    pub release: Option<Located<String>>,
    /// What follows the release: `#1 Debian 6.1.192-2`.
    pub version: Option<String>,
    /// The kernel's build-id, where the `CPU:` line ends with it.
    pub build_id: Option<Located<BuildId>>,
    /// `Hardware name:`.
    pub hardware: Option<Located<String>>,
    /// CPU number.
    pub cpu: Option<u32>,
    /// Process id.
    pub pid: Option<u32>,
    /// Task name.
    pub comm: Option<String>,
    /// The `Tainted:` letters with blanks removed (`GWOE`), empty for `Not tainted`; `None` when no such line.
    pub tainted: Option<Located<String>>,
    /// `Workqueue: name function`.
    pub workqueue: Option<Located<String>>,

    /// The faulting (virtual) address of the header line, or CR2, or the GPF's decoded address.
    pub fault_address: Option<Located<PrintedHex>>,
    /// ARM64 `[addr] …` line: the address repeated in brackets, and its wording (`address between user and kernel address ranges`, `user address but active_mm is swapper`, or page-table entries).
    pub fault_address_note: Option<(Located<PrintedHex>, String)>,
    /// ARM64 `ESR = 0x…`.
    pub esr: Option<Located<PrintedHex>>,
    /// ARM64 fields printed under the ESR, in order: (`EC`, `0x25`), (`IL`, `32 bits`), (`SET`, `0`), (`FnV`…), (`FSC`…), (`ISV`…), (`ISS`…), (`CM`…), (`WnR`…) and newer ones.
    pub esr_fields: Vec<Located<(String, String)>>,
    /// `Internal error: TEXT: 96000004 [#1]` or `Oops: 0002 [#1]`: the error code.
    pub oops_code: Option<Located<PrintedHex>>,
    /// The text before the code: `Oops`, `Oops - BUG`, `general protection fault`….
    pub oops_text: Option<String>,
    /// `[#N]`: how many oopses this boot has had.
    pub oops_count: Option<u32>,
    /// Words after it: `SMP`, `PREEMPT`, `NOPTI`, `KASAN`….
    pub oops_flags: Vec<String>,
    /// x86 `#PF: …` lines.
    pub pf_lines: Vec<Located<String>>,
    /// x86 `CR0`, `CR2`, `CR3`, `CR4`, `ORIG_RAX`, DR registers, PKRU and the like, by name.
    pub control_registers: Vec<(String, Located<PrintedHex>)>,
    /// ARM64 `pstate:` and x86 `EFLAGS:`, with the text in parentheses.
    pub flags: Option<(Located<PrintedHex>, String)>,
    /// General registers of the crash (the first register block of the report).
    pub registers: Registers,
    /// Where the program counter was.
    pub pc: Option<Located<CodeRef>>,
    /// ARM64 link register.
    pub lr: Option<Located<CodeRef>>,
    /// `Code:` of the crash.
    pub code: Option<CodeDump>,
    /// Why there is no code: `Bad PC value.`, `Unable to access opcode bytes at …`.
    pub code_note: Option<Located<String>>,
    /// The crash's own call trace, top first; for a hung task the hung task's.
    pub frames: Vec<Frame>,
    /// Other stacks of the report, each with the line that opens it: KASAN's `Allocated by task 7:`
    /// and `Freed by task 7:`, lockdep's `which lock already depends on`, stalls of other CPUs.
    pub other_stacks: Vec<(Located<String>, Vec<Frame>)>,
    /// Words of an x86 `Stack:` dump.
    pub stack_words: Vec<u64>,
    /// `Modules linked in:`.
    pub modules: Vec<ModuleEntry>,
    /// `true` where the module list is visibly cut short.
    pub modules_cut: bool,
    /// `Kernel Offset: 0x…`; `Some(0)` for `disabled`.
    pub kernel_offset: Option<Located<u64>>,
    /// `PHYS_OFFSET: 0x…`.
    pub phys_offset: Option<Located<u64>>,
    /// `kernel BUG at FILE:LINE`, `WARNING: … at FILE:LINE`.
    pub assertion: Option<Located<(String, u32)>>,
    /// Other lines of this report worth quoting (list corruption text, refcount text, page-table walk), as printed.
    pub remarks: Vec<Located<String>>,
    /// (line, seconds) of each timestamped line of the report.
    pub timestamps: Vec<(u32, f64)>,
    /// What the report's family says beyond an oops: typed fields, with their lines.
    pub details: crate::details::Details,
    /// Every place where the text contradicts itself.
    pub damage: Vec<Damage>,
}

/// A place where the log contradicts itself or cannot be what the kernel printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// 1-based line of the log.
    pub line: u32,
    /// What is damaged: `ESR`, `x26`, `timestamp`, `fault address`, `x20`, `frame offset`….
    pub field: String,
    /// As printed; empty for what is missing.
    pub printed: String,
    /// The better value, where redundancy gives one.
    pub likely: Option<String>,
    /// How sure the better value (or, without one, the damage itself) is.
    pub grade: Grade,
    /// Why.
    pub reason: kwhy_base::Prose,
}

/// How sure a statement is. Never a percentage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grade {
    /// Nothing else is consistent with the evidence.
    Proved,
    /// The evidence is for it and none against, but something else could be.
    Likely,
    /// Worth checking.
    Possible,
}

/// Something about the log that is no crash: a line that was not understood, a truncated file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// 1-based line of the log, where it is about one.
    pub line: Option<u32>,
    /// What.
    pub text: kwhy_base::Prose,
}
