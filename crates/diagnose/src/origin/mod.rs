//! Where the bad value came from: from the faulting expression's pointer back to whoever produced
//! it, within the function, up the stack, down into callees and through memory.
//!
//! A [`Trail`] is what the code proves: how the value travelled, one step at a time, each in the
//! terms of the function that it passed through. Where the trail ends in memory (a member, a
//! global variable) or in a choice, [`Candidate`]s say who may have put the value there, each with
//! what speaks for it; they are ranked and never more than likely unless nothing else remains.

mod cut;
mod down;
pub mod memory;
pub mod reports;
mod spot;
mod up;
mod usual;
mod within;

pub use spot::{Spot, spot, spot_in};

use crate::context::Facts;
use crate::images::Images;
use crate::scenes::Scenes;
use kwhy_base::{ImageAddr, Prose, Reg};
use kwhy_flow::scene::Scene;
use kwhy_flow::value::Value;
use kwhy_report::model;
use std::rc::Rc;
use up::{Above, Here};
use within::{Walk, Wanted};

/// What the trail begins with.
#[derive(Clone, Debug, PartialEq)]
pub enum Start {
    /// A value of the faulting function, as it is before the faulting instruction.
    Value {
        /// The pointer that was followed.
        value: Value,
        /// What it was.
        observed: Option<u64>,
        /// The index that was added to it.
        index: Option<Value>,
    },
    /// What a member held was not what it should be: a check of it failed.
    Member {
        /// `struct ring`.
        record: String,
        /// `count`.
        member: String,
        /// Bytes from the start of the struct.
        offset: u64,
        /// What was looked at, in C.
        text: String,
        /// What it held, where that is known.
        observed: Option<u64>,
        /// The register that the faulting function was entered with the object's address, or an
        /// address inside it, in.
        object: Option<Reg>,
    },
}

/// Follows the bad value of a crash back to whoever produced it.
pub fn trace(ctx: &Ctx<'_, '_, '_>, start: Option<&Start>) -> Trail {
    let (Some(start), Some(place)) = (start, ctx.facts.places.here()) else { return Trail::default() };
    let (Some((scene, address)), Some(image)) = (ctx.scenes.at(place), place.image) else {
        return Trail::default();
    };
    let at = scene.insn(address).map_or(address, |insn| insn.address);
    let mut walk = Walk::new(ctx, true);
    match start {
        Start::Value { value, observed, index } => {
            let above = Rc::new(Above::Stack(up::first_above(ctx, place)));
            let here = Here { image, scene, above };
            walk.followed(&here, *value, at);
            // A subscript that is no element is what was bad, not the pointer.
            if let Some(index) = index {
                let wanted = Wanted { value: *index, register: None, at, observed: None };
                walk.begin(&here, wanted, Explains::Perhaps);
            }
            let wanted = Wanted { value: *value, register: None, at, observed: *observed };
            walk.begin(&here, wanted, if index.is_some() { Explains::Hardly } else { Explains::Exactly });
        }
        Start::Member { record, member, offset, text, observed, object } => {
            let asked = memory::Asked {
                held: memory::Held::Member {
                    record: record.clone(),
                    member: member.clone(),
                    offset: *offset,
                },
                size: 0,
                indexed: false,
                value: *observed,
                load: (image, at),
                text: text.clone(),
                at_best: Explains::Perhaps,
            };
            walk.trail.member = Some((record.clone(), member.clone()));
            walk.remembered(memory::producers(ctx, &asked), *observed);
            walk.trail.steps.push(Step {
                spot: spot(ctx, image, at),
                text: text.clone(),
                how: How::Followed,
                checked: true,
            });
            if let Some(object) = object {
                let above = Rc::new(Above::Stack(up::first_above(ctx, place)));
                walk.holders(&Here { image, scene, above }, *object);
            }
        }
    }
    let mut trail = walk.finish();
    crate::blame::reorder(ctx, &mut trail.candidates);
    if let Some((record, member)) = &trail.member {
        trail.usual = usual::writers(ctx, record, member);
    }
    trail
}

/// Who gave the value that the instruction at `at` of `scene` stores: for a store that memory
/// found. Reads of further memory are not followed.
pub fn behind<'o, 'd>(
    ctx: &Ctx<'_, 'o, 'd>,
    image: usize,
    scene: &Rc<Scene<'o, 'd>>,
    value: Value,
    at: ImageAddr,
    observed: Option<u64>,
) -> Vec<Candidate> {
    let here = Here { image, scene: Rc::clone(scene), above: Rc::new(Above::Nothing) };
    let mut walk = Walk::new(ctx, false);
    walk.begin(&here, Wanted { value, register: None, at, observed }, Explains::Exactly);
    walk.finish().candidates
}

/// The module that an image is; `None` for the kernel.
pub fn module_of(ctx: &Ctx<'_, '_, '_>, image: usize) -> Option<String> {
    ctx.images.module(image)
}

/// What a search may look at.
pub struct Ctx<'a, 'o, 'd> {
    /// What is known of the crash.
    pub facts: &'a Facts<'a>,
    /// The images.
    pub images: &'a Images<'o, 'd>,
    /// The functions analysed so far.
    pub scenes: &'a Scenes<'o, 'd>,
}

