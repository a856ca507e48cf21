//! Which words open a report, and which lines that carry them do not.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind, packed};

/// A word that opens a report.
pub(crate) struct Trigger {
    /// The word, as the kernel prints it; case matters.
    pub needle: &'static str,
    /// Lines with any of these are no report: each is a real line that some kernel or program
    /// prints in health.
    pub harmless: &'static [&'static str],
    /// What else must hold, given the line and its part from the word on.
    when: fn(&str, &str) -> bool,
    /// The word stands in the middle of what it announces: the header is the whole line.
    middle: bool,
    /// Not a crash but what may lead to one. It is a report only where the log has no crash, and
    /// within another report it is one of its lines.
    pub mild: bool,
}

const fn t(needle: &'static str, harmless: &'static [&'static str]) -> Trigger {
    Trigger { needle, harmless, when: |_, _| true, middle: false, mild: false }
}

const fn when(needle: &'static str, when: fn(&str, &str) -> bool) -> Trigger {
    Trigger { needle, harmless: &[], when, middle: false, mild: false }
}

const fn mild(needle: &'static str, when: fn(&str, &str) -> bool) -> Trigger {
    Trigger { needle, harmless: &[], when, middle: true, mild: true }
}

const fn middle(needle: &'static str, when: fn(&str, &str) -> bool) -> Trigger {
    Trigger { needle, harmless: &[], when, middle: true, mild: false }
}

/// Every trigger. Where two stand in one line the earlier one counts.
pub(crate) static TRIGGERS: &[Trigger] = &[
    t(
        "BUG:",
        &[
            // CONFIG_DEBUG_OBJECTS' `ODEBUG:`, `Boot_DEBUG:` and Android's `DEBUG:` contain the word.
            "DEBUG:",
            // Hints that old KASAN prints above the fault they belong to.
            "kasan: bug:",
            // Android's boot.
            "xlog_status:",
            // The fuzzer's own output.
            "BUG: no syscalls can create resource",
        ],
    ),
    t(
        "WARNING:",
        &[
            // sshd
            "WARNING: /etc/ssh/moduli",
            // deprecations and the like, by the kernel
            "unsafe process_madvise",
            "WARNING: the mand mount option",
            "WARNING: The mand mount option",
            "uses deprecated v2 capabilities",
            "uses wireless extensions",
            "USES WIRELESS EXTENSIONS",
            "WARNING: workqueue cpumask",
            "WARNING: fbcon: Driver",
            // mitigations of the processor's flaws
            "WARNING: Spectre v2",
            "WARNING: Unprivileged eBPF",
            "WARNING: See https",
            "WARNING: kernel not compiled with",
            // file systems' own levels
            "EXT4-fs (",
            "EXT4-fs:",
            "EXT4-FS",
            "XFS (",
            // glibc's text, dumped to the console
            "WARNING: Unsupported flag value",
        ],
    ),
    t(
        "INFO:",
        &[
            "INFO: lockdep is turned off",
            "INFO: Stall ended",
            "INFO: NMI handler",
            "INFO: recovery required",
            "took too long",
            // Android's daemons, and what ends in the word: `INVALID BTF_INFO:`.
            "storage:INFO:",
            "_INFO:",
            // The fuzzer's own output.
            "INFO: no syscalls can create resource",
            "is not present in /proc/kallsyms",
        ],
    ),
    t("Unable to handle kernel", &[]),
    t("general protection fault", &["traps:", "general protection fault in user"]),
    t("stack segment: ", &[]),
    when("Kernel panic", |_, from| from.starts_with("Kernel panic - not syncing")),
    t("kernel BUG", &[]),
    when("Kernel BUG", |_, from| from.starts_with("Kernel BUG at") || from.starts_with("Kernel BUG [#")),
    when("Kernel bug detected", |_, from| from.contains("[#")),
    t("BUG kmalloc-", &[]),
    // SLUB's own complaints about any other cache; other checks only append their name to its line.
    middle("ainted): ", |line, from| {
        line.starts_with("BUG ") && SLUB_COMPLAINTS.iter().any(|words| from.contains(words))
    }),
    t("divide error:", &["traps:"]),
    t("divide_error:", &[]),
    t("invalid opcode:", &["traps:"]),
    when("int3:", |_, from| from.starts_with("int3: 0000")),
    // The processor's rarer exceptions: x86's `simd exception: 0000 [#1]`, s390's `illegal
    // operation: 0001 ilc:1 [#1]`.
    middle("exception: 00", |line, from| from.contains("[#") && die_line(line)),
    middle("operation: 000", |line, from| from.contains("[#") && die_line(line)),
    middle(": 0000 [#", |line, _| {
        [
            "bounds",
            "overflow",
            "invalid TSS",
            "segment not present",
            "alignment check",
            "coprocessor",
            "control protection fault",
        ]
        .iter()
        .any(|word| line.trim_start().trim_start_matches("Oops: ").starts_with(word))
    }),
    middle("in kernel code[#", |_, _| true),
    when("Unhandled kernel unaligned access", |_, from| from.contains("[#")),
    // More words of MIPS and LoongArch; and s390's BUG, where the line with its place is lost.
    when("Kernel unaligned instruction access", |_, from| from.contains("[#")),
    when("Kernel ade access", |_, from| from.contains("[#")),
    when("Kernel ale access", |_, from| from.contains("[#")),
    when("Integer overflow[#", |_, _| true),
    when("do_cpu invoked from kernel context![#", |_, _| true),
    middle("event: 0040 ilc:", |line, from| from.contains("[#") && die_line(line)),
    t("PANIC: double fault", &[]),
    t("UBSAN:", &[]),
    t("Internal error:", &[]),
    t("Unhandled fault:", &[]),
    t("Unhandled prefetch abort:", &[]),
    t("Alignment trap:", &[]),
    when("unregister_netdevice: waiting for", |_, _| true),
    t("trusty: panic", &[]),
    t("trusty: ASSERT", &[]),
    when("panicked at", |line, _| line.contains("rust_kernel: panicked at")),
    when("unreferenced object", |_, from| from.starts_with("unreferenced object 0x")),
    t("VFS: Busy inodes after unmount", &[]),
    t("VFS: Close: file count is 0", &[]),
    Trigger {
        needle: "Booting the kernel.",
        // The fuzzer mounts with what it read from the console, and the kernel prints it back.
        harmless: &["Unknown parameter '", "Parsing ELF", "Decompressing Linux"],
        when: |_, from| from.trim_end() == "Booting the kernel.",
        middle: false,
        mild: false,
    },
    t("SYZFAIL:", &[]),
    t("SYZFATAL:", &[]),
    when("hard LOCKUP", |line, _| {
        line.contains("hard LOCKUP on cpu") || line.contains("detected hard LOCKUP")
    }),
    when("Oops", |_, from| {
        // `Oops: 0002 [#1]`, `Oops[#1]:` of MIPS and LoongArch, `Oops - illegal instruction [#1]` of riscv.
        from.contains("[#")
            && ["Oops: ", "Oops[#", "Oops [#", "Oops - "].iter().any(|start| from.starts_with(start))
    }),
    when("Machine check", |line, from| from.contains("[#") || line.contains("Fatal Machine check")),
    when("SError Interrupt", |_, from| from.starts_with("SError Interrupt on CPU")),
    t("Out of memory and no killable", &[]),
    Trigger {
        needle: "fatal error: ",
        harmless: &["seq fatal error", "cannot create timer"],
        when: |line, _| line.starts_with("fatal error: "),
        middle: false,
        mild: false,
    },
    mild("invoked oom-killer:", |_, _| true),
    mild("page allocation failure: ", |_, from| from.contains("order:")),
    mild(": nobody cared ", |line, _| line.starts_with("irq ")),
    mild("Machine Check Exception:", |line, _| line.contains("[Hardware Error]")),
    mild("APEI Generic Hardware Error Source", |line, _| line.contains("[Hardware Error]")),
    mild("EDAC MC", |line, from| line.starts_with("EDAC MC") && from.contains(" UE ")),
];

/// What SLUB says of a cache, in the words of all kernels (mm/slub.c).
const SLUB_COMPLAINTS: &[&str] = &[
    "edzone overwritten",
    "oison overwritten",
    "adding overwritten",
    "Object already free",
    "Freelist Pointer",
    "Freepointer corrupt",
    "Freechain corrupt",
    "Invalid object pointer",
    "Objects remaining in",
    "Object corrupt",
    "Wrong ",
    "Free pointer corrupt",
    "Attempt to free",
    "Not a valid slab page",
];

/// Whether `line` is one that `die()` prints: the exception's name, its code, the oops's number.
fn die_line(line: &str) -> bool {
    let text = line.trim_start().trim_start_matches("Oops: ");
    let Some((name, code)) = text.split_once(": ") else { return false };
    let code = code.split(' ').next().unwrap_or_default();
    name.len() < 40
        && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b' ' || b == b'_')
        && code.len() == 4
        && code.bytes().all(|b| b.is_ascii_hexdigit())
}

