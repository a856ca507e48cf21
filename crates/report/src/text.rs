//! The face for a terminal: wrapped, aligned, coloured only when asked.

use crate::doc::{Block, Inline, Item, Span, Table, Tone};
use crate::wrap::{inline_width, width, wrap};
use crate::{Options, layout};
use anstyle::{AnsiColor, Style};

/// Labels wider than this do not push their neighbours to the right.
const WIDEST_LABEL: usize = 24;
/// A last column narrower than this goes below its row instead.
const NARROWEST_CELL: usize = 30;

/// The document as text.
pub(crate) fn render(blocks: &[Block], options: &Options) -> String {
    let mut page = Page { out: String::new(), color: options.color };
    page.blocks(blocks, 0, options.width.max(40));
    page.out
}

struct Page {
    out: String,
    color: bool,
}

impl Page {
    fn blocks(&mut self, blocks: &[Block], indent: usize, columns: usize) {
        for block in blocks {
            self.block(block, indent, columns);
        }
    }

    fn block(&mut self, block: &Block, indent: usize, columns: usize) {
        let body = if indent == 0 { 2 } else { indent };
        match block {
            Block::Title(title) => {
                self.gap();
                self.paragraph(title, 0, 0, columns);
            }
            Block::Heading(text) => {
                self.gap();
                self.line(0, &Inline::of(text, Tone::Strong));
            }
            Block::Subheading(text) => {
                if indent == 0 {
                    self.gap();
                }
                self.line(body, &Inline::of(text, Tone::Strong));
            }
            Block::Paragraph(text) => self.paragraph(text, body, body, columns),
            Block::Facts(facts) => self.facts(facts, body, columns),
            Block::Table(table) => self.table(table, body, columns),
            Block::List { ordered, items } => self.list(*ordered, items, body, columns),
            Block::Listing(lines) => {
                if indent == 0 {
                    self.gap();
                }
                for line in layout::listing(lines, Some(columns.saturating_sub(body))) {
                    self.line(body, &line);
                }
            }
            // Not marked by a prompt: it may as well be a boot option or an edit.
            Block::Command(command) => self.line(body + 2, &Inline::of(command, Tone::Code)),
        }
    }

    /// A blank line, unless the page is just beginning.
    fn gap(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn list(&mut self, ordered: bool, items: &[Item], indent: usize, columns: usize) {
        let digits = items.len().to_string().len();
        for (i, item) in items.iter().enumerate() {
            let mark = if ordered { format!("{:>digits$}. ", i + 1) } else { "- ".to_owned() };
            let below = indent + width(&mark);
            let text = wrap(&item.text, columns.saturating_sub(below));
            for (n, line) in text.into_iter().enumerate() {
                if n == 0 {
                    self.line(indent, &Inline(vec![Span { text: mark.clone(), tone: Tone::Weak }]).and(line));
                } else {
                    self.line(below, &line);
                }
            }
            self.blocks(&item.below, below, columns);
        }
    }

    fn facts(&mut self, facts: &[(String, Inline)], indent: usize, columns: usize) {
        let label = facts.iter().map(|(key, _)| width(key)).max().unwrap_or(0).min(WIDEST_LABEL);
        for (key, value) in facts {
            let column = indent + label + 2;
            for (i, line) in wrap(value, columns.saturating_sub(column)).into_iter().enumerate() {
                if i == 0 {
                    let key = Span { text: format!("{}  ", layout::pad(key, label)), tone: Tone::Weak };
                    self.line(indent, &Inline(vec![key]).and(line));
                } else {
                    self.line(column, &line);
                }
            }
        }
    }

    fn table(&mut self, table: &Table, indent: usize, columns: usize) {
        let count = table.rows.iter().map(Vec::len).chain([table.header.len()]).max().unwrap_or(0);
        let last = count.saturating_sub(1);
        let widths: Vec<usize> = (0..count)
            .map(|i| {
                let cells = table.rows.iter().filter_map(|row| row.get(i)).map(inline_width);
                cells.chain(table.header.get(i).map(|h| width(h))).max().unwrap_or(0)
            })
            .collect();
        let before_last = indent + widths.iter().take(last).map(|w| w + 2).sum::<usize>();
        let room = columns.saturating_sub(before_last);
        let widest_last = widths.last().copied().unwrap_or(0);
        let stacked = room < NARROWEST_CELL && widest_last > room;
        if !table.header.is_empty() {
            let cells: Vec<Inline> = table
                .header
                .iter()
                .take(if stacked { last } else { count })
                .map(|h| Inline::of(h, Tone::Weak))
                .collect();
            self.row(&cells, &widths, indent);
        }
        for row in &table.rows {
            let (cells, tail) = match row.get(last) {
                Some(tail) => (row.get(..last).unwrap_or_default(), Some(tail)),
                None => (row.as_slice(), None),
            };
            match tail {
                Some(tail) if stacked => {
                    self.row(cells, &widths, indent);
                    if !tail.is_empty() {
                        self.paragraph(tail, indent + 4, indent + 4, columns);
                    }
                }
                Some(tail) => {
                    let mut lines = wrap(tail, room).into_iter();
                    let mut first = cells.to_vec();
                    first.extend(lines.next());
                    self.row(&first, &widths, indent);
                    for line in lines {
                        self.line(before_last, &line);
                    }
                }
                None => self.row(cells, &widths, indent),
            }
        }
    }

    fn row(&mut self, cells: &[Inline], widths: &[usize], indent: usize) {
        let mut line = Inline::default();
        let mut owed = 0;
        for (i, cell) in cells.iter().enumerate() {
            if !cell.is_empty() {
                line.0.push(Span { text: " ".repeat(owed), tone: Tone::Plain });
                owed = 0;
            }
            let taken = inline_width(cell);
            line.0.extend(cell.0.iter().map(|span| match span.tone {
                Tone::Quoted if i + 1 < widths.len() => {
                    Span { text: format!("`{}`", span.text), tone: span.tone }
                }
                _ => span.clone(),
            }));
            owed += widths.get(i).copied().unwrap_or(0).saturating_sub(taken) + 2;
        }
        self.line(indent, &line);
    }

    fn paragraph(&mut self, text: &Inline, first: usize, rest: usize, columns: usize) {
        for (i, line) in wrap(text, columns.saturating_sub(first.max(rest))).iter().enumerate() {
            self.line(if i == 0 { first } else { rest }, line);
        }
    }

    fn line(&mut self, indent: usize, inline: &Inline) {
        let start = self.out.len();
        self.out.push_str(&" ".repeat(indent));
        for span in &inline.0 {
            match style(span.tone).filter(|_| self.color) {
                Some(style) if !span.text.trim().is_empty() => {
                    self.out.push_str(&format!("{}{}{}", style.render(), span.text, style.render_reset()));
                }
                _ => self.out.push_str(&span.text),
            }
        }
        let kept = self.out.trim_end_matches(' ').len();
        self.out.truncate(kept.max(start));
        self.out.push('\n');
    }
}

fn style(tone: Tone) -> Option<Style> {
    match tone {
        Tone::Plain => None,
        Tone::Strong => Some(Style::new().bold()),
        Tone::Code | Tone::Quoted => Some(AnsiColor::Cyan.on_default()),
        Tone::Good => Some(AnsiColor::Green.on_default()),
        Tone::Bad => Some(AnsiColor::Red.on_default().bold()),
        Tone::Weak => Some(Style::new().dimmed()),
    }
}
