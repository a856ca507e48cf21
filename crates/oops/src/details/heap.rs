//! Damaged memory as its owners notice it: SLUB, lists, refcounts, usercopy, page state, leaks
//! (mm/slub.c, lib/list_debug.c, lib/refcount.c, mm/usercopy.c, mm/page_alloc.c, mm/kmemleak.c).

use super::scan::{begins, keyed, number, scan};
use super::{Row, StackRef, Task, View, details};
use crate::record::PrintedHex;
use crate::words::Words;

details! {
    /// `refcount_t: …`.
    Refcount = "refcount" {
        /// `underflow; use-after-free`, `saturated; leaking memory`…
        message: String,
    }
}

pub(super) fn refcount(view: &View<'_>) -> Option<Refcount> {
    let (row, [message]) = view.find("refcount_t: {}")?;
    Some(Refcount { message: row.words(message.trim_end_matches('.')) })
}

details! {
    /// `list_add corruption`, `list_del corruption`: a list whose pointers do not meet.
    ListCorruption = "list" {
        /// `list_add` or `list_del`.
        operation: String,
        /// Which pointer differs: `prev->next`, `next->prev`; or what else is wrong.
        pointer: String,
        /// What it should hold.
        expected: PrintedHex,
        /// What it holds.
        found: PrintedHex,
        /// The entry being added or deleted.
        entry: PrintedHex,
        /// The entry before.
        prev: PrintedHex,
        /// The entry behind.
        next: PrintedHex,
    }
}

pub(super) fn list(view: &View<'_>) -> Option<ListCorruption> {
    let row = view.rows.iter().find(|row| {
        ["list_add ", "list_del ", "list_add_", "list_del_"].iter().any(|start| row.text.starts_with(start))
            && (row.text.contains("corruption") || row.text.contains("double add"))
    })?;
    let text = row.text;
    let mut list =
        ListCorruption { operation: row.words(text.get(..8).unwrap_or_default()), ..Default::default() };
    if let Some([pointer, expected, found]) = scan(text, "corruption. {} should be {}, but was {}")
        .or_else(|| scan(text, "corruption. {} should be {} but was {}"))
    {
        // `next (ffff…)->prev` of newer kernels names the pointer and its holder at once.
        list.pointer = row.words(&without_parentheses(pointer));
        // `prev (ffff…)` says whose address is expected.
        let (whose, expected) = expected.cut(" (").unwrap_or(("", expected));
        (list.expected, list.found) = (row.hex(expected), row.hex(found));
        match whose {
            "prev" => list.prev = list.expected.clone(),
            "next" => list.next = list.expected.clone(),
            _ => {}
        }
        if let Some([holder]) = scan(pointer, "({})") {
            if pointer.starts_with("prev") {
                list.prev = row.hex(holder);
            } else {
                list.next = row.hex(holder);
            }
        }
        if list.operation.as_ref().is_some_and(|o| o.value == "list_del") {
            list.entry = list.expected.clone();
        }
    } else if let Some([entry, what]) = scan(text, "corruption, {}->{}") {
        list.entry = row.hex(entry);
        list.pointer = row.words(what.split(" is ").next().unwrap_or_default());
        if let Some([found]) = scan(what, "({})") {
            list.found = row.hex(found);
        } else if what.ends_with("is NULL") {
            list.found = row.hex("0");
        }
    } else if let Some([what]) = scan(text, "corruption. {} is NULL") {
        list.pointer = row.words(what);
        list.found = row.hex("0");
    }
    for (key, slot) in [("new=", &mut list.entry), ("prev=", &mut list.prev), ("next=", &mut list.next)] {
        if let Some(value) = keyed(text, key) {
            *slot = row.hex(value);
        }
    }
    Some(list)
}

/// `next (ffff)->prev` as `next->prev`.
fn without_parentheses(text: &str) -> String {
    match text.split_once('(').and_then(|(before, rest)| Some((before, rest.split_once(')')?.1))) {
        Some((before, after)) => format!("{}{after}", before.trim_end()),
        None => text.to_owned(),
    }
}

details! {
    /// A copy to or from user space that hardened usercopy refused.
    Usercopy = "usercopy" {
        /// `exposure` (to user space) or `overwrite` (from it).
        direction: String,
        /// What would have been copied: `SLUB object 'kmalloc-64'`, `process stack`, `vmalloc`…
        what: String,
        /// Offset in the object, in bytes.
        offset: u64,
        /// Bytes to copy.
        size: u64,
    }
}

