//! Compares the answers with recorded crashes of real kernels and with other tools.
//!
//! These tests need what is too large to keep here, and say so where it is missing:
//! `KWHY_LAB` names a directory of recorded cases (`KERNEL/CASE/{console.log, truth.json, *.ko}`),
//! `KWHY_LAB_KERNELS` one with `vmlinux-RELEASE` files that have debug information.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use kwhy_base::ImageAddr;
use kwhy_image::{Image, ImageKind};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

fn directory(variable: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        eprintln!("skipped: {variable} is not set");
    }
    found
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort();
    found
}

fn kernels(directory: &Path) -> Vec<PathBuf> {
    entries(directory).into_iter().filter(|path| path.to_string_lossy().contains("vmlinux")).collect()
}

/// `name+0x10/0x40 [module]` in a log: (name, offset, size, module).
fn references(log: &str) -> Vec<(String, u64, u64, Option<String>)> {
    let mut found = Vec::new();
    for line in log.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        for (i, word) in words.iter().enumerate() {
            let Some((name, rest)) = word.split_once("+0x") else { continue };
            let Some((offset, size)) = rest.split_once("/0x") else { continue };
            let (Ok(offset), Ok(size)) = (u64::from_str_radix(offset, 16), u64::from_str_radix(size, 16))
            else {
                continue;
            };
            let module = words
                .get(i + 1)
                .and_then(|next| next.strip_prefix('['))
                .and_then(|next| next.strip_suffix(']'))
                .map(str::to_owned);
            let name = name.rsplit(':').next().unwrap_or(name);
            found.push((name.to_owned(), offset, size, module));
        }
    }
    found
}

#[test]
fn symbols_have_the_sizes_that_the_kernel_prints() {
    let (Some(lab), Some(kernels_at)) = (directory("KWHY_LAB"), directory("KWHY_LAB_KERNELS")) else {
        return;
    };
    let data: Vec<Vec<u8>> = kernels(&kernels_at).iter().map(|path| std::fs::read(path).unwrap()).collect();
    let images: Vec<Image<'_>> = data.iter().map(|data| Image::parse(data).unwrap()).collect();
    let mut wrong = Vec::new();
    let mut checked = 0;
    for case in entries(&lab).iter().flat_map(|kernel| entries(kernel)) {
        let Ok(truth) = std::fs::read_to_string(case.join("truth.json")) else { continue };
        let truth: BTreeMap<String, String> = strings_of(&truth);
        let release = &truth["release"];
        let Some(kernel) = images.iter().find(|image| image.release().as_ref() == Some(release)) else {
            continue;
        };
        let log = String::from_utf8_lossy(&std::fs::read(case.join("console.log")).unwrap()).into_owned();
        let module_data: Vec<Vec<u8>> = entries(&case)
            .iter()
            .filter(|path| path.extension().is_some_and(|e| e == "ko"))
            .map(|path| std::fs::read(path).unwrap())
            .collect();
        let modules: Vec<Image<'_>> = module_data.iter().map(|data| Image::parse(data).unwrap()).collect();
        for (name, offset, size, module) in references(&log) {
            let problem = match &module {
                Some(module) => {
                    let named = ImageKind::Module(Some(module.clone()));
                    let Some(image) = modules.iter().find(|image| image.kind() == &named) else { continue };
                    check(image, &name, offset, size)
                }
                None => check(kernel, &name, offset, size),
            };
            checked += 1;
            if let Some(problem) = problem {
                wrong.push(format!("{}: {module:?} {problem}", case.display()));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(checked > 100, "only {checked} references found");
    assert!(wrong.is_empty(), "{} of {checked} wrong:\n{}", wrong.len(), wrong.join("\n"));
    eprintln!("{checked} references checked");
}

/// What is wrong with `name+offset/size`, if anything.
fn check(image: &Image<'_>, name: &str, offset: u64, size: u64) -> Option<String> {
    let symbols = image.symbols_named(name);
    let right = symbols.iter().find(|symbol| symbol.size == size);
    let again = right.and_then(|symbol| image.symbol_at(symbol.address.offset(offset as i64)));
    match again {
        Some(symbol) if symbol.name == name => None,
        // A return address after the last instruction of a function.
        Some(_) if offset == size => None,
        again => Some(format!("{name}+{offset:#x}/{size:#x}: {symbols:x?} {again:x?}")),
    }
}

/// The string values of a flat reading of JSON: enough for the keys asked for here.
fn strings_of(json: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in json.lines() {
        let mut parts = line.split('"').skip(1).step_by(2);
        if let (Some(key), Some(value)) = (parts.next(), parts.next()) {
            found.entry(key.to_owned()).or_insert(value.to_owned());
        }
    }
    found
}

/// A generator that gives the same numbers in every run (Numerical Recipes' LCG).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 20) % limit.max(1)
    }
}

/// Some 1000 random places of `.text`, as symbol starts plus an offset.
fn places(image: &Image<'_>, names: &[String]) -> Vec<ImageAddr> {
    let mut numbers = Numbers(7);
    let mut found = Vec::new();
    for _ in 0..1000 {
        let name = &names[numbers.below(names.len() as u64) as usize];
        let Some(symbol) = image.symbols_named(name).into_iter().find(|symbol| symbol.function) else {
            continue;
        };
        let offset = numbers.below(symbol.elf_size.max(1)) & !3;
        found.push(symbol.address.offset(offset as i64));
    }
    found
}

fn function_names(path: &Path) -> Vec<String> {
    let out = Command::new("nm").arg(path).output().expect("nm is needed");
    String::from_utf8_lossy(&out.stdout)
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            matches!(words.next()?, "t" | "T").then(|| words.next().map(str::to_owned))?
        })
        .filter(|name| !name.starts_with(['$', '.']))
        .collect()
}

