//! `WARNING: … at FILE:LINE fn+0x…` of the WARN macros.

use super::stack::{self, Found, Plan};
use super::{Named, View};
use crate::record::Family;
use crate::words::Words;

/// Where a WARN says it is.
struct Place<'a> {
    /// The file, without its line.
    file: &'a str,
    /// What follows: the function, or an address.
    function: &'a str,
}

/// Whether the header is a WARN's: `CPU: 0 PID: 1 at FILE:1 fn+0x1/0x2` (with `Comm`-like words
/// between in some kernels), or since 6.19 `FILE:1 at fn+0x1/0x2, CPU#0: comm/1`, there also with the
/// condition in brackets before it.
fn place<'a>(view: &'a View<'_>) -> Option<Place<'a>> {
    let rest = view.folded().strip_prefix("WARNING: ")?;
    let mut words = rest.match_indices(" at ").map(|(at, _)| at);
    let first = words.next().or_else(|| rest.starts_with("at ").then_some(0))?;
    let (before, after) = (rest.get(..first)?, rest.get(first..)?.trim_start().strip_prefix("at ")?);
    if let Some(file) = source(before.split_ascii_whitespace().last()?) {
        return Some(Place { file, function: after });
    }
    // The place follows the last ` at ` of the header.
    let last = words.last().and_then(|at| rest.get(at + 4..)).unwrap_or(after);
    let (file, function) = last.split_once(' ')?;
    Some(Place { file: source(file)?, function: function.trim_start() })
}

/// `mm/slub.c:123` without its line.
fn source(word: &str) -> Option<&str> {
    let (file, line) = word.rsplit_once(':')?;
    (file.contains('.') && !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit())).then_some(file)
}

/// A warning about its caller.
struct Special {
    /// The file ends with this.
    file: &'static str,
    /// The function's name has one of these in it.
    functions: &'static [&'static str],
    /// In the newest header the file alone decides: the function there is where the compiler says
    /// the code is, which may be a caller that it was inlined into.
    file_suffices: bool,
    title: &'static str,
    /// Whose frames stand between the warning and the one it is about.
    skip: &'static [&'static str],
}

const SPECIAL: &[Special] = &[
    Special {
        file: "lib/debugobjects.c",
        functions: &["debug_print", "debug_check"],
        file_suffices: true,
        title: "WARNING: ODEBUG bug",
        // Whatever initialises, arms or frees a tracked object on its owner's behalf.
        skip: &[
            "debug_", "rcu", "hrtimer_", "timer_", "work_", "percpu_", "vunmap", "vfree", "__free_",
            "kobject_",
        ],
    },
    Special {
        file: "mm/usercopy.c",
        functions: &["usercopy_warn"],
        file_suffices: true,
        title: "WARNING: bad usercopy",
        skip: &["usercopy", "__check"],
    },
    Special {
        file: "lib/kobject.c",
        functions: &["kobject_"],
        file_suffices: true,
        title: "WARNING: kobject bug",
        skip: &["kobject_"],
    },
    Special {
        file: "fs/proc/generic.c",
        functions: &["proc_register"],
        file_suffices: true,
        title: "WARNING: proc registration bug",
        skip: &["proc_"],
    },
    Special {
        file: "lib/refcount.c",
        functions: &["refcount_"],
        file_suffices: true,
        title: "WARNING: refcount bug",
        skip: &["refcount", "kobject_"],
    },
    Special {
        file: "kernel/locking/lockdep.c",
        functions: &["lock_"],
        file_suffices: false,
        title: "WARNING: locking bug",
        skip: &["lock_sock", "release_sock"],
    },
];

/// The general allocators, which warn about the size or the flags that they are asked for.
const KMALLOC: Special = Special {
    file: "",
    functions: &["kmalloc", "kvmalloc", "vmalloc"],
    file_suffices: false,
    title: "WARNING: kmalloc bug",
    skip: &["kmalloc", "krealloc", "slab", "kmem"],
};

/// vmalloc warns about a size of nought.
const VMALLOC: Special = Special {
    file: "mm/vmalloc.c",
    functions: &["__vmalloc_node"],
    file_suffices: false,
    title: "WARNING: zero-size vmalloc",
    skip: &[],
};

