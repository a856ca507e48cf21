//! Faults and exceptions of the processor.

use super::stack::{self, Source};
use super::{Named, View};
use crate::record::Family;

/// `Unable to handle kernel …`, `BUG: unable to handle …`, `BUG: kernel NULL pointer dereference`.
pub(super) fn page_fault(view: &View<'_>) -> Option<Named> {
    let text = view.header;
    let lower = text.to_ascii_lowercase();
    let handled = lower.starts_with("unable to handle") || lower.starts_with("bug: unable to handle");
    if lower.contains("kernel null pointer dereference") && (handled || lower.starts_with("bug: kernel null"))
    {
        let found = view.function(Source::PcThenTrace, None, &[]);
        return Some(view.named(
            Family::PageFault,
            "null-deref",
            "BUG: unable to handle kernel NULL pointer dereference",
            found,
            &["bad-access"],
        ));
    }
    if !handled {
        return None;
    }
    let known = [
        "paging request",
        "page fault for address",
        "access to user memory",
        "kernel data access",
        "kernel instruction fetch",
        "execution of",
        "execute from",
        "read from",
        "write to",
    ];
    if !known.iter().any(|wording| lower.contains(wording)) {
        return Some(Named {
            corrupted: true,
            ..view.plain(Family::PageFault, "page-fault", "BUG: unable to handle kernel")
        });
    }
    let title = if lower.contains("access to user memory") {
        "BUG: unable to handle kernel access to user memory"
    } else {
        "BUG: unable to handle kernel paging request"
    };
    let found = view.function(Source::PcThenTrace, None, &[]);
    Some(view.named(Family::PageFault, "page-fault", title, found, &["bad-access"]))
}

/// General protection fault, divide error, invalid opcode, int3, stack segment.
pub(super) fn exception(view: &View<'_>) -> Option<Named> {
    let mut text = view.header;
    text = text.strip_prefix("Oops: ").unwrap_or(text);
    let (family, kind, title, source, alts): (_, _, _, _, &[&str]) = if text
        .starts_with("general protection fault")
    {
        (Family::GeneralProtection, "gpf", "general protection fault", Source::PcThenTrace, &["bad-access"])
    } else if text.starts_with("divide error:") || text.starts_with("divide_error:") {
        (Family::DivideError, "divide-error", "divide error", Source::PcOnly, &[])
    } else if text.starts_with("invalid opcode:") {
        (Family::InvalidOpcode, "invalid-opcode", "invalid opcode", Source::PcOnly, &[])
    } else if text.starts_with("int3:") {
        (Family::OtherException, "int3", "int3", Source::PcThenTrace, &[])
    } else if text.starts_with("stack segment:") {
        (Family::OtherException, "stack-segment", "stack segment fault", Source::PcThenTrace, &[])
    } else if view.header.starts_with("Oops: ") {
        // A page fault whose first lines are lost.
        (
            Family::PageFault,
            "page-fault",
            "BUG: unable to handle kernel paging request",
            Source::PcThenTrace,
            &["bad-access"],
        )
    } else {
        return None;
    };
    Some(view.named(family, kind, title, view.function(source, None, &[]), alts))
}

/// `PANIC: double fault`.
pub(super) fn double_fault(view: &View<'_>) -> Option<Named> {
    view.header.starts_with("PANIC: double fault").then(|| {
        let found = view.function(Source::PcOnly, None, &[]);
        view.named(Family::DoubleFault, "double-fault", "PANIC: double fault", found, &[])
    })
}

/// `Internal error: …`, `Unhandled fault: …`, `Alignment trap: …` of ARM.
pub(super) fn arm(view: &View<'_>) -> Option<Named> {
    let title = ["Internal error", "Unhandled fault", "Alignment trap"]
        .into_iter()
        .find(|word| view.header.strip_prefix(word).is_some_and(|rest| rest.starts_with(':')))?;
    let found = view.function(Source::PcThenTrace, None, &[]);
    let lower = view.header.to_ascii_lowercase();
    let family = if lower.contains("undefined instruction") || lower.contains("undefinstr") {
        Family::InvalidOpcode
    } else if lower.contains("serror") || lower.contains("synchronous external abort") {
        Family::Hardware
    } else if lower.contains("oops - bug") {
        Family::Bug
    } else if lower.contains("error: oops: ") {
        Family::PageFault
    } else {
        Family::OtherException
    };
    let alts: &[&str] = if title == "Alignment trap" { &[] } else { &["bad-access"] };
    Some(view.named(family, "arm-fault", title, found, alts))
}

/// The kernel's stack ran out.
pub(super) fn stack_guard(view: &View<'_>) -> Option<Named> {
    let text = view.header;
    let title = if text.contains("stack guard page was hit") {
        "BUG: stack guard page was hit"
    } else if text.starts_with("Kernel panic") && text.contains("kernel stack overflow") {
        "kernel stack overflow"
    } else {
        return None;
    };
    let from = stack::pc(&view.lines).map_or(0, |(at, _)| at);
    let found = stack::representative(&view.lines, from);
    Some(view.named(Family::Stack, "stack-overflow", title, found, &["stack-overflow"]))
}

/// Machine checks and SErrors.
pub(super) fn hardware(view: &View<'_>) -> Option<Named> {
    if view.header.starts_with("SError Interrupt on CPU") {
        let found = view.function(Source::PcThenTrace, None, &[]);
        return Some(view.named(Family::Hardware, "arm-fault", "SError Interrupt", found, &[]));
    }
    if view.header.to_ascii_lowercase().contains("machine check") {
        return Some(view.plain(Family::Hardware, "machine-check", "machine check"));
    }
    None
}
