//! Hypotheses, the bad value's origin, and blame.

use super::{Page, code, command, place, words};
use crate::doc::{Block, Inline, Item, Tone};
use crate::model::{Crash, Text};
use kwhy_base::catalogue::faces as f;
use kwhy_base::{Message, prose};

impl Page {
    pub(super) fn hypotheses(&mut self, crash: &Crash) {
        if crash.hypotheses.is_empty() {
            return;
        }
        self.heading(&f::HYPOTHESES);
        let items = crash.hypotheses.iter().map(|hypothesis| {
            let grade = self.parenthesised(words::grade(self.lang, hypothesis.grade));
            let text = Inline::of(words::cause(self.lang, &hypothesis.cause), Tone::Strong)
                .with(&grade, Tone::Plain)
                .with(words::say(self.lang, &f::COLON), Tone::Plain)
                .and(self.prose(&hypothesis.statement));
            let mut below = self.evidence(&f::FOR, &hypothesis.for_);
            below.extend(self.evidence(&f::AGAINST, &hypothesis.against));
            if let Some(next) = &hypothesis.next_check {
                below.push(Block::Subheading(self.label(&f::NEXT_CHECK)));
                below.push(Block::Paragraph(self.prose(&next.why)));
                below.push(command(&next.command));
                below.extend(next.more.iter().map(|more| command(&more.command)));
            }
            Item { text, below }
        });
        let items = items.collect();
        self.push(Block::List { ordered: true, items });
    }

    fn evidence(&self, label: &Message, texts: &[Text]) -> Vec<Block> {
        if texts.is_empty() {
            return Vec::new();
        }
        let items = texts.iter().map(|text| Item { text: self.prose(text), below: Vec::new() }).collect();
        vec![Block::Subheading(self.label(label)), Block::List { ordered: false, items }]
    }

    pub(super) fn origin(&mut self, crash: &Crash) {
        if crash.origin.is_empty() && crash.trail.len() < 2 {
            return;
        }
        self.heading(&f::ORIGIN);
        let items = crash.origin.iter().map(|origin| {
            let mut text = Inline::of(words::origin(self.lang, &origin.what), Tone::Strong);
            if let Some(detail) = &origin.detail {
                text = text.with(words::say(self.lang, &f::COLON), Tone::Plain).and(self.prose(detail));
            }
            let mut facts = self.whereabouts(
                origin.function.as_deref(),
                origin.file.as_deref(),
                origin.line,
                origin.module.as_deref(),
            );
            if !origin.call_path.is_empty() {
                facts.push(self.fact(&f::CALL_PATH, code(&origin.call_path.join(" → "))));
            }
            let below = if facts.is_empty() { Vec::new() } else { vec![Block::Facts(facts)] };
            Item { text, below }
        });
        let items: Vec<Item> = items.collect();
        if !items.is_empty() {
            self.push(Block::List { ordered: true, items });
        }
        self.trail(crash);
    }

    /// The steps that the bad value took. A single one is the fault itself, which is told above.
    fn trail(&mut self, crash: &Crash) {
        if crash.trail.len() < 2 {
            return;
        }
        self.subheading(&f::ORIGIN_STEPS);
        let rows = crash.trail.iter().map(|step| {
            let mut how = words::how(self.lang, &step.how).to_owned();
            if step.checked {
                how.push_str(&self.parenthesised(words::say(self.lang, &f::STEP_CHECKED)));
            }
            let at = place(step.file.as_deref(), step.line);
            vec![
                code(step.function.as_deref().unwrap_or("?")),
                code(&at),
                code(&step.text),
                Inline::of(&how, Tone::Plain),
            ]
        });
        let rows = rows.collect();
        self.push(super::table(Vec::new(), rows));
    }

    /// Function, source and module, as far as known.
    fn whereabouts(
        &self,
        function: Option<&str>,
        file: Option<&str>,
        line: Option<u32>,
        module: Option<&str>,
    ) -> Vec<(String, Inline)> {
        let source = place(file, line);
        let source = Some(source.as_str()).filter(|source| !source.is_empty());
        [(&f::FUNCTION, function), (&f::SOURCE, source), (&f::MODULE, module)]
            .into_iter()
            .filter_map(|(label, value)| Some(self.fact(label, code(value?))))
            .collect()
    }

