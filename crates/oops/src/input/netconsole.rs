//! Logs that came over the network: records in fragments, records out of order, and several
//! hosts' lines mixed in one file.
//!
//! netconsole sends datagrams. In its extended form a record longer than 1000 bytes goes in
//! fragments, each with the record's header and `ncfrag=OFFSET/LENGTH`
//! (Documentation/networking/netconsole.rst); what collects them writes one after the other,
//! often with no line break between. Whoever collects for several hosts, be it netconsole's
//! datagrams or syslog's lines, writes them as they come: each host's log is one of its own.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::lines::{LineMap, numbered};
use super::{Budget, Layer};
use crate::text::{Kmsg, kmsg, sender, source};

/// Records come late by a few others; what is further back is another boot's.
const MOST_LATE: u64 = 64;
/// Hosts that are told apart; the lines of further ones stay with the line above.
const MOST_HOSTS: usize = 64;
/// The mark of a fragment.
const FRAGMENT: &[u8] = b",ncfrag=";

pub(super) fn sniff(sample: &[u8]) -> bool {
    let mut host: Option<String> = None;
    for (_, line) in numbered(sample) {
        let head = head(line);
        if record(&head).is_some() {
            return true;
        }
        if let Some(own) = source(&head) {
            match &host {
                Some(other) if other != own => return true,
                Some(_) => {}
                None => host = Some(own.to_owned()),
            }
        }
    }
    false
}

/// As much of a line as prefixes take.
fn head(line: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(line.get(..256).unwrap_or(line))
}

/// The record header of a line, and how many bytes stand before it.
fn record(line: &str) -> Option<(usize, Kmsg)> {
    let before = sender(line).map_or(0, |(_, length)| length);
    let rest = line.get(before..)?;
    // Every kernel's own line comes here; a record begins with its level or its kernel's release.
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    Some((before, kmsg(rest)?))
}

/// One line of a host.
struct Row<'a> {
    number: u32,
    /// Which boot, and which record of it; lines without a number have that of the line above.
    order: (u32, u64),
    text: Cow<'a, [u8]>,
    /// Where a fragment stands in its record.
    offset: Option<usize>,
}

/// One host's lines.
#[derive(Default)]
struct Host<'a> {
    rows: Vec<Row<'a>>,
    boot: u32,
    newest: u64,
    /// Whether anything is to be done with them.
    changed: bool,
}

pub(super) fn read(bytes: &[u8], _: &mut Budget) -> Option<Vec<Layer>> {
    let mut hosts: BTreeMap<String, Host<'_>> = BTreeMap::new();
    let mut current = String::new();
    for (number, line) in numbered(bytes) {
        let head = head(line);
        if let Some(own) = source(&head)
            && own != current
            && (hosts.contains_key(own) || hosts.len() < MOST_HOSTS)
        {
            own.clone_into(&mut current);
        }
        if !hosts.contains_key(&current) {
            hosts.insert(current.clone(), Host::default());
        }
        hosts.get_mut(&current)?.take(number, line, record(&head));
    }
    // What precedes the first line with a name belongs to whoever has it.
    if hosts.len() == 2
        && let Some(nameless) = hosts.remove("")
        && let Some(named) = hosts.values_mut().next()
    {
        named.changed |= nameless.changed;
        named.rows.splice(0..0, nameless.rows);
    }
    if hosts.len() < 2 && !hosts.values().any(|host| host.changed) {
        return None;
    }
    let alone = hosts.len() < 2;
    let layers = hosts.into_iter().map(|(name, host)| {
        let (text, numbers) = host.text();
        Layer { part: if alone { String::new() } else { name }, text, numbers, ..Layer::default() }
    });
    Some(layers.collect())
}

impl<'a> Host<'a> {
    fn take(&mut self, number: u32, line: &'a [u8], record: Option<(usize, Kmsg)>) {
        let Some((before, record)) = record else {
            let order = (self.boot, self.rows.last().map_or(0, |row| row.order.1));
            self.rows.push(Row { number, order, text: Cow::Borrowed(line), offset: None });
            return;
        };
        if record.sequence.saturating_add(MOST_LATE) < self.newest {
            self.boot = self.boot.saturating_add(1);
            self.newest = 0;
        }
        self.changed |= record.sequence < self.newest;
        self.newest = self.newest.max(record.sequence);
        let order = (self.boot, record.sequence);
        let mut rest = line.get(before..).unwrap_or_default();
        let Some((mut offset, _)) = record.fragment else {
            self.rows.push(Row { number, order, text: Cow::Borrowed(line), offset: None });
            return;
        };
        self.changed = true;
        // Every fragment repeats the header up to its own place.
        let start = memchr::memmem::find(rest, FRAGMENT).unwrap_or_default();
        let again = rest.get(..start + FRAGMENT.len()).unwrap_or_default().to_vec();
        loop {
            let body = memchr::memchr(b';', rest).map_or(rest.len(), |at| at + 1);
            let (own, next) = rest.split_at_checked(body).unwrap_or((rest, &[]));
            let end = memchr::memmem::find(next, &again);
            let text = next.get(..end.unwrap_or(next.len())).unwrap_or_default();
            let mut row = Vec::new();
            // The first fragment's header, without its place, is the whole record's.
            row.extend_from_slice(own.get(..start).unwrap_or_default());
            row.push(b';');
            row.extend_from_slice(text);
            self.rows.push(Row { number, order, text: Cow::Owned(row), offset: Some(offset) });
            let Some(tail) = end.and_then(|at| next.get(at..)) else { return };
            rest = tail;
            let place = rest.get(again.len()..).unwrap_or_default();
            let digits = place.iter().take_while(|b| b.is_ascii_digit()).count();
            let parsed = std::str::from_utf8(place.get(..digits).unwrap_or_default()).ok();
            offset = parsed.and_then(|p| p.parse().ok()).unwrap_or(usize::MAX);
        }
    }

