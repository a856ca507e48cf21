//! Mending: what a damaged log must have said, by what the images know.
//!
//! Nothing here runs for a log that agrees with its images: each place is only looked up. Where
//! one does not fit, the reading is looked for that costs the fewest slips and that the images
//! bear out; it is taken only where no other comes near. Every mend is told as [`Damage`] with
//! the value printed, the value taken, the reason and a grade, and conclusions that rest on one
//! that is not proved are not called proved either ([`Footing`]).

mod bytes;
mod footing;
mod identity;
mod likeness;
mod places;
mod pool;
pub mod registers;
mod sites;
#[cfg(test)]
mod tests;
mod values;

pub use footing::Footing;

use crate::images::Opened;
use kwhy_base::catalogue::damage as say;
use kwhy_base::{Arch, RegValue, prose};
use kwhy_oops::{CodeRef, CrashRecord, Damage, Grade};
use places::{Better, Hints, Role};
use pool::Pool;

/// `at` with the place that was found for it: symbol, offset and size, module.
fn placed(at: &CodeRef, symbol: &str, (offset, size): (u64, u64), module: Option<&String>) -> CodeRef {
    CodeRef {
        symbol: Some(symbol.to_owned()),
        offset: Some(offset),
        size: Some(size),
        module: module.cloned(),
        unreadable: false,
        offset_digits: None,
        size_digits: None,
        ..at.clone()
    }
}

