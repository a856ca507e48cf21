//! Which words open a report, and which lines that carry them do not.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// A word that opens a report.
pub(crate) struct Trigger {
    /// The word, as the kernel prints it; case matters.
    pub needle: &'static str,
    /// Lines with any of these are no report: each is a real line that some kernel or program
    /// prints in health.
    pub harmless: &'static [&'static str],
}

const fn t(needle: &'static str, harmless: &'static [&'static str]) -> Trigger {
    Trigger { needle, harmless }
}

/// Every trigger. Where two stand in one line the earlier one counts.
pub(crate) static TRIGGERS: &[Trigger] = &[
    t(
        "BUG:",
        &[
            // `Boot_DEBUG:` and Android's `DEBUG:` contain the word.
            "DEBUG:",
            "kasan: bug:",
        ],
    ),
    t(
        "WARNING:",
        &[
            "WARNING: /etc/ssh/moduli",
            "unsafe process_madvise",
            "WARNING: the mand mount option",
            "WARNING: Unsupported flag value",
            "WARNING: fbcon: Driver",
            "WARNING: Spectre v2",
            "WARNING: Unprivileged eBPF",
            "WARNING: workqueue cpumask",
            "WARNING: See https://",
            "WARNING: kernel not compiled with",
            "USES WIRELESS EXTENSIONS",
        ],
    ),
    t(
        "INFO:",
        &[
            "INFO: lockdep is turned off",
            "INFO: Stall ended",
            "INFO: NMI handler",
            "INFO: recovery required",
            "INFO: Recovery required",
            "INFO: Slab 0x",
            "INFO: Object 0x",
            "INFO: sequence number",
            "INFO: rcu_preempt detected expedited stalls on CPUs/tasks: {",
            "handler (perf_event_nmi_handler) took too long",
            "_INFO::",
            "INFO: creating /dev",
            "hrtimer: interrupt took",
        ],
    ),
    t("Unable to handle kernel", &[]),
    t("general protection fault", &["traps:", "error:0 in", "general protection fault in user"]),
    t("stack segment: ", &[]),
    t("Kernel panic", &[]),
    t("kernel BUG", &[]),
    t("Kernel BUG", &[]),
    t("BUG kmalloc-", &[]),
    t("divide error:", &["traps:"]),
    t("divide_error:", &[]),
    t("invalid opcode:", &["traps:"]),
    t("int3:", &[]),
    t("PANIC: double fault", &[]),
    t("UBSAN:", &[]),
    t("Internal error:", &[]),
    t("Unhandled fault:", &[]),
    t("Alignment trap:", &[]),
    t("unregister_netdevice: waiting for", &[]),
    t("trusty: panic", &[]),
    t("trusty: ASSERT", &[]),
    t("panicked at", &[]),
    t("unreferenced object", &[]),
    t("VFS: Busy inodes", &[]),
    t("VFS: Close: file count is", &[]),
    t("Booting the kernel.", &[]),
    t("SYZFAIL:", &[]),
    t("SYZFATAL:", &[]),
    t("hard LOCKUP", &[]),
    t("Oops: ", &[]),
    t("Machine check", &[]),
    t("SError Interrupt", &[]),
    t("Out of memory and no killable", &[]),
    t("fatal error: ", &["seq fatal error", "cannot create timer"]),
];

static FINDER: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(TRIGGERS.iter().map(|t| t.needle)).ok());

/// Where a trigger stands in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Byte offset in the line's text.
    pub at: usize,
    /// Which word it is.
    pub needle: &'static str,
}

/// No trigger is longer, in bytes.
pub(crate) const LONGEST: usize = 64;

/// Where in `bytes` the first word stands that can open a report: the prefilter that lets ordinary
/// logs pass at memory speed.
pub(crate) fn first(bytes: &[u8]) -> Option<usize> {
    FINDER.as_ref().map_or(Some(0), |finder| finder.find(bytes).map(|found| found.start()))
}

/// The first trigger of a line that is meant as one.
pub(crate) fn find(text: &str) -> Option<Hit> {
    let finder = FINDER.as_ref()?;
    finder
        .find_iter(text)
        .filter_map(|found| TRIGGERS.get(found.pattern().as_usize()).map(|trigger| (trigger, found.start())))
        .find(|(trigger, at)| is_meant(trigger, text, *at))
        .map(|(trigger, at)| Hit { at, needle: trigger.needle })
}

fn is_meant(trigger: &Trigger, text: &str, at: usize) -> bool {
    let from = text.get(at..).unwrap_or_default();
    if trigger.harmless.iter().any(|phrase| text.contains(phrase)) {
        return false;
    }
    match trigger.needle {
        "BUG:" => !text.get(..at).is_some_and(|before| before.ends_with("DE")),
        "Oops: " => text.contains("[#"),
        "WARNING:" => !from.trim_end().is_empty(),
        "unreferenced object" => from.starts_with("unreferenced object 0x"),
        "panicked at" => text.contains("rust_kernel: panicked at"),
        "Booting the kernel." => text.trim_end().ends_with("Booting the kernel."),
        "hard LOCKUP" => text.contains("hard LOCKUP on cpu") || text.contains("detected hard LOCKUP"),
        "Machine check" => {
            text.contains("Machine check") && from.contains("[#") || text.contains("Fatal Machine check")
        }
        "SError Interrupt" => from.starts_with("SError Interrupt on CPU"),
        "fatal error: " => text.starts_with("fatal error: "),
        "int3:" => from.starts_with("int3: 0000"),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_trigger() {
        assert!(TRIGGERS.iter().all(|trigger| trigger.needle.len() <= LONGEST));
    }

    #[test]
    fn triggers_and_their_look_alikes() {
        for text in [
            "BUG: unable to handle page fault for address: 0",
            "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [x:1]",
            "------ WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2",
            "Unable to handle kernel paging request at virtual address 0",
            "foo general protection fault: 0000 [#1] SMP",
        ] {
            assert!(find(text).is_some(), "{text}");
        }
        for text in [
            "Boot_DEBUG: x",
            "INFO: lockdep is turned off.",
            "EXT4-fs (loop1): INFO: recovery required on readonly filesystem",
            "traps: a[1] general protection fault ip:1 sp:2 error:0 in a[1+2]",
            "Warning: x",
            "",
        ] {
            assert!(find(text).is_none(), "{text}");
        }
    }
}
