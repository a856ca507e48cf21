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
mod warning;

use crate::record::{CrashRecord, Family};
use crate::segment::Report;
use crate::text::Line;

use stack::{Found, Source};

/// What a family makes of a report.
#[derive(Debug, Default)]
struct Named {
    title: String,
    alt_titles: Vec<String>,
    kind: &'static str,
    family: Option<Family>,
    corrupted: bool,
}

/// What the families look at.
struct View<'a> {
    /// The header from the trigger on.
    header: &'a str,
    /// The whole header line.
    whole: &'a str,
    /// The lines of the report that count for its title, header first.
    lines: Vec<&'a str>,
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
    other::verbatim,
];

/// Gives `record` its family, title and kind.
pub(crate) fn name(report: &Report, lines: &[&Line<'_>], record: &mut CrashRecord) {
    let Some(first) = lines.first() else { return };
    let whole = first.text.as_ref();
    let stamped = first.time.is_some();
    let mut counted = vec![whole];
    for line in lines.iter().skip(1) {
        let text = line.text.as_ref();
        if line.time.is_some() != stamped {
            continue;
        }
        if NO_BUG_STACKS.iter().any(|mark| text.contains(mark)) {
            break;
        }
        counted.push(text);
    }
    let view = View { header: whole.get(report.hit.at..).unwrap_or(whole), whole, lines: counted };
    let named = RULES.iter().find_map(|rule| rule(&view)).unwrap_or_default();
    record.title = clean::clean(&named.title);
    record.alt_titles =
        named.alt_titles.iter().map(|title| clean::clean(title)).filter(|t| *t != record.title).collect();
    record.alt_titles.sort();
    record.alt_titles.dedup();
    named.kind.clone_into(&mut record.kind);
    record.corrupted = named.corrupted || first.torn;
    record.family = named.family.or(Some(Family::Other));
    record.guilty_file = guilty::of_lines(record.family, &view.lines);
}

/// Stacks that are no bug; what follows them is not this report's.
const NO_BUG_STACKS: &[&str] =
    &["allocation failure:", "FAULT_INJECTION: forcing a failure", "FAULT_FLAG_ALLOW_RETRY missing"];

impl View<'_> {
    /// The first useful function that `source` finds.
    fn function(&self, source: Source, first: Option<&str>, skip: &[&str]) -> Found {
        stack::function(&self.lines, source, first.map(str::to_owned), skip)
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
        }
    }

    /// A title that is all there is to say.
    fn plain(&self, family: Family, kind: &'static str, title: &str) -> Named {
        Named { title: title.to_owned(), kind, family: Some(family), ..Named::default() }
    }

    /// The function at the start of `text`.
    fn symbol(text: &str) -> Option<String> {
        let (place, _) = crate::fields::values::code_ref(text)?;
        place.symbol.map(|name| stack::plain(&name))
    }
}
