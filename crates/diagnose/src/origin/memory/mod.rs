//! Who put a value into memory: the stores of a member, of a global variable or of an array's
//! element, the places that make the object and leave it as it was, initialisers.

use super::{Candidate, Ctx, Explains};
use kwhy_base::ImageAddr;

/// What the value was read from.
#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    /// A member of a struct (of an element of an array of them, too).
    Member {
        /// `struct module_use`.
        record: String,
        /// `target`, `mkobj.kobj`, `ports[i]`.
        member: String,
        /// Bytes from the start of the struct; of an indexed access the constant part.
        offset: u64,
    },
    /// A variable with a fixed address, or a member or element of it.
    Global {
        /// The symbol.
        symbol: String,
        /// Its address in the image that defines it; `None` where only its name is known there.
        address: Option<ImageAddr>,
        /// Bytes into it; of an indexed access the constant part.
        offset: u64,
        /// It is a per-cpu variable.
        per_cpu: bool,
    },
    /// Something else that a pointer points to: `*table[i]`.
    Pointee {
        /// What was read, in C.
        text: String,
    },
}

/// A question to memory: who put this value there?
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// What was read.
    pub held: Held,
    /// Bytes read.
    pub size: u64,
    /// It is one element of several.
    pub indexed: bool,
    /// The value that was found there, where it is known.
    pub value: Option<u64>,
    /// Index of the image of the load, and the instruction.
    pub load: (usize, ImageAddr),
    /// What was read, in C, in the terms of the function that read it.
    pub text: String,
    /// How well a perfect answer explains: not better than this.
    pub at_best: Explains,
}

/// Who may have put the value there, best first.
pub fn producers(_: &Ctx<'_, '_, '_>, _: &Asked) -> Vec<Candidate> {
    Vec::new()
}
