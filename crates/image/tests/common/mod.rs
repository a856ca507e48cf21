//! The boot images that the tests against real kernels are given.

use std::path::PathBuf;

/// (release, boot image) of each kernel in the folder that `KWHY_LAB_BOOT` names (`cargo xtask test`
/// provides it from the lab's cache); without it the tests say that they did nothing.
pub fn boot_images() -> Vec<(String, Vec<u8>)> {
    let Some(folder) = folder("KWHY_LAB_BOOT") else { return Vec::new() };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(release) = name.strip_prefix("vmlinuz-") else { continue };
        found.push((release.to_owned(), std::fs::read(folder.join(&name)).unwrap()));
    }
    assert!(!found.is_empty(), "{} holds no vmlinuz-*", folder.display());
    found.sort();
    found
}

/// A folder that the environment names.
pub fn folder(variable: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from);
    if folder.is_none() {
        eprintln!("SKIPPED: {variable} is not set");
    }
    folder
}

/// (release, boot image, System.map) of each.
#[allow(dead_code)] // Each test program has its own copy, and not all ask this.
pub fn kernels() -> Vec<(String, Vec<u8>, String)> {
    let read = |release: &str| {
        let folder = folder("KWHY_LAB_BOOT").unwrap();
        std::fs::read_to_string(folder.join(format!("System.map-{release}"))).unwrap()
    };
    boot_images().into_iter().map(|(release, image)| (release.clone(), image, read(&release))).collect()
}
