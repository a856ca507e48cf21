//! Registers, by what the code says of them: the faulting instruction's base and index make the
//! fault address, and registers that hold the same thing hold the same number.

use super::likeness::{self, SLIP};
use crate::fault;
use kwhy_arch::{prints_as, untag_for_print};
use kwhy_base::{Arch, ImageAddr, Reg, RegValue};
use kwhy_flow::insn::{self, MemOperand};
use kwhy_flow::scene::Scene;
use kwhy_flow::value::NodeId;
use kwhy_image::Image;
use kwhy_oops::CrashRecord;
use std::collections::BTreeMap;

/// The dearest reading of a register: two slips that leave look-alikes.
const LIMIT: u32 = 2 * SLIP + 4;

/// A register's better value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BetterValue {
    /// Which.
    pub register: Reg,
    /// What it held.
    pub value: u64,
    /// By what.
    pub by: By,
}

/// What a register's value is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The faulting instruction, whose text this is, and the fault address.
    Fault(String),
    /// Another register that the code derives from the same value.
    Same(Reg),
    /// The code puts this constant there.
    Constant,
}

/// The digits of a register as printed.
pub fn digits(value: &RegValue) -> String {
    match value {
        RegValue::Known { value, .. } => format!("{value:016x}"),
        RegValue::Damaged { printed, .. } => printed.clone(),
    }
}

/// The line a register stands on.
pub fn line(value: &RegValue) -> u32 {
    match value {
        RegValue::Known { line, .. } | RegValue::Damaged { line, .. } => *line,
    }
}

/// Whether the log prints the fault address twice alike, so that it is not the one misread.
pub fn address_repeated(record: &CrashRecord) -> bool {
    let Some(address) = record.fault_address.as_ref().and_then(|a| a.value.value) else { return false };
    let noted = record.fault_address_note.as_ref().and_then(|(again, _)| again.value.value);
    let cr2 = record
        .control_registers
        .iter()
        .find(|(name, _)| name == "CR2")
        .filter(|(_, at)| Some(at.line) != record.fault_address.as_ref().map(|a| a.line))
        .and_then(|(_, at)| at.value.value);
    noted == Some(address) || cr2 == Some(address)
}

