//! Modules, damage, images, and what was missing.

use super::{Page, code, table, words};
use crate::doc::{Block, Inline, Item, Tone};
use crate::model::{Crash, Module, Text};
use kwhy_base::catalogue::faces as f;
use kwhy_base::prose;

/// So many modules are named where a suspicion falls on all of them.
const NAMED: usize = 8;

impl Page {
    pub(super) fn modules(&mut self, crash: &Crash) {
        if crash.modules.is_empty() {
            return;
        }
        self.heading(&f::MODULES);
        let flagged = |module: &&Module| !module.taints.is_empty() || !module.suspicion.is_empty();
        let telling: Vec<&Module> = crash.modules.iter().filter(flagged).collect();
        let tainting = crash.modules.iter().filter(|m| m.taints.chars().any(char::is_alphabetic)).count();
        let count = prose!(f::MODULE_COUNT, count = crash.modules.len(), tainted = tainting);
        let count = self.own(&count);
        self.push(Block::Paragraph(count));

        // The same flags are explained once, over the names that bear them.
        let mut explained: Vec<(&str, Vec<&Module>)> = Vec::new();
        for module in &telling {
            match explained.iter_mut().find(|(flags, _)| *flags == module.taints) {
                Some((_, modules)) => modules.push(module),
                None => explained.push((&module.taints, vec![module])),
            }
        }
        let rows: Vec<Vec<Inline>> = explained
            .iter()
            .filter(|(flags, _)| !flags.is_empty())
            .map(|(flags, modules)| {
                let mut meaning = Inline::default();
                for (i, text) in
                    modules.first().map(|m| m.meanings.as_slice()).unwrap_or_default().iter().enumerate()
                {
                    if i > 0 {
                        meaning = meaning.with(words::say(self.lang, &f::SEMICOLON), Tone::Plain);
                    }
                    meaning = meaning.and(self.prose(text));
                }
                let names: Vec<&str> = modules.iter().map(|m| m.name.as_str()).collect();
                meaning = meaning
                    .with(words::say(self.lang, &f::COLON), Tone::Plain)
                    .with(&names.join(" "), Tone::Plain);
                vec![code(flags), meaning]
            })
            .collect();
        if !rows.is_empty() {
            let header = vec![self.label(&f::FLAGS), self.label(&f::MEANING)];
            self.push(table(header, rows));
        }
        // A suspicion that many modules share is told once, over the first of them.
        let mut suspicions: Vec<(&Text, Vec<&str>)> = Vec::new();
        for module in &telling {
            for suspicion in &module.suspicion {
                match suspicions.iter_mut().find(|(text, _)| *text == suspicion) {
                    Some((_, names)) => names.push(&module.name),
                    None => suspicions.push((suspicion, vec![&module.name])),
                }
            }
        }
        let items: Vec<Item> = suspicions
            .iter()
            .map(|(text, names)| {
                let shown = names.get(..names.len().min(NAMED)).unwrap_or_default().join(" ");
                let mut line = code(&shown);
                if let Some(count) = names.len().checked_sub(NAMED).filter(|count| *count > 0) {
                    line = line.with(&prose!(f::AND_MORE, count = count).render(self.lang), Tone::Plain);
                }
                let text = line.with(words::say(self.lang, &f::COLON), Tone::Plain).and(self.prose(text));
                Item { text, below: Vec::new() }
            })
            .collect();
        if !items.is_empty() {
            self.push(Block::List { ordered: false, items });
        }
    }

    pub(super) fn damage(&mut self, crash: &Crash) {
        if crash.damage.is_empty() {
            return;
        }
        self.heading(&f::DAMAGE);
        let header = [&f::LINE, &f::FIELD, &f::PRINTED, &f::BETTER, &f::GRADE, &f::REASON];
        let header = header.map(|m| self.label(m)).to_vec();
        let rows = crash.damage.iter().map(|damage| {
            let printed = if damage.printed.is_empty() {
                Inline::of(words::say(self.lang, &f::NOTHING_PRINTED), Tone::Weak)
            } else {
                code(&damage.printed)
            };
            vec![
                Inline::of(&damage.line.to_string(), Tone::Plain),
                Inline::of(&damage.field, Tone::Strong),
                printed,
                damage.likely.as_deref().map_or_else(|| Inline::of("–", Tone::Weak), code),
                Inline::of(words::grade(self.lang, damage.grade), Tone::Plain),
                self.prose(&damage.reason),
            ]
        });
        let rows = rows.collect();
        self.push(table(header, rows));
    }

    pub(super) fn images(&mut self, crash: &Crash) {
        if crash.images.is_empty() {
            return;
        }
        self.heading(&f::IMAGES);
        let items = crash.images.iter().map(|image| {
            let (word, tone) = if image.used { (&f::USED, Tone::Good) } else { (&f::NOT_USED, Tone::Bad) };
            let kind = self.parenthesised(image.kind.as_deref().unwrap_or_default());
            let grade = self.parenthesised(image.grade.map_or("", |grade| words::grade(self.lang, grade)));
            let text = code(&image.name)
                .with(&kind, Tone::Plain)
                .with(words::say(self.lang, &f::COLON), Tone::Plain)
                .with(words::say(self.lang, word), tone)
                .with(&grade, Tone::Plain)
                .with(words::say(self.lang, &f::SEMICOLON), Tone::Plain)
                .and(self.prose(&image.reason));
            let mut below = Vec::new();
            let parts = [(&f::RELEASE, &image.release), (&f::BUILD_ID, &image.build_id)];
            let facts: Vec<_> =
                parts.into_iter().filter_map(|(l, v)| Some(self.fact(l, code(v.as_deref()?)))).collect();
            if !facts.is_empty() {
                below.push(Block::Facts(facts));
            }
            if !image.checks.is_empty() {
                below.push(self.checks(&image.checks));
            }
            Item { text, below }
        });
        let items = items.collect();
        self.push(Block::List { ordered: false, items });
    }

    pub(super) fn missing(&mut self, crash: &Crash) {
        if crash.missing.is_empty() {
            return;
        }
        self.heading(&f::MISSING);
        let items = crash.missing.iter().enumerate().map(|(i, missing)| {
            // What the same commands supply stands together, and the commands once, at the end.
            let both = |one: &crate::model::Missing| (one.fetch.clone(), one.command.clone());
            let next = crash.missing.get(i.saturating_add(1)).map(both);
            let last = next != Some(both(missing));
            let commands = missing.fetch.iter().chain(&missing.command).filter(|_| last);
            let text = self
                .prose(&missing.what)
                .with(words::say(self.lang, &f::COLON), Tone::Plain)
                .and(self.prose(&missing.why));
            Item { text, below: commands.map(|text| super::command(text)).collect() }
        });
        let items = items.collect();
        self.push(Block::List { ordered: false, items });
    }
}
