//! The tools that kwhy is measured beside, how they are got, and how each is asked.

use super::crash::Crash;
use super::measure::{Before, Way};
use crate::lab::apt::{self, Apt};
use crate::lab::kernels;
use crate::tool;
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// kwhy's name in the tables: as everyone else, with its files in the page cache and nothing learned.
pub const KWHY: &str = "kwhy";
/// What it learned of the image is at hand.
pub const KWHY_INDEX: &str = "kwhy, index";
/// The same, learned from another crash of this kernel.
pub const KWHY_OTHER: &str = "kwhy, index of another crash";
/// It learns while it answers, and writes that down.
pub const KWHY_LEARNS: &str = "kwhy, making the index";
/// The disk has to be read first.
pub const KWHY_COLD: &str = "kwhy, nothing in the page cache";

/// Whose index another crash's report is measured with; the crash itself takes the second.
const TEACHERS: [&str; 2] = ["c11_list_poison", "c12_global"];
/// gdb's.
pub const GDB: &str = "gdb";
/// The kernel's script's.
pub const DECODE: &str = "decode_stacktrace.sh";

/// The release of drgn that is measured. The first ones that can look up a source line without
/// a running program are later than Debian's package.
const DRGN: &str = "drgn==0.3.0";

/// The source lines of addresses, for drgn: vmlinux, the kernel's ends, the addresses.
const DRGN_SCRIPT: &str = "
import sys, drgn
low, high, *addresses = (int(word, 16) for word in sys.argv[2:])
program = drgn.Program()
module = program.extra_module('vmlinux', create=True)
module.address_ranges = [(low, high)]
module.try_file(sys.argv[1], force=True)
for address in addresses:
    print(program.source_location(address))
";

/// The kernel source package that the script is taken from, and the release that has it.
const SOURCE: (&str, &str) = ("linux-source-6.1", "bookworm");

/// Someone who is asked about the crash.
pub struct Contender {
    /// Its name.
    pub name: &'static str,
    /// What it is asked.
    pub asked: String,
    /// How, or why that cannot be.
    pub way: Result<Way, String>,
}

/// What was got ready once for all kernels; each one or the reason why it is not there.
pub struct Rivals {
    script: Result<PathBuf, String>,
    drgn: Result<PathBuf, String>,
    host: String,
}

impl Rivals {
    /// Fetches and installs what is missing; what cannot be had is told in its row.
    pub fn provide(cache: &Path) -> Rivals {
        let told = |done: Result<PathBuf>| done.map_err(|why| format!("{why:#}"));
        Rivals {
            script: told(decode_script(cache)),
            drgn: told(drgn(cache)),
            host: kernels::host_arch().unwrap_or_default(),
        }
    }

    /// Everyone, kwhy first.
    pub fn contenders(
        &self,
        kwhy: &Path,
        crash: &Crash,
        modules: &[PathBuf],
        cache: &Path,
    ) -> Result<Vec<Contender>> {
        let vmlinux = crash.vmlinux.as_os_str().to_owned();
        let hex: Vec<OsString> = crash.addresses.iter().map(|at| format!("{at:#x}").into()).collect();
        let first = crash.frames.first().and_then(|frame| frame.split('/').next()).unwrap_or_default();
        let way = |program: &Path, args: Vec<OsString>| Way {
            program: program.into(),
            args,
            env: Vec::new(),
            input: None,
            before: Vec::new(),
            expect: crash.fault.clone(),
        };
        let args = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<OsString>>();

        let mut report = args(&["-i"]);
        report.push(vmlinux.clone());
        for module in modules {
            report.extend(["-i".into(), module.into()]);
        }
        report.push(crash.log.clone().into());

        let mut own = own(kwhy, crash, modules, cache, &|| way(kwhy, report.clone()))?;

        // The native gdb does not know other machines' code.
        let gdb = if self.host == crash.arch { "gdb" } else { "gdb-multiarch" };
        let mut list = args(&["-batch", "-nx", "-ex", &format!("list *({first})")]);
        list.push(vmlinux.clone());

        let prefix = self.prefix(&crash.arch);
        let mut lines = args(&["-i", "-f", "-e"]);
        lines.push(vmlinux.clone());
        lines.extend(hex.clone());

        let mut symbolize = args(&["-e"]);
        symbolize.push(vmlinux.clone());
        symbolize.extend(hex.clone());

        let mut python = args(&["-c", DRGN_SCRIPT]);
        python.push(vmlinux.clone());
        python.extend([crash.kernel.0, crash.kernel.1].map(|at| format!("{at:#x}").into()));
        python.extend(hex);

        // As a trace of nothing but these frames, and with the path prefix given: without it the script looks
        // one more function up to find that out.
        let trace = cache.join("bench").join(format!("{}-{}.trace", crash.arch, crash.case));
        fs::create_dir_all(cache.join("bench"))?;
        fs::write(&trace, crash.frames.iter().map(|frame| format!(" {frame}\n")).collect::<String>())?;
        let scripted = self.script.clone().map(|script| Way {
            env: vec![("CROSS_COMPILE", prefix.to_owned())],
            input: Some(trace),
            ..way(Path::new("bash"), vec![script.into(), vmlinux, ".".into()])
        });

        let count = crash.frames.len();
        let given = format!("{count} frames, addresses given");
        let addr2line = format!("{prefix}addr2line");
        let binutils = if self.host == crash.arch {
            "binutils"
        } else if crash.arch == "arm64" {
            "binutils-aarch64-linux-gnu"
        } else {
            "binutils-x86-64-linux-gnu"
        };
        let there = |program: &str, package: &str, args: Vec<OsString>| {
            installed(program, package).map(|path| way(&path, args)).map_err(|why| format!("{why:#}"))
        };
        let cold = own.pop();
        own.extend([
            Contender { name: GDB, asked: format!("`list *({first})`"), way: there(gdb, gdb, list) },
            Contender {
                name: "addr2line -i -f",
                asked: given.clone(),
                way: there(&addr2line, binutils, lines),
            },
            Contender {
                name: "llvm-symbolizer",
                asked: given.clone(),
                way: there("llvm-symbolizer", "llvm", symbolize),
            },
            Contender {
                name: "drgn",
                asked: given,
                way: self.drgn.clone().map(|program| way(&program, python)),
            },
            Contender { name: DECODE, asked: format!("{count} frames"), way: scripted },
        ]);
        own.extend(cold);
        Ok(own)
    }

