//! Mail as it is sent and stored: one message or an mbox of many. Headers go, quoted-printable
//! and base64 are decoded, lines that `format=flowed` broke are joined, attachments that are text
//! become logs of their own. Quotation marks in front of lines are [`super::paste`]'s.

use kwhy_base::catalogue::input as say;
use kwhy_base::prose;

use super::folder::{Kind, kind_of};
use super::lines::{LineMap, Rows, numbered};
use super::{Budget, Layer, base64, unpack};

/// Headers that a mail has and a log has not.
const HEADERS: &[&str] = &[
    "from",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "received",
    "return-path",
    "mime-version",
    "content-type",
    "delivered-to",
    "in-reply-to",
    "references",
    "list-id",
    "content-transfer-encoding",
    "dkim-signature",
    "reply-to",
    "user-agent",
    "x-mailer",
    "sender",
    "archived-at",
    "lines",
    "status",
];
/// Parts within parts.
const DEEPEST: usize = 6;
/// Parts and messages of one input.
const MOST_PARTS: usize = 2000;

/// A line and its number.
type Row<'a> = (u32, &'a [u8]);

/// The name of the header that a line begins.
fn header(line: &[u8]) -> Option<(String, &[u8])> {
    let colon = memchr::memchr(b':', line.get(..64).unwrap_or(line))?;
    let name = line.get(..colon)?;
    let plain = !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
    let name = plain.then(|| String::from_utf8_lossy(name).to_ascii_lowercase())?;
    Some((name, line.get(colon.saturating_add(1)..)?))
}

/// The head of a mail: two or more of its headers before the first empty line.
pub(super) fn sniff(head: &[u8]) -> bool {
    let mut known = 0;
    for (index, (_, line)) in numbered(head.trim_ascii_start()).take(200).enumerate() {
        match line {
            [] => break,
            [b' ' | b'\t', ..] if index > 0 => {}
            line if index == 0 && line.starts_with(b"From ") => {}
            line => match header(line) {
                Some((name, _)) => known += usize::from(HEADERS.contains(&name.as_str())),
                None => return false,
            },
        }
    }
    known >= 2
}

/// What a part's headers say of it.
#[derive(Default)]
struct Head {
    /// `text/plain`, lower case; empty where not said.
    kind: String,
    boundary: Option<String>,
    flowed: bool,
    delsp: bool,
    encoding: String,
    attached: bool,
    name: Option<String>,
}

/// A parameter of a header: `name=value` or `name="value"`.
fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value;
    loop {
        let at = memchr::memchr(b';', rest.as_bytes())?;
        rest = rest.get(at.saturating_add(1)..)?;
        let trimmed = rest.trim_start();
        let Some((own, tail)) = trimmed.split_once('=') else { continue };
        if !own.trim_end_matches(['*', '0']).trim().eq_ignore_ascii_case(name) {
            continue;
        }
        let tail = tail.trim_start();
        let value = match tail.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next()?,
            None => tail.split([';', ' ', '\t']).next()?,
        };
        return Some(value.to_owned());
    }
}

/// Takes the headers off `rows`: what they say, and the body.
fn head<'r, 'a>(rows: &'r [Row<'a>]) -> (Head, &'r [Row<'a>]) {
    let end = rows.iter().position(|(_, line)| line.is_empty()).unwrap_or(rows.len());
    let (own, body) = rows.split_at_checked(end).unwrap_or((rows, &[]));
    let mut unfolded: Vec<(String, String)> = Vec::new();
    for (_, line) in own {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        match (line, unfolded.last_mut()) {
            ([b' ' | b'\t', ..], Some((_, value))) => {
                value.push(' ');
                value.push_str(&text(line));
            }
            _ => unfolded.extend(header(line).map(|(name, value)| (name, text(value)))),
        }
    }
    let mut found = Head::default();
    for (name, value) in &unfolded {
        match name.as_str() {
            "content-type" => {
                found.kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
                found.boundary = parameter(value, "boundary");
                found.flowed = parameter(value, "format").is_some_and(|v| v.eq_ignore_ascii_case("flowed"));
                found.delsp = parameter(value, "delsp").is_some_and(|v| v.eq_ignore_ascii_case("yes"));
                found.name = found.name.take().or(parameter(value, "name"));
            }
            "content-transfer-encoding" => found.encoding = value.to_ascii_lowercase(),
            "content-disposition" => {
                found.attached = value.to_ascii_lowercase().starts_with("attachment");
                found.name = parameter(value, "filename").or(found.name.take());
            }
            _ => {}
        }
    }
    (found, body.get(1..).unwrap_or_default())
}

