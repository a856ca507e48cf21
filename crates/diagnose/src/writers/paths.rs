//! The shortest way from one function to another, over all images: by direct calls, and, where
//! those lead nowhere, through function pointers in members of structs.
//!
//! The search goes backwards from the end. A function that nothing calls on the way is looked for
//! in tables (`tune_write` in `tune_fops`, a `struct file_operations`) and in what code stores into
//! members; from there it goes on with the functions that call through that member. Many may
//! (every file's `write` is called by `vfs_write()`, that of debugfs's files by a proxy): those
//! in the folder of whoever is handed the table come first.

use super::slots::{self, Held};
use super::ways::{Step, Ways};
use kwhy_base::ImageAddr;
use kwhy_flow::through::Slot;
use kwhy_image::{Image, Scope, ScopeKind};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A function: index of its image, and its symbol's address.
type Node = (usize, ImageAddr);

/// How a function leads on.
#[derive(Clone)]
struct Onward {
    site: ImageAddr,
    to: Node,
    /// Through which member, where it is no direct call.
    through: Option<String>,
}

/// A call through a member: index of the image, the function's symbol, the instruction.
type Through = (usize, ImageAddr, ImageAddr);
/// Functions with the way that each leads on.
type Edges = Vec<(Node, Onward)>;

/// The calls of several images, ready to be asked.
pub struct Paths<'i, 'd> {
    parts: Vec<Ways<'i, 'd>>,
    calling: RefCell<BTreeMap<Slot, Vec<Through>>>,
}

/// How many functions a search looks at.
const MAX_FUNCTIONS: usize = 60_000;
/// How many functions are looked for in tables.
const MAX_HELD: usize = 64;
/// How many members' callers are searched for in one question; each reads much of the kernel.
const MAX_SLOTS: usize = 8;
/// How often a search starts anew after bytes taken for a call.
const MAX_RETRIES: usize = 16;

impl<'i, 'd> Paths<'i, 'd> {
    /// Finds the direct calls of the images.
    #[must_use]
    pub fn new(images: &[&'i Image<'d>]) -> Paths<'i, 'd> {
        let parts = images.iter().map(|image| Ways::new(image)).collect();
        Paths { parts, calling: RefCell::default() }
    }

