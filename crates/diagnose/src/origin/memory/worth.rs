//! What a stored value may be: whether it is, or can be, the one that was found.

use super::survey::{Known, spot};
use super::{Lead, Search, hex};
use crate::origin::{Explains, What};
use kwhy_arch::ValueKind;
use kwhy_base::catalogue::memory as say;
use kwhy_base::{ImageAddr, prose};
use kwhy_flow::value::{Node, Value};
use kwhy_flow::writes::Choice;

/// What is known of a stored value.
#[derive(Default)]
pub struct Worth {
    /// How it explains the value found; `None` where it cannot be it.
    pub explains: Option<Explains>,
    /// Where else the value was settled: the constant's line, the callee's return, the caller.
    pub more: Vec<Lead>,
    /// The value came from a call and nobody looked at it.
    pub result_of: Option<String>,
    /// Several values meet, one of which is it.
    pub chosen: bool,
    /// It is what was there before, changed.
    pub changed: bool,
}

/// How deep values are followed into callers and callees.
const MAX_DEPTH: u32 = 3;

/// What `value`, stored at `at` into the member asked about, may be.
pub fn worth<'o, 'd>(
    search: &Search<'_, '_, 'o, 'd>,
    known: &Known<'o, 'd>,
    at: ImageAddr,
    value: Value,
) -> Worth {
    settle(search, known, at, value, 0)
}

fn settle<'o, 'd>(
    search: &Search<'_, '_, 'o, 'd>,
    known: &Known<'o, 'd>,
    at: ImageAddr,
    value: Value,
    depth: u32,
) -> Worth {
    let leaves = known.scene.choices(value);
    let mut whole = Worth { chosen: leaves.len() > 1, ..Worth::default() };
    for leaf in &leaves {
        let part = one(search, known, at, leaf, depth);
        whole.explains = better(whole.explains, part.explains);
        whole.more.extend(part.more);
        whole.result_of = whole.result_of.take().or(part.result_of);
        whole.changed |= part.changed;
        // A constant that one of several ways leads to has a line of its own.
        if leaves.len() > 1
            && part.explains == Some(Explains::Exactly)
            && leaf.value.node.is_none()
            && let (Some(set_at), Some(number)) = (leaf.set_at, leaf.value.as_constant())
        {
            whole.more.push(constant(search, known, set_at, number));
            whole.more.extend(declared(search, known, at, value, set_at, number));
        }
    }
    whole
}

fn constant<'o, 'd>(
    search: &Search<'_, '_, 'o, 'd>,
    known: &Known<'o, 'd>,
    at: ImageAddr,
    number: u64,
) -> Lead {
    let place = spot(known.scene.image, known.image, at);
    let function = place.function.clone().unwrap_or_default();
    let (value, text) = (search.number(number), &search.asked.text);
    let detail = prose!(say::CONSTANT, function = function, value = value, text = text);
    search.lead(known, place, What::Constant, Explains::Exactly, 2, detail)
}

/// `struct node *up = NULL;`: the variable's own line, where the compiler hung the instruction
/// that sets the constant on another statement's.
fn declared<'o, 'd>(
    search: &Search<'_, '_, 'o, 'd>,
    known: &Known<'o, 'd>,
    at: ImageAddr,
    value: Value,
    set_at: ImageAddr,
    number: u64,
) -> Option<Lead> {
    let image = known.scene.image;
    let rows = image.lines(set_at..set_at.offset(1));
    if rows.iter().any(|row| row.address == set_at && row.is_stmt) {
        return None;
    }
    let name = known.scene.in_words(at, value)?;
    let (file, line) = image.local_declared(set_at, &name)?;
    let mut place = spot(image, known.image, set_at);
    place.file = Some(file.to_string());
    place.line = Some(line);
    let function = place.function.clone().unwrap_or_default();
    let (value, text) = (search.number(number), &search.asked.text);
    let detail = prose!(say::CONSTANT, function = function, value = value, text = text);
    Some(search.lead(known, place, What::Constant, Explains::Exactly, 2, detail))
}

fn better(a: Option<Explains>, b: Option<Explains>) -> Option<Explains> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn of(explains: Option<Explains>) -> Worth {
    Worth { explains, ..Worth::default() }
}

fn one<'o, 'd>(
    search: &Search<'_, '_, 'o, 'd>,
    known: &Known<'o, 'd>,
    at: ImageAddr,
    leaf: &Choice,
    depth: u32,
) -> Worth {
    let scene = &known.scene;
    if let Some(number) = leaf.value.as_constant() {
        return of(search.of_constant(known, number));
    }
    let Some(node) = leaf.value.node.and_then(|id| scene.node(id)) else { return of(None) };
    if let Node::Load { address, .. } = node
        && leaf.value.plus != 0
        && search.reaches(known, at, address)
    {
        return Worth { explains: Some(Explains::Perhaps), changed: true, ..Worth::default() };
    }
    // A member's address is never NULL, nor an error, unless the pointer was bad already.
    if leaf.value.plus != 0 && search.is_nothing() {
        return of(Some(Explains::Hardly));
    }
    if scene.is_stack_address(leaf.value) {
        return of(search.can_be_pointer().then_some(Explains::Hardly));
    }
    match node {
        Node::Result { at: call } => result(search, known, call, depth),
        Node::Entry(_) => parameter(search, known, leaf.value, depth),
        Node::Load { address, .. } => {
            if let Some(variable) = search.data_holding(known, at, address) {
                let mut found = of(Some(Explains::Exactly));
                found.more.extend(variable);
                return found;
            }
            of(Some(Explains::Perhaps))
        }
        Node::Binary(_, a, b) => {
            let reads = |value: Value| {
                let leaf = value.node.and_then(|id| scene.node(id));
                matches!(leaf, Some(Node::Load { address, .. }) if search.reaches(known, at, address))
            };
            Worth { explains: Some(Explains::Perhaps), changed: reads(a) || reads(b), ..Worth::default() }
        }
        _ => of(Some(Explains::Perhaps)),
    }
}

