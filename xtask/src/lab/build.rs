//! Builds a case's modules against a kernel's headers.

use super::case::Case;
use super::kernels::{Kernel, Tree, host_arch};
use crate::tool;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the case's modules; returns them in the order they are loaded.
pub fn build(case: &Case, kernel: &Kernel, tree: &Tree, cache: &Path) -> Result<Vec<PathBuf>> {
    let dir = cache.join("build").join(kernel.name).join(&case.name);
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir)?;
    let mut makefile = String::from("obj-m :=");
    for module in &case.spec.modules {
        fs::copy(case.dir.join(format!("{module}.c")), dir.join(format!("{module}.c")))?;
        makefile.push_str(&format!(" {module}.o"));
    }
    makefile.push('\n');
    for entry in fs::read_dir(&case.dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "h") {
            fs::copy(&path, dir.join(path.file_name().unwrap_or_default()))?;
        }
    }
    fs::write(dir.join("Makefile"), makefile)?;
    let cross = cross_prefix(kernel.arch)?;
    // A module's DWARF shall read the same wherever it was built.
    let flags = format!(
        "-ffile-prefix-map={}/=/kwhy-lab/ -ffile-prefix-map={}/=/",
        dir.display(),
        tree.root.display()
    );
    tool::output(
        Command::new("make")
            .arg("-s")
            .arg("-C")
            .arg(tree.headers())
            .arg(format!("M={}", dir.display()))
            .arg(format!("CROSS_COMPILE={cross}"))
            .arg(format!("CC={cross}gcc-12"))
            .arg(format!("KCFLAGS={flags}"))
            .arg("modules"),
    )
    .with_context(|| format!("{} for {}", case.name, kernel.name))?;
    Ok(case.spec.modules.iter().map(|module| dir.join(format!("{module}.ko"))).collect())
}

/// What precedes the names of the compiler and binutils for an architecture: nothing for the machine's own.
pub fn cross_prefix(arch: &str) -> Result<&'static str> {
    Ok(match (arch, host_arch()?.as_str()) {
        (arch, host) if arch == host => "",
        ("arm64", _) => "aarch64-linux-gnu-",
        _ => "x86_64-linux-gnu-",
    })
}

/// The packages that building and booting for an architecture needs here.
pub fn packages(arch: &str) -> Result<Vec<&'static str>> {
    let mut list = vec!["make", "gcc-12", "libc6-dev", "libelf1", "xz-utils"];
    match (cross_prefix(arch)?, arch) {
        ("", _) => list.push("binutils"),
        (_, "arm64") => list.extend(["gcc-12-aarch64-linux-gnu", "binutils-aarch64-linux-gnu"]),
        _ => list.extend(["gcc-12-x86-64-linux-gnu", "binutils-x86-64-linux-gnu"]),
    }
    Ok(list)
}