static FINDER: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(TRIGGERS.iter().map(|t| t.needle)).ok());

/// Where a trigger stands in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Byte offset in the line's text.
    pub at: usize,
    /// Which word it is.
    pub needle: &'static str,
    /// See [`Trigger::mild`].
    pub mild: bool,
}

/// No trigger is longer, in bytes.
pub(crate) const LONGEST: usize = 64;

/// No harmless phrase is longer, in bytes.
pub(crate) const LONGEST_PHRASE: usize = 96;

/// More triggers than this, and searching takes nearly twice as long (aho-corasick's Teddy: 2.0 to
/// 2.8 GB/s were measured with 64, 1.5 GB/s without it).
#[cfg(test)]
const ROOM: usize = 64;

/// Finds any of the words in bytes, several at a time where the CPU can (that has room for
/// 64 words).
static PACKED: LazyLock<Option<packed::Searcher>> =
    LazyLock::new(|| packed::Searcher::new(TRIGGERS.iter().map(|t| t.needle)));

/// The same for other CPUs.
static PLAIN: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let words = TRIGGERS.iter().map(|t| t.needle);
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(words).ok()
});

/// Where in `bytes` the first word stands that can open a report, and which it is: the prefilter
/// that lets ordinary logs pass at memory speed.
pub(crate) fn first(bytes: &[u8]) -> Option<(usize, usize)> {
    if let Some(searcher) = PACKED.as_ref() {
        return searcher.find(bytes).map(|found| (found.start(), found.pattern().as_usize()));
    }
    PLAIN.as_ref()?.find(bytes).map(|found| (found.start(), found.pattern().as_usize()))
}

