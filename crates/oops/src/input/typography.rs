//! What word processors, web pages and phones make of plain characters: full-width forms,
//! typographic quotes and dashes, blanks of every width, blanks of no width. The kernel prints
//! ASCII; where its text holds these, someone's editor put them there.

use kwhy_base::catalogue::input as say;
use kwhy_base::prose;

use super::{Budget, Layer};

/// The plain text for a character; `None` for one that stays.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2032}' | '\u{b4}' => "'",
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2033}' | '\u{ab}' | '\u{bb}' => "\"",
        '\u{2010}' | '\u{2011}' | '\u{2012}' | '\u{2013}' | '\u{2212}' | '\u{fe63}' => "-",
        // Three hyphens become one of these and a hyphen, or two of them.
        '\u{2014}' | '\u{2015}' => "--",
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => " ",
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}' => "",
        '\u{fb00}' => "ff",
        '\u{fb01}' => "fi",
        '\u{fb02}' => "fl",
        '\u{fb03}' => "ffi",
        '\u{fb04}' => "ffl",
        '\u{2026}' => "...",
        '\u{3010}' => "[",
        '\u{3011}' => "]",
        '\u{3008}' | '\u{2039}' | '\u{300a}' => "<",
        '\u{3009}' | '\u{203a}' | '\u{300b}' => ">",
        '\u{3002}' => ".",
        _ => return None,
    })
}

/// U+FF01–U+FF5E are ASCII's `!`–`~` in full width.
fn narrow(c: char) -> Option<char> {
    let code = u32::from(c);
    (0xff01..=0xff5e).contains(&code).then(|| char::from_u32(code - 0xff01 + 0x21)).flatten()
}

/// Lines that speak of a kernel and hold such a character: a service's name in another language
/// is no damage.
pub(super) fn sniff(head: &[u8]) -> bool {
    if head.is_ascii() {
        return false;
    }
    let text = String::from_utf8_lossy(head);
    text.split('\n').any(|line| {
        let odd = line
            .chars()
            .filter(|c| narrow(*c).is_some() || (plain(*c).is_some() && *c != '\u{2026}'))
            .count();
        // systemd's own lines hold a bullet and an ellipsis; a kernel's line holds hexadecimal,
        // a time or a call.
        odd > 0 && {
            let flat = convert(line);
            flat.contains("0x")
                || flat.contains("[ ")
                || flat.contains("---[")
                || super::tells(flat.as_bytes())
        }
    })
}

fn convert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match (narrow(c), plain(c)) {
            (Some(c), _) => out.push(c),
            (_, Some(text)) => out.push_str(text),
            _ => out.push(c),
        }
    }
    out
}

pub(super) fn read(bytes: &[u8], _: &mut Budget) -> Option<Vec<Layer>> {
    let text = convert(&String::from_utf8_lossy(bytes));
    // Three hyphens may have become a dash and one hyphen, or a dash and a half: `--[ end trace`.
    Some(vec![Layer { text: text.into_bytes(), remarks: vec![prose!(say::TYPOGRAPHY)], ..Layer::default() }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_editor_changed_is_changed_back() {
        let text = "ＢＵＧ：　kernel\u{a0}NULL pointer，\u{200b} ０ｘ８\n—-[ end trace “a” ]—-\nR\u{ad}IP\n";
        assert!(sniff(text.as_bytes()));
        let layer = read(text.as_bytes(), &mut Budget { bytes: 0 }).unwrap().remove(0);
        assert_eq!(
            String::from_utf8(layer.text).unwrap(),
            "BUG: kernel NULL pointer, 0x8\n---[ end trace \"a\" ]---\nRIP\n"
        );
    }

    #[test]
    fn text_of_other_programs_is_none_of_this() {
        for text in ["Starting “service” …\n", "● unit.service\n", "[    1.0] x\n", "中文日志，没有崩溃\n"]
        {
            assert!(!sniff(text.as_bytes()), "{text}");
        }
    }
}
