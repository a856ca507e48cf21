//! Every command that a report offers can be typed as it stands.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::process::Command;

/// Each `"command"` of the example's report, as JSON has it.
fn commands() -> Vec<String> {
    let run = common::kwhy(&["--offline", "-f", "json", &common::example()]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let mut found = Vec::new();
    collect(&report, &mut found);
    found
}

fn collect(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    serde_json::Value::String(command) if name == "command" => found.push(command.clone()),
                    other => collect(other, found),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn the_shell_can_read_every_command() {
    let commands = commands();
    assert!(!commands.is_empty());
    for command in commands {
        let Ok(output) = Command::new("sh").args(["-n", "-c", &command]).output() else {
            eprintln!("skipped: there is no sh");
            return;
        };
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// What a command says of files of the image tests' data.
fn asked(command: &[&str], images: &[&str]) -> String {
    let data = common::root().join("crates/image/tests/data");
    let path = |name: &str| data.join(name).to_string_lossy().into_owned();
    let mut arguments: Vec<String> = command.iter().map(|part| (*part).to_owned()).collect();
    for image in images {
        arguments.extend(["-i".to_owned(), path(image)]);
    }
    if command.first() == Some(&"disasm") {
        arguments.extend(["-s".to_owned(), path("")]);
    }
    let run = common::kwhy(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run.stdout
}

/// A way needs the calls, which are in one half, and the lines, which are in the other.
#[test]
fn a_way_is_found_in_the_halves_of_a_split_module() {
    let way = |images: &[&str]| asked(&["path", "begin", "walk"], images);
    let whole = way(&["shapes-arm64-dwarf4.o"]);
    assert!(whole.contains("walk shapes.c:48"), "{whole}");
    assert_eq!(way(&["split-arm64.debug", "split-arm64.ko"]), whole);
    assert_eq!(way(&["split-arm64.ko", "split-arm64.debug"]), whole);
}

/// Debug information that was split off is listed as the whole file is, once.
#[test]
fn the_halves_of_a_split_module_are_one_listing() {
    let listed = |images: &[&str]| asked(&["disasm", "lookup", "-f", "json"], images);
    let whole = listed(&["shapes-arm64-dwarf4.o"]).replace("shapes-arm64-dwarf4.o", "split-arm64.debug");
    assert!(whole.contains("shapes.c"), "{whole}");
    assert_eq!(listed(&["split-arm64.debug", "split-arm64.ko"]), whole);
    assert_eq!(listed(&["split-arm64.ko", "split-arm64.debug"]), whole);
}
