//! The report: what kwhy found, as one plain value that every face renders.
//!
//! The field names are a contract with other programs; they may be added to, never renamed.
//! [`render`] turns the value into text for people (through one [`doc`]ument, walked by each
//! face) or into JSON; [`schema`] is generated from the same types.

pub mod details;
pub mod doc;
pub mod document;
mod html;
mod json;
mod layout;
mod markdown;
pub mod model;
mod text;
pub mod wrap;

pub use details::{Detail, DetailFact, DetailValue};
pub use json::schema;
pub use model::*;

use kwhy_base::Lang;

/// The faces a report can be shown in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// For an issue or a mail.
    Markdown,
    /// One self-contained page.
    Html,
    /// For programs; its prose is English.
    Json,
}

/// How the terminal face is drawn; the others ignore it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Columns to wrap prose to.
    pub width: usize,
    /// Whether to emit ANSI colours.
    pub color: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { width: 100, color: false }
    }
}

/// Shows `report` in `format`; always ends with a line break.
#[must_use]
pub fn render(report: &Report, format: Format, lang: Lang, options: &Options) -> String {
    match format {
        Format::Json => json::render(report),
        Format::Text => text::render(&document::document(report, lang), options),
        Format::Markdown => markdown::render(&document::document(report, lang)),
        Format::Html => html::render(&document::document(report, lang), lang),
    }
}

/// Shows a document that is no report (a decoded value, a type's layout) in a human face.
/// `None` for JSON, which has no documents.
#[must_use]
pub fn render_document(
    blocks: &[doc::Block],
    format: Format,
    lang: Lang,
    options: &Options,
) -> Option<String> {
    match format {
        Format::Json => None,
        Format::Text => Some(text::render(blocks, options)),
        Format::Markdown => Some(markdown::render(blocks)),
        Format::Html => Some(html::render(blocks, lang)),
    }
}
