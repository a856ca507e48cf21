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
