//! The lab without debug information: what kwhy says from what every distribution ships.
//!
//! Each recorded crash is given the kernel's boot image and the modules as a package holds them,
//! stripped of DWARF; once with the BTF that a distribution's build adds (`pahole -J`), once
//! without, as modules built from headers are. Source lines are DWARF's alone, and are not asked for.

use super::Outcome;
use super::judge::{self, Bare, Exhibit};
use super::kernels::Kernel;
use super::score::{self, Field};
use crate::tool;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// What is compared, in the order of the table. `the same` is the cause that is told with DWARF.
const FIELDS: [&str; 7] = ["function", "cause", "the same", "struct", "member", "blame", "module"];

/// How often each field was right, of how many.
type Counts = BTreeMap<&'static str, (usize, usize)>;

/// What came of one exhibit: each field, whether it is right, and what was said; and what was
/// wrong though it was called proved.
type Judged = (Vec<(&'static str, bool, String)>, Vec<String>);

/// Tries every exhibit both ways and prints the table; the whole lab's is written to the docs when
/// `write` says so.
pub fn run(
    exhibits: &[Exhibit],
    cache: &Path,
    given: Option<&Path>,
    expected: Option<&Bare>,
    write: bool,
) -> Result<Outcome> {
    let program = given.map_or_else(judge::program, |path| Ok(path.to_path_buf()))?;
    let mut outcome = Outcome::default();
    let mut tables: Vec<(&str, BTreeMap<String, Counts>)> = Vec::new();
    let mut wrong = Vec::new();
    let full = side_by_side(exhibits, &|exhibit| {
        let Some(vmlinux) = judge::vmlinux(exhibit, cache)? else { return Ok(None) };
        let report = judge::report_with(&program, exhibit, &vmlinux, &judge::modules(exhibit, cache)?)?;
        Ok(report.pointer("/crashes/0/cause").and_then(Value::as_str).map(str::to_owned))
    });
    for (name, btf) in [("with BTF", true), ("without BTF", false)] {
        let judged = side_by_side(exhibits, &|exhibit| {
            let (report, modules) = report(&program, exhibit, cache, btf)?;
            Ok(compare(&exhibit.truth, &report, &functions(&modules)?, btf))
        });
        let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
        for ((exhibit, judged), full) in exhibits.iter().zip(judged).zip(&full) {
            let (mut fields, proved_wrong) = match judged {
                Ok(judged) => judged,
                Err(why) => {
                    outcome.failed.push(format!("{} {}: {why:#}", exhibit.kernel, exhibit.case));
                    continue;
                }
            };
            let said =
                fields.iter().find(|(field, ..)| *field == "cause").map(|(_, right, said)| (*right, said));
            if let (Some((right, said)), Ok(Some(full))) = (said, full) {
                // A right cause is as good as DWARF's, whatever that was.
                let same = right || said.split(' ').next() == Some(full.as_str());
                fields.push(("the same", same, format!("{full} with DWARF")));
            }
            for (field, right, detail) in fields {
                for row in [exhibit.kernel.as_str(), "all"] {
                    let count = counts.entry(row.to_owned()).or_default().entry(field).or_default();
                    count.0 += usize::from(right);
                    count.1 += 1;
                }
                if !right {
                    wrong.push(format!("{name}: {} {}: {field}: {detail}", exhibit.kernel, exhibit.case));
                }
            }
            for what in proved_wrong {
                let line = format!(
                    "{name}: {} {}: {what} is wrong though graded proved",
                    exhibit.kernel, exhibit.case
                );
                outcome.failed.push(line);
            }
            outcome.passed += 1;
        }
        if let (Some(expected), Some(all)) = (expected, counts.get("all")) {
            let mut asked = vec![("function", expected.function), ("the same", expected.cause)];
            // Modules without BTF say nothing of their own structs.
            if btf {
                asked.extend([("struct", expected.r#struct), ("member", expected.member)]);
            }
            for (field, least) in asked {
                let count = all.get(field).copied().unwrap_or_default();
                judge::share(
                    &format!("without DWARF, modules {name}: {field}"),
                    count,
                    least,
                    &mut outcome.failed,
                );
            }
        }
        tables.push((name, counts));
    }
    let text = table(&tables);
    println!("{text}");
    for line in &wrong {
        println!("{line}");
    }
    if write && outcome.failed.is_empty() {
        fs::write(tool::root().join("docs/no-dwarf.md"), document(&text, &wrong))?;
    }
    Ok(outcome)
}

/// Asks `ask` of every exhibit, two at a time; the answers are in the exhibits' order.
fn side_by_side<T: Send>(
    exhibits: &[Exhibit],
    ask: &(dyn Fn(&Exhibit) -> Result<T> + Sync),
) -> Vec<Result<T>> {
    let queue = Mutex::new(exhibits.iter().enumerate());
    let answers = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((at, exhibit)) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                    let answer = ask(exhibit);
                    if let Ok(mut answers) = answers.lock() {
                        answers.insert(at, answer);
                    }
                }
            });
        }
    });
    answers.into_inner().unwrap_or_default().into_values().collect()
}

