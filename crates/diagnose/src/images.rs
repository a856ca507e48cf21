//! Which of the images offered belong to this crash.
//!
//! An image is used only while nothing disproves it: every check against the log is kept with
//! its figures, and an image that is proved to be another build is reported and never used.

use crate::location::choose;
use crate::names::base_name;
use crate::standing::Standing;
use kwhy_base::catalogue::evidence as say;
use kwhy_base::version::{is_telling, same_version};
use kwhy_base::{BuildId, ImageAddr, Prose, prose};
use kwhy_image::index::Shelf;
use kwhy_image::{Image, ImageKind, TypesUse};
use kwhy_oops::{CodeDump, CodeRef, CrashRecord};
use kwhy_report::model::{Check, ImageUse, Outcome};

/// An image file, read once for all crashes of a log.
pub struct Opened<'d> {
    /// Path or package member.
    pub name: String,
    /// What it is, or why it could not be read.
    pub image: Result<Image<'d>, String>,
    /// The file with debug information that its code was joined to.
    pub completes: Option<String>,
}

/// Reads the headers of every image offered.
#[cfg(test)]
pub fn open<'d>(inputs: &[crate::ImageInput<'d>]) -> Vec<Opened<'d>> {
    open_with(inputs, None)
}

/// The same, with the shelf that is lent to each.
pub fn open_with<'d>(inputs: &[crate::ImageInput<'d>], shelf: Option<&'d dyn Shelf>) -> Vec<Opened<'d>> {
    let mut opened: Vec<Opened<'d>> = inputs
        .iter()
        .map(|input| Opened {
            name: input.name.clone(),
            image: Image::parse(input.data)
                .map(|image| image.with_shelf(shelf))
                .map_err(|error| error.to_string()),
            completes: None,
        })
        .collect();
    join(&mut opened);
    let images: Vec<(&str, &Image<'_>)> =
        opened.iter().filter_map(|one| Some((one.name.as_str(), one.image.as_ref().ok()?))).collect();
    kwhy_image::share_types(&images);
    drop(images);
    opened
}

/// Debug information that was split off is read together with the file that has the code.
fn join(opened: &mut [Opened<'_>]) {
    let images: Vec<_> = opened.iter().map(|one| one.image.as_ref().ok()).collect();
    let roles: Vec<_> = opened.iter().map(role).collect();
    let joined = kwhy_image::join_split(&images, &|debug, code| roles.get(debug) == roles.get(code));
    for (debug, code, image) in joined {
        let name = opened.get(debug).map(|one| one.name.clone());
        if let Some(one) = opened.get_mut(code) {
            one.completes = name;
        }
        if let Some(one) = opened.get_mut(debug) {
            one.image = Ok(image);
        }
    }
}

/// How much an image tells; more is better.
fn richness(opened: &Opened<'_>) -> u8 {
    opened.image.as_ref().map_or(0, |image| match (image.has_dwarf(), image.code_sections().is_empty()) {
        (true, _) => 3,
        (false, false) => 2,
        (false, true) => 1,
    })
}

/// The images, each checked against one crash.
pub struct Images<'o, 'd> {
    list: Vec<Match<'o, 'd>>,
}

struct Match<'o, 'd> {
    opened: &'o Opened<'d>,
    used: bool,
    standing: Standing,
    checks: Vec<Check>,
    reason: Prose,
}

impl<'o, 'd> Images<'o, 'd> {
    /// No images at all.
    pub fn none() -> Images<'o, 'd> {
        Images { list: Vec::new() }
    }

    /// The same of a record that nothing was mended in.
    #[cfg(test)]
    pub fn check(opened: &'o [Opened<'d>], record: &CrashRecord) -> Images<'o, 'd> {
        Images::check_mended(opened, record, record)
    }

    /// Checks every image against `record`; of several that fit one role, the best is used.
    /// `printed` is the record before it was mended by the images: that speaks for none of them.
    pub fn check_mended(
        opened: &'o [Opened<'d>],
        record: &CrashRecord,
        printed: &CrashRecord,
    ) -> Images<'o, 'd> {
        let mut list: Vec<Match<'o, 'd>> =
            opened.iter().map(|opened| check(opened, record, printed)).collect();
        // The best of each role: what nothing contradicts goes before what something does, then
        // debug information before a boot image, and that before a mere list of symbols.
        let mut taken: Vec<(Option<String>, usize)> = Vec::new();
        let mut order: Vec<usize> = (0..list.len()).collect();
        order.sort_by_key(|index| list.get(*index).map(|one| merit(one, &list)));
        for index in order {
            let Some((role, merit)) = list
                .get(index)
                .filter(|one| one.used)
                .and_then(|one| Some((role(one.opened)?, merit(one, &list))))
            else {
                continue;
            };
            let first =
                taken.iter().find(|(other, _)| *other == role).and_then(|(_, first)| list.get(*first));
            let beaten = first.map(|first| beaten(first, &self::merit(first, &list), &merit));
            match (beaten, list.get_mut(index)) {
                (Some(reason), Some(entry)) => {
                    entry.used = false;
                    entry.reason = reason;
                }
                _ => taken.push((role, index)),
            }
        }
        Images { list }
    }

    /// The image in use for the kernel (`None`) or a module, with its index among those offered.
    pub fn used_for(&self, module: Option<&str>) -> Option<(usize, &'o Image<'d>)> {
        self.list.iter().enumerate().find_map(|(index, entry)| {
            if !entry.used || role(entry.opened)?.as_deref() != module.map(normal).as_deref() {
                return None;
            }
            Some((index, entry.opened.image.as_ref().ok()?))
        })
    }

    /// The image that a place is in.
    pub fn image_of(&self, place: &crate::location::Place) -> Option<&'o Image<'d>> {
        self.list.get(place.image?)?.opened.image.as_ref().ok()
    }

    /// The image with this index, used or not.
    pub fn image(&self, index: usize) -> Option<&'o Image<'d>> {
        self.list.get(index)?.opened.image.as_ref().ok()
    }

    /// The module that an image stands for; `None` for the kernel.
    pub fn module(&self, index: usize) -> Option<String> {
        role(self.list.get(index)?.opened).flatten()
    }

    /// The indices of the images in use.
    pub fn used(&self) -> impl Iterator<Item = usize> {
        self.list.iter().enumerate().filter(|(_, entry)| entry.used).map(|(index, _)| index)
    }

    /// The checks of the image that a place is in.
    pub fn checks_of(&self, place: &crate::location::Place) -> &[Check] {
        place.image.and_then(|index| self.list.get(index)).map_or(&[], |entry| entry.checks.as_slice())
    }

    /// Whether something speaks against the image that a place is in being this crash's.
    pub fn is_doubtful(&self, place: &crate::location::Place) -> bool {
        let entry = place.image.and_then(|index| self.list.get(index));
        entry.is_some_and(|entry| entry.standing.is_another_build())
    }

    /// That image's name.
    pub fn name_of(&self, place: &crate::location::Place) -> Option<String> {
        Some(self.list.get(place.image?)?.opened.name.clone())
    }

    /// What became of each, in the order given.
    pub fn describe(&self) -> Vec<ImageUse> {
        self.list
            .iter()
            .map(|entry| {
                let image = entry.opened.image.as_ref().ok();
                ImageUse {
                    name: entry.opened.name.clone(),
                    kind: image.map(|image| match image.kind() {
                        _ if image.is_types_only() => "types".to_owned(),
                        ImageKind::Kernel => "kernel".to_owned(),
                        ImageKind::Module(name) => name.clone().unwrap_or_else(|| "module".to_owned()),
                    }),
                    build_id: image.and_then(|image| image.build_id()).map(ToString::to_string),
                    release: image.and_then(|image| image.release()),
                    used: entry.used || image.is_some_and(|image| image.types_use() == TypesUse::Used),
                    grade: entry.used.then(|| entry.standing.grade()),
                    checks: entry.checks.clone(),
                    reason: entry.reason.clone().into(),
                }
            })
            .collect()
    }
}

