//! kwhy's own tasks: `cargo xtask TASK`.

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

mod bench;
mod docs;
mod fuzz;
mod lab;
mod noise;
mod objdump;
mod test;
mod tidy;
mod tool;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "kwhy's own tasks")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Reproduce kernel crashes for real, and compare what kwhy says with the truth
    Lab(lab::Args),
    /// Everything: formatting, lints, unit and CLI tests, recorded crashes, a few booted ones
    Test(test::Args),
    /// Time and memory beside gdb, addr2line, llvm-symbolizer, decode_stacktrace.sh and drgn
    Bench(bench::Args),
    /// Write the generated documents, or check that they are up to date
    Docs(docs::Args),
    /// Feed made-up input to the parsers and to the whole, for a given time
    Fuzz(fuzz::Args),
    /// Compare the disassembly with objdump's
    Objdump(objdump::Args),
    /// Damage the recorded logs as cameras and hands do, and measure what is recovered
    Noise(noise::Args),
    /// Check the house rules that no compiler knows
    Tidy(tidy::Args),
}

fn main() -> ExitCode {
    match task() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why:#}");
            ExitCode::FAILURE
        }
    }
}

fn task() -> Result<()> {
    match Cli::parse().task {
        Task::Lab(args) => lab::run(&args),
        Task::Test(args) => test::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Docs(args) => docs::run(&args),
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Objdump(args) => objdump::run(&args),
        Task::Noise(args) => noise::run(&args),
        Task::Tidy(args) => tidy::run(&args),
    }
}
