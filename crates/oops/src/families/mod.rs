//! What sort of report it is, and what it is called.
//!
//! Titles and kinds follow syzkaller's conventions, the field's common tongue, so that a crash
//! found here can be matched with one reported there. One file per group of families, each a
//! function that looks at the header and either names the report or passes; the table's order
//! puts the more special before the more general.

mod bug;
mod clean;
mod fault;
pub(crate) mod guilty;
mod lock;
mod other;
mod sanitizer;
mod skip;
mod stack;
mod stall;
mod view;
mod warning;

use crate::record::{CrashRecord, Family};
use crate::text::Line;
use crate::trigger::Hit;

use stack::{Found, Plan, Step};
use view::View;

/// What a family makes of a report.
#[derive(Debug, Default)]
struct Named {
    title: String,
    alt_titles: Vec<String>,
    kind: &'static str,
    family: Option<Family>,
    corrupted: bool,
    /// Reports of this sort have no stack, so that the lack of one says nothing.
    stackless: bool,
    /// No rule knew the header: the title is its own text, and nothing is expected of the lines
    /// below it.
    unknown: bool,
}

type Rule = fn(&View<'_>) -> Option<Named>;

/// The families, more special first.
const RULES: &[Rule] = &[
    sanitizer::kasan,
    sanitizer::kmsan,
    sanitizer::kcsan,
    sanitizer::kfence,
    sanitizer::ubsan,
    stall::soft_lockup,
    stall::hard_lockup,
    stall::rcu,
    stall::hung_task,
    stall::workqueue,
    lock::lockdep,
    lock::spinlock,
    lock::atomic,
    bug::memory_state,
    bug::usercopy,
    bug::list,
    bug::kernel_bug,
    fault::stack_guard,
    fault::page_fault,
    fault::exception,
    fault::double_fault,
    fault::arm,
    fault::hardware,
    warning::special,
    warning::generic,
    other::leak,
    other::panic,
    other::rust,
    other::foreign,
    other::remark,
    other::torn_header,
    other::verbatim,
];

/// Gives `record` its family, title and kind. `own` are the report's lines, `later` what its
/// caller printed below the next report, where it was kept.
pub(crate) fn name(hit: Hit, own: &[&Line<'_>], later: &[&Line<'_>], record: &mut CrashRecord) {
    let Some(view) = View::of(hit, own) else { return };
    let mut named = judge(&view);
    if (named.corrupted || named.unknown)
        && let Some(wider) = view.widened(own, later)
    {
        // The report's own lines do not suffice; what the same task or console printed later may.
        named = judge(&wider);
        if named.unknown
            && let Some(known) = wider.later_headers().map(|later| judge(&later)).find(|later| !later.unknown)
        {
            named = known;
        }
    }
    let cut = view::holds_stamp(&named.title);
    let lost = own.iter().chain(later).any(|line| line.text.contains(view::CONSOLE_LOST));
    record.title = clean::clean(&named.title);
    record.alt_titles =
        named.alt_titles.iter().map(|title| clean::clean(title)).filter(|t| *t != record.title).collect();
    record.alt_titles.sort();
    record.alt_titles.dedup();
    named.kind.clone_into(&mut record.kind);
    record.corrupted = named.corrupted || cut || lost;
    record.family = named.family.or(Some(Family::Other));
    record.guilty_file = guilty::of_lines(record.family, &view::for_blame(own));
}

fn judge(view: &View<'_>) -> Named {
    let mut named = RULES.iter().find_map(|rule| rule(view)).unwrap_or_default();
    named.corrupted |= !named.stackless && !named.unknown && !stack::has_stack(view.all());
    named
}

impl View<'_> {
    /// The function that `plan` finds.
    fn find(&self, plan: &Plan<'_>) -> Found {
        stack::function(&self.lines, plan)
    }

    /// The first useful function along `steps`.
    fn function(&self, steps: &[Step], skip: &[&str]) -> Found {
        self.find(&Plan { steps, skip, ..Plan::default() })
    }

    /// A title of `before` and the function, with the alternatives `alts` (each followed by it, too).
    fn named(&self, family: Family, kind: &'static str, before: &str, found: Found, alts: &[&str]) -> Named {
        let function = found.name.as_deref().unwrap_or("corrupted");
        let functions = || std::iter::once(function).chain(found.others.iter().map(String::as_str));
        let heads = std::iter::once(before).chain(alts.iter().copied());
        Named {
            title: format!("{before} in {function}"),
            alt_titles: heads
                .flat_map(|head| functions().map(move |name| format!("{head} in {name}")))
                .collect(),
            kind,
            family: Some(family),
            corrupted: found.torn || found.name.is_none(),
            ..Named::default()
        }
    }

    /// A title that is all there is to say.
    fn plain(&self, family: Family, kind: &'static str, title: &str) -> Named {
        Named { title: title.to_owned(), kind, family: Some(family), ..Named::default() }
    }

    /// The function at the start of `text`, where an offset shows that it is one.
    fn symbol(text: &str) -> Option<String> {
        let (place, _) = crate::fields::values::code_ref(text)?;
        place
            .symbol
            .filter(|_| place.offset.is_some() || place.source.is_some())
            .map(|name| stack::plain(&name))
    }
}

impl Named {
    /// A report of this sort has no stack.
    fn stackless(self) -> Named {
        Named { stackless: true, ..self }
    }

    /// A report of which the header is all that is left.
    fn torn(self) -> Named {
        Named { corrupted: true, ..self }
    }
}
