//! What the report's family says, put into the words and the shape of the report.

use crate::images::Images;
use crate::location;
use kwhy_base::Prose;
use kwhy_base::catalogue::details as d;
use kwhy_oops::CrashRecord;
use kwhy_oops::details::{Fact, Section, StackRef, Value};
use kwhy_report::{Detail, DetailFact, DetailValue, Hex};

/// So many frames of a crash's other stacks get source lines from images: the recorded stacks of
/// an object are a few dozen, those of every CPU or every lock class hundreds.
const SOURCED_FRAMES: usize = 200;

/// All that the record has of it.
pub fn describe(record: &CrashRecord, images: &Images<'_, '_>) -> Vec<Detail> {
    let mut teller = Teller { record, images, left: SOURCED_FRAMES };
    record.details.sections().iter().map(|section| teller.detail(section)).collect()
}

struct Teller<'a, 'b, 'c> {
    record: &'a CrashRecord,
    images: &'a Images<'b, 'c>,
    left: usize,
}

impl Teller<'_, '_, '_> {
    fn detail(&mut self, section: &Section) -> Detail {
        let stack = match section.stack {
            Some(StackRef::Other(index)) => {
                self.record.other_stacks.get(index).map(|(_, frames)| frames.as_slice()).unwrap_or_default()
            }
            Some(StackRef::Own) | None => &[],
        };
        let none = Images::none();
        let mut frames = Vec::new();
        for frame in stack {
            let images = if self.left > 0 { self.images } else { &none };
            self.left = self.left.saturating_sub(1);
            frames.push(location::frame(frame, images));
        }
        Detail {
            what: section.key.to_owned(),
            title: named(&format!("is_{}", section.key), section.key).into(),
            facts: section.facts.iter().map(fact).collect(),
            stack: frames,
            own_stack: section.stack == Some(StackRef::Own),
            parts: section.parts.iter().map(|part| self.detail(part)).collect(),
        }
    }
}

fn fact(fact: &Fact) -> DetailFact {
    let value = match &fact.value {
        Value::Flag(flag) => DetailValue::Flag(*flag),
        Value::Signed(number) => DetailValue::Number(*number),
        Value::Number(number) => {
            // What no signed number holds is shown as printed.
            i64::try_from(*number).map_or_else(|_| DetailValue::Text(number.to_string()), DetailValue::Number)
        }
        Value::Hex(hex) => match hex.value {
            Some(value) => DetailValue::Hex(Hex(value)),
            None => DetailValue::Text(hex.digits.clone()),
        },
        Value::Text(text) => DetailValue::Text(text.clone()),
    };
    DetailFact {
        name: fact.name.to_owned(),
        label: named(fact.name, fact.name).into(),
        value,
        line: fact.line,
    }
}

/// The catalogue's word for it; its own name where there is none.
fn named(key: &str, otherwise: &str) -> Prose {
    d::named(key)
        .map_or_else(|| Prose::verbatim(otherwise), |message| kwhy_base::prose::filled(message, Vec::new()))
}
