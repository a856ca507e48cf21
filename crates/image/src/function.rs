//! A function as its debug information tells it: scopes, inlined calls, variables and where
//! they live.

use crate::types::TypeId;
use kwhy_base::{ImageAddr, Reg};
use std::ops::Range;
use std::rc::Rc;

/// A half-open range of code.
pub type CodeRange = Range<ImageAddr>;

/// An out-of-line function.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// The name in the source: `cr_route` for the symbol `cr_route.constprop.0`.
    pub name: Rc<str>,
    /// Where its code is; more than one range when part of it was split off (`.cold`).
    pub ranges: Vec<CodeRange>,
    /// The entry point.
    pub entry: ImageAddr,
    /// What it returns; `None` for `void`.
    pub returns: Option<TypeId>,
    /// File and line of the declaration.
    pub declared: Option<(Rc<str>, u32)>,
    /// Its body: parameters, locals, inlined calls.
    pub body: Scope,
}

/// A function body, an inlined call's body or a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// What opened it.
    pub kind: ScopeKind,
    /// Where its code is.
    pub ranges: Vec<CodeRange>,
    /// Parameters and locals declared in this very scope.
    pub variables: Vec<Variable>,
    /// Scopes inside.
    pub children: Vec<Scope>,
}

/// What opened a scope.
#[derive(Clone, Debug, PartialEq)]
pub enum ScopeKind {
    /// The function itself.
    Function,
    /// A call that was inlined here.
    Inlined {
        /// The callee's name.
        name: Rc<str>,
        /// File of the call.
        call_file: Option<Rc<str>>,
        /// Line of the call.
        call_line: Option<u32>,
        /// Column of the call.
        call_column: Option<u32>,
    },
    /// Braces, or a `for` with its own variable.
    Block,
}

/// A parameter or a local variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// The name in the source.
    pub name: Rc<str>,
    /// Its type; `None` where the producer left it out.
    pub ty: Option<TypeId>,
    /// Whether it is a parameter (of the function, or of the inlined call).
    pub parameter: bool,
    /// Where its value is: one entry for the whole scope, or a location list. Empty when optimised out.
    pub locations: Vec<VariableLocation>,
    /// File and line of its declaration (`DW_AT_decl_file`, `DW_AT_decl_line`).
    pub declared: Option<(Rc<str>, u32)>,
}

/// Where a variable's value is for a range of code.
#[derive(Clone, Debug, PartialEq)]
pub struct VariableLocation {
    /// The code for which this holds; `None` for the whole scope.
    pub range: Option<CodeRange>,
    /// Where.
    pub place: Place,
}

/// Where a value is, as a DWARF location description says.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// In a register (`DW_OP_regN`).
    Register(Reg),
    /// In memory at register + offset (`DW_OP_bregN`).
    Memory(Reg, i64),
    /// In memory at the frame's CFA + offset (`DW_OP_fbreg` with `DW_OP_call_frame_cfa` as the base).
    Frame(i64),
    /// In memory at a fixed address (`DW_OP_addr`).
    Address(ImageAddr),
    /// The value is register + offset (`DW_OP_bregN, DW_OP_stack_value`).
    Computed(Reg, i64),
    /// The value is the CFA + offset: the address of something on the stack.
    FrameAddress(i64),
    /// The value is this constant.
    Constant(u64),
    /// The value is the address of this object (`DW_OP_addr, DW_OP_stack_value`).
    AddressOf(ImageAddr),
    /// The value is what the register held on entry, plus an offset (`DW_OP_entry_value`).
    Entry(Reg, i64),
    /// Parts of it are in registers (`DW_OP_regN, DW_OP_piece`): byte offset in the variable, bytes,
    /// register.
    Pieces(Vec<(u64, u64, Reg)>),
    /// Anything else: implicit pointers, longer computations.
    Other,
}

impl Scope {
    /// Whether `address` is in this scope.
    #[must_use]
    pub fn contains(&self, address: ImageAddr) -> bool {
        self.ranges.iter().any(|range| range.contains(&address))
    }

    /// This scope and those inside it that contain `address`, outermost first.
    #[must_use]
    pub fn chain(&self, address: ImageAddr) -> Vec<&Scope> {
        let mut chain = vec![self];
        let mut here = self;
        while let Some(child) = here.children.iter().find(|child| child.contains(address)) {
            chain.push(child);
            here = child;
        }
        chain
    }
}

impl Variable {
    /// Where the value is when the instruction at `address` is about to run.
    #[must_use]
    pub fn place_at(&self, address: ImageAddr) -> Option<&Place> {
        self.locations
            .iter()
            .find(|location| location.range.as_ref().is_none_or(|range| range.contains(&address)))
            .map(|location| &location.place)
    }
}
