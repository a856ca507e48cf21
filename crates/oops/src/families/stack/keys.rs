//! Which of a stack's functions names a stall, a lockup, an overflow or a hang.

use super::{Found, Key};
use crate::families::skip;

/// Why a function is a dispatcher, and how to know it. Patterns as in the lists of helpers.
struct Anchors {
    #[allow(dead_code, reason = "for the reader of the table")]
    reason: &'static str,
    patterns: &'static [&'static str],
}

/// Frames at which a deep stack turns into the kernel's own dispatching: the one just inside is
/// what the CPU was about.
const ANCHORS: &[Anchors] = &[
    Anchors {
        reason: "system call entry, of every CPU and kernel: inside it is the call",
        patterns: &[
            "do_syscall_",
            "do_fast_syscall_",
            "sysenter_dispatch",
            "tracesys_phase2",
            "entry_SYSCALL",
            "system_call_fastpath",
            "el0_svc",
            "invoke_syscall",
            "ret_fast_syscall",
            "do_trap_ecall",
            "x64_sys_call",
            "system_call_exception",
        ],
    },
    Anchors {
        reason: "deferred work: inside it is what was deferred",
        patterns: &[
            "process_one_work",
            "do_softirq",
            "handle_softirqs",
            "run_ksoftirqd",
            "smpboot_thread_fn",
            "^kthread$",
            "ret_from_fork",
            "tasklet_action",
            "tasklet_hi_action",
            "task_work_run",
            "exit_to_usermode",
        ],
    },
    Anchors {
        reason: "timers: inside it is the callback",
        patterns: &["call_timer_fn", "_run_timers", "run_timer_softirq", "hrtimer_run"],
    },
    Anchors {
        reason: "a packet enters the network stack: inside it is the protocol",
        patterns: &["netif_receive_skb"],
    },
    Anchors {
        reason: "the idle loop and a CPU's start",
        patterns: &["start_secondary", "cpu_startup_entry"],
    },
    Anchors {
        reason: "operations of files: inside it is the driver's or file system's",
        patterns: &[
            "vfs_write",
            "vfs_read",
            "vfs_iter_read",
            "vfs_iter_write",
            "do_iter_read",
            "do_iter_write",
            "call_read_iter",
            "call_write_iter",
            "new_sync_read",
            "new_sync_write",
            "vfs_ioctl",
            "ksys_ioctl",
            "compat_ioctl",
            "compat_sys_ioctl",
            "blkdev_driver_ioctl",
            "blkdev_ioctl",
            "^call_mmap",
            "mmap_region",
            "do_mmap",
            "do_dentry_open",
            "vfs_open",
            "__fput",
        ],
    },
    Anchors {
        reason: "operations of sockets: inside it is the protocol's",
        patterns: &[
            "^sock_sendmsg",
            "^sock_recvmsg",
            "^sock_release",
            "^__sock_release",
            "^setsockopt$",
            "kernel_setsockopt",
            "sock_common_setsockopt",
            "^listen$",
            "kernel_listen",
            "sk_common_release",
            "^sock_mmap",
            "^accept$",
            "kernel_accept",
            "^sock_do_ioctl",
            "^sock_ioctl",
            "^compat_sock_ioctl",
            "^nfnetlink_rcv_msg",
            "^rtnetlink_rcv_msg",
            "^netlink_dump",
        ],
    },
    Anchors {
        reason: "calls that only hand on to what a descriptor is of",
        patterns: &["^socketpair", "^sys_socketpair", "^connect", "^sys_connect", "^ioctl", "^sys_ioctl"],
    },
    Anchors {
        reason: "page faults: inside it is the mapping's handler",
        patterns: &["__do_fault", "do_page_fault", "^page_fault$"],
    },
    Anchors {
        reason: "waiting for another CPU, whose stack is the one of interest",
        patterns: &[CROSS_CALL],
    },
];

/// Whoever is waiting for another CPU: all of them are one group.
const CROSS_CALL: &str = "smp_call_function";

/// Names of functions that wait for something else.
const WAITING: &[&str] = &[
    // the scheduler
    "sched",
    "context_switch",
    "__switch_to",
    // sleeping locks
    "_lock",
    "_slowlock",
    "down",
    "rwsem",
    // events
    "completion",
    "wait",
    "kthread",
    "synchronize",
    "rcu_barrier",
    "cancel_delayed_work",
];

