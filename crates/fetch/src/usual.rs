//! The usual places of the distributions, and of kernels that someone built.
//!
//! A name in this list is asked for directly; only the folders of one release's modules are
//! walked. Where each comes from:
//!
//! | place | who |
//! | --- | --- |
//! | `/usr/lib/debug/.build-id/ab/cdef….debug` | everyone: GDB's convention |
//! | `/usr/lib/debug/boot/vmlinux-R` | Debian, Ubuntu |
//! | `/usr/lib/debug/lib/modules/R/vmlinux` | Fedora, RHEL, CentOS, openEuler, Anolis |
//! | `/usr/lib/debug/boot/vmlinux-R.debug`, `/usr/lib/debug/usr/lib/modules/R/vmlinux.debug` | SUSE |
//! | `/usr/lib/debug/[usr/]lib/modules/R/**/X.ko.debug` | Fedora and its kin, SUSE |
//! | `/lib/modules/R/build/vmlinux` | self-built trees; Arch (`linux-headers`) |
//! | `/boot/vmlinux-R`, `/lib/modules/R/vmlinux` | self-built, SUSE |
//! | `/boot/vmlinuz-R`, `/lib/modules/R/vmlinuz` | the boot image, where nothing better is there |

use crate::names::{self, Role};
use crate::{Wanted, walk};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// What is still looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The kernel.
    pub kernel: bool,
    /// Modules, by their names as logged, sorted.
    pub modules: Vec<String>,
}

/// Bytes of a `modules.order` that are read; that of a full distribution kernel has 300 KB.
const MAX_ORDER: u64 = 16 << 20;

/// The files that there are in the usual places below `system`.
pub(crate) fn places(system: &Path, wanted: &Wanted, needs: &Needs) -> BTreeMap<Role, Vec<PathBuf>> {
    let mut pool: BTreeMap<Role, Vec<PathBuf>> = BTreeMap::new();
    let mut add = |role: Role, path: PathBuf| pool.entry(role).or_default().push(path);
    let debug = system.join("usr/lib/debug");
    let mut filed = Vec::new();
    if needs.kernel {
        filed.extend(wanted.build_id.as_ref().map(|id| (Role::Kernel, id)));
    }
    for module in wanted.modules.iter().filter(|module| needs.modules.contains(&module.name)) {
        filed.extend(module.build_id.as_ref().map(|id| (Role::Module(module.name.clone()), id)));
    }
    for (role, id) in filed {
        let path = debug.join(names::by_build_id(id));
        if path.is_file() {
            add(role, path);
        }
    }
    let Some(release) = wanted.plain_release() else { return pool };
    let build = tree(system, release);
    if needs.kernel {
        let mut usual: Vec<PathBuf> = [
            format!("usr/lib/debug/boot/vmlinux-{release}"),
            format!("usr/lib/debug/boot/vmlinux-{release}.debug"),
            format!("usr/lib/debug/lib/modules/{release}/vmlinux"),
            format!("usr/lib/debug/lib/modules/{release}/vmlinux.debug"),
            format!("usr/lib/debug/usr/lib/modules/{release}/vmlinux"),
            format!("usr/lib/debug/usr/lib/modules/{release}/vmlinux.debug"),
            format!("usr/lib/debug/vmlinux-{release}"),
            format!("lib/modules/{release}/vmlinux"),
            format!("usr/lib/modules/{release}/vmlinux"),
            format!("boot/vmlinux-{release}"),
            format!("boot/vmlinux-{release}.xz"),
            format!("boot/vmlinux-{release}.gz"),
            format!("boot/vmlinux-{release}.zst"),
            format!("usr/src/linux-{release}/vmlinux"),
            format!("boot/vmlinuz-{release}"),
            format!("lib/modules/{release}/vmlinuz"),
            format!("usr/lib/modules/{release}/vmlinuz"),
            format!("boot/Image-{release}"),
        ]
        .iter()
        .map(|path| system.join(path))
        .collect();
        usual.extend(build.iter().map(|build| build.join("vmlinux")));
        for path in usual.into_iter().filter(|path| path.is_file()) {
            add(Role::Kernel, path);
        }
    }
    if !needs.modules.is_empty() {
        let role = |name: &str| {
            names::role_of(name, wanted)
                .filter(|role| matches!(role, Role::Module(name) if needs.modules.contains(name)))
        };
        let folders = [
            format!("usr/lib/debug/lib/modules/{release}"),
            format!("usr/lib/debug/usr/lib/modules/{release}"),
            format!("lib/modules/{release}"),
            format!("usr/lib/modules/{release}"),
        ];
        let mut walked = Vec::new();
        for folder in folders.iter().filter_map(|folder| system.join(folder).canonicalize().ok()) {
            // /lib is a link to /usr/lib on most.
            if !walked.contains(&folder) {
                for file in walk::walk(&folder, |name| role(name).is_some()).files {
                    if let Some(role) = file.file_name().and_then(|name| role(&name.to_string_lossy())) {
                        add(role, file);
                    }
                }
                walked.push(folder);
            }
        }
        if let Some(build) = build {
            for (name, path) in built(&build) {
                if let Some(role) = role(&name) {
                    add(role, path);
                }
            }
        }
    }
    pool
}

