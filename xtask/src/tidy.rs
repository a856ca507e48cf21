//! `cargo xtask tidy`: the house rules that no compiler knows.

use crate::tool;
use anyhow::{Result, bail};
use std::fs;
use std::process::Command;

/// A file holds one concept; past this it holds two.
const LONGEST: usize = 700;

/// Options.
#[derive(clap::Args)]
pub struct Args {}

/// Runs the task.
pub fn run(_args: &Args) -> Result<()> {
    let found = check()?;
    if !found.is_empty() {
        bail!("not tidy:\n  {}", found.join("\n  "));
    }
    println!("tidy");
    Ok(())
}

/// What is untidy, a line each.
pub fn check() -> Result<Vec<String>> {
    let root = tool::root();
    let files = tool::text(Command::new("git").args(["ls-files", "-z"]).current_dir(&root))?;
    let mut found = Vec::new();
    for name in files.split('\0').filter(|name| name.ends_with(".rs")) {
        // A file that was removed but not yet committed is still listed.
        let Ok(text) = fs::read_to_string(root.join(name)) else { continue };
        found.extend(file(name, &text));
    }
    Ok(found)
}

/// What is untidy in one Rust file.
fn file(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let count = text.lines().count();
    if count > LONGEST {
        found.push(format!("{name}: {count} lines; {LONGEST} are the most: split it by concept"));
    }
    // Reading and drawing belong to the edge: the rest is given bytes and gives values.
    let pure = ["base", "arch", "oops", "image", "flow", "diagnose", "report"]
        .iter()
        .any(|part| name.starts_with(&format!("crates/{part}/src/")));
    if pure {
        let code = text.split("#[cfg(test)]").next().unwrap_or(text);
        for (line, text) in (1..).zip(code.lines()) {
            let text = text.split("//").next().unwrap_or(text);
            for word in ["std::fs", "std::env", "std::process", "std::net", "println!(", "SystemTime"] {
                if text.contains(word) {
                    found.push(format!(
                        "{name}:{line}: {word} in a crate that does no I/O and is deterministic"
                    ));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn io_is_found_in_pure_crates_only() {
        let text = "use std::fs;\n// std::env in a comment is talk\n";
        assert_eq!(file("crates/oops/src/lib.rs", text).len(), 1);
        assert!(file("crates/cli/src/main.rs", text).is_empty());
        assert!(file("crates/oops/src/lib.rs", "#[cfg(test)]\nuse std::fs;").is_empty());
        assert_eq!(file("crates/oops/src/lib.rs", &"\n".repeat(LONGEST + 1)).len(), 1);
    }
}