/// Module names are compared with `-` as `_`, as the kernel writes them.
pub fn normal(name: &str) -> String {
    name.replace('-', "_")
}

/// What an image can stand for: `Some(None)` the kernel, `Some(Some(name))` a module.
pub fn role(opened: &Opened<'_>) -> Option<Option<String>> {
    let image = opened.image.as_ref().ok()?;
    if image.is_types_only() {
        return None;
    }
    match image.kind() {
        ImageKind::Kernel => Some(None),
        ImageKind::Module(Some(name)) => Some(Some(normal(name))),
        ImageKind::Module(None) => {
            let file = opened.name.rsplit('/').next()?;
            Some(Some(normal(file.split(".ko").next()?)))
        }
    }
}

/// What decides between images of one role, best first.
type Merit = (u8, std::cmp::Reverse<u8>, std::cmp::Reverse<usize>);

/// Two files of one build are the same evidence: what one of them shows goes for both. A single
/// odd size is held against an image only where another build has none.
fn merit(one: &Match<'_, '_>, all: &[Match<'_, '_>]) -> Merit {
    let id = |one: &Match<'_, '_>| one.opened.image.as_ref().ok().and_then(|image| image.build_id().cloned());
    let (own, part) = (id(one), role(one.opened));
    let rivals = || all.iter().filter(|other| other.used && role(other.opened) == part);
    let same = rivals().filter(|other| own.is_some() && id(other) == own).map(|other| other.standing);
    let builds: Vec<Standing> = same.chain([one.standing]).collect();
    let rank = if builds.iter().any(|standing| standing.identified) {
        0
    } else if builds.iter().all(|standing| standing.is_another_build()) {
        3
    } else if own.is_some()
        && builds.iter().all(|standing| standing.is_contradicted())
        && rivals()
            .any(|other| id(other).is_some_and(|id| Some(id) != own) && !other.standing.is_contradicted())
    {
        2
    } else {
        1
    };
    (rank, std::cmp::Reverse(richness(one.opened)), std::cmp::Reverse(one.standing.agreeing()))
}