/// What many tasks wait for when something entirely different is stuck: one group each.
const BUCKETS: &[(&str, Option<&str>)] = &[
    ("rtnl_lock", None),
    ("synchronize_rcu", Some("synchronize_rcu")),
    ("synchronize_srcu", Some("synchronize_rcu")),
    ("synchronize_net", Some("synchronize_rcu")),
    ("synchronize_sched", Some("synchronize_rcu")),
];

/// The function among `names` (innermost first) that `key` asks for.
pub(super) fn pick(key: Key, names: &[String]) -> Found {
    match key {
        Key::First => names.first().map_or_else(Found::nothing, |name| Found::whole(name)),
        Key::Stall => stalled(names),
        Key::Hang => hung(names),
    }
}

fn stalled(names: &[String]) -> Found {
    let anchor = names.iter().position(|name| {
        let short = super::prefix::shorten(name);
        ANCHORS.iter().any(|group| skip::matches(short, group.patterns))
    });
    let Some(anchor) = anchor else { return Found::nothing() };
    match names.get(anchor) {
        Some(name) if name.contains(CROSS_CALL) => Found::grouped(CROSS_CALL, name),
        // Where the very first frame dispatches there is nothing inside it.
        _ => names.get(anchor.saturating_sub(1)).map_or_else(Found::nothing, |name| Found::whole(name)),
    }
}

fn hung(names: &[String]) -> Found {
    for name in names {
        let bucket = BUCKETS.iter().find(|(part, _)| name.contains(part));
        match bucket {
            Some((_, Some(group))) => return Found::grouped(group, name),
            Some((_, None)) => return Found::whole(name),
            None => {}
        }
    }
    names
        .iter()
        .find(|name| !skip::matches(super::prefix::shorten(name), WAITING))
        .map_or_else(Found::nothing, |name| Found::whole(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(key: Key, stack: &str, expected: &str) {
        let names = stack.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(pick(key, &names).name.unwrap_or_default(), expected, "{stack}");
    }

    #[test]
    fn stalls_are_named_by_what_the_dispatcher_called() {
        check(Key::Stall, "a b __x64_sys_futex do_syscall_64 entry", "sys_futex");
        check(Key::Stall, "a snd_ioctl vfs_ioctl do_vfs_ioctl SyS_ioctl", "snd_ioctl");
        check(Key::Stall, "a snd_ioctl __se_sys_ioctl do_syscall_64", "snd_ioctl");
        check(Key::Stall, "a work_fn process_one_work worker_thread", "work_fn");
        check(Key::Stall, "a timer_fn call_timer_fn expire_timers __do_softirq", "timer_fn");
        check(Key::Stall, "a net_rx_action __do_softirq irq_exit", "net_rx_action");
        check(Key::Stall, "a net_rx_action handle_softirqs irq_exit_rcu", "net_rx_action");
        check(Key::Stall, "a tcp_sendmsg sock_sendmsg ___sys_sendmsg", "tcp_sendmsg");
        check(Key::Stall, "a ext4_file_write_iter new_sync_write vfs_write", "ext4_file_write_iter");
        check(Key::Stall, "a proc_fn invoke_syscall el0_svc_common", "proc_fn");
        check(Key::Stall, "a sys_read ret_fast_syscall", "read");
        check(Key::Stall, "csd_wait smp_call_function_many on_each_cpu do_syscall_64", "smp_call_function");
        check(Key::Stall, "do_page_fault a", "do_page_fault");
        check(Key::Stall, "a b c", "");
    }

    #[test]
    fn hangs_are_named_by_who_waits() {
        check(Key::Hang, "__schedule schedule rwsem_down_read_slowpath ext4_map_blocks", "ext4_map_blocks");
        check(Key::Hang, "__schedule schedule io_schedule wait_on_page_bit f2fs_sync", "f2fs_sync");
        check(Key::Hang, "__schedule schedule schedule_timeout do_wait_for_common my_stop", "my_stop");
        check(Key::Hang, "__schedule my_ioctl rtnl_lock dev_ioctl", "rtnl_lock");
        check(
            Key::Hang,
            "__schedule exp_funnel_lock synchronize_rcu_expedited namespace_unlock",
            "synchronize_rcu",
        );
        check(Key::Hang, "__schedule schedule io_uring_cancel", "io_uring_cancel");
        check(Key::Hang, "__schedule schedule", "");
    }
}
