//! `cargo xtask tidy`: the house rules that no compiler knows.
//!
//! ARCHITECTURE.md lists the invariants with what guards each; those guarded here are the ones
//! about the text of the sources. A rule is a function that returns what breaks it, a line each.

use crate::tool;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A file holds one concept; past this it holds two, and is named.
const LONG: usize = 700;
/// Past this it is untidy.
const LONGEST: usize = 1000;

/// The crates that are given bytes and return values.
const PURE: [&str; 7] = ["base", "arch", "oops", "image", "flow", "diagnose", "report"];

/// Which of the other crates each crate may depend on: the arrows of ARCHITECTURE.md.
const ARROWS: [(&str, &[&str]); 10] = [
    ("base", &[]),
    ("mmap", &[]),
    ("arch", &["base"]),
    ("report", &["base"]),
    ("oops", &["base", "arch"]),
    ("image", &["base"]),
    ("flow", &["base", "arch", "image"]),
    ("diagnose", &["base", "arch", "oops", "image", "flow", "report"]),
    ("fetch", &["base", "image", "mmap"]),
    ("cli", &["base", "arch", "oops", "image", "flow", "diagnose", "report", "fetch", "mmap"]),
];

/// What a crate that does no I/O and is deterministic has no use for.
const IMPURE: [&str; 10] = [
    "std::fs",
    "std::env",
    "std::process",
    "std::net",
    "println!(",
    "eprintln!(",
    "SystemTime",
    "Instant::now",
    "RandomState",
    "thread::spawn",
];

/// The files that may hold hashed maps: tables that are only ever asked for one key, on paths
/// where their speed shows. Everywhere else the order of a map may end up in a report.
const HASHED: [&str; 3] =
    ["crates/flow/src/interp.rs", "crates/flow/src/value.rs", "crates/image/src/units.rs"];

/// Where a connection may be made: the one HTTP client.
const NETWORK: &str = "crates/fetch/src/download.rs";

/// Options.
#[derive(clap::Args)]
pub struct Args {}

/// Runs the task.
pub fn run(_args: &Args) -> Result<()> {
    let found = check()?;
    if !found.is_empty() {
        bail!("not tidy:\n  {}", found.join("\n  "));
    }
    for (name, count) in long()? {
        println!("{name}: {count} lines; past {LONG}, look for a second concept");
    }
    println!("tidy");
    Ok(())
}

/// The sources that grow too long.
fn long() -> Result<Vec<(String, usize)>> {
    let root = tool::root();
    let files = tool::text(Command::new("git").args(["ls-files", "-z", "*.rs"]).current_dir(&root))?;
    let count = |name: &str| Some(fs::read_to_string(root.join(name)).ok()?.lines().count());
    let counted = files.split('\0').filter_map(|name| Some((name.to_owned(), count(name)?)));
    Ok(counted.filter(|(_, count)| *count > LONG).collect())
}

/// What is untidy, a line each.
pub fn check() -> Result<Vec<String>> {
    let root = tool::root();
    let files = tool::text(Command::new("git").args(["ls-files", "-z"]).current_dir(&root))?;
    let own = own_places(&root);
    let mut found = Vec::new();
    for name in files.split('\0').filter(|name| !name.is_empty()) {
        // A file that was removed but not yet committed is still listed.
        let Ok(bytes) = fs::read(root.join(name)) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        found.extend(names_of_this_machine(name, &text, &own));
        if name.ends_with(".rs") {
            found.extend(file(name, &text));
        }
    }
    for (name, _) in ARROWS {
        let manifest = root.join("crates").join(name).join("Cargo.toml");
        let text = fs::read_to_string(&manifest).with_context(|| format!("no {}", manifest.display()))?;
        found.extend(arrows(name, &text)?);
    }
    for entry in fs::read_dir(root.join("crates"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !ARROWS.iter().any(|(known, _)| *known == name) {
            found.push(format!("crates/{name}: its place among the crates is not said in tidy's ARROWS"));
        }
    }
    found.extend(lints(&fs::read_to_string(root.join("Cargo.toml"))?)?);
    let catalogue = root.join("crates/base/src/catalogue/mod.rs");
    found.extend(catalogue_lists(&fs::read_to_string(catalogue)?));
    Ok(found)
}

/// What is untidy in one Rust file.
fn file(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let count = text.lines().count();
    if count > LONGEST {
        found.push(format!("{name}: {count} lines; {LONGEST} are the most: split it by concept"));
    }
    let part = name.strip_prefix("crates/").and_then(|rest| rest.split_once("/src/")).map(|(part, _)| part);
    let tests = name.ends_with("tests.rs");
    let pure = !tests && part.is_some_and(|part| PURE.contains(&part));
    for (line, code) in code(text) {
        let mut say = |what: String| found.push(format!("{name}:{line}: {what}"));
        if pure {
            // Reading and drawing belong to the edge: the rest is given bytes and gives values.
            for word in IMPURE.iter().filter(|word| code.contains(**word)) {
                say(format!("{word} in a crate that does no I/O and is deterministic"));
            }
            if !HASHED.contains(&name) && ["HashMap", "HashSet"].iter().any(|map| code.contains(map)) {
                say("a hashed map: its order is not the same in every run".to_owned());
            }
            if branches_on_release(code) {
                say("the kernel's version is shown, never branched on".to_owned());
            }
        }
        if part.is_some()
            && !tests
            && name != NETWORK
            && ["ureq::", "std::net"].iter().any(|word| code.contains(word))
        {
            say(format!("only {NETWORK} may use the network"));
        }
        if part.is_some_and(|part| part != "report") && code.contains("derive(") && code.contains("Serialize")
        {
            say("only crates/report says what output looks like".to_owned());
        }
    }
    found
}

/// The lines of a file that are code of the product, with their numbers: no comments, no tests.
/// Files of tests alone are told by their names, see [`file`].
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let product = text.split("#[cfg(test)]").next().unwrap_or(text);
    (1..).zip(product.lines()).map(|(line, text)| (line, text.split("//").next().unwrap_or(text)))
}

