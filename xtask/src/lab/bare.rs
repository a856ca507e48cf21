//! The lab without debug information: what kwhy says from what every distribution ships.
//!
//! Each recorded crash is given the kernel's boot image and the modules as a package holds them,
//! stripped of DWARF; once with the BTF that a distribution's build adds (`pahole -J`), once
//! without, as modules built from headers are. Source lines are DWARF's alone, and are not asked for.

use super::Outcome;
use super::judge::{self, Exhibit};
use super::kernels::Kernel;
use super::score::same_member;
use crate::tool;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is compared, in the order of the table.
const FIELDS: [&str; 4] = ["function", "cause", "struct", "member"];

/// How often each field was right, of how many.
type Counts = BTreeMap<&'static str, (usize, usize)>;

/// Tries every exhibit both ways and prints the table; the whole lab's is written to the docs.
pub fn run(exhibits: &[Exhibit], cache: &Path, given: Option<&Path>, whole: bool) -> Result<Outcome> {
    let program = given.map_or_else(judge::program, |path| Ok(path.to_path_buf()))?;
    let mut outcome = Outcome::default();
    let mut tables: Vec<(&str, BTreeMap<String, Counts>)> = Vec::new();
    let mut wrong = Vec::new();
    for (name, btf) in [("with BTF", true), ("without BTF", false)] {
        let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
        for exhibit in exhibits {
            let report = match report(&program, exhibit, cache, btf) {
                Ok(report) => report,
                Err(why) => {
                    outcome.failed.push(format!("{} {}: {why:#}", exhibit.kernel, exhibit.case));
                    continue;
                }
            };
            for (field, right, detail) in compare(&exhibit.truth, &report) {
                for row in [exhibit.kernel.as_str(), "all"] {
                    let count = counts.entry(row.to_owned()).or_default().entry(field).or_default();
                    count.0 += usize::from(right);
                    count.1 += 1;
                }
                if !right {
                    wrong.push(format!("{name}: {} {}: {field}: {detail}", exhibit.kernel, exhibit.case));
                }
            }
            outcome.passed += 1;
        }
        tables.push((name, counts));
    }
    let text = table(&tables);
    println!("{text}");
    for line in &wrong {
        println!("{line}");
    }
    if whole && outcome.failed.is_empty() {
        fs::write(tool::root().join("docs/no-dwarf.md"), document(&text, &wrong))?;
    }
    Ok(outcome)
}

fn table(tables: &[(&str, BTreeMap<String, Counts>)]) -> String {
    let mut text = String::from("| modules | kernel | function | cause | struct | member |\n");
    text.push_str("| --- | --- | ---: | ---: | ---: | ---: |\n");
    for (name, counts) in tables {
        for (kernel, counts) in counts {
            let _ = write!(text, "| {name} | {kernel} |");
            for field in FIELDS {
                let (right, count) = counts.get(field).copied().unwrap_or_default();
                let _ = write!(text, " {right} of {count} |");
            }
            text.push('\n');
        }
    }
    text
}

fn document(table: &str, wrong: &[String]) -> String {
    let mut text = String::from(
        "# Without debug information\n\n\
         Written by `cargo xtask lab --recorded --no-dwarf`: every recorded crash of the lab, explained from\n\
         the boot image (`vmlinuz`) and modules stripped of DWARF alone. Modules with BTF are as a\n\
         distribution builds them, those without such as are built from headers. The function is the one\n\
         that the log names; source lines and inlined calls are known to DWARF only. Causes, structs and\n\
         members are compared with the truths of the recordings, as in the lab with debug information.\n\n",
    );
    text.push_str(table);
    text.push_str("\nWhat is wrong or missing:\n\n");
    for line in wrong {
        let _ = writeln!(text, "- {line}");
    }
    text
}

fn report(program: &Path, exhibit: &Exhibit, cache: &Path, btf: bool) -> Result<Value> {
    let (kernel, release, version) = identity(exhibit)?;
    let image = kernel.boot_image(cache, release, version)?;
    let mut modules = Vec::new();
    for module in judge::modules(exhibit, cache)? {
        modules.push(stripped(&module, kernel, exhibit, cache, btf)?);
    }
    judge::report_with(program, exhibit, &image, &modules)
}

