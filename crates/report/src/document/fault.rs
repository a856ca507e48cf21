//! Verdict, story, the fault, its place, the expression and the bad value.

use super::{Page, code, hex, place, table, words};
use crate::doc::{Block, Inline, Item, Tone};
use crate::model::{Check, Crash, Location, Outcome, SourceFrame, Syndrome};
use kwhy_base::catalogue::faces as f;

impl Page {
    pub(super) fn verdict(&mut self, crash: &Crash) {
        self.heading(&f::VERDICT);
        let verdict = self.prose(&crash.verdict);
        self.push(Block::Paragraph(verdict));
        let cause = Inline::of(words::cause(self.lang, &crash.cause), Tone::Strong);
        let grade = crash.hypotheses.first().filter(|first| first.cause == crash.cause);
        let grade = grade.map(|first| self.parenthesised(words::grade(self.lang, first.grade)));
        let cause = cause.with(grade.as_deref().unwrap_or_default(), Tone::Plain);
        let facts = vec![self.fact(&f::CAUSE, cause)];
        self.push(Block::Facts(facts));
    }

    pub(super) fn story(&mut self, crash: &Crash) {
        if crash.story.is_empty() {
            return;
        }
        self.heading(&f::STORY);
        let items =
            crash.story.iter().map(|text| Item { text: self.prose(text), below: Vec::new() }).collect();
        self.push(Block::List { ordered: true, items });
    }

    pub(super) fn fault(&mut self, crash: &Crash) {
        if crash.fault.is_none() && crash.flags.is_none() {
            return;
        }
        self.heading(&f::FAULT);
        if let Some(fault) = &crash.fault {
            let mut facts = Vec::new();
            if let Some(address) = fault.address {
                facts.push(self.fact(&f::ADDRESS, code(&hex(address))));
            }
            if let Some(likely) = fault.address_likely {
                facts.push(self.fact(&f::ADDRESS_LIKELY, code(&hex(likely))));
            }
            if let Some(class) = &fault.address_class {
                facts.push(
                    self.fact(&f::ADDRESS_CLASS, Inline::of(words::class(self.lang, class), Tone::Plain)),
                );
            }
            if let Some(reason) = &fault.address_reason {
                facts.push(self.fact(&f::ADDRESS_REASON, self.prose(reason)));
            }
            let access = fault.access.as_deref().map(|access| words::access(self.lang, access));
            let unknown = words::say(self.lang, &f::UNDETERMINED);
            facts.push(self.fact(&f::ACCESS, Inline::of(access.unwrap_or(unknown), Tone::Plain)));
            if let Some(fixup) = &crash.fixup {
                let said = fixup.reasons.iter().map(|reason| reason.0.clone()).collect();
                let said = self.prose(&kwhy_base::Prose::Sequence(said).into());
                facts.push(self.fact(&kwhy_base::catalogue::fixup::LABEL, said));
            }
            self.push(Block::Facts(facts));
            if let Some(syndrome) = &fault.syndrome {
                self.syndrome(syndrome);
            }
        }
        if let Some(flags) = &crash.flags {
            self.syndrome(flags);
        }
    }

    fn syndrome(&mut self, syndrome: &Syndrome) {
        let title = match syndrome.value {
            Some(value) => format!("{} = {}", syndrome.name, hex(value)),
            None => syndrome.name.clone(),
        };
        self.push(Block::Subheading(crate::doc::clean(&title)));
        if syndrome.fields.is_empty() {
            return;
        }
        let header = [&f::BITS, &f::FIELD, &f::VALUE, &f::MEANING].map(|m| self.label(m)).to_vec();
        let rows = syndrome.fields.iter().map(|field| {
            vec![
                Inline::of(&field.bits, Tone::Weak),
                code(&field.name),
                code(&hex(field.value)),
                self.prose(&field.meaning),
            ]
        });
        let rows = rows.collect();
        self.push(table(header, rows));
    }

    pub(super) fn location(&mut self, crash: &Crash) {
        let Some(location) = &crash.location else { return };
        self.heading(&f::LOCATION);
        let mut facts = vec![self.fact(&f::AT, code(&at(location)))];
        let module = match &location.module {
            Some(module) => code(module),
            None => Inline::of(words::say(self.lang, &f::IMAGE_ITSELF), Tone::Plain),
        };
        facts.push(self.fact(&f::MODULE, module));
        let source = place(location.file.as_deref(), location.line);
        if !source.is_empty() {
            facts.push(self.fact(&f::SOURCE, code(&source)));
        }
        self.push(Block::Facts(facts));
        if location.inline_chain.len() > 1 {
            self.subheading(&f::INLINE_CHAIN);
            let last = location.inline_chain.len().saturating_sub(1);
            let rows = location.inline_chain.iter().enumerate();
            let rows = rows.map(|(i, frame)| self.source_frame(frame, i < last)).collect();
            self.push(table(Vec::new(), rows));
        }
    }

