//! Web pages: what a browser would show of them, line by line. Only names of HTML's own elements
//! are tags: kernel text is full of `<TASK>`, `<IRQ>` and `[<ffffffff…>]`.

use kwhy_base::catalogue::input as say;
use kwhy_base::prose;

use super::lines::Rows;
use super::{Budget, Layer};

/// Elements that end a line where they begin and end.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "pre",
    "br",
    "li",
    "ul",
    "ol",
    "tr",
    "table",
    "tbody",
    "thead",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "dl",
    "dt",
    "dd",
    "blockquote",
    "section",
    "article",
    "header",
    "footer",
    "details",
    "summary",
    "form",
    "body",
    "html",
    "head",
    "title",
    "textarea",
    "nav",
    "main",
];
/// Elements within a line.
const INLINE: &[&str] = &[
    "a",
    "b",
    "i",
    "u",
    "s",
    "em",
    "strong",
    "span",
    "code",
    "tt",
    "font",
    "td",
    "th",
    "small",
    "big",
    "sub",
    "sup",
    "kbd",
    "samp",
    "var",
    "mark",
    "wbr",
    "img",
    "input",
    "button",
    "label",
    "select",
    "option",
    "meta",
    "link",
    "base",
    "svg",
    "path",
    "time",
    "abbr",
    "colgroup",
    "col",
    "center",
    "clipboard-copy",
    "svg",
    "g",
    "rect",
    "use",
    "iframe",
];
/// Elements of which nothing is shown.
const HIDDEN: &[&str] = &["script", "style", "noscript", "template"];

/// What a tag says.
struct Tag {
    name: String,
    closing: bool,
    /// Bytes of it, brackets included.
    length: usize,
}

/// Reads the tag, comment or declaration that `text` begins with.
fn tag(text: &[u8]) -> Option<Tag> {
    if let Some(rest) = text.strip_prefix(b"<!--") {
        let end = memchr::memmem::find(rest, b"-->").map_or(rest.len(), |at| at.saturating_add(3));
        return Some(Tag { name: "!".to_owned(), closing: false, length: end.saturating_add(4) });
    }
    let inner = text.strip_prefix(b"<")?;
    let closing = inner.starts_with(b"/");
    let body = inner.strip_prefix(b"/").unwrap_or(inner);
    let size = body.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').count();
    let name = String::from_utf8_lossy(body.get(..size.min(20))?).to_ascii_lowercase();
    let known = [BLOCKS, INLINE, HIDDEN].iter().any(|list| list.contains(&name.as_str()));
    let declared =
        inner.starts_with(b"!DOCTYPE") || inner.starts_with(b"!doctype") || inner.starts_with(b"?xml");
    if !known && !declared {
        return None;
    }
    if !declared && !matches!(body.get(size), Some(b'>' | b'/' | b' ' | b'\n' | b'\t' | b'\r')) {
        return None;
    }
    // Attributes are quoted, and a quote may hold a bracket; no tag is longer than this.
    let mut quote = None;
    for (at, byte) in text.iter().enumerate().skip(1).take(16 * 1024) {
        match (quote, byte) {
            (None, b'>') => return Some(Tag { name, closing, length: at.saturating_add(1) }),
            (None, b'"' | b'\'') => quote = Some(*byte),
            // Another tag begins, so this was none; without this, text of nothing but beginnings
            // would be gone through once for each.
            (None, b'<') => return None,
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
    }
    None
}

/// The character of the entity that `text` begins with, and its bytes.
fn entity(text: &[u8]) -> Option<(char, usize)> {
    const NAMED: &[(&str, char)] = &[
        ("lt", '<'),
        ("gt", '>'),
        ("amp", '&'),
        ("quot", '"'),
        ("apos", '\''),
        ("nbsp", ' '),
        ("ndash", '-'),
        ("mdash", '—'),
        ("hellip", '…'),
        ("lsquo", '\''),
        ("rsquo", '\''),
        ("ldquo", '"'),
        ("rdquo", '"'),
        ("shy", '\u{ad}'),
        ("ensp", ' '),
        ("emsp", ' '),
        ("Tab", '\t'),
        ("NewLine", '\n'),
        ("lbrack", '['),
        ("rbrack", ']'),
        ("lowbar", '_'),
        ("plus", '+'),
        ("colon", ':'),
        ("sol", '/'),
        ("num", '#'),
    ];
    let inner = text.strip_prefix(b"&")?;
    let end = inner.iter().take(10).position(|b| *b == b';')?;
    let name = std::str::from_utf8(inner.get(..end)?).ok()?;
    let length = end.saturating_add(2);
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        let c = char::from_u32(code)?;
        return Some((if c == '\u{a0}' { ' ' } else { c }, length));
    }
    NAMED.iter().find(|(own, _)| *own == name).map(|(_, c)| (*c, length))
}

