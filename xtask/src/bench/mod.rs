//! `cargo xtask bench`: kwhy's whole report beside what the known tools take for a part of it.
//!
//! All of them are asked about the same crash with the same vmlinux, one after the other in
//! every round, so that whatever else the machine does meets them all alike. kwhy itself is asked in
//! several states: nothing learned, with an index of this crash or another, while it makes one, and
//! with nothing in the page cache. The first round fills the page cache, is looked at for the right answer, and does not count. A benchmark is
//! no test: a target that was missed is printed, and the task succeeds.

use crate::lab::{judge, kernels};
use crate::tool;
use anyhow::{Context, Result, bail};
use measure::{Figures, Sample};
use rivals::Contender;
use std::fs;
use std::path::PathBuf;

mod crash;
mod logs;
mod measure;
mod rivals;
mod table;

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// Rounds that count; medians are printed
    #[arg(long, value_name = "N", default_value_t = 5)]
    runs: usize,
    /// Only this kernel (amd64-6.1, arm64-6.1, arm64-5.10); repeatable
    #[arg(long, value_name = "KERNEL")]
    kernel: Vec<String>,
    /// The recorded crash
    #[arg(long, value_name = "NAME", default_value = "c01_module_use")]
    case: String,
    /// Measure this kwhy instead of building one
    #[arg(long, value_name = "PROGRAM")]
    kwhy: Option<PathBuf>,
    /// How fast logs are read instead: gigabytes of an ordinary one, and of crashes
    #[arg(long)]
    logs: bool,
    /// The size of the ordinary log, in GiB
    #[arg(long, value_name = "N", default_value_t = 4)]
    gigabytes: u64,
    /// Put the tables into README.md
    #[arg(long)]
    readme: bool,
}

/// Fewer rounds than this make no table.
const LEAST_RUNS: usize = 5;

/// Seconds of processor time that a report may take when the index knows the image.
const MOST_INDEXED: f64 = 0.030;

/// What one contender needed, or why it could not be measured.
struct Row {
    name: &'static str,
    asked: String,
    figures: Result<Figures, String>,
}

/// One kernel's crash and how everyone did.
struct Board {
    kernel: String,
    crash: crash::Crash,
    rows: Vec<Row>,
}

/// Runs the task.
pub fn run(args: &Args) -> Result<()> {
    if args.runs == 0 || (args.readme && args.runs < LEAST_RUNS) {
        bail!("the README's figures are medians of at least {LEAST_RUNS} rounds");
    }
    if args.logs {
        return logs::run(args.gigabytes, args.runs, args.kwhy.as_deref(), args.readme);
    }
    let cache = kernels::cache()?;
    let recorded = tool::root().join("lab/recorded");
    let exhibits = judge::exhibits(&recorded, &args.kernel, std::slice::from_ref(&args.case))?;
    if exhibits.is_empty() {
        bail!("no crash {} is recorded for these kernels", args.case);
    }
    let kwhy = args.kwhy.as_ref().map_or_else(judge::program, |path| Ok(path.clone()))?;
    let rivals = rivals::Rivals::provide(&cache);
    let machine = table::Machine::here();
    let mut boards = Vec::new();
    for exhibit in &exhibits {
        let Some(vmlinux) = judge::vmlinux(exhibit, &cache)? else {
            eprintln!("{}: its packages are no longer served; left out", exhibit.kernel);
            continue;
        };
        let crash = crash::Crash::read(exhibit, vmlinux)?;
        let modules = judge::modules(exhibit, &cache)?;
        let contenders = rivals.contenders(&kwhy, &crash, &modules, &cache)?;
        eprintln!("{}: {}", exhibit.kernel, crash.vmlinux.display());
        let rows = compete(contenders, args.runs);
        let board = Board { kernel: exhibit.kernel.clone(), crash, rows };
        println!("{}", table::plain(&board));
        boards.push(board);
    }
    println!("{}\n", machine.sentence(args.runs));
    for target in boards.iter().flat_map(targets) {
        println!("{target}");
    }
    if args.readme {
        let path = tool::root().join("README.md");
        let text = fs::read_to_string(&path)?;
        let text = table::replaced(&text, "bench", &table::markdown(&boards, &machine, args.runs))
            .context("README.md has no bench markers")?;
        fs::write(path, text)?;
    }
    Ok(())
}

/// Every round asks everyone once; the first does not count.
fn compete(contenders: Vec<Contender>, runs: usize) -> Vec<Row> {
    let mut samples: Vec<Result<Vec<Sample>, String>> = contenders
        .iter()
        .map(|contender| {
            eprintln!("  warming up {}", contender.name);
            let way = contender.way.as_ref().map_err(Clone::clone)?;
            way.check().map(|()| Vec::new()).map_err(|why| format!("{why:#}"))
        })
        .collect();
    for round in 1..=runs {
        eprintln!("  round {round} of {runs}");
        for (contender, samples) in contenders.iter().zip(&mut samples) {
            let (Ok(way), Ok(list)) = (&contender.way, samples.as_mut()) else { continue };
            match way.measure() {
                Ok(sample) => list.push(sample),
                Err(why) => *samples = Err(format!("{why:#}")),
            }
        }
    }
    let row = |(contender, samples): (Contender, Result<Vec<Sample>, String>)| Row {
        name: contender.name,
        asked: contender.asked,
        figures: samples.and_then(|list| Figures::of(&list).ok_or_else(|| "it was not measured".to_owned())),
    };
    contenders.into_iter().zip(samples).map(row).collect()
}

/// What is aimed at, and whether it was reached.
fn targets(board: &Board) -> Vec<String> {
    let figures = |name| board.rows.iter().find(|row| row.name == name)?.figures.as_ref().ok();
    let Some(kwhy) = figures(rivals::KWHY) else { return Vec::new() };
    let mut lines = Vec::new();
    if let Some(index) = figures(rivals::KWHY_INDEX).filter(|_| board.kernel.starts_with("amd64")) {
        let (got, verdict) =
            (index.cpu.median * 1e3, if index.cpu.median <= MOST_INDEXED { "reached" } else { "MISSED" });
        let wanted = MOST_INDEXED * 1e3;
        lines.push(format!(
            "{verdict}  {}: processor time of a report with an index: {got:.0} ms, at most {wanted:.0} ms wanted",
            board.kernel
        ));
    }
    let mut aim = |what: &str, got: f64, wanted: f64| {
        let verdict = if got >= wanted { "reached" } else { "MISSED" };
        lines.push(format!("{verdict}  {}: {what}: {got:.1}, at least {wanted} wanted", board.kernel));
    };
    if let Some(gdb) = figures(rivals::GDB).filter(|_| board.kernel.starts_with("amd64")) {
        aim("gdb's time for one `list` over the whole report's", gdb.wall.over(&kwhy.wall), 10.0);
        aim("gdb's memory for it over the whole report's", gdb.peak.over(&kwhy.peak), 4.0);
    }
    if let Some(script) = figures(rivals::DECODE) {
        aim(
            "decode_stacktrace.sh's time for five frames over the whole report's",
            script.wall.over(&kwhy.wall),
            15.0,
        );
    }
    lines
}
