//! A private apt state: another release's or architecture's packages by name, without installing anything.
//!
//! The mirror is the machine's own, read from apt's configuration, so that a machine behind a proxy or
//! with a local mirror works as it is.

use crate::tool;
use anyhow::{Context, Result, anyhow, bail};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The packages of one Debian release for one architecture.
pub struct Apt {
    conf: PathBuf,
    debs: PathBuf,
}

impl Apt {
    /// Makes or reuses the state under `cache`; lists older than a day are fetched again.
    pub fn new(cache: &Path, suite: &str, arch: &str) -> Result<Apt> {
        if !tool::have("apt-get") {
            bail!("the lab takes Debian's packaged kernels, and there is no apt-get here");
        }
        let dir = cache.join("apt").join(format!("{suite}-{arch}"));
        for sub in ["lists/partial", "cache/archives/partial", "none"] {
            fs::create_dir_all(dir.join(sub))?;
        }
        let debs = cache.join("debs");
        fs::create_dir_all(&debs)?;
        let (main, security) = mirrors()?;
        let keys = Path::new("/usr/share/keyrings/debian-archive-keyring.gpg");
        let signed = if keys.exists() { format!("[signed-by={}] ", keys.display()) } else { String::new() };
        fs::write(
            dir.join("sources.list"),
            format!("deb {signed}{main} {suite} main\ndeb {signed}{security} {suite}-security main\n"),
        )?;
        fs::write(dir.join("status"), "")?;
        let conf = dir.join("apt.conf");
        let mut text = String::new();
        for (key, value) in [
            ("Dir::Etc::sourcelist", dir.join("sources.list")),
            ("Dir::Etc::sourceparts", dir.join("none")),
            ("Dir::Etc::preferencesparts", dir.join("none")),
            ("Dir::State::lists", dir.join("lists")),
            ("Dir::State::status", dir.join("status")),
            ("Dir::Cache", dir.join("cache")),
        ] {
            writeln!(text, "{key} \"{}\";", value.display())?;
        }
        writeln!(text, "APT::Architecture \"{arch}\";\nAPT::Architectures {{ \"{arch}\"; }};")?;
        // An old release's index may be past its date, and a package's description is of no use here.
        writeln!(text, "Acquire::Check-Valid-Until \"false\";\nAcquire::Languages \"none\";")?;
        // Downloads go to the user's cache, which apt's own unprivileged user may not enter.
        writeln!(text, "APT::Sandbox::User \"root\";")?;
        fs::write(&conf, text)?;
        let apt = Apt { conf, debs };
        apt.update(&dir)?;
        Ok(apt)
    }

    fn update(&self, dir: &Path) -> Result<()> {
        let stamp = dir.join("updated");
        let fresh =
            fs::metadata(&stamp).and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
        if fresh.is_some_and(|age| age.as_secs() < 24 * 3600) {
            return Ok(());
        }
        eprintln!("  package lists: {}", dir.file_name().unwrap_or_default().to_string_lossy());
        tool::output(Command::new("apt-get").args(["-q", "update"]).env("APT_CONFIG", &self.conf))?;
        fs::write(stamp, "")?;
        Ok(())
    }

    /// The newest version served of every package whose name matches `pattern` (a POSIX regular expression).
    pub fn names(&self, pattern: &str) -> Result<Vec<String>> {
        let listed = tool::text(
            Command::new("apt-cache").args(["search", "--names-only", pattern]).env("APT_CONFIG", &self.conf),
        )?;
        Ok(listed.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
    }

    /// Fetches a package (`name` or `name=version`) unless it is in the cache already.
    pub fn download(&self, package: &str) -> Result<PathBuf> {
        let name = package.split('=').next().unwrap_or(package);
        let wanted = self.file_name(package)?;
        let file = self.debs.join(&wanted);
        if file.exists() {
            return Ok(file);
        }
        eprintln!("  fetching {package}");
        let partial = self.debs.join("partial");
        fs::create_dir_all(&partial)?;
        tool::output(
            Command::new("apt-get")
                .args(["-q", "download", package])
                .current_dir(&partial)
                .env("APT_CONFIG", &self.conf),
        )
        .with_context(|| format!("package {name} could not be fetched"))?;
        fs::rename(partial.join(&wanted), &file)
            .with_context(|| format!("apt-get did not leave {wanted} in {}", partial.display()))?;
        Ok(file)
    }

    /// Fetches the newest version that is really served: indexes go on listing versions that are gone.
    pub fn download_any(&self, name: &str) -> Result<PathBuf> {
        let listed =
            tool::text(Command::new("apt-cache").args(["madison", name]).env("APT_CONFIG", &self.conf))?;
        let mut tried = None;
        for version in listed.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim) {
            match self.download(&format!("{name}={version}")) {
                Ok(file) => return Ok(file),
                Err(why) => tried = Some(why),
            }
        }
        Err(tried.unwrap_or_else(|| anyhow!("the archive does not list package {name}")))
    }

