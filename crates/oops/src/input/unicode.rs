//! UTF-16, as editors and terminals on other systems save text.

use kwhy_base::catalogue::input as say;
use kwhy_base::prose;

use super::{Budget, Layer};

/// Which byte order the text has: `true` is big-endian.
fn order(head: &[u8]) -> Option<bool> {
    match head {
        [0xff, 0xfe, ..] => return Some(false),
        [0xfe, 0xff, ..] => return Some(true),
        _ => {}
    }
    // Without a mark: ASCII text has a zero in every other byte.
    let pairs = head.get(..256)?.chunks_exact(2);
    let (mut little, mut big) = (0, 0);
    for pair in pairs {
        match pair {
            [a, 0] if *a != 0 => little += 1,
            [0, b] if *b != 0 => big += 1,
            _ => {}
        }
    }
    match (little, big) {
        (120.., _) => Some(false),
        (_, 120..) => Some(true),
        _ => None,
    }
}

pub(super) fn sniff(head: &[u8]) -> bool {
    order(head).is_some()
}

pub(super) fn read(bytes: &[u8], _: &mut Budget) -> Option<Vec<Layer>> {
    let big = order(bytes)?;
    let rest = bytes.strip_prefix(b"\xff\xfe").or(bytes.strip_prefix(b"\xfe\xff")).unwrap_or(bytes);
    let units = rest.chunks_exact(2).map(|pair| match pair {
        [a, b] if big => u16::from_be_bytes([*a, *b]),
        [a, b] => u16::from_le_bytes([*a, *b]),
        _ => 0xfffd,
    });
    let text: String = char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect();
    Some(vec![Layer { text: text.into_bytes(), remarks: vec![prose!(say::WAS_UTF16)], ..Layer::default() }])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Option<Vec<u8>> {
        sniff(bytes).then(|| read(bytes, &mut Budget { bytes: 0 })).flatten()?.pop().map(|l| l.text)
    }

    #[test]
    fn utf16_is_read_with_and_without_its_mark() {
        assert_eq!(text(b"\xff\xfeO\0K\0").as_deref(), Some(&b"OK"[..]));
        assert_eq!(text(b"\xfe\xff\0O\0K").as_deref(), Some(&b"OK"[..]));
        assert_eq!(text(b"OK"), None);
        let line = "[    1.000000] x\n".repeat(20);
        let bytes: Vec<u8> = line.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(text(&bytes), Some(line.into_bytes()));
    }
}
