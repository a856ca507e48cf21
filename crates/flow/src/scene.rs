//! One function, solved and named, ready to be asked what an instruction means in C.

use crate::code::Code;
use crate::guards::Branches;
use crate::insn::{AccessKind, Insn, MemOperand};
use crate::interp::{Solved, State};
use crate::kin::{Kin, Kinship, Local};
use crate::names::Names;
use crate::value::{Node, NodeId, Place, Value};
use kwhy_base::{Arch, ImageAddr, Reg};
use kwhy_image::{Function, Image, Prototype};
use std::cell::{LazyCell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ops::{Deref, Range};
use std::rc::Rc;

/// A function of an image with everything the analysis knows about it.
pub struct Scene<'i, 'd> {
    /// The image.
    pub image: &'i Image<'d>,
    /// The function's debug information; `None` for assembler and where there is none.
    pub function: Option<Rc<Function>>,
    /// The symbol's name, suffixes included.
    pub symbol: String,
    /// Its code.
    pub code: Rc<Code>,
    /// The solution; behind a cell because asking makes new values.
    pub(crate) solved: Solution<'i>,
    pub(crate) names: Named<'i>,
    pub(crate) prototypes: RefCell<BTreeMap<String, Option<Prototype>>>,
    /// The classes of the whole image, where they are to be had, and of this function alone.
    pub(crate) kinship: RefCell<Option<Rc<Kinship<'i, 'd>>>>,
    pub(crate) alone: OnceCell<Kin>,
    pub(crate) branches: Branches,
}

/// The function solved and named, when first asked: who calls whom is seen in the code alone.
type Work<'i> = Rc<LazyCell<Worked, Box<dyn FnOnce() -> Worked + 'i>>>;

/// The solution, the names in it, and what is done with each value where no debug information types
/// it (until the function's classes are made of it).
type Worked = (RefCell<Solved>, Names, RefCell<Option<Local>>);

/// The solution of a scene.
pub(crate) struct Solution<'i>(Work<'i>);

/// The names in it.
pub(crate) struct Named<'i>(Work<'i>);

impl Deref for Solution<'_> {
    type Target = RefCell<Solved>;
    fn deref(&self) -> &RefCell<Solved> {
        &self.0.0
    }
}

impl Deref for Named<'_> {
    type Target = Names;
    fn deref(&self) -> &Names {
        &self.0.1
    }
}

/// One memory access of an instruction, as a value.
#[derive(Clone, Debug)]
pub struct SceneAccess {
    /// The operand.
    pub memory: MemOperand,
    /// The address, without a segment's base.
    pub address: Option<Value>,
    /// Bytes.
    pub width: u8,
    /// How.
    pub kind: AccessKind,
}

/// A symbol longer than this is not read as one function when there is no debug information.
const MAX_SYMBOL: u64 = 1 << 16;

