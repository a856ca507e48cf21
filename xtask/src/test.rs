//! `cargo xtask test`: everything, from formatting to booted kernels.

use crate::lab;
use crate::{fuzz, tidy, tool};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// Leave out what needs a kernel: nothing is fetched, installed or booted
    #[arg(long)]
    no_kernels: bool,
}

/// The cases that are booted afresh each time: one fault in the core kernel, one in a driver.
const BOOTED: [&str; 2] = ["c01_module_use", "c02_null_chain"];

/// Seconds that each fuzz target is given: enough to see that all is well, not to search.
const FUZZED: u32 = 20;

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
    short: Vec<String>,
}

impl Tally {
    /// One step that either passes or fails.
    fn step(&mut self, name: &str, done: Result<()>) {
        match done {
            Ok(()) => self.passed += 1,
            Err(why) => {
                self.failed += 1;
                self.short.push(format!("{name}: {why:#}"));
            }
        }
    }
}

/// Runs the task.
pub fn run(args: &Args) -> Result<()> {
    let start = Instant::now();
    let mut tally = Tally::default();
    let at = |what: &str| eprintln!("== {what} ({} s)", start.elapsed().as_secs());
    if !args.no_kernels {
        at("packages");
        lab::prepare()?;
        // The tests say so, too, where its server cannot be started.
        if let Err(why) = lab::apt::install(&["debuginfod"]) {
            eprintln!("SKIPPED: the tests against a real debuginfod server: {why:#}");
        }
    }
    at("formatting");
    tally.step("cargo fmt", tool::run(tool::cargo().args(["fmt", "--all", "--check"])));
    let fuzz = ["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"];
    tally.step("cargo fmt of fuzz/", tool::run(tool::cargo().args(fuzz)));
    at("lints");
    let mut clippy = tool::cargo();
    clippy.args(["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    tally.step("cargo clippy", tool::run(&mut clippy));
    at("house rules");
    tally.step("tidy", tidy::run(&tidy::Args {}));
    at("unit, snapshot and command-line tests");
    cargo_test(&mut tally)?;
    at("made-up input");
    tally.step("fuzz", fuzz::run(&fuzz::Args { seconds: FUZZED, targets: Vec::new() }));
    if !args.no_kernels {
        at("recorded crashes");
        let recorded = lab::Args { recorded: true, score: true, ..lab::Args::default() };
        add(&mut tally, "recorded crashes", lab::outcome(&recorded));
        at("recorded crashes without debug information");
        let bare = lab::Args { recorded: true, no_dwarf: true, ..lab::Args::default() };
        add(&mut tally, "without DWARF", lab::outcome(&bare));
        at("booted kernels");
        let booted = lab::Args { case: BOOTED.map(str::to_owned).to_vec(), ..lab::Args::default() };
        add(&mut tally, "booted kernels", lab::outcome(&booted));
    }
    at("done");
    for why in &tally.short {
        println!("FAILED {why}");
    }
    let skipped = if tally.skipped > 0 { format!(", {} skipped", tally.skipped) } else { String::new() };
    println!("{} passed, {} failed{skipped}", tally.passed, tally.failed);
    if tally.failed > 0 {
        bail!("{} failed", tally.failed);
    }
    Ok(())
}

fn add(tally: &mut Tally, name: &str, outcome: Result<lab::Outcome>) {
    match outcome {
        Ok(outcome) => {
            tally.passed += outcome.passed;
            tally.failed += outcome.failed.len();
            tally.skipped += outcome.skipped;
            tally.short.extend(outcome.failed.into_iter().map(|why| format!("{name}: {why}")));
        }
        Err(why) => tally.step(name, Err(why)),
    }
}

/// `cargo test`, its output passed on and its results counted.
fn cargo_test(tally: &mut Tally) -> Result<()> {
    let mut command: Command = tool::cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]).stdout(Stdio::piped());
    for (name, path) in lab::test_variables()? {
        command.env(name, path);
    }
    let mut child = command.spawn().context("cannot start cargo test")?;
    let mut failed = 0;
    if let Some(pipe) = child.stdout.take() {
        for line in BufReader::new(pipe).lines() {
            let line = line?;
            if let Some(result) = line.strip_prefix("test result: ") {
                tally.passed += number_before(result, " passed");
                failed += number_before(result, " failed");
            } else if line.ends_with("FAILED") {
                println!("{line}");
                tally.short.push(line);
            } else if !line.ends_with("... ok") && !line.trim().is_empty() && !line.starts_with("running ") {
                println!("{line}");
            }
        }
    }
    let status = child.wait()?;
    tally.failed += failed;
    if !status.success() && failed == 0 {
        // It did not get as far as counting.
        tally.step("cargo test", Err(anyhow::anyhow!("ended with {status}")));
    }
    Ok(())
}

fn number_before(text: &str, word: &str) -> usize {
    let head = text.split(word).next().unwrap_or_default();
    head.rsplit(' ').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_counted() {
        let line = "FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!((number_before(line, " passed"), number_before(line, " failed")), (12, 3));
    }
}
