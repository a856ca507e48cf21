//! How control got to the crash, read off the call trace: system call, interrupt, softirq,
//! timer, workqueue, kernel thread, module initialisation, idle, boot.
//!
//! The trace is read from its top: the first context met is the innermost one, and what is
//! met further down is what it interrupted or was called from.

use crate::names::base_name;
use kwhy_base::catalogue::verdict as say;
use kwhy_base::{Prose, prose};
use kwhy_oops::{CrashRecord, Frame};

/// A context that the kernel can run in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A system call, by its name without prefix (`finit_module`); `None` where the trace shows only that it was one.
    Syscall(Option<String>),
    /// A module's own init function, called by `do_one_initcall` below `do_init_module`.
    ModuleInit(Option<String>),
    /// The loader at work on a module, before its init function runs.
    ModuleLoad,
    /// A module's exit function or the loader taking it out.
    ModuleExit,
    /// A built-in's initcall at boot.
    Initcall,
    /// A work item: the work function where the trace or the `Workqueue:` line names it.
    Work(Option<String>),
    /// A kernel thread: its thread function where the trace shows it.
    Kthread(Option<String>),
    /// A timer's callback.
    Timer(Option<String>),
    /// A high-resolution timer's callback.
    HrTimer(Option<String>),
    /// A tasklet.
    Tasklet(Option<String>),
    /// A softirq, in interrupt exit or ksoftirqd.
    Softirq,
    /// An RCU callback.
    RcuCallback(Option<String>),
    /// A device interrupt: the handler where the trace shows it.
    Interrupt(Option<String>),
    /// A non-maskable interrupt.
    Nmi,
    /// A page fault taken in user space.
    UserFault,
    /// The idle loop.
    Idle,
    /// Kernel start-up.
    Boot,
}

/// What a function in the trace says about the context.
enum Mark {
    /// The context itself, with no name to it.
    Is(Entry),
    /// The context whose callback is the next frame *above* (towards the top of the trace).
    CalledAbove(fn(Option<String>) -> Entry),
}

/// The context that `function` marks; `None` for most functions.
fn mark(function: &str) -> Option<Mark> {
    if let Some(name) = syscall_name(function) {
        return Some(Mark::Is(match name {
            "delete_module" => Entry::ModuleExit,
            _ => Entry::Syscall(Some(name.to_owned())),
        }));
    }
    Some(match function {
        "do_one_initcall" => Mark::CalledAbove(Entry::ModuleInit),
        "load_module" => Mark::Is(Entry::ModuleLoad),
        "free_module" => Mark::Is(Entry::ModuleExit),
        "process_one_work" => Mark::CalledAbove(Entry::Work),
        "kthread" => Mark::CalledAbove(Entry::Kthread),
        "call_timer_fn" => Mark::CalledAbove(Entry::Timer),
        "__hrtimer_run_queues" | "__run_hrtimer" => Mark::CalledAbove(Entry::HrTimer),
        "tasklet_action_common" | "tasklet_action" => Mark::CalledAbove(Entry::Tasklet),
        "rcu_do_batch" => Mark::CalledAbove(Entry::RcuCallback),
        "__do_softirq" | "handle_softirqs" => Mark::Is(Entry::Softirq),
        "__handle_irq_event_percpu" => Mark::CalledAbove(Entry::Interrupt),
        "asm_common_interrupt"
        | "common_interrupt"
        | "do_IRQ"
        | "el1_irq"
        | "el0_irq"
        | "el1h_64_irq"
        | "el0t_64_irq"
        | "gic_handle_irq"
        | "handle_irq_event" => Mark::Is(Entry::Interrupt(None)),
        "asm_exc_nmi" | "exc_nmi" | "nmi" | "end_repeat_nmi" => Mark::Is(Entry::Nmi),
        "do_syscall_64"
        | "entry_SYSCALL_64_after_hwframe"
        | "el0_svc"
        | "el0_svc_common"
        | "el0_svc_handler"
        | "do_el0_svc"
        | "invoke_syscall"
        | "do_int80_syscall_32"
        | "do_fast_syscall_32" => Mark::Is(Entry::Syscall(None)),
        "do_user_addr_fault" | "el0_da" | "el0_ia" => Mark::Is(Entry::UserFault),
        "do_idle" | "cpu_startup_entry" | "cpu_idle_loop" => Mark::Is(Entry::Idle),
        "kernel_init_freeable" | "start_kernel" | "kernel_init" => Mark::Is(Entry::Boot),
        _ => return None,
    })
}

