//! Faults and exceptions of the processor.

use super::stack::{self, Key, Plan};
use super::{Named, View};
use crate::record::Family;

/// `Unable to handle kernel …`, `BUG: unable to handle …`, `BUG: kernel NULL pointer dereference`.
pub(super) fn page_fault(view: &View<'_>) -> Option<Named> {
    let text = view.header.as_str();
    // MIPS and LoongArch name the CPU first.
    let bare = text.strip_prefix("BUG: ").unwrap_or(text);
    let lower = bare.to_ascii_lowercase();
    let handled =
        lower.starts_with("unable to handle kernel") || lower.starts_with("unable to handle page fault");
    if !handled && !lower.starts_with("kernel null pointer dereference") {
        return None;
    }
    let title = if lower.contains("kernel null pointer dereference") {
        "BUG: unable to handle kernel NULL pointer dereference"
    } else if lower.contains("access to user memory") {
        "BUG: unable to handle kernel access to user memory"
    } else if PAGING.iter().any(|wording| lower.contains(wording)) {
        "BUG: unable to handle kernel paging request"
    } else {
        // The kernel prints the header in two parts, and the second is lost.
        let title = "BUG: unable to handle kernel";
        return Some(view.plain(Family::PageFault, "page-fault", title).torn());
    };
    let kind = if title.contains("NULL") { "null-deref" } else { "page-fault" };
    let found = view.function(stack::PC_THEN_TRACE, &[]);
    let mut named = view.named(Family::PageFault, kind, title, found, &["bad-access"]);
    if !KNOWN_PAGING.iter().any(|wording| lower.contains(wording)) && kind == "page-fault" {
        // Wordings that trackers know only by their text.
        named.alt_titles.push(text.to_owned());
    }
    Some(named)
}

/// What a fault on a page is called: x86 old and new, arm, riscv, mips; ppc; arm64's finer
/// wordings; s390.
const PAGING: &[&str] = &[
    "paging request",
    "page fault for address",
    "kernel data access",
    "kernel instruction fetch",
    "execution of",
    "execute from",
    "read from",
    "write to",
    "pointer dereference",
];

/// The wordings that every tracker knows as a paging request.
const KNOWN_PAGING: &[&str] =
    &["paging request", "page fault for address", "kernel data access", "user memory"];

/// Exceptions of x86 (arch/x86/kernel/traps.c) as `die()` prints them, and what they are called.
struct Exception {
    begins: &'static [&'static str],
    family: Family,
    kind: &'static str,
    title: &'static str,
    /// Whether the trace below the program counter helps: an exception about one instruction is
    /// its function's own.
    trace: bool,
    bad_access: bool,
}

const EXCEPTIONS: &[Exception] = &[
    Exception {
        begins: &["general protection fault"],
        family: Family::GeneralProtection,
        kind: "gpf",
        title: "general protection fault",
        trace: true,
        bad_access: true,
    },
    Exception {
        begins: &["divide error:", "divide_error:"],
        family: Family::DivideError,
        kind: "divide-error",
        title: "divide error",
        trace: false,
        bad_access: false,
    },
    Exception {
        begins: &["invalid opcode:"],
        family: Family::InvalidOpcode,
        kind: "invalid-opcode",
        title: "invalid opcode",
        trace: false,
        bad_access: false,
    },
    Exception {
        begins: &["int3:"],
        family: Family::OtherException,
        kind: "int3",
        title: "int3",
        trace: true,
        bad_access: false,
    },
    Exception {
        begins: &["stack segment:"],
        family: Family::OtherException,
        kind: "stack-segment",
        title: "stack segment fault",
        trace: true,
        bad_access: false,
    },
];

/// Exceptions that are rare enough to share a kind: x86's others, s390's program checks, the
/// traps of MIPS and LoongArch, riscv's `Oops - `.
const OTHER_EXCEPTIONS: &[&str] = &[
    "bounds:",
    "overflow:",
    "invalid TSS:",
    "segment not present:",
    "alignment check:",
    "coprocessor segment overrun:",
    "coprocessor error:",
    "simd exception:",
    "control protection fault:",
    "specification exception:",
    "addressing exception:",
    "operation exception:",
    "illegal operation:",
    "privileged operation:",
    "data exception:",
    "fixpoint divide exception:",
    "translation exception:",
    "protection exception:",
    "Unhandled kernel unaligned access",
    "Kernel unaligned instruction access",
    "Break instruction in kernel code",
    "Reserved instruction in kernel code",
    "Trap instruction in kernel code",
    "Unexpected Data TLB exception",
    "Kernel ade access",
    "Kernel ale access",
    "Integer overflow",
    "do_cpu invoked from kernel context!",
];

