//! How often the expression behind a memory access is recovered, and how often the source bears
//! it out, measured over a whole vmlinux.
//!
//! ```text
//! cargo run --release -p kwhy-flow --example survey -- VMLINUX SOURCE-TREE [SAMPLES] [SEED] [SHOW]
//! cargo run --release -p kwhy-flow --example survey -- VMLINUX functions [FIRST] [LAST]
//! ```
//!
//! The first form takes SAMPLES instructions of C functions that touch memory neither on the
//! stack nor at a fixed address, at random but the same for the same seed, and asks for the
//! expression as for a crash there. No ground truth exists for arbitrary instructions; the
//! source does: an expression is borne out when its last member, or failing that its pointer's,
//! occurs in the text of a line that the debug information gives for the instruction (any level
//! of inlining, and one line either way). `-` for SOURCE-TREE skips that. SHOW examples of every
//! class are printed.
//!
//! The second form analyses every function once and says how long that takes: nothing may panic.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kwhy_base::{ImageAddr, Reg};
use kwhy_flow::describe::Footing;
use kwhy_flow::expr::{Recovered, Terms};
use kwhy_flow::insn::{Flow, Insn, Target};
use kwhy_flow::path::Fit;
use kwhy_flow::scene::Scene;
use kwhy_image::{Image, SourceFrame};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let data = std::fs::read(&arguments[0]).expect("the vmlinux");
    let number =
        |index: usize, otherwise: u64| arguments.get(index).map_or(otherwise, |text| text.parse().unwrap());
    if arguments.get(1).is_some_and(|word| word == "functions") {
        every_function(&data, number(2, 0) as usize, number(3, u64::MAX) as usize);
        return;
    }
    let image = Image::parse(&data).expect("an image");
    let tree = arguments.get(1).filter(|text| *text != "-").map(PathBuf::from);
    let mut survey = Survey { tree, ..Survey::default() };
    survey.run(&image, number(2, 1000) as usize, number(3, 1));
    survey.print(number(4, 8) as usize);
}

/// The same numbers for the same seed (Knuth's MMIX generator).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 20) % limit.max(1)
    }
}

fn text_section(image: &Image<'_>) -> (u64, u64) {
    let at =
        |name: &str| image.symbols_named(name).first().map(|symbol| symbol.address.0).expect("a vmlinux");
    (at("_stext"), at("_etext"))
}

#[derive(Default)]
struct Survey {
    tree: Option<PathBuf>,
    files: BTreeMap<String, Vec<String>>,
    /// The words of each macro's body.
    macros: BTreeMap<String, BTreeSet<String>>,
    macros_of: BTreeSet<String>,
    counts: BTreeMap<&'static str, usize>,
    examples: BTreeMap<&'static str, Vec<String>>,
    scenes: Vec<(Duration, String)>,
    answers: Vec<Duration>,
}

impl Survey {
    fn run(&mut self, image: &Image<'_>, samples: usize, seed: u64) {
        let (start, end) = text_section(image);
        let mut random = Random(seed);
        let mut places: Vec<(u64, u64)> = (0..samples.saturating_mul(3))
            .map(|_| (start + random.below(end.saturating_sub(start)), random.below(1 << 30)))
            .collect();
        // Functions of one unit one after the other; a tie cannot change what is found.
        places.truncate(samples.saturating_mul(3));
        let mut chosen: Vec<(usize, u64, u64)> =
            places.into_iter().enumerate().map(|(order, (at, pick))| (order, at, pick)).collect();
        chosen.truncate(samples + samples / 2);
        chosen.sort_by_key(|(_, at, _)| *at);
        for (_, at, pick) in chosen {
            if self.counts.get("samples").is_some_and(|n| *n >= samples) {
                break;
            }
            let at = ImageAddr(at);
            let Some(function) = image.function_at(at) else { continue };
            if function.body.variables.is_empty() && function.body.children.is_empty() {
                continue;
            }
            let before = Instant::now();
            let Some(scene) = Scene::new(image, function.entry) else { continue };
            self.scenes.push((before.elapsed(), scene.symbol.clone()));
            let sites: Vec<ImageAddr> =
                scene.code.insns.iter().filter(|insn| worth(image, insn)).map(|insn| insn.address).collect();
            let Some(pc) = sites.get(pick as usize % sites.len().max(1)) else { continue };
            *self.counts.entry("samples").or_default() += 1;
            let before = Instant::now();
            let recovered = scene.recover(*pc, None, &|_: Reg| None);
            self.answers.push(before.elapsed());
            self.judge(image, &scene, *pc, recovered);
        }
    }

