//! The classes themselves: which values are one pointer, and what is done with each.

use super::classes::Classes;
use super::{Cell, Facts, Kin, Local, Spotted, Use, Why};
use crate::value::{Node, NodeId, Value};
use kwhy_image::{Image, Prototype, Type, TypeId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How often what is read from one place is put together; a list of lists takes a round a level.
const MAX_ROUNDS: usize = 10;
/// Uses of one class that are compared; the first are as good as any.
const MAX_USES: usize = 48;

fn nothing(_: NodeId) -> Option<Node> {
    None
}

impl Kin {
    /// Puts the values of functions into classes and finds out what those point to.
    pub(super) fn build(image: &Image<'_>, locals: Vec<Local>) -> Kin {
        let mut starts = Vec::with_capacity(locals.len());
        let mut count = 0usize;
        for local in &locals {
            starts.push(count);
            count = count.saturating_add(local.nodes.len());
        }
        let by_entry = locals.iter().enumerate().map(|(index, local)| (local.entry, index)).collect();
        let mut kin =
            Kin { locals, by_entry, starts, classes: RefCell::new(Classes::new(count)), ..Kin::default() };
        kin.mark_used(image);
        let arrays = kin.unite_all(image);
        kin.classes.borrow_mut().settle();
        kin.read_cells(image, &arrays);
        kin.collect(image, &arrays);
        kin.solve(image);
        kin
    }

    /// Arguments that a callee does something with, and results that a caller does something with.
    fn mark_used(&mut self, image: &Image<'_>) {
        let arguments = kwhy_arch::cpu(image.arch()).map_or(&[][..], |cpu| cpu.arguments);
        for _ in 0..4 {
            let mut marks: Vec<(usize, Vec<Value>)> = Vec::new();
            for (index, local) in self.locals.iter().enumerate() {
                for call in &local.calls {
                    let prototype = call.name.as_ref().and_then(|name| self.prototype(image, name));
                    let callee = call.target.and_then(|target| self.by_entry.get(&target));
                    for (position, register) in arguments.iter().enumerate() {
                        let Some(Some(value)) = call.arguments.get(position) else { continue };
                        let declared = prototype.as_ref().is_some_and(|p| position < p.parameters.len());
                        let wanted =
                            callee.and_then(|callee| self.locals.get(*callee)).is_some_and(|callee| {
                                callee.entered(*register).is_some_and(|node| callee.is_used(node))
                            });
                        if declared || wanted {
                            marks.push((index, vec![*value]));
                        }
                    }
                    if call.result.is_some_and(|result| local.is_used(result))
                        && let Some(callee) = callee
                        && let Some(values) = self.locals.get(*callee).map(|callee| callee.returns.clone())
                    {
                        marks.push((*callee, values));
                    }
                }
            }
            let mut news = false;
            for (index, values) in marks {
                if let Some(local) = self.locals.get_mut(index) {
                    news |= local.mark(values);
                }
            }
            if !news {
                break;
            }
        }
    }

    pub(super) fn placed(&self, image: &Image<'_>, local: usize, value: Value) -> Option<Spotted> {
        self.place(image, local, value, &nothing, 0)
    }

    /// Whether a value is no pointer at all: NULL, an error.
    fn is_number(value: Value) -> bool {
        value.node.is_none() && ((-4096..4096).contains(&value.plus))
    }

    fn is_object(&self, term: usize) -> bool {
        self.objects.borrow().values().any(|(object, _)| *object == term)
    }

    /// Unites until nothing changes. Returns the strides of the variables that are arrays, by root.
    fn unite_all(&mut self, image: &Image<'_>) -> BTreeMap<usize, u64> {
        let mut arrays = BTreeMap::new();
        for _ in 0..MAX_ROUNDS {
            let mut news = self.unite_joins(image);
            news |= self.unite_calls(image);
            let found = self.arrays(image);
            news |= found != arrays;
            arrays = found;
            news |= self.unite_loads(image, &arrays);
            if !news {
                break;
            }
        }
        arrays
    }

    fn unite_joins(&self, image: &Image<'_>) -> bool {
        let mut news = false;
        for (index, local) in self.locals.iter().enumerate() {
            for (phi, inputs) in local.phis.iter().filter(|(phi, _)| local.is_used(*phi)) {
                let Some(term) = self.term(index, *phi) else { continue };
                let inputs = inputs.iter().filter(|value| !Kin::is_number(**value));
                let places: Vec<Option<Spotted>> =
                    inputs.map(|value| self.placed(image, index, *value)).collect();
                // Where one of several is a variable, it may be but one of what the pointer is set to.
                let plain = |place: &Spotted| !self.is_object(place.term);
                let pure = places.iter().flatten().all(|place| place.term == term || !plain(place));
                for place in places.into_iter().flatten() {
                    if place.strides != (0, 0) {
                        let mut classes = self.classes.borrow_mut();
                        let (root, _) = classes.find(term);
                        classes.step(root, place.strides.0);
                    }
                    if plain(&place) || pure {
                        news |= self.classes.borrow_mut().unite(term, place.term, place.plus);
                    }
                }
            }
        }
        news
    }

    fn unite_calls(&self, image: &Image<'_>) -> bool {
        let arguments = kwhy_arch::cpu(image.arch()).map_or(&[][..], |cpu| cpu.arguments);
        let mut news = false;
        for (index, local) in self.locals.iter().enumerate() {
            for call in &local.calls {
                let Some(callee) = call.target.and_then(|target| self.by_entry.get(&target)).copied() else {
                    continue;
                };
                let Some(other) = self.locals.get(callee) else { continue };
                for (register, value) in arguments.iter().zip(&call.arguments) {
                    let entered = other.entered(*register).filter(|node| other.is_used(*node));
                    let (Some(entered), Some(value)) = (entered, value) else { continue };
                    // What a declaration types is known on both sides.
                    if other.declared.iter().any(|(node, _)| *node == entered) {
                        continue;
                    }
                    if let Some(place) = self.placed(image, index, *value).filter(|p| p.strides == (0, 0))
                        && place.plus == 0
                        && let Some(term) = self.term(callee, entered)
                    {
                        news |= self.classes.borrow_mut().unite(term, place.term, 0);
                    }
                }
                let Some(result) = call.result.filter(|result| local.is_used(*result)) else { continue };
                let Some(term) = self.term(index, result) else { continue };
                for value in other.returns.iter().filter(|value| !Kin::is_number(**value)) {
                    if let Some(place) = self.placed(image, callee, *value).filter(|p| p.strides == (0, 0))
                        && place.plus == 0
                        && !self.is_object(place.term)
                    {
                        news |= self.classes.borrow_mut().unite(term, place.term, 0);
                    }
                }
            }
        }
        news
    }

    /// The variables that are indexed: the stride of their elements, by root.
    fn arrays(&self, image: &Image<'_>) -> BTreeMap<usize, u64> {
        let mut strides: BTreeMap<usize, u64> = BTreeMap::new();
        let mut note = |place: Spotted| {
            if place.strides.0 > 1 && self.is_object(place.term) && place.plus >= 0 {
                let stride = strides.entry(place.term).or_insert(0);
                *stride = (*stride).max(place.strides.0);
            }
        };
        for (index, local) in self.locals.iter().enumerate() {
            for touched in &local.touched {
                if let Some(place) = self.placed(image, index, touched.address) {
                    note(place);
                }
            }
        }
        let objects = self.objects.borrow();
        let mut found = BTreeMap::new();
        for (term, size) in objects.values() {
            let (root, _) = self.classes.borrow().find(*term);
            let steps = self.classes.borrow().steps.get(&root).and_then(|steps| steps.first().copied());
            let stride = strides.get(term).copied().or(steps.filter(|step| *step > 1));
            if let Some(stride) = stride
                && *size > stride
                && size.is_multiple_of(stride)
            {
                found.insert(root, stride);
            }
        }
        found
    }

    /// A place by its class, the elements of one array as one.
    pub(super) fn cell_in(&self, spotted: Spotted, arrays: &BTreeMap<usize, u64>) -> Cell {
        let cell = self.cell(spotted);
        match arrays.get(&cell.root) {
            Some(stride) => Cell {
                offset: cell.offset.rem_euclid((*stride).max(1) as i64),
                strides: (*stride, if cell.strides.0 == *stride { cell.strides.1 } else { cell.strides.0 }),
                ..cell
            },
            None => cell,
        }
    }

    fn loads(&self, image: &Image<'_>, mut visit: impl FnMut(usize, Spotted)) {
        for (index, local) in self.locals.iter().enumerate() {
            for (number, node) in (0u32..).zip(&local.nodes) {
                let Node::Load { address, segment: None, width: 8, .. } = node else { continue };
                let id = NodeId(number);
                if !local.is_used(id) {
                    continue;
                }
                if let (Some(place), Some(term)) = (self.placed(image, index, *address), self.term(index, id))
                {
                    visit(term, place);
                }
            }
        }
    }

    fn unite_loads(&self, image: &Image<'_>, arrays: &BTreeMap<usize, u64>) -> bool {
        let mut first: BTreeMap<Cell, usize> = BTreeMap::new();
        let mut news = false;
        self.loads(image, |term, place| {
            let one = *first.entry(self.cell_in(place, arrays)).or_insert(term);
            news |= one != term && self.classes.borrow_mut().unite(term, one, 0);
        });
        news
    }

    fn read_cells(&mut self, image: &Image<'_>, arrays: &BTreeMap<usize, u64>) {
        let mut cells = BTreeMap::new();
        self.loads(image, |term, place| {
            cells.entry(self.cell_in(place, arrays)).or_insert(term);
        });
        let mut stores: BTreeMap<Cell, Vec<Spotted>> = BTreeMap::new();
        for (index, local) in self.locals.iter().enumerate() {
            for kept in &local.kept {
                if let (false, Some(to), Some(value)) = (
                    Kin::is_number(kept.value),
                    self.placed(image, index, kept.address),
                    self.placed(image, index, kept.value),
                ) && value.strides == (0, 0)
                {
                    let all = stores.entry(self.cell_in(to, arrays)).or_default();
                    if !all.contains(&value) && all.len() < 16 {
                        all.push(value);
                    }
                }
            }
        }
        (self.cells, self.stores) = (cells, stores);
    }

    fn record(image: &Image<'_>, ty: Option<TypeId>) -> Option<TypeId> {
        let Type::Pointer(to) = image.strip(ty?) else { return None };
        matches!(image.strip(to), Type::Record(_)).then_some(to)
    }

    /// What is done with each class.
    fn collect(&mut self, image: &Image<'_>, arrays: &BTreeMap<usize, u64>) {
        let mut facts: BTreeMap<usize, Facts> = BTreeMap::new();
        for (index, local) in self.locals.iter().enumerate() {
            for touched in &local.touched {
                let Some(place) = self.placed(image, index, touched.address) else { continue };
                let cell = self.cell_in(place, arrays);
                let uses = &mut facts.entry(cell.root).or_default().uses;
                if uses.len() < MAX_USES {
                    let (width, written) = (touched.width, touched.written);
                    uses.insert(Use { offset: cell.offset, width, strides: cell.strides, written });
                }
            }
            for (node, ty) in &local.declared {
                let Some(term) = self.term(index, *node) else { continue };
                let (root, delta) = self.classes.borrow().find(term);
                let why = Why::Declared(local.symbol.clone());
                facts.entry(root).or_default().told.push((delta, *ty, why));
            }
            for call in &local.calls {
                let Some(name) = &call.name else { continue };
                let Some(prototype) = self.prototype(image, name) else { continue };
                for (value, (_, ty)) in call.arguments.iter().zip(&prototype.parameters) {
                    if let (Some(value), Some(ty)) = (value, Kin::record(image, *ty))
                        && let Some(place) = self.placed(image, index, *value)
                        && place.strides == (0, 0)
                    {
                        let cell = self.cell(place);
                        let told = (cell.offset, ty, Why::Passed(name.clone()));
                        facts.entry(cell.root).or_default().told.push(told);
                    }
                }
                let Some(term) = call.result.and_then(|result| self.term(index, result)) else { continue };
                let (root, delta) = self.classes.borrow().find(term);
                if let Some(ty) = Kin::record(image, prototype.returns) {
                    let told = (delta, ty, Why::Returned(name.clone()));
                    facts.entry(root).or_default().told.push(told);
                }
                if let Some(size) = allocated(image, &prototype, &call.arguments) {
                    let (function, callee) = (local.symbol.clone(), name.clone());
                    let why = Why::Allocated { function, callee, size };
                    facts.entry(root).or_default().sizes.push((delta, size, why));
                }
            }
        }
        for (term, size) in self.objects.borrow().values() {
            let (root, delta) = self.classes.borrow().find(*term);
            if let Some(facts) = facts.get_mut(&root) {
                facts.object = Some((delta, arrays.get(&root).copied().unwrap_or(*size)));
            }
        }
        // What is read may be any of what is stored there.
        for (cell, term) in &self.cells {
            let (root, delta) = self.classes.borrow().find(*term);
            let stored = self.stores.get(cell).map(Vec::as_slice).unwrap_or_default();
            let sources = stored.iter().map(|value| (delta, *value));
            facts.entry(root).or_default().sources.extend(sources);
        }
        self.handed_on(image, &mut facts);
        self.facts = facts;
    }

    /// What comes in is what any caller hands over, where that is not the same class already:
    /// variables, addresses within something, and what a callback is registered with.
    fn handed_on(&self, image: &Image<'_>, facts: &mut BTreeMap<usize, Facts>) {
        let arguments = kwhy_arch::cpu(image.arch()).map_or(&[][..], |cpu| cpu.arguments);
        let mut hand = |callee: usize, position: usize, place: Spotted| {
            let entered = arguments.get(position).and_then(|r| self.locals.get(callee)?.entered(*r));
            let Some(term) = entered.and_then(|node| self.term(callee, node)) else { return };
            let (root, delta) = self.classes.borrow().find(term);
            if self.classes.borrow().find(place.term).0 != root {
                facts.entry(root).or_default().sources.push((delta, place));
            }
        };
        for (index, local) in self.locals.iter().enumerate() {
            for call in &local.calls {
                let callee = call.target.and_then(|target| self.by_entry.get(&target)).copied();
                let placed = |position: usize| {
                    let value = call.arguments.get(position).copied().flatten()?;
                    self.placed(image, index, value).filter(|place| place.strides == (0, 0))
                };
                if let Some(callee) = callee {
                    for position in 0..call.arguments.len() {
                        if let Some(place) = placed(position) {
                            hand(callee, position, place);
                        }
                    }
                    continue;
                }
                let prototype = call.name.as_ref().and_then(|name| self.prototype(image, name));
                let Some(prototype) = prototype else { continue };
                if let Some((function, data)) = callback(image, &prototype)
                    && let Some(Some(target)) = call.arguments.get(function)
                    && let Some(target) = target.as_constant()
                    && let Some(callee) = self.by_entry.get(&kwhy_base::ImageAddr(target))
                    && let Some(position) = data_parameter(image, &prototype, function)
                    && let Some(place) = placed(data)
                {
                    hand(*callee, position, place);
                }
            }
        }
    }
}

/// The bytes that a call allocates: of a function that returns `void *` and takes a `size`.
fn allocated(image: &Image<'_>, prototype: &Rc<Prototype>, arguments: &[Option<Value>]) -> Option<u64> {
    let Type::Pointer(to) = image.strip(prototype.returns?) else { return None };
    if !matches!(image.strip(to), Type::Void) {
        return None;
    }
    let sized =
        |name: &Option<Rc<str>>| name.as_deref().is_some_and(|name| name == "size" || name == "_size");
    let position = prototype.parameters.iter().position(|(name, _)| sized(name))?;
    let size = arguments.get(position).copied().flatten()?.as_constant()?;
    (1..1 << 20).contains(&size).then_some(size)
}

fn is_void_pointer(image: &Image<'_>, ty: Option<TypeId>) -> bool {
    let to = match ty.map(|ty| image.strip(ty)) {
        Some(Type::Pointer(to)) => to,
        _ => return false,
    };
    matches!(image.strip(to), Type::Void)
}

fn function_type(image: &Image<'_>, ty: Option<TypeId>) -> Option<Vec<TypeId>> {
    let Type::Pointer(to) = image.strip(ty?) else { return None };
    match image.strip(to) {
        Type::Function { parameters, .. } => Some(parameters.to_vec()),
        _ => None,
    }
}

/// Which parameters are a function to be called and the one pointer that it is called with.
fn callback(image: &Image<'_>, prototype: &Prototype) -> Option<(usize, usize)> {
    let all = || prototype.parameters.iter().enumerate();
    let mut data = all().filter(|(_, (_, ty))| is_void_pointer(image, *ty)).map(|(index, _)| index);
    let (data, None) = (data.next()?, data.next()) else { return None };
    // A function that is handed an object of the kernel's as well finds the pointer in there.
    let pointer = |ty: &TypeId| matches!(image.strip(*ty), Type::Pointer(_));
    let function = all().find(|(_, (_, ty))| {
        function_type(image, *ty).is_some_and(|parameters| {
            let pointers: Vec<TypeId> = parameters.into_iter().filter(pointer).collect();
            pointers.len() == 1 && pointers.iter().all(|ty| is_void_pointer(image, Some(*ty)))
        })
    })?;
    Some((function.0, data))
}

/// Which parameter of the function called that pointer is.
fn data_parameter(image: &Image<'_>, prototype: &Prototype, function: usize) -> Option<usize> {
    let parameters = function_type(image, prototype.parameters.get(function)?.1)?;
    let mut data = parameters.iter().enumerate().filter(|(_, ty)| is_void_pointer(image, Some(**ty)));
    let (one, None) = (data.next()?.0, data.next()) else { return None };
    Some(one)
}