pub(super) fn sniff(head: &[u8]) -> bool {
    let start = head.trim_ascii_start().get(..64).unwrap_or(head.trim_ascii_start()).to_ascii_lowercase();
    let opens = [&b"<!doctype html"[..], b"<html", b"<?xml", b"<pre", b"<head", b"<body"];
    if opens.iter().any(|open| start.starts_with(open)) {
        return true;
    }
    let has = |needle: &[u8]| memchr::memmem::find(head, needle).is_some();
    has(b"<pre>") || has(b"<pre ") || has(b"<br>") || has(b"<br/>") || has(b"<br />") || has(b"</div>")
        // A browser's source without its frame: entities where the kernel's brackets belong.
        || has(b"&lt;TASK&gt;") || has(b"&lt;IRQ&gt;") || has(b"&quot;") || has(b"&#39;") || has(b"&#x27;") || has(b"&lt;/TASK&gt;")
}

/// The page as it is being laid out.
struct Page {
    rows: Rows,
    line: Vec<u8>,
    /// The file's line on which the current line began.
    began: u32,
    pre: usize,
}

impl Page {
    fn end_line(&mut self, number: u32) {
        if !self.line.is_empty() || self.pre > 0 {
            self.rows.push(self.line.trim_ascii_end(), self.began);
        }
        self.line.clear();
        self.began = number;
    }

    fn put(&mut self, bytes: &[u8], number: u32) {
        if self.line.is_empty() {
            self.began = number;
        }
        self.line.extend_from_slice(bytes);
    }

    fn character(&mut self, c: char, number: u32) {
        if c == '\n' {
            return self.end_line(number);
        }
        let mut buffer = [0; 4];
        self.put(c.encode_utf8(&mut buffer).as_bytes(), number);
    }
}

pub(super) fn read(bytes: &[u8], _: &mut Budget) -> Option<Vec<Layer>> {
    // Whether the text is laid out by `<br>` and elements, or stands in lines as it is: a page
    // has at least one element; a fragment with entities only keeps its lines.
    let flows = memchr::memchr_iter(b'<', bytes).any(|at| bytes.get(at..).and_then(tag).is_some());
    let mut page = Page { rows: Rows::default(), line: Vec::new(), began: 1, pre: usize::from(!flows) };
    let mut number = 1u32;
    let mut rest = bytes;
    let mut marks = 0usize;
    while let Some((byte, tail)) = rest.split_first() {
        match byte {
            b'<' => {
                if let Some(tag) = tag(rest) {
                    marks = marks.saturating_add(1);
                    let mut length = tag.length.min(rest.len());
                    if HIDDEN.contains(&tag.name.as_str()) && !tag.closing {
                        length = hidden(rest, &tag.name);
                    }
                    if BLOCKS.contains(&tag.name.as_str()) {
                        element(&mut page, &tag, number);
                    } else if tag.name == "td" || tag.name == "th" {
                        page.put(b" ", number);
                    }
                    let (own, tail) = rest.split_at_checked(length).unwrap_or((rest, &[]));
                    let breaks = memchr::memchr_iter(b'\n', own).count();
                    number = number.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
                    rest = tail;
                    continue;
                }
                page.put(b"<", number);
            }
            b'&' => {
                if let Some((c, length)) = entity(rest) {
                    marks = marks.saturating_add(1);
                    page.character(c, number);
                    rest = rest.get(length..).unwrap_or_default();
                    continue;
                }
                page.put(b"&", number);
            }
            b'\n' => {
                number = number.saturating_add(1);
                if page.pre > 0 {
                    page.end_line(number);
                } else if !page.line.is_empty() {
                    page.put(b" ", number);
                }
            }
            b'\r' => {}
            // Indentation of the markup.
            b' ' | b'\t' if page.pre == 0 && page.line.is_empty() => {}
            other => page.put(&[*other], number),
        }
        rest = tail;
    }
    if !page.line.is_empty() {
        page.end_line(number);
    }
    if marks == 0 {
        return None;
    }
    let (text, numbers) = page.rows.done();
    Some(vec![Layer { text, numbers, remarks: vec![prose!(say::WEB_PAGE)], part: String::new() }])
}

