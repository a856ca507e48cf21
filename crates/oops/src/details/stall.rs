//! CPUs and tasks that do not get on: RCU stalls, lockups, hung tasks, workqueue lockups
//! (kernel/rcu/tree_stall.h, tree_exp.h, kernel/watchdog*.c, kernel/hung_task.c, kernel/workqueue.c).

use super::scan::{begins, keyed, scan};
use super::{Task, View, details};
use crate::record::{Family, PrintedHex};
use crate::words::Words;

details! {
    /// A CPU that an RCU grace period waits for.
    StalledCpu = "stalled_cpu" {
        /// Which.
        cpu: u32,
        /// `....`: online, in the mask, in the next mask, and (`!`) ticks missed.
        flags: String,
        /// Ticks or grace periods without a quiescent state, with the unit, as printed.
        ticks: String,
        /// Idle state, as printed.
        idle: String,
        /// Softirqs handled at the grace period's start and now.
        softirq: String,
        /// Times the state was forced.
        fqs: u64,
    }
}

details! {
    /// A CPU's stack, fetched by an NMI or from another CPU.
    CpuStack = "cpu_stack" {
        /// Which CPU.
        cpu: u32,
        ; stack
        /// Its stack.
        stack
    }
}

details! {
    /// An RCU stall.
    RcuStall = "rcu_stall" {
        /// `rcu_preempt`, `rcu_sched`, `rcu_tasks`…
        flavour: String,
        /// The stalled CPU itself found it.
        self_detected: bool,
        /// An expedited grace period.
        expedited: bool,
        /// The CPU that found it.
        detected_by: u32,
        /// Jiffies since the grace period began.
        jiffies: u64,
        /// The grace period's number.
        grace_period: i64,
        /// Callbacks queued.
        queued: u64,
        /// Tasks that block it, as printed: `P28912`.
        tasks: String,
        /// Jiffies for which the grace-period kthread did not run.
        starved: u64,
        /// The kthread's state: `RCU_GP_WAIT_FQS(5)`.
        kthread_wait: String,
        /// `->state`.
        kthread_state: PrintedHex,
        /// The CPU it last ran on.
        kthread_cpu: u32,
        /// All quiescent states were seen: the kthread, not a CPU, is late.
        all_seen: bool,
        ; parts
        /// The CPUs.
        cpus: Vec<StalledCpu>,
        /// Their stacks.
        stacks: Vec<CpuStack>,
    }
}

pub(super) fn rcu(view: &View<'_>) -> Option<RcuStall> {
    if view.record.family != Some(Family::RcuStall) {
        return None;
    }
    let mut stall = RcuStall::default();
    for row in &view.rows {
        let text = row.text;
        if stall.flavour.is_none()
            && let Some([flavour, rest]) = scan(text, "INFO: {} {}").filter(|_| text.contains("stall"))
        {
            stall.flavour = row.words(flavour);
            stall.self_detected = row.at(rest.contains("self-detected"));
            if rest.contains("expedited") {
                stall.expedited = row.at(true);
            }
            // Expedited and old reports go on in the same line: `{ 0-.... } 21 jiffies s: 1 root: …`.
            if let Some([cpus]) = scan::<1>(rest, "{{}}").or_else(|| scan(rest, "{ {} }")) {
                stall.cpus.extend(cpus.split_ascii_whitespace().filter_map(|word| {
                    let (cpu, flags) = word.split_once('-').unwrap_or((word, ""));
                    let cpu = row.number(cpu)?;
                    Some(StalledCpu { cpu: Some(cpu), flags: row.words(flags), ..StalledCpu::default() })
                }));
            }
            if let Some([jiffies]) = scan(rest, "} {} jiffies s:") {
                stall.jiffies = row.number(jiffies);
            }
        }
        numbers(row, &mut stall);
        if let Some(cpu) = stalled_cpu(row) {
            stall.cpus.push(cpu);
        } else if let Some([tasks]) = begins(text, "Tasks blocked on level-{}") {
            stall.tasks = stall.tasks.take().or_else(|| row.words(tasks.cut(": ")?.1));
        } else if let Some([jiffies, wait]) = scan(text, "kthread starved for {} jiffies! {}") {
            stall.starved = row.number(jiffies);
            stall.kthread_wait = wait.split(' ').find(|w| w.starts_with("RCU_")).and_then(|w| row.words(w));
            stall.kthread_state = keyed(text, "->state=").and_then(|state| row.hex(state));
            stall.kthread_cpu = keyed(text, "->cpu=").and_then(|cpu| row.number(cpu));
        } else if text.starts_with("All QSes seen") {
            stall.all_seen = row.at(true);
        }
    }
    stall.stacks = cpu_stacks(view);
    Some(stall)
}

