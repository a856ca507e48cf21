//! Reports of the kernel's sanitizers.

use super::stack::{self, Plan, Step};
use super::{Named, View};
use crate::record::Family;
use crate::words::Words;

/// arm64's way into a tag-check fault, which stands above the access in the trace.
const TAG_FRAMES: &[&str] = &["^el1_", "^el1h_", "tag_check", "mem_abort", "kernel_fault"];

/// `BUG: KASAN: SORT in fn+0x…`.
pub(super) fn kasan(view: &View<'_>) -> Option<Named> {
    let rest = view.folded().strip_prefix("BUG: KASAN: ")?;
    let sort = rest.cut(" in ").or_else(|| rest.cut(" on address")).map_or(rest, |(sort, _)| sort).trim();
    let kind = if sort.contains("use-after-free") {
        "kasan-use-after-free"
    } else if sort.contains("double-free") || sort.contains("invalid-free") {
        "kasan-invalid-free"
    } else if sort.contains("null-ptr-deref") {
        "kasan-null-deref"
    } else if sort.contains("invalid-access") {
        "kasan-invalid-access"
    } else if sort.contains("out-of-bounds") {
        "kasan-out-of-bounds"
    } else if sort.contains("wild-memory-access") || sort.contains("user-memory-access") {
        "kasan-wild-access"
    } else {
        "kasan-other"
    };
    let place = rest.cut(" in ").and_then(|(_, place)| View::symbol(place));
    let first = place.as_deref();
    if let Some(first) = first
        && matches!(sort, "double-free" | "invalid-free" | "double-free or invalid-free")
    {
        let skip = &["slab_", "kfree", "vunmap", "vfree"][..];
        let found = view.find(&Plan { first: Some(first), steps: stack::TRACE, skip, ..Plan::default() });
        return Some(view.named(Family::Kasan, kind, "KASAN: invalid-free", found, &["invalid-free"]));
    }
    // The old header has an address and no function.
    let nowhere = rest.contains(" on address");
    let worded = !sort.is_empty() && sort.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let access = view.lines.iter().skip(1).find_map(|line| access(line, nowhere)).filter(|_| worded);
    match (access, first) {
        (Some(access), Some(_)) => {
            let found = view.find(&Plan { first, steps: stack::TRACE, skip: TAG_FRAMES, ..Plan::default() });
            let title = format!("KASAN: {sort} {access}");
            Some(view.named(Family::Kasan, kind, &title, found, &["bad-access"]))
        }
        (Some(access), None) if nowhere => {
            Some(view.plain(Family::Kasan, kind, &format!("KASAN: {sort} {access}")))
        }
        _ => Some(view.plain(Family::Kasan, kind, &format!("KASAN: {}", rest.trim())).torn()),
    }
}

/// `Read of size 8 at addr …` of today, `Read at addr …` of the tag-based modes.
fn access(line: &str, sized: bool) -> Option<&'static str> {
    ["Read", "Write"].into_iter().find(|access| {
        line.match_indices(access).any(|(at, _)| {
            let rest = line.get(at + access.len()..).unwrap_or_default();
            let number =
                rest.strip_prefix(" of size ").or_else(|| rest.strip_prefix(" at addr ").filter(|_| !sized));
            number.is_some_and(|number| number.starts_with(|c: char| c.is_ascii_hexdigit()))
        })
    })
}

/// The header of the stack of a value's origin.
fn origin(line: &str) -> Option<Vec<String>> {
    let local = line.contains("Local variable ") && line.contains(" created at:");
    let old = matches!(line.trim(), "origin:" | "chained origin:" | "origin description:");
    (local || old || line.contains("Uninit was created at:")).then(Vec::new)
}

