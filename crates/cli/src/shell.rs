//! What belongs to the shell: completions and the manual page.

use crate::args::{Cli, CompletionsArgs};
use crate::command_error::CommandError;
use crate::output::Output;
use clap::CommandFactory;
use std::process::ExitCode;

/// `kwhy completions SHELL`.
pub fn completions(args: &CompletionsArgs) -> Result<ExitCode, CommandError> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "kwhy", &mut text);
    print(&text)
}

/// `kwhy man`.
pub fn man() -> Result<ExitCode, CommandError> {
    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = clap_mangen::Man::new(Cli::command()).render(&mut text);
    print(&text)
}

fn print(text: &[u8]) -> Result<ExitCode, CommandError> {
    Output::plain().write(&String::from_utf8_lossy(text))?;
    Ok(ExitCode::SUCCESS)
}
