//! Ways through the code: from the kernel's entry points to a place, and from one function to
//! another, by direct calls, with what was inlined shown where the compiler put it.
//!
//! An entry point is where direct calls end: a system call, or a function that only a table
//! points to (`struct file_operations.write` of `tune_fops`). Searching goes breadth first, so
//! that the shortest way is found first; ties fall by address, so that it is always the same one.

use super::inlined;
use crate::entry::syscall_name;
use kwhy_base::ImageAddr;
use kwhy_flow::calls::Calls;
use kwhy_flow::code::Code;
use kwhy_image::{Image, SourceFrame};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One function on a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name in the source; a system call without the wrappers that the kernel's macros make.
    pub function: String,
    /// What reaches it where nothing calls it directly: `struct file_operations.write in tune_fops`.
    pub through: Option<String>,
    /// Where in it the way goes on: file and line of the call.
    pub file: Option<String>,
    /// The line.
    pub line: Option<u32>,
}

/// The calls of an image, ready to be asked.
pub struct Ways<'i, 'd> {
    pub(super) image: &'i Image<'d>,
    pub(super) calls: Calls<'i, 'd>,
    /// Bytes that look like a call and stand in the middle of an instruction, met so far. Some
    /// one in a hundred thousand does, so calls are decoded only once a way goes through them.
    pub(super) false_calls: RefCell<BTreeSet<ImageAddr>>,
}

/// Where each function found leads on: the call, and what it calls.
type Onward = BTreeMap<ImageAddr, (ImageAddr, ImageAddr)>;

/// How many functions a search looks at; a way through more is no explanation.
const MAX_FUNCTIONS: usize = 30_000;
/// How long a way may be.
const MAX_STEPS: usize = 24;
/// How often a search starts anew after bytes taken for a call.
const MAX_RETRIES: usize = 8;
/// How many ways are told.
const MAX_WAYS: usize = 3;
/// How many entry points are compared for the best ones.
const MAX_ENTRIES: usize = 64;

impl<'i, 'd> Ways<'i, 'd> {
    /// Finds all calls of the image.
    #[must_use]
    pub fn new(image: &'i Image<'d>) -> Ways<'i, 'd> {
        Ways { image, calls: Calls::scan(image), false_calls: RefCell::default() }
    }

    /// The best ways from entry points to the instruction at `at` in the function at `entry`.
    #[must_use]
    pub fn to(&self, entry: ImageAddr, at: ImageAddr) -> Vec<Vec<Step>> {
        let start = self.image.symbol_at(entry).map_or(entry, |symbol| symbol.address);
        for _ in 0..MAX_RETRIES {
            let (onward, entries) = self.upwards(start);
            let mut ways: Vec<Vec<Step>> = Vec::new();
            let mut sound = true;
            for entry in entries {
                if !self.is_sound(entry, start, &onward) {
                    sound = false;
                    break;
                }
                let way = self.way(entry, start, &onward, at);
                if !ways.iter().any(|known| names(known) == names(&way)) {
                    ways.push(way);
                }
                if ways.len() == MAX_WAYS {
                    break;
                }
            }
            if sound {
                return ways;
            }
        }
        Vec::new()
    }

    /// Everything that leads to `start`, and the entry points among it, best first.
    fn upwards(&self, start: ImageAddr) -> (Onward, Vec<ImageAddr>) {
        let mut onward = Onward::new();
        let mut seen: BTreeSet<ImageAddr> = BTreeSet::from([start]);
        let mut queue: VecDeque<(ImageAddr, usize)> = VecDeque::from([(start, 1)]);
        let mut entries: Vec<(u8, usize, ImageAddr)> = Vec::new();
        while let Some((function, length)) = queue.pop_front() {
            if seen.len() > MAX_FUNCTIONS || entries.len() >= MAX_ENTRIES {
                break;
            }
            // What is in front of a system call is the same for all of them.
            if syscall_name(&self.symbol(function)).is_some() {
                entries.push((0, length, function));
                continue;
            }
            let mut any = false;
            for call in self.calls.of(function) {
                if self.false_calls.borrow().contains(&call.site) {
                    continue;
                }
                any = true;
                if length < MAX_STEPS && seen.insert(call.caller) {
                    onward.insert(call.caller, (call.site, function));
                    queue.push_back((call.caller, length.saturating_add(1)));
                }
            }
            if !any {
                entries.push((1, length, function));
            }
        }
        entries.sort();
        (onward, entries.into_iter().map(|(_, _, function)| function).collect())
    }

