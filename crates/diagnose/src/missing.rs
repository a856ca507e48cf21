//! What was missing, what it would add, and the command that supplies it.

use crate::context::Facts;
use crate::images::Images;
use kwhy_base::catalogue::verdict as say;
use kwhy_base::{Distribution, prose};
use kwhy_oops::Family;
use kwhy_report::model::Missing;
use std::collections::BTreeSet;

/// Everything that was missing from this crash's evidence.
pub fn missing(facts: &Facts<'_>, images: &Images<'_, '_>) -> Vec<Missing> {
    let record = facts.record;
    let mut missing = Vec::new();
    let mut add = |what, why, command: Option<String>| {
        missing.push(Missing {
            what: kwhy_report::model::Text(what),
            why: kwhy_report::model::Text(why),
            command,
        });
    };
    let bare = |module: Option<&str>| images.used_for(module).is_some_and(|(_, image)| !image.has_dwarf());
    if images.used_for(None).is_none_or(|(_, image)| !image.has_dwarf()) {
        let release = record.release.as_ref().map(|release| release.value.as_str());
        let known = release.and_then(|release| Distribution::of(release, record.version.as_deref()));
        match (release, known) {
            (Some(release), Some(known)) => add(
                prose!(say::MISSING_VMLINUX, release = release),
                if bare(None) { prose!(say::MISSING_VMLINUX_BARE_WHY) } else { prose!(say::MISSING_VMLINUX_WHY) },
                Some(known.command(release)),
            ),
            (Some(release), None) => add(
                prose!(say::MISSING_VMLINUX, release = release),
                prose!(say::MISSING_VMLINUX_SELF_BUILT),
                Some("kwhy LOG -i BUILD_DIRECTORY/vmlinux   # built with CONFIG_DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT=y".to_owned()),
            ),
            (None, _) => add(prose!(say::MISSING_RELEASE), prose!(say::MISSING_RELEASE_WHY), None),
        }
    }
    let concerned: BTreeSet<&str> = facts
        .places
        .chain()
        .iter()
        .filter_map(|place| place.at.module.as_deref())
        .chain(facts.subject.as_ref().map(|subject| subject.name.as_str()))
        .collect();
    for module in concerned {
        if images.used_for(Some(module)).is_some_and(|(_, image)| image.has_dwarf()) {
            continue;
        }
        let out_of_tree = record
            .modules
            .iter()
            .any(|m| m.name == module && (m.taints.contains('O') || m.taints.contains('P')));
        let (why, command) = if out_of_tree {
            (
                prose!(say::MISSING_MODULE_OUT_OF_TREE),
                format!("kwhy LOG -i $(modinfo -n {module})   # built with -g, not stripped"),
            )
        } else {
            (
                prose!(say::MISSING_MODULE_IN_TREE),
                format!(
                    "kwhy LOG -i /usr/lib/debug/lib/modules/{}   # searched for {module}.ko",
                    facts.release()
                ),
            )
        };
        let why = if bare(Some(module)) { prose!(say::MISSING_MODULE_BARE_WHY) } else { why };
        add(prose!(say::MISSING_MODULE, module = module), why, Some(command));
    }
    if facts.is_access_fault() || matches!(record.family, Some(Family::DivideError | Family::InvalidOpcode)) {
        lines(facts, &mut add);
    }
    if record.frames.is_empty() && !matches!(record.family, Some(Family::Hardware) | None) {
        add(prose!(say::MISSING_TRACE), prose!(say::MISSING_TRACE_WHY), Some(CAPTURE.to_owned()));
    }
    missing
}

/// Lines of the log that such a report has and this one lacks.
fn lines(facts: &Facts<'_>, add: &mut impl FnMut(kwhy_base::Prose, kwhy_base::Prose, Option<String>)) {
    let record = facts.record;
    let Some(cpu) = facts.cpu else { return };
    // Segment bases, and the PC that is printed as a symbol, are no general registers.
    let general = |reg: &kwhy_base::Reg| *reg != cpu.pc && reg.0 < 32 && Some(*reg) != cpu.lr;
    let absent: Vec<&str> = cpu
        .registers
        .iter()
        .filter(|(_, reg)| general(reg) && !record.registers.0.contains_key(reg))
        .map(|(name, _)| *name)
        .collect();
    if !absent.is_empty() {
        let names = match absent.as_slice() {
            [first, .., last] if absent.len() > 4 => format!("{first}…{last} ({})", absent.len()),
            some => some.join(" "),
        };
        add(
            prose!(say::MISSING_REGISTERS, names = names),
            prose!(say::MISSING_REGISTERS_WHY),
            Some(CAPTURE.to_owned()),
        );
    }
    if record.code.is_none() && facts.faulting.is_none() && !facts.places.pc_is_garbage {
        let why = match &record.code_note {
            Some(note) => prose!(say::MISSING_CODE_NOTED, note = &note.value, line = note.line),
            None => prose!(say::MISSING_CODE_WHY),
        };
        add(prose!(say::MISSING_CODE), why, record.code_note.is_none().then(|| CAPTURE.to_owned()));
    }
    if record.modules_cut {
        add(prose!(say::MISSING_MODULE_LIST), prose!(say::MISSING_MODULE_LIST_WHY), Some(CAPTURE.to_owned()));
    }
}

/// Ways to get the next crash's log whole.
const CAPTURE: &str = "cat /sys/fs/pstore/dmesg-*   # after a reboot; else kdump (apt install kdump-tools) or: modprobe netconsole netconsole=@/,@RECEIVER/";
