//! Who built a kernel, and what its debug information is called there.

use std::fmt::Write as _;

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

/// How the releases of Arch's other kernels end; `-arch1-1` is that of its first.
const ARCH_FLAVOURS: [&str; 3] = ["-lts", "-zen", "-hardened"];

/// SUSE's package release stands between hyphens and has dots (`-150500.55.19-azure`), where
/// Ubuntu's is a number (`-1030-azure`).
fn is_suse(release: &str) -> bool {
    const FLAVOURS: [&str; 6] = ["azure", "rt", "preempt", "64kb", "kvmsmall", "longterm"];
    let mut parts = release.rsplitn(3, '-');
    let (flavour, package) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let numeric = !package.is_empty() && package.chars().all(|c| c.is_ascii_digit() || c == '.');
    parts.next().is_some() && FLAVOURS.contains(&flavour) && numeric && package.contains('.')
}

impl Distribution {
    /// The distribution that built the kernel; `None` where nothing says so (often: built by its user).
    #[must_use]
    pub fn of(release: &str, version: Option<&str>) -> Option<Distribution> {
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
        } else if release.contains("-arch") || ARCH_FLAVOURS.iter().any(|end| release.ends_with(end)) {
            Some(Distribution::Arch)
        } else if release.ends_with("-default") || version.contains("SUSE") || is_suse(release) {
            Some(Distribution::Suse)
        } else {
            None
        }
    }

    /// The same from a release alone, where no version was printed: Debian's flavours are called
    /// after its architectures, Ubuntu's after their use.
    #[must_use]
    pub fn guess(release: &str) -> Option<Distribution> {
        if let Some(known) = Distribution::of(release, None) {
            return Some(known);
        }
        // An ABI number is what both have behind the first hyphen: `6.1.0-56-…`, `5.15.0-25-…`.
        let flavour = release.rsplit('-').next()?;
        let numbered = release.split('-').nth(1)?.starts_with(|c: char| c.is_ascii_digit());
        let backport = release.contains("bpo") || release.contains("+deb");
        const DEBIAN: [&str; 8] =
            ["amd64", "arm64", "686", "armmp", "riscv64", "powerpc64le", "s390x", "loongson"];
        const UBUNTU: [&str; 9] =
            ["generic", "lowlatency", "aws", "azure", "gcp", "oracle", "kvm", "raspi", "oem"];
        if DEBIAN.contains(&flavour) && (numbered || backport) {
            Some(Distribution::Debian)
        } else if UBUNTU.contains(&flavour) && numbered {
            Some(Distribution::Ubuntu)
        } else {
            None
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Distribution::Ubuntu => "Ubuntu",
            Distribution::Debian => "Debian",
            Distribution::RedHat => "RHEL",
            Distribution::Fedora => "Fedora",
            Distribution::OpenEuler => "openEuler",
            Distribution::Anolis => "Anolis",
            Distribution::Suse => "SUSE",
            Distribution::Arch => "Arch",
        }
    }

    /// The packages that hold a kernel's debug information, the likeliest first: of several, one
    /// exists. Empty where the distribution has none.
    #[must_use]
    pub fn debug_packages(self, release: &str) -> Vec<String> {
        match self {
            // Which one depends on whether the boot image is signed.
            Distribution::Ubuntu => vec![
                format!("linux-image-unsigned-{release}-dbgsym"),
                format!("linux-image-{release}-dbgsym"),
            ],
            Distribution::Debian => vec![format!("linux-image-{release}-dbg")],
            Distribution::RedHat | Distribution::Fedora | Distribution::OpenEuler | Distribution::Anolis => {
                let (release, flavour) = rpm_flavour(release);
                vec![format!("kernel-{flavour}debuginfo-{release}")]
            }
            Distribution::Suse => {
                let (version, flavour) = release.rsplit_once('-').unwrap_or((release, "default"));
                // The release leaves out how often the package was rebuilt, which is mostly once.
                vec![format!("kernel-{flavour}-debuginfo-{version}.1"), format!("kernel-{flavour}-debuginfo")]
            }
            // The headers come with the vmlinux, without DWARF but with symbols and BTF.
            Distribution::Arch => {
                let (version, flavour) = arch_version(release);
                vec![format!("linux-{flavour}headers-{version}")]
            }
        }
    }

    /// The command that installs the kernel's debug information; with the version that a log
    /// prints, of that very build. `None` for a release that no kernel has: it is to be pasted.
    #[must_use]
    pub fn command(self, release: &str, version: Option<&str>) -> Option<String> {
        if !is_plain(release) {
            return None;
        }
        Some(match self {
            Distribution::Ubuntu => {
                let mut command = String::from("apt install ubuntu-dbgsym-keyring; ");
                for (pocket, redirect) in [("", ">"), ("-updates", ">>")] {
                    // Writing to a string does not fail.
                    let _ = write!(
                        command,
                        "echo \"deb http://ddebs.ubuntu.com $(lsb_release -cs){pocket} main\" {redirect} \
                         /etc/apt/sources.list.d/ddebs.list; "
                    );
                }
                command
                    + &format!(
                        "apt update; apt install linux-image-{release}-dbgsym || apt install \
                         linux-image-unsigned-{release}-dbgsym"
                    )
            }
            Distribution::Debian => {
                // A security update keeps the release: only the version names the build.
                let exact = version.and_then(debian_version).map(|version| format!("={version}"));
                format!("apt install linux-image-{release}-dbg{}", exact.unwrap_or_default())
            }
            Distribution::RedHat => {
                let (plain, flavour) = rpm_flavour(release);
                // Before its version 8 it had no dnf.
                let old = ["el6", "el7"].iter().any(|mark| plain.split('.').any(|p| p.starts_with(mark)));
                let tool = if old { "debuginfo-install" } else { "dnf debuginfo-install" };
                format!("{tool} kernel-{flavour}{plain}")
            }
            Distribution::Fedora => {
                let (plain, arch) = release.rsplit_once('.').unwrap_or((release, "x86_64"));
                // The mirrors keep the first and the latest kernel of a release, the build system all.
                format!(
                    "dnf debuginfo-install kernel-{release} || koji download-build --debuginfo --arch={arch} kernel-{plain}"
                )
            }
            Distribution::OpenEuler => {
                format!("dnf install --enablerepo=debuginfo kernel-debuginfo-{release}")
            }
            Distribution::Anolis => format!("dnf install --enablerepo='*debug*' kernel-debuginfo-{release}"),
            Distribution::Suse => {
                let (version, flavour) = release.rsplit_once('-').unwrap_or((release, "default"));
                let package = format!("kernel-{flavour}-debuginfo");
                format!(
                    "zypper --plus-content debug install {package}={version}.1 || zypper --plus-content debug install {package}"
                )
            }
            Distribution::Arch => {
                let (version, flavour) = arch_version(release);
                format!(
                    "pacman -U https://archive.archlinux.org/packages/l/linux-{flavour}headers/linux-{flavour}headers-{version}-x86_64.pkg.tar.zst"
                )
            }
        })
    }

    /// The distribution's own debuginfod server, where it serves kernels.
    #[must_use]
    pub fn debuginfod(self) -> Option<&'static str> {
        match self {
            Distribution::Fedora => Some("https://debuginfod.fedoraproject.org"),
            Distribution::RedHat => Some("https://debuginfod.centos.org"),
            Distribution::Suse => Some("https://debuginfod.opensuse.org"),
            Distribution::Ubuntu => Some("https://debuginfod.ubuntu.com"),
            Distribution::Arch => Some("https://debuginfod.archlinux.org"),
            Distribution::Debian | Distribution::OpenEuler | Distribution::Anolis => None,
        }
    }

    /// Whether `kwhy fetch` gets this distribution's packages itself.
    #[must_use]
    pub fn is_fetched(self) -> bool {
        matches!(self, Distribution::Debian | Distribution::Ubuntu)
    }
}

