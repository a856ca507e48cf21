//! The walk backwards: from a value to what gave it, one function after the other.

use super::memory::{self, Asked, Held};
use super::up::{Above, Here, entered_by};
use super::{Candidate, Ctx, Explains, How, Spot, Step, Trail, What, module_of, spot};
use crate::helpers::helper;
use crate::names::base_name;
use kwhy_arch::ValueKind;
use kwhy_base::catalogue::origin as say;
use kwhy_base::{ImageAddr, Prose, Reg, prose};
use kwhy_flow::sources::{Arm, Holder, Read, Source};
use kwhy_flow::value::Value;
use std::collections::BTreeSet;

/// How many steps a value is followed.
pub(super) const MAX_DEPTH: u32 = 12;
/// How many values are looked at in all.
const MAX_VALUES: usize = 160;
/// How many calls are followed down into what they call.
const MAX_CALLS: usize = 24;
/// How many lines may set one constant.
const MAX_LINES: usize = 6;

/// A value at a place in the code.
#[derive(Clone, Copy)]
pub struct Wanted {
    /// The value.
    pub value: Value,
    /// The register that has it there, where one is known.
    pub register: Option<Reg>,
    /// Before this instruction.
    pub at: ImageAddr,
    /// What it was.
    pub observed: Option<u64>,
}

/// How the walk got where it is.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) depth: u32,
    /// Whether this is the way that the trail's steps tell.
    pub(super) told: bool,
    /// Who took the value over, once it was returned.
    pub(super) receiver: Option<Spot>,
    /// No candidate further back explains better than this.
    pub(super) at_best: Explains,
    /// The struct, member and offset that a clone says it was handed, where its caller has only a
    /// `void *` to read it through.
    pub(super) own: Option<(String, String, u64)>,
}

/// The walk.
pub struct Walk<'w, 'a, 'o, 'd> {
    pub(super) ctx: &'w Ctx<'a, 'o, 'd>,
    /// What was found.
    pub trail: Trail,
    /// Candidates that come after all others.
    pub(super) last: Vec<Candidate>,
    /// Whether memory may be asked: not where it is memory that asks.
    ask_memory: bool,
    values: usize,
    pub(super) calls: usize,
    seen: BTreeSet<(usize, u64, Value, u64, Option<u64>)>,
}

impl<'w, 'a, 'o, 'd> Walk<'w, 'a, 'o, 'd> {
    /// A walk that has not begun.
    pub fn new(ctx: &'w Ctx<'a, 'o, 'd>, ask_memory: bool) -> Walk<'w, 'a, 'o, 'd> {
        Walk {
            ctx,
            trail: Trail::default(),
            last: Vec::new(),
            ask_memory,
            values: MAX_VALUES,
            calls: MAX_CALLS,
            seen: BTreeSet::new(),
        }
    }

    /// The first step: the value was followed, and that faulted.
    pub fn followed(&mut self, here: &Here<'o, 'd>, value: Value, at: ImageAddr) {
        let way = Way { depth: 0, told: true, receiver: None, at_best: Explains::Exactly, own: None };
        self.step(here, at, value, How::Followed, &way);
    }

    /// Follows a value back.
    pub fn begin(&mut self, here: &Here<'o, 'd>, wanted: Wanted, at_best: Explains) {
        self.follow(here, wanted, &Way { depth: 0, told: true, receiver: None, at_best, own: None });
    }

    /// The trail, with the candidates best first and each line named once.
    pub fn finish(mut self) -> Trail {
        let mut candidates = std::mem::take(&mut self.trail.candidates);
        candidates.sort_by_key(|candidate| candidate.explains);
        candidates.append(&mut self.last);
        let mut known: Vec<Spot> = Vec::new();
        candidates.retain(|candidate| {
            let spot = Spot { code: None, ..candidate.spot.clone() };
            let fresh = spot.line.is_none() || !known.contains(&spot);
            known.push(spot);
            fresh
        });
        candidates.truncate(MAX_CANDIDATES);
        self.trail.candidates = candidates;
        self.trail
    }