/// Why an image is not needed beside a better one.
fn beaten(first: &Match<'_, '_>, its: &Merit, own: &Merit) -> Prose {
    let name = &first.opened.name;
    if its.0 < own.0 {
        prose!(say::IMAGE_BEATEN_FIT, name = name)
    } else if its.1 < own.1 {
        prose!(say::IMAGE_BEATEN_RICHER, name = name)
    } else if its.2 < own.2 {
        prose!(say::IMAGE_BEATEN_FIT, name = name)
    } else {
        prose!(say::IMAGE_DUPLICATE)
    }
}

fn check<'o, 'd>(opened: &'o Opened<'d>, record: &CrashRecord, printed: &CrashRecord) -> Match<'o, 'd> {
    let unused =
        |reason| Match { opened, used: false, standing: Standing::default(), checks: Vec::new(), reason };
    let image = match &opened.image {
        Ok(image) => image,
        Err(error) => return unused(prose!(say::IMAGE_UNREADABLE, error = error)),
    };
    if image.is_types_only() {
        return unused(match image.types_use() {
            TypesUse::Used => prose!(say::IMAGE_TYPES_USED),
            TypesUse::OtherBuild { asked, missing } => {
                prose!(say::IMAGE_TYPES_OTHER, asked = asked, missing = missing)
            }
            TypesUse::WithoutBase => prose!(say::IMAGE_TYPES_BASE),
            _ => prose!(say::IMAGE_TYPES_UNNEEDED),
        });
    }
    let Some(role) = role(opened) else { return unused(prose!(say::IMAGE_NAMELESS)) };
    if let Some(name) = &opened.completes {
        return unused(prose!(say::IMAGE_JOINED, name = name));
    }
    let module = role.as_deref();
    let of_image: Vec<&CodeRef> =
        code_refs(record).filter(|at| at.module.as_deref().map(normal).as_deref() == module).collect();
    let own = record.build_id.as_ref().filter(|_| module.is_none()).map(|id| &id.value);
    let mut standing = Standing::default();
    let mut checks = vec![architecture(image, record), release(image, record)];
    standing.release = agrees(checks.get(1));
    // A module of another release may still be loaded (module versions); another CPU's may not.
    let mut disproved = disagrees(checks.first()) || (module.is_none() && disagrees(checks.get(1)));
    if module.is_none() {
        checks.push(version(image, record));
        standing.version = agrees(checks.last());
        standing.telling = record.version.as_deref().is_some_and(is_telling);
    }
    checks.push(build_id(image, own, &of_image));
    standing.identified = agrees(checks.last()) == Some(true);
    disproved |= disagrees(checks.last());
    if !disproved {
        let (mut check, agree, disagree) = sizes(image, &of_image);
        (standing.sizes_agree, standing.sizes_differ) = (agree, disagree);
        disproved |= disagrees(Some(&check)) && !standing.identified;
        if disagree == 0 && printed != record {
            let places: Vec<&CodeRef> = code_refs(printed)
                .filter(|at| at.module.as_deref().map(normal).as_deref() == module)
                .collect();
            let (before, agree, disagree) = sizes(image, &places);
            if disagree > 0 {
                (standing.sizes_agree, standing.sizes_differ) = (agree, disagree);
                check.detail = before.detail;
            }
        }
        checks.push(check);
    }
    if !disproved {
        let (check, same, different) = code_bytes(image, record, module);
        (standing.code_same, standing.code_differs) = (same, different);
        disproved |= disagrees(Some(&check)) && !standing.identified;
        checks.push(check);
    }
    disproved |= standing.is_another_build() && !standing.code_speaks_for_it();
    let concerned = module.is_none()
        || !of_image.is_empty()
        || record.modules.iter().any(|m| Some(normal(&m.name).as_str()) == module);
    let agrees = checks.iter().any(|check| check.outcome == Outcome::Agrees && check.name != "architecture");
    let (used, reason) = if disproved {
        let names: Vec<Prose> = checks
            .iter()
            .filter(|check| check.outcome == Outcome::Disagrees)
            .map(|check| check.detail.0.clone())
            .collect();
        (false, prose!(say::IMAGE_WRONG, why = names))
    } else if !concerned {
        (false, prose!(say::IMAGE_NOT_CONCERNED))
    } else if image.lacks_code() {
        (true, prose!(say::IMAGE_NO_CODE))
    } else if standing.identified {
        (true, prose!(say::IMAGE_IDENTIFIED))
    } else if standing.is_another_build() {
        (true, prose!(say::IMAGE_OTHER_BUILD))
    } else if agrees {
        (
            true,
            if standing.is_contradicted() {
                prose!(say::IMAGE_MOSTLY_AGREES)
            } else {
                prose!(say::IMAGE_AGREES)
            },
        )
    } else {
        (true, prose!(say::IMAGE_UNCHECKED))
    };
    Match { opened, used, standing, checks, reason }
}

