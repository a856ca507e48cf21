//! Takes out of a line what is no text: escape sequences, control characters, broken UTF-8; and
//! turns the ways to write such characters in text back into what they stand for.

use std::borrow::Cow;

use super::prefix::Escapes;

/// Text without escape sequences, control characters (tabs become blanks) and broken UTF-8.
///
/// Escape sequences and carriage returns as `cat -v` writes them (`^[[0m`, `^M`) go as well.
pub(super) fn clean(raw: &[u8]) -> Cow<'_, str> {
    // Without a way out in the middle, so that many bytes are looked at together.
    if raw.iter().fold(true, |plain, b| plain & (0x20..0x7f).contains(b))
        && let Ok(text) = std::str::from_utf8(raw)
    {
        if !text.contains("^[") && !text.ends_with("^M") {
            return Cow::Borrowed(text);
        }
        let text = text.strip_suffix("^M").unwrap_or(text);
        return Cow::Owned(printable(&text.replace("^[", "\u{1b}")));
    }
    Cow::Owned(printable(&String::from_utf8_lossy(raw)))
}

fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => sequence(&mut chars),
            '\t' | '\u{a0}' | '\u{3000}' => out.push(' '),
            '\u{fffd}' | '\u{feff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Passes over the rest of an escape sequence (ECMA-48 section 5.3 and 5.4).
fn sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    let ends = |c: char| ('@'..='~').contains(&c);
    match chars.next() {
        // A control sequence ends at a letter. What a dying terminal cut short ends at whatever is
        // no part of one.
        Some('[') => {
            while let Some(c) = chars.next_if(|c| (' '..='?').contains(c) || ends(*c)) {
                if ends(c) {
                    return;
                }
            }
        }
        // An operating system command (a window's title) ends at BEL or at `ESC \`.
        Some(']') => {
            for c in chars.by_ref() {
                if c == '\u{7}' {
                    return;
                }
                if c == '\u{1b}' {
                    chars.next_if_eq(&'\\');
                    return;
                }
            }
        }
        // Character sets: `ESC ( B`.
        Some('(' | ')' | '*' | '+' | '#' | '%') => {
            chars.next();
        }
        _ => {}
    }
}

/// What `text` stands for, line breaks included; `None` where nothing in it is escaped.
pub(super) fn unescape(text: &str, escapes: Escapes) -> Option<String> {
    let (mark, length) = match escapes {
        Escapes::None => return None,
        Escapes::Octal => ("#", 4),
        Escapes::Hex => ("\\x", 4),
    };
    let first = text.find(mark)?;
    let value = |at: usize| {
        let digits = text.get(at + mark.len()..at + length)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        match escapes {
            Escapes::Hex => u8::from_str_radix(digits, 16).ok(),
            // Only what does not print is escaped; `#123` of the kernel's is a number.
            _ => u8::from_str_radix(digits, 8).ok().filter(|b| b.is_ascii_control()),
        }
    };
    let mut out = text.get(..first)?.as_bytes().to_vec();
    let (mut at, mut changed) = (first, false);
    while let Some(tail) = text.get(at..).filter(|tail| !tail.is_empty()) {
        let found = tail.find(mark).unwrap_or(tail.len());
        out.extend(tail.bytes().take(found));
        at += found;
        if found == tail.len() {
            break;
        }
        match value(at) {
            Some(byte) => {
                out.push(byte);
                at += length;
                changed = true;
            }
            None => {
                out.extend(mark.bytes());
                at += mark.len();
            }
        }
    }
    changed.then(|| String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_go() {
        for raw in [
            "\u{1b}[1;31mred\u{1b}[0m",
            "\u{1b}]0;title\u{7}red",
            "\u{1b}]0;title\u{1b}\\red",
            "\u{1b}(Bred\u{1b}[m",
            "^[[0;1;31mred^[[0m^M",
            "r\u{0}e\u{7f}d\u{8}",
            "\u{1b}[32mred\u{1b}[",
        ] {
            assert_eq!(clean(raw.as_bytes()), "red", "{raw:?}");
        }
        assert!(matches!(clean(b"plain ^ text"), Cow::Borrowed(_)));
        assert_eq!(clean(b"\x1b"), "");
        assert_eq!(clean(b"\x1b[1\x1b[0mred"), "red");
    }

    #[test]
    fn escapes_stand_for_characters() {
        let octal = |text| unescape(text, Escapes::Octal);
        assert_eq!(octal("a#011b#033[0m"), Some("a\tb\u{1b}[0m".to_owned()));
        assert_eq!(octal("CPU#0 #123 #1"), None);
        assert_eq!(octal("#"), None);
        let hex = |text| unescape(text, Escapes::Hex);
        assert_eq!(hex("two\\x0alines \\x5cslash \\xe4\\xb8\\xad"), Some("two\nlines \\slash 中".to_owned()));
        assert_eq!(hex("\\x"), None);
        assert_eq!(hex("\\xzz \\x0"), None);
        assert_eq!(hex("中\\x中"), None);
        assert_eq!(unescape("\\x0a#011", Escapes::None), None);
    }
}
