//! Which function a crash is named after.

use super::skip;
use crate::fields::values::{code_ref, frames};

/// Where a family looks for its function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The RIP/PC/NIP line, then the next call trace.
    PcThenTrace,
    /// The RIP line alone.
    PcOnly,
    /// The function named in the header (given), then the next call trace.
    Trace,
    /// The RIP line and the frames right below it; failing that, the call trace.
    Warn,
    /// The frames right below the header.
    Below,
}

/// What came of looking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The function, suffixes and system-call prefixes off.
    pub name: Option<String>,
    /// Other names of it that reports are merged by: the whole name, one prefix off.
    pub others: Vec<String>,
    /// The stack shows that the text is torn.
    pub torn: bool,
}

impl Found {
    /// A function by its whole name.
    pub(crate) fn whole(name: &str, torn: bool) -> Found {
        let short = shorten(name);
        let others = std::iter::once(name)
            .chain(SYSCALL_PREFIXES.iter().filter_map(|prefix| name.strip_prefix(prefix)))
            .filter(|other| !other.is_empty() && *other != short)
            .map(str::to_owned)
            .collect();
        Found { name: Some(short), others, torn }
    }

    /// A function under the name of its group.
    fn grouped(group: &str, name: String) -> Found {
        let others = if name == group { Vec::new() } else { vec![name] };
        Found { name: Some(group.to_owned()), others, torn: false }
    }

    /// No function at all.
    pub(crate) fn nothing() -> Found {
        Found { torn: true, ..Found::default() }
    }
}

/// The fault-injection framework's own frame: a stack with it is of a failure made on purpose that
/// another task printed into this report.
const INJECTED: &str = "should_fail";

/// How many lines after a stack's header its first frame may stand.
const FRAME_WITHIN: usize = 15;

/// The names of the frames in `line`, only those found by unwinding.
pub(crate) fn names(line: &str) -> Vec<String> {
    let mut body = line.trim();
    while let Some((_, rest)) = body
        .strip_prefix('<')
        .and_then(|t| t.split_once("> "))
        .filter(|(mark, _)| mark.len() < 6 && !mark.contains(':'))
    {
        body = rest.trim_start();
    }
    if body.starts_with("RIP:") && !body.starts_with("RIP: 0033") {
        return pc_name(body).flatten().into_iter().collect();
    }
    frames(body, 0)
        .into_iter()
        .filter(|f| f.reliable)
        .filter_map(|f| f.at.symbol)
        .map(|name| plain(&name))
        .collect()
}

/// The name up to its first dot; Rust's names are kept whole.
pub(crate) fn plain(name: &str) -> String {
    if name.contains("::") {
        return name.to_owned();
    }
    name.split('.').next().unwrap_or(name).to_owned()
}

/// Whether `line` opens a stack.
pub(crate) fn opens(line: &str) -> bool {
    let line = line.trim_start();
    [
        "Call Trace",
        "Call trace:",
        "Allocated:",
        "Allocated by task",
        "Freed:",
        "Freed by task",
        "Backtrace:",
        "Backtrace: ",
        "Uninit was stored",
        "Uninit was created",
        "Last potentially related",
        "Second to last potentially",
    ]
    .iter()
    .any(|start| line.starts_with(start))
        || line.starts_with("Stack:")
}

/// `Some(Some(name))` for a PC line with a function, `Some(None)` for one without.
pub(crate) fn pc_name(line: &str) -> Option<Option<String>> {
    let at = ["RIP: ", "IP: [", "PC is at ", "pc : ", "RIP [", "NIP [", "epc : ", "EIP: ", "EIP is at "]
        .iter()
        .filter_map(|mark| line.find(mark).map(|at| (at, *mark)))
        .min()?;
    let (at, mark) = at;
    let body = line.get(at + mark.len()..)?;
    let body = match mark {
        "RIP [" | "IP: [" => body.split_once(']').map_or(body, |(_, rest)| rest),
        "NIP [" => body.split_once("] ").map_or(body, |(_, rest)| rest),
        _ => match body.split_once(':') {
            Some((cs, rest)) if cs.len() == 4 => rest,
            _ => body,
        },
    };
    let name = code_ref(body).and_then(|(place, rest)| {
        let vouched =
            place.offset.is_some() || rest.trim_start().starts_with("[inline]") || place.source.is_some();
        place.symbol.filter(|_| vouched)
    });
    Some(name.map(|name| plain(&name)))
}

