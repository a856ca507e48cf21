//! What the record's numbers are read as, once the place is known.

use super::registers::{self, By};
use super::{Mender, bytes};
use kwhy_base::catalogue::damage as say;
use kwhy_base::{ImageAddr, RegValue, prose};
use kwhy_image::Image;
use kwhy_oops::{Damage, Grade};

impl<'o, 'd> Mender<'o, 'd> {
    /// Registers that the log reader could read in spite of letters among their digits.
    pub(super) fn readable_registers(&mut self) {
        let Some(cpu) = self.record.arch.and_then(kwhy_arch::cpu) else { return };
        let record = &mut self.record;
        for (register, value) in &mut record.registers.0 {
            let RegValue::Damaged { line, .. } = value else { continue };
            let (name, line) = (cpu.name(*register), *line);
            let likely = record
                .damage
                .iter()
                .find(|d| d.line == line && Some(d.field.as_str()) == name)
                .and_then(|d| d.likely.as_deref());
            if let Some(read) = likely.and_then(crate::fault::parse_hex) {
                *value = RegValue::Known { value: read, line };
                self.reread = true;
            }
        }
    }

    /// Where in which image the faulting instruction is.
    fn pc_in_image(&self) -> Option<(&'o Image<'d>, ImageAddr)> {
        let at = &self.record.pc.as_ref()?.value;
        let (image, symbol) = self.pool.exact(at)?;
        Some((image, symbol.address.offset(i64::try_from(at.offset?).ok()?)))
    }

    /// Whether the bytes that were printed stand at the place that was printed.
    fn place_is_sure(&self) -> bool {
        let (Some(pc), Some(code)) = (&self.record.pc, &self.record.code) else { return true };
        bytes::at_place(&self.pool, &pc.value, code)
            .is_none_or(|compared| compared.different.is_empty() || bytes::fits(&compared))
    }

    /// Registers by the fault address and by each other. Only for a log that is known to be
    /// damaged: in one that is not, registers that disagree with the code are a finding.
    pub(super) fn registers(&mut self) {
        let unread = self.record.registers.0.values().any(|value| matches!(value, RegValue::Damaged { .. }));
        if !(unread || self.damaged()) || !self.place_is_sure() {
            return;
        }
        let Some((image, pc)) = self.pc_in_image() else { return };
        for better in registers::by_code(&self.record, image, pc) {
            self.take(better);
        }
        if let Some(better) = registers::by_fault(&self.record, image, pc) {
            self.take(better);
        }
    }

    fn take(&mut self, better: registers::BetterValue) {
        let Some(cpu) = self.record.arch.and_then(kwhy_arch::cpu) else { return };
        let registers::BetterValue { register, value, by } = better;
        let name = |reg| cpu.name(reg).unwrap_or("?").to_owned();
        let Some(printed) = self.record.registers.0.get(&register) else { return };
        let (line, digits) = (registers::line(printed), registers::digits(printed));
        if digits == format!("{value:016x}") {
            return;
        }
        let reason = match by {
            By::Fault(instruction) => prose!(say::MEND_REGISTER_FAULT, instruction = instruction),
            By::Same(other) => prose!(say::MEND_REGISTER_SAME, other = name(other)),
            By::Constant => prose!(say::MEND_REGISTER_CONSTANT),
        };
        let field = name(register);
        // Read once already, by its digits alone: this reading knows more.
        let known = self.record.damage.iter().find(|d| d.line == line && d.field == field);
        let printed = known.map_or(digits, |known| known.printed.clone());
        self.record.damage.retain(|d| !(d.line == line && d.field == field));
        self.record.registers.0.insert(register, RegValue::Known { value, line });
        self.mends.push(Damage {
            line,
            field,
            printed,
            likely: Some(format!("{value:016x}")),
            grade: Grade::Likely,
            reason,
        });
    }
}
