//! The listing, the call trace and the registers.

use super::fault::at;
use super::{Page, code, hex, place, table, words};
use crate::doc::{Block, CodeLine, Inline, Tone, clean};
use crate::model::{Crash, Hex, ListingItem, Register};
use kwhy_base::catalogue::faces as f;
use kwhy_base::prose;

/// Classes of values that are told together, since the value says all of it.
const DULL: [&str; 2] = ["small-integer", "null"];

impl Page {
    pub(super) fn listing(&mut self, crash: &Crash) {
        if crash.instruction.is_none() && crash.listing.is_empty() {
            return;
        }
        self.heading(&f::LISTING);
        if let Some(instruction) = &crash.instruction {
            let mut facts = vec![self.fact(&f::INSTRUCTION, code(&instruction.text))];
            if let Some(explanation) = &instruction.explanation {
                facts.push(self.fact(&f::MEANING, self.prose(explanation)));
            }
            let bytes = Inline::of(&instruction.bytes, Tone::Code);
            let address = instruction.address.map(|Hex(address)| format!("{address:#x}"));
            facts.push(self.fact(&f::BYTES, bytes));
            if let Some(address) = address {
                facts.push(self.fact(&f::ADDRESS, code(&address)));
            }
            self.push(Block::Facts(facts));
        }
        if !crash.listing.is_empty() {
            let lines = crash.listing.iter().map(|item| self.code_line(item)).collect();
            self.push(Block::Listing(lines));
        }
    }

    fn code_line(&self, item: &ListingItem) -> CodeLine {
        match item {
            ListingItem::Source { function, file, line, text } => CodeLine::Source {
                place: clean(&match function {
                    Some(function) => format!("{file}:{line} {function}"),
                    None => format!("{file}:{line}"),
                }),
                text: text.as_ref().map(|text| clean(text.trim())),
            },
            ListingItem::Instruction { offset, bytes, text, explanation, fault, .. } => {
                CodeLine::Instruction {
                    fault: *fault,
                    offset: clean(offset),
                    bytes: clean(bytes),
                    text: clean(text),
                    explanation: explanation.as_ref().map(|text| self.prose(text)).unwrap_or_default(),
                }
            }
            ListingItem::Gap { count } => CodeLine::Gap(prose!(f::GAP, count = *count).render(self.lang)),
        }
    }

    pub(super) fn trace(&mut self, crash: &Crash) {
        if crash.frames.is_empty() && crash.entry.is_none() {
            return;
        }
        self.heading(&f::TRACE);
        if let Some(entry) = &crash.entry {
            let text = self.own(&prose!(f::PATH_HERE, entry = entry.0.clone()));
            self.push(Block::Paragraph(text));
        }
        if crash.frames.is_empty() {
            return;
        }
        let mut rows = Vec::new();
        for (i, frame) in crash.frames.iter().enumerate() {
            let chain = &frame.location.inline_chain;
            let inlined = chain.get(..chain.len().saturating_sub(1)).unwrap_or_default();
            for level in inlined {
                rows.push(vec![
                    Inline::default(),
                    Inline::of("  ", Tone::Plain).with(&level.function, Tone::Code),
                    code(&place(level.file.as_deref(), level.line)),
                    Inline::of(words::say(self.lang, &f::INLINED), Tone::Weak),
                ]);
            }
            // With inlined calls, the out-of-line function's own line is the chain's last.
            let source = match chain.last() {
                Some(last) if !inlined.is_empty() => place(last.file.as_deref(), last.line),
                _ => place(frame.location.file.as_deref(), frame.location.line),
            };
            let remark = match (frame.reliable, frame.log_line) {
                (false, _) if frame.link.as_deref() == Some("called") => {
                    words::say(self.lang, &f::LINK_CALLED)
                }
                (false, _) if frame.link.is_some() => words::say(self.lang, &f::LINK_STALE),
                (false, _) => words::say(self.lang, &f::UNRELIABLE),
                (true, None) => words::say(self.lang, &f::NOT_PRINTED),
                (true, Some(_)) => "",
            };
            rows.push(vec![
                Inline::of(&format!("#{i}"), Tone::Weak),
                code(&at(&frame.location)),
                code(&source),
                Inline::of(remark, Tone::Weak),
            ]);
        }
        self.push(table(Vec::new(), rows));
    }

    pub(super) fn registers(&mut self, crash: &Crash) {
        if crash.registers.is_empty() {
            return;
        }
        self.heading(&f::REGISTERS);
        let (dull, telling): (Vec<&Register>, Vec<&Register>) =
            crash.registers.iter().partition(|register| {
                register.holds.is_none()
                    && register.detail.is_none()
                    && register.value.is_some()
                    && register.class.as_deref().is_none_or(|class| DULL.contains(&class))
            });
        if !telling.is_empty() {
            let with_holds = telling.iter().any(|register| register.holds.is_some());
            let mut header = vec![self.label(&f::REGISTER), self.label(&f::VALUE)];
            if with_holds {
                header.push(self.label(&f::HOLDS));
            }
            header.push(self.label(&f::LOOKS_LIKE));
            let rows = telling.iter().map(|register| self.register(register, with_holds)).collect();
            self.push(table(header, rows));
        }
        if !dull.is_empty() {
            let list: Vec<String> = dull
                .iter()
                .filter_map(|register| Some(format!("{} {}", register.name, hex(register.value?))))
                .collect();
            let text = prose!(f::PLAIN_REGISTERS, registers = list.join(words::say(self.lang, &f::COMMA)));
            self.push(Block::Paragraph(Inline::of(&text.render(self.lang), Tone::Weak)));
        }
    }

    fn register(&self, register: &Register, with_holds: bool) -> Vec<Inline> {
        let value = match (register.value, &register.printed) {
            (Some(value), _) => code(&hex(value)),
            (None, Some(printed)) => {
                let printed = prose!(f::AS_PRINTED, printed = printed).render(self.lang);
                Inline::of(&printed, Tone::Bad)
            }
            (None, None) => Inline::of(words::say(self.lang, &f::NOT_PRINTED), Tone::Weak),
        };
        let mut row = vec![code(&register.name), value];
        if with_holds {
            row.push(code(register.holds.as_deref().unwrap_or_default()));
        }
        let class = register.class.as_deref().map(|class| words::class(self.lang, class));
        let mut looks = Inline::of(class.unwrap_or_default(), Tone::Plain);
        if let Some(detail) = &register.detail {
            if !looks.is_empty() {
                looks = looks.with(words::say(self.lang, &f::COLON), Tone::Plain);
            }
            looks = looks.and(self.prose(detail));
        }
        row.push(looks);
        row
    }
}
