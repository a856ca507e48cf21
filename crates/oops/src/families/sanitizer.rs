//! Reports of the kernel's sanitizers.

use super::stack::{self, Source};
use super::{Named, View};
use crate::record::Family;

/// arm64's way into a tag-check fault, which stands above the access in the trace.
const TAG_FRAMES: &[&str] = &["^el1", "^do_tag", "^do_mem_abort", "^el0", "^kasan"];

/// `BUG: KASAN: SORT in fn+0x…`.
pub(super) fn kasan(view: &View<'_>) -> Option<Named> {
    let rest = view.header.strip_prefix("BUG: KASAN: ")?;
    let (sort, place) = match rest.split_once(" in ") {
        Some((sort, place)) => (sort.trim(), Some(place)),
        None => (rest.split(" on ").next().unwrap_or(rest).trim(), None),
    };
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
    let header_function = place.and_then(View::symbol);
    if kind == "kasan-invalid-free" {
        let skip = ["kfree", "^kvfree", "slab", "vfree", "kasan", "^free_", "kmem", "^__kmem"];
        let found = view.function(Source::Trace, header_function.as_deref(), &skip);
        return Some(view.named(Family::Kasan, kind, "KASAN: invalid-free", found, &["invalid-free"]));
    }
    let access = view.lines.iter().take(12).find_map(|line| {
        let line = line.trim_start();
        if line.starts_with("Read of size") || line.starts_with("Read at addr") {
            Some("Read")
        } else if line.starts_with("Write of size") || line.starts_with("Write at addr") {
            Some("Write")
        } else {
            None
        }
    });
    match (access, place) {
        (Some(access), Some(_)) => {
            let found = view.function(Source::Trace, header_function.as_deref(), TAG_FRAMES);
            let title = format!("KASAN: {sort} {access}");
            Some(view.named(Family::Kasan, kind, &title, found, &["bad-access"]))
        }
        (Some(access), None) => {
            let named = view.plain(Family::Kasan, kind, &format!("KASAN: {sort} {access}"));
            Some(Named { corrupted: true, ..named })
        }
        (None, _) => {
            let named = view.plain(Family::Kasan, kind, &format!("KASAN: {}", rest.trim()));
            Some(Named { corrupted: true, ..named })
        }
    }
}

/// `BUG: KMSAN: SORT in fn+0x…`: the frames stand right below.
pub(super) fn kmsan(view: &View<'_>) -> Option<Named> {
    let rest = view.header.strip_prefix("BUG: KMSAN: ")?;
    let sort = rest.split(" in ").next().unwrap_or(rest).trim();
    let kind = if sort.contains("infoleak-after-free") || sort.contains("use-after-free") {
        "kmsan-use-after-free"
    } else if sort.contains("infoleak") {
        "kmsan-infoleak"
    } else if sort.contains("uninit-value") {
        "kmsan-uninit"
    } else {
        "kmsan-other"
    };
    let skip: &[&str] = if sort.contains("usb-infoleak") {
        &[
            "usb_submit_urb",
            "usb_start_wait_urb",
            "usb_bulk_msg",
            "usb_interrupt_msg",
            "usb_control_msg",
            "kmsan",
        ]
    } else if sort.contains("infoleak") {
        &["copy_to_user", "copy_to_iter", "copy_page_to", "iov_iter", "put_user", "simple_copy", "instrument"]
    } else {
        &[
            "alloc_skb",
            "netlink_ack",
            "netlink_rcv",
            "crypto_",
            "^sha",
            "aes",
            "_alg_",
            "^chacha",
            "^poly1305",
            "^crc",
            "^blake",
        ]
    };
    let found = view.function(Source::Below, None, skip);
    let mut named = view.named(Family::Kmsan, kind, &format!("KMSAN: {sort}"), found, &["bad-access"]);
    if sort.contains("usb-infoleak")
        && let Some(at) = view.lines.iter().position(|line| line.starts_with("Uninit was created"))
        && let Some(origin) =
            stack::function(view.lines.get(at..).unwrap_or_default(), Source::Below, None, &[]).name
    {
        named.alt_titles.push(format!("KMSAN: {sort} origin in {origin}"));
    }
    Some(named)
}

/// `BUG: KCSAN: data-race in f / g`: both names stand in the header.
pub(super) fn kcsan(view: &View<'_>) -> Option<Named> {
    let rest = view.header.strip_prefix("BUG: KCSAN: ")?;
    let kind = if rest.starts_with("data-race") {
        "kcsan-race"
    } else if rest.starts_with("assert: race") {
        "kcsan-assert"
    } else {
        "kcsan-other"
    };
    Some(view.plain(Family::Kcsan, kind, &format!("KCSAN: {rest}")))
}

/// `BUG: KFENCE: use-after-free read in fn+0x…`.
pub(super) fn kfence(view: &View<'_>) -> Option<Named> {
    let rest = view.header.strip_prefix("BUG: KFENCE: ")?;
    let (sort, place) = rest.split_once(" in ").unwrap_or((rest, ""));
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
    let found = view.function(Source::Below, View::symbol(place).as_deref(), &[]);
    let alts: &[&str] = match kind {
        "kfence-invalid-free" => &["invalid-free"],
        "kfence-corruption" => &[],
        _ => &["bad-access"],
    };
    Some(view.named(Family::Kfence, kind, &format!("KFENCE: {}", sort.trim()), found, alts))
}

/// `UBSAN: SORT in FILE:LINE:COLUMN`.
pub(super) fn ubsan(view: &View<'_>) -> Option<Named> {
    let rest = view.header.strip_prefix("UBSAN: ")?;
    let sort = rest.split(" in ").next().unwrap_or(rest).trim();
    let old = sort.eq_ignore_ascii_case("undefined behaviour");
    let sort = if old { "undefined-behaviour" } else { sort };
    let bounds = sort.contains("out-of-bounds");
    let found = view.function(Source::Trace, None, &["ubsan", "overflow"]);
    let alts: &[&str] = if bounds { &["bad-access"] } else { &[] };
    Some(view.named(
        Family::Ubsan,
        if bounds { "ubsan-bounds" } else { "ubsan" },
        &format!("UBSAN: {sort}"),
        found,
        alts,
    ))
}