/// A release compared by order, or with the beginning of a version.
fn branches_on_release(code: &str) -> bool {
    if code.contains("KERNEL_VERSION") || code.contains("LINUX_VERSION") {
        return true;
    }
    if !code.contains("release") {
        return false;
    }
    let numbered = code.split('"').skip(1).step_by(2).any(|text| {
        let mut chars = text.chars();
        chars.next().is_some_and(|c| c.is_ascii_digit())
            && chars.find(|c| !c.is_ascii_digit()).is_none_or(|c| c == '.')
    });
    let ordered = [" < ", " <= ", " >= "].iter().any(|order| code.contains(order));
    numbered || ordered
}

/// Dependencies of a crate that its place does not allow.
fn arrows(name: &str, manifest: &str) -> Result<Vec<String>> {
    let manifest: toml::Table = manifest.parse()?;
    let allowed = ARROWS.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, allowed)| allowed);
    let mut found = Vec::new();
    let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
    for dependency in dependencies.into_iter().flat_map(toml::Table::keys) {
        if let Some(other) = dependency.strip_prefix("kwhy-")
            && !allowed.contains(&other)
        {
            found.push(format!("crates/{name} may not depend on {other}"));
        }
        if dependency == "serde" && name != "report" {
            found.push(format!(
                "crates/{name} may not depend on serde: only report says what output looks like"
            ));
        }
    }
    let inherited = manifest.get("lints").and_then(|lints| lints.get("workspace")) == Some(&true.into());
    if name == "mmap" {
        let unsafe_code = manifest.get("lints").and_then(|lints| lints.get("rust")?.get("unsafe_code"));
        if unsafe_code.and_then(toml::Value::as_str) != Some("deny") {
            found.push("crates/mmap: each use of unsafe code must name itself (deny)".to_owned());
        }
    } else if !inherited {
        found.push(format!("crates/{name}: the workspace's lints are not inherited"));
    }
    Ok(found)
}

/// The workspace forbids unsafe code and warns of what hostile input could set off.
fn lints(manifest: &str) -> Result<Vec<String>> {
    let manifest: toml::Table = manifest.parse()?;
    let lints = manifest.get("workspace").and_then(|workspace| workspace.get("lints"));
    let level = |group: &str, lint: &str| lints.and_then(|lints| lints.get(group)?.get(lint)?.as_str());
    let wanted = [
        ("rust", "unsafe_code", "forbid"),
        ("rust", "missing_docs", "warn"),
        ("clippy", "unwrap_used", "warn"),
        ("clippy", "expect_used", "warn"),
        ("clippy", "panic", "warn"),
    ];
    Ok(wanted
        .iter()
        .filter(|(group, lint, wanted)| level(group, lint) != Some(wanted))
        .map(|(_, lint, wanted)| format!("Cargo.toml: the lint {lint} must be {wanted}"))
        .collect())
}

/// Each file of the catalogue is in its list, so that the test of both languages sees it.
fn catalogue_lists(module: &str) -> Vec<String> {
    code(module)
        .filter_map(|(_, line)| line.trim().strip_prefix("pub mod ")?.strip_suffix(';'))
        .filter(|file| !module.contains(&format!("(\"{file}\", {file}::MESSAGES)")))
        .map(|file| format!("crates/base/src/catalogue: {file} is not listed in all()"))
        .collect()
}

/// Where this checkout and its user live: words that mean nothing on another machine.
fn own_places(root: &Path) -> Vec<String> {
    let parents = root.ancestors().skip(1).map(Path::to_path_buf);
    let common = ["/", "/usr", "/usr/src", "/usr/local", "/tmp", "/var", "/var/tmp", "/opt", "/srv", "/mnt"];
    parents
        .map(|path| path.to_string_lossy().into_owned())
        .filter(|path| !common.contains(&path.as_str()) && path != "/home")
        .map(|path| format!("{path}/"))
        .chain(["/root/".to_owned()])
        .collect()
}

