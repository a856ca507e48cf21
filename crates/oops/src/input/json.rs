//! Logs as JSON: one record a line, pretty-printed records one behind the other, server-sent
//! events, whole documents of a cloud's console. Which member holds the text is known by name.

use kwhy_base::catalogue::input as say;
use kwhy_base::prose;
use serde_json::Value;

use super::lines::{Rows, numbered};
use super::{Budget, Layer, base64, journal};

/// Members that hold text, best first.
const TEXTS: &[&str] = &[
    "message",
    "msg",
    "log",
    "MESSAGE",
    "line",
    "textPayload",
    "Output",
    "output",
    "text",
    "body",
    "content",
];

/// A record larger than this is no record: a tree of values takes many times its text.
const LARGEST: usize = 32 << 20;
/// After so many lines that look like records and are none, the rest is taken as text.
const MOST_FAILURES: usize = 1000;

/// Whether one of the first lines opens a JSON object.
pub(super) fn sniff(head: &[u8]) -> bool {
    let lines = head.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    lines.take(4).any(|line| {
        let line = bare(line);
        let array = line.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
        match array.unwrap_or(line) {
            // `[` alone on its line, or an array of objects or strings.
            [] => array.is_some(),
            [b'{', rest @ ..] => matches!(rest.trim_ascii_start(), [] | [b'"' | b'}', ..]),
            [b'"', ..] => array.is_some(),
            _ => false,
        }
    })
}

/// A line without what transports put before a record: a byte-order mark, SSE's `data: `, the
/// dash of a YAML list.
fn bare(line: &[u8]) -> &[u8] {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let line = line.strip_prefix(b"data:").or(line.strip_prefix(b"- ")).unwrap_or(line);
    line.trim_ascii_start()
}

/// One item of the stream.
enum Item<'a> {
    /// A record, its bytes, and the line it begins on.
    Record(Value, &'a [u8], u32),
    /// A line that is no record.
    Text(&'a [u8], u32),
}

/// Goes through the records of `bytes`.
fn items(bytes: &[u8], mut with: impl FnMut(Item<'_>)) {
    let mut rest = bytes;
    let mut line = 1u32;
    let mut failures = 0usize;
    while !rest.is_empty() {
        let skipped = rest.iter().take_while(|b| b.is_ascii_whitespace() || **b == b',').count();
        let (blank, tail) = rest.split_at_checked(skipped).unwrap_or((rest, &[]));
        line = line.saturating_add(breaks(blank));
        let start = bare(tail);
        let start = start.strip_prefix(b"[").map_or(start, <[u8]>::trim_ascii_start);
        let lead = tail.len().saturating_sub(start.len());
        line = line.saturating_add(breaks(tail.get(..lead).unwrap_or_default()));
        if start.starts_with(b"{") && failures < MOST_FAILURES {
            let slice = start.get(..LARGEST).unwrap_or(start);
            let mut stream = serde_json::Deserializer::from_slice(slice).into_iter::<Value>();
            if let Some(Ok(value)) = stream.next() {
                let (own, tail) = start.split_at_checked(stream.byte_offset()).unwrap_or((start, &[]));
                with(Item::Record(value, own, line));
                line = line.saturating_add(breaks(own));
                rest = tail;
                continue;
            }
            failures = failures.saturating_add(1);
        }
        let end = memchr::memchr(b'\n', start).unwrap_or(start.len());
        let text = start.get(..end).unwrap_or_default();
        if !text.iter().all(|b| b"]},; \t\r".contains(b)) {
            with(Item::Text(text, line));
        }
        rest = start.get(end..).unwrap_or_default();
    }
}

fn breaks(bytes: &[u8]) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', bytes).count()).unwrap_or(u32::MAX)
}

pub(super) fn read(bytes: &[u8], _: &mut Budget) -> Option<Vec<Layer>> {
    let mut entries = Vec::new();
    let mut found = Found::default();
    items(bytes, |item| match item {
        Item::Record(value, raw, line) => match journal::Entry::of_json(&value, line) {
            Some(entry) => entries.push(entry),
            None => found.record(&value, raw, line),
        },
        Item::Text(text, line) => found.text(text, line),
    });
    if !entries.is_empty() {
        return Some(journal::layers(entries));
    }
    if found.count == 0 {
        return None;
    }
    let (text, numbers) = found.rows.done();
    let remarks = vec![prose!(say::RECORDS, count = found.count)];
    // A console in base64 has no lines of its own in the file.
    if let Some(text) = base64::log_in(&text) {
        return Some(vec![Layer { text, remarks, ..Layer::default() }]);
    }
    Some(vec![Layer { text, numbers, remarks, part: String::new() }])
}

/// The text found so far.
#[derive(Default)]
struct Found {
    rows: Rows,
    /// Records that gave text.
    count: usize,
    /// The last text had no line break, and its writer would have put one.
    open: bool,
}

impl Found {
    fn text(&mut self, text: &[u8], line: u32) {
        self.open = false;
        self.rows.push(text.strip_suffix(b"\r").unwrap_or(text), line);
    }

    fn record(&mut self, value: &Value, raw: &[u8], line: u32) {
        let mut place = Place { raw, line };
        self.walk(value, &mut place);
    }

    /// Takes the text of a record; where it has none, of the records inside it. serde_json
    /// bounds the depth.
    fn walk(&mut self, value: &Value, place: &mut Place<'_>) {
        match value {
            Value::Array(values) => {
                // Loki: [time, line].
                if let [Value::String(time), Value::String(text)] = values.as_slice()
                    && time.bytes().all(|b| b.is_ascii_digit())
                {
                    let line = place.of(text);
                    return self.take("", text, line);
                }
                for value in values {
                    match value {
                        Value::String(text) => {
                            let line = place.of(text);
                            self.take("", text, line);
                        }
                        value => self.walk(value, place),
                    }
                }
            }
            Value::Object(members) => {
                // LAVA says whose line it is; only the target's console is the kernel's.
                let level = members.get("lvl").and_then(Value::as_str);
                if members.contains_key("dt") && level.is_some_and(|l| l != "target" && l != "feedback") {
                    return;
                }
                let text = TEXTS.iter().find_map(|key| Some((*key, members.get(*key)?.as_str()?)));
                if let Some((key, text)) = text {
                    let line = place.of(key);
                    return match members.get("time").and_then(Value::as_f64) {
                        // `dmesg --json`.
                        Some(time) => self.printk(time, members.get("caller"), text, line),
                        None => self.take(key, text, line),
                    };
                }
                for value in members.values().filter(|value| value.is_object() || value.is_array()) {
                    self.walk(value, place);
                }
            }
            _ => {}
        }
    }

    fn printk(&mut self, time: f64, caller: Option<&Value>, text: &str, line: u32) {
        self.count = self.count.saturating_add(1);
        let caller = caller.and_then(Value::as_str).map(|id| format!("[{id:>6}]")).unwrap_or_default();
        for text in text.split('\n') {
            self.rows.push(format!("[{time:12.6}]{caller} {text}").as_bytes(), line);
        }
    }

    fn take(&mut self, key: &str, text: &str, line: u32) {
        self.count = self.count.saturating_add(1);
        // Docker's records end where the writer's line does, or where a buffer was full.
        let whole = text.strip_suffix('\n');
        let body = whole.unwrap_or(text);
        for (index, (_, part)) in numbered(body.as_bytes()).enumerate() {
            if index == 0 && self.open {
                self.rows.extend(part, line);
            } else {
                self.rows.push(part, line);
            }
        }
        self.open = key == "log" && whole.is_none();
    }
}

/// Where in a record of many lines one has got to.
struct Place<'a> {
    raw: &'a [u8],
    line: u32,
}

