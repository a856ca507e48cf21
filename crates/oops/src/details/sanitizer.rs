//! KASAN, KFENCE and KMSAN (mm/kasan/report*.c, mm/kfence/report.c, mm/kmsan/report.c).

use super::scan::{begins, place, scan};
use super::{Row, Task, View, details};
use crate::record::{Family, PrintedHex};
use crate::words::Words;

details! {
    /// Who allocated or freed an object, or stored a value: a stack that the checker had recorded.
    Track = "track" {
        /// `allocated`, `freed`, `work-creation`, `earlier-work-creation`, `stored`, `created`.
        event: String,
        /// The task that did it.
        task: Task,
        /// On which CPU (newer kernels).
        cpu: u32,
        /// When, in seconds since boot, as printed (newer kernels).
        time: String,
        ; stack
        /// The stack.
        stack
    }
}

details! {
    /// A variable of a stack frame, as KASAN describes the frame.
    FrameObject = "frame_object" {
        /// Its name.
        variable: String,
        /// Offset of its first byte in the frame.
        from: u64,
        /// Offset behind its last byte.
        to: u64,
    }
}

details! {
    /// A KASAN report.
    Kasan = "kasan" {
        /// `use-after-free`, `slab-out-of-bounds`, `double-free`…
        sort: String,
        /// Where, as the header names it.
        function: String,
        /// `read`, `write` or `free`.
        access: String,
        /// Bytes accessed.
        size: u64,
        /// The address accessed or freed.
        address: PrintedHex,
        /// The task.
        task: Task,
        /// The object's first byte.
        object: PrintedHex,
        /// The object's cache.
        cache: String,
        /// The cache's object size, in bytes.
        object_size: u64,
        /// Distance of the address from the region, in bytes.
        offset: u64,
        /// `inside of`, `to the left of`, `to the right of`.
        relation: String,
        /// Size of the region, in bytes: what was asked for, where the kernel knows.
        region_size: u64,
        /// `allocated` or `freed`, where the kernel says what the region is (6.4 and later).
        region_state: String,
        /// The region's first byte.
        region_start: PrintedHex,
        /// The byte behind it.
        region_end: PrintedHex,
        /// The global variable.
        variable: String,
        /// Whose stack it is.
        stack_of: Task,
        /// Offset in the frame.
        frame_offset: u64,
        /// The frame's function.
        frame: String,
        /// Who mapped the vmalloc area.
        mapped_by: String,
        /// The pointer's tag (hardware or software tags).
        pointer_tag: PrintedHex,
        /// The memory's tag.
        memory_tag: PrintedHex,
        /// First address of the range that a shadow address stands for.
        range_start: PrintedHex,
        /// Last address of it.
        range_end: PrintedHex,
        /// The shadow bytes (or tags) of the row with the address.
        shadow: String,
        /// Page frame number of the page dumped.
        pfn: PrintedHex,
        ; parts
        /// Variables of the frame.
        frame_objects: Vec<FrameObject>,
        /// Who allocated, who freed, who queued work.
        tracks: Vec<Track>,
    }
}

/// Openers of recorded stacks, and the event.
const TRACKS: &[(&str, &str)] = &[
    ("Allocated by task", "allocated"),
    ("Freed by task", "freed"),
    ("Allocated:", "allocated"),
    ("Freed:", "freed"),
    ("Last potentially related work creation", "work-creation"),
    ("Second to last potentially related work creation", "earlier-work-creation"),
    ("Last call_rcu()", "work-creation"),
    ("Second to last call_rcu()", "earlier-work-creation"),
    ("Uninit was stored to memory at", "stored"),
    ("Uninit was created at", "created"),
];

fn tracks(view: &View<'_>) -> Vec<Track> {
    let opened = view.rows.iter().filter_map(|row| {
        let (head, event) = TRACKS.iter().find(|(head, _)| row.text.starts_with(head))?;
        let rest = row.text.get(head.len()..).unwrap_or_default();
        let mut track = Track { event: row.at((*event).to_owned()), ..Track::default() };
        who(row, rest, &mut track);
        // KASAN of 4.x: `PID = 123` on a line of its own.
        if let Some(next) = view.below(row).next()
            && let Some([pid]) = begins(next.text, "PID = {}")
        {
            track.task = next.task(pid);
        }
        track.stack = view.stack(row);
        Some(track)
    });
    opened.collect()
}

