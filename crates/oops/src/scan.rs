//! Reads a log of any size in pieces of any size, once, with flat memory.
//!
//! Two gaits take turns. *Searching* runs over the bytes as they are and only looks for the words
//! that can open a report; line breaks are counted on the way. Where a word is found, *reading*
//! begins a few lines above it: lines are split, freed of their transport's prefixes and given to
//! the [`Cutter`], until it says that no report is open any more. Every byte is searched or read
//! once (those few lines above a trigger twice), and nothing is kept but what is being read.
//!
//! Which lines are read depends on the bytes alone, never on the pieces they came in.

use crate::fields;
use crate::input::LineMap;
use crate::notes;
use crate::record::{CrashRecord, Note};
use crate::segment::{Cutter, LINES_ABOVE, Report};
use crate::store::Store;
use crate::text::{self, LONGEST_LINE, Line};
use crate::{damage, details, families, fuzzy, trigger};

/// Bytes above a trigger that may be read for its report: enough for [`LINES_ABOVE`] lines of
/// more than ordinary length.
const BYTES_ABOVE: usize = 64 * 1024;

/// What is kept of bytes that were searched in vain: a word further on may stand in a line, and
/// need lines above it, that began there.
const KEPT: usize = BYTES_ABOVE + 2 * LONGEST_LINE;

/// What is searched, and then counted, at a time: little enough to stay in the CPU's cache.
const BLOCK: usize = 256 * 1024;

/// A machine short of memory says so again and again; the first times suffice.
const MOST_MILD: usize = 64;

/// Reads a log that comes in pieces.
///
/// ```
/// let mut scanner = kwhy_oops::Scanner::new();
/// for piece in [&b"[    1.0] Kernel pan"[..], b"ic - not syncing: no init found.\n"] {
///     scanner.feed(piece);
/// }
/// let log = scanner.finish();
/// assert_eq!(log.crashes.len(), 1);
/// ```
pub struct Scanner {
    /// Bytes that are still needed, from the last piece.
    rest: Vec<u8>,
    reader: Reader,
}

/// Which gait the reader is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gait {
    Search,
    Read,
    /// To the end of a line of which enough was seen; then one of the others.
    Skip {
        reading: bool,
    },
}

struct Reader {
    gait: Gait,
    /// Whether the first bytes were looked at.
    begun: bool,
    numbers: LineMap,
    /// The input is no log at all; the note says what it is.
    refused: Option<Note>,
    /// Offset in the whole input of the first byte of the piece at hand.
    base: u64,
    /// Where in the piece at hand to go on.
    at: usize,
    /// Before this line start (in the whole input) every line was read already.
    read_to: u64,
    /// Where the word stands that reading began for.
    until: u64,
    /// Line breaks before `counted_to`, an offset in the whole input.
    counted: u64,
    counted_to: u64,
    sample: notes::Sample,
    lines: Store,
    cutter: Cutter,
    /// The next line to be given to the cutter: it comes one behind, because what printk says of a
    /// line stands below it.
    next: usize,
    done: Vec<CrashRecord>,
    /// What is no crash, and counts only where there is none.
    mild: Vec<CrashRecord>,
    found: u64,
    tail: notes::Tail,
    /// Whether lines of reports are looked at for damage.
    watchful: bool,
    /// One of them looks damaged.
    suspect: bool,
}

impl Default for Scanner {
    fn default() -> Scanner {
        Scanner::new()
    }
}

impl Scanner {
    /// A scanner at the beginning of a log.
    #[must_use]
    pub fn new() -> Scanner {
        Scanner::numbered(LineMap::Same)
    }

