//! What the pointers of a whole module point to, where no debug information says so.
//!
//! The values of all functions are put into classes: what is read from one place, what meets in a
//! join, what is handed over and what comes in, what is returned and what the caller gets. Then a
//! class has everything that is done with any of its members, and what it points to is told by the
//! first of these that speaks: a declaration that one of them meets; the size of the allocation
//! that one of them came from; the type of what was stored where they are read; and last, that one
//! struct of the module alone has members wherever they are accessed. All of that is inference:
//! never a proof, and where two structs would fit, nothing.

mod classes;
mod gather;
mod local;
mod solve;

pub(crate) use local::Local;

use crate::scene::{Scene, plain_name};
use crate::value::{Node, NodeId, Value};
use classes::Classes;
use kwhy_base::ImageAddr;
use kwhy_image::{Image, Prototype, TypeId};
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A module with more functions than this is not read as a whole, but each function on its own.
const MAX_FUNCTIONS: usize = 600;

/// From what a type was inferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The declaration of this function: its parameter.
    Declared(String),
    /// It is handed over to this function.
    Passed(String),
    /// This function returns it.
    Returned(String),
    /// It is read from this member.
    Member(String),
    /// One struct of the module alone has the size that this function allocates for it.
    Allocated {
        /// Who allocates.
        function: String,
        /// By this.
        callee: String,
        /// So many bytes.
        size: u64,
    },
    /// Something of that type is stored where it is read, or handed over as it.
    Stored,
    /// A variable, or an array's element, of this size.
    Sized(u64),
    /// Of the structs known, only this one has members at all places accessed; so many places.
    Only(usize),
}

/// What a class points to.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub ty: TypeId,
    /// Where in it the class's root points.
    pub at: i64,
    pub why: Why,
}

/// A place in memory or a pointer: a term plus a constant, and what indices are multiplied by,
/// the largest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spotted {
    pub term: usize,
    pub plus: i64,
    pub strides: (u64, u64),
}

/// A place relative to a class's root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub root: usize,
    pub offset: i64,
    pub strides: (u64, u64),
}

/// An access relative to the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Use {
    pub offset: i64,
    pub width: u8,
    pub strides: (u64, u64),
    /// Only written.
    pub written: bool,
}

/// What is known of a class.
#[derive(Default)]
pub(crate) struct Facts {
    pub uses: BTreeSet<Use>,
    /// So far from the root one of these begins.
    pub told: Vec<(i64, TypeId, Why)>,
    /// So far from the root an allocation of that size begins.
    pub sizes: Vec<(i64, u64, Why)>,
    /// A variable of that size begins so far from the root; 0 where the size is not known.
    pub object: Option<(i64, u64)>,
    /// A member of the class, less the root, is what is kept here.
    pub sources: Vec<(i64, Spotted)>,
}

/// The classes of an image's functions.
#[derive(Default)]
pub(crate) struct Kin {
    locals: Vec<Local>,
    by_entry: BTreeMap<ImageAddr, usize>,
    /// The number of each function's first term.
    starts: Vec<usize>,
    /// Variables by address: their term and size.
    objects: RefCell<BTreeMap<u64, (usize, u64)>>,
    classes: RefCell<Classes>,
    facts: BTreeMap<usize, Facts>,
    /// What is read from a place.
    cells: BTreeMap<Cell, usize>,
    /// What is stored to a place.
    stores: BTreeMap<Cell, Vec<Spotted>>,
    types: RefCell<BTreeMap<usize, Option<Found>>>,
    /// Classes of which nothing but the kernel's own structs was left to ask.
    asked: RefCell<BTreeSet<usize>>,
    prototypes: RefCell<BTreeMap<String, Option<Rc<Prototype>>>>,
}

/// The classes of an image, made when first asked for.
pub struct Kinship<'i, 'd> {
    image: &'i Image<'d>,
    made: OnceCell<Option<Kin>>,
}

impl<'i, 'd> Kinship<'i, 'd> {
    /// Of a whole image, where it is a module without debug information; else of nothing.
    #[must_use]
    pub fn of(image: &'i Image<'d>) -> Rc<Kinship<'i, 'd>> {
        Rc::new(Kinship { image, made: OnceCell::new() })
    }

