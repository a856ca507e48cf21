//! `cargo xtask lab`: crashes real kernels, and compares what kwhy says with the truth.

use crate::tool;
use anyhow::{Context, Result, bail};
use case::Case;
use kernels::{KERNELS, Kernel};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

pub mod apt;
mod bare;
mod boot;
mod build;
mod case;
mod console;
pub mod judge;
pub mod kernels;
mod qemu;
mod score;
mod summary;
mod truth;

/// Options.
#[derive(clap::Args, Default)]
pub struct Args {
    /// Use the recorded logs: no QEMU, no compiler
    #[arg(long)]
    pub recorded: bool,
    /// Boot, and keep the logs, modules and truths in lab/recorded
    #[arg(long, conflicts_with = "recorded")]
    pub record: bool,
    /// Score a folder laid out as KERNEL/CASE/{console.log,truth.json,*.ko}
    #[arg(long, value_name = "DIR", conflicts_with_all = ["recorded", "record"])]
    pub external: Option<PathBuf>,
    /// Only the cases whose name contains this; repeatable
    #[arg(long, value_name = "NAME")]
    pub case: Vec<String>,
    /// Only this kernel (amd64-6.1, arm64-6.1, arm64-5.10); repeatable
    #[arg(long, value_name = "KERNEL")]
    pub kernel: Vec<String>,
    /// The slow cases too (lockups take half a minute each)
    #[arg(long)]
    pub slow: bool,
    /// How many virtual machines run at a time
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub jobs: u8,
    /// Judge this kwhy instead of building one
    #[arg(long, value_name = "PROGRAM")]
    pub kwhy: Option<PathBuf>,
    /// Give kwhy no debug information: the boot image, and modules stripped of DWARF, once with
    /// BTF and once without; `--write` writes docs/no-dwarf.md
    #[arg(long, requires = "recorded", conflicts_with = "score")]
    pub no_dwarf: bool,
    /// Print how right each grade is, and the confusion matrix of causes
    #[arg(long)]
    pub score: bool,
    /// Write what was found, case by case, to docs/lab.md, or to docs/no-dwarf.md
    #[arg(long, requires = "recorded", conflicts_with_all = ["case", "kernel"])]
    pub write: bool,
}

/// What came of it.
#[derive(Default)]
pub struct Outcome {
    /// Cases as they should be.
    pub passed: usize,
    /// Cases that are not, and expectations that were not met: a line each.
    pub failed: Vec<String>,
    /// Cases that could not be tried here: the archive no longer serves their kernel.
    pub skipped: usize,
}

/// Runs the task.
pub fn run(args: &Args) -> Result<()> {
    let outcome = outcome(args)?;
    if !outcome.failed.is_empty() {
        bail!("the lab is not satisfied:\n  {}", outcome.failed.join("\n  "));
    }
    Ok(())
}

/// Runs the task and says what came of it.
pub fn outcome(args: &Args) -> Result<Outcome> {
    let cache = kernels::cache()?;
    let mut failed = Vec::new();
    let root = match &args.external {
        Some(dir) => dir.clone(),
        None if args.recorded => recorded(),
        None => {
            let root = if args.record { recorded() } else { cache.join("runs") };
            if !args.record && root.exists() {
                fs::remove_dir_all(&root)?;
            }
            failed = boot_all(args, &cache, &root)?;
            root
        }
    };
    let exhibits = judge::exhibits(&root, &args.kernel, &args.case)?;
    if exhibits.is_empty() {
        bail!("there are no recorded crashes in {}", root.display());
    }
    let text = fs::read_to_string(tool::root().join("lab/expectations.toml"))?;
    let mut expected: judge::Expectations = toml::from_str(&text)?;
    if args.no_dwarf {
        let whole = args.kernel.is_empty() && args.case.is_empty();
        let expected = whole.then_some(&expected.no_dwarf);
        return bare::run(&exhibits, &cache, args.kwhy.as_deref(), expected, args.write);
    }
    let (cards, skipped) = judge::judge_all(&exhibits, &cache, args.kwhy.as_deref())?;
    if !args.case.is_empty() {
        // Shares of cause and blame are the whole lab's: of a few cases picked by name, all may be
        // among those that are known to be hard. Location, expression and proofs hold for each.
        expected = judge::Expectations { cause: 0.0, blame: 0.0, blame_module: 0.0, origin: 0.0, ..expected };
    }
    let mut outcome = judge::print(&cards, &skipped, &expected, args.score);
    if args.write {
        // A page of half a lab would look like a better or a worse one.
        if !skipped.is_empty() {
            bail!("docs/lab.md is not written: {} kernels were skipped", skipped.len());
        }
        let path = tool::root().join("docs/lab.md");
        fs::write(&path, summary::page(&cards, &Case::all(&tool::root())?))?;
        println!("{} is written", path.display());
    }
    outcome.failed.extend(failed);
    outcome.skipped = exhibits.len() - cards.len();
    Ok(outcome)
}

/// Installs what the lab needs here.
pub fn prepare() -> Result<()> {
    let mut packages = vec!["pahole"];
    for kernel in &KERNELS {
        packages.extend(build::packages(kernel.arch)?);
    }
    packages.sort_unstable();
    packages.dedup();
    apt::install(&packages)?;
    for arch in ["amd64", "arm64"] {
        qemu::provide(arch)?;
    }
    Ok(())
}

