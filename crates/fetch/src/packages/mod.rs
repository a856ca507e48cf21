//! A distribution's own package of debug information, fetched and unpacked into the cache.
//!
//! Nothing is installed, and no root is needed. On a machine with apt, kernels of Debian and
//! Ubuntu are fetched by a private apt state (`apt`), which checks signatures as the system's
//! does; of the package only the vmlinux and the modules that the crash needs are unpacked
//! (`deb`). For every other distribution the package is named with the command that installs it.

mod apt;
mod deb;

use crate::cache::{Cache, Incoming, Kind};
use crate::download::Watch;
use crate::{Wanted, names, of_contents};
use apt::Apt;
use kwhy_base::distribution::debian_version;
use kwhy_base::{Arch, Distribution, Prose, catalogue::fetch as c, prose};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What is to be had from the package.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// The crash's needs; a release is a must.
    pub wanted: &'a Wanted,
    /// Whose kernel it is.
    pub distribution: Distribution,
    /// Which of the needs are still open.
    pub needs: crate::usual::Needs,
    /// The kernel's own package is meant, with the boot image and stripped modules, not that of
    /// its debug information: a tenth of the size or less.
    pub bare: bool,
}

/// What was had.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delivered {
    /// The package's file name.
    pub package: String,
    /// The images, now in the cache.
    pub files: Vec<PathBuf>,
    /// What was not in it, or not usable.
    pub failures: Vec<Prose>,
}

/// Fetches the package and takes out what is needed.
///
/// # Errors
/// Why there is nothing, in words.
pub fn fetch(order: &Order<'_>, cache: &Cache, watch: &mut dyn Watch) -> Result<Delivered, Prose> {
    let release = order.wanted.plain_release().ok_or(prose!(c::NO_RELEASE))?;
    if !matches!(order.distribution, Distribution::Debian | Distribution::Ubuntu) {
        return Err(prose!(c::NOT_FETCHED_HERE, name = order.distribution.name()));
    }
    if !apt::is_there() {
        return Err(prose!(c::NO_APT));
    }
    let kept = |error: io::Error| prose!(c::CANNOT_KEEP, error = error.to_string());
    let folder = cache.prepare(Kind::Packages).map_err(kept)?;
    let _turn = cache.turn("packages").map_err(kept)?;
    let arch = architecture(release, order.wanted.arch);
    let version = order.wanted.version.as_deref().and_then(debian_version);
    let suites = apt::suites(order.distribution, release, order.wanted.version.as_deref());
    if suites.is_empty() {
        return Err(prose!(c::NO_SUITE, name = order.distribution.name()));
    }
    let packages = match order.bare {
        false => order.distribution.debug_packages(release),
        // Ubuntu serves kernels elsewhere than their debug information.
        true if order.distribution == Distribution::Debian => vec![format!("linux-image-{release}")],
        true => return Err(prose!(c::NOT_FETCHED_HERE, name = order.distribution.name())),
    };
    let mut last = prose!(c::NOT_SERVED, package = packages.first().cloned().unwrap_or_default());
    for suite in suites {
        let apt = Apt::new(&folder, order.distribution, &suite, &arch)?;
        for package in &packages {
            match apt.download(package, version, watch) {
                Ok(file) => return take(order, release, cache, &file),
                Err(why) => last = why,
            }
        }
    }
    Err(last)
}

/// Takes the images out of a package.
fn take(order: &Order<'_>, release: &str, cache: &Cache, package: &Path) -> Result<Delivered, Prose> {
    let name = package.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut delivered = Delivered { package: name.clone(), ..Delivered::default() };
    let (kernel, ending) = if order.bare { ("vmlinuz", "ko") } else { ("vmlinux", "ko.debug") };
    let mut open: Vec<String> = order.needs.modules.clone();
    open.extend(order.needs.kernel.then(|| kernel.to_owned()));
    let wanted = |path: &Path| {
        let role = names::role_of(&path.file_name()?.to_string_lossy(), order.wanted)?;
        // Links to the vmlinux lie beside the modules; only the file itself has bytes.
        Some(match role {
            names::Role::Kernel if order.needs.kernel => kernel.to_owned(),
            names::Role::Module(module) if order.needs.modules.contains(&module) => module,
            _ => return None,
        })
    };
    let outcome = deb::read(package, &mut |path, source| {
        let Some(what) = wanted(path).filter(|what| open.contains(what)) else { return Ok(!open.is_empty()) };
        let file = if what == kernel { what.clone() } else { format!("{what}.{ending}") };
        match cache.admit(Some(release), &file, source)? {
            Ok(path) => {
                delivered.files.push(path);
                open.retain(|other| *other != what);
            }
            Err(why) => {
                delivered.failures.push(prose!(c::PACKAGE_DAMAGED, package = name.clone(), error = why))
            }
        }
        Ok(!open.is_empty())
    });
    if let Err(error) = outcome {
        if delivered.files.is_empty() {
            // A damaged package must not stand in the way of a whole one.
            let _ = fs::remove_file(package);
            return Err(prose!(c::PACKAGE_DAMAGED, package = name, error = error.to_string()));
        }
        delivered.failures.push(prose!(c::PACKAGE_DAMAGED, package = name, error = error.to_string()));
        return Ok(delivered);
    }
    delivered
        .failures
        .extend(open.into_iter().map(|what| prose!(c::NOT_IN_PACKAGE, package = name.clone(), name = what)));
    Ok(delivered)
}

impl Cache {
    /// Keeps an image of which the build-id is not known before it is read.
    fn admit(
        &self,
        release: Option<&str>,
        name: &str,
        source: &mut dyn Read,
    ) -> io::Result<Result<PathBuf, String>> {
        let scratch = self.prepare(Kind::Partial)?.join(format!(".tmp-{}-{name}", std::process::id()));
        let mut write = || -> io::Result<()> {
            let mut file = fs::File::create(&scratch)?;
            io::copy(source, &mut file)?;
            file.sync_data()
        };
        write().inspect_err(|_| drop(fs::remove_file(&scratch)))?;
        // A boot image has its build-id inside.
        let contents = kwhy_mmap::Mapping::open(&scratch).map_err(|error| error.to_string());
        let identity = contents.and_then(|bytes| of_contents(&bytes)).and_then(|identity| {
            identity.build_id.ok_or_else(|| prose!(c::NO_BUILD_ID).render(kwhy_base::Lang::En))
        });
        let adopted = match &identity {
            Ok(build_id) => self.adopt(&Incoming { build_id, release, name }, &scratch).map(Ok),
            Err(why) => Ok(Err(why.clone())),
        };
        let _ = fs::remove_file(&scratch);
        adopted
    }
}

/// The architecture in dpkg's words: Debian's releases end with it, else the log's CPU says.
fn architecture(release: &str, arch: Option<Arch>) -> String {
    let last = release.rsplit('-').next().unwrap_or_default();
    let named = ["amd64", "arm64", "riscv64", "s390x", "ppc64el", "armhf", "i386"].contains(&last);
    match arch {
        _ if named => last.to_owned(),
        Some(Arch::X86_64) => "amd64".to_owned(),
        Some(Arch::Arm64) => "arm64".to_owned(),
        Some(Arch::Riscv64) => "riscv64".to_owned(),
        Some(Arch::Ppc64) => "ppc64el".to_owned(),
        _ => apt::own_architecture(),
    }
}

#[cfg(test)]
mod tests;
