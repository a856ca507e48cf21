//! The kernels of the lab: Debian's cloud flavours, unpacked from their packages into the cache.

use super::apt::Apt;
use crate::tool;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One kernel the lab boots.
#[derive(Debug)]
pub struct Kernel {
    /// Its name in the lab: `arm64-6.1`.
    pub name: &'static str,
    /// Debian's architecture.
    pub arch: &'static str,
    /// Debian's release.
    pub suite: &'static str,
    /// What its release starts with: `6.1.`.
    series: &'static str,
}

/// The release whose static programs the guests run.
const HOST_SUITE: &str = "bookworm";

/// All of them.
pub const KERNELS: [Kernel; 3] = [
    Kernel { name: "amd64-6.1", arch: "amd64", suite: "bookworm", series: "6.1." },
    Kernel { name: "arm64-6.1", arch: "arm64", suite: "bookworm", series: "6.1." },
    Kernel { name: "arm64-5.10", arch: "arm64", suite: "bullseye", series: "5.10." },
];

impl Kernel {
    /// By its name.
    pub fn named(name: &str) -> Option<&'static Kernel> {
        KERNELS.iter().find(|kernel| kernel.name == name)
    }

    /// The newest release that the archive still serves whole (an index may list packages that are gone).
    pub fn newest(&self, cache: &Path) -> Result<String> {
        let apt = Apt::new(cache, self.suite, self.arch)?;
        let pattern = format!("^linux-headers-{}.*-cloud-{}$", self.series.replace('.', "[.]"), self.arch);
        let mut releases: Vec<String> = apt
            .names(&pattern)?
            .iter()
            .filter_map(|name| name.strip_prefix("linux-headers-"))
            .filter(|release| !release.contains("+deb"))
            .map(str::to_owned)
            .collect();
        releases.sort_by_key(|release| numbers(release));
        for release in releases.iter().rev() {
            match apt.download(&format!("linux-headers-{release}")) {
                Ok(_) => return Ok(release.clone()),
                Err(_) => eprintln!("  {release} is listed, but not served"),
            }
        }
        bail!("no kernel {}… for {} is served", self.series, self.arch)
    }

    /// The newest release that is unpacked and bootable here.
    pub fn ready(&self, cache: &Path) -> Option<String> {
        let end = format!("-cloud-{}", self.arch);
        let entries = std::fs::read_dir(cache.join("kernels")).ok()?;
        entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with(self.series) && name.ends_with(&end))
            .filter(|name| stamped(&self.root(cache, name), "bootable"))
            .max_by_key(|name| numbers(name))
    }

    /// Makes sure that the vmlinux with DWARF is in the cache. `version` is the package's (`6.1.192-2`).
    pub fn vmlinux(&self, cache: &Path, release: &str, version: Option<&str>) -> Result<PathBuf> {
        let root = self.root(cache, release);
        let inside = format!("usr/lib/debug/boot/vmlinux-{release}");
        let file = root.join(&inside);
        if !stamped(&root, "vmlinux") {
            let apt = Apt::new(cache, self.suite, self.arch)?;
            let deb = apt.download(&pinned(&format!("linux-image-{release}-dbg"), version))?;
            unpack_one(&deb, &root, &inside)?;
            stamp(&root, "vmlinux")?;
            // 280 MB that will not be asked for again.
            fs::remove_file(&deb)?;
        }
        Ok(file)
    }

    /// Makes sure that everything needed to build modules and boot is in the cache.
    pub fn bootable(&self, cache: &Path, release: &str, version: Option<&str>) -> Result<Tree> {
        let root = self.root(cache, release);
        let vmlinux = self.vmlinux(cache, release, version)?;
        if !stamped(&root, "bootable") {
            let apt = Apt::new(cache, self.suite, self.arch)?;
            let image = apt.download(&pinned(&format!("linux-image-{release}"), version))?;
            unpack_one(&image, &root, &format!("boot/vmlinuz-{release}"))?;
            let common = common_headers(release);
            for package in [format!("linux-headers-{release}"), common] {
                unpack(&apt.download(&pinned(&package, version))?, &root)?;
            }
            // Static, so any release's will do: the one that is surely served.
            let static_tools = Apt::new(cache, HOST_SUITE, self.arch)?;
            unpack(&static_tools.download_any("busybox-static")?, &root)?;
            // The host tools of kbuild run here, whatever the kernel's architecture is.
            let host = host_arch()?;
            let tools = Apt::new(cache, self.suite, &host)?;
            let series = self.series.trim_end_matches('.');
            unpack(&tools.download_any(&format!("linux-kbuild-{series}"))?, &root)?;
            rewrite_makefile(&root, release)?;
            stamp(&root, "bootable")?;
        }
        Ok(Tree { vmlinux, root, release: release.to_owned() })
    }

    /// Makes sure that the boot image is in the cache.
    pub fn boot_image(&self, cache: &Path, release: &str, version: Option<&str>) -> Result<PathBuf> {
        let root = self.root(cache, release);
        let inside = format!("boot/vmlinuz-{release}");
        if !root.join(&inside).exists() {
            let apt = Apt::new(cache, self.suite, self.arch)?;
            let image = apt.download(&pinned(&format!("linux-image-{release}"), version))?;
            unpack_one(&image, &root, &inside)?;
        }
        Ok(root.join(&inside))
    }

    /// Makes sure that the list of symbols that the kernel was built with is in the cache. The one
    /// beside the boot image is a placeholder.
    pub fn system_map(&self, cache: &Path, release: &str, version: Option<&str>) -> Result<PathBuf> {
        let root = self.root(cache, release);
        let inside = format!("usr/lib/debug/boot/System.map-{release}");
        if !root.join(&inside).exists() {
            let apt = Apt::new(cache, self.suite, self.arch)?;
            let deb = apt.download(&pinned(&format!("linux-image-{release}-dbg"), version))?;
            unpack_one(&deb, &root, &inside)?;
            fs::remove_file(&deb)?;
        }
        Ok(root.join(&inside))
    }

    fn root(&self, cache: &Path, release: &str) -> PathBuf {
        cache.join("kernels").join(release)
    }
}