    /// What the names of another machine's binutils begin with.
    fn prefix(&self, arch: &str) -> &'static str {
        match arch {
            _ if arch == self.host => "",
            "arm64" => "aarch64-linux-gnu-",
            _ => "x86_64-linux-gnu-",
        }
    }
}

/// kwhy itself, by what it knows when it starts; last what empties the page cache.
fn own(
    kwhy: &Path,
    crash: &Crash,
    modules: &[PathBuf],
    cache: &Path,
    report: &dyn Fn() -> Way,
) -> Result<Vec<Contender>> {
    let folder = cache.join("bench/index").join(format!("{}-{}", crash.arch, crash.case));
    let [fresh, filled, taught, copied] =
        ["fresh", "filled", "taught", "copied"].map(|name| folder.join(name));
    for folder in [&filled, &taught].into_iter().filter(|folder| folder.exists()) {
        // Of an earlier run, and perhaps of another kwhy.
        fs::remove_dir_all(folder)?;
    }
    let with = |folder: &Path, before: Vec<Before>| Way {
        env: vec![("KWHY_CACHE_DIR", folder.display().to_string())],
        before,
        ..report()
    };
    let row = |name, way| Contender { name, asked: "the whole report".to_owned(), way };
    let files: Vec<PathBuf> = [&crash.vmlinux, &crash.log].into_iter().chain(modules).cloned().collect();
    let other = teach(kwhy, crash, &taught)
        .map(|()| with(&copied, vec![Before::Folder(copied.clone(), Some(taught))]))
        .map_err(|why| format!("{why:#}"));
    Ok(vec![
        // The last row of the round before emptied the page cache.
        row(KWHY, Ok(Way { before: vec![Before::Read(files.clone())], ..report() })),
        row(KWHY_INDEX, Ok(with(&filled, Vec::new()))),
        row(KWHY_OTHER, other),
        row(KWHY_LEARNS, Ok(with(&fresh, vec![Before::Folder(fresh.clone(), None)]))),
        row(KWHY_COLD, Ok(Way { before: vec![Before::Forget(files)], ..report() })),
    ])
}

/// Has kwhy explain another crash of the same kernel, with an index in `folder`.
fn teach(kwhy: &Path, crash: &Crash, folder: &Path) -> Result<()> {
    let cases = crash.log.parent().and_then(Path::parent).context("the log is in no case's folder")?;
    let teacher = TEACHERS.iter().find(|name| **name != crash.case && cases.join(name).is_dir());
    let log = cases.join(teacher.context("no other crash of this kernel")?).join("console.log");
    let mut command = Command::new(kwhy);
    tool::alone(&mut command).env("KWHY_CACHE_DIR", folder).arg("-i").arg(&crash.vmlinux).arg(log);
    // Its modules are not given: what is learned is the kernel's. 1 says that no cause was found.
    let out = command.output().with_context(|| kwhy.display().to_string())?;
    anyhow::ensure!(matches!(out.status.code(), Some(0 | 1)), "it failed on {}", crash.case);
    Ok(())
}

/// A program, installed if it is not there.
fn installed(program: &str, package: &str) -> Result<PathBuf> {
    if !tool::have(program) {
        apt::install(&[package])?;
    }
    tool::find(program).with_context(|| format!("package {package} did not bring {program}"))
}

/// The script out of the kernel's source package; 140 MB are fetched for it once.
fn decode_script(cache: &Path) -> Result<PathBuf> {
    let (package, suite) = SOURCE;
    let dir = cache.join("bench");
    let script = dir.join(format!("{package}/scripts/decode_stacktrace.sh"));
    if !script.exists() {
        fs::create_dir_all(&dir)?;
        let deb = Apt::new(cache, suite, &kernels::host_arch()?)?.download_any(package)?;
        let tarball = format!("usr/src/{package}.tar.xz");
        kernels::unpack_one(&deb, &dir, &tarball)?;
        let inside = format!("{package}/scripts/decode_stacktrace.sh");
        eprintln!("  unpacking {inside}");
        tool::output(
            Command::new("tar")
                .arg("-xJf")
                .arg(dir.join(&tarball))
                .args(["--occurrence=1", "-C"])
                .arg(&dir)
                .arg(inside),
        )?;
        fs::remove_file(dir.join(tarball))?;
        fs::remove_file(deb)?;
    }
    Ok(script)
}

/// A Python that has drgn, in an environment of its own.
fn drgn(cache: &Path) -> Result<PathBuf> {
    let dir = cache.join("bench").join(DRGN);
    let python = dir.join("bin/python");
    let works = || tool::output(Command::new(&python).args(["-c", "import drgn"])).is_ok();
    if !works() {
        eprintln!("  installing {DRGN} from the Python package index");
        fs::create_dir_all(cache.join("bench"))?;
        let made = tool::output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&dir));
        made.context("no Python environment (packages python3 and python3-venv)")?;
        tool::output(Command::new(&python).args(["-m", "pip", "install", "--quiet", DRGN]))?;
    }
    Ok(python)
}