    /// The lines in the records' order, fragments joined; what came twice stands once.
    fn text(mut self) -> (Vec<u8>, LineMap) {
        if self.changed {
            self.rows.sort_by_key(|row| (row.order, row.offset));
            self.rows.dedup_by(|b, a| {
                let numbered = a.order.1 != 0 && a.order == b.order && a.offset == b.offset;
                numbered && a.number != b.number && a.text == b.text
            });
        }
        let mut text = Vec::new();
        let mut numbers = Vec::new();
        // How far the record of the last line goes, in bytes of its text.
        let mut reached: Option<((u32, u64), usize)> = None;
        for row in self.rows {
            let Some(offset) = row.offset else {
                reached = None;
                text.extend_from_slice(&row.text);
                text.push(b'\n');
                numbers.push(row.number);
                continue;
            };
            let body = memchr::memchr(b';', &row.text).map_or(0, |at| at + 1);
            let own = row.text.get(body..).unwrap_or_default();
            if reached == Some((row.order, offset)) {
                text.pop();
                text.extend_from_slice(own);
            } else {
                // What was lost leaves a hole: the rest is a line of its own.
                text.extend_from_slice(&row.text);
                numbers.push(row.number);
            }
            text.push(b'\n');
            reached = Some((row.order, offset.saturating_add(own.len())));
        }
        (text, LineMap::Each(numbers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(text: &str) -> Option<Vec<(String, String)>> {
        let layers =
            sniff(text.as_bytes()).then(|| read(text.as_bytes(), &mut Budget { bytes: 0 })).flatten()?;
        Some(layers.into_iter().map(|l| (l.part, String::from_utf8(l.text).unwrap())).collect())
    }

    fn log(text: &str) -> String {
        logs(text).unwrap().remove(0).1
    }

    #[test]
    fn fragments_are_joined_in_any_order() {
        let whole = "4,7,3000000,-;the first the second\n";
        assert_eq!(log("4,7,3000000,-,ncfrag=0/20;the first 4,7,3000000,-,ncfrag=10/20;the second\n"), whole);
        assert_eq!(
            log("4,7,3000000,-,ncfrag=10/20;the second\n4,7,3000000,-,ncfrag=0/20;the first \n"),
            whole
        );
        assert_eq!(
            log(
                "6.4.0,4,7,3000000,-,caller=T1,ncfrag=0/20;the first \n6.4.0,4,7,3000000,-,caller=T1,ncfrag=10/20;the second\n"
            ),
            "6.4.0,4,7,3000000,-,caller=T1;the first the second\n"
        );
        // The middle one is lost.
        assert_eq!(
            log("4,7,3000000,-,ncfrag=0/20;the\n4,7,3000000,-,ncfrag=10/20;the second\n"),
            "4,7,3000000,-;the\n4,7,3000000,-;the second\n"
        );
    }

    #[test]
    fn records_are_put_in_order() {
        assert_eq!(
            log("6,1,1,-;a\n6,3,3,-;c\n6,2,2,-;b\n DEVICE=x\n"),
            "6,1,1,-;a\n6,2,2,-;b\n DEVICE=x\n6,3,3,-;c\n"
        );
        assert_eq!(log("6,1,1,-;a\n6,3,3,-;c\n6,1,1,-;a\n"), "6,1,1,-;a\n6,3,3,-;c\n", "came twice");
        // The next boot counts from the start.
        assert_eq!(logs("6,900,1,-;a\n6,0,0,-;b\n6,1,1,-;c\n"), None);
        assert_eq!(logs("6,1,1,-;a\n6,2,2,-;b\n"), None, "a log as it stands");
    }

    #[test]
    fn hosts_are_told_apart() {
        let text = "10.0.0.1: [    1.000000] a\n10.0.0.2: [    9.000000] x\n10.0.0.1: [    2.000000] b\n";
        let one = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        assert_eq!(
            logs(text),
            Some(vec![
                one("10.0.0.1", "10.0.0.1: [    1.000000] a\n10.0.0.1: [    2.000000] b\n"),
                one("10.0.0.2", "10.0.0.2: [    9.000000] x\n"),
            ])
        );
        let text = "Nov 22 11:44:54 web-1 kernel: a\nNov 22 11:44:54 web-2 kernel: b\nNov 22 11:44:55 web-1 sshd[1]: c\n";
        assert_eq!(logs(text).unwrap().len(), 2);
        assert_eq!(logs("Nov 22 11:44:54 web-1 kernel: a\nNov 22 11:44:54 web-1 kernel: b\n"), None);
    }

    #[test]
    fn hostile_fragments() {
        for text in [
            "4,7,3,-,ncfrag=99999999999999999999999/3;x\n",
            "4,7,3,-,ncfrag=0/3;x4,7,3,-,ncfrag=",
            "4,7,3,-,ncfrag=0/3;4,7,3,-,ncfrag=x/3;4,7,3,-,ncfrag=",
            "4,18446744073709551615,3,-,ncfrag=18446744073709551615/18446744073709551615;x\n4,1,1,-;y",
        ] {
            let _ = logs(text);
        }
    }
}