    pub(super) fn follow(&mut self, here: &Here<'o, 'd>, wanted: Wanted, way: &Way) {
        let Wanted { value, register, at, observed } = wanted;
        let key = (here.image, here.scene.code.entry.0, value, at.0, observed);
        if way.depth > MAX_DEPTH || !self.seen.insert(key) {
            return;
        }
        self.values = match self.values.checked_sub(1) {
            Some(left) => left,
            None => return,
        };
        let mut leaves = here.scene.arms(value, register, at, observed);
        // A number that fits is the plainest answer; what memory held is told last.
        leaves.sort_by_key(|leaf| match here.scene.source(leaf.value) {
            Source::Constant(_) => 0,
            Source::Result { .. } | Source::Parameter { .. } => 1,
            Source::Read(_) => 2,
            _ => 3,
        });
        for (index, leaf) in leaves.iter().enumerate() {
            let way = Way { told: way.told && index == 0, ..way.clone() };
            self.leaf(here, leaf, at, &way);
            if let Some(number) = leaf.value.as_constant().filter(|number| leaf.observed == Some(*number)) {
                self.declared(here, value, number, &way);
            }
        }
    }

    pub(super) fn leaf(&mut self, here: &Here<'o, 'd>, leaf: &Arm, pc: ImageAddr, way: &Way) {
        let place = leaf.set.first().copied().or(leaf.end).unwrap_or(pc);
        // What was added is no part of what was read or returned.
        let inner = match leaf.value.node {
            Some(_) => leaf.observed.map(|seen| seen.wrapping_add_signed(leaf.value.plus.wrapping_neg())),
            None => leaf.observed,
        };
        match here.scene.source(leaf.value) {
            Source::Constant(number) => self.constant(here, leaf, number, place, way),
            Source::Parameter { register } => self.parameter(here, register, inner, pc, way),
            Source::Read(read) => self.read(here, leaf, &read, inner, way),
            Source::Result { call, callee, register } => {
                self.step(here, call, leaf.value, How::Returned, way);
                self.down(here, call, callee.as_deref(), (register, inner, leaf.value), way);
            }
            Source::Computed(parts) => {
                self.computed(here, leaf.value, place, way);
                for part in parts.into_iter().filter(|part| part.node.is_some()) {
                    let way =
                        Way { depth: way.depth + 1, told: false, at_best: Explains::Hardly, ..way.clone() };
                    let wanted = Wanted { value: part, register: None, at: pc, observed: None };
                    self.follow(here, wanted, &way);
                }
            }
            Source::Opaque { at } => self.computed(here, leaf.value, at, way),
            Source::Choice | Source::Machine => {}
        }
    }

    fn constant(&mut self, here: &Here<'o, 'd>, leaf: &Arm, number: u64, place: ImageAddr, way: &Way) {
        let scene = &here.scene;
        // The compiler knows what unlinking leaves behind; where it goes on with that is not where
        // the entry was taken off.
        let known = leaf.observed == Some(number) && self.kind(number) != Some(ValueKind::ListPoison);
        let explains = if known { Explains::Exactly } else { Explains::Perhaps }.max(way.at_best);
        let object = scene.called(leaf.value, place).filter(|text| text.starts_with('&') && number > 0x1000);
        let value = object.clone().unwrap_or_else(|| number_text(number));
        let fallback = [place];
        let set = if leaf.set.is_empty() { &fallback[..] } else { leaf.set.as_slice() };
        let mut ways: Vec<(Spot, Option<Spot>)> = Vec::new();
        for at in set.iter().take(MAX_LINES) {
            let levels = self.levels(here.image, scene, *at);
            let Some(own) = levels.first() else { continue };
            ways.push((own.clone(), levels.get(1).cloned().or_else(|| way.receiver.clone())));
        }
        if let Some(first) = set.first() {
            self.step(here, *first, leaf.value, How::Made, way);
        }
        for (own, receiver) in ways {
            let function = own.function.clone().unwrap_or_default();
            let receiver_name = receiver.as_ref().and_then(|r| r.function.clone()).filter(|r| *r != function);
            let (what, detail) = match (&receiver_name, &object) {
                (_, Some(_)) => {
                    (What::Constant, prose!(say::CONSTANT_ALONE, value = &value, function = &function))
                }
                (Some(receiver), _) => (
                    What::CallResult,
                    prose!(say::RETURNS, function = &function, value = &value, receiver = receiver),
                ),
                (None, _) => {
                    (What::Constant, prose!(say::CONSTANT_ALONE, value = &value, function = &function))
                }
            };
            let unchecked_in = receiver.filter(|_| receiver_name.is_some());
            if let Some(receiver) = &unchecked_in {
                self.received(receiver, &function, &value);
            }
            let reasons = self.reasons(here, own.code.map_or(place, |(_, at)| at));
            self.add(Candidate { reasons, unchecked_in, ..Candidate::new(what, own, explains, detail) });
        }
    }