/// `123 on cpu 0 at 12.345s:`, or only `123:`.
fn who(row: &Row<'_>, rest: &str, track: &mut Track) {
    let pid = rest.trim().split([' ', ':']).next().unwrap_or_default();
    track.task = row.task(pid);
    if let Some([cpu]) = scan(rest, "on cpu {}") {
        track.cpu = row.number(cpu);
    }
    if let Some([time]) = scan(rest, " at {}s") {
        track.time = row.words(time);
    }
}

pub(super) fn kasan(view: &View<'_>) -> Option<Kasan> {
    let mut kasan = Kasan::default();
    if let Some((row, [low, high])) =
        view.find("in range [{}-{}]").filter(|(r, _)| r.text.contains("KASAN: "))
    {
        if let Some([sort]) = scan(row.text, "KASAN: {} in range") {
            kasan.sort = row.words(sort);
        }
        (kasan.range_start, kasan.range_end) = (row.hex(low), row.hex(high));
    }
    if view.record.family != Some(Family::Kasan) {
        return kasan.range_start.is_some().then_some(kasan);
    }
    if let Some((row, [rest])) = view.find("KASAN: {}") {
        let (sort, place) = rest.cut(" in ").or_else(|| rest.cut(" on address ")).unwrap_or((rest, ""));
        kasan.sort = row.words(sort);
        if rest.contains(" in ") {
            kasan.function = row.words(place.split(" at addr ").next().unwrap_or_default());
        }
        if let Some([address]) = scan(rest, " at addr {}").or_else(|| scan(rest, " on address {}")) {
            kasan.address = row.hex(address);
        }
    }
    for row in &view.rows {
        kasan_line(row, &mut kasan);
    }
    for (row, next) in view.rows.iter().zip(view.rows.iter().skip(1)) {
        if row.text.ends_with("located at offset")
            || row.text.contains("is located at offset ")
            || row.text.contains(" in frame:")
        {
            kasan.frame = next.words(&place(next.text));
        } else if row.text.starts_with("The buggy address belongs to the variable") {
            kasan.variable = next.words(&place(next.text));
        } else if row.text.ends_with(") created by:") {
            kasan.mapped_by = next.words(&place(next.text));
        }
    }
    kasan.frame_objects = frame_objects(view);
    kasan.tracks = tracks(view);
    Some(kasan)
}

fn kasan_line(row: &Row<'_>, kasan: &mut Kasan) {
    let text = row.text;
    for (words, access) in [("Read ", "read"), ("Write ", "write"), ("Free of addr ", "free")] {
        if kasan.access.is_none() && text.starts_with(words) && text.contains(" by task ") {
            kasan.access = row.at(access.to_owned());
            if let Some([size]) = begins(text, &format!("{words}of size {{}}")) {
                kasan.size = row.number(size);
            }
            if let Some([address]) = scan(text, "addr {}").or_else(|| scan(text, "address {}")) {
                kasan.address = row.hex(address);
            }
            if let Some([task]) = scan(text, " by task {}") {
                kasan.task = row.task(task);
            }
        }
    }
    if let Some([object]) = begins(text, "The buggy address belongs to the object at {}") {
        kasan.object = row.hex(object);
    } else if let Some([cache, size]) = begins(text, "which belongs to the cache {} of size {}") {
        (kasan.cache, kasan.object_size) = (row.words(cache), row.number(size));
    } else if let Some([object, cache, size]) = begins(text, "Object at {}, in cache {} size: {}") {
        // 4.x: one line.
        kasan.object = row.hex(object);
        (kasan.cache, kasan.object_size) = (row.words(cache), row.number(size));
    } else if let Some([offset, relation]) = begins(text, "The buggy address is located {} bytes {} of") {
        kasan.offset = row.number(offset);
        kasan.relation = row.words(&format!("{relation} of"));
    } else if let Some([stack_of]) = begins(text, "The buggy address belongs to stack of task {}") {
        kasan.stack_of = row.task(stack_of.split(" and is ").next().unwrap_or_default());
    }
    // Since 6.0 the offset in the frame has a line of its own; before, it follows the task.
    if let Some([offset]) = scan(text, "is located at offset {} in frame:") {
        kasan.frame_offset = row.number(offset);
    }
    if let Some([size, start, end]) = scan(text, "{}-byte region [{}, {})") {
        let (state, size) = size.rsplit_once(' ').unwrap_or(("", size));
        kasan.region_size = row.number(size);
        kasan.region_state = row.words(state);
        (kasan.region_start, kasan.region_end) = (row.hex(start), row.hex(end));
    }
    if let Some([pointer, memory]) = scan(text, "Pointer tag: [{}], memory tag: [{}]") {
        (kasan.pointer_tag, kasan.memory_tag) = (row.hex(pointer), row.hex(memory));
    }
    if kasan.shadow.is_none() && text.starts_with('>') {
        kasan.shadow = row.words(text.trim_start_matches('>'));
    }
    if kasan.pfn.is_none()
        && text.starts_with("page:")
        && let Some([pfn]) = scan(text, " pfn:{}")
    {
        kasan.pfn = row.hex(pfn);
    }
}

