//! Which source file a crash is to be brought to, for text that somebody symbolised.
//!
//! The rule is the one that syzkaller's reports follow, so that a crash found here goes to the
//! same people: the first file of the report, from its top, that is no mere helper
//! ([`files::HELPERS`]); and from there outwards the deepest directory below that file's own,
//! because a generic layer (`fs/`, `net/`, `sound/core/`) that fails in a specific user's hands
//! is the user's concern first (`fs/fs-writeback.c` called from `fs/ntfs3/super.c`).
//!
//! A place, not a verdict: who is to blame by evidence is for the diagnosis to say.

mod files;
mod path;

use crate::record::Family;
use crate::words::{AnyOf, Words};

/// A place of a report: a function and, where it is known, its source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The function's name, suffixes included.
    pub function: Option<&'a str>,
    /// The file as recorded; paths of the machine that built the kernel are shortened here.
    pub file: Option<&'a str>,
}

/// The file to blame of a report of `family` whose places are, from its top, `places`.
///
/// `None` where no place has a C or Rust source file.
#[must_use]
pub fn guilty_file(family: Option<Family>, places: &[Place<'_>]) -> Option<String> {
    let from = if family == Some(Family::RcuStall) { after_the_tick(places) } else { None };
    from.and_then(|from| blamed(places.get(from..)?))
        .or_else(|| blamed(places))
        // Rather somebody than nobody: where all are helpers, the one that the report begins with.
        .or_else(|| places.iter().find_map(|place| source(place)))
}

/// The same for the lines of a report, header first.
pub(crate) fn of_lines(family: Option<Family>, lines: &[&str]) -> Option<String> {
    let read = |doubtful: bool| -> Vec<Place<'_>> {
        lines.iter().filter(|line| doubtful || !is_doubtful(line)).filter_map(|line| place(line)).collect()
    };
    // Frames that merely lay on the stack are better than no file at all.
    let best = |places: &[Place<'_>]| {
        // A log that nobody symbolised names one file, that of the BUG or WARN; where it is a
        // helper's, who called it is simply not known.
        let symbolised = || lines.iter().any(|line| is_symbolised(line));
        guilty_file(family, places).filter(|file| !files::is_helper(file) || symbolised())
    };
    best(&read(false)).or_else(|| best(&read(true)))
}

/// Whether a file stands behind a function on this line, as only symbolisers put it.
fn is_symbolised(line: &str) -> bool {
    let behind = line.place_of("+0x").and_then(|at| line.get(at..));
    line.contains(" [inline]") || behind.is_some_and(|behind| file(behind, true).is_some())
}

/// Whether crashes in `file` are their callers' concern: libraries, allocators, locks, checkers…
#[must_use]
pub fn is_helper_file(file: &str) -> bool {
    files::is_helper(&path::in_tree(file))
}

/// The first file that is no helper, and the deepest one below its directory.
fn blamed(places: &[Place<'_>]) -> Option<String> {
    let mut all = places.iter().filter_map(source).filter(|file| !files::is_helper(file));
    let mut guilty = all.next()?;
    for file in all {
        let below = directory(&guilty)
            .and_then(|directory| file.strip_prefix(directory)?.strip_prefix('/'))
            .is_some_and(|rest| rest.contains('/'));
        if below {
            guilty = file;
        }
    }
    Some(guilty)
}

fn directory(file: &str) -> Option<&str> {
    Some(file.rsplit_once('/')?.0)
}

/// The place's file as a path of the kernel's tree, where its language is one to blame: assembler
/// is entry code and hand-written library routines, and the C that calls them says more.
fn source(place: &Place<'_>) -> Option<String> {
    let file = place.file?;
    [".c", ".h", ".rs"].iter().any(|end| file.ends_with(end)).then(|| path::in_tree(file))
}

/// A CPU that finds itself stalled does so in its timer interrupt, and the trace begins with all
/// of the tick: where the code that was interrupted starts.
///
/// Only behind a tick: an interrupt's own work may be what stalls, and then it comes first.
fn after_the_tick(places: &[Place<'_>]) -> Option<usize> {
    let is = |place: &Place<'_>, names: &[&str]| {
        let name = place.function.map(|name| name.split('.').next().unwrap_or(name));
        name.is_some_and(|name| names.contains(&name))
    };
    let tick = places.iter().position(|place| is(place, files::TICK))?;
    let entry = places.iter().skip(tick).position(|place| is(place, files::INTERRUPT_ENTRIES))?;
    Some(tick + entry + 1)
}

/// Lines with source places that are not where it happened.
static BESIDES: AnyOf = AnyOf::new(&[
    // Where interrupts were last switched: history, whatever it was that then went wrong.
    "hardirqs last",
    "softirqs last",
    // ARM's description of what each register points to names the allocator's callers.
    "Register r",
    "Register lr information",
    "Register sp information",
]);

/// `? function`, and PowerPC's `(unreliable)`.
fn is_doubtful(line: &str) -> bool {
    let mut text = line.trim_start();
    while let Some((_, rest)) = text.strip_prefix("[<").and_then(|inner| inner.cut(">]")) {
        text = rest.trim_start();
    }
    text.starts_with("? ") || text.ends_with("(unreliable)")
}

/// The function and the source file that a line names.
fn place(line: &str) -> Option<Place<'_>> {
    let function = function(line);
    let file = file(line, function.is_some() || line.trim_end().ends_with(')'));
    let found = function.is_some() || file.is_some();
    (found && !BESIDES.is_in(line)).then_some(Place { function, file })
}

/// The name before the first `+0x`.
fn function(line: &str) -> Option<&str> {
    let before = line.get(..line.place_of("+0x")?)?;
    let start = before
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$')))
        .map_or(0, |at| at + 1);
    before.get(start..).filter(|name| !name.is_empty())
}