fn useful(name: &str, extra: &[&str]) -> bool {
    !skip::always(name) && !skip::matches(name, extra)
}

/// The first useful function that `source` finds in `lines`; `first` is the header's own, if any.
pub(crate) fn function(lines: &[&str], source: Source, first: Option<String>, extra: &[&str]) -> Found {
    if let Some(name) = first
        && useful(&plain(&name), extra)
    {
        return Found::whole(&plain(&name), source != Source::Below && torn(lines));
    }
    let chosen = match source {
        Source::Below => pick(lines.get(1..).unwrap_or_default(), extra),
        Source::Trace => after_call_trace(lines, extra),
        Source::PcOnly => pc(lines).and_then(|(_, name)| name).filter(|name| useful(name, extra)),
        Source::PcThenTrace => pc(lines).and_then(|(at, name)| {
            name.filter(|name| useful(name, extra))
                .or_else(|| after_call_trace(lines.get(at + 1..).unwrap_or_default(), extra))
        }),
        Source::Warn => pc(lines)
            .and_then(|(at, name)| {
                name.filter(|name| useful(name, extra)).or_else(|| {
                    let rest = lines.get(at + 1..).unwrap_or_default();
                    pick(rest, extra).or_else(|| after_call_trace(rest, extra))
                })
            })
            .or_else(|| after_call_trace(lines, extra)),
    };
    let chosen = chosen.filter(|name| name != INJECTED);
    let torn = chosen.is_none() || source != Source::Below && torn(lines);
    match chosen {
        Some(name) => Found::whole(&name, torn),
        None => Found::nothing(),
    }
}

/// The first PC line and its function.
pub(crate) fn pc(lines: &[&str]) -> Option<(usize, Option<String>)> {
    lines.iter().enumerate().find_map(|(at, line)| {
        // ppc prints the interrupted place of a WARN as `--- interrupt: 700 at fn+0x…`.
        if let Some((_, rest)) = line.split_once("--- interrupt: 700 at ") {
            return Some((at, code_ref(rest).and_then(|(place, _)| place.symbol).map(|name| plain(&name))));
        }
        pc_name(line).map(|name| (at, name))
    })
}

fn after_call_trace(lines: &[&str], extra: &[&str]) -> Option<String> {
    let start = lines.iter().position(|line| is_trace(line))?;
    // ARM's one-line form `Backtrace: [<…>] (f) from …` holds frames itself.
    pick(lines.get(start + 1..).unwrap_or_default(), extra)
}

pub(crate) fn is_trace(line: &str) -> bool {
    let line = line.trim_start();
    line.contains("Call Trace:")
        || line.starts_with("Call Trace")
        || line.starts_with("Call trace:")
        || line.starts_with("Backtrace:")
}

/// The first useful frame before the next stack opens.
fn pick(lines: &[&str], extra: &[&str]) -> Option<String> {
    lines.iter().take_while(|line| !opens(line)).flat_map(|line| names(line)).find(|name| useful(name, extra))
}

/// A report whose stack is missing, whose first stack header has no frame soon after it, or whose
/// first stack has none that the unwinder vouches for.
fn torn(lines: &[&str]) -> bool {
    let Some(at) = lines.iter().position(|line| is_trace(line)) else { return true };
    let trace = || lines.iter().skip(at + 1).take_while(|line| !opens(line));
    let any = |line: &&&str| !names(line).is_empty() || line.contains("? ");
    !trace().take(FRAME_WITHIN).any(|line| any(&line)) || !trace().any(|line| !names(line).is_empty())
}