/// What sort of producer a candidate is: the contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A store into the member.
    MemberStore,
    /// A store that should be there and is not, or is passed over: the object was left as it was made.
    MissingStore,
    /// What a function returned.
    CallResult,
    /// What the outermost function known was handed.
    Parameter,
    /// A variable's initialiser, or a store into it.
    Global,
    /// A constant in the code.
    Constant,
    /// The code computed it there.
    Code,
    /// It is not known.
    Unknown,
}

impl What {
    /// The contract's word.
    pub fn word(self) -> &'static str {
        match self {
            What::MemberStore => "member-store",
            What::MissingStore => "missing-store",
            What::CallResult => "call-result",
            What::Parameter => "parameter",
            What::Global => "global",
            What::Constant => "constant",
            What::Code => "code",
            What::Unknown => "unknown",
        }
    }
}

/// How well a candidate explains the value that was seen; better ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Explains {
    /// It gives this very value.
    Exactly,
    /// What it gives is not known before it runs; it can be this value.
    Perhaps,
    /// It would take something else going wrong as well.
    Hardly,
}

/// One place that may have produced the bad value.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// What sort of producer.
    pub what: What,
    /// Where.
    pub spot: Spot,
    /// Whether it gives the value.
    pub explains: Explains,
    /// What it does, in words.
    pub detail: Prose,
    /// What speaks for it, beyond that.
    pub reasons: Vec<Prose>,
    /// From an entry point down to it, where asked for.
    pub call_path: Vec<String>,
    /// The function that took this value over unchecked, where it is another one: the receiver of
    /// an error pointer or of NULL that it did not look at. Blame goes there.
    pub unchecked_in: Option<Spot>,
    /// It gives the object back: what is read from it afterwards is not its own.
    pub frees: bool,
    /// What is wrong with it in itself, whatever was read there afterwards.
    pub mishap: Option<Mishap>,
}

/// What a producer does that is wrong in itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// It writes more than the place that it writes to holds.
    RunsOver,
    /// It hands an object of one type over where one of another is taken.
    TakesForOther,
    /// It keeps a pointer in fewer bits than a pointer has.
    CutsOff,
    /// It alters bits of a pointer in place.
    Alters,
}

/// How the value got to a step from the one before it (the trail goes backwards in time).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It was followed, and that faulted: the first step.
    Followed,
    /// It was read from memory here.
    Loaded,
    /// This frame handed it to the one below.
    HandedOn,
    /// The callee of the step before returned it here.
    Returned,
    /// It was put together here.
    Made,
}

/// One step of the value's way, in the terms of the function it passed through.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Where.
    pub spot: Spot,
    /// What the value is called there.
    pub text: String,
    /// How it got on from there.
    pub how: How,
    /// The function compares it with zero or looks whether it is an error before it goes on.
    pub checked: bool,
}

/// The value's way back, as far as the evidence goes, and who may have produced it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trail {
    /// From the fault backwards.
    pub steps: Vec<Step>,
    /// The member that the value was last read from: `struct module_use`, `target`.
    pub member: Option<(String, String)>,
    /// The pointer goes round a loop (`at = at->next`) that ends for another reason than its value.
    pub carried: bool,
    /// Who may have produced it, best first.
    pub candidates: Vec<Candidate>,
    /// Who gives the member its value when all is well; no verdict rests on them.
    pub usual: Vec<Candidate>,
}

impl How {
    /// The contract's word.
    pub fn word(self) -> &'static str {
        match self {
            How::Followed => "followed",
            How::Loaded => "loaded",
            How::HandedOn => "handed-on",
            How::Returned => "returned",
            How::Made => "made",
        }
    }
}

impl Trail {
    /// The steps, as the report has them.
    pub fn steps_to_model(&self) -> Vec<model::TrailStep> {
        let steps = self.steps.iter().map(|step| model::TrailStep {
            function: step.spot.function.clone(),
            file: step.spot.file.clone(),
            line: step.spot.line,
            module: step.spot.module.clone(),
            text: step.text.clone(),
            how: step.how.word().to_owned(),
            checked: step.checked,
        });
        steps.collect()
    }

    /// The candidates, as the report has them.
    pub fn to_model(&self) -> Vec<model::Origin> {
        let told = |other: &&Candidate| {
            let same = |one: &Candidate| one.spot.file == other.spot.file && one.spot.line == other.spot.line;
            !self.candidates.iter().any(same)
        };
        self.candidates.iter().chain(self.usual.iter().filter(told)).map(Candidate::to_model).collect()
    }
}

impl Candidate {
    /// A producer of which no more is known than what it does.
    pub fn new(what: What, spot: Spot, explains: Explains, detail: Prose) -> Candidate {
        Candidate {
            what,
            spot,
            explains,
            detail,
            reasons: Vec::new(),
            call_path: Vec::new(),
            unchecked_in: None,
            frees: false,
            mishap: None,
        }
    }

    fn to_model(&self) -> model::Origin {
        model::Origin {
            what: self.what.word().to_owned(),
            function: self.spot.function.clone(),
            file: self.spot.file.clone(),
            line: self.spot.line,
            module: self.spot.module.clone(),
            call_path: self.call_path.clone(),
            detail: Some(self.detail.clone().into()),
        }
    }
}