/// What a check found; `None` where it could not be made.
fn agrees(check: Option<&Check>) -> Option<bool> {
    match check?.outcome {
        Outcome::Agrees => Some(true),
        Outcome::Disagrees => Some(false),
        Outcome::Unavailable => None,
    }
}

fn disagrees(check: Option<&Check>) -> bool {
    check.is_some_and(|check| check.outcome == Outcome::Disagrees)
}

/// The places of a log that name code: PC, LR and frames.
fn code_refs(record: &CrashRecord) -> impl Iterator<Item = &CodeRef> {
    let pc = record.pc.iter().map(|pc| &pc.value);
    let lr = record.lr.iter().map(|lr| &lr.value);
    pc.chain(lr).chain(record.frames.iter().map(|frame| &frame.at))
}

fn made(name: &str, outcome: Outcome, detail: Prose) -> Check {
    Check { name: name.to_owned(), outcome, detail: detail.into() }
}

fn architecture(image: &Image<'_>, record: &CrashRecord) -> Check {
    let of_image = image.arch().name();
    match record.arch {
        Some(arch) => made(
            "architecture",
            if arch == image.arch() { Outcome::Agrees } else { Outcome::Disagrees },
            prose!(say::CHECK_ARCH, image = of_image, log = arch.name()),
        ),
        None => made("architecture", Outcome::Unavailable, prose!(say::CHECK_ARCH_UNKNOWN, image = of_image)),
    }
}