    /// As [`Scanner::new`], of a log that was taken out of another file, whose lines `numbers` gives.
    #[must_use]
    pub fn numbered(numbers: LineMap) -> Scanner {
        Scanner {
            rest: Vec::new(),
            reader: Reader {
                gait: Gait::Search,
                begun: false,
                numbers,
                refused: None,
                base: 0,
                at: 0,
                read_to: 0,
                until: 0,
                counted: 0,
                counted_to: 0,
                sample: notes::Sample::default(),
                lines: Store::default(),
                cutter: Cutter::default(),
                next: 0,
                done: Vec::new(),
                mild: Vec::new(),
                found: 0,
                tail: notes::Tail::default(),
                watchful: false,
                suspect: false,
            },
        }
    }

    /// Takes the next piece of the log.
    pub fn feed(&mut self, piece: &[u8]) {
        self.rest.extend_from_slice(piece);
        let mut rest = std::mem::take(&mut self.rest);
        let used = self.reader.run(&rest, false);
        rest.drain(..used);
        self.rest = rest;
    }

    /// Takes the next piece of the log where the caller left room in front of it:
    /// `buffer[room..]` is the piece, and what is before it is overwritten.
    ///
    /// As [`Scanner::feed`], without copying the piece, as long as `room` is [`Scanner::ROOM`].
    pub fn feed_in_place(&mut self, buffer: &mut [u8], room: usize) {
        let start = room.checked_sub(self.rest.len());
        let head = start.and_then(|start| buffer.get_mut(start..room));
        match (start, head) {
            (Some(start), Some(head)) => {
                head.copy_from_slice(&self.rest);
                let whole = buffer.get(start..).unwrap_or_default();
                let used = self.reader.run(whole, false);
                self.rest.clear();
                self.rest.extend_from_slice(whole.get(used..).unwrap_or_default());
            }
            _ => self.feed(buffer.get(room..).unwrap_or_default()),
        }
    }

    /// How much room [`Scanner::feed_in_place`] wants; never is more kept from one piece to the next.
    pub const ROOM: usize = 128 * 1024;

    /// The crashes that are complete, in the order of the log; each is given once.
    pub fn crashes(&mut self) -> impl Iterator<Item = CrashRecord> + '_ {
        self.reader.done.drain(..)
    }

    /// Takes the reports that are being read to be complete: their writer has fallen silent. What
    /// comes later does not belong to them. A line without its end stays unread.
    pub fn settle(&mut self) {
        self.reader.settle();
    }

    /// Whether a report is being read, which more of the log may complete.
    #[must_use]
    pub fn is_reading(&self) -> bool {
        !self.reader.cutter.is_idle()
    }

    /// The end of the log: what of it was not given yet, and what is to be said of the whole.
    #[must_use]
    pub fn finish(mut self) -> crate::Log {
        let rest = std::mem::take(&mut self.rest);
        self.reader.end(&rest).0
    }
}

/// Reads a whole log at once; and whether lines of its reports look damaged.
pub(crate) fn whole(text: &[u8], numbers: LineMap) -> (crate::Log, bool) {
    let mut reader = Scanner::numbered(numbers).reader;
    reader.watchful = fuzzy::may_read_again(text);
    reader.end(text)
}

/// The first line of `bytes`, as much of it as is ever read; `None` while there is less.
fn whole_line(bytes: &[u8], end: bool) -> Option<&[u8]> {
    let head = bytes.get(..LONGEST_LINE).unwrap_or(bytes);
    match memchr::memchr(b'\n', head) {
        Some(length) => head.get(..length),
        None => (end || head.len() == LONGEST_LINE).then_some(head),
    }
}

impl Reader {
    /// Goes on in `bytes`, of which the first were seen before and kept; how many of them are not
    /// needed any more. At the `end` there is nothing after them.
    fn run(&mut self, bytes: &[u8], end: bool) -> usize {
        if !self.begun && !self.begin(bytes, end) {
            return 0;
        }
        if self.refused.is_some() {
            return bytes.len();
        }
        self.sample.see(self.base, bytes);
        loop {
            let more = match self.gait {
                Gait::Search => self.search(bytes, end),
                Gait::Read => self.read(bytes, end),
                Gait::Skip { reading } => self.skip(bytes, reading),
            };
            if !more {
                break;
            }
        }
        let used = match self.gait {
            Gait::Search => {
                self.count(bytes, self.at);
                bytes.len().saturating_sub(KEPT).min(self.at)
            }
            Gait::Read | Gait::Skip { .. } => self.at,
        };
        self.base += used as u64;
        self.at -= used;
        used
    }

