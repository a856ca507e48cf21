//! The face for issues and mails: CommonMark with GitHub's tables.

use crate::doc::{Block, Inline, Item, Table, Tone};
use crate::layout;

/// The document as Markdown.
pub(crate) fn render(blocks: &[Block]) -> String {
    let mut out = String::new();
    write(&mut out, blocks, 0);
    // A block that begins with a blank line may follow one that ends with it.
    while out.contains("\n\n\n") {
        out = out.replace("\n\n\n", "\n\n");
    }
    out
}

fn write(out: &mut String, blocks: &[Block], indent: usize) {
    for block in blocks {
        if !out.is_empty() && indent == 0 {
            out.push('\n');
        }
        match block {
            Block::Title(title) => line(
                out,
                indent,
                &format!("# {}", title.0.iter().map(|s| escape(&s.text, false)).collect::<String>()),
            ),
            Block::Heading(text) => line(out, indent, &format!("## {}", escape(text, false))),
            Block::Subheading(text) if indent == 0 => {
                line(out, indent, &format!("### {}", escape(text, false)))
            }
            Block::Subheading(text) => {
                out.push('\n');
                line(out, indent, &format!("**{}**", escape(text, false)));
                out.push('\n');
            }
            Block::Paragraph(text) => {
                if indent > 0 {
                    out.push('\n');
                }
                line(out, indent, &inline(text, false));
            }
            Block::Facts(facts) => {
                if indent > 0 {
                    out.push('\n');
                }
                for (key, value) in facts {
                    line(out, indent, &format!("- **{}:** {}", escape(key, false), inline(value, false)));
                }
            }
            Block::Table(rows) => {
                if indent > 0 {
                    out.push('\n');
                }
                table(out, rows, indent);
            }
            Block::List { ordered, items } => list(out, *ordered, items, indent),
            Block::Listing(lines) => {
                let text: Vec<String> = layout::listing(lines, None)
                    .iter()
                    .map(|l| l.0.iter().map(|span| span.text.as_str()).collect::<String>())
                    .collect();
                fenced(out, &text, indent);
            }
            Block::Command(command) => fenced(out, std::slice::from_ref(command), indent),
        }
    }
}

fn line(out: &mut String, indent: usize, text: &str) {
    if !text.is_empty() {
        out.push_str(&" ".repeat(indent));
        out.push_str(text);
    }
    out.push('\n');
}

fn list(out: &mut String, ordered: bool, items: &[Item], indent: usize) {
    for (i, item) in items.iter().enumerate() {
        let mark = if ordered { format!("{}. ", i + 1) } else { "- ".to_owned() };
        line(out, indent, &format!("{mark}{}", inline(&item.text, false)));
        write(out, &item.below, indent + mark.len());
    }
}

fn table(out: &mut String, table: &Table, indent: usize) {
    let count = table.rows.iter().map(Vec::len).chain([table.header.len()]).max().unwrap_or(0);
    let row = |cells: Vec<String>| {
        let padded = cells.into_iter().chain(std::iter::repeat(String::new())).take(count);
        format!("| {} |", padded.collect::<Vec<_>>().join(" | "))
    };
    line(out, indent, &row(table.header.iter().map(|h| escape(h, true)).collect()));
    line(out, indent, &row(vec!["---".to_owned(); count]));
    for cells in &table.rows {
        line(out, indent, &row(cells.iter().map(|cell| inline(cell, true)).collect()));
    }
}

/// A fenced block whose fence is longer than any run of backticks inside.
fn fenced(out: &mut String, lines: &[String], indent: usize) {
    let fence = "`".repeat(lines.iter().map(|l| longest_run(l)).max().unwrap_or(0).max(2) + 1);
    if indent > 0 {
        out.push('\n');
    }
    line(out, indent, &fence);
    for text in lines {
        line(out, indent, text);
    }
    line(out, indent, &fence);
}

fn longest_run(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

fn inline(inline: &Inline, cell: bool) -> String {
    inline
        .0
        .iter()
        .map(|span| match span.tone {
            _ if span.text.trim().is_empty() => span.text.clone(),
            Tone::Plain | Tone::Weak | Tone::Good => escape(&span.text, cell),
            Tone::Strong | Tone::Bad => emphasised(&span.text, cell),
            Tone::Code | Tone::Quoted => code(&span.text, cell),
        })
        .collect()
}

fn emphasised(text: &str, cell: bool) -> String {
    let inner = text.trim();
    let start = text.len() - text.trim_start().len();
    let end = text.trim_end().len();
    format!(
        "{}**{}**{}",
        text.get(..start).unwrap_or_default(),
        escape(inner, cell),
        text.get(end..).unwrap_or_default()
    )
}

/// A code span whose fence is longer than any run inside. In a table a `|` must be escaped
/// even there.
fn code(text: &str, cell: bool) -> String {
    let fence = "`".repeat(longest_run(text) + 1);
    let blank = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    let text = if cell { text.replace('|', "\\|") } else { text.to_owned() };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// Escapes what Markdown would act on. Underscores within words are left alone, since they
/// mean nothing there and every kernel symbol has them.
fn escape(text: &str, cell: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let characters: Vec<char> = text.chars().collect();
    let word = |i: Option<usize>| i.and_then(|i| characters.get(i)).is_some_and(|c| c.is_alphanumeric());
    for (i, &c) in characters.iter().enumerate() {
        let escaped = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '&' | '~' => true,
            '|' => cell,
            '_' => !(word(i.checked_sub(1)) && word(Some(i + 1))),
            '#' | '+' | '-' | '=' => i == 0,
            _ => false,
        };
        if escaped {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_text() {
        assert_eq!(escape("<b>|*x* __init a_b [l](u)", true), "\\<b\\>\\|\\*x\\* \\_\\_init a_b \\[l\\](u)");
        assert_eq!(code("a`b|c", true), "``a`b\\|c``");
        assert_eq!(code("`", false), "`` ` ``");
    }

    #[test]
    fn a_fence_outgrows_the_backticks_inside() {
        let mut out = String::new();
        fenced(&mut out, &["x ```` y".to_owned()], 0);
        assert_eq!(out, "`````\nx ```` y\n`````\n");
    }
}
