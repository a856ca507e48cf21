//! Stores into what was read.

use super::survey::{Known, spot};
use super::worth::{Worth, worth};
use super::{Held, Lead, Search};
use crate::origin::{Explains, Mishap, What};
use kwhy_base::catalogue::memory as say;
use kwhy_base::{ImageAddr, prose};
use kwhy_flow::insn::Operator;
use kwhy_flow::value::{Node, Value};
use kwhy_flow::writes::Write;

/// Every store that may be the one, with where the stored value was settled.
/// How many stores there are, whatever they store, is told as well.
pub fn stores<'o, 'd>(search: &Search<'_, '_, 'o, 'd>) -> (Vec<Lead>, usize) {
    let mut found = Vec::new();
    let mut count = 0usize;
    for known in &search.survey.functions {
        for write in &known.writes {
            if !wide_enough(search, write) {
                continue;
            }
            if search.reached(known, write.at, write.address, u64::from(write.width)).is_some() {
                count = count.saturating_add(1);
                store(search, known, write, &mut found);
            } else if let Some(callee) = through_result(search, known, write) {
                count = count.saturating_add(1);
                let from = found.len();
                store(search, known, write, &mut found);
                for lead in found.iter_mut().skip(from) {
                    let member = search.asked.text.as_str();
                    lead.candidate.reasons.push(prose!(
                        say::THROUGH_RESULT,
                        callee = &callee,
                        member = member
                    ));
                }
            } else if search.is_telling() && known.scene.objects_of(write.at, write.address).is_empty() {
                // The value alone says that it is this store.
                let exact = write.number.filter(|value| {
                    worth(search, known, write.at, *value).explains == Some(Explains::Exactly)
                });
                if exact.is_some() && !known.scene.is_stack_address(write.address) {
                    let from = found.len();
                    store(search, known, write, &mut found);
                    for lead in found.iter_mut().skip(from) {
                        lead.candidate.reasons.push(prose!(say::UNTYPED));
                    }
                }
            }
        }
    }
    (found, count)
}

/// A pointer is not written in halves; bytes that run into one are another matter.
fn wide_enough(search: &Search<'_, '_, '_, '_>, write: &Write) -> bool {
    search.asked.size != 8 || write.width >= 8
}

fn store<'o, 'd>(
    search: &Search<'_, '_, 'o, 'd>,
    known: &Known<'o, 'd>,
    write: &Write,
    found: &mut Vec<Lead>,
) {
    let place = spot(known.scene.image, known.image, write.at);
    let function = place.function.clone().unwrap_or_default();
    let text = &search.asked.text;
    let what = match search.asked.held {
        Held::Global { .. } => What::Global,
        _ => What::MemberStore,
    };
    let Worth { explains, more, chosen, changed, result_of, .. } = match write.number {
        Some(value) => worth(search, known, write.at, value),
        None => Worth {
            // What is set with one instruction is not NULL by being counted up.
            explains: Some(Explains::Perhaps),
            changed: write.modifies,
            ..Worth::default()
        },
    };
    let Some(explains) = explains else { return };
    let value = write.number.and_then(|value| {
        let constant = value
            .as_constant()
            .filter(|number| search.of_constant(known, *number) == Some(Explains::Exactly));
        match constant {
            Some(number) => Some(search.number(number)),
            None => known.scene.in_words(write.at, value),
        }
    });
    let detail = match (changed, value, explains) {
        (true, _, _) => prose!(say::MODIFIES, function = function, text = text),
        (_, Some(value), Explains::Exactly) => {
            prose!(say::STORES_EXACTLY, function = function, text = text, value = value)
        }
        (_, Some(value), Explains::Perhaps) => {
            prose!(say::STORES_PERHAPS, function = function, text = text, value = value)
        }
        (_, Some(value), Explains::Hardly) => {
            prose!(say::STORES_HARDLY, function = function, text = text, value = value)
        }
        (_, None, _) => prose!(say::STORES_UNKNOWN, function = function, text = text),
    };
    // A constant that stands there speaks plainer than one that is chosen on the way, and a value
    // that a call returns is that function's before it is the receiver's.
    let order = match explains {
        Explains::Exactly if result_of.is_some() => 2,
        Explains::Exactly if chosen => 1,
        Explains::Perhaps if changed && search.asked.value.is_none() => 0,
        _ => 1,
    };
    let mut lead = search.lead(known, place.clone(), what, explains, order, detail);
    if changed && write.number.is_some_and(|value| is_altered(known, value)) {
        lead.candidate.mishap = Some(Mishap::Alters);
    }
    if result_of.is_some() {
        lead.candidate.unchecked_in = Some(place);
    }
    found.push(lead);
    found.extend(more);
}

/// Whether a stored value is another one with one bit set, cleared or turned over.
fn is_altered(known: &Known<'_, '_>, value: Value) -> bool {
    let Some(Node::Binary(operator, a, b)) = value.node.and_then(|id| known.scene.node(id)) else {
        return false;
    };
    let mask = a.as_constant().or_else(|| b.as_constant());
    match operator {
        Operator::Xor | Operator::Or => mask.is_some_and(|mask| mask.count_ones() == 1),
        Operator::And => mask.is_some_and(|mask| mask.count_zeros() == 1),
        _ => false,
    }
}

/// The function whose result is written through, where it returns the address of the member: as
/// `u64 *site(void)` returns `(u64 *)&first->target`.
fn through_result(search: &Search<'_, '_, '_, '_>, known: &Known<'_, '_>, write: &Write) -> Option<String> {
    let Some(Node::Result { at }) = write.address.node.and_then(|id| known.scene.node(id)) else {
        return None;
    };
    let (_, target) = known.scene.calls().into_iter().find(|(call, _)| *call == at)?;
    let callee = search.survey.function(known.image, target?)?;
    let returns_address = |(at, value): &(ImageAddr, Value)| {
        callee.scene.choices(*value).iter().any(|leaf| {
            leaf.value.node.is_some()
                && search
                    .reached(callee, *at, leaf.value.offset(write.address.plus), u64::from(write.width))
                    .is_some()
        })
    };
    let name = crate::names::base_name(&callee.scene.symbol).to_owned();
    callee.scene.returned().iter().any(returns_address).then_some(name)
}
