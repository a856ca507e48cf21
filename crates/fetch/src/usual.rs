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
//! | `/lib/modules/R/build/vmlinux` | self-built trees (a link); Arch (`linux-headers`, a folder) |
//! | `/boot/vmlinux-R`, `/lib/modules/R/vmlinux`, each `.xz`, `.gz` or `.zst`, too | self-built, SUSE |
//! | `/boot/vmlinuz-R`, `/boot/Image-R`, `/lib/modules/R/vmlinuz` | the boot image, where nothing better is there |
//! | `/boot/vmlinuz-PKGBASE` | Arch, which names it in `/lib/modules/R/pkgbase` |
//! | `/boot/MACHINE-ID/R/linux` | boot loader entries (kernel-install(8)): Fedora and others with systemd-boot |
//! | `/boot/System.map-R`, `/lib/modules/R/System.map` | symbols at least |

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

/// Names in /boot that are looked at.
const MAX_ENTRIES: usize = 256;

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
            format!("boot/bzImage-{release}"),
            format!("boot/kernel-{release}"),
            format!("usr/lib/modules/{release}/Image"),
            format!("boot/System.map-{release}"),
            format!("lib/modules/{release}/System.map"),
            format!("usr/lib/modules/{release}/System.map"),
        ]
        .iter()
        .map(|path| system.join(path))
        .collect();
        for packed in ["xz", "gz", "zst"] {
            usual.push(system.join(format!("usr/lib/modules/{release}/vmlinux.{packed}")));
            usual.push(system.join(format!("lib/modules/{release}/vmlinux.{packed}")));
        }
        usual.extend(by_entry(system, release));
        usual.extend(by_package(system, release));
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

/// The folder of a release's modules: /lib is a link to /usr/lib on most.
fn modules(system: &Path, release: &str) -> impl Iterator<Item = PathBuf> {
    ["lib/modules", "usr/lib/modules"].map(|folder| system.join(folder).join(release)).into_iter()
}

/// Boot images below the folder of a boot loader's entries.
fn by_entry(system: &Path, release: &str) -> Vec<PathBuf> {
    let machines = fs::read_dir(system.join("boot")).into_iter().flatten().flatten().take(MAX_ENTRIES);
    let mut images: Vec<PathBuf> = machines.map(|folder| folder.path().join(release).join("linux")).collect();
    images.sort();
    images
}

/// Arch's boot image is called after its package.
fn by_package(system: &Path, release: &str) -> Option<PathBuf> {
    let name = modules(system, release).find_map(|folder| {
        let mut name = String::new();
        fs::File::open(folder.join("pkgbase")).ok()?.take(64).read_to_string(&mut name).ok()?;
        Some(name.trim().to_owned())
    })?;
    kwhy_base::distribution::is_plain(&name).then(|| system.join(format!("boot/vmlinuz-{name}")))
}

