//! What was missing, what it would add, and the command that supplies it.

use crate::context::Facts;
use crate::images::Images;
use kwhy_base::catalogue::verdict as say;
use kwhy_base::distribution::is_plain;
use kwhy_base::{Distribution, Prose, prose};
use kwhy_oops::Family;
use kwhy_report::model::Missing;
use std::collections::BTreeSet;

/// Everything that was missing from this crash's evidence.
pub fn missing(facts: &Facts<'_>, images: &Images<'_, '_>) -> Vec<Missing> {
    let record = facts.record;
    let mut missing = Vec::new();
    let mut add = |what, why, command: Option<String>| missing.push(made(what, why, command));
    let release = record.release.as_ref().map(|release| release.value.as_str());
    let source = Source::of(facts, images);
    let state = |module: Option<&str>| images.used_for(module).map(|(_, image)| image);
    if state(None).is_none_or(|image| !image.has_dwarf()) {
        let why = match state(None) {
            Some(image) if image.has_types() => prose!(say::MISSING_VMLINUX_BARE_WHY),
            Some(_) => prose!(say::MISSING_VMLINUX_SYMBOLS_WHY),
            None if source.distribution.is_none() => prose!(say::MISSING_VMLINUX_SELF_BUILT),
            None => prose!(say::MISSING_VMLINUX_WHY),
        };
        match release {
            Some(release) => {
                let what = prose!(say::MISSING_VMLINUX, release = release);
                missing.push(source.supplies(None, what, why));
            }
            None => add(prose!(say::MISSING_RELEASE), prose!(say::MISSING_RELEASE_WHY), None),
        }
    }
    let concerned: BTreeSet<&str> = facts
        .places
        .chain()
        .iter()
        .filter_map(|place| place.at.module.as_deref())
        .chain(facts.subject.as_ref().map(|subject| subject.name.as_str()))
        .collect();
    let outside = |module: &str| {
        let mut entries = record.modules.iter().filter(|entry| entry.name == module);
        entries.any(|entry| entry.taints.contains(['O', 'P']))
    };
    let lacking =
        concerned.into_iter().filter(|module| state(Some(module)).is_none_or(|image| !image.has_dwarf()));
    // What the distribution has comes after its vmlinux, with which it shares the package.
    let (foreign, own): (Vec<&str>, Vec<&str>) = lacking.partition(|module| outside(module));
    for module in own.into_iter().chain(foreign) {
        let what = prose!(say::MISSING_MODULE, module = module);
        let bare = state(Some(module)).map(|image| match image.has_types() {
            true => prose!(say::MISSING_MODULE_BARE_WHY),
            false => prose!(say::MISSING_MODULE_SYMBOLS_WHY),
        });
        if outside(module) {
            let why = bare.unwrap_or_else(|| prose!(say::MISSING_MODULE_OUT_OF_TREE));
            let command = is_plain(module)
                .then(|| format!("kwhy LOG -i $(modinfo -n {module})   # built with -g, not stripped"));
            missing.push(made(what, why, command));
        } else {
            let why = bare.unwrap_or_else(|| prose!(say::MISSING_MODULE_IN_TREE));
            missing.push(source.supplies(Some(module), what, why));
        }
    }
    // Debug information without its code: the installed file has it.
    for (module, image) in
        images.used().filter_map(|index| Some((images.module(index), images.image(index)?)))
    {
        if !image.lacks_code() {
            continue;
        }
        let name = module.as_deref().map_or_else(|| "vmlinux".to_owned(), |module| format!("{module}.ko"));
        let folder =
            release.filter(|release| is_plain(release)).map(|release| format!("/lib/modules/{release}"));
        let command = folder.map(|folder| match module {
            Some(_) => format!("kwhy LOG -i {folder}"),
            None => format!("kwhy LOG -i {}", folder.replace("/lib/modules/", "/boot/vmlinuz-")),
        });
        missing.push(made(prose!(say::MISSING_HALF, name = name), prose!(say::MISSING_HALF_WHY), command));
    }
    let mut add = |what, why, command: Option<String>| missing.push(made(what, why, command));
    if facts.is_access_fault() || matches!(record.family, Some(Family::DivideError | Family::InvalidOpcode)) {
        lines(facts, &mut add);
    }
    if record.frames.is_empty() && !matches!(record.family, Some(Family::Hardware) | None) {
        add(prose!(say::MISSING_TRACE), prose!(say::MISSING_TRACE_WHY), Some(CAPTURE.to_owned()));
    }
    missing
}

fn made(what: Prose, why: Prose, command: Option<String>) -> Missing {
    Missing { what: what.into(), why: why.into(), command, fetch: None, package: None }
}

/// Where the kernel's debug information comes from.
struct Source<'a, 'o, 'd> {
    distribution: Option<Distribution>,
    release: &'a str,
    version: Option<&'a str>,
    /// Whether a build-id is known of the kernel: then a debuginfod server can be asked.
    kernel_id: bool,
    images: &'a Images<'o, 'd>,
    record: &'a kwhy_oops::CrashRecord,
}

impl<'a, 'o, 'd> Source<'a, 'o, 'd> {
    fn of(facts: &'a Facts<'_>, images: &'a Images<'o, 'd>) -> Source<'a, 'o, 'd> {
        let record = facts.record;
        let release = record.release.as_ref().map_or("", |release| release.value.as_str());
        let version = record.version.as_deref();
        let distribution = Distribution::of(release, version)
            .or_else(|| Distribution::guess(release))
            .filter(|_| is_plain(release));
        let own = images.used_for(None).is_some_and(|(_, image)| image.build_id().is_some());
        Source { distribution, release, version, kernel_id: own || record.build_id.is_some(), images, record }
    }

    /// The commands that supply the vmlinux, or a module of the kernel's tree.
    fn supplies(&self, module: Option<&str>, what: Prose, why: Prose) -> Missing {
        let Some(distribution) = self.distribution else {
            let file =
                module.map_or("/vmlinux   # built with CONFIG_DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT=y", |_| "");
            return made(what, why, Some(format!("kwhy LOG -i BUILD_DIRECTORY{file}")));
        };
        let known = match module {
            None => self.kernel_id,
            Some(module) => {
                self.images.used_for(Some(module)).is_some_and(|(_, image)| image.build_id().is_some())
                    || self.record.frames.iter().any(|frame| {
                        frame.at.module.as_deref() == Some(module) && frame.at.build_id.is_some()
                    })
            }
        };
        let server = distribution.debuginfod().filter(|_| known);
        let fetch = match server {
            Some(server) => Some(format!("DEBUGINFOD_URLS={server} kwhy fetch LOG")),
            None => distribution.is_fetched().then(|| "kwhy fetch LOG".to_owned()),
        };
        Missing {
            fetch,
            package: distribution.debug_packages(self.release).into_iter().next(),
            ..made(what, why, distribution.command(self.release, self.version))
        }
    }
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