/// What a call returned: by the callee's returns, where they can be read.
fn result<'o, 'd>(
    search: &Search<'_, '_, 'o, 'd>,
    known: &Known<'o, 'd>,
    call: ImageAddr,
    depth: u32,
) -> Worth {
    let scene = &known.scene;
    let name = scene.callee_name(call);
    if name.as_deref().is_some_and(kwhy_flow::stores::is_maker) {
        let explains = match search.kind {
            // Out of memory: so rare that it is worth a word only where nothing else is.
            Some(ValueKind::Null) => Some(Explains::Hardly),
            Some(ValueKind::KernelPointer) | None => Some(Explains::Perhaps),
            _ => None,
        };
        return of(explains);
    }
    let callee = name.as_deref().map(|name| crate::names::base_name(name).to_owned());
    let target = scene.calls().into_iter().find(|(at, _)| *at == call).and_then(|(_, target)| target);
    let inside = target.and_then(|target| search.survey.function(known.image, target));
    let (Some(inside), Some(callee)) = (inside.filter(|_| depth < MAX_DEPTH), callee.clone()) else {
        return Worth { explains: Some(Explains::Perhaps), result_of: callee, ..Worth::default() };
    };
    let mut whole = Worth { result_of: Some(callee.clone()), ..Worth::default() };
    // Where in the callee the value is settled, and by which lines, the trail tells.
    let mut told = told_by_trail(search, known, call);
    let traced = !told.is_empty();
    whole.more.append(&mut told);
    for (at, value) in inside.scene.returned() {
        for leaf in inside.scene.choices(value) {
            let part = one(search, inside, at, &leaf, depth + 1);
            whole.explains = better(whole.explains, part.explains);
            whole.more.extend(part.more);
            if let (Some(number), Some(Explains::Exactly), false) =
                (leaf.value.as_constant(), part.explains, traced)
            {
                let place = spot(inside.scene.image, inside.image, leaf.set_at.unwrap_or(at));
                let receiver = spot(scene.image, known.image, call);
                let detail = prose!(
                    say::RETURNS,
                    callee = &callee,
                    value = search.number(number),
                    function = receiver.function.clone().unwrap_or_default(),
                    text = &search.asked.text
                );
                let mut lead = search.lead(inside, place, What::CallResult, Explains::Exactly, 0, detail);
                lead.candidate.unchecked_in = Some(receiver);
                whole.more.push(lead);
            }
        }
    }
    whole
}

/// What the trail finds behind a call's result: who returned the very value.
fn told_by_trail<'o, 'd>(
    search: &Search<'_, '_, 'o, 'd>,
    known: &Known<'o, 'd>,
    call: ImageAddr,
) -> Vec<Lead> {
    let Some(value) = search.asked.value else { return Vec::new() };
    let Some(result) = known.scene.result_of(call) else { return Vec::new() };
    let found = crate::origin::behind(search.ctx, known.image, &known.scene, result, call, Some(value));
    let exact = found.into_iter().filter(|candidate| {
        candidate.explains == Explains::Exactly && matches!(candidate.what, What::CallResult | What::Constant)
    });
    let receiver = || spot(known.scene.image, known.image, call);
    exact
        .map(|candidate| {
            let detail = candidate.detail.clone();
            let mut lead =
                search.lead(known, candidate.spot.clone(), candidate.what, Explains::Exactly, 0, detail);
            lead.candidate.reasons.extend(candidate.reasons);
            lead.candidate.unchecked_in = candidate.unchecked_in.or_else(|| Some(receiver()));
            lead
        })
        .collect()
}

/// What a caller handed over: by the calls that are there to be read.
fn parameter<'o, 'd>(
    search: &Search<'_, '_, 'o, 'd>,
    known: &Known<'o, 'd>,
    value: Value,
    depth: u32,
) -> Worth {
    let maybe = || of(Some(Explains::Perhaps));
    let Some(index) = known.scene.parameter_index(value).filter(|_| depth < MAX_DEPTH) else {
        return maybe();
    };
    let calls = search.survey.calls_of(known.image, known.scene.code.entry);
    if calls.is_empty() {
        return maybe();
    }
    let mut whole = Worth::default();
    for (caller, call) in calls {
        let Some(argument) = caller.scene.argument(call, index) else {
            whole.explains = better(whole.explains, Some(Explains::Perhaps));
            continue;
        };
        let part = settle(search, caller, call, argument, depth + 1);
        whole.explains = better(whole.explains, part.explains);
        let constant = caller.scene.choices(argument).iter().any(|leaf| leaf.value.node.is_none());
        if part.explains == Some(Explains::Exactly) && constant && part.more.is_empty() {
            let place = spot(caller.scene.image, caller.image, call);
            let detail = prose!(
                say::HANDS,
                value = search.asked.value.map(hex).unwrap_or_default(),
                callee = crate::names::base_name(&known.scene.symbol),
                text = &search.asked.text
            );
            whole.more.push(search.lead(caller, place, What::Parameter, Explains::Exactly, 2, detail));
        }
        whole.more.extend(part.more);
    }
    whole
}