    /// The functions of this name; a system call may be given by its plain name.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<(usize, ImageAddr)> {
        let mut found = Vec::new();
        for name in [name.to_owned(), format!("__x64_sys_{name}"), format!("__arm64_sys_{name}")] {
            for (index, part) in self.parts.iter().enumerate() {
                let symbols = part.image.symbols_named(&name).into_iter().filter(|symbol| symbol.function);
                found.extend(symbols.map(|symbol| (index, symbol.address)));
            }
        }
        found
    }

    /// The functions that a function without code of its own was inlined into, each with the first
    /// place where it stands.
    #[must_use]
    pub fn inlining(&self, name: &str) -> Vec<((usize, ImageAddr), ImageAddr)> {
        let mut found = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            for entry in part.image.functions_inlining(name) {
                let at = part.image.function_at(entry).and_then(|function| first(&function.body, name));
                let start = part.image.symbol_at(entry).map_or(entry, |symbol| symbol.address);
                found.extend(at.map(|at| ((index, start), at)));
            }
        }
        found
    }

    /// The shortest way from one of `from` to the instruction `at` in the function `to`.
    #[must_use]
    pub fn between(
        &self,
        from: &[(usize, ImageAddr)],
        to: (usize, ImageAddr),
        at: ImageAddr,
    ) -> Option<Vec<Step>> {
        for _ in 0..MAX_RETRIES {
            let (start, onward) = self.search(from, to)?;
            if self.is_sound(start, to, &onward) {
                return Some(self.steps(start, to, at, &onward));
            }
        }
        None
    }

    fn search(&self, from: &[Node], to: Node) -> Option<(Node, BTreeMap<Node, Onward>)> {
        let mut onward: BTreeMap<Node, Onward> = BTreeMap::new();
        let mut seen: BTreeSet<Node> = BTreeSet::from([to]);
        let mut queue: VecDeque<Node> = VecDeque::from([to]);
        // Functions in the order found, of which those before `next` were looked for in tables.
        let mut order: Vec<Node> = Vec::new();
        let mut next = 0;
        let mut spare: Edges = Vec::new();
        loop {
            while let Some(node) = queue.pop_front() {
                if from.contains(&node) {
                    return Some((node, onward));
                }
                if order.len() >= MAX_FUNCTIONS {
                    return None;
                }
                order.push(node);
                for (caller, site) in self.direct(node) {
                    if seen.insert(caller) {
                        onward.insert(caller, Onward { site, to: node, through: None });
                        queue.push_back(caller);
                    }
                }
            }
            // The direct calls are exhausted.
            let mut edges: Edges = Vec::new();
            while edges.is_empty() && next < MAX_HELD {
                let Some(node) = order.get(next).copied() else { break };
                next = next.saturating_add(1);
                let (first, others) = self.through_members(node);
                edges.extend(first);
                spare.extend(others);
            }
            if edges.is_empty() {
                edges.append(&mut spare);
            }
            if edges.is_empty() {
                return None;
            }
            for (caller, edge) in edges {
                if seen.insert(caller) {
                    onward.insert(caller, edge);
                    queue.push_back(caller);
                }
            }
        }
    }

    /// Who calls a function directly, in any image.
    fn direct(&self, (home, function): Node) -> Vec<(Node, ImageAddr)> {
        let Some(part) = self.parts.get(home) else { return Vec::new() };
        let mut found = Vec::new();
        let mut add = |index: usize, part: &Ways<'_, '_>, callee: ImageAddr| {
            let false_calls = part.false_calls.borrow();
            let calls = part.calls.of(callee).into_iter();
            let calls = calls.filter(|call| !false_calls.contains(&call.site));
            found.extend(calls.map(|call| ((index, call.caller), call.site)));
        };
        add(home, part, function);
        if self.parts.len() > 1 {
            let name = part.symbol(function);
            for (index, other) in self.parts.iter().enumerate().filter(|(index, _)| *index != home) {
                if let Some(import) = other.calls.import_named(&name).filter(|_| !name.is_empty()) {
                    add(index, other, import);
                }
            }
        }
        found
    }

    /// Who calls a function through members that hold it: those that its table is meant for, and
    /// the others.
    fn through_members(&self, node: Node) -> (Edges, Edges) {
        let (mut meant, mut others) = (Vec::new(), Vec::new());
        let Some(part) = self.parts.get(node.0) else { return (meant, others) };
        for held in slots::holding(part, node.1) {
            let folders = held
                .table
                .as_ref()
                .map_or_else(Vec::new, |(_, table)| slots::registrars(&self.parts, node.0, *table));
            let calls = self.calls_through(&held);
            let edge = |site| Onward { site, to: node, through: Some(held.text()) };
            let is_meant = |(index, _, site): &&Through| {
                let image = self.parts.get(*index).map(|part| part.image);
                image.and_then(|image| slots::folder(image, *site)).is_some_and(|at| folders.contains(&at))
            };
            let any = calls.iter().any(|call| is_meant(&call));
            for call in &calls {
                let list = if !any || is_meant(&call) { &mut meant } else { &mut others };
                list.push(((call.0, call.1), edge(call.2)));
            }
        }
        (meant, others)
    }

    fn calls_through(&self, held: &Held) -> Vec<Through> {
        if let Some(known) = self.calling.borrow().get(&held.slot) {
            return known.clone();
        }
        if self.calling.borrow().len() >= MAX_SLOTS {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            let calls = slots::calling(part.image, &held.slot);
            found.extend(calls.into_iter().map(|(function, site)| (index, function, site)));
        }
        self.calling.borrow_mut().insert(held.slot.clone(), found.clone());
        found
    }

    /// Whether all direct calls of a way are instructions; those that are none are remembered.
    fn is_sound(&self, from: Node, to: Node, onward: &BTreeMap<Node, Onward>) -> bool {
        let mut node = from;
        while node != to {
            let (Some(edge), Some(part)) = (onward.get(&node), self.parts.get(node.0)) else { return true };
            if edge.through.is_none() && !part.is_call(node.1, edge.site) {
                part.false_calls.borrow_mut().insert(edge.site);
                return false;
            }
            node = edge.to;
        }
        true
    }

    fn steps(&self, from: Node, to: Node, at: ImageAddr, onward: &BTreeMap<Node, Onward>) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        let mut node = from;
        let mut through: Option<String> = None;
        // A way visits no function twice.
        for _ in 0..=onward.len() {
            let edge = if node == to { None } else { onward.get(&node) };
            let first = steps.len();
            if let Some(part) = self.parts.get(node.0) {
                part.push(node.1, edge.map_or(at, |edge| edge.site), &mut steps);
            }
            let place = first.min(steps.len().saturating_sub(1));
            if let Some(step) = steps.get_mut(place).filter(|_| through.is_some()) {
                step.through = through.take();
            }
            let Some(edge) = edge else { break };
            through.clone_from(&edge.through);
            node = edge.to;
        }
        steps
    }
}

/// The first place where a function was inlined into a scope.
fn first(body: &Scope, name: &str) -> Option<ImageAddr> {
    let mut open = vec![body];
    let mut found: Option<ImageAddr> = None;
    while let Some(scope) = open.pop() {
        if matches!(&scope.kind, ScopeKind::Inlined { name: inlined, .. } if inlined.as_ref() == name) {
            let starts = scope.ranges.iter().map(|range| range.start);
            found = found.into_iter().chain(starts).min();
        }
        open.extend(&scope.children);
    }
    found
}