    /// A variable that starts with the number: `struct node *up = NULL`. The instruction that sets it
    /// may stand at any line.
    fn declared(&mut self, here: &Here<'o, 'd>, value: Value, number: u64, way: &Way) {
        for (name, function, file, line) in here.scene.declarations(value, number) {
            let module = module_of(self.ctx, here.image);
            let detail =
                prose!(say::DECLARED, text = name, value = number_text(number), function = &function);
            let spot =
                Spot { code: None, function: Some(function), file: Some(file), line: Some(line), module };
            let explains = Explains::Exactly.max(way.at_best);
            self.add(Candidate::new(What::Constant, spot, explains, detail));
        }
    }

    /// The line that takes a returned value over, as a candidate of last resort.
    fn received(&mut self, receiver: &Spot, callee: &str, text: &str) {
        let function = receiver.function.clone().unwrap_or_default();
        self.last.push(Candidate::new(
            What::CallResult,
            receiver.clone(),
            Explains::Hardly,
            prose!(say::RECEIVES, function = function, callee = format!("{callee}()"), text = text),
        ));
    }

    /// Under which condition a place is reached, where the code says it in words.
    fn reasons(&self, here: &Here<'o, 'd>, at: ImageAddr) -> Vec<Prose> {
        let guards = here.scene.guards(at);
        let text = guards.first().and_then(|guard| here.scene.guard_text(guard, at));
        text.map(|condition| prose!(say::UNDER, condition = format!("`{condition}`"))).into_iter().collect()
    }

    fn parameter(
        &mut self,
        here: &Here<'o, 'd>,
        register: Reg,
        observed: Option<u64>,
        pc: ImageAddr,
        way: &Way,
    ) {
        let value = here.scene.entered_with(register);
        let ends = |walk: &mut Self| walk.handed_in(here, value, pc, way);
        let Some((caller, call)) = entered_by(self.ctx, here) else { return ends(self) };
        // What calls drivers back hands over what it was given when they registered; it is no
        // part of the trail. A helper that trips itself passes on what its caller gave it.
        let own = is_core(here);
        if matches!(here.above.as_ref(), Above::Stack(_)) && !own && is_core(&caller) {
            return ends(self);
        }
        let Some(value) = caller.scene.register(call, register) else { return ends(self) };
        let before = self.trail.candidates.len() + self.last.len();
        self.step(&caller, call, value, How::HandedOn, way);
        let wanted = Wanted { value, register: Some(register), at: call, observed };
        let own = here.scene.lost_member_of(&caller.scene, call, value);
        self.follow(&caller, wanted, &Way { depth: way.depth + 1, own, ..way.clone() });
        if self.trail.candidates.len() + self.last.len() == before {
            ends(self);
        }
    }

    /// The outermost function known was handed the value. What is inlined there only passes it on,
    /// and is told last.
    fn handed_in(&mut self, here: &Here<'o, 'd>, value: Value, pc: ImageAddr, way: &Way) {
        let mut named = self.named_levels(here, value, pc);
        let Some((spot, text)) = named.pop() else { return };
        let function = spot.function.clone().unwrap_or_else(|| base_name(&here.scene.symbol).to_owned());
        let detail = prose!(say::PARAMETER, text = text, function = function);
        let explains = Explains::Perhaps.max(way.at_best);
        self.add(Candidate::new(What::Parameter, spot, explains, detail));
        for (spot, text) in named.into_iter().rev() {
            let function = spot.function.clone().unwrap_or_default();
            let detail = prose!(say::PARAMETER, text = text, function = function);
            self.last.push(Candidate::new(What::Parameter, spot, Explains::Hardly, detail));
        }
    }