/// A harmless phrase, and the place of a trigger's word in it.
type Phrase = (usize, &'static [u8]);

/// By trigger: the harmless phrases that hold its word.
static AROUND: LazyLock<Vec<Vec<Phrase>>> = LazyLock::new(|| {
    let around = |trigger: &Trigger| {
        let with = |phrase: &&'static str| Some((phrase.find(trigger.needle)?, phrase.as_bytes()));
        trigger.harmless.iter().filter_map(with).collect()
    };
    TRIGGERS.iter().map(around).collect()
});

/// Whether the word at `at` is a part of a harmless phrase. That is known from the bytes as they
/// are: no timestamp and no escape stands within a phrase, so that it is one line's in any case.
pub(crate) fn is_harmless(bytes: &[u8], at: usize, trigger: usize) -> bool {
    AROUND.get(trigger).is_some_and(|phrases| {
        phrases.iter().any(|(word, phrase)| {
            let from = at.checked_sub(*word).and_then(|start| bytes.get(start..));
            from.is_some_and(|from| from.starts_with(phrase))
        })
    })
}

/// The words that can open a report: the lines that hold none of them are not even looked at.
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    TRIGGERS.iter().map(|trigger| trigger.needle)
}

/// The first trigger of a line that is meant as one.
pub(crate) fn find(text: &str) -> Option<Hit> {
    let finder = FINDER.as_ref()?;
    finder
        .find_iter(text)
        .filter_map(|found| TRIGGERS.get(found.pattern().as_usize()).map(|trigger| (trigger, found.start())))
        .find(|(trigger, at)| trigger.is_meant(text, *at))
        .map(|(trigger, at)| {
            let start = text.len() - text.trim_start().len();
            Hit { at: if trigger.middle { start } else { at }, needle: trigger.needle, mild: trigger.mild }
        })
}

