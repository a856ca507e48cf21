//! Crash files of apport and whoopsie (`/var/crash/*.crash`): `Key: value` lines, values of many
//! lines indented by one blank, binary ones as base64 of gzip.

use kwhy_base::catalogue::input as say;
use kwhy_base::prose;

use super::lines::{LineMap, Rows, numbered};
use super::unpack::{self, drain};
use super::{Budget, Layer, base64};

/// Keys that hold kernel logs, best first: the dump's own log, the report itself, what the
/// kernel said later.
const LOGS: &[&str] = &[
    "VmCoreDmesg",
    "OopsText",
    "Dmesg",
    "CurrentDmesg",
    "Dmesg.txt",
    "CurrentDmesg.txt",
    "KernLog",
    "BootDmesg",
];

pub(super) fn sniff(head: &[u8]) -> bool {
    head.starts_with(b"ProblemType:") || memchr::memmem::find(head, b"\nProblemType:").is_some()
}

/// A key with its lines.
struct Section {
    key: String,
    packed: bool,
    lines: Vec<(u32, Vec<u8>)>,
}

/// The sections that are logs.
fn sections(bytes: &[u8]) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    // Whether the lines that follow belong to the last of them. Memory dumps go nowhere.
    let mut wanted = false;
    for (number, line) in numbered(bytes) {
        if let Some(value) = line.strip_prefix(b" ") {
            if let (true, Some(section)) = (wanted, sections.last_mut()) {
                section.lines.push((number, value.to_vec()));
            }
            continue;
        }
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let key = String::from_utf8_lossy(line.get(..colon).unwrap_or_default()).into_owned();
        wanted = LOGS.contains(&key.as_str());
        if wanted {
            let value = line.get(colon.saturating_add(1)..).unwrap_or_default().trim_ascii();
            let packed = value == b"base64";
            let lines = if packed || value.is_empty() { Vec::new() } else { vec![(number, value.to_vec())] };
            sections.push(Section { key, packed, lines });
        }
    }
    sections
}

pub(super) fn read(bytes: &[u8], budget: &mut Budget) -> Option<Vec<Layer>> {
    let mut logs: Vec<(String, Vec<u8>, LineMap)> = Vec::new();
    for section in sections(bytes) {
        let (text, numbers) = if section.packed {
            let data: Vec<u8> = section.lines.iter().flat_map(|(_, line)| base64::decode(line)).collect();
            // A gzip stream in pieces; whatever else it is, is unpacked as a layer of its own.
            match unpack::sniff(&data) {
                true => (unpack_all(&data, budget), LineMap::Same),
                false => (data, LineMap::Same),
            }
        } else {
            let mut rows = Rows::default();
            for (number, line) in &section.lines {
                rows.push(line, *number);
            }
            rows.done()
        };
        logs.push((section.key, text, numbers));
    }
    // All tell of one crash: the best that tells of any is taken.
    let rank = |key: &str| LOGS.iter().position(|log| *log == key).unwrap_or(LOGS.len());
    logs.sort_by_key(|(key, text, _)| (!super::tells(text), text.is_empty(), rank(key)));
    let (key, text, numbers) = logs.into_iter().next()?;
    let remarks = vec![prose!(say::SECTION, name = &key)];
    Some(vec![Layer { part: key, text, numbers, remarks }])
}

fn unpack_all(data: &[u8], budget: &mut Budget) -> Vec<u8> {
    let (text, _) = drain(flate2::read::MultiGzDecoder::new(data), budget.bytes);
    budget.bytes = budget.bytes.saturating_sub(text.len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_itself_comes_before_later_logs() {
        let text = b"ProblemType: KernelOops\nDate: x\nDmesg:\n [    1.000000] BUG: x\nOopsText:\n kernel BUG at a.c:1!\n  indented\nCoreDump: base64\n AAAA\nUname: Linux\n";
        assert!(sniff(text));
        let layer = read(text, &mut Budget { bytes: 100 }).unwrap().remove(0);
        assert_eq!(layer.part, "OopsText");
        assert_eq!(layer.text, b"kernel BUG at a.c:1!\n indented\n");
        assert_eq!(layer.numbers, LineMap::Each(vec![6, 7]));
    }

    #[test]
    fn a_packed_value() {
        // gzip of "kernel BUG at a.c:1!\n", in two pieces as apport writes them.
        let packed = b"ProblemType: Crash\nVmCoreDmesg: base64\n H4sICAAAAAAC/1ZtQ29yZURtZXNnAA==\n y04tykvNUXAKdVdILFFI1Eu2MlTkAgA6HLcfFQAAAA==\n";
        let layer = read(packed, &mut Budget { bytes: 100 }).unwrap().remove(0);
        assert_eq!(layer.part, "VmCoreDmesg");
        assert!(layer.text.starts_with(b"kernel BUG"), "{:?}", String::from_utf8_lossy(&layer.text));
    }
}
