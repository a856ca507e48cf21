//! Turns a log and whatever images there are into a report.
//!
//! Pure: the caller maps files and finds sources; the same inputs give the same report.
//!
//! In order: the log becomes records (kwhy-oops); each record becomes [`context::Facts`]
//! (entry, fault, places, instruction, contradictions, followed value), against images that
//! were checked to be the crash's own; the detectors turn facts into hypotheses; blame, story
//! and verdict are told from those; what was missing is listed last.

mod bare;
mod blame;
mod bounds;
mod callers;
mod checks;
mod code;
mod context;
mod corruption;
mod damage;
mod details;
mod detectors;
mod entry;
mod expression;
mod fault;
mod fixup;
mod followed;
mod helpers;
mod images;
mod layout;
mod less;
mod links;
pub mod listing;
mod location;
mod meaning;
mod mend;
mod missing;
mod modules;
mod names;
#[allow(dead_code)]
mod origin;
mod registers;
mod scenes;
mod slip;
mod standing;
mod story;
mod strayed;
mod suspects;
#[cfg(test)]
mod testing;
mod verdict;
pub mod writers;

use context::Facts;
use images::Images;
use kwhy_image::index::Shelf;
use kwhy_oops::{CrashRecord, Log};
use kwhy_report::model::{self, Hex, Report, Text};
use std::borrow::Cow;

/// An image file's bytes and the name to report it by.
pub struct ImageInput<'a> {
    /// Path or package member.
    pub name: String,
    /// The whole file.
    pub data: &'a [u8],
}

/// Gives source text; the caller does the I/O.
pub trait Sources {
    /// The text of `line` (1-based) of `file`, compiled in `comp_dir`.
    fn line(&self, file: &str, comp_dir: Option<&str>, line: u32) -> Option<String>;
}

/// Everything the analysis may look at.
pub struct Inputs<'a> {
    /// The console log.
    pub log: &'a [u8],
    /// The images, in the order given.
    pub images: Vec<ImageInput<'a>>,
    /// Where source lines come from.
    pub sources: Option<&'a dyn Sources>,
}

/// Analyses every crash of the log.
#[must_use]
pub fn analyze(inputs: &Inputs<'_>) -> Report {
    analyze_log(&kwhy_oops::parse(inputs.log), inputs)
}

/// Analyses crashes that were read already; `inputs.log` is not read again.
#[must_use]
pub fn analyze_log(log: &Log, inputs: &Inputs<'_>) -> Report {
    analyze_log_with(log, inputs, None)
}

/// The same with a shelf, on which is kept what is learned about the images.
#[must_use]
pub fn analyze_log_with<'a>(log: &Log, inputs: &Inputs<'a>, shelf: Option<&'a dyn Shelf>) -> Report {
    let opened = images::open_with(&inputs.images, shelf);
    let mended: Vec<Option<CrashRecord>> =
        log.crashes.iter().map(|crash| mend::mend(crash, &opened)).collect();
    let read: Cow<'_, [CrashRecord]> = if mended.iter().all(Option::is_none) {
        Cow::Borrowed(&log.crashes)
    } else {
        let both = mended.into_iter().zip(&log.crashes);
        both.map(|(mended, printed)| mended.unwrap_or_else(|| printed.clone())).collect()
    };
    let crashes = (0..read.len())
        .filter_map(|index| {
            let images = Images::check_mended(&opened, read.get(index)?, log.crashes.get(index)?);
            let facts = Facts::new(&read, index, &images)?;
            Some(crash(&facts, &images, inputs.sources))
        })
        .collect();
    let notes = log
        .notes
        .iter()
        .map(|note| model::Note { line: note.line, text: note.text.clone().into() })
        .collect();
    Report { schema: "kwhy-report/1", crashes, notes }
}

