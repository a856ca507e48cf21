//! Takes out of a title what differs between two instances of the same crash.

/// The longest title.
const LONGEST: usize = 120;

/// `title` with addresses, numbers and process names replaced by words.
pub(crate) fn clean(title: &str) -> String {
    let mut text: String = title.chars().filter(|c| (' '..='~').contains(c) || *c == '\t').collect();
    // Each step can lay bare what another replaces; the text only ever settles, and soon.
    for _ in 0..4 {
        let next = once(&text);
        if next == text {
            break;
        }
        text = next;
    }
    text.truncate(LONGEST);
    text.trim().to_owned()
}

fn once(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let (replaced, used) = step(rest, before, &out);
        match replaced {
            Some(word) => out.push_str(word),
            None => out.push(c),
        }
        let used = used.max(c.len_utf8());
        before = rest.get(..used).and_then(|t| t.chars().last()).unwrap_or(c);
        rest = rest.get(used..).unwrap_or_default();
    }
    out.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the text at `rest` is replaced by, and how much of it.
fn step(rest: &str, before: char, so_far: &str) -> (Option<&'static str>, usize) {
    if let Some(tail) = rest.strip_prefix("CPU#") {
        let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            return (Some("CPU"), 4 + digits);
        }
    }
    // `+0x1/0x2` after a name.
    if let Some(tail) = rest.strip_prefix("+0x") {
        let first = hex_digits(tail);
        if let Some(size) = tail.get(first..).and_then(|t| t.strip_prefix("/0x")) {
            return (Some(""), 3 + first + 3 + hex_digits(size));
        }
    }
    for start in ["syz-executor", "syzkaller"] {
        if let Some(tail) = rest.strip_prefix(start) {
            let digits = tail.bytes().take_while(|b| b.is_ascii_digit()).count();
            if digits > 0 {
                return (
                    Some(if start == "syzkaller" { "syzkaller" } else { "syz-executor" }),
                    start.len() + digits,
                );
            }
        }
    }
    if before.is_ascii_alphanumeric() || before == '_' {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits >= 7 || (digits > 0 && so_far.ends_with("syzkaller-testdir")) {
            return (Some("NUM"), digits);
        }
        if digits > 0 {
            return (None, digits.min(1));
        }
        return (None, 0);
    }
    if let Some(tail) = rest.strip_prefix("0x") {
        let digits = hex_digits(tail);
        if digits >= 6 {
            return (Some("ADDR"), 2 + digits);
        }
        if digits > 0 && boundary(tail, digits) {
            return (Some("NUM"), 2 + digits);
        }
    }
    let hex = hex_digits(rest);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if hex >= 6 && boundary(rest, hex) && (digits < hex || hex >= 8) {
        return (Some("ADDR"), hex);
    }
    if digits > 0 {
        if let Some(length) = ipv4(rest) {
            return (Some("IP"), length);
        }
        if before == ':' && (so_far.ends_with(".c:") || so_far.ends_with(".h:") || so_far.ends_with(".S:")) {
            return (Some("LINE"), digits);
        }
        if boundary(rest, digits) {
            return (Some("NUM"), digits);
        }
    }
    (None, 0)
}

fn hex_digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_hexdigit).count()
}

/// Whether a word ends after `length` bytes.
fn boundary(text: &str, length: usize) -> bool {
    !text.as_bytes().get(length).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

fn ipv4(text: &str) -> Option<usize> {
    let mut length = 0;
    for part in 0..4 {
        let tail = text.get(length..)?;
        let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=3).contains(&digits) {
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
                "INFO: Freed in fasync_free_rcu age=12 cpu=1 pid=7",
                "INFO: Freed in fasync_free_rcu age=NUM cpu=NUM pid=NUM",
            ),
            ("a  b 10.0.0.1 x.c:12 CPU#3", "a b IP x.c:LINE CPU"),
            ("udp4_lib_lookup2", "udp4_lib_lookup2"),
        ] {
            assert_eq!(clean(raw), expected);
        }
        assert_eq!(clean(&"x".repeat(500)).len(), 120);
    }
}
