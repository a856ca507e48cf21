//! `cargo xtask docs`.

use anyhow::{Result, bail};

/// Options.
#[derive(clap::Args)]
pub struct Args {}

/// Runs the task.
pub fn run(_args: &Args) -> Result<()> {
    bail!("not built yet")
}
