//! The registers of the log, each with what its value looks like.

use crate::code::as_code;
use crate::context::Facts;
use kwhy_arch::classify_value;
use kwhy_base::RegValue;
use kwhy_report::model::{self, Hex};

/// Every printed register in the order of the CPU's table.
pub fn describe(
    facts: &Facts<'_>,
    holds: &std::collections::BTreeMap<kwhy_base::Reg, String>,
) -> Vec<model::Register> {
    let (Some(cpu), Some(arch)) = (facts.cpu, facts.arch()) else { return Vec::new() };
    let registers = &facts.record.registers.0;
    cpu.registers
        .iter()
        .filter_map(|(name, reg)| {
            let (printed, value) = match registers.get(reg)? {
                RegValue::Known { value, .. } => (format!("{value:016x}"), Some(*value)),
                RegValue::Damaged { printed, .. } => (printed.clone(), None),
            };
            // A mended value is shown beside what was printed.
            let told = facts.damage.iter().find(|d| d.field == *name && d.likely.is_some());
            let printed = told.map_or(printed, |told| told.printed.clone());
            let class = value.map(|value| classify_value(arch, value, &facts.space, &|v| as_code(arch, v)));
            Some(model::Register {
                name: (*name).to_owned(),
                printed: Some(printed),
                value: value.map(Hex),
                class: class.as_ref().map(|class| class.word().to_owned()),
                detail: class.map(|class| class.detail.into()),
                holds: holds.get(reg).cloned(),
            })
        })
        .collect()
}
