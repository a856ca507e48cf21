//! What must be true of every report: tried on the project's logs, on the recorded crashes of
//! real kernels, and on small images that belong to a log.

#![allow(clippy::unwrap_used)]

use kwhy_base::{Lang, Prose};
use kwhy_diagnose::{ImageInput, Inputs, analyze};
use kwhy_report::model::Report;
use kwhy_report::{Format, Options, render};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The logs kept in the project, by path.
fn logs() -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = ["examples", "lab/recorded", "crates/oops/tests/shapes", "crates/diagnose/tests/logs"]
        .map(|dir| root().join(dir))
        .to_vec();
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "log") {
                found.push((path.clone(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    assert!(found.len() > 20, "only {} logs", found.len());
    found
}

/// Logs with the image that they speak of.
fn pairs() -> Vec<(PathBuf, Vec<u8>, Vec<u8>)> {
    let (seeds, objects) = (root().join("fuzz/seeds"), root().join("crates/image/tests/data"));
    [
        ("module-arm64.log", objects.join("shapes-arm64-dwarf4.o")),
        ("module-x86_64.log", objects.join("shapes-x86_64-dwarf5.o")),
        ("kernel-arm64.log", seeds.join("kernel-arm64")),
        ("kernel-x86_64.log", seeds.join("kernel-x86_64")),
    ]
    .map(|(log, image)| {
        let path = seeds.join(log);
        (path.clone(), fs::read(path).unwrap(), fs::read(image).unwrap())
    })
    .to_vec()
}

fn with_image(log: &[u8], image: &[u8]) -> Report {
    let images = vec![ImageInput { name: "shapes.ko".into(), data: image }];
    analyze(&Inputs { log, images, sources: None })
}

/// Every report there is to try, with the log that it is of.
fn each(mut judge: impl FnMut(&Path, &Report)) {
    for (path, log) in logs() {
        judge(&path, &analyze(&Inputs { log: &log, images: Vec::new(), sources: None }));
    }
    for (path, log, image) in pairs() {
        judge(&path, &with_image(&log, &image));
    }
}

fn said(prose: &Prose) -> bool {
    [Lang::En, Lang::Zh].iter().all(|lang| !prose.render(*lang).trim().is_empty())
}

#[test]
fn no_finding_is_without_evidence() {
    let mut findings = 0;
    each(|path, report| {
        for crash in &report.crashes {
            assert!(said(&crash.verdict.0), "{}: no verdict", path.display());
            assert_eq!(crash.cause == "undetermined", crash.hypotheses.is_empty(), "{}", path.display());
            for found in &crash.hypotheses {
                findings += 1;
                assert!(!found.for_.is_empty(), "{}: {} has no evidence", path.display(), found.cause);
                assert!(found.for_.iter().chain(&found.against).all(|evidence| said(&evidence.0)));
            }
            for damage in &crash.damage {
                assert!(said(&damage.reason.0), "{}: {} for no reason", path.display(), damage.field);
            }
        }
    });
    assert!(findings > 20, "{findings}");
}

#[test]
fn a_general_protection_fault_alone_is_its_own_evidence() {
    let log = b"general protection fault: 0000 [#1] SMP\nRIP: 0010:f+0x1/0x20\nRSP: 0018:0 EFLAGS: 0\n";
    let report = analyze(&Inputs { log, images: Vec::new(), sources: None });
    let found = &report.crashes[0].hypotheses;
    assert!(!found.is_empty() && found.iter().all(|found| !found.for_.is_empty()), "{found:#?}");
}

#[test]
fn every_expression_has_checks() {
    let mut expressions = 0;
    for (path, log, image) in pairs() {
        let report = with_image(&log, &image);
        for expression in report.crashes.iter().filter_map(|crash| crash.expression.as_ref()) {
            expressions += 1;
            assert!(!expression.checks.is_empty(), "{}: unchecked", path.display());
            assert!(expression.checks.iter().all(|check| said(&check.detail.0)));
        }
    }
    assert_eq!(expressions, 4, "each of the small images has one");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let faces = |report: &Report| -> Vec<String> {
        let options = Options { width: 90, color: true };
        let formats = [Format::Text, Format::Markdown, Format::Html, Format::Json];
        let both = [Lang::En, Lang::Zh];
        formats
            .iter()
            .flat_map(|format| both.iter().map(|lang| render(report, *format, *lang, &options)))
            .collect()
    };
    for (path, log, image) in pairs() {
        let (once, again) = (faces(&with_image(&log, &image)), faces(&with_image(&log, &image)));
        assert!(once == again, "{}", path.display());
    }
}

#[test]
fn addresses_are_strings_in_json() {
    each(|path, report| {
        let json = render(report, Format::Json, Lang::En, &Options::default());
        let json: Value = serde_json::from_str(&json).unwrap();
        small_numbers(&json, &path.display().to_string());
    });
}

/// What is a number in JSON counts something: lines, bytes, processes. None of them is an
/// address, which other languages' numbers would not hold.
fn small_numbers(value: &Value, place: &str) {
    match value {
        Value::Number(number) => {
            let most = 1u64 << 32;
            let fits = number.as_i64().is_some_and(|number| number.unsigned_abs() <= most);
            assert!(fits, "{place}: {number} should be hexadecimal text");
        }
        Value::Array(items) => items.iter().for_each(|item| small_numbers(item, place)),
        Value::Object(fields) => {
            for (name, field) in fields {
                // A detail's value may be a count; addresses among them are text.
                let counts = place.ends_with(": facts");
                let addressed = ["address", "value", "kernel_offset", "entry_point"].contains(&name.as_str());
                let addressed = addressed && !counts;
                assert!(!(addressed && field.is_number()), "{place}: {name} is a number");
                small_numbers(field, &format!("{place}: {name}"));
            }
        }
        _ => {}
    }
}