fn table(tables: &[(&str, BTreeMap<String, Counts>)]) -> String {
    let mut text = String::from("| modules | kernel |");
    for field in FIELDS {
        let _ = write!(text, " {field} |");
    }
    text.push_str("\n| --- | --- |");
    text.push_str(&" ---: |".repeat(FIELDS.len()));
    text.push('\n');
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
         that the log names; source lines and inlined calls are known to DWARF only. Causes, structs,\n\
         members and the blamed function and module are compared with the truths of the recordings, as in\n\
         the lab with debug information; functions are only blamed by name where they have a symbol, and were not\n\
         inlined everywhere. *The same* counts the crashes whose cause is right, or the one that\n\
         is told with debug information. `lab/expectations.toml` says what the tests ask for.\n\n",
    );
    text.push_str(table);
    text.push_str("\nWhat is wrong or missing:\n\n");
    for line in wrong {
        let _ = writeln!(text, "- {line}");
    }
    text
}

/// kwhy's report, and the modules that it was given.
fn report(program: &Path, exhibit: &Exhibit, cache: &Path, btf: bool) -> Result<(Value, Vec<PathBuf>)> {
    let (kernel, release, version) = identity(exhibit)?;
    let image = kernel.boot_image(cache, release, version)?;
    let mut modules = Vec::new();
    for module in judge::modules(exhibit, cache)? {
        modules.push(stripped(&module, kernel, exhibit, cache, btf)?);
    }
    Ok((judge::report_with(program, exhibit, &image, &modules)?, modules))
}

/// The functions that have a symbol; those inlined everywhere have none.
fn functions(modules: &[PathBuf]) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for module in modules {
        let listed = tool::output(Command::new("nm").arg(module))?;
        let last = |line: &str| line.rsplit(' ').next().map(|name| plain(name).to_owned());
        names.extend(String::from_utf8_lossy(&listed).lines().filter_map(last));
    }
    Ok(names)
}

/// A name without what the compiler added: `fc_spin.isra.0`.
fn plain(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
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

/// Compares a report with the truth.
///
/// What the kernel's function that tripped accessed may be proved by its own prototype. In whose terms the truth
/// speaks, those of the driver that called it, cannot be known where the driver has no types.
fn compare(truth: &Value, report: &Value, functions: &BTreeSet<String>, btf: bool) -> Judged {
    let crash = report.pointer("/crashes/0").unwrap_or(&Value::Null);
    let mut found = Vec::new();
    let place = ["/pc/symbol", "/call_site/symbol"].iter().find_map(|at| truth.pointer(at)?.as_str());
    if let Some(symbol) = place {
        let got = crash.pointer("/location/symbol").and_then(Value::as_str).unwrap_or("-");
        found.push(("function", got == symbol, format!("{got} for {symbol}")));
    }
    let card = score::judge(truth, report);
    for mark in &card.marks {
        let name = match mark.field {
            Field::Cause => "cause",
            Field::Struct => "struct",
            Field::Member => "member",
            Field::Function if functions.contains(mark.want.split(' ').next().unwrap_or_default()) => "blame",
            Field::Module => "module",
            _ => continue,
        };
        let got = if mark.got.is_empty() { "-" } else { mark.got.as_str() };
        found.push((name, mark.right, format!("{got} for {}", mark.want)));
    }
    // The words of an expression are DWARF's to know; that its struct and member are right is compared above.
    let own_terms = !btf && truth.get("caller_frame").is_some();
    let types_right =
        own_terms || [Field::Struct, Field::Member].iter().all(|field| card.right(*field) != Some(false));
    let wrong = card.proved_wrong.into_iter().filter(|what| what != "expression" || !types_right);
    (found, wrong.collect())
}