fn release(image: &Image<'_>, record: &CrashRecord) -> Check {
    match (image.release(), &record.release) {
        (Some(of_image), Some(of_log)) => made(
            "release",
            if of_image == of_log.value { Outcome::Agrees } else { Outcome::Disagrees },
            prose!(say::CHECK_RELEASE, image = of_image, log = &of_log.value, line = of_log.line),
        ),
        _ => made("release", Outcome::Unavailable, prose!(say::CHECK_RELEASE_UNKNOWN)),
    }
}

/// What the log prints behind the release, against the kernel's banner: it tells builds of one
/// release apart.
fn version(image: &Image<'_>, record: &CrashRecord) -> Check {
    match (image.banner(), &record.version) {
        (Some(banner), Some(version)) => {
            let same = same_version(version, &banner);
            let banner = banner.find('#').and_then(|at| banner.get(at..)).unwrap_or(&banner);
            made(
                "version",
                if same { Outcome::Agrees } else { Outcome::Disagrees },
                prose!(say::CHECK_VERSION, image = banner, log = version),
            )
        }
        _ => made("version", Outcome::Unavailable, prose!(say::CHECK_VERSION_UNKNOWN)),
    }
}

fn build_id(image: &Image<'_>, own: Option<&BuildId>, places: &[&CodeRef]) -> Check {
    let printed = own.or_else(|| places.iter().find_map(|at| at.build_id.as_ref()));
    match (image.build_id(), printed) {
        (Some(of_image), Some(printed)) => made(
            "build-id",
            if of_image == printed { Outcome::Agrees } else { Outcome::Disagrees },
            prose!(say::CHECK_BUILD_ID, image = of_image.to_string(), log = printed.to_string()),
        ),
        _ => made("build-id", Outcome::Unavailable, prose!(say::CHECK_BUILD_ID_UNKNOWN)),
    }
}

/// Each function's printed size against the image's. One odd size may be an assembler symbol
/// that kallsyms ends elsewhere; more disagreeing than agreeing is another build.
fn sizes(image: &Image<'_>, places: &[&CodeRef]) -> (Check, usize, usize) {
    let (mut agree, mut disagree) = (0usize, 0usize);
    let mut example: Option<Prose> = None;
    let mut seen: Vec<(&str, u64)> = Vec::new();
    for at in places {
        let (Some(symbol), Some(size)) = (at.symbol.as_deref(), at.size) else { continue };
        if seen.contains(&(symbol, size))
            || symbol.starts_with("bpf_prog_")
            || symbol.starts_with("ftrace_trampoline")
        {
            continue;
        }
        seen.push((symbol, size));
        let symbols = image.symbols_named(symbol);
        if symbols.iter().any(|s| s.size == size || s.elf_size == size) {
            agree += 1;
            continue;
        }
        disagree += 1;
        example.get_or_insert_with(|| match choose(symbols, None) {
            Some(other) => prose!(
                say::CHECK_SIZE_EXAMPLE,
                symbol = symbol,
                log = format_args!("{size:#x}"),
                image = format_args!("{:#x}", other.size)
            ),
            None => prose!(say::CHECK_SIZE_ABSENT, symbol = base_name(symbol)),
        });
    }
    // What was stripped of its symbols contradicts nothing.
    if agree == 0 && disagree > 0 && image.function_addresses().is_empty() {
        (disagree, example) = (0, None);
    }
    let check = match example {
        _ if agree + disagree == 0 => {
            made("function-size", Outcome::Unavailable, prose!(say::CHECK_SIZE_UNKNOWN))
        }
        None => made("function-size", Outcome::Agrees, prose!(say::CHECK_SIZES_AGREE, count = agree)),
        Some(example) => made(
            "function-size",
            if disagree > agree { Outcome::Disagrees } else { Outcome::Agrees },
            prose!(say::CHECK_SIZES_DIFFER, agree = agree, count = agree + disagree, example = example),
        ),
    };
    (check, agree, disagree)
}