pub(super) fn read(bytes: &[u8], _: &mut Budget) -> Option<Vec<Layer>> {
    let rows: Vec<Row<'_>> = numbered(bytes).collect();
    let blank = rows.iter().take_while(|(_, line)| line.is_empty()).count();
    let rows = rows.get(blank..)?;
    let mut mail = Mail::default();
    for message in messages(rows) {
        mail.part(message, DEEPEST);
        mail.close();
    }
    if mail.layers.is_empty() {
        return None;
    }
    for layer in mail.layers.iter_mut().take(1) {
        layer.remarks.push(prose!(say::MAIL));
    }
    Some(mail.layers)
}

/// The messages of an mbox: each begins with `From ` after an empty line.
fn messages<'r, 'a>(rows: &'r [Row<'a>]) -> Vec<&'r [Row<'a>]> {
    let starts = |index: usize| {
        let line = rows.get(index).map(|(_, line)| *line).unwrap_or_default();
        let before = index.checked_sub(1).and_then(|i| rows.get(i)).map(|(_, line)| *line);
        let next = rows.get(index.saturating_add(1)).map(|(_, line)| *line).unwrap_or_default();
        line.starts_with(b"From ") && before.is_none_or(<[u8]>::is_empty) && header(next).is_some()
    };
    let mut cuts: Vec<usize> = (1..rows.len()).filter(|i| starts(*i)).take(MOST_PARTS).collect();
    cuts.insert(0, 0);
    cuts.push(rows.len());
    cuts.windows(2)
        .filter_map(|pair| match pair {
            [from, to] => rows.get(*from..*to),
            _ => None,
        })
        .collect()
}

/// The logs found.
#[derive(Default)]
struct Mail {
    layers: Vec<Layer>,
    /// The text of the current message.
    text: Rows,
    parts: usize,
}

impl Mail {
    fn close(&mut self) {
        let rows = std::mem::take(&mut self.text);
        if !rows.is_empty() {
            let (text, numbers) = rows.done();
            self.layers.push(Layer { text, numbers, ..Layer::default() });
        }
    }