/// The tree that a release was built in: where the link `build` of its modules leads.
fn tree(system: &Path, release: &str) -> Option<PathBuf> {
    let link = system.join("lib/modules").join(release).join("build");
    let target = fs::read_link(&link).ok()?;
    // In another system's files an absolute link means a place of that system.
    let inside = match target.strip_prefix("/") {
        Ok(below) => system.join(below),
        Err(_) => link.parent()?.join(target),
    };
    inside.is_dir().then_some(inside)
}

/// The modules of a build tree by its own list, `modules.order`: walking the tree would take
/// longer than the rest of the search.
fn built(tree: &Path) -> Vec<(String, PathBuf)> {
    let Ok(order) = fs::File::open(tree.join("modules.order")) else { return Vec::new() };
    let lines = BufReader::new(order.take(MAX_ORDER)).lines().map_while(Result::ok);
    lines
        .filter_map(|line| {
            // `kernel/net/netfilter/nf_nat.ko` until 6.x, `net/netfilter/nf_nat.o` since.
            let inside = line.strip_prefix("kernel/").unwrap_or(&line);
            let stem = inside.strip_suffix(".ko").or_else(|| inside.strip_suffix(".o"))?;
            let name = format!("{}.ko", stem.rsplit('/').next()?);
            let climbs =
                Path::new(inside).components().any(|part| !matches!(part, std::path::Component::Normal(_)));
            (!climbs).then(|| (name, tree.join(format!("{stem}.ko"))))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WantedModule;
    use crate::tests::Folder;
    use kwhy_base::BuildId;

    fn wanted() -> Wanted {
        Wanted {
            release: Some("6.1.0-9-amd64".into()),
            modules: vec![WantedModule { name: "nf_nat".into(), build_id: None, outside: false }],
            ..Wanted::default()
        }
    }

    fn needs() -> Needs {
        Needs { kernel: true, modules: vec!["nf_nat".into()] }
    }

    fn found(root: &Folder, wanted: &Wanted) -> Vec<String> {
        let pool = places(&root.0, wanted, &needs());
        let root = root.0.canonicalize().unwrap();
        let relative = |path: PathBuf| {
            path.canonicalize().unwrap().strip_prefix(&root).unwrap().to_string_lossy().into_owned()
        };
        pool.into_values().flatten().map(relative).collect()
    }

    #[test]
    fn each_distribution_s_places_are_known() {
        for path in [
            "usr/lib/debug/boot/vmlinux-6.1.0-9-amd64",
            "usr/lib/debug/lib/modules/6.1.0-9-amd64/vmlinux",
            "usr/lib/debug/usr/lib/modules/6.1.0-9-amd64/vmlinux.debug",
            "lib/modules/6.1.0-9-amd64/vmlinux",
            "boot/vmlinux-6.1.0-9-amd64.xz",
            "boot/vmlinuz-6.1.0-9-amd64",
            "lib/modules/6.1.0-9-amd64/kernel/net/nf_nat.ko.zst",
            "usr/lib/debug/lib/modules/6.1.0-9-amd64/kernel/net/nf_nat.ko.debug",
            "usr/lib/debug/usr/lib/modules/6.1.0-9-amd64/kernel/net/nf_nat.ko.debug",
            "lib/modules/6.1.0-9-amd64/updates/dkms/nf-nat.ko",
        ] {
            let root = Folder::new("places");
            root.file(path);
            root.file("usr/lib/debug/boot/vmlinux-6.1.0-10-amd64");
            root.file("lib/modules/6.1.0-9-amd64/kernel/net/other.ko");
            assert_eq!(found(&root, &wanted()), [path]);
        }
    }

    #[test]
    fn build_ids_and_build_trees_are_followed() {
        let root = Folder::new("trees");
        root.file("usr/lib/debug/.build-id/ab/cdef.debug");
        root.file("home/me/linux/vmlinux");
        root.file("home/me/linux/net/netfilter/nf_nat.ko");
        fs::write(
            root.0.join("home/me/linux/modules.order"),
            "kernel/net/netfilter/nf_nat.ko\n../../../nf_nat.ko\n",
        )
        .unwrap();
        fs::create_dir_all(root.0.join("lib/modules/6.1.0-9-amd64")).unwrap();
        // As `make modules_install` leaves it; the root is not this system's.
        std::os::unix::fs::symlink("/home/me/linux", root.0.join("lib/modules/6.1.0-9-amd64/build")).unwrap();
        let wanted = Wanted { build_id: BuildId::from_hex("abcdef"), ..wanted() };
        assert_eq!(
            found(&root, &wanted),
            [
                "usr/lib/debug/.build-id/ab/cdef.debug",
                "home/me/linux/vmlinux",
                "home/me/linux/net/netfilter/nf_nat.ko"
            ]
        );
    }

    #[test]
    fn a_release_of_a_log_leads_nowhere_else() {
        let root = Folder::new("climb");
        root.file("usr/lib/debug/secret/vmlinux");
        for release in ["../../secret", "..", "/etc", "a/b", "", ".hidden"] {
            let wanted = Wanted { release: Some(release.into()), ..wanted() };
            assert_eq!(wanted.plain_release(), None, "{release}");
            assert_eq!(found(&root, &wanted), [""; 0], "{release}");
        }
    }
}
