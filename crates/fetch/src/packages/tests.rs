use super::*;
use crate::WantedModule;
use crate::debuginfod::tests::elf;
use crate::tests::Folder;
use crate::usual::Needs;
use std::process::Command;

const ID: &str = "0123456789abcdef0123456789abcdef01234567";
const RELEASE: &str = "6.1.0-9-amd64";

/// A package made by dpkg-deb itself; `None` where there is none.
fn package(folder: &Folder, files: &[(&str, Vec<u8>)]) -> Option<PathBuf> {
    let root = folder.0.join("root");
    fs::create_dir_all(root.join("DEBIAN")).unwrap();
    let control =
        "Package: x\nVersion: 1\nArchitecture: amd64\nMaintainer: x <x@example.org>\nDescription: x\n";
    fs::write(root.join("DEBIAN/control"), control).unwrap();
    for (path, bytes) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let deb = folder.0.join("x_1_amd64.deb");
    let built =
        Command::new("dpkg-deb").args(["-Zgzip", "--root-owner-group", "-b"]).arg(&root).arg(&deb).output();
    match built {
        Ok(out) => {
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            Some(deb)
        }
        Err(error) => {
            println!("SKIPPED: dpkg-deb cannot be started: {error}");
            None
        }
    }
}

fn wanted() -> Wanted {
    let module = |name: &str| WantedModule { name: name.into(), build_id: None, outside: false };
    Wanted {
        release: Some(RELEASE.into()),
        modules: vec![module("nf_nat"), module("gone")],
        ..Wanted::default()
    }
}

#[test]
fn only_what_the_crash_needs_is_taken_out() {
    let folder = Folder::new("package");
    let other = ID.replace("01", "23");
    let files = [
        ("usr/lib/debug/boot/vmlinux-6.1.0-9-amd64", elf(ID, 5000)),
        ("usr/lib/debug/lib/modules/6.1.0-9-amd64/kernel/net/nf_nat.ko", elf(&other, 50)),
        ("usr/lib/debug/lib/modules/6.1.0-9-amd64/kernel/net/ext4.ko", elf("ffff", 50)),
    ];
    let Some(deb) = package(&folder, &files) else { return };
    let cache = Cache::at(folder.0.join("cache"), 1 << 30);
    let wanted = wanted();
    let needs = Needs { kernel: true, modules: vec!["gone".into(), "nf_nat".into()] };
    let order = Order { wanted: &wanted, distribution: Distribution::Debian, needs, bare: false };
    let delivered = take(&order, RELEASE, &cache, &deb).unwrap();
    let held: Vec<String> = cache.list().into_iter().flat_map(|entry| entry.holds).collect();
    assert_eq!(held, ["6.1.0-9-amd64/vmlinux", "6.1.0-9-amd64/nf_nat.ko.debug"]);
    assert_eq!(delivered.files.len(), 2);
    assert_eq!(delivered.failures.len(), 1, "{:?}", delivered.failures);
    // And the search finds it there.
    let roots = crate::Roots { cache: Some(cache), ..crate::Roots::default() };
    let found = crate::search(&roots, &wanted);
    assert_eq!(found.chosen().count(), 2, "{found:#?}");
    assert_eq!((found.kernel_missing, found.modules_missing), (false, vec!["gone".to_owned()]));
}

#[test]
fn of_the_kernel_s_own_package_the_boot_image_and_the_modules_are_kept() {
    let folder = Folder::new("bare-package");
    let other = ID.replace("01", "23");
    let files = [
        ("boot/vmlinuz-6.1.0-9-amd64", elf(ID, 0)),
        ("boot/config-6.1.0-9-amd64", b"CONFIG_64BIT=y".to_vec()),
        ("lib/modules/6.1.0-9-amd64/kernel/net/nf_nat.ko", elf(&other, 0)),
    ];
    let Some(deb) = package(&folder, &files) else { return };
    let cache = Cache::at(folder.0.join("cache"), 1 << 30);
    let wanted = wanted();
    let needs = Needs { kernel: true, modules: vec!["nf_nat".into()] };
    let order = Order { wanted: &wanted, distribution: Distribution::Debian, needs, bare: true };
    assert_eq!(take(&order, RELEASE, &cache, &deb).unwrap().failures, []);
    let held: Vec<String> = cache.list().into_iter().flat_map(|entry| entry.holds).collect();
    assert_eq!(held, ["6.1.0-9-amd64/vmlinuz", "6.1.0-9-amd64/nf_nat.ko"]);
    let roots = crate::Roots { cache: Some(cache), ..crate::Roots::default() };
    let found = crate::search(&roots, &wanted);
    assert_eq!((found.chosen().count(), found.kernel_missing), (2, false), "{found:#?}");
}

#[test]
fn a_damaged_package_is_told_and_removed() {
    let folder = Folder::new("damaged-package");
    let Some(deb) = package(&folder, &[("boot/vmlinux-6.1.0-9-amd64", elf(ID, 500_000))]) else { return };
    let whole = fs::read(&deb).unwrap();
    fs::write(&deb, &whole[..whole.len() / 2]).unwrap();
    let cache = Cache::at(folder.0.join("cache"), 1 << 30);
    let wanted = wanted();
    let order = Order {
        wanted: &wanted,
        distribution: Distribution::Debian,
        needs: Needs { kernel: true, modules: Vec::new() },
        bare: false,
    };
    assert!(take(&order, RELEASE, &cache, &deb).is_err());
    assert!(!deb.exists());
    assert_eq!(cache.images(), []);
}

#[test]
fn versions_and_architectures_come_from_the_log() {
    assert_eq!(debian_version("#1 SMP Debian 6.1.192-2 (2026-07-04)"), Some("6.1.192-2"));
    for other in ["#25-Ubuntu SMP", "#1 Debian", "#1 Debian $(x)", ""] {
        assert_eq!(debian_version(other), None, "{other}");
    }
    assert_eq!(architecture("6.1.0-56-cloud-arm64", Some(Arch::X86_64)), "arm64");
    assert_eq!(architecture("5.15.0-25-generic", Some(Arch::Arm64)), "arm64");
}