#[test]
fn source_agrees_with_addr2line() {
    let Some(kernels_at) = directory("KWHY_LAB_KERNELS") else { return };
    for path in kernels(&kernels_at) {
        let data = std::fs::read(&path).unwrap();
        let image = Image::parse(&data).unwrap();
        let names = function_names(&path);
        let places = places(&image, &names);
        let list: String = places.iter().map(|place| format!("{:#x}\n", place.0)).collect();
        let input = std::env::temp_dir().join(format!("kwhy-places-{}", std::process::id()));
        std::fs::write(&input, list).unwrap();
        let out = Command::new("addr2line")
            .args(["-i", "-f", "-a", "-e"])
            .arg(&path)
            .stdin(std::fs::File::open(&input).unwrap())
            .output()
            .expect("addr2line is needed");
        std::fs::remove_file(&input).unwrap();
        let out = String::from_utf8_lossy(&out.stdout).into_owned();
        let mut theirs: BTreeMap<u64, Vec<(String, String)>> = BTreeMap::new();
        let mut at = 0;
        let mut lines = out.lines();
        while let Some(line) = lines.next() {
            if let Some(address) = line.strip_prefix("0x") {
                at = u64::from_str_radix(address, 16).unwrap();
                continue;
            }
            let place = lines.next().unwrap_or_default();
            let place = place.split(" (discriminator").next().unwrap_or(place);
            theirs.entry(at).or_default().push((line.to_owned(), place.to_owned()));
        }
        let (mut same, mut differ) = (0, Vec::new());
        for place in &places {
            let ours: Vec<(String, String)> = image
                .source_at(*place)
                .into_iter()
                .map(|frame| {
                    let file = frame.file.as_deref().unwrap_or("??").rsplit('/').next().unwrap().to_owned();
                    let line = frame.line.map_or("?".to_owned(), |line| line.to_string());
                    (frame.function.to_string(), format!("{file}:{line}"))
                })
                .collect();
            let expected: Vec<(String, String)> = theirs
                .get(&place.0)
                .into_iter()
                .flatten()
                .map(|(name, place)| (name.clone(), place.rsplit('/').next().unwrap().to_owned()))
                .collect();
            if ours == expected {
                same += 1;
            } else {
                differ.push(format!("{place:?}: ours {ours:?}, addr2line's {expected:?}"));
            }
        }
        eprintln!("{}: {same} of {} the same", path.display(), places.len());
        for line in differ.iter().take(30) {
            eprintln!("  {line}");
        }
        assert!(same * 100 >= places.len() * 90, "{} differ", differ.len());
    }
}
