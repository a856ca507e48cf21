//! What was missing, what it would add, and the command that supplies it.

use crate::context::Facts;
use crate::images::Images;
use kwhy_base::catalogue::verdict as say;
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Missing;
use std::collections::BTreeSet;

/// A distribution, told by its kernel's release or version string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// Ubuntu: `#25-Ubuntu` in the version.
    Ubuntu,
    /// Debian: `Debian 6.1.192-2` in the version.
    Debian,
    /// RHEL, CentOS, Rocky, Alma: `.el8` in the release.
    RedHat,
    /// Fedora: `.fc40`.
    Fedora,
    /// openEuler: `.oe1`, `.oe2203`.
    OpenEuler,
    /// Anolis: `.an8`, `.an23`.
    Anolis,
    /// SUSE: `-default` and its kin with a SUSE-like release.
    Suse,
    /// Arch Linux: `-arch1-1`.
    Arch,
}

/// The distribution that built the kernel; `None` where nothing says so (often: built by its user).
pub fn distribution(release: &str, version: Option<&str>) -> Option<Distribution> {
    let version = version.unwrap_or("");
    let marked = |mark: &str| {
        release.split('.').any(|part| {
            part.strip_prefix(mark).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        })
    };
    if version.contains("Ubuntu") {
        Some(Distribution::Ubuntu)
    } else if version.contains("Debian") {
        Some(Distribution::Debian)
    } else if marked("el") {
        Some(Distribution::RedHat)
    } else if marked("fc") {
        Some(Distribution::Fedora)
    } else if marked("oe") {
        Some(Distribution::OpenEuler)
    } else if marked("an") {
        Some(Distribution::Anolis)
    } else if release.contains("-arch") {
        Some(Distribution::Arch)
    } else if release.ends_with("-default") || version.contains("SUSE") {
        Some(Distribution::Suse)
    } else {
        None
    }
}

/// The command that installs the kernel's debug information.
pub fn debug_package(distribution: Distribution, release: &str) -> String {
    match distribution {
        Distribution::Ubuntu => format!(
            "apt install ubuntu-dbgsym-keyring; echo \"deb http://ddebs.ubuntu.com $(lsb_release -cs) main\" > \
             /etc/apt/sources.list.d/ddebs.list; echo \"deb http://ddebs.ubuntu.com $(lsb_release -cs)-updates main\" \
             >> /etc/apt/sources.list.d/ddebs.list; apt update; apt install linux-image-{release}-dbgsym || apt \
             install linux-image-unsigned-{release}-dbgsym"
        ),
        Distribution::Debian => format!("apt install linux-image-{release}-dbg"),
        Distribution::RedHat | Distribution::Fedora => format!("dnf debuginfo-install kernel-{release}"),
        Distribution::OpenEuler => {
            format!("dnf install --enablerepo=debuginfo kernel-debuginfo-{release}")
        }
        Distribution::Anolis => format!("dnf install --enablerepo='*debug*' kernel-debuginfo-{release}"),
        Distribution::Suse => "zypper --plus-content debug install kernel-default-debuginfo".to_owned(),
        Distribution::Arch => "DEBUGINFOD_URLS=https://debuginfod.archlinux.org debuginfod-find debuginfo /usr/lib/modules/$(uname -r)/vmlinuz   # or rebuild the linux package with debug info".to_owned(),
    }
}

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
        let known = release.and_then(|release| distribution(release, record.version.as_deref()));
        match (release, known) {
            (Some(release), Some(known)) => add(
                prose!(say::MISSING_VMLINUX, release = release),
                if bare(None) { prose!(say::MISSING_VMLINUX_BARE_WHY) } else { prose!(say::MISSING_VMLINUX_WHY) },
                Some(debug_package(known, release)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_are_told_by_their_strings() {
        for (release, version, expected) in [
            ("5.15.0-25-generic", Some("#25-Ubuntu"), Some(Distribution::Ubuntu)),
            ("6.1.0-56-cloud-arm64", Some("#1 Debian 6.1.192-2"), Some(Distribution::Debian)),
            ("4.18.0-553.el8_10.x86_64", None, Some(Distribution::RedHat)),
            ("5.10.0-60.18.0.50.oe2203.aarch64", None, Some(Distribution::OpenEuler)),
            ("5.10.134-16.1.an8.x86_64", None, Some(Distribution::Anolis)),
            ("6.9.7-arch1-1", None, Some(Distribution::Arch)),
            ("5.14.21-150500.55.19-default", None, Some(Distribution::Suse)),
            ("6.8.9-300.fc40.x86_64", None, Some(Distribution::Fedora)),
            ("6.10.0-rc3-syzkaller", None, None),
        ] {
            assert_eq!(distribution(release, version), expected, "{release}");
        }
    }
}