impl Trigger {
    fn is_meant(&self, text: &str, at: usize) -> bool {
        let from = text.get(at..).unwrap_or_default();
        !self.harmless.iter().any(|phrase| text.contains(phrase)) && (self.when)(text, from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_trigger() {
        assert!(TRIGGERS.iter().all(|trigger| trigger.needle.len() <= LONGEST));
        let mut phrases = TRIGGERS.iter().flat_map(|trigger| trigger.harmless);
        assert!(phrases.all(|phrase| phrase.len() <= LONGEST_PHRASE));
        assert!(TRIGGERS.len() <= ROOM);
    }

    #[test]
    fn triggers_and_their_look_alikes() {
        for text in [
            "BUG: unable to handle page fault for address: 0",
            "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [x:1]",
            "------ WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2",
            "Unable to handle kernel paging request at virtual address 0",
            "CPU 0 Unable to handle kernel paging request at virtual address 00000000, epc == 80100000, ra == 80100010",
            "foo general protection fault: 0000 [#1] SMP",
            "Oops: 0002 [#1] SMP",
            "Oops[#1]:",
            "Oops [#1]",
            "Oops - illegal instruction [#1]",
            "Oops: Kernel access of bad area, sig: 11 [#1]",
            "simd exception: 0000 [#1] SMP",
            "specification exception: 0006 ilc:2 [#1] SMP",
            "illegal operation: 0001 ilc:1 [#1] SMP",
            "Kernel bug detected[#1]:",
            "Break instruction in kernel code[#1]:",
            "Unhandled kernel unaligned access[#1]:",
            "BUG dentry (Not tainted): Poison overwritten",
            "Booting the kernel.",
        ] {
            assert!(find(text).is_some_and(|hit| !hit.mild), "{text}");
        }
        for text in [
            "rsyslogd invoked oom-killer: gfp_mask=0x1100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0",
            "insmod: page allocation failure: order:10, mode:0x40dc0(GFP_KERNEL|__GFP_COMP|__GFP_ZERO)",
            "irq 16: nobody cared (try booting with the \"irqpoll\" option)",
            "mce: [Hardware Error]: CPU 1: Machine Check Exception: 5 Bank 4: be00000000800400",
            "{1}[Hardware Error]: Hardware error from APEI Generic Hardware Error Source: 0",
            "EDAC MC0: 1 UE memory read error on CPU_SrcID#0_Ha#0_Chan#0_DIMM#0",
        ] {
            assert!(find(text).is_some_and(|hit| hit.mild), "{text}");
        }
        for text in [
            "Boot_DEBUG: x",
            "ODEBUG: Out of memory. ODEBUG disabled",
            "D/DEBUG: x",
            "INFO: lockdep is turned off.",
            "INFO: NMI handler (perf_event_nmi_handler) took too long to run: 1.2 msecs",
            "perf: interrupt took too long (2503 > 2500), lowering kernel.perf_event_max_sample_rate to 79000, INFO: x",
            "EXT4-fs (loop1): INFO: recovery required on readonly filesystem",
            "BPF: [1] INVALID BTF_INFO:10",
            "traps: a[1] general protection fault ip:1 sp:2 error:0 in a[1+2]",
            "a[1]: segfault at 0 ip 1 sp 2 error 4 in a[1+2]",
            "WARNING: /etc/ssh/moduli does not exist, using fixed modulus",
            "process 'x' WARNING: the mand mount option is being deprecated",
            "Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible via Spectre v2 BHB attacks!",
            "MDS CPU bug present and SMT on, data leak possible. WARNING: See https://www.kernel.org/doc/html/latest for more details.",
            "warning: `a' uses wireless extensions which will stop working for Wi-Fi 7 hardware; use nl80211",
            "WARNING: `a' uses deprecated v2 capabilities in a way that may be insecure",
            "ALSA: seq fatal error: cannot create timer (-19)",
            "EXT4-fs: Warning: mounting with data=journal disables delayed allocation",
            "ext4: Unknown parameter 'Booting the kernel.'",
            "Booting the kernel",
            "Decompressing Linux... Parsing ELF... done. Booting the kernel.",
            "Warning: x",
            "BUG fasync_cache (Tainted: G    B          ): kasan: bad access detected",
            "an exception: 12 [#1]x",
            "Oops, a typo",
            "",
        ] {
            assert!(find(text).is_none(), "{text}");
        }
    }
}
