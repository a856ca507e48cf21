//! `cargo xtask objdump`: our disassembly beside objdump's, instruction by instruction.
//!
//! objdump's own output says where each instruction lies and what its bytes are, so this
//! compares decoding and text, not the finding of instructions. What objdump adds for its
//! readers is taken off first: `<symbol+offset>`, comments, the column between mnemonic and
//! operands. Nothing else is forgiven.

use anyhow::{Context, Result, bail};
use kwhy_base::{Arch, ImageAddr};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// ELF files: a vmlinux, modules
    #[arg(required = true, value_name = "ELF")]
    files: Vec<PathBuf>,
    /// Compare every Nth instruction only
    #[arg(long, value_name = "N", default_value_t = 1)]
    sample: u64,
    /// The section to compare
    #[arg(long, value_name = "NAME", default_value = ".text")]
    section: String,
    /// How many classes of disagreement to show
    #[arg(long, value_name = "N", default_value_t = 40)]
    show: usize,
    /// Write a table of about 2000 instructions, rare mnemonics first, for the tests
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
}

/// Agreement below this fails the task: at most one in ten thousand may differ.
const WANTED: f64 = 0.9999;

/// Runs the task.
pub fn run(args: &Args) -> Result<()> {
    let mut failed = false;
    for file in &args.files {
        let outcome = compare(file, args)?;
        outcome.print(file, args.show);
        failed |= !outcome.good();
        if let Some(table) = &args.table {
            outcome.write_table(table)?;
        }
    }
    if failed {
        bail!("agreement with objdump is below {} %", WANTED * 100.0);
    }
    Ok(())
}

/// Bytes in hexadecimal, address, text.
type Entry = (String, u64, String);

/// What comparing one file found.
#[derive(Default)]
struct Outcome {
    compared: u64,
    different: u64,
    /// Words that objdump knows to be data.
    data: u64,
    /// (their mnemonic, our mnemonic) → how many, and some of them.
    classes: BTreeMap<(String, String), (u64, Vec<String>)>,
    /// mnemonic → (how many-eth of its shape, shape) → bytes, address, text: raw material of the table.
    shapes: BTreeMap<String, BTreeMap<(u8, String), Entry>>,
}

impl Outcome {
    fn share(&self) -> f64 {
        let (all, bad) = (self.compared.max(1) as f64, self.different as f64);
        1.0 - bad / all
    }

    fn good(&self) -> bool {
        self.compared > 0 && self.share() >= WANTED
    }

    fn print(&self, file: &Path, show: usize) {
        let mut classes: Vec<_> = self.classes.iter().collect();
        classes.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        for ((theirs, ours), (count, examples)) in classes.iter().take(show) {
            println!("{count:>8}  {theirs} | {ours}");
            for example in examples {
                println!("          {example}");
            }
        }
        println!(
            "{}: {} of {} instructions differ: {:.4} % agree ({} words of data left out)",
            file.display(),
            self.different,
            self.compared,
            self.share() * 100.0,
            self.data
        );
    }

    fn write_table(&self, path: &Path) -> Result<()> {
        // Round robin over the mnemonics, so that every one is there before any is there often.
        let mut chosen = BTreeSet::new();
        let most = self.shapes.values().map(BTreeMap::len).max().unwrap_or(0);
        for rank in 0..most {
            for shapes in self.shapes.values() {
                if let Some(entry) = shapes.values().nth(rank).filter(|_| chosen.len() < 2000) {
                    chosen.insert(entry.clone());
                }
            }
        }
        let mut out =
            std::fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        for (bytes, address, text) in chosen {
            writeln!(out, "{bytes} {address:x} {text}")?;
        }
        Ok(())
    }
}

fn compare(file: &Path, args: &Args) -> Result<Outcome> {
    let arch = architecture(file)?;
    let program = match arch {
        Arch::Arm64 if !cfg!(target_arch = "aarch64") => "aarch64-linux-gnu-objdump",
        Arch::X86_64 if !cfg!(target_arch = "x86_64") => "x86_64-linux-gnu-objdump",
        _ => "objdump",
    };
    let mut command = Command::new(program);
    command.args(["-d", "-w", "-j", &args.section]).arg(file);
    if arch == Arch::X86_64 {
        command.arg("--insn-width=15");
    }
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {program}: install binutils for {arch}"))?;
    let stdout = child.stdout.take().context("objdump has no output")?;
    let mut outcome = Outcome::default();
    let mut seen = 0_u64;
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        let Some((address, bytes, theirs)) = instruction(&line, arch) else { continue };
        seen += 1;
        if seen.is_multiple_of(args.sample.max(1)) {
            one(&mut outcome, arch, address, &bytes, theirs);
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{program} failed on {}", file.display());
    }
    Ok(outcome)
}