/// ` [32, 40) 'buf'` lines below `This frame has 2 objects:`.
fn frame_objects(view: &View<'_>) -> Vec<FrameObject> {
    let Some(head) = view
        .rows
        .iter()
        .find(|r| r.text.starts_with("This frame has ") || r.text.starts_with("this frame has "))
    else {
        return Vec::new();
    };
    let objects = view.below(head).map_while(|row| {
        let [from, to, name] = begins(row.text, "[{}, {}) '{}")?;
        Some(FrameObject {
            variable: row.words(name.trim_end_matches('\'')),
            from: row.number(from),
            to: row.number(to),
        })
    });
    objects.collect()
}

details! {
    /// A KFENCE report.
    Kfence = "kfence" {
        /// `use-after-free`, `out-of-bounds`, `memory corruption`, `invalid free`, `invalid`.
        sort: String,
        /// Where, as the header names it.
        function: String,
        /// `read` or `write`.
        access: String,
        /// The address accessed, corrupted or freed.
        address: PrintedHex,
        /// Distance from the object in bytes and the side, as printed: `1B left`.
        distance: String,
        /// Number of the guarded object in KFENCE's pool.
        index: u64,
        /// The object's first byte.
        object: PrintedHex,
        /// Its last byte.
        object_end: PrintedHex,
        /// Bytes asked for.
        size: u64,
        /// Its cache.
        cache: String,
        /// The bytes behind (or before) the object that were changed, as printed: `.` was not, `!` was and is hidden.
        canary: String,
        ; stack
        /// The stack of the access.
        stack
        ; parts
        /// Who allocated, who freed.
        tracks: Vec<Track>,
    }
}

pub(super) fn kfence(view: &View<'_>) -> Option<Kfence> {
    let (head, [rest]) = view.find("KFENCE: {}").filter(|_| view.record.family == Some(Family::Kfence))?;
    let mut kfence = Kfence::default();
    let (mut sort, function) = rest.cut(" in ").unwrap_or((rest, ""));
    for access in ["read", "write"] {
        if let Some(short) = sort.strip_suffix(access) {
            sort = short.trim_end();
            kfence.access = head.at(access.to_owned());
        }
    }
    (kfence.sort, kfence.function) = (head.words(sort), head.words(function));
    for row in view.below(&head) {
        let text = row.text;
        let first = ["Out-of-bounds ", "Use-after-free ", "Corrupted memory at ", "Invalid "];
        if kfence.address.is_none() && first.iter().any(|start| text.starts_with(start)) {
            if let Some([address]) = scan(text, " at 0x{}").or_else(|| scan(text, " of 0x{}")) {
                kfence.address = row.hex(address);
            } else if let Some([address]) = scan(text, " at {}").or_else(|| scan(text, " free of {}")) {
                kfence.address = row.hex(address);
            }
            if let Some([index]) = scan(text, "kfence-#{}") {
                kfence.index = row.number(index);
            }
            if let Some([bytes, side]) = scan(text, " ({}B {} of kfence-") {
                kfence.distance = row.words(&format!("{bytes}B {side}"));
            }
            if let Some([canary]) = scan(text, " [ {} ]") {
                kfence.canary = row.words(canary);
            }
            kfence.stack = view.stack(&row);
        } else if text.starts_with("kfence-#") {
            object(&row, &mut kfence);
            if let Some([rest]) = scan(text, "allocated by task {}") {
                let mut track = Track { event: row.at("allocated".into()), ..Track::default() };
                who(&row, rest, &mut track);
                track.stack = view.stack(&row);
                kfence.tracks.push(track);
            }
        } else {
            for event in ["allocated", "freed"] {
                if let Some([rest]) = begins(text, &format!("{event} by task {{}}")) {
                    let mut track = Track { event: row.at(event.to_owned()), ..Track::default() };
                    who(&row, rest, &mut track);
                    track.stack = view.stack(&row);
                    kfence.tracks.push(track);
                }
            }
        }
    }
    Some(kfence)
}