    /// Reads a part: a whole message, or what stands between two boundaries.
    fn part(&mut self, rows: &[Row<'_>], depth: usize) {
        self.parts = self.parts.saturating_add(1);
        let Some(deeper) = depth.checked_sub(1).filter(|_| self.parts < MOST_PARTS) else { return };
        let rows = match rows.split_first() {
            Some(((_, line), rest)) if line.starts_with(b"From ") => rest,
            _ => rows,
        };
        let (head, body) = head(rows);
        if let Some(boundary) = head.boundary.as_ref().filter(|_| head.kind.starts_with("multipart/")) {
            let parts = between(body, boundary);
            // Of the same text twice the plain one is kept.
            let plain = |part: &[Row<'_>]| self::head(part).0.kind.starts_with("text/plain");
            let alternative = head.kind == "multipart/alternative" && parts.iter().any(|part| plain(part));
            for part in parts.iter().filter(|part| !alternative || plain(part)) {
                self.part(part, deeper);
            }
        } else if head.kind == "message/rfc822" {
            self.part(body, deeper);
        } else {
            self.leaf(&head, body);
        }
    }

    fn leaf(&mut self, head: &Head, body: &[Row<'_>]) {
        let text_kind = head.kind.is_empty() || head.kind.starts_with("text/");
        let name = head.name.clone().unwrap_or_default();
        let named_log = !name.is_empty() && kind_of(&name) == Kind::Log;
        let mut rows = Rows::default();
        let mut same = false;
        match head.encoding.as_str() {
            "base64" => {
                let packed: Vec<u8> =
                    body.iter().flat_map(|(_, line)| [*line, b"\n"]).flatten().copied().collect();
                let data = base64::decode(&packed);
                if !text_kind && !named_log && !unpack::sniff(&data) {
                    return;
                }
                same = true;
                // What base64 hides has lines of its own.
                rows.push(data.strip_suffix(b"\n").unwrap_or(&data), 0);
            }
            _ if !text_kind && !named_log => return,
            "quoted-printable" => quoted_printable(body, &mut rows),
            _ => body.iter().for_each(|(number, line)| rows.push(line, *number)),
        }
        if head.flowed {
            rows = unflow(rows, head.delsp);
        }
        if head.attached || named_log || same || head.kind == "text/html" {
            let (text, numbers) = rows.done();
            let numbers = if same { LineMap::Same } else { numbers };
            if !text.is_empty() {
                self.layers.push(Layer { part: name, text, numbers, ..Layer::default() });
            }
        } else {
            let (text, numbers) = rows.done();
            for (index, line) in numbered(&text) {
                self.text.push(line, numbers.line(index));
            }
        }
    }
}

/// The parts between the lines `--boundary`.
fn between<'r, 'a>(rows: &'r [Row<'a>], boundary: &str) -> Vec<&'r [Row<'a>]> {
    let mark = format!("--{boundary}");
    let cuts: Vec<usize> = rows
        .iter()
        .enumerate()
        .filter(|(_, (_, line))| {
            line.strip_prefix(mark.as_bytes()).is_some_and(|t| matches!(t.trim_ascii(), b"" | b"--"))
        })
        .map(|(index, _)| index)
        .take(MOST_PARTS)
        .collect();
    let mut parts = Vec::new();
    for (index, start) in cuts.iter().enumerate() {
        if rows.get(*start).is_some_and(|(_, line)| line.ends_with(b"--") && line.len() > mark.len()) {
            break;
        }
        let end = cuts.get(index.saturating_add(1)).copied().unwrap_or(rows.len());
        parts.extend(rows.get(start.saturating_add(1)..end));
    }
    parts
}

/// RFC 2045, 6.7: `=3D` is a byte, `=` at a line's end joins it with the next.
fn quoted_printable(body: &[Row<'_>], rows: &mut Rows) {
    let mut joined: Option<(u32, Vec<u8>)> = None;
    for (number, line) in body {
        let line = line.trim_ascii_end();
        let (text, soft) = match line.strip_suffix(b"=") {
            Some(text) => (text, true),
            None => (line, false),
        };
        let (_, bytes) = joined.get_or_insert_with(|| (*number, Vec::new()));
        let mut rest = text;
        while let Some((byte, tail)) = rest.split_first() {
            rest = tail;
            let hex = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
            match (byte, tail) {
                (b'=', [a, b, after @ ..]) if let (Some(a), Some(b)) = (hex(a), hex(b)) => {
                    bytes.push(a << 4 | b);
                    rest = after;
                }
                _ => bytes.push(*byte),
            }
        }
        if !soft && let Some((first, bytes)) = joined.take() {
            rows.push(&bytes, first);
        }
    }
    if let Some((first, bytes)) = joined {
        rows.push(&bytes, first);
    }
}

/// RFC 3676: a line that ends with a blank goes on in the next; a blank was put before lines that
/// begin with one. The signature's mark `-- ` is no such line.
fn unflow(rows: Rows, delsp: bool) -> Rows {
    let (text, numbers) = rows.done();
    let mut joined = Rows::default();
    let mut open = false;
    for (index, line) in numbered(&text) {
        let number = numbers.line(index);
        let line = line.strip_prefix(b" ").unwrap_or(line);
        let flows = line.ends_with(b" ") && line != b"-- ";
        let own = if flows && delsp { line.strip_suffix(b" ").unwrap_or(line) } else { line };
        if open {
            joined.extend(own, number);
        } else {
            joined.push(own, number);
        }
        open = flows;
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(text: &[u8]) -> Vec<(String, String, LineMap)> {
        assert!(sniff(text));
        let layers = read(text, &mut Budget { bytes: 1000 }).unwrap();
        layers.into_iter().map(|l| (l.part, String::from_utf8(l.text).unwrap(), l.numbers)).collect()
    }

    #[test]
    fn quoted_printable_and_flowed() {
        let qp = b"From: a\nSubject: b\nContent-Transfer-Encoding: quoted-printable\n\na=3Db =\nc\nd\n";
        assert_eq!(layers(qp), [(String::new(), "a=b c\nd\n".into(), LineMap::Each(vec![5, 7]))]);
        let flowed =
            b"From: a\nSubject: b\nContent-Type: text/plain; charset=x; format=flowed\n\na \nb\n c\n";
        assert_eq!(layers(flowed), [(String::new(), "a b\nc\n".into(), LineMap::Each(vec![5, 7]))]);
    }

    #[test]
    fn parts_and_attachments() {
        let mail = b"From x@y Sun Nov 22 14:00:00 2026\nFrom: a\nMIME-Version: 1.0\nContent-Type: multipart/mixed;\n\tboundary=\"B\"\n\npreamble\n--B\nContent-Type: text/plain\n\nhello\n--B\nContent-Type: application/octet-stream; name=dmesg.txt\nContent-Transfer-Encoding: base64\n\naGkKaG8K\n--B\nContent-Type: image/png\n\nno\n--B--\nafter\n\nFrom z\nSubject: c\nTo: d\n\nsecond\n";
        assert_eq!(
            layers(mail),
            [
                ("dmesg.txt".into(), "hi\nho\n".into(), LineMap::Same),
                (String::new(), "hello\n".into(), LineMap::Each(vec![11])),
                (String::new(), "second\n".into(), LineMap::Each(vec![28])),
            ]
        );
    }

    #[test]
    fn a_log_is_no_mail() {
        for text in [&b"[    1.0] a: b\n"[..], b"CPU: 0 PID: 1\nRIP: 0010\n\n", b"From here: on\nx\n", b""] {
            assert!(!sniff(text));
        }
        let nested = b"From: a\nTo: b\nContent-Type: multipart/x; boundary=B\n\n--B\nContent-Type: multipart/x; boundary=B\n\n".repeat(50);
        assert!(sniff(&nested));
        let _ = read(&nested, &mut Budget { bytes: 0 });
    }
}
