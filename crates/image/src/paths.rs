//! How a recorded source path is shown: as a path in the kernel's tree where it is one.
//!
//! Builders record paths in different ways: relative to the compilation directory, absolute
//! in a build directory that exists nowhere else (`/build/reproducible-path/linux-6.1.192/…`),
//! through a separate object directory (`debian/build/build_amd64_none_cloud-amd64`), or
//! through installed headers (`/usr/src/linux-headers-6.1.0-56-common/include/…`). The rule:
//!
//! 1. `.` and `..` are resolved on paper, and an absolute compilation directory in front goes.
//! 2. What stands before a top directory of the kernel's tree (`arch`, `fs`, `include`…) goes,
//!    when the directory before it is named as kernel trees and build directories are
//!    (`linux…`, `build_…` or `build-…`, `source`).
//! 3. Of an out-of-tree module's files, the directory of the unit's own source file goes.
//! 4. Any other path is shown as it was recorded.

/// The top directories of the kernel's tree that hold source files.
const TOP: [&str; 23] = [
    "arch", "block", "certs", "crypto", "debian", "drivers", "fs", "include", "init", "io_uring", "ipc",
    "kernel", "lib", "mm", "net", "rust", "samples", "scripts", "security", "sound", "tools", "ubuntu",
    "virt",
];

/// The path to show for a file that a unit recorded as `recorded`.
pub(crate) fn shown(recorded: &str, comp_dir: Option<&str>, unit_name: Option<&str>) -> String {
    let path = normalised(recorded);
    if let Some(rest) = comp_dir.filter(|dir| dir.starts_with('/')).and_then(|dir| below(&path, dir)) {
        return in_tree(rest).unwrap_or(rest).to_owned();
    }
    // A relative path that goes neither up nor through a build directory is the tree's already.
    let outside = ["/", "../", "debian/build/"].iter().any(|prefix| path.starts_with(prefix));
    if outside && let Some(inside) = in_tree(&path) {
        return inside.to_owned();
    }
    if path.starts_with('/')
        && let Some((directory, _)) = unit_name.and_then(|name| name.rsplit_once('/'))
        && let Some(rest) = below(&path, &normalised(directory))
    {
        return rest.to_owned();
    }
    path
}

fn below<'a>(path: &'a str, directory: &str) -> Option<&'a str> {
    path.strip_prefix(directory.trim_end_matches('/'))?.strip_prefix('/')
}

/// The part of the path that lies in a kernel tree, where the tree can be recognised.
fn in_tree(path: &str) -> Option<&str> {
    let mut rest = path;
    let mut before: Option<&str> = None;
    let mut found = None;
    loop {
        let (component, after) = match rest.split_once('/') {
            Some((component, after)) => (component, Some(after)),
            None => (rest, None),
        };
        // The last component is the file itself.
        let Some(after) = after else { return found };
        let root = match before {
            Some(name) => {
                name == ".."
                    || name == "source"
                    || ["linux", "build_", "build-"].iter().any(|prefix| name.starts_with(prefix))
            }
            None => false,
        };
        // `debian` itself is looked through: build directories lie below it.
        if root && TOP.contains(&component) && component != "debian" && found.is_none() {
            found = Some(rest);
        }
        // A build directory inside the tree names the tree's own layout again.
        if before == Some("build") && component.starts_with("build_") {
            found = None;
        }
        before = Some(component);
        rest = after;
    }
}

/// Resolves `.`, `..` and doubled slashes without looking at any file system.
fn normalised(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    if absolute { format!("/{joined}") } else { joined }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn kernel_files_are_shown_as_in_the_tree() {
        let debian = Some("/build/reproducible-path/linux-6.1.192/debian/build/build_amd64_none_cloud-amd64");
        let relative = Some("debian/build/build_amd64_none_cloud-amd64");
        let assembler = "/build/reproducible-path/linux-6.1.192/arch/x86/kernel/head_64.S";
        assert_eq!(shown(assembler, debian, Some(assembler)), "arch/x86/kernel/head_64.S");
        assert_eq!(
            shown("kernel/module/sysfs.c", relative, Some("kernel/module/sysfs.c")),
            "kernel/module/sysfs.c"
        );
        assert_eq!(shown("./include/linux/list.h", relative, None), "include/linux/list.h");
        assert_eq!(shown("../../../include/linux/list.h", relative, None), "include/linux/list.h");
        assert_eq!(
            shown("/home/me/linux-stable/debian/build/build_x/include/generated/asm-offsets.h", None, None),
            "include/generated/asm-offsets.h"
        );
        assert_eq!(shown("/home/me/k/fs/namei.c", Some("/home/me/k"), None), "fs/namei.c");
        assert_eq!(shown("fs/namei.c", Some("/home/me/k"), None), "fs/namei.c");
    }

    #[test]
    fn files_of_modules_built_elsewhere() {
        let headers = Some("/usr/src/linux-headers-6.1.0-56-cloud-amd64");
        let unit = Some("/home/me/drivers/evil.c");
        assert_eq!(shown("/home/me/drivers/evil.c", headers, unit), "evil.c");
        assert_eq!(shown("/home/me/drivers/hw/regs.h", headers, unit), "hw/regs.h");
        assert_eq!(
            shown("/usr/src/linux-headers-6.1.0-56-common/include/linux/list.h", headers, unit),
            "include/linux/list.h"
        );
        assert_eq!(shown("/opt/vendor/api.h", headers, unit), "/opt/vendor/api.h");
    }
}