impl<'i, 'd> Scene<'i, 'd> {
    /// The function that covers `pc`; `None` where the image has no code there or its CPU's
    /// instructions are not known.
    #[must_use]
    pub fn new(image: &'i Image<'d>, pc: ImageAddr) -> Option<Scene<'i, 'd>> {
        let symbol = image.symbol_at(pc);
        let function = image.function_at(pc);
        let (entry, ranges) = match (&function, &symbol) {
            (Some(function), _) => (function.entry, function.ranges.clone()),
            (None, Some(symbol)) => {
                let size = symbol.size.max(symbol.elf_size).clamp(1, MAX_SYMBOL);
                let end = ImageAddr(symbol.address.0.saturating_add(size));
                (symbol.address, vec![symbol.address..end])
            }
            (None, None) => return None,
        };
        let code = Rc::new(Code::read(image, entry, &ranges));
        let cpu = kwhy_arch::cpu(code.arch)?;
        let name = symbol
            .map(|symbol| symbol.name)
            .or_else(|| function.as_ref().map(|function| function.name.to_string()))
            .unwrap_or_default();
        let (own, described, called) = (Rc::clone(&code), function.clone(), name.clone());
        let work: Work<'i> = Rc::new(LazyCell::new(Box::new(move || {
            let mut solved = Solved::with(cpu, own);
            let names = match &described {
                Some(function) => Names::new(&mut solved, function, image),
                None => Names::none(&solved),
            };
            // Before anything else is asked, so that values have the numbers that they always have.
            let untyped = !image.has_dwarf() && image.has_types();
            let local = untyped.then(|| Local::of(&mut solved, image, described.as_deref(), &called));
            (RefCell::new(solved), names, RefCell::new(local))
        })));
        Some(Scene {
            image,
            function,
            symbol: name,
            code,
            solved: Solution(Rc::clone(&work)),
            names: Named(work),
            prototypes: RefCell::new(BTreeMap::new()),
            kinship: RefCell::new(None),
            alone: OnceCell::new(),
            branches: Branches::default(),
        })
    }

    /// What is done with each value, where no debug information types it; once.
    pub(crate) fn take_local(&self) -> Option<Local> {
        self.solved.0.2.take()
    }

    /// Lets the function's values be seen together with those of the whole image.
    pub fn join(&self, kinship: &Rc<Kinship<'i, 'd>>) {
        *self.kinship.borrow_mut() = Some(Rc::clone(kinship));
    }

    /// The CPU.
    #[must_use]
    pub fn arch(&self) -> Arch {
        self.code.arch
    }

    /// The instruction that covers `pc`.
    #[must_use]
    pub fn insn(&self, pc: ImageAddr) -> Option<&Insn> {
        self.code.index_of(pc).and_then(|index| self.code.insns.get(index))
    }

    /// The instruction before the one at `pc`: for a return address, the call.
    #[must_use]
    pub fn insn_before(&self, pc: ImageAddr) -> Option<&Insn> {
        let at = self.code.index_of(ImageAddr(pc.0.checked_sub(1)?))?;
        self.code.insns.get(at)
    }

    /// The state before the instruction at `pc`.
    #[must_use]
    pub fn state(&self, pc: ImageAddr) -> Option<State> {
        let index = self.code.index_of(pc)?;
        self.solved.borrow_mut().state_before(index)
    }

    /// What a register holds before the instruction at `pc`.
    #[must_use]
    pub fn register(&self, pc: ImageAddr, register: Reg) -> Option<Value> {
        self.state(pc)?.register(register)
    }

    /// The node behind an id.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<Node> {
        self.solved.borrow().arena.node(id)
    }

    /// The values that meet in a phi.
    #[must_use]
    pub fn phi_inputs(&self, block: ImageAddr, place: Place) -> Vec<(ImageAddr, Value)> {
        self.solved.borrow_mut().phi_inputs(block, place)
    }

    /// The memory accesses of the instruction at `pc`, in its own order.
    #[must_use]
    pub fn accesses(&self, pc: ImageAddr) -> Vec<SceneAccess> {
        let Some(insn) = self.insn(pc) else { return Vec::new() };
        let state = self.state(pc);
        insn.accesses()
            .into_iter()
            .map(|access| SceneAccess {
                address: state
                    .as_ref()
                    .and_then(|state| self.solved.borrow_mut().address(state, &access.memory)),
                memory: access.memory,
                width: access.width,
                kind: access.kind,
            })
            .collect()
    }

    /// The functions covering `pc`, innermost (inlined) first: scope index and name.
    #[must_use]
    pub fn levels(&self, pc: ImageAddr) -> Vec<(usize, Rc<str>)> {
        self.names
            .levels(pc)
            .into_iter()
            .filter_map(|level| {
                self.names.scopes.get(level).map(|scope| (level, Rc::clone(&scope.function_name)))
            })
            .collect()
    }

    /// The code ranges of the function.
    #[must_use]
    pub fn ranges(&self) -> Vec<Range<ImageAddr>> {
        self.code.ranges().to_vec()
    }

    /// An address that the function's unit is found by. Not the entry: the NOPs that tracing
    /// patches stand before what debug information calls the function's code.
    pub(crate) fn near(&self) -> ImageAddr {
        let range = self.function.as_ref().and_then(|function| function.ranges.first());
        range.map_or(self.code.entry, |range| ImageAddr(range.end.0.saturating_sub(1)))
    }

    /// The declaration of a function, by symbol name with compiler suffixes removed.
    pub(crate) fn prototype(&self, name: &str) -> Option<Prototype> {
        let plain = plain_name(name);
        let plain = plain.strip_prefix("__pi_").unwrap_or(plain);
        if let Some(known) = self.prototypes.borrow().get(plain) {
            return known.clone();
        }
        let found = self.image.prototype(plain, self.near());
        self.prototypes.borrow_mut().insert(plain.to_owned(), found.clone());
        found
    }
}

/// A symbol's name in the source: without what the compiler put after a dot (`.isra.0`, a number).
pub(crate) fn plain_name(symbol: &str) -> &str {
    symbol.split_once('.').map_or(symbol, |(plain, _)| plain)
}