    /// Looks at the beginning of the input; `false` until there is enough of it.
    fn begin(&mut self, bytes: &[u8], end: bool) -> bool {
        const ENOUGH: usize = 16;
        if !end && bytes.len() < ENOUGH {
            return false;
        }
        self.begun = true;
        self.refused = notes::not_a_log(bytes);
        // UTF-8 with a byte-order mark, as editors on other systems save it.
        if bytes.starts_with(b"\xef\xbb\xbf") {
            self.at = 3;
            self.read_to = 3;
        }
        true
    }

    /// Offset of `at` in the whole input.
    fn offset(&self, at: usize) -> u64 {
        self.base.saturating_add(at as u64)
    }

    /// Where in the piece at hand an offset of the whole input is; 0 where that is gone.
    fn place(&self, offset: u64) -> usize {
        usize::try_from(offset.saturating_sub(self.base)).unwrap_or(usize::MAX)
    }

    /// Counts line breaks up to `at`.
    fn count(&mut self, bytes: &[u8], at: usize) {
        let from = self.place(self.counted_to);
        if let Some(new) = bytes.get(from..at) {
            self.counted += memchr::memchr_iter(b'\n', new).count() as u64;
            self.counted_to = self.offset(at);
        }
    }

    /// Searches one block; `false` when more bytes are needed.
    fn search(&mut self, bytes: &[u8], end: bool) -> bool {
        let from = self.at;
        if from >= bytes.len() {
            return false;
        }
        let to = (from + BLOCK).min(bytes.len());
        let block = bytes.get(from..to).unwrap_or_default();
        self.tail.went_on = self.tail.went_on || !block.iter().all(u8::is_ascii_whitespace);
        let Some((hit, word)) = trigger::first(block) else {
            self.count(bytes, to);
            let last = to == bytes.len();
            // A word may begin at the end of a block.
            self.at = if last && end { to } else { from.max(to.saturating_sub(trigger::LONGEST)) };
            return !last;
        };
        let hit = from + hit;
        let behind = bytes.get(hit..).unwrap_or_default();
        if !end && behind.len() < trigger::LONGEST_PHRASE && memchr::memchr(b'\n', behind).is_none() {
            // Whether it stands in a harmless phrase, which ends with its line at the latest, is not
            // to depend on where a piece ends.
            self.at = hit;
            return false;
        }
        if trigger::is_harmless(bytes, hit, word) {
            // Another word may begin within this one.
            self.at = hit + 1;
            return true;
        }
        let floor = hit.saturating_sub(LONGEST_LINE).max(self.place(self.read_to));
        let before = bytes.get(floor..hit).unwrap_or_default();
        let start = match memchr::memrchr(b'\n', before) {
            Some(at) => floor + at + 1,
            None if self.offset(floor) == self.read_to => floor,
            None => {
                // So far into an endless line that no one will read it.
                self.at = hit;
                self.gait = Gait::Skip { reading: false };
                return true;
            }
        };
        // Health prints some of the words, too: nothing above needs to be read for those.
        let Some(line) = bytes.get(start..).and_then(|rest| whole_line(rest, end)) else {
            self.at = start;
            return false;
        };
        let mut parts = Vec::new();
        text::push(line, 0, &mut parts);
        if parts.iter().any(|part| trigger::find(&part.text).is_some()) {
            self.open(bytes, start, hit);
        } else {
            self.at = start + line.len();
            self.count(bytes, self.at);
        }
        true
    }