/// Mentions of a place on this machine.
fn names_of_this_machine(name: &str, text: &str, own: &[String]) -> Vec<String> {
    // Crash logs are what the crashed machine printed, and this file must name what it looks for.
    if name.ends_with(".log") || name == "xtask/src/tidy.rs" {
        return Vec::new();
    }
    let mentions = |place: &&String| {
        // `/src/` within `crates/oops/src/` is no place on a machine: a path starts where no name ends.
        text.match_indices(place.as_str()).any(|(at, _)| {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            before.is_none_or(|c| !(c.is_alphanumeric() || "._-~>}*".contains(c)))
        })
    };
    own.iter()
        .filter(mentions)
        .map(|place| format!("{name}: names {place}, a place on this machine"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn io_is_found_in_pure_crates_only() {
        let text = "use std::fs;\n// std::env in a comment is talk\n";
        assert_eq!(file("crates/oops/src/lib.rs", text).len(), 1);
        assert!(file("crates/cli/src/main.rs", text).is_empty());
        assert!(file("crates/oops/src/fields/tests.rs", text).is_empty());
        assert!(file("crates/oops/src/lib.rs", "#[cfg(test)]\nuse std::fs;").is_empty());
        assert_eq!(file("crates/oops/src/lib.rs", &"\n".repeat(LONGEST + 1)).len(), 1);
    }

    #[test]
    fn hashed_maps_are_found_where_their_order_could_show() {
        assert_eq!(file("crates/diagnose/src/lib.rs", "use std::collections::HashMap;").len(), 1);
        assert!(file(HASHED[0], "use std::collections::HashMap;").is_empty());
        assert!(file("crates/cli/src/main.rs", "use std::collections::HashMap;").is_empty());
    }

    #[test]
    fn a_branch_on_the_release_is_found() {
        for code in [
            "if release.starts_with(\"5.\") {",
            "if release.as_str() >= \"6.1\" {",
            "if parsed_release < (5, 10) {",
            "release.contains(\"4\")",
        ] {
            assert_eq!(file("crates/flow/src/scene.rs", code).len(), 1, "{code}");
        }
        for code in ["release.contains(\"-arch\")", "let release = image.release();", "version == \"5.1\""] {
            assert!(file("crates/flow/src/scene.rs", code).is_empty(), "{code}");
        }
    }

    #[test]
    fn the_network_is_used_in_its_place_only() {
        assert_eq!(file("crates/cli/src/explain.rs", "use std::net::TcpStream;").len(), 1);
        assert_eq!(file("crates/fetch/src/lib.rs", "ureq::get(url)").len(), 1);
        assert!(file(NETWORK, "use ureq::Agent;").is_empty());
        assert!(file("crates/fetch/src/debuginfod/tests.rs", "use std::net::TcpListener;").is_empty());
    }

    #[test]
    fn output_is_derived_in_one_crate() {
        let text = "#[derive(Clone, Serialize)]\nstruct S;";
        assert_eq!(file("crates/oops/src/record.rs", text).len(), 1);
        assert!(file("crates/report/src/model.rs", text).is_empty());
    }

    #[test]
    fn an_arrow_that_is_not_drawn_is_found() {
        let lints = "[lints]\nworkspace = true\n[dependencies]\n";
        let oops = |dependencies: &str| arrows("oops", &format!("{lints}{dependencies}")).unwrap();
        assert!(oops("kwhy-base.workspace = true\nmemchr = '2'").is_empty());
        assert_eq!(oops("kwhy-image.workspace = true").len(), 1);
        assert_eq!(oops("serde.workspace = true").len(), 1);
        assert_eq!(arrows("oops", "[dependencies]").unwrap().len(), 1, "lints are not inherited");
    }

    #[test]
    fn a_weakened_lint_and_a_forgotten_catalogue_are_found() {
        assert_eq!(lints("[workspace.lints.rust]\nunsafe_code = 'warn'").unwrap().len(), 5);
        assert_eq!(catalogue_lists("pub mod a;\npub mod b;\n(\"a\", a::MESSAGES),").len(), 1);
    }

    #[test]
    fn places_of_this_machine_are_found() {
        let own = own_places(Path::new("/data/me/kwhy"));
        assert_eq!(own, ["/data/me/", "/data/", "/root/"]);
        assert_eq!(names_of_this_machine("README.md", "see /data/me/x", &own).len(), 2);
        assert!(names_of_this_machine("README.md", "see ~/data/me/x and target/data/", &own).is_empty());
        assert_eq!(own_places(Path::new("/usr/src/kwhy")), ["/root/"]);
    }
}
