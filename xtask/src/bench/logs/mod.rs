//! `cargo xtask bench --logs`: how fast logs are read, and with how much memory.
//!
//! An ordinary log of several gigabytes beside ripgrep, which is asked to count the lines with any
//! of the words that can open a report: the least that anyone has to do who wants to find crashes.
//! And the same amount of nothing but crashes. Everyone reads the same files, in turn.

mod ordinary;

use super::measure::{Figures, Sample, Way};
use super::table::{self, Machine};
use crate::lab::{judge, kernels};
use crate::tool;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The release of ripgrep that is measured beside.
const RIPGREP: &str = "15.2.0";
/// Crashes alone, in bytes: enough for seconds.
const DENSE: u64 = 32 << 20;
/// The small log whose memory is compared with the large one's.
const SMALL: u64 = 100_000_000;

/// One who reads a log.
struct Reader {
    name: String,
    bytes: u64,
    way: Way,
    samples: Vec<Sample>,
}

/// Runs the task: `gigabytes` of an ordinary log, so many `runs`.
pub fn run(gigabytes: u64, runs: usize, kwhy: Option<&Path>, readme: bool) -> Result<()> {
    let cache = kernels::cache()?.join("bench");
    fs::create_dir_all(&cache)?;
    let kwhy = kwhy.map_or_else(judge::program, |path| Ok(path.to_owned()))?;
    let scan = scan()?;
    let ripgrep = ripgrep(&cache)?;
    let machine = Machine::here();

    let (large, crashes) = made(&cache, "ordinary.log", gigabytes << 30, ordinary::write)?;
    let (small, _) = made(&cache, "ordinary-small.log", SMALL, ordinary::write)?;
    let (dense, _) = made(&cache, "dense.log", DENSE, dense)?;
    let mut rg: Vec<OsString> = vec!["--count".into(), "--fixed-strings".into()];
    for word in kwhy_oops::trigger_words() {
        rg.extend(["-e".into(), word.into()]);
    }
    let json = |log: &Path| vec!["-f".into(), "json".into(), log.into()];
    let reader =
        |name: &str, program: &Path, args: Vec<OsString>, log: &Path, expect: &str| -> Result<Reader> {
            let way = Way {
                program: program.into(),
                args,
                env: Vec::new(),
                input: None,
                before: Vec::new(),
                expect: expect.to_owned(),
            };
            Ok(Reader { name: name.to_owned(), bytes: fs::metadata(log)?.len(), way, samples: Vec::new() })
        };
    rg.push(large.clone().into());
    let report = "kwhy-report/1";
    let mut readers = vec![
        reader("`rg --count` with the same words", &ripgrep, rg, &large, "")?,
        reader("kwhy, ordinary log, reports as JSON", &kwhy, json(&large), &large, report)?,
        reader("kwhy, ordinary log of 100 MB", &kwhy, json(&small), &small, report)?,
        reader(
            "kwhy's reader on one core, ordinary log",
            &scan,
            vec![large.clone().into()],
            &large,
            "crashes",
        )?,
        reader(
            "kwhy's reader on one core, crashes alone",
            &scan,
            vec![dense.clone().into()],
            &dense,
            "crashes",
        )?,
        reader("kwhy, crashes alone, reports as JSON", &kwhy, json(&dense), &dense, report)?,
    ];
    let said = tool::text(Command::new(&scan).arg(&dense))?;
    let found: f64 = said.split(' ').next().and_then(|n| n.parse().ok()).context("no count of crashes")?;
    for one in &readers {
        eprintln!("  warming up {}", one.name);
        one.way.check().with_context(|| one.name.clone())?;
    }
    for round in 1..=runs {
        eprintln!("  round {round} of {runs}");
        for one in &mut readers {
            one.samples.push(one.way.measure()?);
        }
    }
    let text = markdown(&readers, gigabytes, crashes, found)?;
    println!("{text}\n{}\n", machine.sentence(runs));
    if readme {
        let path = tool::root().join("README.md");
        let old = fs::read_to_string(&path)?;
        let new = table::replaced(&old, "bench-logs", &format!("{text}\n{}\n", machine.sentence(runs)));
        fs::write(path, new.context("README.md has no bench-logs markers")?)?;
    }
    Ok(())
}

