//! Lines about the machine and the kernel that every CPU prints alike.

use super::values::{hex_token, is_module_name};
use crate::record::{CrashRecord, Located, ModuleEntry};
use crate::text::Line;
use crate::words::{Words, begins_any};
use kwhy_base::BuildId;

/// `CPU: …`, `Tainted: …`, `Hardware name: …`, `Workqueue: …`.
pub(super) fn machine(line: &Line<'_>, record: &mut CrashRecord) -> bool {
    let text = line.text.trim();
    if let Some(rest) = text.strip_prefix("CPU: ").or_else(|| text.strip_prefix("CPU ")) {
        return cpu_line(rest, line.number, record);
    }
    if let Some(rest) = text.strip_prefix("Pid: ") {
        return old_pid_line(rest, line.number, record);
    }
    if let Some(rest) = text.strip_prefix("Hardware name: ") {
        set(&mut record.hardware, rest.trim().to_owned(), line.number);
        return true;
    }
    if let Some(rest) = text.strip_prefix("Workqueue: ") {
        set(&mut record.workqueue, rest.trim().to_owned(), line.number);
        return true;
    }
    if text.starts_with("Tainted: ") || text.starts_with("Not tainted ") {
        // The hung-task report's own line, or (since 6.12) a list of named taints.
        if text.contains("]=") {
            named_taints(text, line.number, record);
        } else {
            taints_and_release(text, line.number, record);
        }
        return true;
    }
    false
}

fn set<T>(slot: &mut Option<Located<T>>, value: T, line: u32) {
    if slot.is_none() {
        *slot = Some(Located { value, line });
    }
}

/// `0 PID: 92 Comm: insmod Tainted: G OE 6.1.0 #1 …`; since 6.11 with `UID: 0` in it.
fn cpu_line(rest: &str, line: u32, record: &mut CrashRecord) -> bool {
    let Some((_, after)) = rest.cut("PID: ").filter(|_| rest.contains(" Comm: ")) else {
        return false;
    };
    if record.comm.is_some() && record.release.is_some() {
        return true;
    }
    let number = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text.get(..end).and_then(|digits| digits.parse::<u32>().ok())
    };
    record.cpu = record.cpu.or_else(|| number(rest));
    record.pid = record.pid.or_else(|| number(after));
    if let Some((_, comm)) = after.cut("Comm: ") {
        let end = comm.place_of(" Tainted: ").or_else(|| comm.place_of(" Not tainted "));
        let end = end.unwrap_or_else(|| comm.find(' ').unwrap_or(comm.len()));
        if record.comm.is_none() {
            record.comm = comm.get(..end).map(|name| name.trim_end().to_owned());
        }
        taints_and_release(comm.get(end..).unwrap_or_default().trim_start(), line, record);
    }
    true
}

/// `123, comm: foo Tainted: P 2.6.32 #1 board`, before 3.11.
fn old_pid_line(rest: &str, line: u32, record: &mut CrashRecord) -> bool {
    let Some((pid, after)) = rest.cut(", comm: ") else { return false };
    record.pid = record.pid.or_else(|| pid.parse().ok());
    let end = after.place_of(" Tainted: ").or_else(|| after.place_of(" Not tainted "));
    let end = end.unwrap_or_else(|| after.find(' ').unwrap_or(after.len()));
    if record.comm.is_none() {
        record.comm = after.get(..end).map(|name| name.trim_end().to_owned());
    }
    taints_and_release(after.get(end..).unwrap_or_default().trim_start(), line, record);
    true
}

/// `Tainted: G        W  OE     5.15.0-25-generic #25-Ubuntu`: letters stand in fixed columns.
fn taints_and_release(text: &str, line: u32, record: &mut CrashRecord) {
    let mut letters = String::new();
    let words = match text.strip_prefix("Tainted:") {
        Some(rest) => rest,
        None => match text.strip_prefix("Not tainted") {
            Some(rest) => rest,
            None => return,
        },
    };
    let mut words = words.split_ascii_whitespace().peekable();
    if text.starts_with("Tainted:") {
        while let Some(word) = words.next_if(|w| w.bytes().all(|b| b.is_ascii_uppercase())) {
            letters.push_str(word);
        }
    }
    set(&mut record.tainted, letters, line);
    if let Some(release) = words.next()
        && record.release.is_none()
    {
        set(&mut record.release, release.to_owned(), line);
        let mut words = words.collect::<Vec<_>>();
        // With CONFIG_STACKTRACE_BUILD_ID the kernel's own build-id ends the line
        // (`dump_stack_print_info()` in lib/dump_stack.c).
        if let Some(id) =
            words.last().filter(|word| word.len() >= 32).and_then(|word| BuildId::from_hex(word))
        {
            record.build_id.get_or_insert(Located { value: id, line });
            words.pop();
        }
        let version = words.join(" ");
        record.version = (!version.is_empty()).then_some(version);
    }
}

