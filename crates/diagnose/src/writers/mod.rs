//! Who writes a member: every place of an image that gives `struct module_use.target` a value,
//! with the ways that the kernel's entry points lead there.
//!
//! Only units whose debug information defines the struct are read: a unit that merely declares it
//! cannot reach a member. Where many do (`struct module` is known to every second unit of a
//! kernel) functions without any store at the member's distance are passed over; see `search.rs`.
//! Answers are kept on the shelf that was lent to the image.

pub mod paths;
mod search;
mod shelf;
mod slots;
pub mod ways;

pub use shelf::VERSION;

use kwhy_base::ImageAddr;
use kwhy_flow::stores::{Store, StoreKind, Wanted};
use kwhy_image::{Image, SourceFrame, Type, TypeId};
use ways::{Step, Ways};

/// A member's name in the question was not understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Unanswered {
    /// No image describes the struct.
    NoType,
    /// It has no such member.
    NoMember,
}

/// One place that gives the member a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Writer {
    /// What it does.
    pub store: Store,
    /// The entry of the function whose code it is in, by which its scene is had.
    pub entry: ImageAddr,
    /// Index of the image among those given.
    pub image: usize,
    /// The module; `None` for the kernel.
    pub module: Option<String>,
    /// The function whose source line it is.
    pub function: String,
    /// The symbol that its code is in (another, where it was inlined).
    pub symbol: String,
    /// Bytes into the symbol.
    pub offset: u64,
    /// Source file.
    pub file: Option<String>,
    /// Source line.
    pub line: Option<u32>,
    /// Ways from entry points to it, the plainest first; each ends with `function`.
    pub ways: Vec<Vec<Step>>,
}

/// All of them.
#[derive(Clone, Debug)]
pub struct Writers {
    /// What was asked for, as found.
    pub wanted: Wanted,
    /// The member's path: `target`.
    pub member: String,
    /// The places, assignments first, then by image and address.
    pub writers: Vec<Writer>,
    /// Units that define the struct.
    pub units: usize,
    /// Functions read.
    pub functions: usize,
    /// Functions that might write it and were not read, because there are too many.
    pub unread: usize,
}

/// How an image is searched.
#[derive(Clone, Copy)]
pub struct Search {
    /// Whether ways from entry points are looked for.
    pub ways: bool,
    /// How many functions of an image are solved at most; those that store at the member's
    /// distance from a pointer come first.
    pub functions: usize,
}

/// Enough for every member but those of the kernel's commonest structs; some ten seconds' work.
pub const MAX_FUNCTIONS: usize = 12_000;

/// Ways are told for this many places of an image at most.
const MAX_EXPLAINED: usize = 64;

/// What one image answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// It has the type.
    known: bool,
    /// The type has the member.
    wanted: Option<Wanted>,
    writers: Vec<Writer>,
    units: usize,
    functions: usize,
    unread: usize,
}

/// The member that `path` (`target`, `mkobj.kobj`) names: offset and size in bytes.
#[must_use]
pub fn member(image: &Image<'_>, record: TypeId, path: &str) -> Option<(u64, u64)> {
    let names: Vec<&str> = path.split('.').collect();
    find(image, record, &names, 0)
}

fn find(image: &Image<'_>, ty: TypeId, names: &[&str], depth: u32) -> Option<(u64, u64)> {
    let (first, rest) = names.split_first()?;
    let Type::Record(record) = image.strip(ty) else { return None };
    if depth > 16 {
        return None;
    }
    record.members.iter().find_map(|member| {
        let (offset, size) = match member.name.as_deref() {
            Some(name) if name == *first && rest.is_empty() => {
                (0, image.size_of(member.ty).unwrap_or(0).max(1))
            }
            Some(name) if name == *first => find(image, member.ty, rest, depth + 1)?,
            None => find(image, member.ty, names, depth + 1)?,
            _ => return None,
        };
        Some((member.offset.saturating_add(offset), size))
    })
}

/// Who writes `record.path` in `images`; ways are looked for where `with_ways` is set.
///
/// # Errors
///
/// When no image has the type, or the type no such member.
pub fn writers(
    images: &[&Image<'_>],
    record: &str,
    path: &str,
    with_ways: bool,
) -> Result<Writers, Unanswered> {
    search_all(images, record, path, Search { ways: with_ways, functions: MAX_FUNCTIONS })
}

/// The same, with a bound on the work.
///
/// # Errors
///
/// When no image has the type, or the type no such member.
pub fn search_all(
    images: &[&Image<'_>],
    record: &str,
    path: &str,
    how: Search,
) -> Result<Writers, Unanswered> {
    let mut all = Writers {
        wanted: Wanted { record: record.to_owned(), offset: 0, size: 0 },
        member: path.to_owned(),
        writers: Vec::new(),
        units: 0,
        functions: 0,
        unread: 0,
    };
    let (mut known, mut wanted) = (false, None);
    for (index, image) in images.iter().enumerate() {
        let found = answer(image, record, path, how);
        known |= found.known;
        all.units = all.units.saturating_add(found.units);
        all.functions = all.functions.saturating_add(found.functions);
        all.unread = all.unread.saturating_add(found.unread);
        wanted = wanted.or(found.wanted);
        all.writers.extend(found.writers.into_iter().map(|writer| Writer { image: index, ..writer }));
    }
    all.wanted = wanted.ok_or(if known { Unanswered::NoMember } else { Unanswered::NoType })?;
    all.writers.sort_by_key(|writer| (writer.store.kind, writer.image, writer.store.at));
    Ok(all)
}

/// What an image answers, from the shelf where it was asked before.
fn answer(image: &Image<'_>, record: &str, path: &str, how: Search) -> Found {
    let question = format!("{record}.{path}:{}:{}", if how.ways { "ways" } else { "places" }, how.functions);
    let question = shelf::question(&question);
    if let Some(found) = image.kept_answer(&question).and_then(|bytes| shelf::unpack(&question, &bytes)) {
        return found;
    }
    let mut found = search::search(image, record, path, how.functions);
    if how.ways {
        tell_ways(image, &mut found.writers);
    }
    image.keep_answer(&question, || shelf::pack(&question, &found));
    found
}

/// Finds the ways to the first writers; that an object is freed says where, not by whom.
fn tell_ways(image: &Image<'_>, writers: &mut [Writer]) {
    let told = |writer: &&mut Writer| writer.store.kind != StoreKind::Freed;
    let mut writers = writers.iter_mut().filter(told).take(MAX_EXPLAINED).peekable();
    if writers.peek().is_none() {
        return;
    }
    let ways = Ways::new(image);
    for writer in writers {
        writer.ways = ways.to(writer.entry, writer.store.at);
        for way in &mut writer.ways {
            // The helpers of headers that were inlined there are no part of the way.
            if let Some(at) = way.iter().rposition(|step| step.function == writer.function) {
                way.truncate(at.saturating_add(1));
            }
        }
    }
}

/// The functions between two points of a path, outermost first: those that the compiler inlined
/// into one another at `site`.
pub(crate) fn inlined(image: &Image<'_>, site: ImageAddr) -> Vec<SourceFrame> {
    let mut frames = image.source_at(site);
    frames.reverse();
    frames
}