/// The tree that a release was built in: where the link `build` of its modules leads, or what is
/// there instead of a link.
fn tree(system: &Path, release: &str) -> Option<PathBuf> {
    modules(system, release).map(|folder| folder.join("build")).find_map(|build| {
        let inside = match fs::read_link(&build) {
            // In another system's files an absolute link means a place of that system.
            Ok(target) => match target.strip_prefix("/") {
                Ok(below) => system.join(below),
                Err(_) => build.parent()?.join(target),
            },
            Err(_) => build,
        };
        inside.is_dir().then_some(inside)
    })
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

    /// What each distribution's packages leave, by their real names: everything that belongs to
    /// the crash is found, and nothing else.
    #[test]
    fn each_distribution_s_tree_is_known() {
        let trees: [(&str, &str, &[&str], &[&str]); 8] = [
            (
                "Debian",
                "6.1.0-9-amd64",
                &[
                    "usr/lib/debug/boot/vmlinux-6.1.0-9-amd64",
                    "usr/lib/debug/lib/modules/6.1.0-9-amd64/kernel/net/netfilter/nf_nat.ko",
                    "boot/vmlinuz-6.1.0-9-amd64",
                    "boot/System.map-6.1.0-9-amd64",
                    "lib/modules/6.1.0-9-amd64/kernel/net/netfilter/nf_nat.ko",
                ],
                &["boot/initrd.img-6.1.0-9-amd64", "boot/config-6.1.0-9-amd64", "boot/vmlinuz-6.1.0-8-amd64"],
            ),
            (
                "Ubuntu",
                "5.15.0-25-generic",
                &[
                    "usr/lib/debug/boot/vmlinux-5.15.0-25-generic",
                    "usr/lib/debug/lib/modules/5.15.0-25-generic/kernel/net/netfilter/nf_nat.ko",
                    "boot/vmlinuz-5.15.0-25-generic",
                    "lib/modules/5.15.0-25-generic/kernel/net/netfilter/nf_nat.ko",
                ],
                &["usr/lib/debug/boot/vmlinux-5.15.0-24-generic"],
            ),
            (
                "Fedora",
                "6.8.9-300.fc40.x86_64",
                &[
                    "usr/lib/debug/lib/modules/6.8.9-300.fc40.x86_64/vmlinux",
                    "usr/lib/debug/lib/modules/6.8.9-300.fc40.x86_64/kernel/net/netfilter/nf_nat.ko.debug",
                    "usr/lib/modules/6.8.9-300.fc40.x86_64/vmlinuz",
                    "usr/lib/modules/6.8.9-300.fc40.x86_64/System.map",
                    "usr/lib/modules/6.8.9-300.fc40.x86_64/kernel/net/netfilter/nf_nat.ko.xz",
                    "boot/0123456789abcdef0123456789abcdef/6.8.9-300.fc40.x86_64/linux",
                ],
                &["boot/0123456789abcdef0123456789abcdef/6.8.9-300.fc40.x86_64/initrd"],
            ),
            (
                "openEuler",
                "5.10.0-60.18.0.50.oe2203.aarch64",
                &[
                    "usr/lib/debug/lib/modules/5.10.0-60.18.0.50.oe2203.aarch64/vmlinux",
                    "usr/lib/debug/lib/modules/5.10.0-60.18.0.50.oe2203.aarch64/kernel/net/nf_nat.ko.debug",
                    "boot/vmlinuz-5.10.0-60.18.0.50.oe2203.aarch64",
                    "lib/modules/5.10.0-60.18.0.50.oe2203.aarch64/kernel/net/nf_nat.ko.xz",
                ],
                &["boot/symvers-5.10.0-60.18.0.50.oe2203.aarch64.gz"],
            ),
            (
                "Anolis",
                "5.10.134-16.1.an8.x86_64",
                &[
                    "usr/lib/debug/usr/lib/modules/5.10.134-16.1.an8.x86_64/vmlinux",
                    "usr/lib/debug/usr/lib/modules/5.10.134-16.1.an8.x86_64/kernel/net/nf_nat.ko.debug",
                    "boot/vmlinuz-5.10.134-16.1.an8.x86_64",
                    "lib/modules/5.10.134-16.1.an8.x86_64/kernel/net/nf_nat.ko.xz",
                ],
                &[],
            ),
            (
                "SUSE",
                "5.14.21-150500.55.19-default",
                &[
                    "usr/lib/debug/boot/vmlinux-5.14.21-150500.55.19-default.debug",
                    "usr/lib/debug/lib/modules/5.14.21-150500.55.19-default/kernel/net/nf_nat.ko.debug",
                    "boot/vmlinux-5.14.21-150500.55.19-default.gz",
                    "boot/vmlinuz-5.14.21-150500.55.19-default",
                    "lib/modules/5.14.21-150500.55.19-default/kernel/net/nf_nat.ko.zst",
                    "usr/lib/modules/5.14.21-150500.55.19-default/vmlinux.xz",
                ],
                &["boot/initrd-5.14.21-150500.55.19-default"],
            ),
            (
                "Arch",
                "6.6.36-1-lts",
                &[
                    "usr/lib/modules/6.6.36-1-lts/build/vmlinux",
                    "usr/lib/modules/6.6.36-1-lts/vmlinuz",
                    "usr/lib/modules/6.6.36-1-lts/kernel/net/netfilter/nf_nat.ko.zst",
                    "boot/vmlinuz-linux-lts",
                ],
                &["boot/vmlinuz-linux", "boot/initramfs-linux-lts.img"],
            ),
            (
                "a kernel of one's own, built elsewhere (make O=)",
                "6.10.0-rc3-mine",
                &[
                    "home/me/build/vmlinux",
                    "home/me/build/net/netfilter/nf_nat.ko",
                    "boot/vmlinuz-6.10.0-rc3-mine",
                    "lib/modules/6.10.0-rc3-mine/kernel/net/netfilter/nf_nat.ko",
                ],
                &["home/me/linux/net/netfilter/nf_nat.c", "home/me/build/vmlinux.o"],
            ),
        ];
        for (whose, release, there, beside) in trees {
            let root = Folder::new("distribution");
            for path in there.iter().chain(beside) {
                root.file(path);
            }
            let folder =
                if root.0.join("usr/lib/modules").join(release).is_dir() { "usr/lib" } else { "lib" };
            let folder = root.0.join(folder).join("modules").join(release);
            match whose {
                "Arch" => fs::write(folder.join("pkgbase"), "linux-lts\n").unwrap(),
                _ if release.ends_with("mine") => {
                    std::os::unix::fs::symlink("/home/me/build", folder.join("build")).unwrap();
                    let order = root.0.join("home/me/build/modules.order");
                    fs::write(order, "kernel/net/netfilter/nf_nat.ko\n").unwrap();
                }
                _ => {}
            }
            let wanted = Wanted { release: Some(release.into()), ..wanted() };
            let mut found = found(&root, &wanted);
            found.sort();
            let mut expected: Vec<String> = there.iter().map(|path| (*path).to_owned()).collect();
            expected.sort();
            assert_eq!(found, expected, "{whose}");
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
