//! systemd's journal as journalctl writes it: `-o export` (Journal Export Format), the JSON
//! forms (the records come from [`super::json`]), and `-o verbose`.

use std::collections::BTreeMap;

use kwhy_base::catalogue::input as say;
use kwhy_base::prose;
use serde_json::Value;

use super::lines::{Rows, numbered};
use super::{Budget, Layer};

/// A record of the journal, as far as a log needs it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Entry {
    boot: String,
    kernel: bool,
    /// printk's time, in microseconds since boot.
    micros: Option<u64>,
    message: Option<Vec<u8>>,
    line: u32,
}

impl Entry {
    /// Takes a field in.
    fn field(&mut self, name: &[u8], value: &[u8]) {
        let text = || String::from_utf8_lossy(value).into_owned();
        match name {
            b"MESSAGE" if self.message.is_none() => self.message = Some(value.to_vec()),
            b"_BOOT_ID" => self.boot = text(),
            // journald reads the kernel's ring itself; a remote syslog says who spoke.
            b"_TRANSPORT" | b"SYSLOG_IDENTIFIER" => self.kernel |= value == b"kernel",
            b"_SOURCE_MONOTONIC_TIMESTAMP" => self.micros = text().parse().ok(),
            _ => {}
        }
    }

    /// A record of the journal's JSON forms; `None` where `value` is another program's.
    pub(super) fn of_json(value: &Value, line: u32) -> Option<Entry> {
        let members = value.as_object()?;
        let known = ["__CURSOR", "__REALTIME_TIMESTAMP", "_BOOT_ID", "_TRANSPORT"];
        if !known.iter().any(|name| members.contains_key(*name)) {
            return None;
        }
        let mut entry = Entry { line, ..Entry::default() };
        for (name, value) in members {
            if let Some(bytes) = bytes_of(value) {
                entry.field(name.as_bytes(), &bytes);
            }
        }
        Some(entry)
    }
}

/// A field's value: text, or an array of bytes where it is not UTF-8, or several values, of which
/// the first counts. Values over journalctl's limit are `null`.
fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Array(values) => {
            let bytes: Option<Vec<u8>> =
                values.iter().map(|v| v.as_u64().and_then(|v| u8::try_from(v).ok())).collect();
            bytes.or_else(|| values.first()?.as_str().map(|text| text.as_bytes().to_vec()))
        }
        _ => None,
    }
}

/// The kernel's records as logs, one a boot: a crash does not go on after a reboot.
pub(super) fn layers(entries: Vec<Entry>) -> Vec<Layer> {
    let all = entries.len();
    let any_kernel = entries.iter().any(|entry| entry.kernel);
    let mut order: Vec<String> = Vec::new();
    let mut boots: BTreeMap<String, (Rows, usize)> = BTreeMap::new();
    for entry in entries {
        if any_kernel && !entry.kernel {
            continue;
        }
        let Some(message) = &entry.message else { continue };
        if !boots.contains_key(&entry.boot) {
            order.push(entry.boot.clone());
        }
        let (rows, count) = boots.entry(entry.boot).or_default();
        *count = count.saturating_add(1);
        for (_, text) in numbered(message) {
            match entry.micros {
                Some(micros) if !stamped(text) => {
                    let stamp = format!("[{:5}.{:06}] ", micros / 1_000_000, micros % 1_000_000);
                    rows.push(&[stamp.as_bytes(), text].concat(), entry.line);
                }
                _ => rows.push(text, entry.line),
            }
        }
    }
    let several = order.len() > 1;
    let kept: usize = boots.values().map(|(_, count)| count).sum();
    let remark = prose!(say::JOURNAL, kept = kept, left = all.saturating_sub(kept));
    let mut layers = Vec::new();
    for boot in order {
        let Some((rows, _)) = boots.remove(&boot) else { continue };
        let (text, numbers) = rows.done();
        let part = if several { format!("boot {boot}") } else { String::new() };
        // Said once.
        let remarks = if layers.is_empty() { vec![remark.clone()] } else { Vec::new() };
        layers.push(Layer { part, text, numbers, remarks });
    }
    if layers.is_empty() {
        layers.push(Layer { remarks: vec![remark], ..Layer::default() });
    }
    layers
}