    fn judge(
        &mut self,
        image: &Image<'_>,
        scene: &Scene<'_, '_>,
        pc: ImageAddr,
        recovered: Option<Recovered>,
    ) {
        let frames = image.source_at(pc);
        let lines = self.source(&frames);
        let words = self.expanded(&frames, &lines);
        let generated = lines.iter().any(|line| {
            line.contains("TRACE_EVENT")
                || line.contains("_EVENT_CLASS")
                || line.contains("DEFINE_EVENT")
                || line.contains("SYSCALL_DEFINE")
                || line.contains("DECLARE_TRACE")
        });
        let class = match &recovered {
            Some(recovered) if generated || recovered.main.member.as_deref() == Some("stack_canary") => {
                "M made by macros or the compiler"
            }
            None => unrecovered(scene, pc),
            Some(recovered) => {
                let main = &recovered.main;
                let explained = main.fit >= Some(Fit::Narrower);
                let firm = explained && !main.ambiguous && main.footing >= Footing::Earlier;
                let borne_out = Some(main)
                    .into_iter()
                    .chain(&recovered.also)
                    .map(|terms| borne_out(terms, &words))
                    .max()
                    .unwrap_or(0);
                *self.counts.entry(if explained { "explained" } else { "not explained" }).or_default() += 1;
                *self.counts.entry(if borne_out > 0 { "plausible" } else { "implausible" }).or_default() += 1;
                if firm {
                    *self.counts.entry("firm").or_default() += 1;
                }
                match (explained, firm, borne_out) {
                    (_, true, 2) => "A firm, member in source",
                    (_, true, 1) => "B firm, only pointer in source",
                    (_, true, _) => "C firm, NOT in source",
                    (true, false, 1..) => "D explained, in source",
                    (true, false, _) => "E explained, not in source",
                    (_, _, 1..) => "F no type fits, in source",
                    (_, _, _) if main.fit.is_some() => "G type fits badly, not in source",
                    _ => "H no type fits, not in source",
                }
            }
        };
        *self.counts.entry(class).or_default() += 1;
        let insn = scene.insn(pc).map(Insn::text).unwrap_or_default();
        let mut shown = format!("{}+{:#x}: {insn}", scene.symbol, pc.0.wrapping_sub(scene.code.entry.0));
        if let Some(recovered) = recovered {
            let main = &recovered.main;
            shown.push_str(&format!(
                "\n      {}   [{} of {:?}, {:?}{}, {:?}]",
                main.text,
                main.pointer.as_deref().unwrap_or("-"),
                main.record,
                main.fit,
                if main.ambiguous { " ambiguous" } else { "" },
                main.footing
            ));
            for also in &recovered.also {
                shown.push_str(&format!("\n      also {}", also.text));
            }
        }
        for (frame, line) in frames.iter().zip(self.innermost(&frames)) {
            shown.push_str(&format!(
                "\n      {}:{} {}: {}",
                frame.file.as_deref().unwrap_or("?"),
                frame.line.unwrap_or(0),
                frame.function,
                line.trim()
            ));
        }
        self.examples.entry(class).or_default().push(shown);
    }

    fn lines_of(&mut self, file: &str) -> &[String] {
        let tree = self.tree.clone().unwrap_or_default();
        self.files.entry(file.to_owned()).or_insert_with(|| read_lines(&tree.join(file)))
    }

    fn source(&mut self, frames: &[SourceFrame]) -> Vec<String> {
        let mut found = Vec::new();
        for frame in frames {
            let (Some(file), Some(line)) = (frame.file.clone(), frame.line) else { continue };
            let lines = self.lines_of(&file);
            let line = line as usize;
            found.extend(lines.iter().skip(line.saturating_sub(2)).take(3).cloned());
        }
        found
    }

