//! The lines that a walk knows: frames, program counters, the headers of stacks.

use crate::fields::values::{code_ref, frames};
use crate::words::{AnyOf, Words};

/// How many lines after a stack's header its first frame may stand: modules and registers may come
/// between, or other tasks' lines.
const FRAME_WITHIN: usize = 15;

/// A stack's header and fewer lines than this, itself included, are the end of a log that was cut.
const FEWEST_LINES: usize = 3;

/// The names of the frames in `line`: only those found by unwinding, and none of those that a
/// symboliser added for inlined functions, so that a title does not depend on whether the text was
/// symbolised.
pub(crate) fn names(line: &str) -> Vec<String> {
    frames(line.trim(), 0)
        .into_iter()
        .filter(|frame| frame.reliable && !frame.inline)
        .filter_map(|frame| frame.at.symbol)
        .map(|name| plain(&name))
        .collect()
}

/// The name up to its first dot, which begins what the compiler appended (`.isra.0`, `.cold`).
/// Rust's names are spelt out and kept whole.
pub(crate) fn plain(name: &str) -> String {
    if (name.starts_with("_R") || name.starts_with("_ZN"))
        && let Ok(rust) = rustc_demangle::try_demangle(name)
    {
        return format!("{rust:#}");
    }
    if name.contains("::") {
        return name.to_owned();
    }
    name.split('.').next().unwrap_or(name).to_owned()
}

/// The headers of stacks, by the sort of stack.
const OPENERS: &[fn(&str) -> bool] = &[
    |line| line.contains("Call Trace") || line.contains("Call trace"),
    |line| line.contains("Backtrace:"),
    // KASAN, old and new.
    |line| line.contains("Allocated:"),
    |line| by_task(line, "Allocated by task "),
    |line| line.contains("Freed:"),
    |line| by_task(line, "Freed by task "),
    // kmemleak's; lockdep's `stack backtrace:` only announces a call trace.
    |line| leak_backtrace(line),
    |line| line.contains("Uninit was stored to memory at"),
    // riscv's show_regs() ends with this line, and its stack follows without a header.
    |line| riscv_status(line),
];