/// The record as it must have been, with what was mended among its damage; `None` where nothing was.
pub fn mend(record: &CrashRecord, opened: &[Opened<'_>]) -> Option<CrashRecord> {
    let pool = Pool::new(opened, record);
    let unread = record.registers.0.values().any(|value| matches!(value, RegValue::Damaged { .. }));
    if pool.is_none() && !unread {
        return None;
    }
    let against_images = pool.is_some();
    let pool = pool.unwrap_or_default();
    let mut mender = Mender { record: record.clone(), pool, mends: Vec::new(), reread: false };
    mender.readable_registers();
    if against_images {
        mender.pc();
        mender.code();
        mender.lr();
        mender.frames();
        mender.registers();
        mender.release();
        mender.build_ids();
    }
    if mender.mends.is_empty() && !mender.reread {
        return None;
    }
    let Mender { mut record, mends, .. } = mender;
    for mut mend in mends {
        record.damage.retain(|known| {
            if known.line != mend.line {
                return true;
            }
            // What was read here once already, by the log's own shape, is told with the end result.
            if let Some(likely) = &known.likely {
                let plain = |text: &str| text.trim_start_matches("? ").split(" [").next().map(str::to_owned);
                let read_on = plain(likely) == plain(&mend.printed);
                if read_on {
                    mend.printed.clone_from(&known.printed);
                }
                return !read_on;
            }
            // What the log reader could only find wrong is told once, with its remedy.
            known.field != mend.field && known.printed != mend.printed
        });
        record.damage.push(mend);
    }
    record.damage.sort_by(|a, b| (a.line, &a.field).cmp(&(b.line, &b.field)));
    Some(record)
}

/// The places of a log that name code: PC, LR and frames.
fn places_of(record: &CrashRecord) -> impl Iterator<Item = &CodeRef> {
    let pc = record.pc.iter().map(|pc| &pc.value);
    let lr = record.lr.iter().map(|lr| &lr.value);
    pc.chain(lr).chain(record.frames.iter().map(|frame| &frame.at))
}

struct Mender<'o, 'd> {
    record: CrashRecord,
    pool: Pool<'o, 'd>,
    mends: Vec<Damage>,
    /// Values were taken that the log reader had mended itself, and told.
    reread: bool,
}

impl Mender<'_, '_> {
    fn told(&mut self, line: u32, field: &str, printed: String, likely: String, better: &Better) {
        self.mends.push(Damage {
            line,
            field: field.to_owned(),
            printed,
            likely: Some(likely),
            grade: better.grade,
            reason: kwhy_base::Prose::Sequence(better.reason.clone()),
        });
    }

    /// Whether anything in the log is known to be damaged.
    fn damaged(&self) -> bool {
        !self.mends.is_empty() || self.record.damage.iter().any(|damage| damage.grade != Grade::Possible)
    }

    /// The program counter, by its bytes, by the top of an ARM64 trace, by its own digits.
    fn pc(&mut self) {
        let Some(pc) = self.record.pc.clone() else { return };
        if pc.value.symbol.is_none() && !pc.value.unreadable || self.record.is_fetch_fault() {
            return;
        }
        let sound = places::sound(&self.pool, &pc.value, Role::Interrupted);
        let compared =
            self.record.code.as_ref().and_then(|code| bytes::at_place(&self.pool, &pc.value, code));
        let good = match &compared {
            Some(compared) => compared.different.is_empty() || bytes::fits(compared),
            None => true,
        };
        if sound && good {
            return;
        }
        let by_bytes =
            self.record.code.as_ref().and_then(|code| bytes::place_of(&self.pool, &pc.value, code));
        let better = by_bytes.or_else(|| self.by_top(&pc.value)).or_else(|| {
            (!sound).then(|| places::better(&self.pool, &pc.value, Role::Interrupted, Hints::default()))?
        });
        if let Some(better) = better {
            self.told(pc.line, "pc", show(&pc.value), show(&better.at), &better);
            if let Some(pc) = &mut self.record.pc {
                pc.value = better.at;
            }
        }
    }

    /// The first frame of an ARM64 trace, where it is the PC once more and whole.
    fn by_top(&self, pc: &CodeRef) -> Option<Better> {
        let top = self.record.frames.first().filter(|_| self.record.arch == Some(Arch::Arm64))?;
        if !places::near(pc, &top.at) || !places::sound(&self.pool, &top.at, Role::Interrupted) {
            return None;
        }
        let grade = if self.pool.trusted { Grade::Proved } else { Grade::Likely };
        let reason = vec![prose!(say::MEND_PC_TOP, line = top.line, place = show(&top.at))];
        Some(Better { at: top.at.clone(), grade, reason })
    }

    /// The bytes of `Code:`, where it is known where they stand.
    fn code(&mut self) {
        if self.record.is_fetch_fault() {
            return;
        }
        let damaged = self.damaged();
        let (Some(pc), Some(code)) = (&self.record.pc, &self.record.code) else { return };
        let Some(compared) = bytes::at_place(&self.pool, &pc.value, code) else { return };
        let Some(arch) = self.record.arch else { return };
        let Some(better) = bytes::bytes(arch, &compared, code, damaged) else { return };
        let reason = prose!(say::MEND_CODE, count = better.same, place = show(&pc.value));
        for (printed, likely, grade) in better.mended {
            self.mends.push(Damage {
                line: code.line,
                field: "Code".to_owned(),
                printed,
                likely: Some(likely),
                grade,
                reason: reason.clone(),
            });
        }
        self.record.code = Some(better.code);
    }

    /// The link register of ARM64: a return address of the function or of its caller.
    fn lr(&mut self) {
        let Some(lr) = self.record.lr.clone().filter(|lr| lr.value.symbol.is_some()) else { return };
        let role = Role::Return(None);
        if places::sound(&self.pool, &lr.value, role) {
            return;
        }
        if let Some(better) = places::better(&self.pool, &lr.value, role, Hints::default()) {
            self.told(lr.line, "lr", show(&lr.value), show(&better.at), &better);
            if let Some(lr) = &mut self.record.lr {
                lr.value = better.at;
            }
        }
    }

    /// Each frame against the one above it, top down.
    fn frames(&mut self) {
        let pc = self.record.pc.as_ref().and_then(|pc| pc.value.symbol.clone());
        let mut inner = pc;
        let mut entered = false;
        for index in 0..self.record.frames.len() {
            let Some(frame) = self.record.frames.get(index).cloned() else { break };
            if frame.inline || frame.at.symbol.is_none() {
                continue;
            }
            if index == 0 && self.record.is_fetch_fault() && self.same_as_pc(&frame.at) {
                continue;
            }
            if index == 0 && self.same_as_pc(&frame.at) {
                self.top(frame.line, &frame.at);
                continue;
            }
            let role = match (frame.reliable, &inner) {
                (false, _) => Role::Loose,
                // Behind the entry of an exception stands the place it interrupted.
                _ if entered => Role::Loose,
                (true, inner) => Role::Return(inner.as_deref()),
            };
            if !places::sound(&self.pool, &frame.at, role) {
                let called = self.called_below(index);
                let hints = Hints { called: called.as_deref() };
                if let Some(better) = places::better(&self.pool, &frame.at, role, hints) {
                    self.told(frame.line, "frame", show(&frame.at), show(&better.at), &better);
                    if let Some(frame) = self.record.frames.get_mut(index) {
                        frame.at = better.at;
                    }
                }
            }
            if frame.reliable {
                inner = self.record.frames.get(index).and_then(|frame| frame.at.symbol.clone());
                entered = inner.as_deref().is_some_and(is_exception_entry);
            }
        }
    }

    /// Whether a trace's first frame is the program counter once more, as ARM64 prints it.
    fn same_as_pc(&self, top: &CodeRef) -> bool {
        self.record.arch == Some(kwhy_base::Arch::Arm64)
            && self
                .record
                .pc
                .as_ref()
                .is_some_and(|pc| places::near(top, &pc.value) || places::near(&pc.value, top))
    }

    /// The first frame, which repeats the PC.
    fn top(&mut self, line: u32, top: &CodeRef) {
        let Some(pc) = self.record.pc.as_ref().map(|pc| pc.value.clone()) else { return };
        let same = |a: &CodeRef, b: &CodeRef| {
            (&a.symbol, a.offset, a.size, &a.module) == (&b.symbol, b.offset, b.size, &b.module)
        };
        if same(&pc, top) || !places::sound(&self.pool, &pc, Role::Interrupted) {
            return;
        }
        let known = self.mends.iter().find(|mend| mend.field == "pc").map(|mend| mend.grade);
        let better = Better {
            at: pc.clone(),
            grade: known.unwrap_or(if self.pool.trusted { Grade::Proved } else { Grade::Likely }),
            reason: vec![prose!(say::MEND_TOP, place = show(&pc))],
        };
        self.told(line, "frame", show(top), show(&pc), &better);
        if let Some(frame) = self.record.frames.first_mut() {
            frame.at = pc;
        }
    }

    /// The function that the next reliable frame below `index` calls, where that frame is sound.
    fn called_below(&self, index: usize) -> Option<String> {
        let below = self.record.frames.get(index.checked_add(1)?..)?;
        let frame = below.iter().find(|frame| frame.reliable && !frame.inline)?;
        let (image, symbol) = self.pool.exact(&frame.at)?;
        let place = symbol.address.offset(frame.at.offset? as i64);
        match sites::call_before(image, place)? {
            sites::Callee::Named(name) => Some(name),
            sites::Callee::Any => None,
        }
    }
}

/// Entry code that an exception or interrupt goes through: what it interrupted follows in the trace.
fn is_exception_entry(symbol: &str) -> bool {
    ["el1", "el0", "asm_", "vectors", "ret_from_exception", "__entry_text"]
        .iter()
        .any(|prefix| symbol.starts_with(prefix))
        || symbol == "common_interrupt_return"
}

/// A place as the kernel prints it.
fn show(at: &CodeRef) -> String {
    let symbol = at.symbol.as_deref().unwrap_or("?");
    let number = |digits: &Option<String>, value: Option<u64>| match (digits, value) {
        (Some(digits), _) => Some(format!("0x{digits}")),
        (None, Some(value)) => Some(format!("{value:#x}")),
        (None, None) => None,
    };
    let mut text = symbol.to_owned();
    if let Some(offset) = number(&at.offset_digits, at.offset) {
        text += &format!("+{offset}");
    }
    if let Some(size) = number(&at.size_digits, at.size) {
        text += &format!("/{size}");
    }
    if let Some(module) = &at.module {
        text += &format!(" [{module}]");
    }
    text
}
