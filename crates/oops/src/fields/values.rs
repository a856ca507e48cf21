//! The values that every CPU's report is made of: hexadecimal numbers, places in the code, frames.

use kwhy_base::BuildId;

use crate::record::{CodeRef, Frame, PrintedHex};
use crate::words::Words;

impl PrintedHex {
    /// Reads `digits` (without `0x`) as printed.
    #[must_use]
    pub fn new(digits: &str) -> PrintedHex {
        let value =
            (!digits.is_empty() && digits.len() <= 16 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
                .then(|| u64::from_str_radix(digits, 16).ok())
                .flatten();
        PrintedHex { digits: digits.to_owned(), value }
    }
}

/// The number at the start of `text`: an optional `0x`, then everything up to a blank or a
/// delimiter. Wrong characters are kept, because they are what a damaged number looks like.
pub(crate) fn hex_token(text: &str) -> Option<PrintedHex> {
    let text = text.trim_start();
    let text = text.strip_prefix("0x").unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let digits = text.get(..end)?;
    (!digits.is_empty()).then(|| PrintedHex::new(digits))
}

/// `0x1234` or bare digits, all of `text`.
pub(crate) fn hex_value(text: &str) -> Option<u64> {
    PrintedHex::new(text.strip_prefix("0x").unwrap_or(text)).value
}

/// Whether `c` can stand in a symbol of kallsyms. Rust's demangled names bring `<>:&` and blanks
/// within their brackets, which [`symbol_end`] deals with.
fn is_symbol_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$')
}

/// Where the symbol at the start of `text` ends.
fn symbol_end(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if depth > 0 => depth -= 1,
            ':' if text.get(at..).is_some_and(|t| t.starts_with("::")) => {}
            ':' if at > 0 && text.get(at - 1..).is_some_and(|t| t.starts_with("::")) => {}
            c if is_symbol_char(c) || depth > 0 => {}
            '{' | '}' | '#' if text.contains("::") => {}
            _ => return at,
        }
    }
    text.len()
}

/// Reads a place at the start of `text`: `fn+0x1/0x2 [mod build-id] (file.c:3)`, `[<addr>] fn+…`,
/// `0xffff…`. Returns the rest, too.
pub(crate) fn code_ref(text: &str) -> Option<(CodeRef, &str)> {
    let mut place = CodeRef::default();
    let mut rest = text.trim_start();
    while let Some(inner) = rest.strip_prefix("[<") {
        let (address, tail) = inner.cut(">]")?;
        // Old kernels print the address twice; both are the same.
        place.address = place.address.or_else(|| hex_value(address.trim()));
        rest = tail.trim_start();
        if place.address.is_none() && address.chars().any(|c| !c.is_ascii_hexdigit()) {
            break;
        }
    }
    if let Some(digits) = rest.strip_prefix("0x") {
        let end = digits.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(digits.len());
        place.address = Some(hex_value(digits.get(..end)?)?);
        return Some((place, digits.get(end..).unwrap_or_default()));
    }
    let end = symbol_end(rest);
    let name = rest.get(..end).unwrap_or_default();
    let tail = rest.get(end..).unwrap_or_default();
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) && !tail.starts_with("+0x") {
        return place.address.is_some().then_some((place, rest));
    }
    place.symbol = Some(name.to_owned());
    rest = tail;
    if let Some(offset) = tail.strip_prefix("+0x") {
        let (offset, after) = digits(offset);
        place.offset = hex_value(offset);
        place.unreadable = place.offset.is_none();
        place.offset_digits = odd(offset, place.offset);
        rest = after;
        if let Some(size) = after.strip_prefix("/0x") {
            let (size, after) = digits(size);
            place.size = hex_value(size);
            place.unreadable |= place.size.is_none();
            place.size_digits = odd(size, place.size);
            rest = after;
        }
    }
    rest = module(rest, &mut place);
    rest = source(rest, &mut place);
    Some((place, rest))
}

/// Digits that are not how the kernel prints the number they read as: it uses no capitals and
/// no leading zeros.
fn odd(digits: &str, value: Option<u64>) -> Option<String> {
    let usual = value.is_some()
        && !digits.bytes().any(|b| b.is_ascii_uppercase())
        && (digits == "0" || !digits.starts_with('0'));
    (!usual).then(|| digits.to_owned())
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// ` [mod]`, ` [mod abcdef…]` and, in newer kernels, ` [abcdef…]` alone for the kernel's own id.
fn module<'a>(rest: &'a str, place: &mut CodeRef) -> &'a str {
    let Some(inner) = rest.trim_start().strip_prefix('[') else { return rest };
    let Some((inside, tail)) = inner.split_once(']') else { return rest };
    let id = |word: &str| if word.len() >= 32 { BuildId::from_hex(word) } else { None };
    match inside.split_once(' ') {
        Some((name, build)) if id(build.trim()).is_some() => {
            place.module = Some(name.to_owned());
            place.build_id = id(build.trim());
        }
        None if id(inside).is_some() => place.build_id = id(inside),
        None if is_module_name(inside) => place.module = Some(inside.to_owned()),
        _ => return rest,
    }
    tail
}

