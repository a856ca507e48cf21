//! KCSAN and UBSAN (kernel/kcsan/report.c, lib/ubsan.c).

use super::scan::{begins, scan};
use super::{Task, View, details};
use crate::record::{Family, PrintedHex};
use crate::words::Words;

details! {
    /// One side of a data race.
    KcsanAccess = "access" {
        /// `read`, `write`, `read-write`, with `(marked)`, `(reordered)`; `assert no writes`…
        access: String,
        /// The address.
        address: PrintedHex,
        /// Bytes accessed.
        size: u64,
        /// The task; `None` in an interrupt.
        task: Task,
        /// In an interrupt.
        interrupt: bool,
        /// The CPU.
        cpu: u32,
        ; stack
        /// Its stack.
        stack
    }
}

details! {
    /// A KCSAN report.
    Kcsan = "kcsan" {
        /// `data-race` or `assert: race`.
        sort: String,
        /// The functions of the header.
        function: String,
        /// The other side was not seen: only the value changed.
        unknown_origin: bool,
        /// The value before.
        value_before: PrintedHex,
        /// The value after.
        value_after: PrintedHex,
        ; parts
        /// The accesses, as printed.
        accesses: Vec<KcsanAccess>,
    }
}

pub(super) fn kcsan(view: &View<'_>) -> Option<Kcsan> {
    let (head, [rest]) = view.find("KCSAN: {}").filter(|_| view.record.family == Some(Family::Kcsan))?;
    let (sort, function) = rest.cut(" in ").unwrap_or((rest, ""));
    let mut kcsan = Kcsan { sort: head.words(sort), function: head.words(function), ..Kcsan::default() };
    for row in view.below(&head) {
        let mut text = row.text;
        if let Some([known]) = begins(text, "race at unknown origin, with {}") {
            kcsan.unknown_origin = row.at(true);
            text = known;
        }
        if let Some([access, address, size, who, cpu]) = scan(text, "{} to {} of {} bytes by {} on cpu {}:")
            .filter(|[access, ..]: &[&str; 5]| is_access(access))
        {
            let interrupt = who == "interrupt";
            kcsan.accesses.push(KcsanAccess {
                access: row.words(access),
                address: row.hex(address),
                size: row.number(size),
                task: row.task(who.trim_start_matches("task ")),
                interrupt: if interrupt { row.at(true) } else { None },
                cpu: row.number(cpu),
                stack: view.stack(&row),
            });
        } else if let Some([before, after]) = begins(text, "value changed: {} -> {}") {
            (kcsan.value_before, kcsan.value_after) = (row.hex(before), row.hex(after));
        }
    }
    Some(kcsan)
}

fn is_access(words: &str) -> bool {
    ["read", "write", "assert no", "access"].iter().any(|start| words.starts_with(start))
}

details! {
    /// A UBSAN report.
    Ubsan = "ubsan" {
        /// `array-index-out-of-bounds`, `shift-out-of-bounds`…
        sort: String,
        /// Source file and line.
        place: (String, u32),
        /// Column.
        column: u32,
        /// What happened, in UBSAN's words.
        message: String,
        /// The index, exponent, value or address that was out of order, as printed.
        value: String,
        /// The type in question.
        type_name: String,
    }
}

pub(super) fn ubsan(view: &View<'_>) -> Option<Ubsan> {
    let (head, [rest]) = view.find("UBSAN: {}").filter(|_| view.record.family == Some(Family::Ubsan))?;
    let (sort, place) = rest.cut(" in ").unwrap_or((rest, ""));
    let mut ubsan = Ubsan { sort: head.words(sort), ..Ubsan::default() };
    let mut parts = place.split(':');
    if let (Some(file), Some(line)) = (parts.next(), parts.next().and_then(|n| n.parse().ok())) {
        ubsan.place = head.at((file.to_owned(), line));
        ubsan.column = parts.next().and_then(|column| head.number(column));
    }
    let below = view.below(&head).take_while(|row| !row.text.starts_with("CPU: ")).take(4);
    let said: Vec<_> = below.filter(|row| !row.text.is_empty() && !row.text.starts_with("====")).collect();
    if let Some(first) = said.first() {
        let words: Vec<&str> = said.iter().map(|row| row.text).collect();
        let message = words.join(" ");
        if let Some([value, name]) = scan(&message, "index {} is out of range for type {}")
            .or_else(|| scan(&message, "load of value {} is not a valid value for type {}"))
            .or_else(|| scan(&message, "misaligned address {} for type {}"))
            .or_else(|| scan(&message, "shift exponent {} is too large for {}"))
            .or_else(|| scan(&message, "address {} with insufficient space for an object of type {}"))
            .or_else(|| scan(&message, "division of {} by -1 cannot be represented in type {}"))
            .or_else(|| scan(&message, "{} cannot be represented in type {}"))
        {
            // `32-bit type 'int'`.
            let name = name.cut("type ").map_or(name, |(_, name)| name);
            (ubsan.value, ubsan.type_name) = (first.words(value), first.words(name.trim_matches('\'')));
        } else if let Some([value]) = scan(&message, "shift exponent {} is negative")
            .or_else(|| scan(&message, "left shift of negative value {}"))
        {
            ubsan.value = first.words(value);
        }
        ubsan.message = first.words(&message);
    }
    Some(ubsan)
}