    /// Function, place, and whether it was inlined.
    fn source_frame(&self, frame: &SourceFrame, inlined: bool) -> Vec<Inline> {
        let mark = if inlined { words::say(self.lang, &f::INLINED) } else { "" };
        vec![
            code(&frame.function),
            code(&place(frame.file.as_deref(), frame.line)),
            Inline::of(mark, Tone::Weak),
        ]
    }

    pub(super) fn expression(&mut self, crash: &Crash) {
        let Some(expression) = &crash.expression else { return };
        self.heading(&f::EXPRESSION);
        let grade = self.parenthesised(words::grade(self.lang, expression.grade));
        let line = Inline::of(&expression.text, Tone::Quoted).with(&grade, Tone::Plain);
        self.push(Block::Paragraph(line));
        let mut facts = Vec::new();
        let offset = expression.offset.map(hex);
        let parts = [
            (&f::POINTER, expression.pointer.as_deref()),
            (&f::RECORD, expression.record.as_deref()),
            (&f::MEMBER, expression.member.as_deref()),
            (&f::OFFSET, offset.as_deref()),
        ];
        for (label, value) in parts {
            if let Some(value) = value {
                facts.push(self.fact(label, code(value)));
            }
        }
        if !facts.is_empty() {
            self.push(Block::Facts(facts));
        }
        if !expression.checks.is_empty() {
            self.subheading(&f::CHECKS);
            let checks = self.checks(&expression.checks);
            self.push(checks);
        }
        if !expression.also.is_empty() {
            self.subheading(&f::ALSO);
            let items = expression.also.iter().map(|also| {
                let text = code(&also.function)
                    .with(words::say(self.lang, &f::COLON), Tone::Plain)
                    .with(&also.text, Tone::Quoted);
                let mut facts = Vec::new();
                let offset = also.offset.map(hex);
                let source = place(also.file.as_deref(), also.line);
                let parts = [
                    (&f::POINTER, also.pointer.as_deref()),
                    (&f::RECORD, also.record.as_deref()),
                    (&f::MEMBER, also.member.as_deref()),
                    (&f::OFFSET, offset.as_deref()),
                    (&f::SOURCE, Some(source.as_str()).filter(|s| !s.is_empty())),
                ];
                for (label, value) in parts {
                    if let Some(value) = value {
                        facts.push(self.fact(label, code(value)));
                    }
                }
                let below = if facts.is_empty() { Vec::new() } else { vec![Block::Facts(facts)] };
                Item { text, below }
            });
            let items = items.collect();
            self.push(Block::List { ordered: false, items });
        }
    }

    /// Checks of an expression or an image: mark, name, outcome and figures.
    pub(super) fn checks(&self, checks: &[Check]) -> Block {
        let rows = checks.iter().map(|check| {
            let (mark, word) = words::outcome(self.lang, check.outcome);
            let tone = match check.outcome {
                Outcome::Agrees => Tone::Good,
                Outcome::Disagrees => Tone::Bad,
                Outcome::Unavailable => Tone::Weak,
            };
            vec![
                Inline::of(mark, tone),
                Inline::of(words::check(self.lang, &check.name), Tone::Plain),
                Inline::of(word, tone),
                self.prose(&check.detail),
            ]
        });
        table(
            vec![String::new(), self.label(&f::CHECK), String::new(), self.label(&f::DETAIL)],
            rows.collect(),
        )
    }

    pub(super) fn bad_value(&mut self, crash: &Crash) {
        let Some(bad) = &crash.bad_value else { return };
        self.heading(&f::BAD_VALUE);
        let mut facts = vec![
            self.fact(&f::VALUE, code(&hex(bad.value))),
            self.fact(&f::LOOKS_LIKE, Inline::of(words::class(self.lang, &bad.class), Tone::Plain)),
            self.fact(&f::DETAIL, self.prose(&bad.detail)),
        ];
        let more = [
            (&f::MAY_BE, &bad.readings),
            (&f::SPEAKS_FOR, &bad.implies),
            (&f::SPEAKS_AGAINST, &bad.rules_out),
        ];
        for (label, texts) in more {
            facts.extend(texts.iter().map(|text| self.fact(label, self.prose(text))));
        }
        self.push(Block::Facts(facts));
    }
}

/// `symbol+0xoffset/0xsize [module]`, as the kernel writes it.
pub(super) fn at(location: &Location) -> String {
    let mut text = location.symbol.clone().unwrap_or_else(|| "?".to_owned());
    if let Some(offset) = location.offset {
        text.push_str(&format!("+{:#x}", offset.0));
        if let Some(size) = location.size {
            text.push_str(&format!("/{:#x}", size.0));
        }
    }
    if let Some(module) = &location.module {
        text.push_str(&format!(" [{module}]"));
    }
    text
}