    /// The source levels at a place without the kernel headers' helpers, innermost first, each
    /// with what the value is called there.
    fn named_levels(&self, here: &Here<'o, 'd>, value: Value, at: ImageAddr) -> Vec<(Spot, String)> {
        let texts = here.scene.called_by_level(value, at);
        let whole = || in_words(here, value, at).unwrap_or_default();
        let all = self.all_levels(here.image, &here.scene, at);
        if all.is_empty() {
            return vec![(spot(self.ctx, here.image, at), whole())];
        }
        let own = super::spot::first_own(&all);
        let levels = all.into_iter().enumerate().skip(own);
        let text =
            |level: usize| texts.iter().find(|(other, _)| *other == level).map(|(_, text)| text.clone());
        levels.map(|(level, spot)| (spot, text(level).unwrap_or_else(whole))).collect()
    }

    fn read(&mut self, here: &Here<'o, 'd>, leaf: &Arm, read: &Read, observed: Option<u64>, way: &Way) {
        let scene = &here.scene;
        let mut read = read.clone();
        if let (Holder::Pointee, Some((record, member, offset))) = (&read.from, &way.own) {
            read.text = format!("{record}.{member}");
            let (record, member, offset) = (record.clone(), member.clone(), *offset);
            read.from = Holder::Member { record, member, offset, object: None };
        }
        let read = &read;
        let way = &Way { own: None, ..way.clone() };
        let text = if read.text.is_empty() {
            in_words(here, leaf.value, read.at).unwrap_or_default()
        } else {
            read.text.clone()
        };
        self.step(here, read.at, leaf.value, How::Loaded, way);
        let own = spot(self.ctx, here.image, read.at);
        let function = own.function.clone().unwrap_or_default();
        if way.told
            && self.trail.member.is_none()
            && let Holder::Member { record, member, .. } = &read.from
        {
            self.trail.member = Some((record.clone(), member.clone()));
        }
        let before = self.trail.candidates.len();
        if leaf.carried {
            self.trail.carried |= way.told;
            let detail = prose!(say::ADVANCED, text = &text, function = &function);
            // What freeing or unlinking left behind is not the loop's doing.
            let left = observed.is_some_and(|seen| {
                matches!(self.kind(seen), Some(ValueKind::SlabPoison | ValueKind::ListPoison))
            });
            let explains = if left { Explains::Hardly } else { Explains::Perhaps.max(way.at_best) };
            self.add(Candidate::new(What::Code, own.clone(), explains, detail));
        }
        // What the function itself put there on every way before.
        let block = scene.block_at(read.at);
        for (at, value) in scene.stores_at(read.address) {
            let sure = scene
                .block_at(at)
                .zip(block)
                .is_some_and(|(a, b)| if a == b { at < read.at } else { scene.dominates(a, b) });
            if !sure && !matches!(read.from, Holder::Stack) {
                continue;
            }
            let at_best = Explains::Perhaps.max(way.at_best);
            let way = Way { depth: way.depth + 1, told: false, at_best, ..way.clone() };
            self.follow(here, Wanted { value, register: None, at, observed }, &way);
        }
        if matches!(read.from, Holder::Stack) {
            self.filled(here, read, observed, way);
        }
        if self.ask_memory
            && let Some(asked) = asked(here, read, &text, observed, way.at_best)
        {
            self.remembered(memory::producers(self.ctx, &asked), observed);
        }
        if way.told && way.depth == 0 && self.ctx.facts.writes_to_image(observed) {
            let detail = prose!(say::NOT_WRITABLE, text = &text, function = &function);
            let spot = own.clone();
            self.last.push(Candidate::new(What::Code, spot, Explains::Hardly, detail));
        }
        let found = self.trail.candidates.len() > before;
        if !found || (way.told && matches!(read.from, Holder::Global { .. })) {
            let (what, detail) = match read.from {
                Holder::Global { .. } if found => {
                    (What::Global, prose!(say::TAKES_GLOBAL, text = text, function = function))
                }
                Holder::Global { .. } => {
                    (What::Global, prose!(say::READ_GLOBAL, text = text, function = function))
                }
                _ => (What::Unknown, prose!(say::READ_MEMBER, text = text, function = function)),
            };
            self.last.push(Candidate::new(what, own, Explains::Hardly, detail));
        }
    }

