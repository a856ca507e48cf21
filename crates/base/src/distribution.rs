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
        } else if release.contains("-arch") {
            Some(Distribution::Arch)
        } else if release.ends_with("-default") || version.contains("SUSE") {
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
                vec![format!("kernel-debuginfo-{release}")]
            }
            Distribution::Suse => {
                let (version, flavour) = release.rsplit_once('-').unwrap_or((release, "default"));
                // The release leaves out how often the package was rebuilt, which is mostly once.
                vec![format!("kernel-{flavour}-debuginfo-{version}.1"), format!("kernel-{flavour}-debuginfo")]
            }
            Distribution::Arch => Vec::new(),
        }
    }

    /// The command that installs the kernel's debug information.
    #[must_use]
    pub fn command(self, release: &str) -> String {
        match self {
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
            Distribution::Debian => format!("apt install linux-image-{release}-dbg"),
            Distribution::RedHat | Distribution::Fedora => format!("dnf debuginfo-install kernel-{release}"),
            Distribution::OpenEuler => format!("dnf install --enablerepo=debuginfo kernel-debuginfo-{release}"),
            Distribution::Anolis => format!("dnf install --enablerepo='*debug*' kernel-debuginfo-{release}"),
            Distribution::Suse => {
                let packages = self.debug_packages(release);
                let [exact, any] = packages.as_slice() else { return String::new() };
                format!("zypper --plus-content debug install {exact} || zypper --plus-content debug install {any}")
            }
            Distribution::Arch => "DEBUGINFOD_URLS=https://debuginfod.archlinux.org debuginfod-find debuginfo \
                                   /usr/lib/modules/$(uname -r)/vmlinuz   # or rebuild the linux package with debug \
                                   info"
                .to_owned(),
        }
    }
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
            ("6.10.0-rc3-syzkaller", None, None),
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
        ] {
            assert_eq!(distribution.debug_packages(release)[0], package);
        }
        assert!(Distribution::Suse.command("5.14.21-1-azure").contains("kernel-azure-debuginfo"));
    }
}
