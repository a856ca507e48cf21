//! The document: what a report says, laid out as headings, tables and lists, before any face
//! has chosen how to draw them.
//!
//! It is built once, by [`crate::document`], and every human-readable face walks it; so no
//! face can say something that another does not. Text enters it only through [`clean`].

/// What a piece of text is, for faces that can show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Prose.
    Plain,
    /// What to look at first.
    Strong,
    /// Code, names and numbers standing alone in a cell.
    Code,
    /// Code inside a sentence, which is marked off even without colour.
    Quoted,
    /// Agreement, proof.
    Good,
    /// Disagreement, the fault.
    Bad,
    /// Labels and remarks.
    Weak,
}

/// A run of text of one tone, free of control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The text, already [`clean`].
    pub text: String,
    /// What it is.
    pub tone: Tone,
}

/// A line of text, or a paragraph before it is wrapped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inline(pub Vec<Span>);

impl Inline {
    /// One run of text.
    #[must_use]
    pub fn of(text: &str, tone: Tone) -> Inline {
        Inline::default().with(text, tone)
    }

    /// This and one run more.
    #[must_use]
    pub fn with(mut self, text: &str, tone: Tone) -> Inline {
        if !text.is_empty() {
            self.0.push(Span { text: clean(text), tone });
        }
        self
    }

    /// This followed by `other`.
    #[must_use]
    pub fn and(mut self, other: Inline) -> Inline {
        self.0.extend(other.0);
        self
    }

    /// A sentence in which `` `code` `` is marked off by backticks, as the catalogue writes it.
    #[must_use]
    pub fn sentence(text: &str) -> Inline {
        let mut inline = Inline::default();
        let parts: Vec<&str> = text.split('`').collect();
        let paired = parts.len() % 2 == 1;
        for (i, part) in parts.iter().enumerate() {
            let last_stray = !paired && i + 1 == parts.len();
            if last_stray {
                inline = inline.with("`", Tone::Plain).with(part, Tone::Plain);
            } else {
                inline = inline.with(part, if i % 2 == 1 { Tone::Quoted } else { Tone::Plain });
            }
        }
        inline
    }

    /// Whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A part of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// What one crash is called.
    Title(Inline),
    /// A section begins.
    Heading(String),
    /// A group within a section.
    Subheading(String),
    /// Sentences.
    Paragraph(Inline),
    /// Labels and what they stand for.
    Facts(Vec<(String, Inline)>),
    /// Rows and columns.
    Table(Table),
    /// Items one below the other.
    List {
        /// Numbered, where the order matters.
        ordered: bool,
        /// The items.
        items: Vec<Item>,
    },
    /// Code with its source and explanations.
    Listing(Vec<CodeLine>),
    /// Something to copy and run: never wrapped.
    Command(String),
}

/// Rows and columns; short rows are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Column titles; empty where the columns speak for themselves.
    pub header: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Inline>>,
}

/// An item of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its text.
    pub text: Inline,
    /// What belongs to it.
    pub below: Vec<Block>,
}

/// A line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeLine {
    /// A source line begins.
    Source {
        /// `file:line function`.
        place: String,
        /// The line itself, where it is at hand.
        text: Option<String>,
    },
    /// An instruction.
    Instruction {
        /// The one that faulted.
        fault: bool,
        /// `symbol+0x40`.
        offset: String,
        /// Its bytes.
        bytes: String,
        /// Disassembly.
        text: String,
        /// In plain words.
        explanation: Inline,
    },
    /// Instructions left out.
    Gap(String),
}

/// The longest run of text that is shown; the rest is counted. A hostile log can name a
/// symbol a megabyte long, and the JSON keeps it whole.
const LONGEST: usize = 4000;

/// `text` without anything that a terminal or a browser would act on: control characters and
/// the invisible ones that reorder or hide text become visible escapes, line breaks and tabs
/// become blanks.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, c) in text.chars().enumerate() {
        if i == LONGEST {
            let rest = text.chars().count().saturating_sub(LONGEST);
            out.push_str(&format!("…(+{rest})"));
            break;
        }
        match c {
            '\n' | '\t' => out.push(' '),
            c if c.is_control() && (c as u32) < 0x100 => out.push_str(&format!("\\x{:02x}", c as u32)),
            '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}' => {
                out.push_str(&format!("\\u{{{:x}}}", c as u32));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_terminal_acts_on_survives() {
        assert_eq!(clean("a\x1b[31mb\u{9b}2Jc\u{202e}d\r\ne"), "a\\x1b[31mb\\x9b2Jc\\u{202e}d\\x0d e");
        assert!(clean(&"x".repeat(10_000)).ends_with("…(+6000)"));
    }

    #[test]
    fn a_sentence_marks_its_code_and_keeps_a_stray_backtick() {
        let tones: Vec<_> =
            Inline::sentence("load `a->b` now").0.into_iter().map(|s| (s.text, s.tone)).collect();
        assert_eq!(
            tones,
            [("load ".into(), Tone::Plain), ("a->b".into(), Tone::Quoted), (" now".into(), Tone::Plain)]
        );
        let stray: String = Inline::sentence("it`s").0.into_iter().map(|s| s.text).collect();
        assert_eq!(stray, "it`s");
    }
}