    /// What memory knows, and what is behind the stores that it names.
    pub fn remembered(&mut self, found: Vec<Candidate>, observed: Option<u64>) {
        let mut behind: Vec<Candidate> = Vec::new();
        for candidate in found.iter().filter(|c| c.explains != Explains::Hardly) {
            let stores = matches!(candidate.what, What::MemberStore | What::Global);
            let Some((image, at)) = candidate.spot.code.filter(|_| stores && observed.is_some()) else {
                continue;
            };
            let Some(scene) = self.ctx.scenes.of(image, at) else { continue };
            let Some(value) = scene.stored_by(at) else { continue };
            // A number that the store itself names has nothing behind it.
            if value.node.is_some() {
                let more = super::behind(self.ctx, image, &scene, value, at, observed);
                behind.extend(more.into_iter().filter(|more| more.explains == Explains::Exactly));
            }
        }
        // Memory's own view of what a stored call returned is the coarser one.
        let told = |candidate: &Candidate| {
            candidate.what == What::CallResult
                && behind.iter().any(|more| more.spot.function == candidate.spot.function)
        };
        let rest: Vec<Candidate> = found.into_iter().filter(|candidate| !told(candidate)).collect();
        for candidate in behind.into_iter().chain(rest) {
            self.add(candidate);
        }
    }

    /// What a value looks like.
    fn kind(&self, value: u64) -> Option<ValueKind> {
        let arch = self.ctx.facts.arch()?;
        let decodes = |value| crate::code::as_code(arch, value);
        Some(kwhy_arch::classify_value(arch, value, &self.ctx.facts.space, &decodes).kind)
    }

    fn computed(&mut self, here: &Here<'o, 'd>, value: Value, at: ImageAddr, way: &Way) {
        self.step(here, at, value, How::Made, way);
        let own = spot(self.ctx, here.image, at);
        let function = own.function.clone().unwrap_or_default();
        let detail = match here.scene.called(value, at) {
            Some(text) => prose!(say::COMPUTED, text = text, function = function),
            None => prose!(say::COMPUTED_ALONE, function = function),
        };
        let explains = Explains::Perhaps.max(way.at_best);
        self.add(Candidate::new(What::Code, own, explains, detail));
    }

    /// The same pointer as an object whose member was checked: who handed it over is told last.
    pub fn holders(&mut self, here: &Here<'o, 'd>, register: Reg) {
        let mut register = register;
        let mut here = here.clone();
        for _ in 0..MAX_DEPTH {
            let Some((caller, call)) = entered_by(self.ctx, &here) else { return };
            if is_core(&caller) {
                return;
            }
            let Some(value) = caller.scene.register(call, register) else { return };
            // What a helper was handed is where the fault was; what is around it had it before.
            let from = usize::from(is_core(&here));
            for (spot, text) in self.named_levels(&caller, value, call).into_iter().skip(from) {
                let function = spot.function.clone().unwrap_or_default();
                let detail = prose!(say::HANDS_ON, text = text, function = function);
                self.last.push(Candidate::new(What::Parameter, spot, Explains::Hardly, detail));
            }
            self.step(
                &caller,
                call,
                value,
                How::HandedOn,
                &Way { depth: 0, told: true, receiver: None, at_best: Explains::Hardly, own: None },
            );
            let Some((next, _)) = caller.scene.as_entry(value) else { return };
            (here, register) = (caller, next);
        }
    }

    pub(super) fn add(&mut self, candidate: Candidate) {
        if self.trail.candidates.len() < 4 * MAX_CANDIDATES {
            self.trail.candidates.push(candidate);
        }
    }