/// Environment variables that let the crates' own tests find real kernels and crashes: `KWHY_LAB`, a folder
/// of KERNEL/CASE/{console.log,truth.json,*.ko}, and `KWHY_LAB_KERNELS`, one with vmlinux-RELEASE files, and
/// `KWHY_LAB_BOOT`, one with vmlinuz-RELEASE and System.map-RELEASE.
/// What the archive no longer serves is left out, and those tests skip it.
pub fn test_variables() -> Result<Vec<(&'static str, PathBuf)>> {
    let cache = kernels::cache()?;
    let (plain, images, boot) = (cache.join("recorded"), cache.join("vmlinux"), cache.join("boot-images"));
    fs::create_dir_all(&images)?;
    fs::create_dir_all(&boot)?;
    for exhibit in judge::exhibits(&recorded(), &[], &[])? {
        judge::modules(&exhibit, &cache)?;
        let dir = plain.join(&exhibit.kernel).join(&exhibit.case);
        for name in ["console.log", "truth.json"] {
            fs::copy(exhibit.dir.join(name), dir.join(name))?;
        }
        let Some(file) = judge::vmlinux(&exhibit, &cache)? else { continue };
        let link = images.join(file.file_name().context("a vmlinux has a name")?);
        if !link.exists() {
            std::os::unix::fs::symlink(&file, &link)?;
        }
        for file in bare::files(&exhibit, &cache)? {
            let link = boot.join(file.file_name().context("a file has a name")?);
            if !link.exists() {
                std::os::unix::fs::symlink(&file, &link)?;
            }
        }
    }
    Ok(vec![("KWHY_LAB", plain), ("KWHY_LAB_KERNELS", images), ("KWHY_LAB_BOOT", boot)])
}

/// Where the recorded logs are.
pub fn recorded() -> PathBuf {
    tool::root().join("lab/recorded")
}

fn chosen<'a>(args: &Args, cases: &'a [Case], kernel: &Kernel) -> Vec<&'a Case> {
    let wanted = |case: &&Case| {
        let named = args.case.iter().any(|part| case.name.contains(part.as_str()));
        case.runs_on(kernel)
            && (named || (args.case.is_empty() && (args.slow || args.record || !case.spec.slow)))
    };
    cases.iter().filter(wanted).collect()
}

/// Boots every chosen case and leaves console, truth and modules under `root`; returns what failed.
fn boot_all(args: &Args, cache: &Path, root: &Path) -> Result<Vec<String>> {
    let cases = Case::all(&tool::root())?;
    let mut failed = Vec::new();
    for kernel in &KERNELS {
        if !args.kernel.is_empty() && !args.kernel.iter().any(|name| name == kernel.name) {
            continue;
        }
        let cases = chosen(args, &cases, kernel);
        if cases.is_empty() {
            continue;
        }
        let mut packages = build::packages(kernel.arch)?;
        packages.push("pahole");
        apt::install(&packages)?;
        qemu::provide(kernel.arch)?;
        // A kernel that is unpacked already spares the download; recordings are made of the newest.
        let ready = if args.record { None } else { kernel.ready(cache) };
        let release = ready.map_or_else(|| kernel.newest(cache), Ok)?;
        let tree = kernel.bootable(cache, &release, None)?;
        let queue = Mutex::new(cases.iter());
        let results = Mutex::new(Vec::new());
        // Emulation takes a core each.
        std::thread::scope(|scope| {
            for _ in 0..args.jobs.max(1) {
                scope.spawn(|| {
                    // The lock is held for the taking only: the closure drops it.
                    while let Some(case) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                        let dir = root.join(kernel.name).join(&case.name);
                        let done = one(case, kernel, &tree, cache, &dir);
                        match &done {
                            Ok(check) => eprintln!("  {} {}: {check}", kernel.name, case.name),
                            Err(why) => eprintln!("  {} {}: FAILED: {why:#}", kernel.name, case.name),
                        }
                        if let (Err(why), Ok(mut failed)) = (done, results.lock()) {
                            failed.push(format!("{} {}: {why:#}", kernel.name, case.name));
                        }
                    }
                });
            }
        });
        failed.append(&mut results.into_inner().unwrap_or_default());
    }
    failed.sort();
    Ok(failed)
}

fn one(case: &Case, kernel: &Kernel, tree: &kernels::Tree, cache: &Path, dir: &Path) -> Result<String> {
    let modules = build::build(case, kernel, tree, cache)?;
    let boot = boot::boot(case, kernel, tree, &modules, cache)?;
    let truth = truth::make(case, kernel, tree, &modules, &boot)?;
    let check = truth.get("check").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    if dir.exists() {
        fs::remove_dir_all(dir)?;
    }
    fs::create_dir_all(dir)?;
    fs::write(dir.join("console.log"), &boot.console)?;
    fs::write(dir.join("truth.json"), serde_json::to_string_pretty(&truth)? + "\n")?;
    for module in &modules {
        let name = module.file_name().context("a module has a name")?;
        fs::copy(module, dir.join(name))?;
        tool::output(Command::new("xz").args(["-9e", "-f"]).arg(dir.join(name)))?;
    }
    Ok(check)
}
