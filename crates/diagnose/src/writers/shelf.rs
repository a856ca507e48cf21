//! What was found out about an image, kept for the next question about it.
//!
//! An answer is written in a form of its own: numbers are eight bytes, texts their length and
//! their bytes, what may be missing a byte that says so. The image sees to it that damage is
//! noticed; a reader that meets something else anyway takes the answer for none at all, and the
//! question is answered anew.

use super::ways::Step;
use super::{Found, Writer};
use kwhy_base::ImageAddr;
use kwhy_flow::stores::{Store, StoreKind, Wanted};

/// Raised whenever another answer would be given or it is written in another way. A shelf that
/// outlives the program keeps it beside the bytes.
pub const VERSION: u32 = 1;

/// A question about who writes a member or calls through one, among all that an image is asked.
pub(super) fn question(text: &str) -> String {
    format!("?{text}")
}

const MAGIC: &[u8; 8] = b"kwhywrit";

const KINDS: [StoreKind; 6] = [
    StoreKind::Assigned,
    StoreKind::Modified,
    StoreKind::Filled,
    StoreKind::Zeroed,
    StoreKind::Allocated,
    StoreKind::Freed,
];

/// Writes an answer.
pub(super) fn pack(question: &str, found: &Found) -> Vec<u8> {
    let mut out = Pack(MAGIC.to_vec());
    out.text(question);
    out.flag(found.known);
    out.maybe(found.wanted.as_ref(), |out, wanted| {
        out.text(&wanted.record);
        out.number(wanted.offset);
        out.number(wanted.size);
    });
    out.number(found.units as u64);
    out.number(found.functions as u64);
    out.number(found.unread as u64);
    out.number(found.writers.len() as u64);
    for writer in &found.writers {
        out.number(writer.store.at.0);
        out.number(KINDS.iter().position(|kind| *kind == writer.store.kind).unwrap_or(0) as u64);
        out.text(&writer.store.text);
        out.maybe(writer.store.value.as_deref(), Pack::text);
        out.maybe(writer.store.constant, Pack::number);
        out.maybe(writer.store.call.as_deref(), Pack::text);
        out.number(writer.entry.0);
        out.maybe(writer.module.as_deref(), Pack::text);
        out.text(&writer.function);
        out.text(&writer.symbol);
        out.number(writer.offset);
        out.place(writer.file.as_deref(), writer.line);
        out.number(writer.ways.len() as u64);
        for way in &writer.ways {
            out.number(way.len() as u64);
            for step in way {
                out.text(&step.function);
                out.maybe(step.through.as_deref(), Pack::text);
                out.place(step.file.as_deref(), step.line);
            }
        }
    }
    out.0
}

/// Reads the answer to `question`; `None` for anything else.
pub(super) fn unpack(question: &str, bytes: &[u8]) -> Option<Found> {
    let mut from = Unpack(bytes);
    if from.take(MAGIC.len())? != MAGIC || from.text()? != question {
        return None;
    }
    let known = from.flag()?;
    let wanted = from
        .maybe(|from| Some(Wanted { record: from.text()?, offset: from.number()?, size: from.number()? }))?;
    let (units, functions, unread) = (from.count()?, from.count()?, from.count()?);
    let mut writers = Vec::new();
    for _ in 0..from.number()? {
        let at = ImageAddr(from.number()?);
        let kind = *KINDS.get(from.count()?)?;
        let store = Store {
            at,
            kind,
            text: from.text()?,
            value: from.maybe(Unpack::text)?,
            constant: from.maybe(Unpack::number)?,
            call: from.maybe(Unpack::text)?,
        };
        let mut writer = Writer {
            store,
            entry: ImageAddr(from.number()?),
            image: 0,
            module: from.maybe(Unpack::text)?,
            function: from.text()?,
            symbol: from.text()?,
            offset: from.number()?,
            file: from.maybe(Unpack::text)?,
            line: from.line()?,
            ways: Vec::new(),
        };
        for _ in 0..from.number()? {
            let mut way = Vec::new();
            for _ in 0..from.number()? {
                way.push(Step {
                    function: from.text()?,
                    through: from.maybe(Unpack::text)?,
                    file: from.maybe(Unpack::text)?,
                    line: from.line()?,
                });
            }
            writer.ways.push(way);
        }
        writers.push(writer);
    }
    from.0.is_empty().then_some(Found { known, wanted, writers, units, functions, unread })
}

/// Writes calls through a member: function and instruction.
pub(super) fn pack_calls(question: &str, calls: &[(ImageAddr, ImageAddr)]) -> Vec<u8> {
    let mut out = Pack(MAGIC.to_vec());
    out.text(question);
    out.number(calls.len() as u64);
    for (function, site) in calls {
        out.number(function.0);
        out.number(site.0);
    }
    out.0
}