pub(super) fn usercopy(view: &View<'_>) -> Option<Usercopy> {
    let mut copy = Usercopy::default();
    if let Some((row, [direction, _, what])) = view
        .find("Kernel memory {} attempt detected {} {}")
        .or_else(|| view.find("kernel memory {} attempt detected {} {}"))
    {
        let (what, numbers) = what.cut_last(" (").unwrap_or((what, ""));
        (copy.direction, copy.what) = (row.words(direction), row.words(what));
        if let Some([offset, size]) = begins(numbers, "offset {}, size {}") {
            (copy.offset, copy.size) = (row.number(offset), row.number(size));
        } else {
            // 4.x: `(kmalloc-64) (96 bytes)`, with the address before it.
            copy.size = row.number(numbers);
        }
        return Some(copy);
    }
    let (row, [what, offset, size]) =
        view.find("Bad or missing usercopy whitelist? {} (offset {}, size {})")?;
    let (direction, what) = scan(what, "{} attempt detected").map_or(("", what), |[d]: [&str; 1]| {
        (d.rsplit(' ').next().unwrap_or_default(), what.cut("detected ").map_or(what, |(_, w)| w))
    });
    copy.direction = row.words(direction);
    copy.what = row.words(what.trim_start_matches("from ").trim_start_matches("to "));
    (copy.offset, copy.size) = (row.number(offset), row.number(size));
    Some(copy)
}

details! {
    /// Who allocated or freed an object, as SLUB recorded it.
    SlabTrack = "track" {
        /// `allocated` or `freed`.
        event: String,
        /// Where.
        function: String,
        /// Jiffies ago.
        age: u64,
        /// The CPU.
        cpu: u32,
        /// The task.
        task: Task,
        ; stack
        /// The stack, where the kernel keeps it.
        stack
    }
}

details! {
    /// A report of SLUB's own checks.
    Slab = "slab" {
        /// The cache.
        cache: String,
        /// What is wrong: `Redzone overwritten`, `Object already free`…
        sort: String,
        /// The object.
        object: PrintedHex,
        /// Its offset in the slab.
        offset: u64,
        /// First byte overwritten.
        from: PrintedHex,
        /// Last byte overwritten.
        to: PrintedHex,
        /// The first wrong byte.
        found: PrintedHex,
        /// What it should be.
        expected: PrintedHex,
        /// The slab.
        slab: PrintedHex,
        /// Objects of the slab.
        objects: u64,
        /// Of them in use.
        used: u64,
        ; parts
        /// Who allocated, who freed.
        tracks: Vec<SlabTrack>,
    }
}

pub(super) fn slab(view: &View<'_>) -> Option<Slab> {
    let (head, [cache, rest]) = view.rows.iter().find_map(|row| {
        let found: [&str; 2] = scan(row.text, "BUG {} ({}")?;
        // `BUG kmalloc-64 (Not tainted): …`: a cache is one word, or a quoted name.
        (found.first().is_some_and(|c| !c.contains(':')) && row.text.contains("): ")).then_some((*row, found))
    })?;
    let mut slab = Slab { cache: head.words(cache), ..Slab::default() };
    let sort = rest.cut("): ").map_or("", |(_, sort)| sort);
    slab.sort = head.words(sort);
    for row in view.below(&head) {
        let text = row.text.strip_prefix("INFO: ").unwrap_or(row.text);
        if let Some([object, offset]) = begins(text, "Object 0x{} @offset={}") {
            (slab.object, slab.offset) = (row.hex(object), row.number(offset));
        } else if let Some([from, to, found, expected]) =
            scan(text, "0x{}-0x{}. First byte 0x{} instead of 0x{}").filter(|_| text.starts_with("0x"))
        {
            (slab.from, slab.to) = (row.hex(from), row.hex(to));
            (slab.found, slab.expected) = (row.hex(found), row.hex(expected));
        } else if let Some([address, objects, used]) = begins(text, "Slab 0x{} objects={} used={}") {
            slab.slab = row.hex(address);
            (slab.objects, slab.used) = (row.number(objects), row.number(used));
        } else if let Some(track) = slab_track(view, &row, text) {
            slab.tracks.push(track);
        }
    }
    Some(slab)
}