/// Whether a text has a time of printk's already.
fn stamped(text: &[u8]) -> bool {
    crate::text::split(text.get(..64).unwrap_or(text)).first().is_some_and(|line| line.time.is_some())
}

/// Whether a line begins with a field's name (capitals, digits, underscores) and `=`.
fn is_field(line: &[u8]) -> bool {
    let name = line.split(|b| *b == b'=').next().unwrap_or_default();
    name.len() < line.len()
        && (2..=64).contains(&name.len())
        && name.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_')
}

/// The first line is a field, and there is a field that only the journal writes.
pub(super) fn sniff_export(head: &[u8]) -> bool {
    let first = head.trim_ascii_start().split(|b| *b == b'\n').next().unwrap_or_default();
    is_field(first)
        && [&b"__REALTIME_TIMESTAMP="[..], b"__CURSOR=", b"_BOOT_ID=", b"_TRANSPORT="]
            .iter()
            .any(|field| memchr::memmem::find(head, field).is_some())
}

/// Reads `NAME=value` lines and binary fields (`NAME`, the value's length as 64 bits
/// little-endian, the value, a line break); a blank line ends a record.
pub(super) fn export(bytes: &[u8], _: &mut Budget) -> Option<Vec<Layer>> {
    let mut entries = Vec::new();
    let mut entry: Option<Entry> = None;
    let mut rest = bytes;
    let mut line = 1u32;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let own = rest.get(..end).unwrap_or_default();
        let mut after = rest.get(end.saturating_add(1)..).unwrap_or_default();
        let number = line;
        line = line.saturating_add(1);
        if own.trim_ascii().is_empty() {
            entries.extend(entry.take());
        } else {
            let record = entry.get_or_insert_with(|| Entry { line: number, ..Entry::default() });
            if let Some(at) = memchr::memchr(b'=', own) {
                record.field(
                    own.get(..at).unwrap_or_default(),
                    own.get(at.saturating_add(1)..).unwrap_or_default(),
                );
            } else if let Some((value, tail)) = binary(after) {
                record.field(own, value);
                let used = after.len().saturating_sub(tail.len());
                let skipped = memchr::memchr_iter(b'\n', after.get(..used).unwrap_or_default()).count();
                line = line.saturating_add(u32::try_from(skipped).unwrap_or(u32::MAX));
                after = tail;
            }
        }
        rest = after;
    }
    entries.extend(entry);
    (!entries.is_empty()).then(|| layers(entries))
}

/// A binary field's value and what follows its line break. A value that was cut is what there is.
fn binary(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    match rest.split_at_checked(length) {
        Some((value, tail)) => Some((value, tail.strip_prefix(b"\n")?)),
        // A length beyond the file is either a cut file or no length at all.
        None => (length <= 1 << 20).then_some((rest, &[])),
    }
}

/// `Sun 2026-11-22 14:00:00.123456 UTC [s=…;i=…;b=…;m=…;t=…;x=…]`, then indented fields.
fn is_verbose_head(line: &[u8]) -> bool {
    line.first().is_some_and(u8::is_ascii_uppercase)
        && line.ends_with(b"]")
        && memchr::memmem::find(line, b" [s=").is_some()
        && memchr::memmem::find(line, b";b=").is_some()
}

pub(super) fn sniff_verbose(head: &[u8]) -> bool {
    numbered(head).take(8).any(|(_, line)| is_verbose_head(line))
}