/// Whether a release can be one: it stands in paths and in commands, and logs are hostile.
/// `__NEW_UTS_LEN` is 64 (include/uapi/linux/utsname.h).
#[must_use]
pub fn is_plain(release: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-+~".contains(c);
    (1..=64).contains(&release.len()) && !release.starts_with(['.', '-']) && release.chars().all(plain)
}

/// `6.1.192-2` of `#1 Debian 6.1.192-2`: the package's version, which tells builds of one release
/// apart.
#[must_use]
pub fn debian_version(version: &str) -> Option<&str> {
    let mut words = version.split_ascii_whitespace().skip_while(|word| *word != "Debian");
    let plain = |c: char| c.is_ascii_alphanumeric() || ".+~-:".contains(c);
    words.nth(1).filter(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.chars().all(plain))
}

/// `5.14.0-427.el9.x86_64+rt` is of the package kernel-rt; Oracle's `…el9uek…` of kernel-uek.
fn rpm_flavour(release: &str) -> (&str, String) {
    match release.split_once('+') {
        Some((plain, flavour)) => (plain, format!("{flavour}-")),
        None if release.split('.').any(|part| part.ends_with("uek")) => (release, "uek-".to_owned()),
        None => (release, String::new()),
    }
}

/// Arch's package version of a release: `6.9.7-arch1-1` is `6.9.7.arch1-1` of linux,
/// `6.6.36-1-lts` is `6.6.36-1` of linux-lts, `6.9.7-zen1-1-zen` is `6.9.7.zen1-1` of linux-zen.
fn arch_version(release: &str) -> (String, String) {
    let flavour =
        ["lts", "zen", "hardened", "rt"].iter().find(|flavour| release.ends_with(&format!("-{flavour}")));
    let plain = flavour.and_then(|flavour| release.strip_suffix(&format!("-{flavour}"))).unwrap_or(release);
    let (base, rest) = plain.split_once('-').unwrap_or((plain, "1"));
    let joint = if rest.starts_with(|c: char| c.is_ascii_digit()) { '-' } else { '.' };
    (format!("{base}{joint}{rest}"), flavour.map(|flavour| format!("{flavour}-")).unwrap_or_default())
}

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
            ("6.6.36-1-lts", None, Some(Distribution::Arch)),
            ("6.9.7-zen1-1-zen", None, Some(Distribution::Arch)),
            ("5.14.21-150500.33.63-azure", None, Some(Distribution::Suse)),
            ("6.9.7-1-default", None, Some(Distribution::Suse)),
            ("5.15.0-1030-azure", Some("#37-Ubuntu"), Some(Distribution::Ubuntu)),
            ("3.10.0-1160.119.1.el7.x86_64", None, Some(Distribution::RedHat)),
            ("5.14.0-427.13.1.el9_4.x86_64+rt", None, Some(Distribution::RedHat)),
            ("5.10.134-18.an23.aarch64", None, Some(Distribution::Anolis)),
            ("6.6.0-28.0.0.34.oe2403.x86_64", None, Some(Distribution::OpenEuler)),
            ("6.10.0-rc3-syzkaller", None, None),
            ("6.10.0-rt", None, None),
        ] {
            assert_eq!(Distribution::of(release, version), expected, "{release}");
        }
        for (release, expected) in [
            ("6.1.0-56-cloud-arm64", Some(Distribution::Debian)),
            ("6.12.9+bpo-amd64", Some(Distribution::Debian)),
            ("5.15.0-25-generic", Some(Distribution::Ubuntu)),
            ("6.8.9-300.fc40.x86_64", Some(Distribution::Fedora)),
            ("6.10.0-rc3-generic", None),
            ("6.10.0", None),
            ("", None),
        ] {
            assert_eq!(Distribution::guess(release), expected, "{release}");
        }
    }

    #[test]
    fn the_package_is_named_exactly() {
        for (distribution, release, package) in [
            (Distribution::Debian, "6.1.0-56-cloud-arm64", "linux-image-6.1.0-56-cloud-arm64-dbg"),
            (Distribution::RedHat, "4.18.0-553.el8_10.x86_64", "kernel-debuginfo-4.18.0-553.el8_10.x86_64"),
            (
                Distribution::Suse,
                "5.14.21-150500.55.19-default",
                "kernel-default-debuginfo-5.14.21-150500.55.19.1",
            ),
            (Distribution::Ubuntu, "5.15.0-25-generic", "linux-image-unsigned-5.15.0-25-generic-dbgsym"),
            (Distribution::RedHat, "5.14.0-427.el9.x86_64+rt", "kernel-rt-debuginfo-5.14.0-427.el9.x86_64"),
            (
                Distribution::RedHat,
                "5.15.0-3.60.el9uek.x86_64",
                "kernel-uek-debuginfo-5.15.0-3.60.el9uek.x86_64",
            ),
            (Distribution::Arch, "6.9.7-zen1-1-zen", "linux-zen-headers-6.9.7.zen1-1"),
        ] {
            assert_eq!(distribution.debug_packages(release)[0], package);
        }
    }

    #[test]
    fn commands_can_be_pasted() {
        use Distribution as D;
        for (distribution, release, version, command) in [
            (D::Debian, "6.1.0-9-amd64", None, "apt install linux-image-6.1.0-9-amd64-dbg"),
            (
                D::Debian,
                "6.1.0-9-amd64",
                Some("#1 Debian 6.1.27-1"),
                "apt install linux-image-6.1.0-9-amd64-dbg=6.1.27-1",
            ),
            (D::RedHat, "3.10.0-1160.el7.x86_64", None, "debuginfo-install kernel-3.10.0-1160.el7.x86_64"),
            (
                D::RedHat,
                "4.18.0-553.el8_10.x86_64",
                None,
                "dnf debuginfo-install kernel-4.18.0-553.el8_10.x86_64",
            ),
            (
                D::RedHat,
                "5.14.0-427.el9.x86_64+rt",
                None,
                "dnf debuginfo-install kernel-rt-5.14.0-427.el9.x86_64",
            ),
            (
                D::Fedora,
                "6.8.9-300.fc40.x86_64",
                None,
                "dnf debuginfo-install kernel-6.8.9-300.fc40.x86_64 || koji download-build --debuginfo --arch=x86_64 \
                 kernel-6.8.9-300.fc40",
            ),
            (
                D::OpenEuler,
                "5.10.0-60.18.0.50.oe2203.aarch64",
                None,
                "dnf install --enablerepo=debuginfo kernel-debuginfo-5.10.0-60.18.0.50.oe2203.aarch64",
            ),
            (
                D::Anolis,
                "5.10.134-16.1.an8.x86_64",
                None,
                "dnf install --enablerepo='*debug*' kernel-debuginfo-5.10.134-16.1.an8.x86_64",
            ),
            (
                D::Suse,
                "5.14.21-150500.33.63-azure",
                None,
                "zypper --plus-content debug install kernel-azure-debuginfo=5.14.21-150500.33.63.1 || zypper \
                 --plus-content debug install kernel-azure-debuginfo",
            ),
            (
                D::Arch,
                "6.9.7-arch1-1",
                None,
                "pacman -U https://archive.archlinux.org/packages/l/linux-headers/linux-headers-6.9.7.arch1-1-x86_64.pkg.tar.zst",
            ),
            (
                D::Arch,
                "6.6.36-1-lts",
                None,
                "pacman -U https://archive.archlinux.org/packages/l/linux-lts-headers/linux-lts-headers-6.6.36-1-x86_64.pkg.tar.zst",
            ),
        ] {
            assert_eq!(distribution.command(release, version).as_deref(), Some(command));
        }
        let ubuntu = D::Ubuntu.command("5.15.0-25-generic", Some("#25-Ubuntu")).unwrap_or_default();
        assert!(ubuntu.contains("linux-image-unsigned-5.15.0-25-generic-dbgsym"), "{ubuntu}");
        // A log must not be able to put a command of its own there.
        for hostile in ["6.1;reboot", "$(reboot)", "6.1 x", "-y", "../x", ""] {
            assert_eq!(D::Debian.command(hostile, None), None, "{hostile}");
        }
        let hostile = D::Debian.command("6.1.0-9-amd64", Some("#1 Debian 6.1;reboot"));
        assert_eq!(hostile.as_deref(), Some("apt install linux-image-6.1.0-9-amd64-dbg"));
    }
}