    pub(super) fn blame(&mut self, crash: &Crash) {
        let Some(blame) = &crash.blame else { return };
        self.heading(&f::BLAME);
        let mut facts = self.whereabouts(blame.function.as_deref(), blame.file.as_deref(), blame.line, None);
        let module = match &blame.module {
            Some(module) => code(module),
            None => Inline::of(words::say(self.lang, &f::IMAGE_ITSELF), Tone::Plain),
        };
        facts.push(self.fact(&f::MODULE, module));
        facts.push(self.fact(&f::GRADE, Inline::of(words::grade(self.lang, blame.grade), Tone::Plain)));
        facts.push(self.fact(&f::REASON, self.prose(&blame.reason)));
        self.push(Block::Facts(facts));
    }

    pub(super) fn system(&mut self, crash: &Crash) {
        self.heading(&f::SYSTEM);
        let mut facts = Vec::new();
        let unknown = || Inline::of(words::say(self.lang, &f::UNDETERMINED), Tone::Weak);
        let task = match (&crash.comm, crash.pid) {
            (Some(comm), Some(pid)) => self.own(&prose!(f::TASK_IS, comm = comm, pid = pid)),
            (Some(comm), None) => code(comm),
            (None, Some(pid)) => code(&format!("PID {pid}")),
            (None, None) => unknown(),
        };
        facts.push(self.fact(&f::TASK, task));
        facts.push(self.fact(&f::CPU, crash.cpu.map_or_else(unknown, |cpu| code(&cpu.to_string()))));
        let kernel = crash.kernel_release.as_deref().map(|release| {
            let version = self.parenthesised(crash.kernel_version.as_deref().unwrap_or_default());
            code(release).with(&version, Tone::Plain)
        });
        facts.push(self.fact(
            &f::KERNEL,
            kernel.unwrap_or_else(|| match &crash.kernel_version {
                Some(version) => code(version),
                None => unknown(),
            }),
        ));
        facts.push(self.fact(&f::ARCH, crash.arch.as_deref().map_or_else(unknown, code)));
        facts.push(self.fact(
            &f::HARDWARE,
            crash.hardware.as_deref().map_or_else(unknown, |name| Inline::of(name, Tone::Plain)),
        ));
        if let Some(offset) = crash.kernel_offset {
            facts.push(self.fact(&f::KASLR, code(&super::hex(offset))));
        }
        let taints = match &crash.taints {
            None => Some(Inline::of(words::say(self.lang, &f::UNKNOWN), Tone::Weak)),
            Some(taints) if taints.is_empty() => {
                Some(Inline::of(words::say(self.lang, &f::NOT_TAINTED), Tone::Plain))
            }
            Some(_) => None,
        };
        if let Some(taints) = taints {
            facts.push(self.fact(&f::TAINTED_BY, taints));
        }
        let lines = prose!(f::LINES, first = crash.first_line, last = crash.last_line);
        facts.push(self.fact(&f::IN_LOG, self.own(&lines)));
        facts.push(self.fact(&f::KIND, code(&crash.kind)));
        for title in &crash.alt_titles {
            facts.push(self.fact(&f::ALT_TITLES, Inline::of(title, Tone::Plain)));
        }
        if let Some(file) = &crash.guilty_file {
            facts.push(self.fact(&f::GUILTY_FILE, code(file)));
        }
        if crash.corrupted {
            facts.push(
                self.fact(&f::CORRUPTED, Inline::of(words::say(self.lang, &f::CORRUPTED_IS), Tone::Bad)),
            );
        }
        self.push(Block::Facts(facts));
        if let Some(taints) = crash.taints.as_ref().filter(|taints| !taints.is_empty()) {
            self.subheading(&f::TAINTS);
            let rows =
                taints.iter().map(|taint| vec![code(&taint.letter.to_string()), self.prose(&taint.meaning)]);
            let rows = rows.collect();
            self.push(super::table(Vec::new(), rows));
        }
    }
}