    /// A step in the terms of every function that covers the place, innermost first.
    pub(super) fn step(&mut self, here: &Here<'o, 'd>, at: ImageAddr, value: Value, how: How, way: &Way) {
        if !way.told || self.trail.steps.len() >= MAX_STEPS {
            return;
        }
        let checked = here.scene.is_tested_before(value, at);
        let texts = here.scene.called_by_level(value, at);
        let spots = self.all_levels(here.image, &here.scene, at);
        for (position, spot) in spots.iter().enumerate() {
            let own = texts.iter().find(|(level, _)| *level == position).map(|(_, text)| text.clone());
            let last = position + 1 == spots.len();
            let Some(text) = own.or_else(|| in_words(here, value, at).filter(|_| last)) else { continue };
            let step = Step { spot: spot.clone(), text, how, checked };
            let known = self.trail.steps.iter().any(|other| {
                other.spot.function == step.spot.function
                    && other.spot.line == step.spot.line
                    && other.text == step.text
            });
            if !known {
                self.trail.steps.push(step);
            }
        }
    }

    /// The source levels at an instruction, innermost first, without the kernel headers' helpers.
    fn levels(&self, image: usize, scene: &kwhy_flow::scene::Scene<'o, 'd>, at: ImageAddr) -> Vec<Spot> {
        let all = self.all_levels(image, scene, at);
        let own = super::spot::first_own(&all);
        all.into_iter().skip(own).collect()
    }

    fn all_levels(&self, image: usize, scene: &kwhy_flow::scene::Scene<'o, 'd>, at: ImageAddr) -> Vec<Spot> {
        super::spot::levels(scene.image, image, module_of(self.ctx, image).as_deref(), at)
    }
}

/// What a value is called at a place; where nothing names it, the register that has it there.
pub(super) fn in_words(here: &Here<'_, '_>, value: Value, at: ImageAddr) -> Option<String> {
    here.scene.called(value, at).filter(|text| !text.is_empty()).or_else(|| {
        // A constant in a register is no name of it.
        value.node?;
        let cpu = kwhy_arch::cpu(here.scene.arch())?;
        let holds = |register: &Reg| here.scene.register(at, *register) == Some(value);
        let mut registers = cpu.arguments.iter().chain(cpu.registers.iter().map(|(_, register)| register));
        cpu.name(*registers.find(|register| holds(register))?).map(str::to_owned)
    })
}

/// How many candidates are named.
const MAX_CANDIDATES: usize = 12;
/// How many steps are told.
const MAX_STEPS: usize = 24;

/// Whether the function is a core helper, which answers for nothing.
fn is_core(here: &Here<'_, '_>) -> bool {
    matches!(here.scene.image.kind(), kwhy_image::ImageKind::Kernel) && helper(&here.scene.symbol).is_some()
}

/// `NULL`, `ERR_PTR(-EINVAL)`, `0x1234`.
pub(super) fn number_text(number: u64) -> String {
    match number as i64 {
        0 => "NULL".to_owned(),
        error @ -4095..=-1 => match kwhy_arch::errno(error.unsigned_abs()) {
            Some(errno) => format!("ERR_PTR(-{})", errno.name),
            None => error.to_string(),
        },
        1..=4095 => number.to_string(),
        _ => format!("{number:#x}"),
    }
}

/// The question to memory about what was read.
fn asked(
    here: &Here<'_, '_>,
    read: &Read,
    text: &str,
    observed: Option<u64>,
    at_best: Explains,
) -> Option<Asked> {
    let held = match &read.from {
        Holder::Member { record, member, offset, .. } => {
            Held::Member { record: record.clone(), member: member.clone(), offset: *offset }
        }
        Holder::Global { symbol, address, offset, per_cpu } => {
            Held::Global { symbol: symbol.clone(), address: *address, offset: *offset, per_cpu: *per_cpu }
        }
        Holder::Pointee => Held::Pointee { text: text.to_owned() },
        Holder::Stack => return None,
    };
    Some(Asked {
        held,
        size: u64::from(read.width),
        indexed: read.indexed,
        value: observed,
        load: (here.image, read.at),
        text: text.to_owned(),
        at_best,
    })
}
