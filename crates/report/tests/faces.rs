//! Every face of a report that has something in every field.

mod sample;

use kwhy_base::Lang;
use kwhy_report::wrap::width;
use kwhy_report::{Format, Options, Report, render, schema};

fn plain(format: Format, lang: Lang) -> String {
    render(&sample::report(), format, lang, &Options { width: 100, color: false })
}

#[test]
fn text() {
    insta::assert_snapshot!("text_en", plain(Format::Text, Lang::En));
    insta::assert_snapshot!("text_zh", plain(Format::Text, Lang::Zh));
}

#[test]
fn markdown() {
    insta::assert_snapshot!("markdown_en", plain(Format::Markdown, Lang::En));
    insta::assert_snapshot!("markdown_zh", plain(Format::Markdown, Lang::Zh));
}

#[test]
fn html() {
    insta::assert_snapshot!("html_en", plain(Format::Html, Lang::En));
    insta::assert_snapshot!("html_zh", plain(Format::Html, Lang::Zh));
}

#[test]
fn json_is_the_contracts_and_the_same_in_every_language() {
    let json = plain(Format::Json, Lang::En);
    insta::assert_snapshot!("json", json);
    assert_eq!(json, plain(Format::Json, Lang::Zh));
}

#[test]
fn colour_adds_escapes_and_nothing_else() {
    let options = Options { width: 100, color: true };
    let coloured = render(&sample::report(), Format::Text, Lang::En, &options);
    assert!(coloured.contains("\x1b[1m"));
    let mut bare = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once("\x1b[") {
        bare.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    bare.push_str(rest);
    let trimmed: String = bare.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    assert_eq!(trimmed, plain(Format::Text, Lang::En));
}

#[test]
fn no_face_lets_a_name_through_that_acts() {
    for lang in [Lang::En, Lang::Zh] {
        for format in [Format::Text, Format::Markdown, Format::Html, Format::Json] {
            let shown = plain(format, lang);
            assert!(!shown.contains('\x1b') && !shown.contains('\x07'), "{format:?}: control characters");
            assert!(
                format == Format::Json || !shown.contains('\u{202e}'),
                "{format:?}: reordering characters"
            );
        }
        assert!(!plain(Format::Html, lang).contains("<b>evil"));
        assert!(!plain(Format::Markdown, lang).contains(" <b>evil"));
    }
}

#[test]
fn prose_keeps_to_the_width() {
    for lang in [Lang::En, Lang::Zh] {
        let shown = render(&sample::report(), Format::Text, lang, &Options { width: 80, color: false });
        let verdict = shown.lines().skip(1).take(6);
        for line in verdict {
            assert!(width(line) <= 80, "{line}");
        }
    }
}

#[test]
fn everything_that_the_text_says_is_in_the_json() {
    // Every word of the sample's own is quoted from a field; labels are the face's.
    let json: serde_json::Value = serde_json::from_str(&plain(Format::Json, Lang::En)).unwrap();
    let mut strings = Vec::new();
    collect(&json, &mut strings);
    let text = plain(Format::Text, Lang::En).split_whitespace().collect::<Vec<_>>().join(" ");
    // Shown in words, by rule left out, or shown through another field.
    let excused = |s: &str| {
        s.starts_with("kwhy-report/")
            || ["page-fault", "read", "agrees"].contains(&s)
            || s.contains(['\x1b', '\t'])
            || s.contains("ext4")
    };
    let missing: Vec<_> = strings
        .iter()
        .filter(|s| s.len() > 12 && s.contains(' ') && !excused(s))
        .filter(|s| !text.contains(s.split_whitespace().collect::<Vec<_>>().join(" ").as_str()))
        .collect();
    // A table's wrapped cell is broken by its neighbours only where it is longer than a line.
    assert!(missing.iter().all(|s| s.len() > 30), "{missing:#?}");
    assert!(missing.len() <= 4, "{missing:#?}");
}

fn collect(value: &serde_json::Value, strings: &mut Vec<String>) {
    match value {
        serde_json::Value::String(s) => strings.push(s.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, strings)),
        serde_json::Value::Object(fields) => fields.values().for_each(|item| collect(item, strings)),
        _ => {}
    }
}

#[test]
fn an_empty_report_says_so() {
    let empty = Report { schema: "kwhy-report/1", crashes: vec![], notes: vec![] };
    let options = Options::default();
    assert_eq!(render(&empty, Format::Text, Lang::En, &options), "  No crash was found in the input.\n");
    assert!(render(&empty, Format::Html, Lang::Zh, &options).contains("没有发现崩溃"));
}

#[test]
fn the_committed_schema_is_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/report.schema.json");
    if std::env::var_os("KWHY_UPDATE_DOCS").is_some() {
        std::fs::write(path, schema()).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == schema(), "docs/report.schema.json is stale: run with KWHY_UPDATE_DOCS=1");
}
