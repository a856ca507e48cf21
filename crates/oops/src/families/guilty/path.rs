//! Source paths as builders record them, brought to paths of the kernel's tree.

/// The tree's top directories with source files.
const TOP: &[&str] = &[
    "arch", "block", "certs", "crypto", "drivers", "fs", "include", "init", "io_uring", "ipc", "kernel",
    "lib", "mm", "net", "rust", "samples", "scripts", "security", "sound", "tools", "virt",
];

/// Of those, the ones that are also common names of other things' directories: they count only
/// below a directory that is named as kernel trees are.
const COMMON: &[&str] = &["kernel", "lib", "samples", "scripts", "tools", "certs", "include", "rust"];

/// `recorded` without the builder's directories.
///
/// `./` and `dir/..` are resolved on paper. Of an absolute path, or one that leaves its directory,
/// what stands before the tree's top directory goes; where no tree can be recognised (a module
/// built outside of one) the path stays as it is.
pub(super) fn in_tree(recorded: &str) -> String {
    let absolute = recorded.starts_with('/');
    let mut outside = absolute;
    let mut parts: Vec<&str> = Vec::new();
    for part in recorded.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                outside |= parts.pop().is_none();
            }
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    let built = parts.first() == Some(&"debian");
    if !(outside || built) {
        return path;
    }
    let named = |before: Option<&&str>| {
        before.is_some_and(|name| {
            ["linux", "kernel", "build_", "build-"].iter().any(|start| name.starts_with(start))
                || matches!(*name, "source" | "src" | "build")
        })
    };
    let is_top = |index: usize| {
        let Some(part) = parts.get(index).filter(|part| TOP.contains(part)) else { return false };
        // The last part is the file.
        let before = index.checked_sub(1).and_then(|before| parts.get(before));
        index + 1 < parts.len() && (named(before) || before.is_none() || !COMMON.contains(part))
    };
    // A tree in a directory named like one of its own parts (`/home/me/kernel/net/…`).
    let found = (0..parts.len()).find(|index| {
        is_top(*index) && !(parts.get(*index) == Some(&"kernel") && is_top(index.saturating_add(1)))
    });
    match found.and_then(|found| parts.get(found..)) {
        Some(inside) => inside.join("/"),
        None if absolute => format!("/{path}"),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::in_tree;

    #[test]
    fn builders_directories_go() {
        for (recorded, shown) in [
            ("fs/ext4/inode.c", "fs/ext4/inode.c"),
            ("./include/linux/list.h", "include/linux/list.h"),
            ("../../fs/x.c", "fs/x.c"),
            ("kernel/../mm/slub.c", "mm/slub.c"),
            ("/build/reproducible-path/linux-6.1.192/kernel/fork.c", "kernel/fork.c"),
            ("/build/linux-6.1/debian/build/build_amd64/../../../lib/a.c", "lib/a.c"),
            ("debian/build/build_amd64_none_cloud-amd64/net/core/dev.c", "net/core/dev.c"),
            ("/usr/src/linux-headers-6.1.0-56-common/include/linux/fs.h", "include/linux/fs.h"),
            ("/syzkaller/managers/upstream/kernel/net/ipv4/tcp.c", "net/ipv4/tcp.c"),
            ("/syzkaller/kernel/kernel/fork.c", "kernel/fork.c"),
            ("/home/me/stable/drivers/net/x.c", "drivers/net/x.c"),
            ("/home/me/stable/drivers/crypto/x.c", "drivers/crypto/x.c"),
            ("/var/lib/dkms/zfs/2.1/build/module/arc.c", "/var/lib/dkms/zfs/2.1/build/module/arc.c"),
            ("/home/me/abba/abba.c", "/home/me/abba/abba.c"),
            ("abba.c", "abba.c"),
        ] {
            assert_eq!(in_tree(recorded), shown, "{recorded}");
        }
    }
}