    /// Begins to read above the line at `start`, in which a word stands at `hit`.
    fn open(&mut self, bytes: &[u8], start: usize, hit: usize) {
        let lowest = start.saturating_sub(BYTES_ABOVE).max(self.place(self.read_to));
        let above = bytes.get(lowest..start).unwrap_or_default();
        let mut breaks = memchr::memrchr_iter(b'\n', above).skip(1);
        let first = match breaks.nth(LINES_ABOVE - 1) {
            Some(at) => lowest + at + 1,
            // The first whole line of what may be read.
            None if self.offset(lowest) == self.read_to => lowest,
            None => memchr::memchr(b'\n', above).map_or(start, |at| lowest + at + 1),
        };
        if self.offset(first) != self.read_to {
            // Lines were passed over: what was kept of the last ones read is not what stands above.
            self.lines.drop_before(self.lines.end());
        }
        // `counted_to` may lie beyond `first`: what was searched was counted.
        self.count(bytes, start);
        let back = bytes.get(first..start).unwrap_or_default();
        let surplus = bytes.get(start..self.place(self.counted_to)).unwrap_or_default();
        self.counted -= memchr::memchr_iter(b'\n', back).count() as u64;
        self.counted -= memchr::memchr_iter(b'\n', surplus).count() as u64;
        self.counted_to = self.offset(first);
        self.at = first;
        self.read_to = self.offset(first);
        self.until = self.offset(hit);
        self.gait = Gait::Read;
    }

    /// Reads one line; `false` when more bytes are needed.
    fn read(&mut self, bytes: &[u8], end: bool) -> bool {
        let from = self.at;
        let rest = bytes.get(from..).unwrap_or_default();
        let (raw, to, endless) = match memchr::memchr(b'\n', rest) {
            Some(length) => (rest.get(..length).unwrap_or_default(), from + length + 1, false),
            None if rest.is_empty() => return false,
            None if end => (rest, bytes.len(), false),
            None => match rest.get(..LONGEST_LINE) {
                Some(head) => (head, from + LONGEST_LINE, true),
                None => return false,
            },
        };
        let number = u32::try_from(self.counted).unwrap_or(u32::MAX).saturating_add(1);
        let mut parts = Vec::new();
        text::push(raw, self.numbers.line(number), &mut parts);
        for line in &parts {
            self.tail.see(line);
            self.lines.push(line);
        }
        let parts = parts.len();
        self.at = to;
        self.count(bytes, to);
        self.read_to = self.offset(to);
        self.digest(1);
        if endless {
            self.gait = Gait::Skip { reading: true };
        } else if self.cutter.is_idle()
            && self.offset(from) > self.until
            && self.lines.end() - self.next == parts
            && to > from + raw.len()
        {
            // The last line waits for the one below it: it is left to be searched.
            self.lines.truncate(self.next);
            self.counted = self.counted.saturating_sub(1);
            self.counted_to = self.offset(from);
            self.at = from;
            self.read_to = self.offset(from);
            self.gait = Gait::Search;
        }
        true
    }

    /// Goes to the end of the line.
    fn skip(&mut self, bytes: &[u8], reading: bool) -> bool {
        let end = bytes.get(self.at..).and_then(|rest| memchr::memchr(b'\n', rest));
        self.at = end.map_or(bytes.len(), |length| self.at + length + 1);
        self.count(bytes, self.at);
        self.read_to = self.offset(self.at);
        if end.is_some() {
            self.gait = if reading { Gait::Read } else { Gait::Search };
        }
        end.is_some()
    }

    /// Gives the lines to the cutter, all but the last `behind`, and takes from it what is finished.
    fn digest(&mut self, behind: usize) {
        while self.next + behind < self.lines.end() {
            self.cutter.line(&self.lines, self.next);
            self.next += 1;
        }
        while let Some(report) = self.cutter.finished() {
            self.finished(&report);
        }
        // Not at every line, because it has its price.
        if self.lines.end() - self.lines.first() > 4 * LINES_ABOVE {
            self.lines.drop_before(self.cutter.needs(self.next));
        }
    }