fn slab_track(view: &View<'_>, row: &Row<'_>, text: &str) -> Option<SlabTrack> {
    let (event, rest) = match (begins(text, "Allocated in {}"), begins(text, "Freed in {}")) {
        (Some([rest]), _) => ("allocated", rest),
        (_, Some([rest])) => ("freed", rest),
        _ => return None,
    };
    let [function, age, cpu, pid] = scan(rest, "{} age={} cpu={} pid={}")?;
    Some(SlabTrack {
        event: row.at(event.to_owned()),
        function: row.words(function),
        age: row.number(age),
        cpu: row.number(cpu),
        task: number(pid).map(|pid| Task { comm: String::new(), pid: Some(pid) }).and_then(|t| row.at(t)),
        stack: view.stack(row).filter(|stack| *stack != StackRef::Own),
    })
}

details! {
    /// `Bad page state`, and the page's dump.
    BadPage = "page" {
        /// The process that noticed.
        process: String,
        /// Page frame number.
        pfn: PrintedHex,
        /// References.
        refcount: i64,
        /// Mappings.
        mapcount: i64,
        /// `page->mapping`.
        mapping: PrintedHex,
        /// Flags, as printed.
        flags: String,
        /// Why the page was dumped.
        reason: String,
    }
}

pub(super) fn bad_page(view: &View<'_>) -> Option<BadPage> {
    let mut page = BadPage::default();
    if let Some((row, [process, pfn])) = view.find("Bad page state in process {} pfn:{}") {
        (page.process, page.pfn) = (row.words(process), row.hex(pfn));
    }
    for row in &view.rows {
        let text = row.text;
        if text.starts_with("page:") || text.starts_with("page: ") {
            page.pfn = page.pfn.take().or_else(|| keyed(text, "pfn:").and_then(|pfn| row.hex(pfn)));
            let count = keyed(text, "refcount:").or_else(|| keyed(text, "count:"));
            page.refcount = page.refcount.take().or_else(|| row.number(count?));
            page.mapcount = page.mapcount.take().or_else(|| row.number(keyed(text, "mapcount:")?));
            page.mapping = page.mapping.take().or_else(|| row.hex(keyed(text, "mapping:")?));
        } else if page.refcount.is_some()
            && page.flags.is_none()
            && let Some([flags]) = scan(text, "flags: {}")
        {
            page.flags = row.words(flags);
        } else if let Some([reason]) = begins(text, "page dumped because: {}") {
            page.reason = page.reason.take().or_else(|| row.words(reason));
        }
    }
    // KASAN dumps the page of every report; its own part says enough of it.
    let kasan = page.reason.as_ref().is_some_and(|reason| reason.value.starts_with("kasan:"));
    (!kasan && (page.pfn.is_some() || page.reason.is_some())).then_some(page)
}

details! {
    /// An object that nobody points to any more.
    Leak = "leak" {
        /// Its address.
        object: PrintedHex,
        /// Its size, in bytes.
        size: u64,
        /// Who allocated it.
        task: Task,
        /// When, in jiffies.
        jiffies: u64,
        /// How long ago, as printed.
        age: String,
        ; stack
        /// Where it was allocated.
        stack
    }
}

pub(super) fn leaks(view: &View<'_>) -> Vec<Leak> {
    let mut leaks: Vec<Leak> = Vec::new();
    for row in &view.rows {
        if let Some([object, size]) = scan(row.text, "unreferenced object 0x{} (size {})") {
            leaks.push(Leak { object: row.hex(object), size: row.number(size), ..Leak::default() });
        }
        let Some(leak) = leaks.last_mut() else { continue };
        if let Some([comm, rest]) = begins(row.text, "comm \"{}\", pid {}") {
            leak.task = row.at(Task { comm: comm.to_owned(), pid: number(rest) });
            leak.jiffies = scan(rest, "jiffies {}").and_then(|[jiffies]: [&str; 1]| row.number(jiffies));
            leak.age = scan(rest, "(age {})").and_then(|[age]: [&str; 1]| row.words(age));
        } else if row.text.starts_with("backtrace") {
            leak.stack = view.stack(row);
        }
    }
    leaks
}