    /// The words of the lines and of the macros used there.
    fn expanded(&mut self, frames: &[SourceFrame], lines: &[String]) -> BTreeSet<String> {
        if let Some(tree) = self.tree.clone()
            && self.macros.is_empty()
        {
            for folder in ["include", "arch/x86/include", "arch/arm64/include"] {
                self.learn(&tree.join(folder));
            }
        }
        for frame in frames {
            let Some(file) = frame.file.as_deref().map(str::to_owned) else { continue };
            if self.macros_of.insert(file.clone()) {
                let lines = self.lines_of(&file).to_vec();
                self.learn_macros(&lines);
                let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
                if let Some(tree) = self.tree.clone()
                    && self.macros_of.insert(folder.clone())
                {
                    for entry in std::fs::read_dir(tree.join(folder)).into_iter().flatten().flatten() {
                        if entry.path().extension().is_some_and(|ext| ext == "h") {
                            self.learn_macros(&read_lines(&entry.path()));
                        }
                    }
                }
            }
        }
        let mut found: BTreeSet<String> = BTreeSet::new();
        let mut work: Vec<(String, u32)> =
            lines.iter().flat_map(|line| words(line)).map(|word| (word.to_owned(), 0)).collect();
        while let Some((word, depth)) = work.pop() {
            if found.insert(word.clone())
                && depth < 6
                && let Some(body) = self.macros.get(&word)
            {
                work.extend(body.iter().map(|word| (word.clone(), depth + 1)));
            }
        }
        found
    }

    fn learn(&mut self, folder: &Path) {
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                self.learn(&path);
            } else {
                self.learn_macros(&read_lines(&path));
            }
        }
    }

    fn learn_macros(&mut self, lines: &[String]) {
        let mut name: Option<String> = None;
        for line in lines {
            let body = match &name {
                Some(_) => line.as_str(),
                None => {
                    let Some(rest) = line.trim_start().strip_prefix('#').map(str::trim_start) else {
                        continue;
                    };
                    let Some(rest) = rest.strip_prefix("define") else { continue };
                    name = words(rest).next().map(str::to_owned);
                    rest
                }
            };
            if let Some(name) = &name {
                self.macros.entry(name.clone()).or_default().extend(words(body).map(str::to_owned));
            }
            if !line.trim_end().ends_with('\\') {
                name = None;
            }
        }
    }

    fn innermost(&mut self, frames: &[SourceFrame]) -> Vec<String> {
        frames
            .iter()
            .map(|frame| {
                let (Some(file), Some(line)) = (frame.file.clone(), frame.line) else { return String::new() };
                self.lines_of(&file).get((line as usize).wrapping_sub(1)).cloned().unwrap_or_default()
            })
            .collect()
    }

    fn print(&mut self, show: usize) {
        let samples = self.counts.get("samples").copied().unwrap_or(0).max(1);
        for (class, examples) in &self.examples {
            println!("== {class}: {}", examples.len());
            // Spread over the image, not its first functions.
            let step = (examples.len() / show.max(1)).max(1);
            for example in examples.iter().step_by(step).take(show) {
                println!("   {example}");
            }
        }
        for (what, count) in &self.counts {
            println!("{what:40} {count:6} {:5.1} %", *count as f64 * 100.0 / samples as f64);
        }
        self.scenes.sort();
        self.answers.sort();
        let at = |of: usize, per_mille: usize| of.saturating_sub(1) * per_mille / 1000;
        if let (Some(median), Some(late), Some(worst)) = (
            self.scenes.get(at(self.scenes.len(), 500)),
            self.scenes.get(at(self.scenes.len(), 990)),
            self.scenes.last(),
        ) {
            println!("scene: median {:?}, 99 % {:?}, worst {:?} ({})", median.0, late.0, worst.0, worst.1);
        }
        if let (Some(median), Some(late), Some(worst)) = (
            self.answers.get(at(self.answers.len(), 500)),
            self.answers.get(at(self.answers.len(), 990)),
            self.answers.last(),
        ) {
            println!("answer: median {median:?}, 99 % {late:?}, worst {worst:?}");
        }
    }
}

fn read_lines(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
}

