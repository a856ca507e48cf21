//! Reads Linux kernel crash text into typed [`CrashRecord`]s.
//!
//! Parsing never fails: [`parse`] returns what it understood, with notes on what it did not.
//! Every field keeps the line it came from.
//!
//! The way the text goes: what people hold → plain log text ([`input`]) → the neighbourhoods of
//! triggers ([`Scanner`]) → lines without their transport's prefixes ([`text`]) → reports, one a
//! trigger line → fields of a [`CrashRecord`] → title and kind → damage.

mod damage;
pub mod details;
mod extent;
mod families;
mod fields;
mod fuzzy;
pub mod input;
mod notes;
pub mod record;
mod scan;
mod segment;
pub mod slip;
mod store;
pub mod text;
mod trigger;
mod words;

pub use families::guilty::{Place, guilty_file, is_helper_file};
pub use record::*;
pub use scan::Scanner;

/// What a log holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// The crashes, in the order of their first lines.
    pub crashes: Vec<CrashRecord>,
    /// Everything else worth saying.
    pub notes: Vec<Note>,
}

/// More reports than this in one log are a machine talking to itself; the first ones matter.
const MOST_REPORTS: usize = 4096;

/// The words that can open a report, for those who want to compare how fast they are found.
pub fn trigger_words() -> impl Iterator<Item = &'static str> {
    trigger::words()
}

/// The note that only the first `limit` reports of a log were kept.
#[must_use]
pub fn too_many(limit: usize) -> Note {
    notes::too_many(limit)
}

/// Reads a console log (any bytes at all) into its crashes.
#[must_use]
pub fn parse(text: &[u8]) -> Log {
    parse_numbered(text, &input::LineMap::Same)
}

/// Reads a console log that was taken out of another file; every line number of the result is
/// the one that `numbers` gives.
#[must_use]
pub fn parse_numbered(text: &[u8], numbers: &input::LineMap) -> Log {
    let (log, suspect) = scan::whole(text, numbers.clone());
    fuzzy::read_again(text, numbers, &log, suspect).unwrap_or(log)
}