/// `inline` in brackets marks an inline frame, not a module.
pub(crate) fn is_module_name(name: &str) -> bool {
    !name.is_empty()
        && name != "inline"
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

/// ` (file.c:12)`, ` file.c:12`, with `(discriminator 3)` after it.
fn source<'a>(rest: &'a str, place: &mut CodeRef) -> &'a str {
    let trimmed = rest.trim_start();
    let (bare, parenthesis) = match trimmed.strip_prefix('(') {
        Some(inner) => (inner, true),
        None => (trimmed, false),
    };
    let end = bare.find(|c: char| c.is_whitespace() || c == ')').unwrap_or(bare.len());
    let word = bare.get(..end).unwrap_or_default();
    let Some((file, line)) = word.rsplit_once(':') else { return rest };
    // syzkaller's own symbolizer prints the column, too: `file.c:12:34`.
    let (file, line) = match file.rsplit_once(':') {
        Some((f, l)) if l.bytes().all(|b| b.is_ascii_digit()) && !l.is_empty() => (f, l),
        _ => (file, line),
    };
    let Ok(line) = line.parse() else { return rest };
    if !file.contains('.') {
        return rest;
    }
    place.source = Some((file.to_owned(), line));
    let tail = bare.get(end..).unwrap_or_default();
    if parenthesis { bare_module(tail, place) } else { tail }
}

/// What scripts/decode_stacktrace.sh puts behind `(file.c:12`: perhaps ` (discriminator 3)`, then `)`
/// and the module's name without its brackets.
fn bare_module<'a>(tail: &'a str, place: &mut CodeRef) -> &'a str {
    let marked = tail.strip_prefix(" (discriminator ").and_then(|rest| rest.split_once(')'));
    let rest = marked.map_or(tail, |(_, rest)| rest);
    let rest = rest.strip_prefix(')').unwrap_or(rest);
    let name = rest.trim();
    if place.module.is_none() && is_module_name(name) {
        place.module = Some(name.to_owned());
        return "";
    }
    rest
}

/// Reads a line of a call trace. Two frames for ARM's `f from g+0x…`.
pub(crate) fn frames(text: &str, line: u32) -> Vec<Frame> {
    let trimmed = text.trim();
    if let Some((left, right)) = trimmed.cut(" from ")
        && let Some(pair) = arm_pair(left, right, line)
    {
        return pair;
    }
    frame(trimmed, line).into_iter().collect()
}

/// `[<80010b1c>] (unwind_backtrace) from [<8000d5d4>] (show_stack+0x10/0x14)`, or without addresses.
fn arm_pair(left: &str, right: &str, line: u32) -> Option<Vec<Frame>> {
    let one = |side: &str| {
        let side = side.trim();
        let (address, name) = match side.strip_prefix("[<").and_then(|s| s.cut(">]")) {
            Some((address, name)) => (hex_value(address), name.trim()),
            None => (None, side),
        };
        let reliable = !name.starts_with('?');
        let name = name.trim_start_matches(['?', '(', ' ']);
        let (mut at, rest) = code_ref(name)?;
        at.address = at.address.or(address);
        if let Some((module, _)) =
            rest.trim_start_matches(')').trim_start().strip_prefix('[')?.split_once(']')
        {
            at.module = at.module.or_else(|| is_module_name(module).then(|| module.to_owned()));
        }
        Some((at, reliable))
    };
    let plain = |side: &str| {
        let side = side.trim();
        let (address, name) = match side.strip_prefix("[<").and_then(|s| s.cut(">]")) {
            Some((address, name)) => (hex_value(address), name.trim()),
            None => (None, side),
        };
        let name = name.trim_start_matches(['?', '(', ' ']);
        let (mut at, _) = code_ref(name.trim_end_matches(')'))?;
        at.address = at.address.or(address);
        Some((at, true))
    };
    let (callee, _) = one(left).or_else(|| plain(left))?;
    let (caller, _) = one(right).or_else(|| plain(right))?;
    if caller.offset.is_none() || callee.symbol.as_deref().is_none_or(|s| s.contains(' ')) {
        return None;
    }
    let frame = |at| Frame { at, reliable: true, inline: false, line };
    Some(vec![frame(callee), frame(caller)])
}

