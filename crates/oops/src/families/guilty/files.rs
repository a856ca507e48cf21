//! Files that a crash is not about, as data: each group with the reason it is passed over.
//!
//! A pattern is a path of the kernel's tree: `*` stands for anything within a directory, a final
//! `/` for everything below.

/// One group of the list.
struct Group {
    /// Why a crash goes to their callers. Kept beside them so that the list can be judged.
    #[allow(dead_code, reason = "for the reader of the table")]
    reason: &'static str,
    patterns: &'static [&'static str],
}

/// The helpers.
static HELPERS: &[Group] = &[
    Group {
        reason: "code in headers is inlined into its users, and goes wrong by what they hand it",
        patterns: &["include/", "*.h"],
    },
    Group {
        reason: "libraries: strings, lists, trees, printf, refcounts, CRCs work on what they are given",
        patterns: &["lib/", "virt/lib/", "arch/*/lib/", "rust/"],
    },
    Group {
        reason: "checkers and what records for them: they find the bug, they are not it",
        patterns: &[
            "mm/kasan/",
            "mm/kmsan/",
            "mm/kfence/",
            "mm/kmemleak.c",
            "mm/kmemcheck.c",
            "mm/usercopy.c",
            "mm/maccess.c",
            "mm/debug.c",
            "mm/page_owner.c",
            "mm/page_poison.c",
            "mm/page_table_check.c",
            "kernel/kcov.c",
            "kernel/kcsan/",
            "kernel/cfi.c",
            "kernel/stackleak.c",
            "mm/failslab.c",
            "mm/page_ext.c",
            "kernel/dma/debug.c",
        ],
    },
    Group {
        reason: "allocators find a heap that others damaged, or are handed what was never theirs",
        patterns: &[
            "mm/sl?b.c",
            "mm/slab_common.c",
            "mm/page_alloc.c",
            "mm/percpu*",
            "mm/vmalloc.c",
            "mm/mempool.c",
            "mm/dmapool.c",
            "mm/util.c",
        ],
    },
    Group {
        reason: "page faults, page cache and page lists: every file system's and every process's way",
        patterns: &[
            "mm/memory.c",
            "mm/filemap.c",
            "mm/folio-compat.c",
            "mm/truncate.c",
            "mm/readahead.c",
            "mm/page-writeback.c",
            "mm/highmem.c",
            "mm/vmstat.c",
            "mm/swap.c",
            "mm/list_lru.c",
        ],
    },
    Group {
        reason: "locks, RCU and waiting: the one who takes the lock or waits is in question",
        patterns: &[
            "kernel/locking/",
            "kernel/rcu/",
            "kernel/sched/",
            "kernel/smp.c",
            "kernel/up.c",
            "kernel/freezer.c",
            "mm/mmap_lock.c",
            "kernel/time/timer.c",
            "kernel/time/hrtimer.c",
            "kernel/time/sleep_timeout.c",
        ],
    },
    Group {
        reason: "dispatchers call what others registered: work, soft interrupts, threads, notifiers",
        patterns: &[
            "kernel/workqueue.c",
            "kernel/softirq.c",
            "kernel/kthread.c",
            "kernel/task_work.c",
            "kernel/notifier.c",
            "kernel/irq_work.c",
        ],
    },
    Group {
        reason: "what reports the crash: panic, printk, watchdogs, stack dumpers and unwinders",
        patterns: &[
            "kernel/panic.c",
            "kernel/printk/",
            "kernel/stacktrace.c",
            "kernel/watchdog*",
            "kernel/hung_task.c",
            "arch/*/kernel/dumpstack*",
            "arch/*/kernel/stacktrace*",
            "arch/*/kernel/unwind*",
            "arch/*/kernel/nmi*",
            "arch/*/kernel/apic/hw_nmi.c",
        ],
    },
    Group {
        reason: "exceptions and the way into and out of the kernel",
        patterns: &[
            "kernel/entry/",
            "kernel/context_tracking.c",
            "kernel/extable.c",
            "arch/*/entry/",
            "arch/*/kernel/entry*",
            "arch/*/kernel/traps*",
            "arch/*/kernel/syscall*",
            "arch/*/kernel/debug-monitors.c",
            "arch/*/mm/fault*",
            "arch/*/mm/extable.c",
            "arch/*/mm/physaddr.c",
        ],
    },
    Group {
        reason: "the switch from task to task, on top of every sleeping task's stack",
        patterns: &["arch/*/kernel/process*"],
    },
    Group {
        reason: "the network's common core: every protocol and every driver queues through it",
        patterns: &["net/core/dev.c", "net/core/sock.c", "net/core/skbuff.c"],
    },
    Group {
        reason: "registration and submission: their warnings are about what a driver asked for",
        patterns: &[
            "fs/proc/generic.c",
            "drivers/usb/core/urb.c",
            "drivers/usb/core/message.c",
            "drivers/usb/core/hcd.c",
        ],
    },
    Group {
        reason: "the secure world's sources, quoted in its messages, are not in the kernel's tree",
        patterns: &["trusty/"],
    },
];