/// The table, and what is aimed at.
fn markdown(readers: &[Reader], gigabytes: u64, crashes: usize, found: f64) -> Result<String> {
    let mut text = format!(
        "**An ordinary console log of {gigabytes} GiB with {crashes} crashes; 32 MiB of nothing but crashes \
         ({found:.0} reports)**\n\n|  | time | processor time | MB/s | memory | × time | × processor |\n\
         |---|--:|--:|--:|--:|--:|--:|\n"
    );
    let figures = |reader: &Reader| Figures::of(&reader.samples).context("not measured");
    let base = figures(readers.first().context("nobody")?)?;
    for (index, reader) in readers.iter().enumerate() {
        let own = figures(reader)?;
        let times = |own, base| match index {
            0 | 1 | 3 => table::times(own, Some(base)),
            // What reads another file is not compared.
            _ => "–".to_owned(),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.0} | {:.0} MB | {} | {} |",
            reader.name,
            table::range(&own.wall),
            table::seconds(own.cpu.median),
            reader.bytes as f64 / 1e6 / own.wall.median,
            own.peak.median / 1e6,
            times(&own.wall, &base.wall),
            times(&own.cpu, &base.cpu),
        );
    }
    let dense = figures(readers.get(4).context("nobody")?)?;
    let _ = writeln!(
        text,
        "\nCrashes alone are read at {:.0} MB and {:.0} reports a second of one core's time.",
        DENSE as f64 / 1e6 / dense.cpu.median,
        found / dense.cpu.median
    );
    Ok(text)
}

/// A file of the cache, made if it is not there in that size; how many crashes it holds.
fn made(
    cache: &Path,
    name: &str,
    size: u64,
    write: fn(&Path, u64) -> Result<usize>,
) -> Result<(PathBuf, usize)> {
    let (path, note) = (cache.join(name), cache.join(format!("{name}.count")));
    let told = fs::read_to_string(&note).ok().and_then(|text| {
        let (bytes, count) = text.split_once(' ')?;
        Some((bytes.parse::<u64>().ok()?, count.trim().parse::<usize>().ok()?))
    });
    match told {
        Some((bytes, count)) if bytes == size && path.exists() => Ok((path, count)),
        _ => {
            eprintln!("  writing {}", path.display());
            let count = write(&path, size)?;
            fs::write(note, format!("{size} {count}\n"))?;
            Ok((path, count))
        }
    }
}

/// Crashes alone: those of `KWHY_SYZ_DIR`, or the recorded ones, again and again.
fn dense(path: &Path, size: u64) -> Result<usize> {
    let mut paths = Vec::new();
    let mut folders = vec![std::env::var_os("KWHY_SYZ_DIR").map_or_else(crate::lab::recorded, PathBuf::from)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "log") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let logs = paths.iter().map(fs::read).collect::<std::io::Result<Vec<_>>>()?;
    if logs.iter().all(Vec::is_empty) {
        bail!("no logs");
    }
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let (mut written, mut count) = (0, 0);
    for log in logs.iter().cycle() {
        if written >= size {
            break;
        }
        out.write_all(log)?;
        out.write_all(b"\n")?;
        written += log.len() as u64 + 1;
        count += 1;
    }
    out.flush()?;
    Ok(count)
}

/// kwhy's reader alone, built for speed.
fn scan() -> Result<PathBuf> {
    tool::run(tool::cargo().args(["build", "--quiet", "--release", "-p", "kwhy-oops", "--example", "scan"]))?;
    Ok(tool::root().join("target/release/examples/scan"))
}

/// ripgrep, installed if it is not there.
fn ripgrep(cache: &Path) -> Result<PathBuf> {
    if let Some(path) = tool::find("rg") {
        return Ok(path);
    }
    let root = cache.join(format!("ripgrep-{RIPGREP}"));
    let path = root.join("bin/rg");
    if !path.exists() {
        eprintln!("  installing ripgrep {RIPGREP}");
        let args = ["install", "--quiet", "--locked", "ripgrep", "--version", RIPGREP, "--root"];
        tool::run(tool::cargo().args(args).arg(&root))?;
    }
    Ok(path)
}