    fn kin(&self) -> Option<&Kin> {
        self.made
            .get_or_init(|| {
                let image = self.image;
                let module = matches!(image.kind(), kwhy_image::ImageKind::Module { .. });
                if image.has_dwarf() || !module || !image.has_types() {
                    return None;
                }
                let entries = image.function_addresses();
                if entries.len() > MAX_FUNCTIONS {
                    return None;
                }
                let mut locals: Vec<Local> = Vec::new();
                for entry in entries {
                    let Some(scene) = Scene::new(image, entry) else { continue };
                    if let Some(local) = scene.take_local()
                        && !locals.iter().any(|known| known.entry == local.entry)
                    {
                        locals.push(local);
                    }
                }
                Some(Kin::build(image, locals))
            })
            .as_ref()
    }
}

impl Scene<'_, '_> {
    /// Asks `ask` of the classes that the function is in: its module's, or else its own.
    pub(crate) fn with_kin<T>(&self, ask: impl FnOnce(&Kin, usize) -> Option<T>) -> Option<T> {
        if self.image.has_dwarf() || !self.image.has_types() {
            return None;
        }
        let entry = self.code.entry;
        let shared = self.kinship.borrow().clone();
        if let Some(kin) = shared.as_ref().and_then(|kinship| kinship.kin())
            && let Some(local) = kin.by_entry.get(&entry)
        {
            return ask(kin, *local);
        }
        let alone = self.alone.get_or_init(|| {
            let local = self.take_local();
            Kin::build(self.image, local.into_iter().collect())
        });
        ask(alone, *alone.by_entry.get(&entry)?)
    }
}

impl Kin {
    /// A callee's declaration; none for the clones that compilers make, whose parameters differ.
    fn prototype(&self, image: &Image<'_>, name: &str) -> Option<Rc<Prototype>> {
        if [".isra", ".constprop", ".part"].iter().any(|mark| name.contains(mark)) {
            return None;
        }
        let plain = plain_name(name);
        let plain = plain.strip_prefix("__pi_").unwrap_or(plain);
        if let Some(known) = self.prototypes.borrow().get(plain) {
            return known.clone();
        }
        let found = image.prototype(plain, ImageAddr(0)).map(Rc::new);
        self.prototypes.borrow_mut().insert(plain.to_owned(), found.clone());
        found
    }

    /// The term of a function's value.
    fn term(&self, local: usize, id: NodeId) -> Option<usize> {
        let count = self.locals.get(local)?.nodes.len();
        let number = id.0 as usize;
        (number < count).then_some(self.starts.get(local)?.checked_add(number)?)
    }

    /// The variable around an address, and how far in it that is.
    fn object(&self, image: &Image<'_>, at: u64) -> Option<(usize, i64)> {
        if at < 0x1000 || image.section_at(ImageAddr(at)).is_none() {
            return None;
        }
        let symbol = image.symbol_at(ImageAddr(at)).filter(|symbol| !symbol.function)?;
        let offset = at.wrapping_sub(symbol.address.0) as i64;
        if symbol.elf_size > 0 && offset as u64 >= symbol.elf_size {
            return None;
        }
        let mut objects = self.objects.borrow_mut();
        let (term, _) = objects
            .entry(symbol.address.0)
            .or_insert_with(|| (self.classes.borrow_mut().add(), symbol.elf_size));
        Some((*term, offset))
    }

    /// The place that a value of a function is or points to.
    fn place(
        &self,
        image: &Image<'_>,
        local: usize,
        value: Value,
        more: &dyn Fn(NodeId) -> Option<Node>,
        depth: u32,
    ) -> Option<Spotted> {
        let known = self.locals.get(local)?;
        let object = |at: i64, strides: (u64, u64)| {
            let (term, plus) = self.object(image, at as u64)?;
            Some(Spotted { term, plus, strides })
        };
        let Some(id) = value.node else { return object(value.plus, (0, 0)) };
        if depth > 6 || known.sp == Some(id) {
            return None;
        }
        let node = known.node(id).or_else(|| more(id))?;
        let of = |value: Value| local::strides(known, value, 0);
        let ordered = |mut all: Vec<u64>, also: (u64, u64)| {
            all.extend([also.0, also.1]);
            all.sort_unstable_by_key(|stride| std::cmp::Reverse(*stride));
            (all.first().copied().unwrap_or(0), all.get(1).copied().unwrap_or(0))
        };
        match node {
            Node::Binary(crate::insn::Operator::Mul, ..) => {
                object(value.plus, ordered(of(Value { node: Some(id), plus: 0 }), (0, 0)))
            }
            Node::Binary(crate::insn::Operator::Add, a, b) => {
                let (first, second) = (of(a), of(b));
                let narrow = |value: Value| {
                    matches!(
                        value.node.and_then(|id| known.node(id)),
                        Some(Node::Extract { .. } | Node::Load { width: 1..8, .. })
                    )
                };
                let (base, all) = match (first.is_empty(), second.is_empty()) {
                    (true, false) => (a, second),
                    (false, true) => (b, first),
                    (false, false) => {
                        let all = first.into_iter().chain(second).collect();
                        return object(value.plus, ordered(all, (0, 0)));
                    }
                    (true, true) if narrow(b) && !narrow(a) => (a, vec![1]),
                    (true, true) if narrow(a) && !narrow(b) => (b, vec![1]),
                    (true, true) => {
                        let term = self.term(local, id)?;
                        return Some(Spotted { term, plus: value.plus, strides: (0, 0) });
                    }
                };
                let inner = self.place(image, local, base, more, depth + 1)?;
                let plus = inner.plus.wrapping_add(value.plus);
                Some(Spotted { term: inner.term, plus, strides: ordered(all, inner.strides) })
            }
            // An index of bytes into a variable.
            Node::Extract { .. } | Node::Load { width: 1..8, .. } if value.plus > 0x1000 => {
                object(value.plus, (1, 0))
            }
            _ => Some(Spotted { term: self.term(local, id)?, plus: value.plus, strides: (0, 0) }),
        }
    }