impl Special {
    /// Whether the warning at `place` is of this sort.
    fn is(&self, place: &Place<'_>, newest: bool) -> bool {
        let name = place.function.split(['+', ' ']).next().unwrap_or_default();
        place.file.ends_with(self.file)
            && (newest && self.file_suffices || self.functions.iter().any(|part| name.contains(part)))
    }
}

impl Special {
    /// The same where the name must begin so: `__kmalloc` and its like warn on behalf of others, too.
    fn begins(&self, place: &Place<'_>) -> bool {
        self.functions.iter().any(|part| place.function.starts_with(part))
    }
}

fn warned(view: &View<'_>, skip: &[&str]) -> Found {
    view.find(&Plan { steps: stack::WARN, instead: stack::TRACE, skip, ..Plan::default() })
}

/// Warnings that are about their callers.
pub(super) fn special(view: &View<'_>) -> Option<Named> {
    let place = place(view)?;
    let newest = view.header.contains(", CPU#");
    let allocator = place.file.contains("mm/");
    let special = SPECIAL
        .iter()
        .find(|special| special.is(&place, newest))
        .or_else(|| Some(&KMALLOC).filter(|special| allocator && special.begins(&place)))
        .or_else(|| Some(&VMALLOC).filter(|special| special.is(&place, false)));
    if let Some(special) = special {
        let found = warned(view, special.skip);
        let (family, kind) = match special.title {
            "WARNING: refcount bug" => (Family::Refcount, "refcount"),
            "WARNING: locking bug" => (Family::Lockdep, "lockdep-other"),
            "WARNING: bad usercopy" => (Family::Usercopy, "usercopy"),
            _ => (Family::Warning, "warning"),
        };
        return Some(view.named(family, kind, special.title, found, &[]));
    }
    if place.function.starts_with("usb_submit_urb") {
        // The core warns about the transfer that a driver hands it.
        let skip =
            ["usb_submit_urb", "usb_start_wait_urb", "usb_bulk_msg", "usb_interrupt_msg", "usb_control_msg"];
        let mut named = view.named(Family::Warning, "warning", "WARNING", warned(view, &skip), &[]);
        for title in std::iter::once(&mut named.title).chain(&mut named.alt_titles) {
            title.push_str("/usb_submit_urb");
        }
        return Some(named);
    }
    None
}

/// Any other.
pub(super) fn generic(view: &View<'_>) -> Option<Named> {
    if let Some(rest) = view.after("WARNING: kernel stack ") {
        return unwinder(view, rest);
    }
    let place = place(view)?;
    let address = place.function.starts_with("0x") || place.function.starts_with("[<");
    if View::symbol(place.function).is_none() && !address {
        return None;
    }
    let mut named = view.named(Family::Warning, "warning", "WARNING", warned(view, &[]), &[]);
    if place.file.ends_with("lib/list_debug.c") {
        named.family = Some(Family::ListCorruption);
    }
    Some(named)
}

/// `kernel stack regs at ffff… in x:1 has bad 'bp' value ffff…`: the unwinder met what it cannot
/// follow (arch/x86/kernel/unwind_frame.c). No stack is expected.
fn unwinder(view: &View<'_>, rest: &str) -> Option<Named> {
    let (_, what) = rest.cut(" has bad ")?;
    let regs = rest.starts_with("regs ");
    if !regs && !rest.starts_with("frame pointer ") {
        return None;
    }
    let place = rest.cut(" at ").map_or("", |(_, place)| place);
    let shown = place.starts_with(|c: char| c.is_ascii_hexdigit());
    let value = what.cut(" value").map_or("", |(value, _)| value);
    let title = match (regs, shown) {
        (true, true) if !value.is_empty() => format!("WARNING: kernel stack regs has bad {value} value"),
        (false, true) => "WARNING: kernel stack frame pointer has bad value".to_owned(),
        // Kernels that hide addresses: by convention one title for both.
        _ => "WARNING: kernel stack regs has bad value".to_owned(),
    };
    let mut named = view.plain(Family::Other, "warning", &title).stackless();
    if !regs {
        named.alt_titles.push("WARNING: kernel stack frame pointer has bad value".to_owned());
    }
    Some(named)
}
