//! `cargo xtask bench`: kwhy's whole report beside what one would otherwise ask, on the same vmlinux.
//!
//! Every program is run several times in turn, the page cache warm, and its median wall time and peak
//! memory are taken by GNU time. The crash is the lab's recorded one in `mod_sysfs_setup`.

use crate::lab::{self, apt};
use crate::tool;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// Runs of each program
    #[arg(long, default_value_t = 7)]
    runs: usize,
    /// Measure this kwhy instead of building one
    #[arg(long, value_name = "PROGRAM")]
    kwhy: Option<PathBuf>,
}

/// One program and what it is asked.
struct Contender {
    name: &'static str,
    question: &'static str,
    command: Vec<String>,
    /// A file given as standard input.
    input: Option<PathBuf>,
}

struct Measured {
    name: &'static str,
    question: &'static str,
    seconds: f64,
    megabytes: f64,
}

/// Runs the task.
pub fn run(args: &Args) -> Result<()> {
    apt::install(&["time", "gdb", "binutils", "llvm", "xz-utils", "gawk"])?;
    let cache = lab::kernels::cache()?;
    let subject = lab::subject("amd64-6.1", "c01_module_use", &cache)?;
    let kwhy = args.kwhy.clone().map_or_else(lab::program, Ok)?;
    let contenders = contenders(&subject, &kwhy, &cache)?;
    let mut rows = Vec::new();
    for contender in &contenders {
        eprintln!("  {}", contender.name);
        rows.push(measure(contender, args.runs, &cache).with_context(|| contender.name.to_owned())?);
    }
    let Some(ours) = rows.first() else { bail!("nothing was measured") };
    println!("| program | question | seconds | MB | time ÷ kwhy's | memory ÷ kwhy's |");
    println!("| --- | --- | ---: | ---: | ---: | ---: |");
    for row in &rows {
        println!(
            "| {} | {} | {:.3} | {:.0} | {:.1} | {:.1} |",
            row.name,
            row.question,
            row.seconds,
            row.megabytes,
            row.seconds / ours.seconds,
            row.megabytes / ours.megabytes
        );
    }
    let of = |name: &str| rows.iter().find(|row| row.name == name);
    let mut missed = Vec::new();
    if let Some(gdb) = of("gdb") {
        if gdb.seconds < 10.0 * ours.seconds {
            missed.push("a tenth of gdb's time");
        }
        if gdb.megabytes < 4.0 * ours.megabytes {
            missed.push("a quarter of gdb's memory");
        }
    }
    if of("decode_stacktrace.sh").is_some_and(|script| script.seconds < 15.0 * ours.seconds) {
        missed.push("a fifteenth of decode_stacktrace.sh's time");
    }
    if !missed.is_empty() {
        bail!("targets missed: {}", missed.join(", "));
    }
    println!("\nAll targets are met.");
    Ok(())
}

fn contenders(subject: &lab::Subject, kwhy: &Path, cache: &Path) -> Result<Vec<Contender>> {
    let vmlinux = subject.vmlinux.display().to_string();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let mut ours = words(&[&kwhy.display().to_string(), "-i", &vmlinux]);
    for module in &subject.modules {
        ours.extend(words(&["-i", &module.display().to_string()]));
    }
    ours.push(subject.log.display().to_string());
    let place = format!("list *({}+{})", subject.symbol, subject.offset);
    let mut list = vec![
        Contender { name: "kwhy", question: "the whole report", command: ours, input: None },
        Contender {
            name: "gdb",
            question: "list *(symbol+offset)",
            command: words(&["gdb", "-nx", "-batch", "-ex", &place, &vmlinux]),
            input: None,
        },
        Contender {
            name: "addr2line",
            question: "one address with its inlines",
            command: words(&["addr2line", "-f", "-i", "-e", &vmlinux, &subject.address]),
            input: None,
        },
        Contender {
            name: "llvm-symbolizer",
            question: "one address with its inlines",
            command: words(&["llvm-symbolizer", "--inlines", "--obj", &vmlinux, &subject.address]),
            input: None,
        },
    ];
    match decode_stacktrace(cache) {
        Ok(script) => {
            let trace = cache.join("bench-trace.txt");
            fs::write(&trace, subject.trace.join("\n") + "\n")?;
            list.push(Contender {
                name: "decode_stacktrace.sh",
                question: "five frames",
                command: words(&["bash", &script.display().to_string(), &vmlinux]),
                input: Some(trace),
            });
        }
        Err(why) => eprintln!("  decode_stacktrace.sh is left out: {why:#}"),
    }
    if tool::have("drgn") {
        let ask = format!("print(prog.symbol('{}'), prog['modules'].type_)", subject.symbol);
        list.push(Contender {
            name: "drgn",
            question: "one symbol and one type",
            command: words(&["drgn", "-q", "--symbols", &vmlinux, "-e", &ask]),
            input: None,
        });
    } else {
        eprintln!("  drgn is left out: it is not installed");
    }
    Ok(list)
}

/// The kernel's own script, out of Debian's packaged source.
fn decode_stacktrace(cache: &Path) -> Result<PathBuf> {
    let dir = cache.join("source");
    let script = dir.join("linux-source-6.1/scripts/decode_stacktrace.sh");
    if script.exists() {
        return Ok(script);
    }
    fs::create_dir_all(&dir)?;
    let packages = apt::Apt::new(cache, "bookworm", &lab::kernels::host_arch()?)?;
    let deb = packages.download_any("linux-source-6.1")?;
    tool::output(Command::new("dpkg-deb").arg("-x").arg(&deb).arg(&dir))?;
    let archive = dir.join("usr/src/linux-source-6.1.tar.xz");
    tool::output(
        Command::new("tar")
            .args(["-x", "--occurrence=1", "-C"])
            .arg(&dir)
            .arg("-f")
            .arg(&archive)
            .arg("linux-source-6.1/scripts/decode_stacktrace.sh"),
    )?;
    fs::remove_file(archive)?;
    Ok(script)
}

/// Runs a program once to warm the page cache, then measures it.
fn measure(contender: &Contender, runs: usize, cache: &Path) -> Result<Measured> {
    let (mut times, mut sizes) = (Vec::new(), Vec::new());
    let report = cache.join("bench-time.txt");
    for run in 0..=runs.max(1) {
        let mut command = Command::new("/usr/bin/time");
        command.args(["-q", "-f", "%e %M", "-o"]).arg(&report).args(&contender.command);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.stdin(match &contender.input {
            Some(path) => Stdio::from(fs::File::open(path)?),
            None => Stdio::null(),
        });
        let start = std::time::Instant::now();
        let status = command.status()?;
        let seconds = start.elapsed().as_secs_f64();
        // kwhy's 1 is an answer: analysed, but undetermined.
        if !matches!(status.code(), Some(0 | 1)) {
            bail!("ended with {status}");
        }
        let text = fs::read_to_string(&report)?;
        let kilobytes = text.split_whitespace().last().and_then(|word| word.parse::<f64>().ok());
        if run > 0 {
            times.push(seconds);
            sizes.push(kilobytes.context("GNU time said nothing")? / 1024.0);
        }
    }
    Ok(Measured {
        name: contender.name,
        question: contender.question,
        seconds: median(times),
        megabytes: median(sizes),
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert!((median(vec![9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
    }
}
