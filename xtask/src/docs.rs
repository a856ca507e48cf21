//! `cargo xtask docs`: the generated documents (command-line reference, JSON schema).
//!
//! Each is written by the test that compares it, so that there is one generator and no second list.

use crate::tool;
use anyhow::Result;

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// Only check that they are up to date
    #[arg(long)]
    check: bool,
}

/// Runs the task.
pub fn run(args: &Args) -> Result<()> {
    let mut tests = tool::cargo();
    tests.args(["test", "--quiet", "-p", "kwhy-cli", "-p", "kwhy-report"]);
    if !args.check {
        tests.env("KWHY_UPDATE_DOCS", "1");
    }
    tool::run(&mut tests)?;
    println!("docs/ is {}", if args.check { "up to date" } else { "written" });
    Ok(())
}