    fn finished(&mut self, report: &Report) {
        let mild = report.hit.mild;
        self.found += u64::from(!mild);
        if self.done.len() >= crate::MOST_REPORTS || mild && (self.found > 0 || self.mild.len() >= MOST_MILD)
        {
            return;
        }
        let pick = |indices: &[usize]| indices.iter().filter_map(|i| self.lines.get(*i)).collect::<Vec<_>>();
        let (preface, own, later) = (pick(&report.preface), pick(&report.lines), pick(&report.later));
        let (preface, own): (Vec<&Line<'_>>, Vec<&Line<'_>>) =
            (preface.iter().collect(), own.iter().collect());
        self.suspect = self.suspect || self.watchful && fuzzy::suspicious(&own);
        let mut record = fields::read(&preface, &own);
        families::name(report.hit, &own, &later.iter().collect::<Vec<_>>(), &mut record);
        record.details = details::read(&preface, &own, &record);
        record.last_line = record.last_line.max(record.details.last_line());
        record.damage = damage::find(&record, &own);
        if mild {
            self.mild.push(record);
            return;
        }
        self.mild.clear();
        self.tail.crash(&record);
        self.done.push(record);
    }

    fn settle(&mut self) {
        self.digest(0);
        self.cutter.close();
        self.digest(0);
    }

    /// Reads the last bytes, and says what there was.
    fn end(mut self, bytes: &[u8]) -> (crate::Log, bool) {
        self.run(bytes, true);
        self.settle();
        let mut notes = Vec::new();
        if self.found == 0 {
            self.found = self.mild.len() as u64;
            self.mild.iter().for_each(|record| self.tail.crash(record));
            self.done.append(&mut self.mild);
        }
        if let Some(note) = self.refused.take() {
            notes.push(note);
        } else if self.found == 0 {
            notes.extend(self.sample.no_crash(self.counted));
        } else {
            if self.found > self.done.len() as u64 && self.done.len() >= crate::MOST_REPORTS {
                notes.push(notes::too_many(crate::MOST_REPORTS));
            }
            notes.extend(self.tail.cut_short());
        }
        (crate::Log { crashes: self.done, notes }, self.suspect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPES: &[&str] = &[
        include_str!("../../../examples/ubuntu-arm64-insmod.log"),
        include_str!("../tests/shapes/x86-gpf.log"),
        include_str!("../tests/shapes/mixed.log"),
        crate::damage::tests::ARM64,
        crate::damage::tests::X86,
    ];

    /// Numbers that only look random: the same in every run (Knuth's MMIX constants).
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self, below: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % below.max(1)
        }
    }

    /// Health, with crashes in it; `quiet` lines at the most between two.
    fn long_log(numbers: &mut Numbers, quiet: usize) -> String {
        let mut log = String::new();
        for _ in 0..1 + numbers.next(6) {
            for n in 0..numbers.next(quiet) {
                let caller = ["", "[    T1] ", "[   C0] "][numbers.next(3)];
                log.push_str(&match numbers.next(40) {
                    0 => "[    1.0] INFO: lockdep is turned off.\n".to_owned(),
                    1 => format!("{}\n", "x".repeat(numbers.next(3 * LONGEST_LINE))),
                    2 => "\n".to_owned(),
                    _ => format!("[    7.{n:06}] {caller}eth0: link is up, {n} Mbps, flow control off\r\n"),
                });
            }
            let shape = SHAPES[numbers.next(SHAPES.len())];
            let skip = numbers.next(10).saturating_sub(6);
            for line in shape.split_inclusive('\n').skip(skip) {
                log.push_str(line);
            }
        }
        log
    }

    fn in_pieces(log: &[u8], mut size: impl FnMut() -> usize) -> crate::Log {
        let mut scanner = Scanner::new();
        let mut rest = log;
        let mut crashes = Vec::new();
        let mut buffer = vec![0xee; Scanner::ROOM];
        while !rest.is_empty() {
            let size = size().clamp(1, rest.len());
            let (piece, tail) = rest.split_at(size);
            rest = tail;
            if size.is_multiple_of(2) {
                scanner.feed(piece);
            } else {
                buffer.truncate(Scanner::ROOM);
                buffer.extend_from_slice(piece);
                scanner.feed_in_place(&mut buffer, Scanner::ROOM);
            }
            crashes.extend(scanner.crashes());
            assert!(scanner.rest.len() <= Scanner::ROOM);
        }
        let mut log = scanner.finish();
        crashes.append(&mut log.crashes);
        crate::Log { crashes, notes: log.notes }
    }

