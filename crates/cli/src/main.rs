//! `kwhy`: why did this Linux kernel crash?

mod args;
mod cache_cmd;
mod command_error;
mod contents;
mod decode_cmd;
mod disasm_cmd;
mod explain;
mod feed;
mod fetch_cmd;
mod folder;
mod follow;
mod images;
mod input;
mod output;
mod parsed;
mod progress;
#[cfg(test)]
mod reference;
mod shelf;
mod shell;
mod sources;
mod tail;
mod type_cmd;
mod writers_cmd;

use args::{Cli, Command};
use clap::Parser;
use command_error::CommandError;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let lang = output::language(cli.output().lang);
    command_error::guard(lang, move || run(cli))
}

fn run(cli: Cli) -> Result<ExitCode, CommandError> {
    match cli.command {
        None => explain::run(&cli.explain),
        Some(Command::Explain(args)) => explain::run(&args),
        Some(Command::Decode(args)) => decode_cmd::run(&args),
        Some(Command::Disasm(args)) => disasm_cmd::run(&args),
        Some(Command::Type(args)) => type_cmd::run(&args),
        Some(Command::Writers(args)) => writers_cmd::writers(&args),
        Some(Command::Path(args)) => writers_cmd::path(&args),
        Some(Command::Fetch(args)) => fetch_cmd::run(&args),
        Some(Command::Cache(args)) => cache_cmd::run(&args),
        Some(Command::Completions(args)) => shell::completions(&args),
        Some(Command::Man) => shell::man(),
    }
}
