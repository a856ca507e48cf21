//! The report that the README shows is the report that the command prints.

#![allow(missing_docs)]

mod common;

use common::{example, kwhy, root};

/// The sections that are shown; the whole is too long for a first look.
const SHOWN: [&str; 4] =
    ["Verdict", "What happened", "Possible causes, best first", "Where the log contradicts itself"];

/// The title and the sections of `report` that are to be shown, with a mark for what is not.
fn excerpt(report: &str) -> String {
    let mut out = String::new();
    let mut left_out = false;
    for (i, section) in report.split("\n\n").enumerate() {
        let heading = section.lines().next().unwrap_or_default();
        // A part of a section begins indented, and belongs to what is above it.
        let shown = if heading.starts_with(' ') { !left_out } else { i == 0 || SHOWN.contains(&heading) };
        if shown {
            if !out.is_empty() {
                out.push_str("\n\n");
            }
            out.push_str(section.trim_end());
        } else if !left_out {
            out.push_str("\n\n[…]");
        }
        left_out = !shown;
    }
    out.push('\n');
    out
}

#[test]
fn the_readme_shows_what_is_printed() {
    let run = kwhy(&[&example()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once("<!-- report -->\n```\n").unwrap();
    let (_, after) = rest.split_once("```\n<!-- end of report -->").unwrap();
    let fresh =
        format!("{before}<!-- report -->\n```\n{}```\n<!-- end of report -->{after}", excerpt(&run.stdout));
    if std::env::var_os("KWHY_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &fresh).unwrap();
        return;
    }
    assert!(fresh == readme, "README.md shows another report: run with KWHY_UPDATE_DOCS=1");
}
