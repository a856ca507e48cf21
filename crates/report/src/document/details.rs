//! What the report's family says: its fields, its parts, the stacks that it recorded.

use super::{Page, code, table};
use crate::details::{Detail, DetailFact, DetailValue};
use crate::doc::{Block, Inline, Item, Tone};
use crate::model::{Crash, Frame};
use kwhy_base::catalogue::{details as d, faces as f};
use kwhy_base::prose;

/// Frames of a recorded stack that are shown; the JSON has all.
const FRAMES: usize = 8;

/// Parts of one sort that are shown: the locks of a task, the CPUs of a stall.
const PARTS: usize = 16;

/// Parts within parts within parts: no report has more.
const DEPTH: usize = 4;

impl Page {
    pub(super) fn details(&mut self, crash: &Crash) {
        if crash.details.is_empty() {
            return;
        }
        self.heading(&d::HEADING);
        for group in groups(&crash.details) {
            // Tasks and their locks, banks and their errors: one heading over all of them.
            if let [detail] = group {
                let line = detail.facts.iter().map(|fact| fact.line).min();
                let line = line.map(|line| prose!(f::LINE_OF_LOG, line = line).render(self.lang));
                let title = detail.title.0.render(self.lang);
                let place = self.parenthesised(line.as_deref().unwrap_or_default());
                self.push(Block::Subheading(title + &place));
                let blocks = self.detail(detail, 0);
                self.blocks.extend(blocks);
            } else if let Some(first) = group.first() {
                self.push(Block::Subheading(first.title.0.render(self.lang)));
                let block = self.group(group, 0);
                self.blocks.extend(block);
            }
        }
    }

    /// A struct by itself: its fields one below the other.
    fn detail(&self, detail: &Detail, depth: usize) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut facts: Vec<(String, Inline)> = detail
            .facts
            .iter()
            .filter(|fact| shown(fact))
            .map(|fact| (fact.label.0.render(self.lang), self.value(fact)))
            .collect();
        if let Some(stack) = self.stack(detail) {
            facts.push((self.label(&d::STACK), stack));
        }
        if !facts.is_empty() {
            blocks.push(Block::Facts(facts));
        }
        if depth < DEPTH {
            for group in groups(&detail.parts) {
                blocks.extend(self.group(group, depth + 1));
            }
        }
        blocks
    }

    /// Structs of one sort: a table where fields are all they have, else a list.
    fn group(&self, group: &[Detail], depth: usize) -> Vec<Block> {
        let some = group.get(..group.len().min(PARTS)).unwrap_or_default();
        let plain =
            group.iter().all(|part| part.parts.is_empty() && part.stack.is_empty() && !part.own_stack);
        let mut blocks =
            vec![if plain && group.len() > 1 { self.rows(some) } else { self.items(some, depth) }];
        if let Some(more) = group.len().checked_sub(PARTS).filter(|more| *more > 0) {
            let text = prose!(d::AND_PARTS, count = more).render(self.lang);
            blocks.push(Block::Paragraph(Inline::of(&text, Tone::Weak)));
        }
        blocks
    }

    fn rows(&self, group: &[Detail]) -> Block {
        let mut columns: Vec<&DetailFact> = Vec::new();
        for fact in group.iter().flat_map(|part| &part.facts) {
            if !columns.iter().any(|column| column.name == fact.name) {
                columns.push(fact);
            }
        }
        let header = columns.iter().map(|column| column.label.0.render(self.lang)).collect();
        let rows = group.iter().map(|part| {
            let cell = |column: &&DetailFact| {
                let fact = part.facts.iter().find(|fact| fact.name == column.name);
                fact.map_or_else(Inline::default, |fact| self.value(fact))
            };
            columns.iter().map(cell).collect()
        });
        table(header, rows.collect())
    }

    fn items(&self, group: &[Detail], depth: usize) -> Block {
        let items = group.iter().map(|part| {
            let mut text = Inline::of(&part.title.0.render(self.lang), Tone::Strong);
            for (i, fact) in part.facts.iter().filter(|fact| shown(fact)).enumerate() {
                let between = if i == 0 { &f::COLON } else { &f::SEMICOLON };
                text = text
                    .with(&self.label(between), Tone::Plain)
                    .with(&fact.label.0.render(self.lang), Tone::Weak)
                    .with(" ", Tone::Plain)
                    .and(self.value(fact));
            }
            let mut below = Vec::new();
            if let Some(stack) = self.stack(part) {
                below.push(Block::Paragraph(stack));
            }
            if depth < DEPTH {
                for group in groups(&part.parts) {
                    below.extend(self.group(group, depth + 1));
                }
            }
            Item { text, below }
        });
        Block::List { ordered: false, items: items.collect() }
    }

    fn value(&self, fact: &DetailFact) -> Inline {
        match &fact.value {
            DetailValue::Text(text) if matches!(fact.name.as_str(), "event" | "role") => {
                match d::word(text) {
                    Some(word) => Inline::of(&self.label(word), Tone::Plain),
                    None => code(text),
                }
            }
            DetailValue::Flag(true) => Inline::of(&self.label(&d::YES), Tone::Plain),
            DetailValue::Flag(false) => Inline::of(&self.label(&d::NO), Tone::Plain),
            DetailValue::Number(number) => Inline::of(&number.to_string(), Tone::Plain),
            DetailValue::Hex(hex) => code(&super::hex(*hex)),
            DetailValue::Text(text) => code(text),
        }
    }

    /// The functions of the stack, innermost first, each called by the next.
    fn stack(&self, detail: &Detail) -> Option<Inline> {
        if detail.own_stack {
            return Some(Inline::of(&self.label(&d::OWN_STACK), Tone::Plain));
        }
        if detail.stack.is_empty() {
            return None;
        }
        let mut text = Inline::default();
        for (i, frame) in detail.stack.iter().take(FRAMES).enumerate() {
            if i > 0 {
                text = text.with(" ← ", Tone::Weak);
            }
            text = text.and(code(&function(frame)));
            let source = super::place(frame.location.file.as_deref(), frame.location.line);
            text = text.with(&self.parenthesised(&source), Tone::Weak);
        }
        if let Some(more) = detail.stack.len().checked_sub(FRAMES).filter(|more| *more > 0) {
            text = text.with(&prose!(d::AND_FRAMES, count = more).render(self.lang), Tone::Weak);
        }
        Some(text)
    }
}

/// What is not so goes without saying.
fn shown(fact: &DetailFact) -> bool {
    fact.value != DetailValue::Flag(false)
}

fn function(frame: &Frame) -> String {
    let location = &frame.location;
    let name = location.symbol.as_deref().unwrap_or("?");
    match &location.module {
        Some(module) => format!("{name} [{module}]"),
        None => name.to_owned(),
    }
}

/// Runs of structs of one sort.
fn groups(details: &[Detail]) -> impl Iterator<Item = &[Detail]> {
    details.chunk_by(|a, b| a.what == b.what)
}