/// The first `path/file.c:12` of a line; where a frame vouches for it, a bare `file.c:12`, too.
fn file(line: &str, bare: bool) -> Option<&str> {
    let is_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '+' | '~' | ',');
    line.match_indices(':').find_map(|(at, _)| {
        line.get(at + 1..).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))?;
        let before = line.get(..at)?;
        let start = before.rfind(|c: char| !is_path(c)).map_or(0, |found| {
            found + before.get(found..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8)
        });
        let path = before.get(start..)?;
        let known = [".c", ".h", ".rs", ".S"].iter().any(|end| path.len() > end.len() && path.ends_with(end));
        (known && (bare || path.contains('/'))).then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blame(family: Option<Family>, text: &str) -> Option<String> {
        of_lines(family, &text.lines().collect::<Vec<_>>())
    }

    #[test]
    fn a_place_is_read_from_every_shape_of_line() {
        for (line, function, file) in [
            (" f+0x1/0x2 fs/a.c:12", Some("f"), Some("fs/a.c")),
            (" f.isra.0+0x1/0x2 [mod] (drivers/x/a.c:12)", Some("f.isra.0"), Some("drivers/x/a.c")),
            (" f+0x1/0x2 (a.c:12)", Some("f"), Some("a.c")),
            (" g net/x.c:3 [inline]", None, Some("net/x.c")),
            ("[<ffff0000>] f+0x1/0x2 arch/arm64/mm/fault.c:7", Some("f"), Some("arch/arm64/mm/fault.c")),
            ("kernel BUG at ./include/linux/skbuff.h:2389!", None, Some("./include/linux/skbuff.h")),
            ("UBSAN: shift-out-of-bounds in fs/x/y.c:10:3", None, Some("fs/x/y.c")),
            ("RIP: 0010:f+0x1/0x2 lib/a-b.c:1", Some("f"), Some("lib/a-b.c")),
            ("run at 10:20 of a.c:3", None, None),
            ("hardirqs last  enabled at (12): [<0>] f+0x1/0x2 fs/a.c:12", None, None),
        ] {
            let found = place(line);
            assert_eq!(found.and_then(|p| p.function), function, "{line}");
            assert_eq!(found.and_then(|p| p.file), file, "{line}");
        }
    }

    #[test]
    fn helpers_are_passed_over_and_the_specific_user_wins() {
        let text = "BUG: KASAN: use-after-free in list_add include/linux/list.h:3 [inline]\n\
            __kasan_report+0x1/0x2 mm/kasan/report.c:5\n_raw_spin_lock+0x1/0x2 kernel/locking/spinlock.c:3\n\
            iput+0x1/0x2 fs/inode.c:10\nxyz_evict+0x1/0x2 fs/xyz/super.c:5\nksys_read+0x1/0x2 fs/read_write.c:1";
        assert_eq!(blame(Some(Family::Kasan), text).as_deref(), Some("fs/xyz/super.c"));
        // Deeper in another directory is another matter.
        let text = "a+0x1/0x2 ipc/util.c:3\nb+0x1/0x2 drivers/net/x/y.c:4";
        assert_eq!(blame(None, text).as_deref(), Some("ipc/util.c"));
        // All helpers: better the first of them than nobody.
        assert_eq!(blame(None, "a+0x1/0x2 lib/a.c:3\nb+0x1/0x2 mm/slub.c:4").as_deref(), Some("lib/a.c"));
        assert_eq!(blame(None, "a+0x1/0x2\nb+0x1/0x2"), None);
    }

    #[test]
    fn nothing_is_made_of_a_helper_alone_where_nobody_symbolised() {
        let text = "WARNING: CPU: 1 PID: 4 at lib/refcount.c:25 refcount_warn_saturate+0x1/0x2\n f+0x1/0x2";
        assert_eq!(blame(Some(Family::Refcount), text), None);
        let text = "WARNING: CPU: 1 PID: 4 at fs/inode.c:25 drop_nlink+0x1/0x2\n f+0x1/0x2";
        assert_eq!(blame(Some(Family::Warning), text).as_deref(), Some("fs/inode.c"));
    }

    #[test]
    fn what_lay_on_the_stack_counts_only_alone() {
        let sure = " ? a+0x1/0x2 fs/a.c:1\n b+0x1/0x2 net/b.c:2";
        assert_eq!(blame(None, sure).as_deref(), Some("net/b.c"));
        assert_eq!(blame(None, " [<0>] ? a+0x1/0x2 fs/a.c:1").as_deref(), Some("fs/a.c"));
    }

    #[test]
    fn a_stall_begins_below_the_tick_that_saw_it() {
        let text = "rcu_sched_clock_irq+0x1/0x2 kernel/rcu/tree.c:1\n\
            update_process_times+0x1/0x2 kernel/time/tick.c:2\n\
            arch_timer_handler_virt+0x1/0x2 drivers/clocksource/arm_arch_timer.c:3\n\
            el1h_64_irq+0x7c/0x80 arch/arm64/kernel/entry.S:4\nspin+0x1/0x2 drivers/x/y.c:5";
        assert_eq!(blame(Some(Family::RcuStall), text).as_deref(), Some("drivers/x/y.c"));
        // Another CPU's stack, caught by NMI in an interrupt's own work.
        let text = "work+0x1/0x2 drivers/x/y.c:5\nasm_sysvec_apic_timer_interrupt+0x1/0x2 a.S:4\n\
            idle+0x1/0x2 drivers/cpuidle/z.c:3";
        assert_eq!(blame(Some(Family::RcuStall), text).as_deref(), Some("drivers/x/y.c"));
    }
}