fn by_task(line: &str, words: &str) -> bool {
    line.split_once(words).is_some_and(|(_, rest)| {
        rest.split_once(':').is_some_and(|(id, _)| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// `  backtrace:`, `  backtrace (crc 12ab34cd):`.
pub(crate) fn leak_backtrace(line: &str) -> bool {
    let Some((before, rest)) = line.cut("backtrace") else { return false };
    let whole = rest.starts_with(':') || rest.starts_with(" (crc ") && rest.contains("):");
    whole && !before.ends_with("k ")
}

fn riscv_status(line: &str) -> bool {
    line.contains("status: ") && line.contains(" badaddr: ") && line.contains(" cause: ")
}

/// Whether one of the words is there that every opener has.
fn has_opener(line: &str) -> bool {
    static WORDS: AnyOf = AnyOf::new(&[
        "Call Trace",
        "Call trace",
        "Backtrace:",
        "Allocated",
        "Freed",
        "backtrace",
        "Uninit was stored to memory at",
        "status: ",
    ]);
    WORDS.is_in(line)
}

/// Whether `line` opens a stack.
pub(crate) fn opens(line: &str) -> bool {
    has_opener(line) && OPENERS.iter().any(|opener| opener(line))
}

/// Whether `line` opens a call trace.
pub(crate) fn is_trace(line: &str) -> bool {
    line.contains("Call Trace:") || line.contains("Call trace:") || line.contains("Backtrace:")
}

/// `Some(Some(name))` for a PC line with a function, `Some(None)` for one without: a jump to
/// nowhere, or the user's program counter.
pub(crate) fn pc_name(line: &str) -> Option<Option<String>> {
    const MARKS: &[&str] = &[
        "RIP: ",
        "EIP: ",
        "IP: ",
        "EIP is at ",
        "PC is at ",
        "pc : ",
        "NIP [",
        "NIP: ",
        "epc : ",
        "epc   : ",
        "ERA: ",
        "Krnl PSW : ",
        "RIP [",
    ];
    // Every line passes here: a cheap test first.
    if !line.contains("IP")
        && !line.contains("pc")
        && !line.contains("PC is")
        && !line.contains("ERA")
        && !line.contains("PSW")
    {
        return None;
    }
    let (at, mark) = MARKS.iter().filter_map(|mark| line.find(mark).map(|at| (at, *mark))).min()?;
    // `IP: ` also ends other words (`SKIP: x`).
    let before = line.get(..at).and_then(|head| head.chars().last());
    if mark == "IP: " && before.is_some_and(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let body = line.get(at + mark.len()..)?;
    if body.starts_with("0033:") {
        return Some(None);
    }
    // A symboliser puts what was inlined there above the line that the kernel printed.
    if line.contains(" [inline]") {
        return None;
    }
    let body = match mark {
        "RIP [" | "NIP [" => body.split_once(']').map_or(body, |(_, rest)| rest),
        // s390 prints the PSW in two words, then the place in parentheses.
        "Krnl PSW : " => body.split_once('(').map_or(body, |(_, rest)| rest),
        // mips and loongarch print the bare address first.
        "epc   : " | "ERA: " => body.split_once(' ').map_or(body, |(_, rest)| rest),
        _ => match body.split_once(':') {
            Some((cs, rest)) if cs.len() == 4 => rest,
            _ => body,
        },
    };
    // PowerPC's and RISC-V's numbers alone: the place has a line of its own.
    if matches!(mark, "NIP: " | "epc : ") && body.contains(": ") && !body.contains("+0x") {
        return None;
    }
    let name = code_ref(body).and_then(|(place, _)| place.symbol.filter(|_| place.offset.is_some()));
    Some(name.map(|name| plain(&name)))
}

/// Whether `lines` hold a stack that can be believed: at least one, and none whose header is
/// followed by no frame or by hardly any line. Of each sort the first decides.
pub(crate) fn has_stack(lines: &[&str]) -> bool {
    let mut any = false;
    let openers: Vec<usize> =
        lines.iter().enumerate().filter(|(_, line)| has_opener(line)).map(|(at, _)| at).collect();
    for opener in OPENERS {
        let at = openers.iter().copied().find(|at| lines.get(*at).is_some_and(|line| opener(line)));
        let Some(at) = at else { continue };
        if lines.len().saturating_sub(at) < FEWEST_LINES {
            return false;
        }
        let frame = lines
            .iter()
            .skip(at + 1)
            .take(FRAME_WITHIN)
            .take_while(|line| !opens(line))
            .any(|line| line.contains("(stack is not available)") || !names(line).is_empty());
        if frame {
            any = true;
        } else if !lines.get(at).is_some_and(|line| riscv_status(line)) {
            return false;
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_counters_of_every_cpu() {
        for (line, name) in [
            ("RIP: 0010:go+0x1/0x2", Some("go")),
            ("RIP: 0010:[<ffffffff81000000>]  [<ffffffff81000000>] go+0x1/0x2", Some("go")),
            ("IP: go+0x1/0x2", Some("go")),
            ("IP: [<ffffffff81000000>] go+0x1/0x2 [m]", Some("go")),
            ("EIP: go+0x1/0x2", Some("go")),
            ("EIP: 0060:[<c1000000>] EFLAGS: 00010246 CPU: 0", None),
            ("EIP is at go+0x1/0x2", Some("go")),
            ("PC is at go+0x1/0x2", Some("go")),
            ("pc : go.constprop.0+0x1/0x2 [m]", Some("go")),
            ("pc : [<ffffffc0001d2f8c>] lr : [<ffffffc0001d2f8c>] pstate: 60000145", None),
            ("NIP [c000000000012345] go+0x1/0x2", Some("go")),
            ("epc : go+0x1/0x2", Some("go")),
            ("epc   : 80123456 go+0x1/0x2", Some("go")),
            ("   ERA: 9000000000123456 go+0x1/0x2", Some("go")),
            ("Krnl PSW : 0704c00180000000 0000000000123456 (go+0x1/0x2)", Some("go")),
            ("RIP: 0010:go+0x1/0x2 a.c:12", Some("go")),
            ("RIP: 0033:0x7f0000000000", None),
            ("RIP: 0010:0x0", None),
            ("RIP: 0010:          (null)", None),
        ] {
            assert_eq!(pc_name(line), Some(name.map(str::to_owned)), "{line}");
        }
        for line in [
            "RIP: 0010:helper a.h:3 [inline]",
            "SKIP: go+0x1/0x2",
            "Code: 90",
            " go+0x1/0x2",
            "TIP of the day",
        ] {
            assert_eq!(pc_name(line), None, "{line}");
        }
    }

    #[test]
    fn what_opens_a_stack() {
        for line in [
            "Call Trace:",
            "Call trace:",
            "Backtrace: ",
            "Allocated by task 7:",
            "Freed by task 0:",
            "  backtrace:",
            "  backtrace (crc 1a2b):",
            "Uninit was stored to memory at:",
            "status: 0000000200000120 badaddr: 0000000000000000 cause: 000000000000000d",
        ] {
            assert!(opens(line), "{line}");
        }
        for line in ["stack backtrace:", "Uninit was created at:", " go+0x1/0x2", "Freed by task nobody"] {
            assert!(!opens(line), "{line}");
        }
    }

    #[test]
    fn stacks_to_believe() {
        assert!(has_stack(&["x", "Call Trace:", " <TASK>", " go+0x1/0x2"]));
        assert!(!has_stack(&["x", "Call Trace:", " go+0x1/0x2"]), "the log ends here");
        assert!(!has_stack(&["x", "Call Trace:", "a", "b", "c"]));
        assert!(!has_stack(&["x", "y"]));
        assert!(has_stack(&[
            "x",
            "Call Trace:",
            " go+0x1/0x2",
            "Freed by task 7:",
            "(stack is not available)",
            "z"
        ]));
        assert!(!has_stack(&["x", "Call Trace:", " go+0x1/0x2", "Freed by task 7:", "torn", "z"]));
    }

    #[test]
    fn rust_names_are_spelt_out() {
        assert_eq!(
            plain("_RNvMs3_NtCshgDM7dBCdno_11rust_binder7processNtB5_7Process10update_ref"),
            "<rust_binder::process::Process>::update_ref"
        );
        assert_eq!(plain("go.isra.0"), "go");
    }
}
