//! lockdep's reports and lists of held locks (kernel/locking/lockdep.c).

use super::scan::{begins, place, scan, task};
use super::{Row, Task, View, details};
use crate::record::{Family, PrintedHex};
use crate::words::Words;

details! {
    /// A lock, as lockdep prints one.
    Lock = "lock" {
        /// What it is to the report: `wanted`, `held`, `released`, `safe`, `unsafe`; absent in lists of held locks.
        role: String,
        /// Its class.
        class: String,
        /// Its usage bits: `+.+.`.
        usage: String,
        /// Its wait types, outer and inner: `3:3` (5.8 and later).
        wait_type: String,
        /// The lock itself.
        address: PrintedHex,
        /// Where it was (or is to be) taken.
        taken_at: String,
    }
}

details! {
    /// A task and the locks it holds.
    TaskLocks = "task_locks" {
        /// The task.
        task: Task,
        /// How many, as printed.
        count: u64,
        ; parts
        /// Each.
        locks: Vec<Lock>,
    }
}

details! {
    /// A link of the dependency chain, the newest (`#0`) being the one that closes it.
    Link = "link" {
        /// `-> #N`.
        number: u32,
        /// The lock's class.
        class: String,
        /// Its usage bits.
        usage: String,
        ; stack
        /// Where it was first taken under the one before.
        stack
    }
}

details! {
    /// A use of a lock class that lockdep remembers: `HARDIRQ-ON-W at:`.
    Usage = "usage" {
        /// Which.
        state: String,
        ; stack
        /// Where.
        stack
    }
}

details! {
    /// A line of the table of the deadlock to be.
    Step = "step" {
        /// On which CPU of the table, from 0.
        cpu: u32,
        /// What it does: `lock(&n->list_lock)`, `<Interrupt>`, `local_irq_disable()`.
        action: String,
    }
}

details! {
    /// A lockdep report.
    Lockdep = "lockdep" {
        /// `possible circular locking dependency`, `inconsistent lock state`…
        sort: String,
        /// The task.
        task: Task,
        /// The state before, of an inconsistent lock.
        state_before: String,
        /// The state now.
        state_now: String,
        /// The chain of classes: `A --> B --> C`.
        chain: String,
        /// Context's wait type: `context-{4:4}`.
        context: String,
        /// Memory freed with a lock in it, from.
        freed_from: PrintedHex,
        /// To.
        freed_to: PrintedHex,
        /// Source place of suspicious RCU usage.
        place: (String, u32),
        /// What is suspicious about it.
        message: String,
        /// `rcu_scheduler_active`, `debug_locks`, as printed.
        rcu_state: String,
        ; parts
        /// The locks in question, each with its role.
        locks: Vec<Lock>,
        /// The dependencies, as printed: the newest last.
        links: Vec<Link>,
        /// The deadlock to be.
        scenario: Vec<Step>,
        /// Earlier uses.
        usages: Vec<Usage>,
    }
}

/// `ffff… (class){+.+.}-{3:3}, at: place`; the address is missing before 4.20, the place in a chain.
fn lock(row: &Row<'_>, text: &str) -> Option<Lock> {
    let (body, at) = text.cut(", at: ").unwrap_or((text.trim_end_matches(':'), ""));
    let (before, rest) = body.split_once('(')?;
    let (class, state) = rest.cut_last("){")?;
    let (usage, rest) = state.split_once('}')?;
    let wait = rest.strip_prefix("-{").and_then(|wait| Some(wait.split_once('}')?.0)).unwrap_or_default();
    let address = before.rsplit(' ').find(|word| !word.is_empty()).unwrap_or_default();
    Some(Lock {
        role: None,
        class: row.words(class),
        usage: row.words(usage),
        wait_type: row.words(wait),
        // `#0:` and `->` are no addresses.
        address: row.hex(address).filter(|hex| hex.value.value.is_some() && hex.value.digits.len() >= 8),
        taken_at: row.words(&place(at)),
    })
}