/// The base register, by the fault address.
pub fn by_fault(record: &CrashRecord, image: &Image<'_>, pc: ImageAddr) -> Option<BetterValue> {
    let arch = record.arch?;
    let address = fault::mended(record, "fault address", record.fault_address.as_ref())?;
    let bytes = image.bytes(pc, 15)?;
    let insn = insn::decode(arch, &bytes, pc)?;
    let accesses = insn.accesses();
    let mut found = Vec::new();
    for access in &accesses {
        let memory = &access.memory;
        let Some(base) = memory.base.filter(|_| memory.segment.is_none()) else { continue };
        let Some(rest) = without_base(memory, record) else { continue };
        let printed = record.registers.0.get(&base)?;
        let width = u64::from(access.width.max(1));
        if let RegValue::Known { value, .. } = printed {
            let touched = value.wrapping_add(rest);
            if (0..width).any(|byte| prints_as(arch, touched.wrapping_add(byte), address)) {
                return None;
            }
        }
        let text = digits(printed);
        let value = tagged(arch, address.wrapping_sub(rest), &text);
        let readable = matches!(printed, RegValue::Known { .. });
        let cost = likeness::wide_cost(&text, value);
        // A whole register is doubted only where the address is beyond doubt.
        if cost > 0 && cost <= LIMIT && (!readable || address_repeated(record)) {
            found.push(BetterValue { register: base, value, by: By::Fault(insn.text()) });
        }
    }
    found.dedup();
    match found.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// The tag that ARM64 leaves out of a fault address, as the register's first two digits have it.
fn tagged(arch: Arch, value: u64, printed: &str) -> u64 {
    if arch != Arch::Arm64 || value != untag_for_print(value) || value >> 56 == 0xff {
        return value;
    }
    match printed.get(..2).and_then(|top| u64::from_str_radix(top, 16).ok()) {
        Some(top) if printed.len() == 16 => (value & (u64::MAX >> 8)) | top << 56,
        _ => value,
    }
}

/// Index times scale plus displacement.
fn without_base(memory: &MemOperand, record: &CrashRecord) -> Option<u64> {
    let mut sum = memory.displacement as u64;
    if let Some(index) = memory.index {
        let value = record.registers.known(index.register)?;
        let value = match (index.narrow, index.signed) {
            (true, true) => i64::from(value as u32 as i32) as u64,
            (true, false) => u64::from(value as u32),
            _ => value,
        };
        sum = sum.wrapping_add(value.wrapping_mul(u64::from(index.scale)));
    }
    Some(sum)
}

/// Registers by each other: what the code up to `pc` makes of the same value.
pub fn by_code(record: &CrashRecord, image: &Image<'_>, pc: ImageAddr) -> Vec<BetterValue> {
    let Some(scene) = Scene::new(image, pc) else { return Vec::new() };
    let mut groups: BTreeMap<NodeId, Vec<(Reg, i64)>> = BTreeMap::new();
    let mut found = Vec::new();
    for (register, printed) in &record.registers.0 {
        let Some(value) = scene.register(pc, *register) else { continue };
        match value.node {
            Some(node) => groups.entry(node).or_default().push((*register, value.plus)),
            None => {
                let number = value.plus as u64;
                // Addresses of the image are elsewhere in memory; plain numbers are what they are.
                if number >> 32 == 0 && image.section_at(ImageAddr(number)).is_none() {
                    found.extend(reread(*register, printed, number, By::Constant));
                }
            }
        }
    }
    for members in groups.values() {
        let Some((by, base, votes)) = elected(record, members) else { continue };
        for (register, plus) in members {
            let Some(printed) = record.registers.0.get(register) else { continue };
            let meant = base.wrapping_add_signed(*plus);
            let readable = matches!(printed, RegValue::Known { .. });
            // Of two whole registers that disagree neither is the better.
            if readable && votes < 2 {
                continue;
            }
            found.extend(reread(*register, printed, meant, By::Same(by)));
        }
    }
    found
}

/// The value that most registers of a group speak for, one of them, and how many they are.
fn elected(record: &CrashRecord, members: &[(Reg, i64)]) -> Option<(Reg, u64, usize)> {
    let mut votes: BTreeMap<u64, Vec<Reg>> = BTreeMap::new();
    for (register, plus) in members {
        if let Some(value) = record.registers.known(*register) {
            votes.entry(value.wrapping_sub(*plus as u64)).or_default().push(*register);
        }
    }
    let most = votes.values().map(Vec::len).max()?;
    let best: Vec<(&u64, &Vec<Reg>)> = votes.iter().filter(|(_, voters)| voters.len() == most).collect();
    let (base, voters, count) = match best.as_slice() {
        [(base, voters)] => (**base, *voters, most),
        // Two against one another: the one that lies beside other registers' values, on the same
        // stack or in the same object, has another voice.
        [(one, first), (two, second)] => {
            let beside = |base: u64| {
                base >> 47 != 0
                    && record.registers.0.keys().any(|other| {
                        !members.iter().any(|(member, _)| member == other)
                            && record.registers.known(*other).is_some_and(|v| v >> 14 == base >> 14)
                    })
            };
            match (beside(**one), beside(**two)) {
                (true, false) => (**one, *first, most + 1),
                (false, true) => (**two, *second, most + 1),
                _ => return None,
            }
        }
        _ => return None,
    };
    Some((*voters.first()?, base, count))
}

fn reread(register: Reg, printed: &RegValue, value: u64, by: By) -> Option<BetterValue> {
    let cost = likeness::wide_cost(&digits(printed), value);
    let whole = matches!(printed, RegValue::Known { .. });
    let wrong = cost > 0 || !whole;
    (wrong && cost <= LIMIT).then_some(BetterValue { register, value, by })
}
