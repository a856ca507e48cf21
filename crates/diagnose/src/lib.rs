//! Turns a log and whatever images there are into a report.
//!
//! Pure: the caller maps files and finds sources; the same inputs give the same report.

use kwhy_report::Report;

/// An image file's bytes and the name to report it by.
pub struct ImageInput<'a> {
    /// Path or package member.
    pub name: String,
    /// The whole file.
    pub data: &'a [u8],
}

/// Gives source text; the caller does the I/O.
pub trait Sources {
    /// The text of `line` (1-based) of `file`, compiled in `comp_dir`.
    fn line(&self, file: &str, comp_dir: Option<&str>, line: u32) -> Option<String>;
}

/// Everything the analysis may look at.
pub struct Inputs<'a> {
    /// The console log.
    pub log: &'a [u8],
    /// The images, in the order given.
    pub images: Vec<ImageInput<'a>>,
    /// Where source lines come from.
    pub sources: Option<&'a dyn Sources>,
}

/// Analyses every crash of the log.
#[must_use]
pub fn analyze(inputs: &Inputs<'_>) -> Report {
    let _ = inputs;
    Report { schema: "kwhy-report/1", crashes: Vec::new(), notes: Vec::new() }
}
