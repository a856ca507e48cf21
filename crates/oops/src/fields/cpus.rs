//! The seam between CPUs: each has one file that reads its register dump, listed here.
//!
//! x86-64 and ARM64 come last, because their recognisers take any `name: value` line.

use kwhy_base::{Arch, Reg};

use super::{State, arm, arm32, i386, loongarch, mips, ppc, riscv, s390, x86};
use crate::record::{CodeRef, CrashRecord, Located, PrintedHex};
use crate::text::Line;
use crate::words::Words;

type Recogniser = fn(&Line<'_>, &mut State, &mut CrashRecord) -> bool;

/// The table: a new CPU is one line here.
const CPUS: &[Recogniser] = &[
    i386::line,
    arm32::line,
    riscv::line,
    ppc::line,
    s390::line,
    mips::line,
    loongarch::line,
    arm::line,
    x86::line,
];

/// What several lines in a row make up, each line but the first without a mark of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Rows {
    /// Nothing.
    #[default]
    None,
    /// s390's general registers; the number of the next one.
    S390Registers(u16),
    /// s390's `Krnl Code:`, disassembled.
    S390Code,
    /// What follows `Last Breaking-Event-Address:`.
    S390Breaking,
    /// PowerPC's `Instruction dump:`.
    PpcCode,
    /// MIPS' and LoongArch's `Stack :`.
    MipsStack,
    /// Arm's `Stack:`.
    ArmStack,
}

/// Reads a line of any CPU's report.
pub(super) fn line(line: &Line<'_>, state: &mut State, record: &mut CrashRecord) -> bool {
    let rows = std::mem::take(&mut state.rows);
    let text = line.text.trim();
    let goes_on = match rows {
        Rows::None => false,
        Rows::S390Registers(next) => s390::more_registers(text, next, line.number, state, record),
        Rows::S390Code => s390::more_code(text, state, record),
        Rows::S390Breaking => s390::breaking_event(text, line.number, record),
        Rows::PpcCode => ppc::more_code(text, state, record),
        Rows::MipsStack => mips::more_stack(text, state, record),
        Rows::ArmStack => arm32::more_stack(text, state, record),
    };
    goes_on || CPUS.iter().any(|recogniser| recogniser(line, state, record))
}

/// Reads what a trigger line says in the words of one CPU.
pub(super) fn trigger(text: &str, number: u32, record: &mut CrashRecord) {
    arm32::trigger(text, number, record);
    riscv::trigger(text, record);
    ppc::trigger(text, number, record);
    s390::trigger(text, number, record);
    mips::trigger(text, number, record);
}

/// What only one CPU's kernels have in their release or among their symbols.
const MARKS: &[(Arch, &[&str], &[&str])] = &[
    (
        Arch::X86_64,
        &["amd64", "x86_64"],
        &[
            "entry_SYSCALL_64",
            "do_syscall_64",
            "__x64_sys_",
            "__do_sys_x64",
            "asm_sysvec_",
            "ret_from_fork_asm",
        ],
    ),
    (
        Arch::Arm64,
        &["arm64", "aarch64"],
        &["el0_", "el1_", "el0t_", "el1h_", "__arm64_sys_", "invoke_syscall", "do_el0_svc"],
    ),
    (
        Arch::I386,
        &["-686", "-686-pae", ".i686", "i386"],
        &["do_SYSENTER_32", "entry_SYSENTER_32", "entry_INT80_32"],
    ),
    (
        Arch::Arm,
        &["-armmp", "-armmp-lpae", "armv7l", "armhf"],
        &["ret_fast_syscall", "__irq_svc", "unwind_backtrace"],
    ),
    (Arch::Riscv64, &["riscv64"], &["__riscv_sys_", "do_trap_ecall_u"]),
    (
        Arch::Ppc64,
        &["powerpc64le", "powerpc64", "ppc64le", "ppc64"],
        &["system_call_vectored_common", "system_call_exception"],
    ),
    (Arch::S390x, &["s390x"], &["__s390x_sys_", "__s390_sys_"]),
    (Arch::Loongarch64, &["loong64", "loongarch64"], &[]),
    (Arch::Mips, &["-malta", "mips", "mipsel", "mips64el"], &["syscall_common"]),
];