pub(super) fn held(view: &View<'_>) -> Vec<TaskLocks> {
    let mut all: Vec<TaskLocks> = Vec::new();
    let mut open = false;
    for row in &view.rows {
        if let Some([count, who]) = scan(row.text, "{} held by {}")
            && (count.ends_with(" lock") || count.ends_with(" locks"))
            && let Some(who) = task(who.split(" on CPU#").next().unwrap_or(who))
        {
            all.push(TaskLocks { task: row.at(who), count: row.number(count), ..TaskLocks::default() });
            open = true;
        } else if open && row.text.starts_with('#') {
            let body = row.text.cut(": ").map_or("", |(_, body)| body);
            if let (Some(last), Some(lock)) = (all.last_mut(), lock(row, body)) {
                // Symbolisers repeat the line for each inlined call; the last is the function itself.
                let again = last.locks.last().filter(|before| {
                    before.address.as_ref().map(|a| &a.value) == lock.address.as_ref().map(|a| &a.value)
                        && before.class.as_ref().map(|c| &c.value) == lock.class.as_ref().map(|c| &c.value)
                        && before.taken_at.as_ref().is_some_and(|at| at.value.ends_with("[inline]"))
                });
                if again.is_some() {
                    last.locks.pop();
                }
                last.locks.push(lock);
            }
        } else {
            open = false;
        }
    }
    all
}

/// What announces a lock on the line below, and its role.
const ROLES: &[(&str, &str)] = &[
    ("is trying to acquire lock", "wanted"),
    ("is trying to acquire:", "wanted"),
    ("is trying to lock:", "wanted"),
    ("is trying to contend lock", "wanted"),
    ("but task is already holding lock", "held"),
    ("and this task is already holding", "held"),
    ("takes:", "wanted"),
    ("just changed the state of lock", "changed"),
    ("-irq-safe lock:", "safe"),
    ("-irq-unsafe lock:", "unsafe"),
    ("-unsafe lock in the past", "unsafe"),
    ("-safe lock in the past", "safe"),
    ("with a lock still held there", "held"),
];

pub(super) fn lockdep(view: &View<'_>) -> Option<Lockdep> {
    if view.record.family != Some(Family::Lockdep) {
        return None;
    }
    let head =
        view.rows.iter().find(|row| ["WARNING: ", "INFO: ", "BUG: "].iter().any(|w| row.text.contains(w)))?;
    let words =
        ["WARNING: ", "INFO: ", "BUG: "].iter().find_map(|w| head.text.split_once(w)).map_or("", |(_, t)| t);
    let words = words.trim_end_matches([']', ' ', '!', '.']).trim_end_matches(" detected");
    // `BUG: workqueue leaked lock or atomic: task…`.
    let words = words.split(": ").next().unwrap_or(words);
    let mut report = Lockdep { sort: head.words(words), ..Lockdep::default() };
    let mut expected: Option<&str> = None;
    for row in view.below(head) {
        let text = row.text;
        if let Some(role) = expected.filter(|_| !text.is_empty()) {
            expected = None;
            if let Some(mut lock) = lock(&row, text) {
                lock.role = row.at(role.to_owned());
                report.locks.push(lock);
                continue;
            }
        }
        // What follows a path through the graph is its own list of classes.
        let path = text.contains("dependencies between ");
        if let Some((words, role)) = ROLES.iter().find(|(words, _)| !path && text.contains(words)) {
            expected = Some(role);
            if report.task.is_none() {
                let who = text.split(" [HC").next().unwrap_or(text);
                let who = who.split(" is ").next().unwrap_or(who);
                let who = who.split(words).next().unwrap_or(who).split(" just ").next().unwrap_or(who);
                report.task = row.task(who.trim());
            }
        }
        line(view, &row, &mut report);
    }
    report.scenario = scenario(view);
    Some(report)
}