/// `(detected by 0, t=10502 jiffies, g=275385, q=3760 ncpus=2)`, `(t=10500 jiffies g=989 q=72)`.
fn numbers(row: &super::Row<'_>, stall: &mut RcuStall) {
    let text = row.text;
    let Some((_, body)) = text.cut("(t=").or_else(|| text.cut("(detected by ")) else { return };
    if text.contains("(detected by ") {
        stall.detected_by = row.number(body);
        stall.jiffies = keyed(body, "t=").and_then(|t| row.number(t));
    } else {
        stall.jiffies = row.number(body);
    }
    stall.grace_period = keyed(body, "g=").and_then(|g| row.number(g));
    stall.queued = keyed(body, "q=").and_then(|q| row.number(q));
}

/// `0-....: (105000 ticks this GP) idle=2f6/1/0x4000000000000002 softirq=23001/23001 fqs=26239`.
fn stalled_cpu(row: &super::Row<'_>) -> Option<StalledCpu> {
    let [cpu, flags, ticks, rest] = scan(row.text, "{}-{}: ({}) {}")?;
    (!cpu.is_empty() && cpu.bytes().all(|b| b.is_ascii_digit()) && rest.contains("idle=")).then(|| {
        StalledCpu {
            cpu: row.number(cpu),
            flags: row.words(flags),
            ticks: row.words(ticks),
            idle: keyed(rest, "idle=").and_then(|idle| row.words(idle)),
            softirq: keyed(rest, "softirq=").and_then(|softirq| row.words(softirq)),
            fqs: keyed(rest, "fqs=").and_then(|fqs| row.number(fqs)),
        }
    })
}

/// `NMI backtrace for cpu 1`, and what stands for it where there is no NMI.
fn cpu_stacks(view: &View<'_>) -> Vec<CpuStack> {
    let stacks = view.rows.iter().filter_map(|row| {
        let [cpu] = begins(row.text, "NMI backtrace for cpu {}")
            .or_else(|| begins(row.text, "Task dump for CPU {}"))?;
        // The stack may open on this line or on the `Call Trace:` below it.
        let trace = view.below(row).take(60).take_while(|r| !r.text.starts_with("NMI backtrace"));
        let stack = view.stack(row).filter(|stack| !empty(view, *stack)).or_else(|| {
            let mut traces = trace.filter(|r| crate::fields::is_call_trace(r.text));
            let opener = traces.next()?;
            view.stack(&opener).or_else(|| own_after(view, &opener))
        });
        Some(CpuStack { cpu: row.number(cpu), stack })
    });
    stacks.collect()
}

/// The crash's own stack, where it begins below `opener` with no other in between: registers in
/// the middle of a trace start it anew.
fn own_after(view: &View<'_>, opener: &super::Row<'_>) -> Option<super::StackRef> {
    let first = view.record.frames.first()?.line;
    let other = view.record.other_stacks.iter().any(|(head, _)| (opener.line..first).contains(&head.line));
    (opener.line < first && !other).then_some(super::StackRef::Own)
}

fn empty(view: &View<'_>, stack: super::StackRef) -> bool {
    match stack {
        super::StackRef::Own => view.record.frames.is_empty(),
        super::StackRef::Other(index) => {
            view.record.other_stacks.get(index).is_none_or(|(_, frames)| frames.is_empty())
        }
    }
}

details! {
    /// A soft or hard lockup.
    Lockup = "lockup" {
        /// Interrupts, too, were off.
        hard: bool,
        /// The CPU.
        cpu: u32,
        /// For how long, in seconds.
        seconds: u64,
        /// The task that ran on it.
        task: Task,
        ; parts
        /// Stacks of CPUs.
        stacks: Vec<CpuStack>,
    }
}

pub(super) fn lockup(view: &View<'_>) -> Option<Lockup> {
    let hard = match view.record.family {
        Some(Family::SoftLockup) => false,
        Some(Family::HardLockup) => true,
        _ => return None,
    };
    let row = view.with(if hard { "LOCKUP" } else { "soft lockup" })?;
    let mut lockup = Lockup { hard: row.at(hard), ..Lockup::default() };
    if let Some([cpu]) = scan(row.text, "CPU#{}").or_else(|| scan(row.text, "LOCKUP on cpu {}")) {
        lockup.cpu = row.number(cpu);
    }
    if let Some([seconds]) = scan(row.text, " for {}s") {
        lockup.seconds = row.number(seconds);
    }
    if let Some((_, task)) = row.text.cut_last(" [") {
        lockup.task = row.task(task);
    }
    lockup.stacks = cpu_stacks(view);
    Some(lockup)
}

details! {
    /// A task that did not run for too long.
    HungTask = "hung_task" {
        /// The task.
        task: Task,
        /// For how long at least, in seconds.
        seconds: u64,
        /// What it is blocked on, and who probably holds it (6.15 and later).
        blocked_on: String,
        /// Its state letter.
        state: String,
        /// Its parent.
        parent: u32,
        /// Its flags.
        flags: PrintedHex,
        ; stack
        /// Its stack.
        stack
    }
}