impl Place<'_> {
    /// The line on which `needle` (a member's name, or a text's beginning) comes next.
    fn of(&mut self, needle: &str) -> u32 {
        // As the file has it; texts with escapes are looked for up to the first.
        let plain = needle.split(['"', '\\', '\n', '\r', '\t', '\u{1b}']).next().unwrap_or_default();
        let wanted = format!("\"{plain}");
        if let Some(at) = memchr::memmem::find(self.raw, wanted.as_bytes()) {
            let end = at.saturating_add(wanted.len());
            let (own, tail) = self.raw.split_at_checked(end).unwrap_or((self.raw, &[]));
            self.line = self.line.saturating_add(breaks(own));
            self.raw = tail;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(bytes: &[u8]) -> Vec<(u32, String)> {
        assert!(sniff(bytes), "{}", String::from_utf8_lossy(bytes));
        let layer = read(bytes, &mut Budget { bytes: 0 }).unwrap().remove(0);
        let text = String::from_utf8(layer.text).unwrap();
        text.lines().zip(1..).map(|(text, n)| (layer.numbers.line(n), text.to_owned())).collect()
    }

    #[test]
    fn docker_pieces_are_joined() {
        let log = br#"{"log":"one\n","stream":"stdout","time":"2026-01-01T00:00:00Z"}
{"log":"tw","stream":"stdout","time":"2026-01-01T00:00:00Z"}
{"log":"o\n","stream":"stdout","time":"2026-01-01T00:00:00Z"}
not json
"#;
        assert_eq!(rows(log), [(1, "one".into()), (2, "two".into()), (4, "not json".into())]);
    }

    #[test]
    fn documents_of_clouds() {
        let aws = b"{\n  \"InstanceId\": \"i-0\",\n  \"Output\": \"a\\r\\nb\\r\\n\"\n}\n";
        assert_eq!(rows(aws), [(3, "a".into()), (3, "b".into())]);
        let watch =
            b"{\"events\": [\n {\"timestamp\": 1,\n  \"message\": \"a\"},\n {\"message\": \"b\"}\n]}\n";
        assert_eq!(rows(watch), [(3, "a".into()), (4, "b".into())]);
        let loki = br#"{"status":"success","data":{"result":[{"stream":{"job":"k"},"values":[["17","a"],["18","b"]]}]}}"#;
        assert_eq!(rows(loki), [(1, "a".into()), (1, "b".into())]);
        let array = b"[\n{\"textPayload\":\"a\"},\n{\"jsonPayload\":{\"message\":\"b\"}}\n]\n";
        assert_eq!(rows(array), [(2, "a".into()), (3, "b".into())]);
    }

    #[test]
    fn dmesg_json_and_lava() {
        let dmesg = b"{\n   \"dmesg\": [\n      {\n         \"pri\": 6,\n         \"time\":    1.500000,\n         \"msg\": \"a\"\n      }\n   ]\n}\n";
        assert_eq!(rows(dmesg), [(6, "[    1.500000] a".into())]);
        let lava = br#"- {"dt": "2026-01-01T00:00:00", "lvl": "debug", "msg": "no"}
- {"dt": "2026-01-01T00:00:00", "lvl": "target", "msg": "[    1.000000] a"}
"#;
        assert_eq!(rows(lava), [(2, "[    1.000000] a".into())]);
    }

    #[test]
    fn what_is_no_json_is_left_alone() {
        for text in [&b"[    1.000000] {x}"[..], b"{ braces of C code }", b"Call Trace:\n", b""] {
            assert!(!sniff(text) || read(text, &mut Budget { bytes: 0 }).is_none());
        }
        // Nesting and unfinished records end somewhere.
        let deep = b"{\"a\":[\n".repeat(20_000);
        let _ = read(&deep, &mut Budget { bytes: 0 });
    }
}
