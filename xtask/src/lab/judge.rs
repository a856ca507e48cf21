//! Runs kwhy on recorded crashes and prints how it did.

use super::Outcome;
use super::kernels::Kernel;
use super::score::{Card, Field, judge};
use super::summary::Summary;
use crate::tool;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A crash to be judged.
pub struct Exhibit {
    /// Its folder: console.log, truth.json, modules.
    pub dir: PathBuf,
    /// The kernel's name.
    pub kernel: String,
    /// The case's name.
    pub case: String,
    /// What truth.json says.
    pub truth: Value,
}

/// How good is good enough: `lab/expectations.toml`. Only ever raised.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectations {
    /// Least share of right causes.
    pub cause: f64,
    /// Least share of right blame: function and module.
    pub blame: f64,
    /// Least share of right blame: the module alone.
    pub blame_module: f64,
    /// Least share of right origins.
    pub origin: f64,
    /// Least share of right expressions (with struct, member and offset) of the crashes that dereference.
    pub expression: f64,
    /// The same without debug information.
    pub no_dwarf: Bare,
}

/// How good is good enough with boot image and modules stripped of DWARF.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bare {
    /// Least share of crashes whose function is right.
    pub function: f64,
    /// Least share of causes that are right, or the one told with DWARF.
    pub cause: f64,
    /// Least share of right structs, of modules with BTF.
    pub r#struct: f64,
    /// Least share of right members, of modules with BTF.
    pub member: f64,
}

/// Every exhibit of a folder laid out as KERNEL/CASE.
pub fn exhibits(root: &Path, kernels: &[String], cases: &[String]) -> Result<Vec<Exhibit>> {
    let mut found = Vec::new();
    for kernel in folders(root)? {
        for dir in folders(&kernel)? {
            let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let (kernel, case) = (name(&kernel), name(&dir));
            let wanted = (kernels.is_empty() || kernels.contains(&kernel))
                && (cases.is_empty() || cases.iter().any(|part| case.contains(part.as_str())));
            let file = dir.join("truth.json");
            if !wanted || !file.exists() {
                continue;
            }
            let truth =
                serde_json::from_slice(&fs::read(&file)?).with_context(|| file.display().to_string())?;
            found.push(Exhibit { dir, kernel, case, truth });
        }
    }
    Ok(found)
}

fn folders(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut list = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            list.push(path);
        }
    }
    list.sort();
    Ok(list)
}

/// The kwhy that is judged, built for speed.
pub fn program() -> Result<PathBuf> {
    tool::run(tool::cargo().args(["build", "--release", "--quiet", "--bin", "kwhy"]))?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| tool::root().join("target"), PathBuf::from);
    Ok(target.join("release/kwhy"))
}

/// Judges them all; a kernel that cannot be had is skipped, loudly.
pub fn judge_all(
    exhibits: &[Exhibit],
    cache: &Path,
    given: Option<&Path>,
) -> Result<(Vec<Card>, Vec<String>)> {
    let program = given.map_or_else(program, |path| Ok(path.to_path_buf()))?;
    let mut vmlinux: BTreeMap<String, Option<PathBuf>> = BTreeMap::new();
    let mut skipped = Vec::new();
    for exhibit in exhibits {
        let Some(release) = exhibit.truth.get("release").and_then(Value::as_str) else { continue };
        if vmlinux.contains_key(release) {
            continue;
        }
        let version = exhibit.truth.get("package_version").and_then(Value::as_str);
        let got = Kernel::named(&exhibit.kernel)
            .context("not a kernel of this lab")
            .and_then(|kernel| kernel.vmlinux(cache, release, version));
        if let Err(why) = &got {
            skipped.push(format!("{}: {release}: {why:#}", exhibit.kernel));
        }
        vmlinux.insert(release.to_owned(), got.ok());
    }
    let queue = Mutex::new(exhibits.iter().enumerate());
    let cards = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                // The lock is held for the taking only: the closure drops it.
                while let Some((at, exhibit)) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                    let release = exhibit.truth.get("release").and_then(Value::as_str).unwrap_or_default();
                    let Some(Some(vmlinux)) = vmlinux.get(release) else { continue };
                    let card = match report(&program, exhibit, vmlinux, cache) {
                        Ok(report) => judge(&exhibit.truth, &report),
                        Err(why) => {
                            let mut card = judge(&exhibit.truth, &Value::Null);
                            card.broken = Some(format!("{why:#}"));
                            card
                        }
                    };
                    if let Ok(mut cards) = cards.lock() {
                        cards.insert(at, card);
                    }
                }
            });
        }
    });
    let cards = cards.into_inner().unwrap_or_default().into_values().collect();
    Ok((cards, skipped))
}

/// kwhy's report on an exhibit.
fn report(program: &Path, exhibit: &Exhibit, vmlinux: &Path, cache: &Path) -> Result<Value> {
    report_with(program, exhibit, vmlinux, &modules(exhibit, cache)?)
}