/// A block's tag: lines end at it.
fn element(page: &mut Page, tag: &Tag, number: u32) {
    let preformatted = tag.name == "pre" || tag.name == "textarea";
    let inside = page.pre > 0;
    if tag.name == "br" || !inside {
        // An empty line in running text says nothing.
        page.end_line(number);
    } else if !page.line.is_empty() {
        page.end_line(number);
    }
    if preformatted {
        page.pre = if tag.closing { page.pre.saturating_sub(1) } else { page.pre.saturating_add(1) };
    }
}

/// The length of a hidden element, to the end of its closing tag.
fn hidden(text: &[u8], name: &str) -> usize {
    let closes = |at: &usize| {
        let own = text.get(at.saturating_add(2)..).unwrap_or_default();
        own.get(..name.len()).is_some_and(|own| own.eq_ignore_ascii_case(name.as_bytes()))
    };
    memchr::memmem::find_iter(text, b"</").find(closes).map_or(text.len(), |at| {
        let tail = text.get(at..).unwrap_or_default();
        at.saturating_add(memchr::memchr(b'>', tail).map_or(tail.len(), |end| end.saturating_add(1)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &[u8]) -> Vec<(u32, String)> {
        assert!(sniff(text));
        let layer = read(text, &mut Budget { bytes: 0 }).unwrap().remove(0);
        let text = String::from_utf8(layer.text).unwrap();
        text.lines().zip(1..).map(|(text, n)| (layer.numbers.line(n), text.to_owned())).collect()
    }

    #[test]
    fn a_page_with_a_log_in_pre() {
        let page = b"<!DOCTYPE html>\n<html><head><title>T</title><script>if (a<b) BUG: x\n</script></head>\n<body class=\"a>b\">\n<pre id=x>Call Trace:\n &lt;TASK&gt;\n <b>f+0x1&#x2f;0x2</b>\n\nend</pre>\n";
        assert_eq!(
            rows(page),
            [
                (2, "T".into()),
                (5, "Call Trace:".into()),
                (6, " <TASK>".into()),
                (7, " f+0x1/0x2".into()),
                (8, "".into()),
                (9, "end".into())
            ]
        );
    }

    #[test]
    fn lines_of_elements_and_breaks() {
        assert_eq!(
            rows(b"<ol>\n  <li><div>a</div></li>\n  <li>b<br>c</li></ol>"),
            [(2, "a".into()), (3, "b".into()), (3, "c".into())]
        );
        assert_eq!(
            rows(b"<TASK>&nbsp;x<br/>\n[<ffff>] <IRQ><br/>"),
            [(1, "<TASK> x".into()), (2, "[<ffff>] <IRQ>".into())]
        );
    }

    #[test]
    fn entities_alone_keep_the_lines() {
        assert_eq!(
            rows(b"x &lt;TASK&gt;\n f+0x1 &amp; y\n"),
            [(1, "x <TASK>".into()), (2, " f+0x1 & y".into())]
        );
    }

    #[test]
    fn kernel_text_is_no_page() {
        for text in
            [&b"Call Trace:\n <TASK>\n <IRQ>\n [<ffff>] f\n"[..], b"a & b; <unknown>", b"<6>[    1.0] x"]
        {
            assert!(!sniff(text));
        }
    }
}