/// The system call that a wrapper function implements: `finit_module` for `__arm64_sys_finit_module`
/// (`SYSCALL_DEFINE` of include/linux/syscalls.h and of each architecture's asm/syscall_wrapper.h).
pub fn syscall_name(function: &str) -> Option<&str> {
    [
        "__arm64_sys_",
        "__x64_sys_",
        "__ia32_sys_",
        "__se_sys_",
        "__do_sys_",
        "__arm64_compat_sys_",
        "__ia32_compat_sys_",
        "__riscv_sys_",
        "__s390x_sys_",
    ]
    .iter()
    .find_map(|prefix| function.strip_prefix(prefix))
    .or_else(|| function.strip_prefix("SyS_"))
    .filter(|name| !name.is_empty())
}

/// The contexts of the trace, innermost first.
pub fn contexts(record: &CrashRecord) -> Vec<Entry> {
    let any_reliable = record.frames.iter().any(|frame| frame.reliable && !frame.inline);
    let frames: Vec<&Frame> =
        record.frames.iter().filter(|frame| !frame.inline && (frame.reliable || !any_reliable)).collect();
    let mut found: Vec<Entry> = Vec::new();
    let mut above: Option<String> = None;
    for frame in &frames {
        let name = frame.at.symbol.as_deref().map(base_name);
        if let Some(mark) = name.and_then(mark) {
            let entry = match mark {
                Mark::Is(entry) => entry,
                Mark::CalledAbove(make) => make(above.clone()),
            };
            push(&mut found, entry, record);
        }
        above = frame.at.symbol.clone();
    }
    // The `Workqueue:` line names the work function even where the trace is cut.
    if let Some(line) = &record.workqueue {
        let function = line.value.split_whitespace().last().map(|f| base_name(f).to_owned());
        if let Some(entry) = found.iter_mut().find(|entry| matches!(entry, Entry::Work(_))) {
            *entry = Entry::Work(function);
        } else if found.is_empty() {
            found.push(Entry::Work(function));
        }
    }
    found
}

/// Adds a context unless it only repeats what the one inside it says more exactly.
fn push(found: &mut Vec<Entry>, entry: Entry, record: &CrashRecord) {
    let covered = found.iter().any(|inner| match (inner, &entry) {
        (Entry::Syscall(_), Entry::Syscall(_)) => true,
        (Entry::ModuleExit, Entry::Syscall(None)) | (Entry::ModuleExit, Entry::ModuleExit) => true,
        (Entry::ModuleInit(_), Entry::ModuleLoad) => true,
        (Entry::Interrupt(_), Entry::Interrupt(_)) => true,
        (Entry::Work(_), Entry::Kthread(_)) => true,
        (Entry::Initcall, Entry::Boot) => false,
        (inner, entry) => std::mem::discriminant(inner) == std::mem::discriminant(entry),
    });
    if covered {
        return;
    }
    // `do_one_initcall` runs built-ins at boot and modules below `do_init_module`.
    let module_loading =
        record.frames.iter().any(|f| f.at.symbol.as_deref().map(base_name) == Some("do_init_module"));
    match entry {
        Entry::ModuleInit(_) if !module_loading => found.push(Entry::Initcall),
        // The kernel thread of process 1 is the boot, not a worker.
        Entry::Kthread(Some(ref f)) if matches!(f.as_str(), "worker_thread") => found.push(Entry::Work(None)),
        entry => found.push(entry),
    }
}

/// The contexts in words; `None` where the trace shows none.
pub fn describe(contexts: &[Entry], record: &CrashRecord) -> Option<Prose> {
    let mut words = contexts.iter().map(|entry| words(entry, record));
    let innermost = words.next()?;
    let outer: Vec<Prose> = words.collect();
    Some(if outer.is_empty() {
        innermost
    } else {
        prose!(say::ENTRY_INSIDE, inner = innermost, outer = outer)
    })
}