/// `Tainted: [W]=WARN, [O]=OOT_MODULE`.
fn named_taints(text: &str, line: u32, record: &mut CrashRecord) {
    let letters = text
        .split('[')
        .skip(1)
        .filter_map(|part| part.cut("]="))
        .map(|(letter, _)| letter.trim())
        .filter(|letter| letter.len() == 1)
        .collect::<String>();
    if record.tainted.as_ref().is_none_or(|t| t.value.is_empty()) {
        record.tainted = Some(Located { value: letters, line });
    }
}

/// `Kernel Offset:`, `PHYS_OFFSET:`: printed at the very end, after the panic.
pub(super) fn last_words(line: &Line<'_>, record: &mut CrashRecord) -> bool {
    let text = line.text.trim();
    if let Some(rest) = text.strip_prefix("Kernel Offset: ") {
        let offset =
            if rest.starts_with("disabled") { Some(0) } else { hex_token(rest).and_then(|h| h.value) };
        if let Some(offset) = offset {
            set(&mut record.kernel_offset, offset, line.number);
        }
        return true;
    }
    if let Some(rest) = text.strip_prefix("PHYS_OFFSET: ") {
        if let Some(offset) = hex_token(rest).and_then(|h| h.value) {
            set(&mut record.phys_offset, offset, line.number);
        }
        return true;
    }
    text.starts_with("---[ end Kernel panic")
        || text.starts_with("CPU features: ")
        || text.starts_with("Memory Limit: ")
}

/// Far more than any machine loads.
const MOST_MODULES: usize = 8192;

/// What follows `Modules linked in:` on its line.
pub(super) fn modules(list: &str, line: u32, record: &mut CrashRecord) {
    let (linked, unloaded) = match list.cut("[last unloaded:") {
        Some((linked, rest)) => (linked, Some(rest.split(']').next().unwrap_or(rest))),
        None => (list, None),
    };
    for word in linked.split_ascii_whitespace() {
        module(word, line, false, record);
    }
    for word in unloaded.into_iter().flat_map(str::split_ascii_whitespace) {
        module(word, line, true, record);
    }
}

fn module(word: &str, line: u32, last_unloaded: bool, record: &mut CrashRecord) {
    let (name, flags, closed) = match word.split_once('(') {
        Some((name, flags)) => match flags.strip_suffix(')') {
            Some(flags) => (name, flags, true),
            None => (name, flags, false),
        },
        None => (word, "", true),
    };
    if !is_module_name(name) {
        record.modules_cut = true;
        return;
    }
    if !closed {
        record.modules_cut = true;
    }
    if record.modules.len() >= MOST_MODULES {
        record.modules_cut = true;
        return;
    }
    let state = flags.chars().find(|c| matches!(c, '+' | '-'));
    let taints = flags.chars().filter(char::is_ascii_uppercase).collect();
    record.modules.push(ModuleEntry { name: name.to_owned(), taints, state, last_unloaded, line });
}

/// Whether the last name of a list is more likely the beginning of one: modules with names of two
/// letters exist, but they are few and known.
pub(crate) fn looks_cut(name: &str) -> bool {
    const SHORT: &[&str] = &[
        "sg", "st", "sr", "sd", "ac", "wl", "lp", "mq", "md", "ib", "bt", "xe", "rc", "hv", "tg", "qe", "dm",
        "fc", "pn", "ip", "gb", "s3", "w1", "ah", "vx", "pd", "pg", "pf", "pt", "ch", "sx",
    ];
    name.len() <= 2 && !SHORT.contains(&name)
}

/// A line that goes on with the module list: printk breaks it at about a thousand characters.
///
/// Nothing marks such a line, so it must consist of module names alone, and not begin as any
/// other line of a report does.
pub(super) fn more_modules(text: &str, line: u32, record: &mut CrashRecord) -> bool {
    let closed = record.modules.last().is_some_and(|m| m.last_unloaded);
    if closed || record.modules.is_empty() {
        return false;
    }
    let (linked, unloaded) = match text.cut("[last unloaded:") {
        Some((linked, _)) => (linked, true),
        None => (text, false),
    };
    let mut words = linked.split_ascii_whitespace().peekable();
    if words.peek().is_none() && !unloaded {
        return false;
    }
    let plausible = |word: &str| {
        let name = word.split('(').next().unwrap_or(word);
        let flags = word.get(name.len()..).unwrap_or_default();
        is_module_name(name)
            && !name.contains('.')
            && (flags.is_empty()
                || flags.bytes().all(|b| b.is_ascii_uppercase() || matches!(b, b'(' | b')' | b'+' | b'-')))
    };
    // A single bare word could be anything; a list goes on with several, or with flags.
    let count = linked.split_ascii_whitespace().count();
    if !words.all(plausible) || (count < 2 && !unloaded && !linked.contains('(')) {
        return false;
    }
    modules(text, line, record);
    true
}

/// Names that mark the end of a trace and belong to the machine's description.
pub(super) fn ends_trace(text: &str) -> bool {
    const HEADS: &[&str] =
        &["Modules linked in", "---[ end", "Kernel panic", "Kernel Offset", "Dumping ftrace", "Rebooting in"];
    begins_any(text, HEADS)
}