pub(super) fn hung(view: &View<'_>) -> Vec<HungTask> {
    if view.record.family != Some(Family::HungTask) {
        return Vec::new();
    }
    let mut all: Vec<HungTask> = Vec::new();
    for row in &view.rows {
        let text = row.text;
        if let Some([task, seconds]) = scan(text, "INFO: task {} blocked for more than {}")
            .or_else(|| scan(text, "INFO: task {} can't die for more than {}"))
        {
            // Since 6.17 it may say for how long exactly.
            all.push(HungTask { task: row.task(task), seconds: row.number(seconds), ..HungTask::default() });
        } else if let Some([_, what]) = scan(text, "INFO: task {} is blocked on {}")
            && let Some(last) = all.last_mut()
        {
            last.blocked_on = row.words(what);
        }
        let Some(last) = all.last_mut().filter(|last| last.state.is_none()) else { continue };
        if let Some([_, state]) = begins(text, "task:{} state:{}") {
            last.state = row.words(state.get(..1).unwrap_or_default());
            last.parent = keyed(text, "ppid:")
                .and_then(|p| row.number(p))
                .or_else(|| scan(text, "ppid:{}").and_then(|[parent]: [&str; 1]| row.number(parent)));
            last.flags = keyed(text, "flags:").and_then(|flags| row.hex(flags));
        } else if let Some(comm) = last.task.as_ref().map(|t| t.value.comm.as_str())
            && !comm.is_empty()
            && let Some(rest) = text.strip_prefix(comm)
            && let Some(state) = rest.trim_start().chars().next().filter(char::is_ascii_uppercase)
            && rest.contains("0x")
        {
            // Before 5.10: `blkid           D21344 16495   3125 0x80000006`.
            let numbers: Vec<&str> = rest.split_ascii_whitespace().collect();
            last.state = row.at(state.to_string());
            last.flags = numbers.last().and_then(|flags| row.hex(flags));
            last.parent = numbers.iter().rev().nth(1).and_then(|parent| row.number(parent));
        }
    }
    if let Some(first) = all.first_mut() {
        first.stack = (!view.record.frames.is_empty()).then_some(super::StackRef::Own);
    }
    all
}

details! {
    /// A workqueue with work in flight or waiting.
    BusyQueue = "busy_queue" {
        /// Its name.
        queue: String,
        /// Its pools, as printed.
        pools: String,
        /// Work in flight: `pid:function`.
        in_flight: String,
        /// Work that waits.
        pending: String,
        /// Work held back.
        inactive: String,
    }
}

details! {
    /// A pool of workers.
    WorkerPool = "worker_pool" {
        /// Its number.
        pool: u32,
        /// Its CPUs, flags and nice value, as printed.
        attributes: String,
        /// For how long nothing got on, in seconds.
        seconds: u64,
        /// Its workers.
        workers: u64,
        /// Those with nothing to do, by pid.
        idle: String,
    }
}

details! {
    /// A workqueue lockup.
    WorkqueueLockup = "workqueue" {
        /// The pool, as printed.
        pool: String,
        /// For how long, in seconds.
        seconds: u64,
        ; parts
        /// Queues with work.
        queues: Vec<BusyQueue>,
        /// Pools with work.
        pools: Vec<WorkerPool>,
    }
}

pub(super) fn workqueue(view: &View<'_>) -> Option<WorkqueueLockup> {
    let (head, [pool, seconds]) = view.find("BUG: workqueue lockup - pool {} stuck for {}s")?;
    let mut lockup = WorkqueueLockup {
        pool: head.words(pool),
        seconds: head.number(seconds),
        ..WorkqueueLockup::default()
    };
    for row in view.below(&head) {
        let text = row.text;
        if let Some([name, _]) = begins(text, "workqueue {}: flags={}") {
            lockup.queues.push(BusyQueue { queue: row.words(name), ..BusyQueue::default() });
        } else if let Some([number, rest]) = begins(text, "pool {}: {}") {
            let seconds = keyed(rest, "hung=").and_then(|hung| row.number(hung));
            let attributes = rest.split(" hung=").next().unwrap_or_default();
            lockup.pools.push(WorkerPool {
                pool: row.number(number),
                attributes: row.words(attributes.split(" workers=").next().unwrap_or_default()),
                seconds,
                workers: keyed(rest, "workers=").and_then(|workers| row.number(workers)),
                idle: rest.cut("idle: ").and_then(|(_, idle)| row.words(idle)),
            });
        } else if let Some(queue) = lockup.queues.last_mut() {
            let known = ["pwq ", "in-flight: ", "pending: ", "inactive: ", "delayed: "];
            let Some((head, rest)) = known.iter().find_map(|head| Some((*head, text.strip_prefix(head)?)))
            else {
                continue;
            };
            let slot = match head {
                "pwq " => &mut queue.pools,
                "in-flight: " => &mut queue.in_flight,
                "pending: " => &mut queue.pending,
                _ => &mut queue.inactive,
            };
            match slot {
                Some(before) if before.value.len() < 2000 => {
                    before.value.push_str("; ");
                    before.value.push_str(rest.trim());
                }
                Some(_) => {}
                None => *slot = row.words(rest),
            }
        }
    }
    Some(lockup)
}
