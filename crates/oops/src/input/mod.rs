//! From whatever file people hold to plain log text, with the numbers of its lines in that file.
//!
//! A file comes in layers: a journal in gzip in a tar, a quoted mail of a web page. [`open`]
//! takes them off one by one: each [`Form`] of the table knows by the first bytes whether a
//! layer may be its own, and then either makes documents of it or says that it was mistaken.
//! What no form knows is text as it is; an ordinary log passes without being copied.
//!
//! There is no I/O here: bytes come in, documents go out. Nothing fails; hostile input costs at
//! most [`MOST_UNPACKED`] bytes of memory and [`DEEPEST`] layers.

mod apport;
mod archive;
mod base64;
mod bugreport;
mod folder;
mod foreign;
mod html;
mod journal;
mod json;
mod lead;
mod lines;
mod mail;
mod netconsole;
mod paste;
pub mod pstore;
mod typography;
mod unicode;
mod unpack;
mod wrap;

use std::borrow::Cow;

use kwhy_base::Prose;

use crate::trigger;

pub use folder::{Kind, is_log, is_text, kind_of, problem};
pub use foreign::Foreign;
pub use lines::LineMap;
pub use unpack::Unpacked;

/// One log out of an input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document<'a> {
    /// Where in the input it stands: the path in an archive, a boot of a journal, a section.
    /// Empty where the input is one log.
    pub part: String,
    /// Its text.
    pub text: Cow<'a, [u8]>,
    /// Its lines' numbers in the file.
    pub numbers: LineMap,
    /// What was done to get at it.
    pub remarks: Vec<Prose>,
}

/// What an input holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Opened<'a> {
    /// The logs.
    pub documents: Vec<Document<'a>>,
    /// What the input (or, where there is no document, its content) is instead of a log.
    pub foreign: Option<Foreign>,
}

/// Bytes that all layers of one input together may unpack to: 512 MiB. The logs of machines that
/// talk for weeks are below it; what is above is a bomb or a disk image.
pub const MOST_UNPACKED: usize = 512 << 20;
/// Layers that are taken off; real files have three or four.
const DEEPEST: usize = 8;
/// Documents of one input.
const MOST_DOCUMENTS: usize = 256;
/// How much of a layer the forms look at to recognise it. Pastes begin with prose.
pub const SAMPLE: usize = 64 * 1024;

/// Of a line so much is looked at to see what it tells.
const LONGEST: usize = 4096;

/// One form that logs come in.
struct Form {
    /// Whether the layer may be of this form; sees at most [`SAMPLE`] bytes.
    sniff: fn(&[u8]) -> bool,
    /// Takes the form off. `None`: it was something else after all.
    read: fn(&[u8], &mut Budget) -> Option<Vec<Layer>>,
}

/// What a form makes of its input.
#[derive(Debug, Default)]
struct Layer {
    part: String,
    text: Vec<u8>,
    numbers: LineMap,
    remarks: Vec<Prose>,
}

/// What unpacking may still cost.
struct Budget {
    bytes: usize,
}

/// Every form, containers first: what unpacks others comes before what cleans text.
const FORMS: &[Form] = &[
    Form { sniff: unpack::sniff, read: unpack::read },
    Form { sniff: archive::sniff, read: archive::read },
    Form { sniff: pstore::sniff, read: pstore::read },
    Form { sniff: unicode::sniff, read: unicode::read },
    Form { sniff: journal::sniff_export, read: journal::export },
    Form { sniff: journal::sniff_verbose, read: journal::verbose },
    Form { sniff: json::sniff, read: json::read },
    Form { sniff: apport::sniff, read: apport::read },
    Form { sniff: bugreport::sniff, read: bugreport::read },
    Form { sniff: base64::sniff, read: base64::read },
    Form { sniff: mail::sniff, read: mail::read },
    Form { sniff: html::sniff, read: html::read },
    Form { sniff: netconsole::sniff, read: netconsole::read },
    Form { sniff: typography::sniff, read: typography::read },
    Form { sniff: paste::sniff, read: paste::read },
    Form { sniff: lead::sniff, read: lead::read },
    Form { sniff: wrap::sniff, read: wrap::read },
];