    /// A place by its class.
    fn cell(&self, spotted: Spotted) -> Cell {
        let (root, delta) = self.classes.borrow().find(spotted.term);
        Cell { root, offset: delta.wrapping_add(spotted.plus), strides: spotted.strides }
    }

    /// Where a value of a function points, and what its class points to.
    fn spot(
        &self,
        image: &Image<'_>,
        local: usize,
        value: Value,
        more: &dyn Fn(NodeId) -> Option<Node>,
    ) -> Option<(Cell, Found)> {
        let cell = self.cell(self.place(image, local, value, more, 0)?);
        let found = self.type_of(image, cell.root)?;
        let at = found.at.wrapping_add(cell.offset);
        Some((cell, Found { at, ..found }))
    }

    /// What a value of a function points into, and where in it.
    pub(crate) fn pointee(
        &self,
        image: &Image<'_>,
        local: usize,
        value: Value,
        more: &dyn Fn(NodeId) -> Option<Node>,
    ) -> Option<Found> {
        let (cell, found) = self.spot(image, local, value, more)?;
        if cell.strides != (0, 0) {
            return None;
        }
        let steps = self.classes.borrow().steps.get(&cell.root).cloned().unwrap_or_default();
        let size = image.size_of(found.ty).filter(|size| *size > 0 && steps.contains(size));
        let at = size.map_or(found.at, |size| found.at.rem_euclid(size as i64));
        Some(Found { at, ..found })
    }

    /// What a pointer that was moved by an index points to, where that moves it by whole elements.
    pub(crate) fn element(
        &self,
        image: &Image<'_>,
        local: usize,
        value: Value,
        more: &dyn Fn(NodeId) -> Option<Node>,
    ) -> Option<Found> {
        let (cell, found) = self.spot(image, local, value, more)?;
        let size = image.size_of(found.ty).filter(|size| *size > 0)?;
        let whole = cell.strides.0.is_multiple_of(size) && cell.strides.1 == 0;
        let at = found.at.rem_euclid(size as i64);
        (cell.strides.0 > 0 && whole).then_some(Found { at, ..found })
    }

    /// The variable around an address: its symbol's address, what it holds and the stride of its
    /// elements, where it is an array (else 0).
    pub(crate) fn variable(&self, image: &Image<'_>, at: u64) -> Option<(u64, u64, Found)> {
        let symbol = image.symbol_at(ImageAddr(at)).filter(|symbol| !symbol.function)?;
        let (term, size) = *self.objects.borrow().get(&symbol.address.0)?;
        let (root, delta) = self.classes.borrow().find(term);
        let found = self.type_of(image, root)?;
        let found = Found { at: found.at.wrapping_add(delta), ..found };
        let element = image.size_of(found.ty)?;
        let array = found.at == 0 && element > 0 && size > element && size.is_multiple_of(element);
        Some((symbol.address.0, if array { element } else { 0 }, found))
    }

    /// Whether values of a class are the same pointer: the registers that hold one of them.
    pub(crate) fn same(&self, image: &Image<'_>, local: usize, a: Value, b: Value) -> bool {
        let of = |value: Value| self.place(image, local, value, &|_| None, 0).map(|place| self.cell(place));
        match (of(a), of(b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        }
    }
}
