//! QEMU: the installed one, or one unpacked into the cache where it cannot be installed.

use super::apt::{self, Apt};
use super::kernels::{self, host_arch};
use crate::tool;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn program(arch: &str) -> &'static str {
    if arch == "arm64" { "qemu-system-aarch64" } else { "qemu-system-x86_64" }
}

fn package(arch: &str) -> &'static str {
    if arch == "arm64" { "qemu-system-arm" } else { "qemu-system-x86" }
}

/// The command, ready for its options.
pub fn command(arch: &str) -> Result<Command> {
    if tool::have(program(arch)) {
        return Ok(Command::new(program(arch)));
    }
    let root = unpacked(&kernels::cache()?);
    let file = root.join("usr/bin").join(program(arch));
    if !file.exists() {
        bail!(
            "there is no {}; as root: apt-get install --no-install-recommends {}",
            program(arch),
            package(arch)
        );
    }
    let mut command = Command::new(file);
    command.env("LD_LIBRARY_PATH", libraries(&root)?);
    for dir in ["usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu"] {
        command.arg("-L").arg(root.join(dir));
    }
    Ok(command)
}

/// Makes sure there is a QEMU for the architecture: installs the package, and where that fails (another
/// repository's qemu-utils may conflict with it) unpacks it and its libraries into the cache.
pub fn provide(arch: &str) -> Result<()> {
    if command(arch).is_ok_and(|mut qemu| tool::output(qemu.arg("--version")).is_ok()) {
        return Ok(());
    }
    let refused = match apt::install(&[package(arch)]) {
        Ok(()) => return Ok(()),
        Err(why) => why,
    };
    eprintln!("  {refused:#}\n  unpacking QEMU into the cache instead");
    let cache = kernels::cache()?;
    let root = unpacked(&cache);
    fs::create_dir_all(&root)?;
    let host = host_arch()?;
    let packages = Apt::new(&cache, &suite()?, &host)?;
    for name in packages.closure(package(arch))? {
        let deb = packages.download_any(&name)?;
        tool::output(Command::new("dpkg-deb").arg("-x").arg(&deb).arg(&root))?;
    }
    tool::output(command(arch)?.arg("--version"))
        .with_context(|| format!("QEMU does not run; as root: apt-get install {}", package(arch)))?;
    Ok(())
}

fn unpacked(cache: &Path) -> PathBuf {
    cache.join("qemu")
}

/// The folders of the unpacked tree that hold shared libraries.
fn libraries(root: &Path) -> Result<String> {
    let mut dirs = Vec::new();
    for base in ["usr/lib", "lib"] {
        for entry in fs::read_dir(root.join(base)).into_iter().flatten() {
            let dir = entry?.path();
            if dir.file_name().is_some_and(|name| name.to_string_lossy().ends_with("-linux-gnu")) {
                dirs.push(dir.display().to_string());
            }
        }
    }
    Ok(dirs.join(":"))
}

/// This machine's Debian release.
fn suite() -> Result<String> {
    let text = fs::read_to_string("/etc/os-release")?;
    let name = text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    Ok(name.unwrap_or("bookworm").trim_matches('"').to_owned())
}