/// `kfence-#69: 0x…-0x…, size=424, cache=kmalloc-512`; before 5.15 in brackets and with commas.
fn object(row: &Row<'_>, kfence: &mut Kfence) {
    let body = row.text.trim_start_matches("kfence-#");
    kfence.index = kfence.index.take().or_else(|| row.number(body));
    let body = body.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches([':', ' ', '[']);
    if let Some((start, rest)) = body.split_once('-') {
        (kfence.object, kfence.object_end) = (row.hex(start), row.hex(rest));
    }
    if let Some(size) = super::scan::keyed(body, "size=") {
        kfence.size = row.number(size);
    }
    if let Some(cache) = super::scan::keyed(body, "cache=") {
        kfence.cache = row.words(cache.trim_end_matches(']'));
    }
}

details! {
    /// A KMSAN report.
    Kmsan = "kmsan" {
        /// `uninit-value`, `kernel-infoleak`…
        sort: String,
        /// Where, as the header names it.
        function: String,
        /// The local variable that nobody initialised.
        variable: String,
        /// The function that has it.
        variable_of: String,
        /// First byte that is not initialised.
        first_byte: u64,
        /// Last one.
        last_byte: u64,
        /// Bytes accessed.
        size: u64,
        /// Address of the access.
        address: PrintedHex,
        /// User address that the bytes were copied to.
        user_address: PrintedHex,
        ; stack
        /// The stack of the use.
        stack
        ; parts
        /// Where it was stored (newest first), where created.
        tracks: Vec<Track>,
    }
}

pub(super) fn kmsan(view: &View<'_>) -> Option<Kmsan> {
    let (head, [rest]) = view.find("KMSAN: {}").filter(|_| view.record.family == Some(Family::Kmsan))?;
    let (sort, function) = rest.cut(" in ").unwrap_or((rest, ""));
    let mut kmsan = Kmsan { sort: head.words(sort), function: head.words(function), ..Kmsan::default() };
    kmsan.stack = (!view.record.frames.is_empty()).then_some(super::StackRef::Own);
    kmsan.tracks = tracks(view);
    for row in view.below(&head) {
        if let Some([name]) = begins(row.text, "Local variable {} created at:") {
            // Before 6.1: `----name@function`.
            let (name, function) = name.trim_start_matches('-').split_once('@').unwrap_or((name, ""));
            kmsan.variable = row.words(name);
            let below = view.below(&row).next();
            kmsan.variable_of = row.words(function).or_else(|| below.and_then(|b| b.words(&place(b.text))));
        } else if let Some([first, last, size]) = begins(row.text, "Bytes {}-{} of {} are uninitialized") {
            (kmsan.first_byte, kmsan.last_byte, kmsan.size) =
                (row.number(first), row.number(last), row.number(size));
        } else if let Some([first, size]) = begins(row.text, "Byte {} of {} is uninitialized") {
            (kmsan.first_byte, kmsan.last_byte, kmsan.size) =
                (row.number(first), row.number(first), row.number(size));
        } else if let Some([_, address]) = begins(row.text, "Memory access of size {} starts at {}") {
            kmsan.address = row.hex(address);
        } else if let Some([address]) = begins(row.text, "Data copied to user address {}") {
            kmsan.user_address = row.hex(address);
        }
    }
    Some(kmsan)
}