/// Reads the calls that were asked for by `question`; `None` for anything else.
pub(super) fn unpack_calls(question: &str, bytes: &[u8]) -> Option<Vec<(ImageAddr, ImageAddr)>> {
    let mut from = Unpack(bytes);
    if from.take(MAGIC.len())? != MAGIC || from.text()? != question {
        return None;
    }
    let mut calls = Vec::new();
    for _ in 0..from.number()? {
        calls.push((ImageAddr(from.number()?), ImageAddr(from.number()?)));
    }
    from.0.is_empty().then_some(calls)
}

struct Pack(Vec<u8>);

impl Pack {
    fn number(&mut self, number: u64) {
        self.0.extend(number.to_le_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.0.push(u8::from(flag));
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend(text.as_bytes());
    }

    fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Pack, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn place(&mut self, file: Option<&str>, line: Option<u32>) {
        self.maybe(file, Pack::text);
        self.maybe(line.map(u64::from), Pack::number);
    }
}

struct Unpack<'b>(&'b [u8]);

impl<'b> Unpack<'b> {
    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn flag(&mut self) -> Option<bool> {
        match self.take(1)? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        let len = self.count()?;
        String::from_utf8(self.take(len)?.to_vec()).ok()
    }

    /// The outer `None`: it cannot be read.
    fn maybe<T>(&mut self, read: impl FnOnce(&mut Unpack<'b>) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { Some(Some(read(self)?)) } else { Some(None) }
    }

    fn line(&mut self) -> Option<Option<u32>> {
        match self.maybe(Unpack::number)? {
            Some(line) => Some(Some(u32::try_from(line).ok()?)),
            None => Some(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Found {
        let store = Store {
            at: ImageAddr(0xffff_ffff_8100_1234),
            kind: StoreKind::Filled,
            text: "use->target".to_owned(),
            value: Some("b".to_owned()),
            constant: Some(0),
            call: None,
        };
        let step = |through: Option<&str>| Step {
            function: "init_module".to_owned(),
            through: through.map(str::to_owned),
            file: Some("kernel/module/main.c".to_owned()),
            line: Some(590),
        };
        Found {
            known: true,
            wanted: Some(Wanted { record: "struct module_use".to_owned(), offset: 0x28, size: 8 }),
            writers: vec![Writer {
                store,
                entry: ImageAddr(0xffff_ffff_8100_1000),
                image: 0,
                module: Some("tune".to_owned()),
                function: "add_module_usage".to_owned(),
                symbol: "resolve_symbol".to_owned(),
                offset: 0x234,
                file: None,
                line: None,
                ways: vec![vec![step(Some("struct file_operations.write in tune_fops")), step(None)], vec![]],
            }],
            units: 3,
            functions: 102,
            unread: 7,
        }
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        for found in [sample(), Found::default()] {
            let bytes = pack("struct module_use.target", &found);
            assert_eq!(unpack("struct module_use.target", &bytes), Some(found));
        }
    }

    #[test]
    fn calls_are_unpacked_whole_or_not_at_all() {
        let calls = vec![(ImageAddr(0x1000), ImageAddr(0x1010)), (ImageAddr(0x2000), ImageAddr(0x2004))];
        let bytes = pack_calls("struct file_operations+0x18.write:calls", &calls);
        assert_eq!(unpack_calls("struct file_operations+0x18.write:calls", &bytes), Some(calls));
        assert_eq!(unpack_calls("struct file_operations+0x10.read:calls", &bytes), None);
        for cut in 0..bytes.len() {
            assert_eq!(unpack_calls("struct file_operations+0x18.write:calls", &bytes[..cut]), None);
        }
    }

    #[test]
    fn the_answer_to_another_question_is_none() {
        assert_eq!(unpack("struct module_use.source", &pack("struct module_use.target", &sample())), None);
    }

    #[test]
    fn no_part_of_an_answer_is_an_answer() {
        let bytes = pack("q", &sample());
        for cut in 0..bytes.len() {
            assert_eq!(unpack("q", &bytes[..cut]), None, "{cut} of {} bytes", bytes.len());
        }
        let longer: Vec<u8> = bytes.iter().copied().chain([0]).collect();
        assert_eq!(unpack("q", &longer), None);
    }

    #[test]
    fn a_damaged_answer_does_no_harm() {
        let bytes = pack("q", &sample());
        for at in 0..bytes.len() {
            for value in [0x00, 0x01, 0x7f, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] = value;
                // It is another answer or none; sizes that are none are not believed.
                drop(unpack("q", &damaged));
            }
        }
        assert_eq!(unpack("q", b"something else"), None);
        assert_eq!(unpack("q", b""), None);
    }
}
