//! base64 (RFC 4648): clouds give consoles in it, mails and crash reports their attachments.
//!
//! Own code, because it must read on over damage: line breaks, a cut end, several padded pieces
//! one behind the other.

use kwhy_base::catalogue::input as say;
use kwhy_base::prose;

use super::lines::numbered;
use super::{Budget, Foreign, Layer, folder, unpack};

/// The value of a digit.
fn digit(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

/// Decodes; what is no digit is passed over, padding ends a piece.
pub(super) fn decode(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in text {
        if let Some(value) = digit(*byte) {
            bits = (bits << 6 | value) & 0x3fff;
            held += 6;
            if held >= 8 {
                held -= 8;
                bytes.push(u8::try_from(bits >> held & 0xff).unwrap_or_default());
            }
        } else if *byte == b'=' {
            (bits, held) = (0, 0);
        }
    }
    bytes
}

/// Whether a line is nothing but base64, and enough of it not to be a word.
fn is_line(line: &[u8]) -> bool {
    line.len() >= 60
        && line.len().is_multiple_of(4)
        && line.iter().all(|b| digit(*b).is_some() || *b == b'=')
        && line.iter().any(|b| !b.is_ascii_hexdigit())
}

/// Decodes `text` where it is base64 of a log or of a compressed file.
pub(super) fn log_in(text: &[u8]) -> Option<Vec<u8>> {
    let first = numbered(text.get(..4096).unwrap_or(text)).map(|(_, line)| line.trim_ascii()).next()?;
    // One endless line is cut at the sample's end.
    let first = first.get(..first.len() / 4 * 4)?;
    if !is_line(first) {
        return None;
    }
    let head = decode(text.get(..8192).unwrap_or(text));
    if Foreign::of(&head).is_some() || !(unpack::sniff(&head) || folder::is_text(&head)) {
        return None;
    }
    Some(decode(text))
}

pub(super) fn sniff(head: &[u8]) -> bool {
    log_in(head).is_some()
}

pub(super) fn read(bytes: &[u8], _: &mut Budget) -> Option<Vec<Layer>> {
    let text = log_in(bytes)?;
    Some(vec![Layer { text, remarks: vec![prose!(say::BASE64)], ..Layer::default() }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_breaks_and_cuts() {
        assert_eq!(decode(b"aGVsbG8=\n d29y\r\nbGQ"), b"helloworld");
        assert_eq!(decode(b"aGVsbG8"), b"hello");
        assert_eq!(decode(b"=!*"), b"");
    }

    #[test]
    fn hexadecimal_is_not_base64() {
        assert!(!sniff(&[b'0'; 64]));
        assert!(!sniff(b"deadbeef".repeat(16).as_slice()));
        assert!(!sniff(b"Modules"));
        // "[    1.000000] x\n" over and over.
        let line = b"WyAgICAxLjAwMDAwMF0geXl5CgogIFsgICAgMS4wMDAwMDBdIHl5eQoKICBbICAgIDEuMDAw".to_vec();
        assert!(sniff(&line));
    }
}
