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

/// Debug information that was split off is listed as the whole file is, once.
#[test]
fn the_halves_of_a_split_module_are_one_listing() {
    let data = common::root().join("crates/image/tests/data");
    let path = |name: &str| data.join(name).to_string_lossy().into_owned();
    let listed = |images: &[&str]| {
        let mut arguments =
            vec!["disasm".to_owned(), "lookup".to_owned(), "-f".to_owned(), "json".to_owned()];
        for image in images {
            arguments.extend(["-i".to_owned(), path(image)]);
        }
        arguments.extend(["-s".to_owned(), path("")]);
        let run = common::kwhy(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stdout
    };
    let whole = listed(&["shapes-arm64-dwarf4.o"]).replace("shapes-arm64-dwarf4.o", "split-arm64.debug");
    assert!(whole.contains("shapes.c"), "{whole}");
    assert_eq!(listed(&["split-arm64.debug", "split-arm64.ko"]), whole);
    assert_eq!(listed(&["split-arm64.ko", "split-arm64.debug"]), whole);
}