/// System-call prefixes; exactly one is taken off, the one that leaves the shortest name.
const SYSCALL_PREFIXES: &[&str] = &[
    "SyS_",
    "__x64_",
    "__ia32_",
    "__arm64_",
    "__riscv_",
    "__s390x_",
    "__se_",
    "__se_sys_",
    "__do_sys_",
    "__se_compat_sys_",
    "__do_compat_sys_",
    "compat_SyS_",
    "compat_sys_",
    "ksys_",
    "SYSC_",
    "C_SYSC_",
];

/// `name` with the best prefix off.
pub(crate) fn shorten(name: &str) -> String {
    // `sys_` alone stays: `sys_rmdir` is a title as it is.
    SYSCALL_PREFIXES
        .iter()
        .filter_map(|prefix| name.strip_prefix(prefix))
        .filter(|rest| !rest.is_empty())
        .min_by_key(|rest| rest.len())
        .unwrap_or(name)
        .to_owned()
}

/// Frames at which a deep stack turns into the kernel's own dispatching: the one just inside is
/// what the task was doing.
const ANCHORS: &[&str] = &[
    "^do_syscall_64$",
    "^do_syscall_x64$",
    "^x64_sys_call$",
    "^entry_SYSCALL",
    "^system_call",
    "^ret_fast_syscall",
    "^el0_svc",
    "^invoke_syscall",
    "^__invoke_syscall",
    "^do_el0_svc",
    "^do_int80",
    "^do_fast_syscall_32$",
    "^__do_fast_syscall_32$",
    "^do_syscall_32",
    "^tracesys",
    "^syscall_",
    "^__sys_trace",
    "^do_trap_ecall",
    "^process_one_work$",
    "^kthread$",
    "^__do_softirq$",
    "^handle_softirqs$",
    "^do_softirq",
    "^run_ksoftirqd",
    "^call_timer_fn$",
    "^expire_timers",
    "^__run_hrtimer$",
    "^__run_timers",
    "^tasklet_action",
    "^__hrtimer_run_queues",
    "^netif_receive_skb",
    "^__netif_receive_skb",
    "^do_idle$",
    "^cpu_startup_entry$",
    "^start_secondary$",
    "^secondary_startup",
    "^start_kernel",
    "^ret_from_fork",
    "^vfs_write$",
    "^vfs_read$",
    "^vfs_readv$",
    "^vfs_writev$",
    "^vfs_ioctl$",
    "^do_iter_readv",
    "^do_iter_write",
    "^new_sync_write",
    "^new_sync_read",
    "^__vfs_read$",
    "^__vfs_write$",
    "^do_vfs_ioctl$",
    "^do_mmap",
    "^mmap_region",
    "^call_mmap",
    "^do_dentry_open",
    "^vfs_open$",
    "^path_openat",
    "^do_filp_open",
    "^sock_sendmsg$",
    "^sock_recvmsg",
    "^sock_sendmsg_nosec",
    "^__sock_sendmsg$",
    "^sock_release",
    "^__sock_release",
    "^sock_write_iter",
    "^____sys_sendmsg",
    "^___sys_sendmsg",
    "^__sys_setsockopt",
    "^do_sock_setsockopt",
    "^rtnetlink_rcv_msg$",
    "^nfnetlink_rcv_msg$",
    "^__fput$",
    "^task_work_run$",
    "^smpboot_thread_fn",
    "^compat_sys_ioctl",
    "compat_ioctl$",
    "compat_SyS_ioctl",
    "^__se_sys_ioctl",
    "^__do_sys_ioctl",
    "^__x64_sys_ioctl",
    "^__arm64_sys_ioctl",
    "^SyS_ioctl",
    "^C_SYSC_ioctl",
    "^__ia32_compat_sys_ioctl",
    "^ksys_ioctl",
    "smp_call_function",
];