/// General protection fault, divide error, invalid opcode, int3, stack segment and the rest.
pub(super) fn exception(view: &View<'_>) -> Option<Named> {
    let text = view.header.strip_prefix("Oops: ").unwrap_or(&view.header);
    if let Some(known) =
        EXCEPTIONS.iter().find(|known| known.begins.iter().any(|words| text.starts_with(words)))
    {
        // Without its colon the line is cut.
        if !text.contains(':') {
            return None;
        }
        let found = view.function(if known.trace { stack::PC_THEN_TRACE } else { stack::PC_ONLY }, &[]);
        let alts: &[&str] = if known.bad_access { &["bad-access"] } else { &[] };
        return Some(view.named(known.family, known.kind, known.title, found, alts));
    }
    if let Some(words) = OTHER_EXCEPTIONS.iter().find(|words| text.starts_with(**words)) {
        let found = view.function(stack::PC_THEN_TRACE, &[]);
        let family = match *words {
            "fixpoint divide exception:" => Family::DivideError,
            "illegal operation:" | "operation exception:" | "Reserved instruction in kernel code" => {
                Family::InvalidOpcode
            }
            _ => Family::OtherException,
        };
        return Some(view.named(family, "other", words.trim_end_matches(':'), found, &[]));
    }
    if !view.header.starts_with("Oops") {
        return None;
    }
    // The fault's own first lines are lost, or the CPU prints none.
    let found = view.function(stack::PC_THEN_TRACE, &[]);
    let rest = view.header.trim_start_matches("Oops").trim_start_matches([':', ' ', '-']);
    if rest.starts_with("Machine check") {
        return Some(view.named(Family::Hardware, "machine-check", "machine check", found, &[]));
    }
    if let Some(word) =
        ["illegal instruction", "undefined instruction"].into_iter().find(|word| rest.starts_with(word))
    {
        return Some(view.named(Family::InvalidOpcode, "invalid-opcode", word, found, &[]));
    }
    // PowerPC's program check comes with a signal: 4 is an unknown instruction, 5 a trap of its own.
    if let Some(signal) = rest.strip_prefix("Exception in kernel mode, sig: ") {
        let unknown = signal.starts_with("4 ");
        let family = if unknown { Family::InvalidOpcode } else { Family::OtherException };
        let kind = if unknown { "invalid-opcode" } else { "other" };
        return Some(view.named(family, kind, "Exception in kernel mode", found, &[]));
    }
    let title = "BUG: unable to handle kernel paging request";
    Some(view.named(Family::PageFault, "page-fault", title, found, &["bad-access"]))
}

/// `PANIC: double fault`.
pub(super) fn double_fault(view: &View<'_>) -> Option<Named> {
    view.header.starts_with("PANIC: double fault").then(|| {
        let found = view.function(stack::PC_ONLY, &[]);
        view.named(Family::DoubleFault, "double-fault", "PANIC: double fault", found, &[])
    })
}

/// `Internal error: …`, `Unhandled fault: …`, `Alignment trap: …` of ARM.
pub(super) fn arm(view: &View<'_>) -> Option<Named> {
    let title = ["Internal error", "Unhandled fault", "Unhandled prefetch abort", "Alignment trap"]
        .into_iter()
        .find(|word| view.after(word).is_some_and(|rest| rest.starts_with(':')))?;
    let found = view.function(stack::PC_THEN_TRACE, &[]);
    let lower = view.header.to_ascii_lowercase();
    let family = if lower.contains("undefined instruction") || lower.contains("undefinstr") {
        Family::InvalidOpcode
    } else if lower.contains("serror") || lower.contains("synchronous external abort") {
        Family::Hardware
    } else if lower.contains("oops - bug") {
        Family::Bug
    } else if lower.contains("error: oops: ") || is_access_fault(&lower) {
        Family::PageFault
    } else {
        Family::OtherException
    };
    let alts: &[&str] = if title == "Alignment trap" { &[] } else { &["bad-access"] };
    Some(view.named(family, "arm-fault", title, found, alts))
}

/// 32-bit ARM's words for faults of the page tables (`fsr_info` in arch/arm/mm/fsr-2level.c).
fn is_access_fault(lower: &str) -> bool {
    lower.starts_with("unhandled")
        && ["domain fault", "translation fault", "permission fault", "access flag fault"]
            .iter()
            .any(|words| lower.contains(words))
}

/// The kernel's stack ran out.
pub(super) fn stack_guard(view: &View<'_>) -> Option<Named> {
    let text = view.header.as_str();
    let (title, steps) = if text.starts_with("BUG: ") && text.contains("stack guard page was hit at") {
        ("BUG: stack guard page was hit", stack::PC_THEN_TRACE)
    } else if ["kernel stack overflow", "Kernel stack overflow", "Corrupt kernel stack, can't continue"]
        .iter()
        .any(|words| text.strip_prefix("Kernel panic - not syncing: ").is_some_and(|t| t.starts_with(words)))
    {
        ("kernel stack overflow", stack::TRACE)
    } else {
        return None;
    };
    let found = view.find(&Plan { steps, skip: &["bad_stack"], key: Key::Stall, ..Plan::default() });
    Some(view.named(Family::Stack, "stack-overflow", title, found, &["stack-overflow"]))
}

/// Machine checks, SErrors, errors that the firmware reports.
pub(super) fn hardware(view: &View<'_>) -> Option<Named> {
    if view.header.starts_with("SError Interrupt on CPU") {
        let found = view.function(stack::PC_THEN_TRACE, &[]);
        let mut named = view.named(Family::Hardware, "arm-fault", "SError Interrupt", found, &[]);
        named.alt_titles.push("kernel panic: Asynchronous SError Interrupt".to_owned());
        return Some(named);
    }
    let lower = view.whole.to_ascii_lowercase();
    if lower.contains("kernel panic") {
        return None;
    }
    if lower.contains("machine check") {
        return Some(view.plain(Family::Hardware, "machine-check", "machine check").stackless());
    }
    if lower.contains("hardware error") || lower.starts_with("edac ") {
        return Some(view.plain(Family::Hardware, "other", "hardware error").stackless());
    }
    None
}