/// Whether an instruction touches memory through a pointer: not the stack, not a fixed place.
fn worth(image: &Image<'_>, insn: &Insn) -> bool {
    let Some(cpu) = kwhy_arch::cpu(image.arch()) else { return false };
    if matches!(insn.flow, Flow::Return | Flow::Call(_)) {
        return false;
    }
    let stack = |register: Reg| register == cpu.sp || Some(register) == frame_pointer(image);
    // Only what would fault first.
    insn.accesses()
        .first()
        .is_some_and(|access| access.memory.base.is_some_and(|base| !stack(base) && base != cpu.pc))
}

fn frame_pointer(image: &Image<'_>) -> Option<Reg> {
    (image.arch() == kwhy_base::Arch::Arm64).then_some(Reg(29))
}

/// The words of a line that could be identifiers.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// 2: the last member (or the variable, where there is none) is in the source; 1: another name
/// of the expression is; 0: none.
fn borne_out(terms: &Terms, source: &BTreeSet<String>) -> u8 {
    let is_name = |word: &&str| !word.starts_with(|c: char| c.is_ascii_digit()) && *word != "i";
    // What stands in brackets is an index, not what is touched.
    let mut text = String::new();
    let mut depth = 0;
    for c in terms.text.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ if depth > 0 => {}
            _ => text.push(c),
        }
    }
    let names: Vec<&str> = words(&text).filter(is_name).collect();
    let Some((last, others)) = names.split_last() else { return 0 };
    if source.contains(*last) {
        2
    } else if others.iter().any(|name| source.contains(*name)) {
        1
    } else {
        0
    }
}

/// Why there is no expression, as far as the analysis tells.
fn unrecovered(scene: &Scene<'_, '_>, pc: ImageAddr) -> &'static str {
    use kwhy_flow::value::Node;
    let Some(access) = scene.accesses(pc).into_iter().next() else { return "U no access" };
    let Some(address) = access.address else { return "U unreachable" };
    if access.memory.segment.is_some() {
        return "U segment";
    }
    match address.node.and_then(|id| scene.node(id)) {
        None => "U fixed address",
        Some(Node::Entry(_)) => "U entry register",
        Some(Node::Load { .. }) => "U load",
        Some(Node::Result { at }) => match scene.insn(at).map(|insn| &insn.flow) {
            Some(Flow::CallIndirect(Target::Register(_) | Target::Memory(_))) => "U result of indirect call",
            _ => "U result of call",
        },
        Some(Node::Phi { .. }) => "U phi",
        Some(Node::Binary(..)) => "U arithmetic",
        Some(Node::Extract { .. }) => "U extract",
        Some(Node::System(_)) => "U system register",
        Some(Node::Opaque { at, .. }) => {
            let lost = scene.code.index_of(at).and_then(|index| scene.code.block_of(index));
            let unknown = lost
                .and_then(|block| scene.code.blocks.get(block))
                .is_some_and(|block| block.predecessors.is_empty());
            let is_start = lost.and_then(|block| scene.code.block_start(block)) == Some(at);
            if unknown && is_start { "U block without predecessors" } else { "U opaque" }
        }
    }
}

/// Every function of an image, `first` to `last` in address order.
fn every_function(data: &[u8], first: usize, last: usize) {
    let mut image = Image::parse(data).expect("an image");
    let (mut at, end) = text_section(&image);
    let (mut count, mut sum) = (0usize, Duration::ZERO);
    let mut worst: Vec<(Duration, String)> = Vec::new();
    while at < end {
        let Some(symbol) = image.symbol_at(ImageAddr(at)) else {
            at += 16;
            continue;
        };
        at = symbol.address.0.saturating_add(symbol.size.max(1)).max(at + 1);
        if !symbol.function {
            continue;
        }
        count += 1;
        if count <= first || count > last {
            continue;
        }
        // What an image has read stays in memory.
        if count % 4000 == 0 {
            image = Image::parse(data).expect("an image");
        }
        let before = Instant::now();
        let scene = Scene::new(&image, symbol.address);
        let took = before.elapsed();
        drop(scene);
        sum += took;
        worst.push((took, symbol.name));
        worst.sort_by_key(|(took, _)| std::cmp::Reverse(*took));
        worst.truncate(20);
    }
    println!("{count} functions in {sum:?}");
    for (took, name) in worst {
        println!("{took:?} {name}");
    }
}
