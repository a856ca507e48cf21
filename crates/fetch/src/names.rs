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

const PACKED: [(&str, &str); 4] =
    [(".xz", "xz -dk"), (".zst", "zstd -dk"), (".gz", "gunzip -k"), (".bz2", "bunzip2 -k")];

/// What a file of this name is to the crash; `None` when it is nothing.
pub(crate) fn role_of(name: &str, wanted: &Wanted) -> Option<Role> {
    let plain = PACKED.iter().find_map(|(suffix, _)| name.strip_suffix(suffix)).unwrap_or(name);
    let without_debug = plain.strip_suffix(".debug").or_else(|| plain.strip_suffix(".dbg")).unwrap_or(plain);
    if let Some(rest) = without_debug.strip_prefix("vmlinux") {
        // `vmlinux`, `vmlinux-6.1.0-56-amd64`; not `vmlinux.lds`, `vmlinux.o`, `vmlinux.map`.
        return (rest.is_empty() || rest.starts_with('-')).then_some(Role::Kernel);
    }
    let stem = without_debug.strip_suffix(".ko")?;
    let module = wanted.modules.iter().find(|module| same_module(stem, &module.name))?;
    Some(Role::Module(module.name.clone()))
}

/// Whether a file of this name is a module, wanted or not.
pub(crate) fn is_module(name: &str) -> bool {
    let plain = PACKED.iter().find_map(|(suffix, _)| name.strip_suffix(suffix)).unwrap_or(name);
    [".ko", ".ko.debug", ".ko.dbg"].iter().any(|suffix| plain.ends_with(suffix))
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
    if let Some(rest) = name.strip_prefix("vmlinux-") {
        let rest = PACKED.iter().find_map(|(suffix, _)| rest.strip_suffix(suffix)).unwrap_or(rest);
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

/// How much debug information a file is likely to have, by its name; less is more.
pub(crate) fn richness(path: &Path) -> u8 {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if name.ends_with(".debug")
        || name.ends_with(".dbg")
        || path.components().any(|part| part.as_os_str() == "debug")
    {
        0
    } else {
        1
    }
}

pub(crate) fn is_compressed(path: &Path) -> bool {
    let name = path.to_string_lossy();
    PACKED.iter().any(|(suffix, _)| name.ends_with(suffix))
}

/// The command that unpacks a compressed file and keeps it.
pub(crate) fn unpack_command(path: &Path) -> String {
    let name = path.to_string_lossy();
    let tool = PACKED.iter().find(|(suffix, _)| name.ends_with(suffix)).map_or("xz -dk", |(_, tool)| tool);
    format!("{tool} {name}")
}