    /// A package and what it depends on, without what this machine has installed.
    pub fn closure(&self, name: &str) -> Result<Vec<String>> {
        let listed = tool::text(
            Command::new("apt-cache")
                .args(["depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts"])
                .args(["--no-breaks", "--no-replaces", "--no-enhances", name])
                .env("APT_CONFIG", &self.conf),
        )?;
        let mut names: Vec<String> = listed
            .lines()
            .filter(|line| !line.starts_with([' ', '<', '|']) && !line.contains(':'))
            .map(str::to_owned)
            .filter(|name| !installed(name))
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// `linux-image-…_6.1.192-2_amd64.deb`.
    fn file_name(&self, package: &str) -> Result<String> {
        let shown = tool::text(
            Command::new("apt-cache")
                .args(["show", "--no-all-versions", package])
                .env("APT_CONFIG", &self.conf),
        )
        .with_context(|| format!("package {package} is not served any more"))?;
        let field = |key: &str| {
            let prefix = format!("{key}: ");
            shown.lines().find_map(|line| line.strip_prefix(&prefix)).map(str::to_owned)
        };
        let (Some(name), Some(version), Some(arch)) =
            (field("Package"), field("Version"), field("Architecture"))
        else {
            bail!("package {package} is not served any more");
        };
        Ok(format!("{name}_{}_{arch}.deb", version.replace(':', "%3a")))
    }
}

/// The main and the security archive that the machine's apt uses.
fn mirrors() -> Result<(String, String)> {
    let targets = tool::text(Command::new("apt-get").args([
        "indextargets",
        "--format",
        "$(CREATED_BY) $(REPO_URI)",
        "Created-By: Packages",
    ]))?;
    let uris: Vec<&str> = targets.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    let ending = |end: &str| {
        uris.iter().map(|uri| uri.trim_end_matches('/')).find(|uri| uri.ends_with(end)).map(str::to_owned)
    };
    let given = std::env::var("KWHY_DEBIAN_MIRROR").ok();
    let main = given.or_else(|| ending("/debian")).context(
        "apt's configuration names no Debian archive; set KWHY_DEBIAN_MIRROR to a mirror's address (…/debian)",
    )?;
    let security =
        ending("/debian-security").unwrap_or_else(|| format!("{}-security", main.trim_end_matches('/')));
    Ok((main, security))
}

/// Installs packages, or says what to install.
pub fn install(packages: &[&str]) -> Result<()> {
    let missing: Vec<&str> = packages.iter().copied().filter(|name| !installed(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get install --no-install-recommends {}", missing.join(" "));
    if !is_root() {
        bail!("packages are missing; as root:\n  {line}");
    }
    eprintln!("installing {}", missing.join(" "));
    let attempt = || {
        tool::output(
            Command::new("apt-get")
                .args(["-q", "-y", "install", "--no-install-recommends"])
                .args(&missing)
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )
    };
    if attempt().is_err() {
        // A fresh machine has no package lists yet.
        tool::output(Command::new("apt-get").args(["-q", "update"]))?;
        attempt().with_context(|| format!("could not install; try\n  {line}"))?;
    }
    Ok(())
}

/// Whether a package is installed.
pub fn installed(name: &str) -> bool {
    tool::text(Command::new("dpkg-query").args(["-W", "-f", "${db:Status-Status}", name]))
        .is_ok_and(|status| status == "installed")
}

fn is_root() -> bool {
    tool::text(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
