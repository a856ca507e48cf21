//! The face for programs.

use crate::model::Report;

/// The report as JSON, indented, with a final line break.
pub(crate) fn render(report: &Report) -> String {
    // Serialising plain structs into memory cannot fail; if it ever did, the reader gets valid
    // JSON that says so.
    let mut text = serde_json::to_string_pretty(report)
        .unwrap_or_else(|error| serde_json::json!({ "error": error.to_string() }).to_string());
    text.push('\n');
    text
}

/// The JSON schema of [`Report`], indented, with a final line break.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Report);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
