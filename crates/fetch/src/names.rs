//! What a file's name says about it.

use crate::Wanted;
use kwhy_base::BuildId;
use std::path::Path;

/// What a file may be used as.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Kernel,
    /// The module, by its name as logged.
    Module(String),
}

/// What a compressed file's name ends with.
const PACKED: [&str; 6] = [".xz", ".zst", ".gz", ".bz2", ".lz4", ".lzma"];

/// What boot images are called, before a hyphen and the release or alone.
const BOOT: [&str; 4] = ["vmlinuz", "bzImage", "Image", "zImage"];

/// A name without what compression added to it.
fn plain_name(name: &str) -> &str {
    PACKED.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}

/// What a file of this name is to the crash; `None` when it is nothing.
pub(crate) fn role_of(name: &str, wanted: &Wanted) -> Option<Role> {
    let plain = plain_name(name);
    let without_debug = plain.strip_suffix(".debug").or_else(|| plain.strip_suffix(".dbg")).unwrap_or(plain);
    if let Some(rest) = without_debug.strip_prefix("vmlinux") {
        // `vmlinux`, `vmlinux-6.1.0-56-amd64`; not `vmlinux.lds`, `vmlinux.o`, `vmlinux.map`.
        return (rest.is_empty() || rest.starts_with('-')).then_some(Role::Kernel);
    }
    if is_boot_image(plain) {
        return Some(Role::Kernel);
    }
    let stem = without_debug.strip_suffix(".ko")?;
    let module = wanted.modules.iter().find(|module| same_module(stem, &module.name))?;
    Some(Role::Module(module.name.clone()))
}

/// Whether a file of this name is a module, wanted or not.
pub(crate) fn is_module(name: &str) -> bool {
    let plain = plain_name(name);
    [".ko", ".ko.debug", ".ko.dbg"].iter().any(|suffix| plain.ends_with(suffix))
}

/// Whether a file of this name is likely to hold debug information only.
pub(crate) fn is_debug_only(name: &str) -> bool {
    [".debug", ".dbg"].iter().any(|suffix| name.ends_with(suffix))
}

/// Where debug information is filed under its build-id: `.build-id/ab/cdef….debug`.
pub(crate) fn by_build_id(id: &BuildId) -> String {
    let id = id.to_string();
    let (first, rest) = id.split_at_checked(2).unwrap_or((&id, ""));
    format!(".build-id/{first}/{rest}.debug")
}

/// The kernel takes `-` and `_` in module names for the same.
fn same_module(a: &str, b: &str) -> bool {
    let plain = |byte: u8| if byte == b'-' { b'_' } else { byte };
    a.len() == b.len() && a.bytes().map(plain).eq(b.bytes().map(plain))
}

/// What a path of the form `….build-id/ab/cdef….debug` is to the crash, by the build-ids that the
/// log prints.
pub(crate) fn filed_by_build_id(path: &Path, wanted: &Wanted) -> Option<Role> {
    let rest = path.file_name()?.to_str()?.strip_suffix(".debug")?;
    let first = path.parent()?.file_name()?.to_str()?;
    let id = BuildId::from_hex(&format!("{first}{rest}"))?;
    if wanted.build_id.as_ref() == Some(&id) {
        return Some(Role::Kernel);
    }
    let module = wanted.modules.iter().find(|module| module.build_id.as_ref() == Some(&id))?;
    Some(Role::Module(module.name.clone()))
}

/// The kernel release that a path names: after `vmlinux-`, or below `modules/`.
pub(crate) fn release_in(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let boots = BOOT.iter().find_map(|boot| name.strip_prefix(boot)?.strip_prefix('-'));
    if let Some(rest) = name.strip_prefix("vmlinux-").or(boots) {
        let rest = plain_name(rest);
        return Some(rest.strip_suffix(".debug").unwrap_or(rest).to_owned());
    }
    let mut parts = path.components().map(|part| part.as_os_str());
    while let Some(part) = parts.next() {
        if part == "modules" {
            // Only what looks like a release: `modules` is a common name.
            let below = parts.next()?.to_str()?;
            return below.starts_with(|first: char| first.is_ascii_digit()).then(|| below.to_owned());
        }
    }
    None
}

/// Whether a file of this name is what a boot loader loads.
fn is_boot_image(name: &str) -> bool {
    let rest = BOOT.iter().find_map(|boot| name.strip_prefix(boot));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// How much debug information a file is likely to have, by its name; less is more.
pub(crate) fn richness(path: &Path) -> u8 {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if is_boot_image(plain_name(&name)) {
        3
    } else if is_debug_only(&name) || path.components().any(|part| part.as_os_str() == "debug") {
        0
    } else if plain_name(&name) != name {
        2
    } else {
        1
    }
}
