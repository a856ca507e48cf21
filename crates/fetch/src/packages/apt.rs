//! A private apt state: lists, cache and configuration of its own below kwhy's cache, so that
//! another release's or architecture's packages are had by name, checked by their signatures,
//! without root and without a change to the system.
//!
//! Debian's archive is the one that the machine's own apt uses, so that proxies and local
//! mirrors work; Ubuntu serves debug packages from one place of its own.

use crate::download::Watch;
use kwhy_base::{Distribution, Prose, catalogue::fetch as c, prose};
use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Lists younger than this are not fetched again.
const FRESH: Duration = Duration::from_secs(24 * 3600);

/// One suite's packages for one architecture.
pub(super) struct Apt {
    conf: PathBuf,
    folder: PathBuf,
}

/// Whether this machine has what is needed.
pub(super) fn is_there() -> bool {
    ["apt-get", "dpkg-deb"].iter().all(|tool| {
        let mut command = Command::new(tool);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}

/// What dpkg calls this machine's CPU.
pub(super) fn own_architecture() -> String {
    let said = text(Command::new("dpkg").arg("--print-architecture"));
    said.map(|name| name.trim().to_owned()).unwrap_or_else(|_| "amd64".to_owned())
}

/// The kernels that a Debian or Ubuntu release was made with, as its packages are named. Newer
/// releases come with newer kernels: those without an entry are looked for in the newest.
const SUITES: [(Distribution, &str, &str); 11] = [
    (Distribution::Debian, "5.10", "bullseye"),
    (Distribution::Debian, "6.1", "bookworm"),
    (Distribution::Debian, "6.12", "trixie"),
    (Distribution::Ubuntu, "4.15", "bionic"),
    (Distribution::Ubuntu, "5.4", "focal"),
    (Distribution::Ubuntu, "5.15", "jammy"),
    (Distribution::Ubuntu, "6.8", "noble"),
    (Distribution::Ubuntu, "18.04", "bionic"),
    (Distribution::Ubuntu, "20.04", "focal"),
    (Distribution::Ubuntu, "22.04", "jammy"),
    (Distribution::Ubuntu, "24.04", "noble"),
];

/// The suites in which a kernel may be, the likeliest first.
pub(super) fn suites(distribution: Distribution, release: &str, version: Option<&str>) -> Vec<String> {
    let of = |key: &str| {
        let found = SUITES.iter().find(|(whose, known, _)| *whose == distribution && *known == key);
        found.map(|(_, _, suite)| (*suite).to_owned())
    };
    let mut parts = release.split(['.', '-', '+']);
    let series = format!("{}.{}", parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut suites = Vec::new();
    match distribution {
        Distribution::Debian => {
            // `6.12.9+bpo-amd64`, `6.1.0-0.deb11.7-amd64`: built for an older release.
            if let Some((_, rest)) = release.split_once("deb11") {
                let _ = rest;
                suites.push("bullseye-backports".to_owned());
            } else if release.contains("deb12") || release.contains("bpo") {
                suites.push("bookworm-backports".to_owned());
            } else {
                suites.extend(of(&series));
            }
            if suites.is_empty() {
                suites.push("sid".to_owned());
            }
        }
        // `#25~22.04.1-Ubuntu`: an older release with a newer kernel.
        _ => {
            let of_version = version.and_then(|version| version.split_once('~')?.1.get(..5)).and_then(of);
            suites.extend(of_version.or_else(|| of(&series)));
        }
    }
    suites
}

impl Apt {
    /// Makes or reuses the state of a suite, with lists that are no older than a day.
    pub(super) fn new(packages: &Path, whose: Distribution, suite: &str, arch: &str) -> Result<Apt, Prose> {
        let folder = packages.join(format!("apt-{suite}-{arch}"));
        let apt = Apt { conf: folder.join("apt.conf"), folder };
        apt.configure(whose, suite, arch)?;
        apt.update()?;
        Ok(apt)
    }

    fn configure(&self, whose: Distribution, suite: &str, arch: &str) -> Result<(), Prose> {
        let kept = |error: std::io::Error| prose!(c::CANNOT_KEEP, error = error.to_string());
        for sub in ["lists/partial", "cache/archives/partial", "none", "new"] {
            fs::create_dir_all(self.folder.join(sub)).map_err(kept)?;
        }
        fs::write(self.folder.join("sources.list"), sources(whose, suite)?).map_err(kept)?;
        fs::write(self.folder.join("status"), "").map_err(kept)?;
        let mut conf = String::new();
        for (key, value) in [
            ("Dir::Etc::sourcelist", "sources.list"),
            ("Dir::Etc::sourceparts", "none"),
            ("Dir::Etc::preferencesparts", "none"),
            ("Dir::State::lists", "lists"),
            ("Dir::State::status", "status"),
            ("Dir::Cache", "cache"),
        ] {
            // Writing to a string does not fail.
            let _ = writeln!(conf, "{key} \"{}\";", self.folder.join(value).display());
        }
        let _ = writeln!(conf, "APT::Architecture \"{arch}\";\nAPT::Architectures {{ \"{arch}\"; }};");
        // An old release's lists may be past their date, and translations are of no use here.
        conf.push_str("Acquire::Check-Valid-Until \"false\";\nAcquire::Languages \"none\";\n");
        // apt's own user may not enter the cache; without root this changes nothing.
        conf.push_str("APT::Sandbox::User \"root\";\n");
        fs::write(&self.conf, conf).map_err(kept)
    }

    fn update(&self) -> Result<(), Prose> {
        let stamp = self.folder.join("updated");
        let age =
            fs::metadata(&stamp).and_then(|about| about.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age < FRESH) {
            return Ok(());
        }
        text(self.command("apt-get").args(["-q", "update"])).map_err(failed)?;
        let _ = fs::write(stamp, "");
        Ok(())
    }

    fn command(&self, tool: &str) -> Command {
        let mut command = Command::new(tool);
        command.env("APT_CONFIG", &self.conf).env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    /// Fetches a package: the version that is asked for, else the newest that there is.
    pub(super) fn download(
        &self,
        package: &str,
        version: Option<&str>,
        watch: &mut dyn Watch,
    ) -> Result<PathBuf, Prose> {
        let pinned = version.map(|version| format!("{package}={version}"));
        let mut last = prose!(c::NOT_SERVED, package = package);
        for asked in pinned.into_iter().chain([package.to_owned()]) {
            let Ok(shown) = text(self.command("apt-cache").args(["show", "--no-all-versions", &asked]))
            else {
                continue;
            };
            let field = |key: &str| {
                let prefix = format!("{key}: ");
                shown.lines().find_map(|line| line.strip_prefix(&prefix)).map(str::to_owned)
            };
            let (Some(version), Some(arch)) = (field("Version"), field("Architecture")) else { continue };
            let name = format!("{package}_{}_{arch}.deb", version.replace(':', "%3a"));
            let file = self.folder.join(&name);
            if file.exists() {
                return Ok(file);
            }
            let size = field("Size").and_then(|size| size.parse().ok());
            match self.receive(&asked, &name, size, watch) {
                Ok(()) if file.exists() => return Ok(file),
                Ok(()) => {}
                Err(error) => last = failed(error),
            }
        }
        Err(last)
    }

    /// Lets apt-get fetch into a folder of its own, then moves the package to its place.
    fn receive(
        &self,
        asked: &str,
        name: &str,
        size: Option<u64>,
        watch: &mut dyn Watch,
    ) -> Result<(), String> {
        let folder = self.folder.join("new");
        let mut child = self
            .command("apt-get")
            .args(["-q", "download", asked])
            .current_dir(&folder)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let errors = child.stderr.take();
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.map(|mut errors| errors.read_to_string(&mut text));
            text
        });
        let status = loop {
            match child.try_wait().map_err(|error| error.to_string())? {
                Some(status) => break status,
                None => {
                    watch.progress(name, there(&folder), size);
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
        };
        let said = reader.join().unwrap_or_default();
        if !status.success() {
            return Err(last_line(&said));
        }
        fs::rename(folder.join(name), self.folder.join(name)).map_err(|error| error.to_string())
    }
}

/// The lines of `sources.list`.
fn sources(whose: Distribution, suite: &str) -> Result<String, Prose> {
    let keys = match whose {
        Distribution::Ubuntu => "/usr/share/keyrings/ubuntu-dbgsym-keyring.gpg",
        _ => "/usr/share/keyrings/debian-archive-keyring.gpg",
    };
    // Without the keyring apt looks at the keys that the system trusts.
    let signed = if Path::new(keys).exists() { format!("[signed-by={keys}] ") } else { String::new() };
    if whose == Distribution::Ubuntu {
        let line =
            |pocket: &str| format!("deb {signed}http://ddebs.ubuntu.com {suite}{pocket} main universe\n");
        return Ok(line("") + &line("-updates"));
    }
    let (main, security) = archives().ok_or_else(|| prose!(c::NO_ARCHIVE, name = whose.name()))?;
    let mut text = format!("deb {signed}{main} {suite} main\n");
    if suite != "sid" && !suite.contains('-') {
        let _ = writeln!(text, "deb {signed}{security} {suite}-security main");
    }
    Ok(text)
}

/// Debian's main and security archive, as the machine's apt knows them.
fn archives() -> Option<(String, String)> {
    let format = ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"];
    let targets = text(Command::new("apt-get").args(format)).unwrap_or_default();
    let ending = |end: &str| {
        targets
            .lines()
            .map(|uri| uri.trim().trim_end_matches('/'))
            .find(|uri| uri.ends_with(end))
            .map(str::to_owned)
    };
    let given = std::env::var("KWHY_DEBIAN_MIRROR").ok().filter(|mirror| !mirror.is_empty());
    let main = given.or_else(|| ending("/debian"))?;
    let security =
        ending("/debian-security").unwrap_or_else(|| format!("{}-security", main.trim_end_matches('/')));
    Some((main, security))
}

/// Bytes of the files in a folder.
fn there(folder: &Path) -> u64 {
    let size =
        |path: PathBuf| fs::metadata(path).map_or(0, |about| if about.is_file() { about.len() } else { 0 });
    let files = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    files(folder).chain(files(&folder.join("partial"))).map(|entry| size(entry.path())).sum()
}

fn text(command: &mut Command) -> Result<String, String> {
    let out = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    Err(last_line(&String::from_utf8_lossy(&out.stderr)))
}

fn last_line(text: &str) -> String {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it failed").trim().to_owned()
}

fn failed(error: String) -> Prose {
    prose!(c::APT_FAILED, error = error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_looked_for_where_it_was_built_for() {
        for (whose, release, version, suite) in [
            (Distribution::Debian, "6.1.0-56-cloud-amd64", None, "bookworm"),
            (Distribution::Debian, "5.10.0-32-cloud-arm64", None, "bullseye"),
            (Distribution::Debian, "6.12.9+bpo-amd64", None, "bookworm-backports"),
            (Distribution::Debian, "6.1.0-0.deb11.7-amd64", None, "bullseye-backports"),
            (Distribution::Debian, "6.17.3-amd64", None, "sid"),
            (Distribution::Ubuntu, "5.15.0-25-generic", Some("#25-Ubuntu"), "jammy"),
            (Distribution::Ubuntu, "6.5.0-14-generic", Some("#14~22.04.1-Ubuntu"), "jammy"),
        ] {
            assert_eq!(suites(whose, release, version), [suite], "{release}");
        }
        assert!(suites(Distribution::Ubuntu, "9.9.0-1-generic", Some("#1-Ubuntu")).is_empty());
        assert!(suites(Distribution::Ubuntu, "9.9.0-1-generic", Some("#1~\u{4e2d}\u{6587}")).is_empty());
    }
}