fn line(view: &View<'_>, row: &Row<'_>, report: &mut Lockdep) {
    let text = row.text;
    if let Some([number, rest]) = begins(text, "-> #{} {}") {
        let lock = lock(row, rest);
        report.links.push(Link {
            number: row.number(number),
            class: lock.as_ref().and_then(|lock| lock.class.clone()),
            usage: lock.and_then(|lock| lock.usage),
            stack: view.stack(row),
        });
    } else if let Some([before, now]) = begins(text, "inconsistent {{}} -> {{}} usage") {
        (report.state_before, report.state_now) = (row.words(before), row.words(now));
    } else if text.starts_with("Chain exists of:") {
        report.chain = view.below(row).find(|row| !row.text.is_empty()).and_then(|row| row.words(row.text));
    } else if let Some([context]) = begins(text, "context-{{}}") {
        report.context = row.words(context);
    } else if let Some([from, to]) = scan(text, "is freeing memory {}-{}, with a lock") {
        (report.freed_from, report.freed_to) = (row.hex(from), row.hex(to));
    } else if let Some([who, class]) = scan(text, "{} is trying to release lock ({}") {
        report.task = row.task(who);
        // The next line is the place.
        let class = class.cut_last(") at").map_or(class, |(class, _)| class);
        let at = view.below(row).next();
        report.locks.push(Lock {
            role: row.at("released".to_owned()),
            class: row.words(class),
            taken_at: at.and_then(|at| at.words(&place(at.text))),
            ..Lock::default()
        });
    } else if text.starts_with("rcu_scheduler_active = ") {
        report.rcu_state = row.words(text);
    } else if report.place.is_none()
        && report.sort.as_ref().is_some_and(|sort| sort.value.contains("RCU"))
        && let Some((place, message)) = text.split_once(' ')
        && let Some((file, number)) = place.rsplit_once(':')
        && let (true, Ok(number)) = (file.contains('.'), number.parse())
    {
        report.place = row.at((file.to_owned(), number));
        report.message = row.words(message.trim_end_matches('!'));
    } else if let Some(state) = usage(text) {
        report.usages.push(Usage { state: row.words(state), stack: view.stack(row) });
    }
}

/// `{HARDIRQ-ON-W} state was registered at:`, `... which became HARDIRQ-irq-safe at:`, `IN-SOFTIRQ-W at:`.
fn usage(text: &str) -> Option<&str> {
    if let Some([state]) = begins(text, "{{}} state was registered at:") {
        return Some(state);
    }
    if let Some([state]) = scan(text, "which became {} at:") {
        return Some(state);
    }
    let state = text.strip_suffix(" at:")?;
    ["HARDIRQ-ON", "SOFTIRQ-ON", "IN-HARDIRQ", "IN-SOFTIRQ", "INITIAL "]
        .iter()
        .any(|s| state.starts_with(s))
        .then_some(state)
}

/// The table below `Possible unsafe locking scenario:`, by its columns.
fn scenario(view: &View<'_>) -> Vec<Step> {
    let words = ["Possible unsafe locking scenario", "Possible interrupt unsafe locking scenario"];
    let Some(head) = view.rows.iter().find(|row| words.iter().any(|w| row.text.starts_with(w))) else {
        return Vec::new();
    };
    // A report's table has at most some ten lines.
    let below = view.below(head).take(24).take_while(|row| !row.text.contains("*** DEADLOCK"));
    let steps = below
        .filter(|row| !(row.text.is_empty() || row.text.starts_with("CPU") || row.text.starts_with("----")));
    let steps = steps.map(|row| {
        let indent = row.raw.len().saturating_sub(row.raw.trim_start().len());
        // The second CPU's column begins at 31.
        Step { cpu: row.at(u32::from(indent >= 20)), action: row.words(row.text.trim_end_matches(';')) }
    });
    steps.collect()
}
