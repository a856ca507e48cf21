//! From a [`Report`] to the document every human face draws: the one walk over its fields.
//!
//! Order is part of the manners: the verdict first, then the evidence, then what was missing
//! and the command that would supply it. A section with nothing to say is left out; what is
//! unknown and worth knowing is said to be unknown.

mod code;
mod context;
mod details;
mod fault;
mod reasons;
pub mod words;

use crate::doc::{Block, Inline, Table, Tone, clean};
use crate::model::{Crash, Hex, Note, Report, Text};
use kwhy_base::catalogue::faces as f;
use kwhy_base::{Lang, Message, Prose, prose};

/// The whole report.
#[must_use]
pub fn document(report: &Report, lang: Lang) -> Vec<Block> {
    let mut page = Page { lang, blocks: Vec::new() };
    let count = report.crashes.len();
    for (i, crash) in report.crashes.iter().enumerate() {
        let title = if count > 1 {
            let number = prose!(f::CRASH_OF, number = i.saturating_add(1), count = count);
            Inline::of(&number.render(lang), Tone::Plain)
        } else {
            Inline::default()
        };
        page.push(Block::Title(title.with(&crash.title, Tone::Strong)));
        page.crash(crash);
    }
    if count == 0 {
        page.push(Block::Paragraph(Inline::of(words::say(lang, &f::NO_CRASH), Tone::Strong)));
    }
    page.notes(&f::INPUT_NOTES, &report.notes);
    page.blocks
}

/// A document being written.
struct Page {
    lang: Lang,
    blocks: Vec<Block>,
}

impl Page {
    fn crash(&mut self, crash: &Crash) {
        self.verdict(crash);
        self.story(crash);
        self.fault(crash);
        self.location(crash);
        self.expression(crash);
        self.bad_value(crash);
        self.listing(crash);
        self.details(crash);
        self.trace(crash);
        self.registers(crash);
        self.hypotheses(crash);
        self.origin(crash);
        self.blame(crash);
        self.system(crash);
        self.modules(crash);
        self.damage(crash);
        self.images(crash);
        self.missing(crash);
        self.notes(&f::NOTES, &crash.notes);
    }

    fn push(&mut self, block: Block) {
        self.blocks.push(block);
    }

    fn heading(&mut self, message: &Message) {
        let text = words::say(self.lang, message).to_owned();
        self.push(Block::Heading(text));
    }

    fn subheading(&mut self, message: &Message) {
        let text = words::say(self.lang, message).to_owned();
        self.push(Block::Subheading(text));
    }

    /// A label of the catalogue.
    fn label(&self, message: &Message) -> String {
        words::say(self.lang, message).to_owned()
    }

    /// A fact whose value is words.
    fn fact(&self, label: &Message, value: Inline) -> (String, Inline) {
        (self.label(label), value)
    }

    /// Prose of the report as a sentence with its code marked.
    fn prose(&self, text: &Text) -> Inline {
        Inline::sentence(&text.0.render(self.lang))
    }

    /// Prose made here.
    fn own(&self, prose: &Prose) -> Inline {
        Inline::sentence(&prose.render(self.lang))
    }

    /// ` (text)`, in the language's parentheses; nothing when there is no text.
    fn parenthesised(&self, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        prose!(f::IN_PARENTHESES, text = text).render(self.lang)
    }

    fn notes(&mut self, heading: &Message, notes: &[Note]) {
        if notes.is_empty() {
            return;
        }
        self.heading(heading);
        let items = notes.iter().map(|note| {
            let line = note.line.map(|line| {
                prose!(f::LINE_OF_LOG, line = line).render(self.lang) + words::say(self.lang, &f::COLON)
            });
            let text = Inline::default().with(line.as_deref().unwrap_or_default(), Tone::Weak);
            crate::doc::Item { text: text.and(self.prose(&note.text)), below: Vec::new() }
        });
        let items = items.collect();
        self.push(Block::List { ordered: false, items });
    }
}

/// Code in a cell of its own.
fn code(text: &str) -> Inline {
    Inline::of(text, Tone::Code)
}

/// A number of the machine.
fn hex(value: Hex) -> String {
    format!("{:#x}", value.0)
}

/// Something to copy; control characters never reach a terminal from it.
fn command(text: &str) -> Block {
    Block::Command(clean(text))
}

/// `file:line`, or what there is of it.
fn place(file: Option<&str>, line: Option<u32>) -> String {
    match (file, line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => file.to_owned(),
        (None, Some(line)) => format!("?:{line}"),
        (None, None) => String::new(),
    }
}

/// A table with column titles.
fn table(header: Vec<String>, rows: Vec<Vec<Inline>>) -> Block {
    Block::Table(Table { header, rows })
}