/// Whether bytes that begin with `head` (64 KiB of them, or all) are log text as they stand.
/// A caller may then read on without holding the whole.
#[must_use]
pub fn is_plain(head: &[u8]) -> bool {
    Foreign::of(head).is_none() && !FORMS.iter().any(|form| (form.sniff)(sample(head)))
}

/// Whether what begins with `head` is compressed, so that [`Unpacked`] reads it.
#[must_use]
pub fn is_packed(head: &[u8]) -> bool {
    unpack::sniff(head)
}

/// Takes `bytes` apart into logs.
#[must_use]
pub fn open(bytes: &[u8]) -> Opened<'_> {
    let mut opened = Opened::default();
    let whole = Document { text: Cow::Borrowed(bytes), ..Document::default() };
    let mut budget = Budget { bytes: MOST_UNPACKED };
    take_off(whole, 0, &mut budget, &mut opened);
    if !opened.documents.is_empty() {
        opened.foreign = None;
    }
    telling(&mut opened.documents);
    opened
}

/// Of several logs in one input, those that tell of a crash; where none does, the longest.
fn telling(documents: &mut Vec<Document<'_>>) {
    if documents.len() < 2 {
        return;
    }
    // What was done to the whole is said with its first log.
    let whole = documents.first().map(|first| first.remarks.clone()).unwrap_or_default();
    if documents.iter().any(|document| tells(&document.text)) {
        documents.retain(|document| tells(&document.text));
    } else if let Some(longest) = documents.iter().map(|document| document.text.len()).max() {
        let at = documents.iter().position(|document| document.text.len() == longest).unwrap_or_default();
        documents.swap(0, at);
        documents.truncate(1);
    }
    if let Some(first) = documents.first_mut()
        && first.remarks.is_empty()
    {
        first.remarks = whole;
    }
}

/// Takes layers off `document` until none is left. Recursion ends at [`DEEPEST`].
fn take_off<'a>(document: Document<'a>, depth: usize, budget: &mut Budget, opened: &mut Opened<'a>) {
    if opened.documents.len() >= MOST_DOCUMENTS {
        return;
    }
    if let Some(foreign) = Foreign::of(&document.text) {
        opened.foreign.get_or_insert(foreign);
        return;
    }
    let inner = if depth >= DEEPEST {
        None
    } else {
        let forms = FORMS.iter().filter(|form| (form.sniff)(sample(&document.text)));
        forms.map_while(|form| Some((form.read)(&document.text, budget))).flatten().next()
    };
    let Some(layers) = inner else {
        opened.documents.push(document);
        return;
    };
    let Document { part, text, numbers, remarks } = document;
    // The outer bytes are not needed any more, and there may be many of them.
    drop(text);
    for layer in layers {
        let mut own = remarks.clone();
        own.extend(layer.remarks);
        let part = match (part.is_empty(), layer.part.is_empty()) {
            (_, true) => part.clone(),
            (true, false) => layer.part,
            (false, false) => format!("{part}: {}", layer.part),
        };
        let next = Document {
            part,
            text: Cow::Owned(layer.text),
            numbers: layer.numbers.of(&numbers),
            remarks: own,
        };
        take_off(next, depth.saturating_add(1), budget, opened);
    }
}

/// Whether a report of the kernel's begins somewhere in `text`.
fn tells(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some((at, _)) = trigger::first(rest) {
        let start = rest.get(..at).and_then(|before| memchr::memrchr(b'\n', before)).map_or(0, |at| at + 1);
        let tail = rest.get(start..).unwrap_or_default();
        let end = memchr::memchr(b'\n', tail).unwrap_or(tail.len());
        let line = tail.get(..end.min(LONGEST)).unwrap_or_default();
        if trigger::find(&String::from_utf8_lossy(line)).is_some() {
            return true;
        }
        rest = tail.get(end..).unwrap_or_default();
    }
    false
}

fn sample(bytes: &[u8]) -> &[u8] {
    bytes.get(..SAMPLE).unwrap_or(bytes)
}

#[cfg(test)]
mod tests;