/// The CPU by what only it prints, where no register line said so.
pub(super) fn guess(record: &CrashRecord) -> Option<Arch> {
    let release = record.release.as_ref().map(|r| r.value.as_str()).unwrap_or_default();
    let by_release = MARKS.iter().find(|(_, ends, _)| ends.iter().any(|mark| release.ends_with(mark)));
    if let Some((arch, ..)) = by_release {
        return Some(*arch);
    }
    let stacks = record.other_stacks.iter().flat_map(|(_, frames)| frames);
    record.frames.iter().chain(stacks).find_map(|frame| {
        let name = frame.at.symbol.as_deref()?;
        MARKS
            .iter()
            .find(|(_, _, heads)| heads.iter().any(|head| name.starts_with(head)))
            .map(|(arch, ..)| *arch)
    })
}

/// Whether the first register block of the report is being read.
pub(super) fn own(state: &State) -> bool {
    !state.user && !state.ended
}

/// Keeps a register by the name that the CPU's table gives it.
pub(super) fn register(
    state: &mut State,
    record: &mut CrashRecord,
    arch: Arch,
    name: &str,
    digits: &str,
    line: u32,
) {
    let Some(cpu) = kwhy_arch::cpu(arch) else { return };
    if let Some(reg) = cpu.registers.iter().find(|(n, _)| *n == name).map(|(_, reg)| *reg) {
        numbered(state, record, arch, reg, digits, line);
    }
}

/// Keeps a register by its number.
pub(super) fn numbered(
    state: &mut State,
    record: &mut CrashRecord,
    arch: Arch,
    reg: Reg,
    digits: &str,
    line: u32,
) {
    let name = format!("{arch}:{}", reg.0);
    state.register_of(record, &name, reg, digits, kwhy_arch::register_digits(arch), line);
}

/// Sets the program counter or link register: a place, or only its address, completing what is there.
pub(super) fn place(slot: &mut Option<Located<CodeRef>>, at: CodeRef, line: u32) {
    match slot {
        Some(Located { value, .. }) => {
            value.address = value.address.or(at.address);
            if value.symbol.is_none() && at.symbol.is_some() {
                let address = value.address;
                *value = CodeRef { address, ..at };
            }
        }
        None => *slot = Some(Located { value: at, line }),
    }
}

/// An address as a place.
pub(super) fn address(digits: &str) -> CodeRef {
    let value = PrintedHex::new(digits).value;
    CodeRef { address: value, unreadable: value.is_none(), ..CodeRef::default() }
}

/// Whether `word` can be a register's value: of a register's width, or nearly so in a damaged log.
pub(super) fn is_value(word: &str) -> bool {
    matches!(word.len(), 7..=9 | 15..=17)
        && word.bytes().filter(u8::is_ascii_hexdigit).count() + 2 >= word.len()
}

/// The task that Arm, MIPS and LoongArch name below their registers: `busybox (pid: 81, …`.
pub(super) fn process(text: &str, number: u32, record: &mut CrashRecord) -> bool {
    let Some((comm, rest)) = text.strip_prefix("Process ").and_then(|t| t.cut_last(" (pid: ")) else {
        return false;
    };
    record.comm.get_or_insert_with(|| comm.to_owned());
    let pid = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    record.pid = record.pid.or_else(|| pid.parse().ok());
    record.remarks.push(Located { value: text.to_owned(), line: number });
    true
}

/// The processor's state, with the words that explain it.
pub(super) fn flags(digits: &str, words: &str, number: u32, state: &State, record: &mut CrashRecord) {
    if own(state) && record.flags.is_none() {
        let value = Located { value: PrintedHex::new(digits), line: number };
        record.flags = Some((value, words.trim().to_owned()));
    }
}

/// The most words of a stack dump that are kept.
const MOST_WORDS: usize = 1024;

/// Words of a stack dump: all of `text` must be such.
pub(super) fn stack_words(text: &str, record: &mut CrashRecord) -> bool {
    let words = text
        .split_ascii_whitespace()
        .map(|word| matches!(word.len(), 8 | 16).then(|| PrintedHex::new(word).value).flatten())
        .collect::<Option<Vec<_>>>();
    match words {
        Some(words) if !words.is_empty() && record.stack_words.len() < MOST_WORDS => {
            record.stack_words.extend(words);
            true
        }
        _ => false,
    }
}