/// The architecture, from the ELF header's machine field.
fn architecture(file: &Path) -> Result<Arch> {
    use std::io::Read;
    let mut header = [0_u8; 20];
    std::fs::File::open(file)
        .and_then(|mut f| f.read_exact(&mut header))
        .with_context(|| format!("cannot read {}", file.display()))?;
    match (header.starts_with(b"\x7fELF"), header[18], header[19]) {
        (true, 62, 0) => Ok(Arch::X86_64),
        (true, 183, 0) => Ok(Arch::Arm64),
        _ => bail!("{} is no ELF file for x86-64 or ARM64", file.display()),
    }
}

/// One line of objdump's listing: address, bytes in memory order, text.
fn instruction(line: &str, arch: Arch) -> Option<(u64, Vec<u8>, &str)> {
    let (address, rest) = line.trim_start().split_once(":\t")?;
    let address = u64::from_str_radix(address, 16).ok()?;
    let (bytes, text) = rest.split_once('\t')?;
    let digits: Vec<char> = bytes.chars().filter(|c| !c.is_whitespace()).collect();
    let mut bytes = Vec::new();
    for pair in digits.chunks(2) {
        bytes.push(u8::from_str_radix(&pair.iter().collect::<String>(), 16).ok()?);
    }
    if arch == Arch::Arm64 {
        bytes.reverse();
    }
    Some((address, bytes, text))
}

fn one(outcome: &mut Outcome, arch: Arch, address: u64, bytes: &[u8], theirs: &str) {
    let theirs = tidy(theirs, arch);
    if [".word ", ".byte ", ".short "].iter().any(|data| theirs.starts_with(data)) {
        outcome.data += 1;
        return;
    }
    outcome.compared += 1;
    let decoded = kwhy_flow::insn::decode(arch, bytes, ImageAddr(address));
    let ours = match &decoded {
        Some(insn) if usize::from(insn.len) == bytes.len() => insn.text(),
        Some(insn) => format!("{} ({} bytes of {})", insn.text(), insn.len, bytes.len()),
        None if arch == Arch::Arm64 => {
            let mut word = [0; 4];
            word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            format!(".inst 0x{:08x} ; undefined", u32::from_le_bytes(word))
        }
        None => "(bad)".to_owned(),
    };
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if decoded.is_some() {
        let mnemonic = theirs.split(' ').next().unwrap_or_default().to_owned();
        let shapes = outcome.shapes.entry(mnemonic).or_default();
        let shape = shape(&theirs);
        if let Some(nth) = (0..4).find(|nth| !shapes.contains_key(&(*nth, shape.clone()))) {
            shapes.insert((nth, shape), (hex.clone(), address, theirs.clone()));
        }
    }
    if ours != theirs {
        outcome.different += 1;
        let head = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
        let class = outcome.classes.entry((head(&theirs), head(&ours))).or_default();
        class.0 += 1;
        if class.1.len() < 3 {
            class.1.push(format!("{hex}: {theirs} | {ours}"));
        }
    }
}

/// The text without what objdump adds for its readers.
fn tidy(text: &str, arch: Arch) -> String {
    let comment = if arch == Arch::Arm64 { "//" } else { "#" };
    let text = text.split_once(comment).map_or(text, |(code, _)| code);
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        rest = after.split_once('>').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text with all numbers and registers made equal: instructions of one shape decode alike.
fn shape(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '%') {
        let (body, end) = match word.char_indices().last() {
            Some((at, c)) if !c.is_ascii_alphanumeric() => word.split_at(at),
            _ => (word, ""),
        };
        let number = body.starts_with(|c: char| c.is_ascii_digit())
            || (body.len() >= 8 && body.chars().all(|c| c.is_ascii_hexdigit()));
        let register = body.starts_with('%') || body.ends_with(|c: char| c.is_ascii_digit());
        out.push_str(if number {
            "#"
        } else if register {
            body.get(..1).unwrap_or_default()
        } else {
            body
        });
        out.push_str(end);
    }
    out
}
