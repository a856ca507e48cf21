//! `cargo xtask fuzz`: input that nobody thought of, for a given time.
//!
//! The targets of `fuzz/` are libFuzzer's. It is told where the code has been by the compiler's
//! coverage pass, which stable Rust runs when asked to; libFuzzer itself comes with its crate
//! and is compiled by the machine's C++ compiler.

use crate::lab;
use crate::tool;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The targets, in the order in which the data goes through kwhy.
const TARGETS: [&str; 8] = ["log", "shuffle", "image", "boot", "btf", "index", "flow", "report"];

/// What makes code report where it has been: the flags of cargo-fuzz, without its sanitizer
/// (there is no unsafe code to watch, and the sanitizers want a nightly compiler).
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// Longest time for one input, in seconds; most take milliseconds. Generous for a busy machine.
const SLOWEST: u32 = 10;
/// Most memory for one process, in MiB.
const MOST_MEMORY: u32 = 1024;
/// Longest input, in bytes.
const LONGEST: u32 = 96 << 10;

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// Seconds for each target
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub seconds: u32,
    /// Only these: log, shuffle, image, boot, btf, index, flow, report
    #[arg(value_name = "TARGET", value_parser = TARGETS)]
    pub targets: Vec<String>,
}

/// Runs the task.
pub fn run(args: &Args) -> Result<()> {
    let root = tool::root().join("fuzz");
    if !["c++", "g++", "clang++"].into_iter().any(tool::have) {
        lab::apt::install(&["g++"])?;
    }
    let built = build(&root)?;
    let mut failed = Vec::new();
    for target in TARGETS {
        if !args.targets.is_empty() && !args.targets.iter().any(|wanted| wanted == target) {
            continue;
        }
        let corpus = root.join("corpus").join(target);
        seed(target, &corpus).with_context(|| format!("cannot make the seeds of {target}"))?;
        let artifacts = root.join("artifacts").join(target);
        fs::create_dir_all(&artifacts)?;
        eprintln!("fuzz {target}: {} s", args.seconds);
        let done = tool::output(
            Command::new(built.join(target))
                .arg(&corpus)
                .arg(format!("-artifact_prefix={}/", artifacts.display()))
                .arg(format!("-max_total_time={}", args.seconds))
                .arg(format!("-timeout={SLOWEST}"))
                .arg(format!("-rss_limit_mb={MOST_MEMORY}"))
                .arg(format!("-max_len={LONGEST}"))
                .args(["-print_final_stats=1", "-detect_leaks=0"])
                // The last lines are shown: they shall hold what went wrong, not where it came from.
                .env("RUST_BACKTRACE", "0"),
        );
        match done {
            Ok(_) => eprintln!("fuzz {target}: nothing found"),
            Err(why) => failed.push(format!("{target}: {why:#}")),
        }
    }
    if !failed.is_empty() {
        bail!("the fuzzer found inputs (kept in fuzz/artifacts/):\n{}", failed.join("\n"));
    }
    Ok(())
}

/// Builds the targets; where they are.
fn build(root: &Path) -> Result<PathBuf> {
    let host = tool::text(Command::new("rustc").arg("-vV"))?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let mut cargo = tool::cargo();
    // With a target named, the flags are not for build scripts and macros, which run here.
    cargo
        .args(["build", "--quiet", "--release", "--target", host, "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .env("RUSTFLAGS", COVERAGE);
    tool::run(&mut cargo)?;
    Ok(root.join("target").join(host).join("release"))
}

/// Puts the seeds into the corpus: what the project keeps for its tests, and recorded crashes.
fn seed(target: &str, corpus: &Path) -> Result<()> {
    fs::create_dir_all(corpus)?;
    let root = tool::root();
    let seeds = root.join("fuzz/seeds");
    let objects = root.join("crates/image/tests/data");
    let images = [
        ("module-arm64", objects.join("shapes-arm64-dwarf4.o")),
        ("module-x86_64", objects.join("shapes-x86_64-dwarf5.o")),
        ("kernel-arm64", seeds.join("kernel-arm64")),
        ("kernel-x86_64", seeds.join("kernel-x86_64")),
    ];
    let put = |name: &str, bytes: &[u8]| {
        fs::write(corpus.join(format!("seed-{name}")), bytes.get(..LONGEST as usize).unwrap_or(bytes))
    };
    match target {
        "image" | "flow" => {
            for (name, path) in &images {
                put(name, &fs::read(path)?)?;
            }
            if target == "flow" {
                // The code alone, of two CPUs.
                put("code-x86_64", &[0x48, 0x8b, 0x47, 0x28, 0xff, 0x50, 0x10, 0xc3])?;
                put("code-arm64", &[0x00, 0x14, 0x40, 0xf9, 0x00, 0x00, 0x3f, 0xd6])?;
            }
        }
        "index" => {
            for first in 0..4_u8 {
                put(&format!("changes-{first}"), &[first, 3, 70, 0, 1, 7, 0, 1, 255, 0x82, 40, 0, 0])?;
            }
        }
        "boot" => {
            for folder in [objects.join("boot"), seeds.join("boot")] {
                for entry in fs::read_dir(folder)? {
                    let path = entry?.path();
                    put(&path.file_name().unwrap_or_default().to_string_lossy(), &fs::read(&path)?)?;
                }
            }
            for (name, path) in &images {
                put(name, &fs::read(path)?)?;
            }
        }
        "btf" => {
            let read = |name: &str| fs::read(seeds.join(name));
            let (types, split, base) = (read("types.btf")?, read("split.btf")?, read("base.btf")?);
            put("types", &packed(&types, &[]))?;
            put("kernel-and-split", &packed(&types, &split))?;
            put("base-and-split", &packed(&base, &split))?;
        }
        _ => {
            let logs = logs(&root)?;
            for (name, log) in &logs {
                match target {
                    "log" | "shuffle" => put(name, log)?,
                    _ => put(name, &packed(log, &[]))?,
                }
            }
            for (name, path) in images.iter().filter(|_| target == "report") {
                let log = fs::read(seeds.join(format!("{name}.log")))?;
                put(&format!("pair-{name}"), &packed(&log, &fs::read(path)?))?;
            }
        }
    }
    Ok(())
}

/// A log and an image as the target `report` takes them apart again.
fn packed(log: &[u8], image: &[u8]) -> Vec<u8> {
    let length = u32::try_from(log.len()).unwrap_or(u32::MAX);
    [length.to_le_bytes().as_slice(), log, image].concat()
}

/// The project's logs by name: examples, tests, recorded crashes.
fn logs(root: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut logs = Vec::new();
    for dir in ["examples", "crates/oops/tests/shapes", "crates/diagnose/tests/logs", "fuzz/seeds"] {
        for entry in fs::read_dir(root.join(dir))? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "log") {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                logs.push((name, fs::read(path)?));
            }
        }
    }
    for kernel in fs::read_dir(root.join("lab/recorded"))? {
        for case in fs::read_dir(kernel?.path())? {
            let path = case?.path();
            if let Ok(log) = fs::read(path.join("console.log")) {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let kernel = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
                logs.push((format!("{kernel}-{name}"), crash(&log)));
            }
        }
    }
    Ok(logs)
}

/// What follows the boot: the last 150 lines.
fn crash(log: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
    lines.iter().skip(lines.len().saturating_sub(150)).copied().collect::<Vec<_>>().concat()
}
