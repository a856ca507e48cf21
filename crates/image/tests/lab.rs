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
            // A PC in a module's data is no place in code: the kernel subtracts from the next symbol
            // of another section, and what it prints is beyond the symbol or below nothing.
            if offset > size || size >> 63 != 0 {
                continue;
            }
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
        let Some(truth) = truth_of(&case) else { continue };
        let release = truth["release"].as_str().map(str::to_owned);
        let Some(kernel) = images.iter().find(|image| image.release() == release) else {
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

/// Symbol, offset, module, bytes, and the place of the marked instruction among them.
type CodeLine = (String, u64, Option<String>, Vec<u8>, usize);

/// The code that a log shows: where the marked instruction is, the bytes, and how many of them
/// stand before it.
fn code_lines(log: &str) -> Vec<CodeLine> {
    let mut found = Vec::new();
    let mut place = None;
    for line in log.lines() {
        let text = line.split("] ").last().unwrap_or(line);
        if text.starts_with("RIP: ") || text.starts_with("pc : ") {
            let named = references(text).into_iter().next();
            place = named.map(|(name, offset, _, module)| (name, offset, module));
        } else if let Some(code) = text.strip_prefix("Code: ") {
            let Some((name, offset, module)) = place.clone() else { continue };
            let (mut bytes, mut before) = (Vec::new(), None);
            for word in code.split_whitespace() {
                let digits = word.trim_matches(['<', '>', '(', ')']);
                let Ok(value) = u32::from_str_radix(digits, 16) else { break };
                if digits.len() != word.len() {
                    before = Some(bytes.len());
                }
                bytes.extend_from_slice(&value.to_le_bytes()[..digits.len() / 2]);
            }
            if let Some(before) = before {
                found.push((name, offset, module, bytes, before));
            }
        }
    }
    found
}

#[test]
fn code_in_logs_differs_from_the_image_only_where_it_is_patched() {
    let (Some(lab), Some(kernels_at)) = (directory("KWHY_LAB"), directory("KWHY_LAB_KERNELS")) else {
        return;
    };
    let data: Vec<Vec<u8>> = kernels(&kernels_at).iter().map(|path| std::fs::read(path).unwrap()).collect();
    let images: Vec<Image<'_>> = data.iter().map(|data| Image::parse(data).unwrap()).collect();
    let (mut lines, mut excused, mut wrong) = (0, 0, Vec::new());
    for case in entries(&lab).iter().flat_map(|kernel| entries(kernel)) {
        let Some(truth) = truth_of(&case) else { continue };
        let release = truth["release"].as_str().map(str::to_owned);
        let Some(kernel) = images.iter().find(|image| image.release() == release) else { continue };
        let log = String::from_utf8_lossy(&std::fs::read(case.join("console.log")).unwrap()).into_owned();
        for (name, offset, module, bytes, before) in code_lines(&log) {
            let differing = match &module {
                Some(module) => {
                    let Ok(data) = std::fs::read(case.join(format!("{module}.ko"))) else { continue };
                    differences(&Image::parse(&data).unwrap(), &name, offset, &bytes, before)
                }
                None => differences(kernel, &name, offset, &bytes, before),
            };
            let Some((patched, unexplained)) = differing else { continue };
            lines += 1;
            excused += patched;
            if unexplained > 0 {
                wrong.push(format!("{} {name}+{offset:#x} {module:?}: {unexplained} bytes", case.display()));
            }
        }
    }
    eprintln!("{lines} code lines compared, {excused} patched bytes excused");
    wrong.dedup();
    assert!(lines > 20 && wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How many bytes differ inside patch sites, and how many outside.
fn differences(
    image: &Image<'_>,
    name: &str,
    offset: u64,
    bytes: &[u8],
    before: usize,
) -> Option<(usize, usize)> {
    // Several static functions may share a name; the log's is the one whose code agrees best.
    let symbols = image.symbols_named(name);
    let compared = symbols.iter().map(|symbol| {
        let start = symbol.address.offset(offset as i64 - before as i64);
        compare(image, start, bytes)
    });
    compared.flatten().min_by_key(|(_, unexplained)| *unexplained)
}

/// The same for code that starts at `start`.
fn compare(image: &Image<'_>, start: kwhy_base::ImageAddr, bytes: &[u8]) -> Option<(usize, usize)> {
    let ours = image.bytes(start, bytes.len())?;
    // A place that is patched may begin before the bytes that were printed.
    let sites = image.patch_sites(start.offset(-8)..start.offset(bytes.len() as i64));
    let (mut patched, mut unexplained) = (0, 0);
    for (i, (theirs, ours)) in bytes.iter().zip(ours.iter()).enumerate() {
        let place = start.offset(i as i64);
        match (theirs == ours, sites.iter().any(|site| site.range.contains(&place))) {
            (true, _) => {}
            (false, true) => patched += 1,
            (false, false) => unexplained += 1,
        }
    }
    Some((patched, unexplained))
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

#[test]
fn source_agrees_with_the_recorded_truth() {
    let (Some(lab), Some(kernels_at)) = (directory("KWHY_LAB"), directory("KWHY_LAB_KERNELS")) else {
        return;
    };
    let data: Vec<Vec<u8>> = kernels(&kernels_at).iter().map(|path| std::fs::read(path).unwrap()).collect();
    let images: Vec<Image<'_>> = data.iter().map(|data| Image::parse(data).unwrap()).collect();
    let (mut checked, mut wrong) = (0, Vec::new());
    for case in entries(&lab).iter().flat_map(|kernel| entries(kernel)) {
        let Some(truth) = truth_of(&case) else { continue };
        let release = truth["release"].as_str().map(str::to_owned);
        let Some(kernel) = images.iter().find(|image| image.release() == release) else { continue };
        for key in ["pc", "caller_pc", "call_site"] {
            let place = &truth[key];
            let (Some(symbol), Some(offset)) = (place["symbol"].as_str(), place["offset"].as_str()) else {
                continue;
            };
            let Some(stack) = place["inline_stack"].as_array() else { continue };
            let offset = i64::from_str_radix(offset.trim_start_matches("0x"), 16).unwrap();
            let expected: Vec<String> = stack
                .iter()
                .map(|frame| {
                    let file = frame["file"].as_str().unwrap_or("?").rsplit('/').next().unwrap_or_default();
                    format!("{} {file}:{}", frame["function"].as_str().unwrap_or("?"), frame["line"])
                })
                .collect();
            let ours = match place["module"].as_str() {
                Some(module) => {
                    let Ok(data) = std::fs::read(case.join(format!("{module}.ko"))) else { continue };
                    stacks(&Image::parse(&data).unwrap(), symbol, offset)
                }
                None => stacks(kernel, symbol, offset),
            };
            checked += 1;
            if !ours.contains(&expected) {
                wrong.push(format!("{} {key}: ours {ours:?}, expected {expected:?}", case.display()));
            }
        }
    }
    eprintln!("{checked} places checked");
    assert!(checked > 20 && wrong.is_empty(), "{} of {checked} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The source at `symbol+offset`, for each symbol of that name.
fn stacks(image: &Image<'_>, symbol: &str, offset: i64) -> Vec<Vec<String>> {
    image
        .symbols_named(symbol)
        .iter()
        .map(|symbol| {
            let frames = image.source_at(symbol.address.offset(offset)).into_iter();
            frames
                .map(|frame| {
                    let file = frame
                        .file
                        .as_deref()
                        .unwrap_or("?")
                        .rsplit('/')
                        .next()
                        .unwrap_or_default()
                        .to_owned();
                    format!("{} {file}:{}", frame.function, frame.line.unwrap_or(0))
                })
                .collect()
        })
        .collect()
}

fn truth_of(case: &Path) -> Option<serde_json::Value> {
    serde_json::from_str(&std::fs::read_to_string(case.join("truth.json")).ok()?).ok()
}

#[test]
fn layouts_agree_with_pahole() {
    let Some(kernels_at) = directory("KWHY_LAB_KERNELS") else { return };
    for path in kernels(&kernels_at) {
        let out = Command::new("pahole")
            .args(["-F", "btf", "--sizes"])
            .arg(&path)
            .output()
            .expect("pahole is needed");
        let listing = String::from_utf8_lossy(&out.stdout).into_owned();
        let structs: Vec<(&str, u64)> = listing
            .lines()
            .filter_map(|line| {
                let mut words = line.split('\t');
                Some((words.next()?, words.next()?.parse().ok()?))
            })
            .collect();
        let data = std::fs::read(&path).unwrap();
        let image = Image::parse(&data).unwrap();
        let mut numbers = Numbers(3);
        let (mut checked, mut wrong) = (0, Vec::new());
        // From BTF (the whole image) and from DWARF (the unit of a function that uses many).
        let near = image.symbols_named("tcp_v4_rcv").remove(0).address;
        for _ in 0..3000 {
            if checked >= 400 {
                break;
            }
            let (name, size) = structs[numbers.below(structs.len() as u64) as usize];
            let wanted = format!("struct {name}");
            let from_btf = image.find_type(&wanted);
            let from_dwarf = image.find_type_near(&wanted, near);
            // pahole lists unions as well, and all of several types that share a name.
            let sizes: Vec<u64> =
                structs.iter().filter(|other| other.0 == name).map(|other| other.1).collect();
            if from_btf.is_none() && image.find_type(&format!("union {name}")).is_some() {
                continue;
            }
            if !from_btf.and_then(|id| image.size_of(id)).is_some_and(|ours| sizes.contains(&ours)) {
                wrong.push(format!(
                    "{wanted}: {size} by pahole, {:?}",
                    from_btf.and_then(|id| image.size_of(id))
                ));
            }
            let (Some(btf), Some(dwarf), 1) = (from_btf, from_dwarf, sizes.len()) else { continue };
            checked += 1;
            let (ours, theirs) = (members(&image, dwarf), members(&image, btf));
            if ours != theirs {
                wrong.push(format!("{wanted}:\n  DWARF {ours:?}\n  BTF   {theirs:?}"));
            }
        }
        eprintln!("{}: {checked} structs compared", path.display());
        assert!(checked > 100 && wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    }
}

type Shape = Vec<(Option<String>, u64, Option<(u64, u64)>, Option<u64>, String)>;

/// BTF knows one dimension only, and cannot tell `x[0]` from `x[]`.
fn flat(name: &str) -> String {
    let Some((base, dimensions)) = name.split_once('[').filter(|_| name.ends_with(']')) else {
        return name.to_owned();
    };
    let total: u64 =
        dimensions.trim_end_matches(']').split("][").map(|count| count.parse::<u64>().unwrap_or(0)).product();
    format!("{base}[{total}]")
}

fn members(image: &Image<'_>, id: kwhy_image::TypeId) -> Shape {
    let kwhy_image::Type::Record(record) = image.type_of(id) else { return Vec::new() };
    let shape = record.members.iter().map(|member| {
        let name = member.name.as_deref().map(str::to_owned);
        let spelled = flat(&image.type_name(member.ty));
        (name, member.offset, member.bits, image.size_of(member.ty).filter(|size| *size > 0), spelled)
    });
    shape.collect()
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