fn identity(exhibit: &Exhibit) -> Result<(&'static Kernel, &str, Option<&str>)> {
    let text = |key: &str| exhibit.truth.get(key).and_then(Value::as_str);
    let kernel = Kernel::named(&exhibit.kernel).context("not a kernel of this lab")?;
    Ok((kernel, text("release").context("truth.json has no release")?, text("package_version")))
}

/// The exhibit's boot image and list of symbols, where the archive still serves both.
pub fn files(exhibit: &Exhibit, cache: &Path) -> Result<Vec<PathBuf>> {
    let (kernel, release, version) = identity(exhibit)?;
    let both = (kernel.boot_image(cache, release, version), kernel.system_map(cache, release, version));
    Ok(match both {
        (Ok(image), Ok(map)) => vec![image, map],
        _ => Vec::new(),
    })
}

/// The module without DWARF, made once.
fn stripped(
    module: &Path,
    kernel: &'static Kernel,
    exhibit: &Exhibit,
    cache: &Path,
    btf: bool,
) -> Result<PathBuf> {
    let dir = cache.join(if btf { "bare-btf" } else { "bare" }).join(&exhibit.kernel).join(&exhibit.case);
    let file = dir.join(module.file_name().context("a module has a name")?);
    let newer = |a: &Path, b: &Path| -> Option<bool> {
        Some(fs::metadata(a).ok()?.modified().ok()? > fs::metadata(b).ok()?.modified().ok()?)
    };
    if newer(&file, &exhibit.dir.join("truth.json")) == Some(true) {
        return Ok(file);
    }
    fs::create_dir_all(&dir)?;
    let objcopy = if kernel.arch == "arm64" { "aarch64-linux-gnu-objcopy" } else { "objcopy" };
    let half = dir.join("unfinished");
    fs::copy(module, &half)?;
    if btf {
        let Some(vmlinux) = judge::vmlinux(exhibit, cache)? else { bail!("no vmlinux to build BTF on") };
        let mut pahole = Command::new("pahole");
        pahole.env("LLVM_OBJCOPY", objcopy).args(["-J", "--btf_base"]).arg(vmlinux).arg(&half);
        tool::output(&mut pahole)?;
    }
    tool::output(Command::new(objcopy).arg("--strip-debug").arg(&half))?;
    fs::rename(&half, &file)?;
    Ok(file)
}

/// Each field that the truth speaks of: whether it is right, and what was said.
fn compare(truth: &Value, report: &Value) -> Vec<(&'static str, bool, String)> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let crash = report.pointer("/crashes/0").unwrap_or(&Value::Null);
    let mut found = Vec::new();
    let place = ["/pc/symbol", "/call_site/symbol"].iter().find_map(|at| truth.pointer(at)?.as_str());
    if let Some(symbol) = place {
        let got = crash.pointer("/location/symbol").and_then(Value::as_str).unwrap_or("-");
        found.push(("function", got == symbol, format!("{got} for {symbol}")));
    }
    if let Some(cause) = text(truth, "cause") {
        let got = text(crash, "cause").unwrap_or_default();
        found.push(("cause", cause.split('/').any(|one| one == got), format!("{got} for {cause}")));
    }
    if text(truth, "access").is_none() {
        return found;
    }
    let said = crash.get("expression").unwrap_or(&Value::Null);
    let also = said.get("also").and_then(Value::as_array).into_iter().flatten();
    let entries: Vec<&Value> = std::iter::once(said).chain(also).collect();
    for field in ["struct", "member"] {
        let Some(want) = text(truth, field) else { continue };
        let got: Vec<String> = entries.iter().filter_map(|entry| text(entry, field)).collect();
        let same = |got: &String| if field == "member" { same_member(&want, got) } else { *got == want };
        let shown = if got.is_empty() { "-".to_owned() } else { got.join(" | ") };
        found.push((field, got.iter().any(same), format!("{shown} for {want}")));
    }
    found
}