fn words(entry: &Entry, record: &CrashRecord) -> Prose {
    let named = |with: fn(&str) -> Prose, without: Prose, name: &Option<String>| match name {
        Some(name) => with(name),
        None => without,
    };
    match entry {
        Entry::Syscall(Some(name)) => match &record.comm {
            Some(comm) => prose!(say::ENTRY_SYSCALL_BY, name = name, comm = comm),
            None => prose!(say::ENTRY_SYSCALL, name = name),
        },
        Entry::Syscall(None) => prose!(say::ENTRY_SYSCALL_UNNAMED),
        Entry::ModuleInit(f) => {
            named(|f| prose!(say::ENTRY_MODULE_INIT_OF, function = f), prose!(say::ENTRY_MODULE_INIT), f)
        }
        Entry::ModuleLoad => prose!(say::ENTRY_MODULE_LOAD),
        Entry::ModuleExit => prose!(say::ENTRY_MODULE_EXIT),
        Entry::Initcall => prose!(say::ENTRY_INITCALL),
        Entry::Work(f) => named(|f| prose!(say::ENTRY_WORK_OF, function = f), prose!(say::ENTRY_WORK), f),
        Entry::Kthread(f) => {
            named(|f| prose!(say::ENTRY_KTHREAD_OF, function = f), prose!(say::ENTRY_KTHREAD), f)
        }
        Entry::Timer(f) => named(|f| prose!(say::ENTRY_TIMER_OF, function = f), prose!(say::ENTRY_TIMER), f),
        Entry::HrTimer(f) => {
            named(|f| prose!(say::ENTRY_HRTIMER_OF, function = f), prose!(say::ENTRY_HRTIMER), f)
        }
        Entry::Tasklet(f) => {
            named(|f| prose!(say::ENTRY_TASKLET_OF, function = f), prose!(say::ENTRY_TASKLET), f)
        }
        Entry::RcuCallback(f) => {
            named(|f| prose!(say::ENTRY_RCU_OF, function = f), prose!(say::ENTRY_RCU), f)
        }
        Entry::Interrupt(f) => {
            named(|f| prose!(say::ENTRY_INTERRUPT_OF, function = f), prose!(say::ENTRY_INTERRUPT), f)
        }
        Entry::Softirq => prose!(say::ENTRY_SOFTIRQ),
        Entry::Nmi => prose!(say::ENTRY_NMI),
        Entry::UserFault => prose!(say::ENTRY_USER_FAULT),
        Entry::Idle => prose!(say::ENTRY_IDLE),
        Entry::Boot => prose!(say::ENTRY_BOOT),
    }
}

/// Whether the kernel's module loader was at work: the module being loaded is then the subject
/// of the crash, whoever is guilty.
pub fn loading_module(contexts: &[Entry]) -> bool {
    contexts.iter().any(|entry| {
        matches!(entry, Entry::ModuleInit(_) | Entry::ModuleLoad)
            || matches!(entry, Entry::Syscall(Some(name)) if name == "finit_module" || name == "init_module")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::record_with_frames;

    #[test]
    fn module_init_is_told_from_module_load() {
        let init = record_with_frames(&[
            "mc_get [mapcfg]",
            "mc_init [mapcfg]",
            "do_one_initcall",
            "do_init_module",
            "load_module",
            "__do_sys_finit_module",
            "do_syscall_64",
        ]);
        assert_eq!(
            contexts(&init),
            [Entry::ModuleInit(Some("mc_init".into())), Entry::Syscall(Some("finit_module".into()))]
        );
        let load =
            record_with_frames(&["mod_sysfs_setup", "load_module", "__arm64_sys_finit_module", "el0_svc"]);
        assert_eq!(contexts(&load), [Entry::ModuleLoad, Entry::Syscall(Some("finit_module".into()))]);
        assert!(loading_module(&contexts(&load)));
    }

    #[test]
    fn a_work_item_is_not_called_a_kernel_thread() {
        let record =
            record_with_frames(&["wp_run [wrkpipe]", "process_one_work", "worker_thread", "kthread"]);
        assert_eq!(contexts(&record), [Entry::Work(Some("wp_run".into()))]);
        let thread = record_with_frames(&["ab_commit", "ab_writer", "kthread", "ret_from_fork"]);
        assert_eq!(contexts(&thread), [Entry::Kthread(Some("ab_writer".into()))]);
    }

    #[test]
    fn a_trace_without_marks_says_nothing() {
        assert!(contexts(&record_with_frames(&["foo", "bar"])).is_empty());
        assert!(describe(&[], &CrashRecord::default()).is_none());
    }
}
