//! Which files of a folder or an archive are logs: by name first, then by content.

use super::{FORMS, Foreign, SAMPLE, sample};

/// What a file's name says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A log by its usual name.
    Log,
    /// Nothing: its content decides.
    Unknown,
    /// Something else: an image, a dump, a picture, a package.
    Other,
}

/// Names that logs have, as beginnings of the last part of the path.
const LOGS: &[&str] = &[
    "dmesg",
    "vmcore-dmesg",
    "kern",
    "messages",
    "syslog",
    "console",
    "journal",
    "backtrace",
    "oops",
    "last_kmsg",
    "kmsg",
    "serial",
    "netconsole",
    "boot.log",
    "crash.log",
    "report",
];

/// Ends of names of what is no log, in lower case. Packed logs end in `.gz` too, so that only
/// the whole end counts.
const OTHERS: &[&str] = &[
    ".ko",
    ".ko.xz",
    ".ko.zst",
    ".ko.gz",
    ".ko.debug",
    ".o",
    ".so",
    ".a",
    ".elf",
    ".debug",
    ".deb",
    ".rpm",
    ".c",
    ".h",
    ".rs",
    ".s",
    ".py",
    ".sh",
    ".dts",
    ".dtb",
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".pdf",
    ".mp4",
    ".img",
    ".qcow2",
    ".iso",
    ".bin",
    ".map",
    ".journal",
    ".btf",
    ".patch",
    ".diff",
    ".zip",
];

/// Beginnings of names of what is no log.
const IMAGES: &[&str] = &[
    "vmlinux",
    "vmlinuz",
    "bzimage",
    "zimage",
    "uimage",
    "image",
    "initrd",
    "initramfs",
    "system.map",
    "config-",
];

/// What a path's last part says.
#[must_use]
pub fn kind_of(path: &str) -> Kind {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    if name.starts_with('.') {
        return Kind::Other;
    }
    if LOGS.iter().any(|log| name.starts_with(log)) && !OTHERS.iter().any(|end| name.ends_with(end)) {
        return Kind::Log;
    }
    // kdump-tools and makedumpfile: the memory itself.
    let dump = name == "vmcore" || name.starts_with("vmcore.") || name.starts_with("dump.");
    if dump
        || IMAGES.iter().any(|image| name.starts_with(image))
        || OTHERS.iter().any(|end| name.ends_with(end))
    {
        return Kind::Other;
    }
    let ends = [".log", ".txt", ".crash", ".upload", ".kmsg", ".eml", ".mbox"];
    if ends.iter().any(|end| name.ends_with(end)) { Kind::Log } else { Kind::Unknown }
}

/// Whether `head` is text: hardly any control characters.
#[must_use]
pub fn is_text(head: &[u8]) -> bool {
    let head = sample(head);
    let strange = head.iter().filter(|b| **b < 0x20 && !b"\n\r\t\x1b\x08".contains(b)).count();
    !head.is_empty() && strange <= head.len() / 32
}

/// Whether the content is a log's: in a form that is unpacked, or text of a kernel. What a
/// folder holds besides logs (a command line, a host's name) is text too.
#[must_use]
pub fn is_log(bytes: &[u8]) -> bool {
    let head = sample(bytes);
    if Foreign::of(head).is_some() || head.is_empty() {
        return false;
    }
    if FORMS.iter().take(CONTAINERS).any(|form| (form.sniff)(head)) {
        return true;
    }
    is_text(head) && (stamped(head) || super::tells(bytes))
}

/// Of [`FORMS`], those whose content cannot be judged from outside: compressed and tar.
const CONTAINERS: usize = 2;

/// Whether several lines carry printk's time or a syslog's tag.
fn stamped(head: &[u8]) -> bool {
    let lines = crate::text::split(head.get(..SAMPLE / 4).unwrap_or(head));
    lines.iter().filter(|line| line.time.is_some()).take(3).count() == 3
}

/// The files of a crash collector's problem folder (ABRT, kdump) that tell of its one crash, best
/// first: `None` where the folder is none such.
#[must_use]
pub fn problem(names: &[String]) -> Option<Vec<String>> {
    const BEST_FIRST: &[&str] = &["vmcore-dmesg.txt", "vmcore-dmesg", "dmesg", "backtrace", "kerneloops"];
    let has = |name: &str| names.iter().any(|own| own == name);
    // ABRT's folders say what they are in `type` or `analyzer`, and why in `reason`.
    if !(has("reason") || has("type") || has("analyzer")) || !(has("backtrace") || has("vmcore")) {
        return None;
    }
    Some(BEST_FIRST.iter().filter(|name| has(name)).map(|name| (*name).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_speak() {
        for name in ["dmesg.202611221400", "var/log/kern.log.2.gz", "a/console", "x.log", "vmcore-dmesg.txt"]
        {
            assert_eq!(kind_of(name), Kind::Log, "{name}");
        }
        for name in
            ["vmlinux-6.1", "a/x.ko.xz", "vmcore", "dump.202611221400", ".bashrc", "kern.png", "Image"]
        {
            assert_eq!(kind_of(name), Kind::Other, "{name}");
        }
        assert_eq!(kind_of("cmdline"), Kind::Unknown);
    }

    #[test]
    fn content_speaks() {
        assert!(is_log(b"[    1.000000] a\n[    1.000001] b\n[    1.000002] c\n"));
        assert!(is_log(b"kernel BUG at mm/slub.c:1!\n"));
        assert!(is_log(b"\x1f\x8b\x08\0"));
        assert!(!is_log(b"root=/dev/sda1 ro quiet\n"));
        assert!(!is_log(b"\x7fELF"));
        assert!(!is_log(b""));
    }

    #[test]
    fn a_problem_folder_tells_of_one_crash() {
        let names = |list: &[&str]| list.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            problem(&names(&["backtrace", "cmdline", "dmesg", "reason", "type"])),
            Some(names(&["dmesg", "backtrace"]))
        );
        assert_eq!(problem(&names(&["dmesg", "kern.log"])), None);
    }
}