/// One crash's part of the report.
fn crash(facts: &Facts<'_>, images: &Images<'_, '_>, sources: Option<&dyn Sources>) -> model::Crash {
    let record = facts.record;
    let scenes = scenes::Scenes::new(images);
    // Nothing is surer than the mended values it rests on.
    let footing = mend::Footing::of(facts, images);
    let mut expressed = expression::express(facts, images, &scenes);
    expressed.strayed = strayed::find(facts, &scenes);
    expressed.null_less = expressed.null_less.or_else(|| less::null_less(facts, &scenes));
    if expressed.expression.is_none() && expressed.start.is_none() {
        expressed.start = less::start(facts, &scenes);
    }
    footing.cap_expression(&mut expressed);
    let mut hypotheses = detectors::run(facts, &expressed);
    footing.cap_causes(&mut hypotheses);
    let ctx = origin::Ctx { facts, images, scenes: &scenes };
    let mut trail = origin::trace(&ctx, expressed.start.as_ref());
    origin::memory::by_family(&ctx, &mut trail);
    let subject = suspects::Subject::of(facts, &trail);
    let modules = suspects::investigate(facts, images, &expressed, &subject, &mut hypotheses);
    corruption::refine(&trail, &mut hypotheses);
    checks::refine(&ctx, &expressed, &trail, &mut hypotheses);
    let blame = footing.cap_blame(blame::blame(&ctx, &expressed, &trail, &hypotheses));
    let story = story::story(facts, &expressed, &trail, &hypotheses, blame.as_ref());
    model::Crash {
        input: None,
        title: record.title.clone(),
        alt_titles: record.alt_titles.clone(),
        guilty_file: guilty_file(facts),
        kind: record.kind.clone(),
        corrupted: record.corrupted,
        first_line: record.first_line,
        last_line: record.last_line,
        verdict: verdict::verdict(facts, &expressed, &hypotheses, blame.as_ref()).into(),
        story: texts(story),
        arch: record.arch.map(|arch| arch.name().to_owned()),
        kernel_release: record.release.as_ref().map(|release| release.value.clone()),
        kernel_version: record.version.clone(),
        hardware: record.hardware.as_ref().map(|hardware| hardware.value.clone()),
        cpu: record.cpu,
        pid: record.pid,
        comm: record.comm.clone(),
        kernel_offset: record.kernel_offset.as_ref().map(|offset| Hex(offset.value)),
        taints: taints(record),
        fault: fault::describe(facts),
        flags: facts.fault.flags.as_ref().map(fault::to_model),
        fixup: facts.fixup.as_ref().and_then(fixup::Said::to_model),
        location: facts.places.here().map(location::Place::location),
        frames: frames(facts, images),
        details: details::describe(record, images),
        entry: entry::describe(&facts.contexts, record).map(Into::into),
        instruction: instruction(facts, &scenes),
        listing: facts
            .places
            .here()
            .and_then(|here| scenes.at(here))
            .map(|(scene, address)| listing::around(&scene, address, sources))
            .unwrap_or_default(),
        expression: expressed.expression.clone(),
        bad_value: bad_value(facts, images, &expressed),
        registers: registers::describe(facts, &expressed.holds),
        trail: trail.steps_to_model(),
        origin: trail.to_model(),
        blame,
        cause: hypotheses.first().map_or_else(|| "undetermined".to_owned(), |best| best.cause.clone()),
        hypotheses,
        modules,
        damage: facts.damage.iter().map(damage_entry).collect(),
        images: images.describe(),
        missing: missing::missing(facts, images),
        notes: Vec::new(),
    }
}

/// The call trace, with what the code says of the entries that the unwinder did not vouch for.
fn frames(facts: &Facts<'_>, images: &Images<'_, '_>) -> Vec<model::Frame> {
    let links = links::links(&facts.places, images);
    let frames = facts.places.frames.iter().zip(links);
    frames
        .map(|(place, link)| model::Frame { link: link.map(|link| link.word().to_owned()), ..place.frame() })
        .collect()
}

/// The source file to bring the crash to: the log's own, where somebody symbolised it; else what
/// the images know; else the one file that a BUG or a WARN names.
fn guilty_file(facts: &Facts<'_>) -> Option<String> {
    let printed = || facts.record.guilty_file.clone();
    if location::Places::symbolised(facts.record) {
        return printed();
    }
    facts.places.guilty_file(facts.record).or_else(printed)
}

/// The value that was followed: by the log alone, else by the expression's arithmetic.
fn bad_value(
    facts: &Facts<'_>,
    images: &Images<'_, '_>,
    expressed: &expression::Expressed,
) -> Option<model::BadValue> {
    // Where a helper tripped, the value that was bad is what the caller had in hand.
    let handed = expressed.caller.is_some() && expressed.value.is_some();
    let (value, class) = match facts.followed.as_ref().filter(|_| !handed) {
        Some(followed) => (followed.value, followed.class.clone()),
        None => {
            let (arch, value) = (facts.arch()?, expressed.value?);
            (value, kwhy_arch::classify_value(arch, value, &facts.space, &|v| code::as_code(arch, v)))
        }
    };
    Some(meaning::of(facts, images, value, &class))
}

/// The instruction, from the `Code:` line or a checked image.
fn instruction(facts: &Facts<'_>, scenes: &scenes::Scenes<'_, '_>) -> Option<model::Instruction> {
    let faulting = facts.faulting.as_ref()?;
    // The image's address is the one that the listing shows, wherever the bytes were read.
    let in_image = facts.places.pc.as_ref().and_then(|pc| pc.address).map(|address| address.0);
    let address = in_image.or_else(|| record_pc(facts.record)).map(Hex);
    let words =
        facts.places.pc.as_ref().and_then(|pc| scenes.at(pc)).and_then(|(scene, at)| scene.explain(at));
    Some(model::Instruction {
        address,
        bytes: faulting.hex(),
        text: faulting.insn.text(),
        explanation: words.or_else(|| facts.followed.as_ref().map(|f| f.evidence(facts))).map(Into::into),
    })
}

fn record_pc(record: &CrashRecord) -> Option<u64> {
    record.pc.as_ref()?.value.address
}

fn taints(record: &CrashRecord) -> Option<Vec<model::Taint>> {
    let letters = record.tainted.as_ref()?;
    Some(
        kwhy_arch::kernel_taints(&letters.value)
            .into_iter()
            .map(|taint| model::Taint { letter: taint.letter, meaning: taint.meaning.into() })
            .collect(),
    )
}

fn damage_entry(damage: &kwhy_oops::Damage) -> model::Damage {
    model::Damage {
        line: damage.line,
        field: damage.field.clone(),
        printed: damage.printed.clone(),
        likely: damage.likely.clone(),
        grade: match damage.grade {
            kwhy_oops::Grade::Proved => model::Grade::Proved,
            kwhy_oops::Grade::Likely => model::Grade::Likely,
            kwhy_oops::Grade::Possible => model::Grade::Possible,
        },
        reason: damage.reason.clone().into(),
    }
}

fn texts(prose: Vec<kwhy_base::Prose>) -> Vec<Text> {
    prose.into_iter().map(Text).collect()
}