/// Functions of the timer tick, in which a CPU finds its own stall.
pub(super) const TICK: &[&str] = &[
    "update_process_times",
    "rcu_sched_clock_irq",
    "rcu_check_callbacks",
    "tick_sched_handle",
    "tick_periodic",
    "tick_nohz_handler",
    "tick_nohz_highres_handler",
];

/// Where each CPU enters the kernel for an interrupt: the frames outside of these were interrupted.
pub(super) const INTERRUPT_ENTRIES: &[&str] = &[
    // x86
    "apic_timer_interrupt",
    "asm_sysvec_apic_timer_interrupt",
    "asm_sysvec_hyperv_stimer0",
    "asm_sysvec_xen_hvm_callback",
    "xen_hvm_callback_vector",
    "hyperv_stimer0_callback_vector",
    "asm_common_interrupt",
    "common_interrupt",
    "ret_from_intr",
    // arm64
    "el1_irq",
    "el0_irq",
    "el1h_64_irq",
    "el1h_64_fiq",
    "el0t_64_irq",
    "el0t_32_irq",
    // arm
    "__irq_svc",
    "__irq_usr",
    // riscv
    "ret_from_exception",
    "handle_exception",
    // powerpc
    "decrementer_common",
    "decrementer_common_virt",
    "hardware_interrupt_common",
    // s390
    "ext_int_handler",
    "io_int_handler",
    // mips, loongarch
    "handle_int",
    "ret_from_irq",
    "except_vec_vi_end",
    "handle_vint",
];

/// Whether a crash is passed on to the callers of `file`, a path of the kernel's tree.
pub(super) fn is_helper(file: &str) -> bool {
    HELPERS.iter().flat_map(|group| group.patterns).any(|pattern| matches(pattern, file))
}

fn matches(pattern: &str, file: &str) -> bool {
    if let Some(end) = pattern.strip_prefix('*').filter(|end| !end.contains('/')) {
        return file.ends_with(end);
    }
    let mut names = file.split('/');
    let mut parts = pattern.split('/').peekable();
    while let Some(part) = parts.next() {
        if part.is_empty() && parts.peek().is_none() {
            // A directory's pattern: there is a file below it.
            return names.next().is_some();
        }
        if !names.next().is_some_and(|name| glob(part, name)) {
            return false;
        }
    }
    names.next().is_none()
}

/// One `*` (any run of characters) and any number of `?` (one character) within a name.
fn glob(part: &str, name: &str) -> bool {
    let same =
        |p: &str, n: &str| p.len() == n.len() && p.bytes().zip(n.bytes()).all(|(p, n)| p == b'?' || p == n);
    match part.split_once('*') {
        None => same(part, name),
        Some((head, tail)) => {
            let fits = name.len() >= head.len() + tail.len();
            fits && name.get(..head.len()).is_some_and(|n| same(head, n))
                && name.get(name.len() - tail.len()..).is_some_and(|n| same(tail, n))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_say() {
        for helper in [
            "include/linux/list.h",
            "net/mac80211/driver-ops.h",
            "lib/vsprintf.c",
            "lib/math/div64.c",
            "arch/x86/lib/copy_user.c",
            "mm/slub.c",
            "mm/slab.c",
            "mm/percpu-vm.c",
            "arch/arm64/kernel/process.c",
            "arch/x86/kernel/process_64.c",
            "kernel/printk/printk_safe.c",
        ] {
            assert!(is_helper(helper), "{helper}");
        }
        for own in [
            "mm/mmap.c",
            "fs/inode.c",
            "net/ipv4/tcp.c",
            "drivers/lib/x.c",
            "kernel/fork.c",
            "arch/x86/kvm/x86.c",
            "drivers/usb/core/hub.c",
            "mm/slab",
            "lib",
        ] {
            assert!(!is_helper(own), "{own}");
        }
    }

    #[test]
    fn no_pattern_twice_and_none_without_reason() {
        let mut all: Vec<&str> = HELPERS.iter().flat_map(|group| group.patterns).copied().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(HELPERS.iter().all(|group| group.reason.len() > 20));
    }
}