/// kwhy's report on an exhibit, given these images.
pub fn report_with(program: &Path, exhibit: &Exhibit, kernel: &Path, modules: &[PathBuf]) -> Result<Value> {
    let mut command = Command::new(program);
    tool::alone(&mut command).args(["-f", "json", "-i"]).arg(kernel);
    for module in modules {
        command.arg("-i").arg(module);
    }
    command.arg(exhibit.dir.join("console.log"));
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("kwhy")?;
    // A pipe holds 64 KB and a report is longer: read while it runs.
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let reader = |pipe: Option<Box<dyn std::io::Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut pipe) = pipe {
                let _ = pipe.read_to_end(&mut bytes);
            }
            bytes
        })
    };
    let out = reader(out.map(|pipe| Box::new(pipe) as Box<dyn std::io::Read + Send>));
    let err = reader(err.map(|pipe| Box::new(pipe) as Box<dyn std::io::Read + Send>));
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > Duration::from_secs(90) {
            child.kill()?;
            child.wait()?;
            bail!("kwhy did not end within 90 s");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let out = out.join().unwrap_or_default();
    let err = err.join().unwrap_or_default();
    if !matches!(status.code(), Some(0 | 1)) {
        let err = String::from_utf8_lossy(&err);
        bail!("kwhy ended with {status}: {}", err.lines().last().unwrap_or_default());
    }
    serde_json::from_slice(&out).context("kwhy's report is no JSON")
}

/// The exhibit's kernel, fetched if need be; `None` where its release or version is no longer served.
pub fn vmlinux(exhibit: &Exhibit, cache: &Path) -> Result<Option<PathBuf>> {
    let release =
        exhibit.truth.get("release").and_then(Value::as_str).context("truth.json has no release")?;
    let version = exhibit.truth.get("package_version").and_then(Value::as_str);
    let kernel = Kernel::named(&exhibit.kernel).context("not a kernel of this lab")?;
    Ok(kernel.vmlinux(cache, release, version).ok())
}

/// The exhibit's modules, unpacked.
pub fn modules(exhibit: &Exhibit, cache: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut packed = Vec::new();
    for entry in fs::read_dir(&exhibit.dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".ko") {
            files.push(path);
        } else if name.ends_with(".ko.xz") {
            packed.push(path);
        }
    }
    if !packed.is_empty() {
        let dir = cache.join("recorded").join(&exhibit.kernel).join(&exhibit.case);
        fs::create_dir_all(&dir)?;
        for path in packed {
            let file = dir.join(path.file_stem().unwrap_or_default());
            fs::write(&file, tool::output(Command::new("xz").args(["-d", "-c"]).arg(&path))?)?;
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Prints the table, what is wrong and the totals; returns what falls short of the expectations.
pub fn print(cards: &[Card], skipped: &[String], expected: &Expectations, score: bool) -> Outcome {
    let mut short = Vec::new();
    print!("{:<11} {:<24}", "kernel", "case");
    for field in Field::ALL {
        print!(" {:>6}", field.head());
    }
    println!();
    for card in cards {
        print!("{:<11} {:<24}", card.kernel, card.case);
        if let Some(why) = &card.broken {
            println!(" {why}");
            continue;
        }
        for field in Field::ALL {
            let mark = match card.right(field) {
                Some(true) => "ok",
                Some(false) => "WRONG",
                None => "·",
            };
            print!(" {mark:>6}");
        }
        println!();
    }
    println!();
    for card in cards {
        for mark in card.marks.iter().filter(|mark| !mark.right) {
            println!("{} {} {mark}", card.kernel, card.case);
        }
        for what in &card.proved_wrong {
            println!("{} {} {what} is wrong AND GRADED PROVED", card.kernel, card.case);
        }
    }
    println!();
    let broken = cards.iter().filter(|card| card.broken.is_some()).count();
    for field in Field::ALL {
        let marks = || cards.iter().filter_map(|card| card.right(field));
        println!("{:<8} {:>4} of {}", field.head(), marks().filter(|right| *right).count(), marks().count());
    }
    let all = || cards.iter().filter(|card| card.dereferences);
    let (right, count) = (all().filter(|card| card.expression_right()).count(), all().count());
    println!("expression, pointer, struct, member and offset all right: {right} of {count} that dereference");
    let proved: usize = cards.iter().map(|card| card.proved_wrong.len()).sum();
    println!("wrong though graded proved: {proved}");
    println!("not judged: {broken} broken, {} kernels skipped", skipped.len());
    for why in skipped {
        println!("  skipped {why}");
    }
    if score {
        print!("\n{}", Summary::of(cards).text());
    }
    let marks = |field| {
        let marks = || cards.iter().filter_map(|card| card.right(field));
        (marks().filter(|right| *right).count(), marks().count())
    };
    share("expression", (right, count), expected.expression, &mut short);
    share("cause", marks(Field::Cause), expected.cause, &mut short);
    share("blame", marks(Field::Function), expected.blame, &mut short);
    share("blamed module", marks(Field::Module), expected.blame_module, &mut short);
    share("origin", marks(Field::Origin), expected.origin, &mut short);
    let mut passed = 0;
    for card in cards {
        let name = format!("{} {}", card.kernel, card.case);
        match &card.broken {
            Some(why) => short.push(format!("{name}: {why}")),
            None if card.right(Field::Location) == Some(false) => {
                short.push(format!("{name}: the location is wrong"));
            }
            None if !card.proved_wrong.is_empty() => {
                short.push(format!("{name}: wrong though graded proved: {}", card.proved_wrong.join(", ")));
            }
            None => passed += 1,
        }
    }
    Outcome { passed, failed: short, skipped: 0 }
}

/// Adds to `short` what falls short of the least share.
pub fn share(what: &str, (right, count): (usize, usize), least: f64, short: &mut Vec<String>) {
    let number = |count: usize| u32::try_from(count).map_or(f64::MAX, f64::from);
    if number(right) < least * number(count) {
        short.push(format!("{what}: {right} of {count} right; a share of {least} is asked for"));
    }
}