/// An unpacked kernel.
pub struct Tree {
    /// vmlinux with DWARF.
    pub vmlinux: PathBuf,
    /// Where its packages were unpacked.
    pub root: PathBuf,
    /// `6.1.0-56-cloud-arm64`.
    pub release: String,
}

impl Tree {
    /// The boot image.
    pub fn image(&self) -> PathBuf {
        self.root.join(format!("boot/vmlinuz-{}", self.release))
    }
    /// The folder modules are built against.
    pub fn headers(&self) -> PathBuf {
        self.root.join(format!("usr/src/linux-headers-{}", self.release))
    }
    /// The guest's only program.
    pub fn busybox(&self) -> PathBuf {
        self.root.join("bin/busybox")
    }
}

/// Where the lab keeps what it fetched.
pub fn cache() -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(dir) = set("KWHY_LAB_CACHE") {
        return Ok(dir);
    }
    let base = set("XDG_CACHE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .context("set KWHY_LAB_CACHE, XDG_CACHE_HOME or HOME: the lab needs a cache folder")?;
    Ok(base.join("kwhy/lab"))
}

/// This machine's architecture in Debian's words.
pub fn host_arch() -> Result<String> {
    Ok(tool::text(Command::new("dpkg").arg("--print-architecture"))?.trim().to_owned())
}

fn pinned(package: &str, version: Option<&str>) -> String {
    version.map_or_else(|| package.to_owned(), |version| format!("{package}={version}"))
}

/// `linux-headers-6.1.0-56-common` for `6.1.0-56-cloud-arm64`.
fn common_headers(release: &str) -> String {
    let abi: Vec<&str> = release.split('-').take(2).collect();
    format!("linux-headers-{}-common", abi.join("-"))
}

/// The numbers of a release, for sorting: `6.1.0-56-cloud-arm64` is 6, 1, 0, 56.
fn numbers(release: &str) -> Vec<u32> {
    release.split(['.', '-']).map_while(|part| part.parse().ok()).collect()
}

fn stamped(root: &Path, what: &str) -> bool {
    root.join(format!(".{what}")).exists()
}

fn stamp(root: &Path, what: &str) -> Result<()> {
    Ok(fs::write(root.join(format!(".{what}")), "")?)
}

fn unpack(deb: &Path, root: &Path) -> Result<()> {
    fs::create_dir_all(root)?;
    tool::output(Command::new("dpkg-deb").arg("-x").arg(deb).arg(root)).map(drop)
}

/// Unpacks a single file; stops reading the package once it has it, for the rest may be a gigabyte.
pub fn unpack_one(deb: &Path, root: &Path, inside: &str) -> Result<()> {
    eprintln!("  unpacking {inside}");
    fs::create_dir_all(root)?;
    let mut producer = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(deb)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let pipe = producer.stdout.take().context("no pipe")?;
    let status = Command::new("tar")
        .args(["-x", "--occurrence=1", "-C"])
        .arg(root)
        .arg(format!("./{inside}"))
        .stdin(pipe)
        .status()?;
    // It may have been cut off by the closed pipe, which is what was wanted.
    let _ = producer.wait();
    if !status.success() || !root.join(inside).exists() {
        bail!("{} does not hold {inside}", deb.display());
    }
    Ok(())
}

/// The packaged Makefile includes the common one by its absolute installed path, and the packaged compiler
/// choice may name a gcc that this machine does not have.
fn rewrite_makefile(root: &Path, release: &str) -> Result<()> {
    let makefile = root.join(format!("usr/src/linux-headers-{release}/Makefile"));
    let text = fs::read_to_string(&makefile)?;
    let text = text.replace("include /usr/src/", &format!("include {}/usr/src/", root.display()));
    Ok(fs::write(&makefile, text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_sort_by_number() {
        assert!(numbers("6.1.0-9-cloud-amd64") < numbers("6.1.0-56-cloud-amd64"));
        assert_eq!(common_headers("5.10.0-32-cloud-arm64"), "linux-headers-5.10.0-32-common");
    }
}
