//! Where the bad value came from: from the faulting expression's pointer back to whoever produced
//! it, within the function, up the stack, down into callees and through memory.
//!
//! A [`Trail`] is what the code proves: how the value travelled, one step at a time, each in the
//! terms of the function that it passed through. Where the trail ends in memory (a member, a
//! global variable) or in a choice, [`Candidate`]s say who may have put the value there, each with
//! what speaks for it; they are ranked and never more than likely unless nothing else remains.

pub mod memory;

use crate::context::Facts;
use crate::images::Images;
use crate::scenes::Scenes;
use kwhy_base::{ImageAddr, Prose};
use kwhy_report::model;

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

/// A place in the source and in an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// Index of the image among those of the crash, and the instruction; `None` for data.
    pub code: Option<(usize, ImageAddr)>,
    /// The function whose source line it is.
    pub function: Option<String>,
    /// File.
    pub file: Option<String>,
    /// Line.
    pub line: Option<u32>,
    /// The module; `None` for the kernel.
    pub module: Option<String>,
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
}

impl Trail {
    /// As the report has it.
    pub fn to_model(&self) -> Vec<model::Origin> {
        self.candidates.iter().map(Candidate::to_model).collect()
    }
}

impl Candidate {
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