pub(super) fn verbose(bytes: &[u8], _: &mut Budget) -> Option<Vec<Layer>> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut in_message = false;
    for (number, line) in numbered(bytes) {
        if is_verbose_head(line) {
            entries.push(Entry { line: number, ..Entry::default() });
            in_message = false;
            continue;
        }
        let Some(entry) = entries.last_mut() else { continue };
        let field = line.trim_ascii_start();
        if line.starts_with(b" ") && is_field(field) {
            let at = memchr::memchr(b'=', field).unwrap_or(field.len());
            let name = field.get(..at).unwrap_or_default();
            in_message = name == b"MESSAGE";
            entry.field(name, field.get(at.saturating_add(1)..).unwrap_or_default());
        } else if let (true, Some(message)) = (in_message, &mut entry.message) {
            message.push(b'\n');
            message.extend_from_slice(field);
        }
    }
    (!entries.is_empty()).then(|| layers(entries))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(layer: &Layer) -> Vec<(u32, String)> {
        let text = String::from_utf8(layer.text.clone()).unwrap();
        text.lines().zip(1..).map(|(text, n)| (layer.numbers.line(n), text.to_owned())).collect()
    }

    #[test]
    fn an_export_with_binary_fields_and_two_boots() {
        let mut bytes =
            b"__CURSOR=x\n_BOOT_ID=a\n_TRANSPORT=kernel\n_SOURCE_MONOTONIC_TIMESTAMP=1500000\nMESSAGE\n"
                .to_vec();
        bytes.extend(5u64.to_le_bytes());
        bytes.extend(b"a\n\xffcd\n\n__CURSOR=y\n_BOOT_ID=a\n_TRANSPORT=stdout\nMESSAGE=no\n\n");
        bytes.extend(b"__CURSOR=z\n_BOOT_ID=b\nSYSLOG_IDENTIFIER=kernel\nMESSAGE=[    2.000000] z\n");
        assert!(sniff_export(&bytes));
        let odd = bytes.iter().position(|b| *b == 0xff).unwrap();
        bytes[odd] = b'b';
        let layers = export(&bytes, &mut Budget { bytes: 0 }).unwrap();
        assert_eq!(layers.len(), 2);
        assert_eq!(rows(&layers[0]), [(1, "[    1.500000] a".into()), (1, "[    1.500000] bcd".into())]);
        assert_eq!(rows(&layers[1]), [(14, "[    2.000000] z".into())]);
        assert_eq!((layers[0].part.as_str(), layers[1].part.as_str()), ("boot a", "boot b"));
    }

    #[test]
    fn lengths_that_lie() {
        for length in [u64::MAX, 1 << 40, 100, 0] {
            let mut bytes = b"__CURSOR=x\nMESSAGE\n".to_vec();
            bytes.extend(length.to_le_bytes());
            bytes.extend(b"abc");
            assert!(export(&bytes, &mut Budget { bytes: 0 }).is_some());
        }
    }

    #[test]
    fn verbose_records() {
        let text = b"Sun 2026-11-22 14:00:00.123456 UTC [s=1;i=2;b=3;m=4;t=5;x=6]\n    _TRANSPORT=kernel\n    _SOURCE_MONOTONIC_TIMESTAMP=7\n    MESSAGE=a\n    _BOOT_ID=3\n";
        assert!(sniff_verbose(text));
        let layers = verbose(text, &mut Budget { bytes: 0 }).unwrap();
        assert_eq!(rows(&layers[0]), [(1, "[    0.000007] a".into())]);
        assert!(!sniff_verbose(b"[    1.000000] x [s=1;b=2]"));
    }

    #[test]
    fn json_values_of_every_sort() {
        let entry = |text: &str| Entry::of_json(&serde_json::from_str(text).unwrap(), 1);
        assert_eq!(entry(r#"{"__CURSOR":"x","MESSAGE":[97,98]}"#).unwrap().message.unwrap(), b"ab");
        assert_eq!(entry(r#"{"__CURSOR":"x","MESSAGE":["ab","c"]}"#).unwrap().message.unwrap(), b"ab");
        assert_eq!(entry(r#"{"__CURSOR":"x","MESSAGE":null}"#).unwrap().message, None);
        assert_eq!(entry(r#"{"MESSAGE":"x"}"#), None);
    }
}
