//! Takes out of a title what differs between two instances of the same crash.
//!
//! Each step replaces one sort of thing and is repeated until it finds no more; the steps' order
//! counts, because what one puts in another would take for something else.

/// The longest title: lines that two CPUs printed into one another can be of any length.
const LONGEST: usize = 120;

/// More rounds than any title needs; a step that does not settle is left as it is.
const MOST_ROUNDS: usize = 64;

/// What a step finds in a text: where it starts, how long it is, and what takes its place.
type Step = fn(&str) -> Option<(usize, usize, &'static str)>;

const STEPS: &[Step] = &[
    |text| numbered(text, "syz-executor", true),
    |text| numbered(text, "syzkaller", false),
    address,
    ipv4,
    source_line,
    offset,
    cpu,
    decimal,
    long_number,
];

/// `title` with addresses, numbers and process names replaced by words.
pub(crate) fn clean(title: &str) -> String {
    // A title is one line of some hundred characters; more is not a title, and costs time.
    let mut text: String = title.chars().take(LONGEST * 8).collect();
    for step in STEPS {
        for _ in 0..MOST_ROUNDS {
            let Some((at, length, word)) = step(&text) else { break };
            let (Some(before), Some(after)) = (text.get(..at), text.get(at + length..)) else { break };
            text = format!("{before}{word}{after}");
        }
    }
    printable(&text)
}

/// Printable ASCII only, no two blanks in a row.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(LONGEST);
    for byte in text.bytes().take(LONGEST) {
        let c = if byte == b'\t' { ' ' } else { char::from(byte) };
        if (' '..='~').contains(&c) && !(c == ' ' && (out.is_empty() || out.ends_with(' '))) {
            out.push(c);
        }
    }
    out.trim_end().to_owned()
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// `syz-executor.3`, `syz-executor7/12`, `syzkaller123`: the fuzzer's processes.
fn numbered(text: &str, name: &'static str, dotted: bool) -> Option<(usize, usize, &'static str)> {
    text.match_indices(name).find_map(|(at, _)| {
        let rest = text.get(at + name.len()..)?;
        let dot = usize::from(dotted && rest.starts_with('.'));
        let first = digits(rest.get(dot..)?);
        if first == 0 {
            return None;
        }
        let tail = rest.get(dot + first..)?;
        let second = tail.strip_prefix(['/', ':']).map_or(0, digits);
        let more = if second > 0 { second + 1 } else { 0 };
        Some((at, name.len() + dot + first + more, name))
    })
}

/// Six and more hexadecimal digits after what is no letter or digit: no address is a good name.
fn address(text: &str) -> Option<(usize, usize, &'static str)> {
    let hex = |text: &str| text.bytes().take_while(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')).count();
    let mut before: Option<char> = None;
    for (at, c) in text.char_indices() {
        let starts = before.is_some_and(|c| !c.is_ascii_alphanumeric());
        before = Some(c);
        if !starts || !(c.is_ascii_digit() || ('a'..='f').contains(&c)) {
            continue;
        }
        let rest = text.get(at..)?;
        let prefixed = rest.strip_prefix("0x").map_or(0, hex);
        let bare = hex(rest);
        if prefixed >= 6 {
            return Some((at, 2 + prefixed, "ADDR"));
        }
        if bare >= 6 {
            return Some((at, bare, "ADDR"));
        }
    }
    None
}

fn ipv4(text: &str) -> Option<(usize, usize, &'static str)> {
    let starts = text.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(at, _)| at);
    starts.filter_map(|at| quad(text.get(at..)?).map(|length| (at, length, "IP"))).next()
}

fn quad(text: &str) -> Option<usize> {
    let mut length = 0;
    for part in 0..4 {
        let digits = digits(text.get(length..)?).min(3);
        if digits == 0 {
            return None;
        }
        length += digits;
        if part < 3 {
            if text.as_bytes().get(length) != Some(&b'.') {
                return None;
            }
            length += 1;
        }
    }
    Some(length)
}

/// `.c:123` and `.rs:12:34`.
fn source_line(text: &str) -> Option<(usize, usize, &'static str)> {
    text.match_indices('.').find_map(|(dot, _)| {
        let ending = text.get(dot + 1..)?.chars().take_while(|c| is_word(*c)).count();
        let start = dot + 1 + ending;
        let mut length = 0;
        while let Some(more) = text.get(start + length..)?.strip_prefix(':').map(digits).filter(|n| *n > 0) {
            length += more + 1;
        }
        (ending > 0 && length > 0).then_some((start, length, ":LINE"))
    })
}

/// `+0x1/0x2` after a name.
fn offset(text: &str) -> Option<(usize, usize, &'static str)> {
    let alnum =
        |text: &str| text.bytes().take_while(|b| b.is_ascii_digit() || b.is_ascii_lowercase()).count();
    text.match_indices("+0x").find_map(|(at, _)| {
        let named = text.get(..at)?.ends_with(|c: char| is_word(c) || c == '.');
        let rest = text.get(at + 3..)?;
        let first = alnum(rest);
        let second = rest.get(first..)?.strip_prefix("/0x").map(alnum)?;
        (named && first > 0 && second > 0).then_some((at, 3 + first + 3 + second, ""))
    })
}

fn cpu(text: &str) -> Option<(usize, usize, &'static str)> {
    text.match_indices("CPU#").find_map(|(at, mark)| {
        let number = digits(text.get(at + mark.len()..)?);
        (number > 0).then_some((at, mark.len() + number, "CPU"))
    })
}

/// A number that stands alone. Digits within names tell names apart.
fn decimal(text: &str) -> Option<(usize, usize, &'static str)> {
    let mut before: Option<char> = None;
    for (at, c) in text.char_indices() {
        let starts = before.is_some_and(|c| !is_word(c));
        before = Some(c);
        if starts && c.is_ascii_digit() {
            let length = digits(text.get(at..)?);
            let next = text.get(at + length..)?.chars().next();
            if next.is_none_or(|c| !is_word(c)) {
                return Some((at, length, "NUM"));
            }
        }
    }
    None
}

/// Seven digits and more are no part of a name either.
fn long_number(text: &str) -> Option<(usize, usize, &'static str)> {
    let starts = text.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(at, _)| at);
    starts.filter_map(|at| Some((at, digits(text.get(at..)?), "NUM"))).find(|(_, length, _)| *length >= 7)
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn what_varies_becomes_words() {
        for (raw, expected) in [
            (
                "KASAN: slab-out-of-bounds in gup_huge_pmd+0x1/0x2 at addr ffff880012345678",
                "KASAN: slab-out-of-bounds in gup_huge_pmd at addr ADDR",
            ),
            (
                "INFO: Freed in fasync_free_rcu+0x14/0x20 age=12 cpu=1 pid=7",
                "INFO: Freed in fasync_free_rcu age=NUM cpu=NUM pid=NUM",
            ),
            ("a  b 10.0.0.1 x.c:12 y.rs:1:2 CPU#3", "a b IP x.c:LINE y.rs:LINE CPU"),
            ("udp4_lib_lookup2", "udp4_lib_lookup2"),
            (
                "task syz-executor.3:12 and syz-executor7 of syzkaller99/1",
                "task syz-executor and syz-executor of syzkaller",
            ),
            ("at 0xdeadbeef, 0xab, 0,1,2", "at ADDR, 0xab, NUM,NUM,NUM"),
            ("x [  331.008787] y", "x [ NUM.ADDR] y"),
            ("testdir1234567 testdir12", "testdirNUM testdir12"),
            ("kmalloc-64 (Tainted: G    B)", "kmalloc-NUM (Tainted: G B)"),
            ("a\u{1}b\u{e9}c\td", "abc d"),
        ] {
            assert_eq!(clean(raw), expected);
        }
        assert_eq!(clean(&"x".repeat(500)).len(), 120);
    }
}