/// `BUG: KMSAN: SORT in fn+0x…`: the frames stand right below.
pub(super) fn kmsan(view: &View<'_>) -> Option<Named> {
    let rest = view.folded().strip_prefix("BUG: KMSAN: ")?;
    let Some((sort, place)) = rest.cut(" in ") else {
        return Some(view.plain(Family::Kmsan, "kmsan-other", &view.header).torn().stackless());
    };
    let kind = if sort.contains("after-free") {
        "kmsan-use-after-free"
    } else if sort.contains("infoleak") {
        "kmsan-infoleak"
    } else if sort.contains("uninit-value") {
        "kmsan-uninit"
    } else {
        "kmsan-other"
    };
    if View::symbol(place).is_none() {
        return Some(view.plain(Family::Kmsan, kind, &view.header).torn().stackless());
    }
    let usb = sort == "kernel-usb-infoleak";
    let skip: &[&str] = if usb {
        // The driver that sends the buffer, and the one that made it, are meant.
        &[
            "alloc_skb",
            "usb_submit_urb",
            "usb_start_wait_urb",
            "usb_bulk_msg",
            "usb_interrupt_msg",
            "usb_control_msg",
        ]
    } else {
        // What ciphers, hashes or acknowledges data was handed them by the one that is meant.
        &[
            "alloc_skb",
            "netlink_ack",
            "netlink_rcv_skb",
            "_encrypt$",
            "^crypto_",
            "^cipher_",
            "^drbg_",
            "^rng_",
        ]
    };
    // Without the stack of its origin a report of an uninitialised value is torn.
    let steps = &[Step::Frames, Step::Line(origin), Step::Frames];
    let mut stacks = stack::every(&view.lines, &Plan { steps, skip, ..Plan::default() }).into_iter();
    let mut found = stacks.next().unwrap_or_else(super::Found::nothing);
    if found.name.is_none() {
        // The first versions printed a call trace.
        found = view.function(stack::TRACE, skip);
    }
    let title = format!("KMSAN: {sort}");
    let alts: &[&str] = if usb { &[] } else { &["bad-access"] };
    let mut named = view.named(Family::Kmsan, kind, &title, found, alts);
    if let Some(origin) = stacks.next().filter(|_| usb) {
        let name = origin.name.unwrap_or_else(|| "corrupted".to_owned());
        named.alt_titles.push(format!("KMSAN origin in {name}"));
        named.alt_titles.extend(origin.others.iter().map(|name| format!("KMSAN origin in {name}")));
    }
    Some(named.stackless())
}

/// `BUG: KCSAN: data-race in f / g`: both names stand in the header.
pub(super) fn kcsan(view: &View<'_>) -> Option<Named> {
    let rest = view.after("BUG: KCSAN: ")?;
    let kind = if rest.starts_with("data-race") {
        "kcsan-race"
    } else if rest.starts_with("assert: race") {
        "kcsan-assert"
    } else {
        "kcsan-other"
    };
    Some(view.plain(Family::Kcsan, kind, &format!("KCSAN: {rest}")).stackless())
}

/// `BUG: KFENCE: use-after-free read in fn+0x…`.
pub(super) fn kfence(view: &View<'_>) -> Option<Named> {
    let rest = view.folded().strip_prefix("BUG: KFENCE: ")?;
    let (sort, place) = rest.cut(" in ").unwrap_or((rest, ""));
    let sort = sort.trim();
    let kind = if sort.contains("use-after-free") {
        "kfence-use-after-free"
    } else if sort.contains("out-of-bounds") {
        "kfence-out-of-bounds"
    } else if sort.contains("invalid free") {
        "kfence-invalid-free"
    } else if sort.contains("memory corruption") {
        "kfence-corruption"
    } else if sort.contains("invalid") {
        "kfence-invalid-access"
    } else {
        "kfence-other"
    };
    let Some(first) = View::symbol(place) else {
        return Some(Named { unknown: true, ..view.plain(Family::Kfence, kind, &view.header) });
    };
    let found = view.find(&Plan { first: Some(&first), steps: stack::BELOW, ..Plan::default() });
    let alts: &[&str] = match kind {
        "kfence-invalid-free" => &["invalid-free"],
        "kfence-corruption" => &[],
        _ => &["bad-access"],
    };
    let named = view.named(Family::Kfence, kind, &format!("KFENCE: {sort}"), found, alts);
    // Of these two, what stands in the header is all the report needs.
    Some(if matches!(kind, "kfence-invalid-free" | "kfence-corruption") { named.stackless() } else { named })
}

/// `UBSAN: SORT in FILE:LINE:COLUMN`.
pub(super) fn ubsan(view: &View<'_>) -> Option<Named> {
    let rest = view.after("UBSAN:")?.trim_start();
    let Some((sort, _)) = rest.cut(" in") else {
        return Some(view.plain(Family::Ubsan, "ubsan", &view.header).torn());
    };
    let sort = if sort.eq_ignore_ascii_case("undefined behaviour") { "undefined-behaviour" } else { sort };
    let bounds = sort == "array-index-out-of-bounds";
    let found = view.function(stack::TRACE, &["ubsan", "overflow"]);
    let alts: &[&str] = if bounds { &["bad-access"] } else { &[] };
    Some(view.named(
        Family::Ubsan,
        if bounds { "ubsan-bounds" } else { "ubsan" },
        &format!("UBSAN: {sort}"),
        found,
        alts,
    ))
}