    #[test]
    fn pieces_of_any_size_say_the_same() {
        let mut numbers = Numbers(1);
        for round in 0..16 {
            let log = long_log(&mut numbers, 1500);
            let whole = whole(log.as_bytes(), LineMap::Same).0;
            assert!(!whole.crashes.is_empty());
            let most = [50, 300, 5000, 400_000][round % 4];
            assert_eq!(in_pieces(log.as_bytes(), || 1 + numbers.next(most)), whole);
        }
    }

    #[test]
    fn a_harmless_phrase_is_one_wherever_a_piece_ends() {
        // The line is too long to be read, so that taking one of its words for a report's shows.
        let harmless = "INFO: lockdep is turned off.".repeat(2 * LONGEST_LINE / 28);
        let log = format!(
            "------------[ cut here ]------------\n{harmless}\nBUG: unable to handle page fault for address: 0\n"
        );
        let mut whole = Scanner::new();
        whole.feed(log.as_bytes());
        let whole = whole.finish();
        assert_eq!(whole.crashes.iter().map(|crash| crash.first_line).collect::<Vec<_>>(), [1]);
        for size in [1, 3, 29, 1000, 20_000] {
            assert!(in_pieces(log.as_bytes(), || size) == whole, "pieces of {size}");
        }
    }

    #[test]
    fn what_is_only_searched_holds_nothing() {
        let mut numbers = Numbers(2);
        for _ in 0..16 {
            let log = long_log(&mut numbers, 1500);
            let mut scanner = Scanner::new();
            // A word that never comes keeps it reading.
            scanner.reader.gait = Gait::Read;
            scanner.reader.until = u64::MAX;
            let all = scanner.reader.end(log.as_bytes());
            assert_eq!(whole(log.as_bytes(), LineMap::Same).0, all.0);
        }
    }

    #[test]
    fn what_is_far_below_a_report_is_no_part_of_it() {
        let chatter = |n: usize| "[   90.000001] usb 1-1: new device\n".repeat(n);
        let log = format!("{}{}{}", crate::damage::tests::X86, chatter(5000), crate::damage::tests::ARM64);
        let crashes = crate::parse(log.as_bytes()).crashes;
        assert_eq!(crashes.len(), 2);
        assert_eq!((crashes[1].first_line, crashes[1].last_line), (5027, 5061));
    }

    #[test]
    fn memory_does_not_grow_with_the_log() {
        let mut scanner = Scanner::new();
        let crash = crate::damage::tests::X86;
        for round in 0..2000 {
            scanner.feed(crash.as_bytes());
            scanner.feed(b"[    1.000000] loop0: detected capacity change from 0 to 512\n");
            assert_eq!(scanner.crashes().count(), usize::from(round > 0));
            assert!(scanner.reader.lines.end() - scanner.reader.lines.first() < 1000);
        }
        let log = scanner.finish();
        assert_eq!((log.crashes.len(), log.crashes[0].first_line), (1, 27 * 1999 + 1));
    }

    #[test]
    fn a_silence_ends_a_report() {
        let mut scanner = Scanner::new();
        scanner.feed(crate::damage::tests::X86.as_bytes());
        assert!(scanner.is_reading() && scanner.crashes().count() == 0);
        scanner.settle();
        assert!(!scanner.is_reading());
        assert_eq!(scanner.crashes().count(), 1);
        scanner.feed(crate::damage::tests::ARM64.as_bytes());
        let log = scanner.finish();
        assert_eq!((log.crashes.len(), log.crashes[0].first_line), (1, 27));
    }
}