fn frame(text: &str, line: u32) -> Option<Frame> {
    let mut rest = text;
    let mut address = None;
    // `([<0000…>] f+0x…)` of s390, `[c0…] [c0…] f+0x… (unreliable)` of ppc.
    rest = rest.strip_prefix('(').unwrap_or(rest);
    loop {
        if let Some(inner) = rest.strip_prefix("[<") {
            let (digits, tail) = inner.cut(">]")?;
            if !digits.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ') {
                return None;
            }
            address = hex_value(digits.trim()).or(address);
            rest = tail.trim_start();
        } else if let Some(inner) = rest.strip_prefix('[')
            && let Some((digits, tail)) = inner.split_once(']')
            && (8..=16).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_hexdigit())
        {
            address = hex_value(digits).or(address);
            rest = tail.trim_start();
        } else {
            break;
        }
    }
    let uncertain = rest.strip_prefix("? ");
    let reliable = uncertain.is_none() && !rest.contains("(unreliable)");
    let rest = uncertain.unwrap_or(rest).trim_start();
    let (mut at, tail) = match code_ref(rest) {
        Some(found) => found,
        None => {
            let at = CodeRef { address: Some(address?), ..CodeRef::default() };
            return rest.is_empty().then_some(Frame { at, reliable, inline: false, line });
        }
    };
    at.address = at.address.or(address);
    let tail = tail.trim();
    let inline = tail == "[inline]" || tail.ends_with("[inline]");
    let bare_address = at.symbol.is_none() && at.address.is_some();
    // Without an offset a word is a frame only where a source place or an address vouches for it.
    if at.offset.is_none() && !at.unreadable && !inline && !bare_address && address.is_none() {
        return None;
    }
    if bare_address && !(tail.is_empty() || tail.starts_with('(') || tail.starts_with('[')) {
        return None;
    }
    if at.offset.is_some() && !tail_is_plausible(tail) {
        return None;
    }
    Some(Frame { at, reliable, inline, line })
}

/// What may follow a frame: flags such as `(P)`, `(unreliable)`, a rest of brackets, ppc's `)`.
fn tail_is_plausible(tail: &str) -> bool {
    tail.is_empty()
        || tail.starts_with(['(', ')', '[', '/', '.'])
        || tail.starts_with("Unable")
        || tail.len() < 200 && !tail.starts_with(':') && !tail.starts_with(',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Frame {
        let mut all = frames(text, 1);
        assert_eq!(all.len(), 1, "{text}: {all:?}");
        all.remove(0)
    }

    #[test]
    fn every_shape_of_frame() {
        let f = one(" load_module+0x9d8/0xbc0");
        assert_eq!(
            (f.at.symbol.as_deref(), f.at.offset, f.at.size),
            (Some("load_module"), Some(0x9d8), Some(0xbc0))
        );
        assert!(f.reliable && !f.inline);
        let f = one(" ? ab_commit+0x50/0x50 [abbalock]");
        assert_eq!((f.reliable, f.at.module.as_deref()), (false, Some("abbalock")));
        let f = one(" [<ffffffff8134ab>] ? fn+0x1/0x2 [mod]");
        assert_eq!((f.reliable, f.at.address), (false, Some(0xffffffff8134ab)));
        let f = one(" fn+0x1/0x2 [mod 0123456789abcdef0123456789abcdef01234567]");
        assert_eq!(f.at.module.as_deref(), Some("mod"));
        assert!(f.at.build_id.is_some());
        let f = one(" fn+0x5d/0x80 [mod] (file.c:123)");
        assert_eq!(f.at.source, Some(("file.c".into(), 123)));
        let f = one(" fn+0x5d/0x80 kernel/file.c:123");
        assert_eq!(f.at.source, Some(("kernel/file.c".into(), 123)));
        let f = one(" __read_once_size include/linux/compiler.h:183 [inline]");
        assert!(f.inline && f.at.offset.is_none());
        assert_eq!(one(" show_stack+0x18/0x24 (C)").at.offset, Some(0x18));
        assert_eq!(one(" fn+0x10/0x20 [mod] (P)").at.module.as_deref(), Some("mod"));
        assert_eq!(one(" 0x0").at.address, Some(0));
        assert_eq!(one(" 0xffff800000be00d4").at.address, Some(0xffff800000be00d4));
        let f = one(" [c000000001] [c0000000000fc4d0] fn+0x1/0x2 (unreliable)");
        assert!(!f.reliable);
        let f = one(" <rust_binder::process::Process>::update_ref+0x1f/0x30");
        assert_eq!(f.at.symbol.as_deref(), Some("<rust_binder::process::Process>::update_ref"));
        let f = one(" el0_svc_common.constprop.0+0x5c/0x184");
        assert_eq!(f.at.symbol.as_deref(), Some("el0_svc_common.constprop.0"));
    }

    #[test]
    fn arm_prints_two_frames_a_line() {
        for text in [
            "[<80010b1c>] (unwind_backtrace) from [<8000d5d4>] (show_stack+0x10/0x14)",
            " unwind_backtrace from show_stack+0x10/0x14",
        ] {
            let all = frames(text, 1);
            assert_eq!(all.len(), 2, "{text}");
            assert_eq!(all[0].at.symbol.as_deref(), Some("unwind_backtrace"));
            assert_eq!((all[1].at.symbol.as_deref(), all[1].at.offset), (Some("show_stack"), Some(0x10)));
        }
    }

    #[test]
    fn prose_is_no_frame() {
        for text in [
            "Modules linked in: a b",
            "task:ab_writer state:D",
            "CPU: 0 PID: 1",
            "",
            " <TASK>",
            "foo bar",
            "message from nobody at all",
        ] {
            assert!(frames(text, 1).is_empty(), "{text}");
        }
    }
}