/// Rule S: walk outwards to an anchor and take the frame inside it.
pub(crate) fn representative(lines: &[&str], start: usize) -> Found {
    let mut inner: Option<String> = None;
    let below = lines.get(start..).unwrap_or_default();
    let mut traces = 0;
    for (at, line) in below.iter().enumerate() {
        // The first call trace goes on with the interrupted place; the next is another task's.
        if opens(line) && !line.trim_start().starts_with("Stack:") {
            traces += usize::from(at > 0);
            if traces > 1 || !is_trace(line) {
                break;
            }
        }
        for name in names(line) {
            if skip::matches(&name, ANCHORS) {
                if name.contains("smp_call_function") {
                    return Found::grouped("smp_call_function", name);
                }
                if let Some(name) = inner {
                    return Found::whole(&name, false);
                }
            }
            inner = Some(name);
        }
    }
    Found::nothing()
}

/// Rule H: the first frame of a hung task that is not waiting itself.
pub(crate) fn hung(lines: &[&str]) -> Found {
    const WAITING: &[&str] = &[
        "sched",
        "wait",
        "lock",
        "completion",
        "kthread",
        "cancel_work",
        "cancel_delayed",
        "flush_work",
        "flush_workqueue",
        "io_",
        "__switch_to",
        "switch_to",
        "context_switch",
        "down_",
        "rwsem",
        "mutex",
        "^down",
        "^__down",
        "rcu_barrier",
        "do_read_cache",
        "usb_control",
        "usb_kill",
        "^bit_",
        "prepare_to",
        "try_grab",
        "flush_",
        "drain_",
    ];
    let Some(start) = lines.iter().position(|line| is_trace(line)) else {
        return Found::nothing();
    };
    for line in lines.get(start + 1..).unwrap_or_default() {
        if opens(line) {
            break;
        }
        for name in names(line) {
            if name.contains("rtnl_lock") {
                return Found::whole("rtnl_lock", false);
            }
            if ["synchronize_rcu", "synchronize_srcu", "synchronize_net", "synchronize_sched"]
                .iter()
                .any(|s| name.contains(s))
            {
                return Found::grouped("synchronize_rcu", name);
            }
            if !skip::matches(&name, WAITING) {
                return Found::whole(&name, false);
            }
        }
    }
    Found::nothing()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pc_line_first_then_the_trace() {
        let lines = [
            "BUG: x",
            "RIP: 0010:memcpy+0x1/0x2",
            "Call Trace:",
            " ? a+0x1/0x2",
            " kfree+0x1/0x2",
            " driver_fn.isra.0+0x1/0x2 [m]",
        ];
        assert_eq!(function(&lines, Source::PcThenTrace, None, &[]).name.as_deref(), Some("driver_fn"));
        let lines = ["BUG: x", "RIP: 0010:driver+0x1/0x2", "Call Trace:", " b+0x1/0x2"];
        assert_eq!(function(&lines, Source::PcThenTrace, None, &[]).name.as_deref(), Some("driver"));
        let none = function(&["BUG: x", "Call Trace:", " b+0x1/0x2"], Source::PcThenTrace, None, &[]);
        assert_eq!(none, Found::nothing());
    }

    #[test]
    fn hung_tasks_are_named_by_what_waits() {
        let lines =
            ["INFO: task", "Call Trace:", " __schedule+0x1/0x2", " mutex_lock+0x1/0x2", " ab_commit+0x1/0x2"];
        assert_eq!(hung(&lines).name.as_deref(), Some("ab_commit"));
    }

    #[test]
    fn one_syscall_prefix_goes() {
        assert_eq!(shorten("__x64_sys_rmdir"), "sys_rmdir");
        assert_eq!(shorten("__se_sys_rmdir"), "rmdir");
        assert_eq!(shorten("sys_rmdir"), "sys_rmdir");
    }
}