/// The `Code:` bytes against the image's, leaving out what the kernel patches.
fn code_bytes(image: &Image<'_>, record: &CrashRecord, module: Option<&str>) -> (Check, usize, usize) {
    let unavailable = || (made("code-bytes", Outcome::Unavailable, prose!(say::CHECK_CODE_UNKNOWN)), 0, 0);
    let Some(compared) = compare_code(image, record, module) else { return unavailable() };
    if compared.same + compared.different.len() == 0 {
        return unavailable();
    }
    let detail = prose!(
        say::CHECK_CODE,
        same = compared.same,
        different = compared.different.len(),
        excused = compared.excused,
        line = compared.line
    );
    // A byte or two may be a flipped bit or a patch the tables do not list; more is another build.
    let wrong = compared.different.len() * 8 > compared.same;
    let outcome = if wrong { Outcome::Disagrees } else { Outcome::Agrees };
    (made("code-bytes", outcome, detail), compared.same, compared.different.len())
}

/// How the log's code bytes compare with an image's.
pub struct ComparedCode {
    /// Bytes that are the same.
    pub same: usize,
    /// (printed, image's) where they differ outside patched places.
    pub different: Vec<(u8, u8)>,
    /// Bytes that differ or may, in places that the kernel rewrites.
    pub excused: usize,
    /// Where each of `different` stands among the bytes printed.
    pub unlike: Vec<usize>,
    /// Bytes that could not be read and that the kernel does not rewrite: where, and the image's.
    pub unread: Vec<(usize, u8)>,
    /// 1-based line of the `Code:` line.
    pub line: u32,
}

/// Compares them; `None` where one of them is missing or the function cannot be told.
pub fn compare_code(image: &Image<'_>, record: &CrashRecord, module: Option<&str>) -> Option<ComparedCode> {
    let code = record.code.as_ref()?;
    let pc = &record.pc.as_ref()?.value;
    if pc.module.as_deref().map(normal).as_deref() != module {
        return None;
    }
    let fault_index = code.fault_index?;
    compare_at(image, crate::location::image_address(image, pc)?, fault_index, code)
}

/// Compares the code bytes with the image's around `pc`, where byte `fault_index` stands.
pub fn compare_at(
    image: &Image<'_>,
    pc: ImageAddr,
    fault_index: usize,
    code: &CodeDump,
) -> Option<ComparedCode> {
    let start = pc.offset(-(i64::try_from(fault_index).ok()?));
    let end = start.offset(i64::try_from(code.bytes.len()).ok()?);
    // What is patched or relocated may begin before the first byte that was printed.
    let before = start.offset(-8);
    let patched = image.patch_sites(before..end);
    let relocated = image.relocations(before..end);
    let mut compared = ComparedCode {
        same: 0,
        different: Vec::new(),
        excused: 0,
        unlike: Vec::new(),
        unread: Vec::new(),
        line: code.line,
    };
    for (index, printed) in code.bytes.iter().enumerate() {
        let address = start.offset(i64::try_from(index).ok()?);
        let Some(of_image) = image.bytes(address, 1).and_then(|bytes| bytes.first().copied()) else {
            continue;
        };
        // A relocation fills at most eight bytes from its place on; on ARM64 it is the whole instruction.
        let by_loader = relocated.iter().any(|(at, _)| {
            let distance =
                address.0.wrapping_sub(at.0 & !(if image.arch() == kwhy_base::Arch::Arm64 { 3 } else { 0 }));
            distance < if image.arch() == kwhy_base::Arch::Arm64 { 4 } else { 8 }
        });
        let rewritten = || by_loader || patched.iter().any(|site| site.range.contains(&address));
        match printed {
            None if !rewritten() => compared.unread.push((index, of_image)),
            None => {}
            Some(printed) if *printed == of_image => compared.same += 1,
            Some(_) if rewritten() => compared.excused += 1,
            Some(printed) => {
                compared.different.push((*printed, of_image));
                compared.unlike.push(index);
            }
        }
    }
    Some(compared)
}