    /// Whether all calls of a way are instructions; those that are none are remembered.
    fn is_sound(&self, from: ImageAddr, to: ImageAddr, onward: &Onward) -> bool {
        let mut function = from;
        for _ in 0..MAX_FUNCTIONS {
            let Some((site, callee)) = onward.get(&function).filter(|_| function != to) else { return true };
            if !self.is_call(function, *site) {
                self.false_calls.borrow_mut().insert(*site);
                return false;
            }
            function = *callee;
        }
        true
    }

    /// Whether an instruction really begins at `site`: bytes that look like a call may stand in
    /// the middle of one.
    pub(super) fn is_call(&self, caller: ImageAddr, site: ImageAddr) -> bool {
        let Some(symbol) = self.image.symbol_at(caller) else { return false };
        let end = ImageAddr(symbol.address.0.saturating_add(symbol.size.min(1 << 20)));
        let code = Code::read(self.image, symbol.address, &[symbol.address..end]);
        code.index_of(site).and_then(|index| code.insns.get(index)).is_some_and(|insn| insn.address == site)
    }

    pub(super) fn symbol(&self, address: ImageAddr) -> String {
        let symbol = self.image.symbol_at(address).filter(|symbol| symbol.address == address);
        symbol.map(|symbol| symbol.name).unwrap_or_default()
    }

    /// The way from `entry` along `next` to `end`, then to the instruction at `last`.
    fn way(&self, entry: ImageAddr, end: ImageAddr, next: &Onward, last: ImageAddr) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        let mut function = entry;
        for _ in 0..MAX_FUNCTIONS {
            let onward = if function == end { None } else { next.get(&function).copied() };
            let site = onward.map_or(last, |(site, _)| site);
            self.push(function, site, &mut steps);
            match onward {
                Some((_, callee)) => function = callee,
                None => break,
            }
        }
        if let Some(first) = steps.first_mut() {
            first.through = self.table(entry);
        }
        steps
    }

    /// The functions at `site` of the function at `function`, outermost first.
    pub(super) fn push(&self, function: ImageAddr, site: ImageAddr, steps: &mut Vec<Step>) {
        let frames = inlined(self.image, site);
        if frames.is_empty() {
            let name = self.symbol(function);
            steps.push(Step {
                function: crate::names::base_name(&name).to_owned(),
                through: None,
                file: None,
                line: None,
            });
            return;
        }
        for SourceFrame { function: name, file, line } in frames {
            let plain = syscall_name(&name).unwrap_or(&name).to_owned();
            // The wrappers of one system call are one step.
            if syscall_name(&name).is_some() && steps.last().is_some_and(|last| last.function == plain) {
                steps.pop();
            }
            steps.push(Step {
                function: plain,
                through: None,
                file: file.as_deref().map(str::to_owned),
                line,
            });
        }
    }

    /// Which table points at a function, in C.
    fn table(&self, function: ImageAddr) -> Option<String> {
        if syscall_name(&self.symbol(function)).is_some() {
            return None;
        }
        self.image.references_to(function).into_iter().find_map(|place| {
            let symbol = self.image.symbol_at(place).filter(|symbol| !symbol.function)?;
            // The sections that the build makes of every function say nothing.
            if symbol.name.starts_with("__") || symbol.name.is_empty() {
                return None;
            }
            let global = self.image.global_at(place, function);
            let offset = i64::try_from(place.0.wrapping_sub(symbol.address.0)).ok()?;
            let typed = global.and_then(|global| {
                let ty = global.ty?;
                let spot = kwhy_flow::path::Spot { offset, width: 8, index: None };
                let path = kwhy_flow::path::paths(self.image, ty, spot).into_iter().next()?;
                let record = self.image.type_name(ty);
                Some(format!("{record}{} in {}", path.text, global.name))
            });
            typed.or(Some(symbol.name))
        })
    }
}

fn names(way: &[Step]) -> Vec<&str> {
    way.iter().map(|step| step.function.as_str()).collect()
}
