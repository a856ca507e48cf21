//! What a boot image says of itself against the vmlinux that it was made from: the places that the
//! kernel rewrites, and the instructions that may fault. `KWHY_LAB_BOOT` is a folder of
//! vmlinuz-RELEASE, `KWHY_LAB_KERNELS` one of vmlinux-RELEASE with debug information; without them
//! these tests say that they did nothing.

#![allow(clippy::unwrap_used)]

mod common;

use common::{boot_images, folder};
use kwhy_base::ImageAddr;
use kwhy_image::{FixupAt, HiddenEdgeKind, Image, unpack};
use std::collections::BTreeMap;

/// (release, boot image, vmlinux) of each kernel there is.
fn kernels() -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let Some(full) = folder("KWHY_LAB_KERNELS") else { return Vec::new() };
    let vmlinux = |release: &str| std::fs::read(full.join(format!("vmlinux-{release}"))).ok();
    let both = |(release, image): (String, _)| Some((release.clone(), image, vmlinux(&release)?));
    boot_images().into_iter().filter_map(both).collect()
}

/// First address of the code, and one flag for each of its bytes: whether the kernel rewrites it.
fn rewritten(image: &Image<'_>) -> (u64, Vec<bool>) {
    let at = |symbol: &str| image.symbols_named(symbol).first().unwrap().address;
    let (start, end) = (at("_stext"), at("_etext"));
    let mut bytes = vec![false; usize::try_from(end.0 - start.0).unwrap()];
    for site in image.patch_sites(start..end) {
        for address in site.range.start.0.max(start.0)..site.range.end.0.min(end.0) {
            bytes[usize::try_from(address - start.0).unwrap()] = true;
        }
    }
    (start.0, bytes)
}

#[test]
fn a_boot_image_excuses_what_its_vmlinux_does() {
    let mut wrong = Vec::new();
    for (release, packed, vmlinux) in kernels() {
        let unpacked = unpack(&packed).unwrap();
        let (boot, full) = (Image::parse(&unpacked).unwrap(), Image::parse(&vmlinux).unwrap());
        let ((start, by_boot), (_, by_full)) = (rewritten(&boot), rewritten(&full));
        let pairs = (start..).zip(by_boot.iter().zip(&by_full));
        let differs: Vec<u64> = pairs.filter(|(_, (a, b))| a != b).map(|(at, _)| at).collect();
        let count = by_full.iter().filter(|byte| **byte).count();
        eprintln!("{release}: {count} bytes of code are rewritten; {} differ", differs.len());
        assert!(count > 10_000, "{release}");
        // Where no symbol bounds a table, an odd entry ends it early: a part of two tables is missed.
        if differs.len() * 20 < count {
            continue;
        }
        for at in differs.iter().step_by(differs.len().div_ceil(12).max(1)) {
            let at = ImageAddr(*at);
            let symbol = full.symbol_at(at).map(|s| format!("{}+{:#x}", s.name, at.0 - s.address.0));
            let sites = |image: &Image<'_>| image.patch_sites(at..at.offset(1));
            wrong.push(format!("{release}: {symbol:?}: {:?} {:?}", sites(&full), sites(&boot)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_boot_images_exception_table_is_its_vmlinuxs() {
    for (release, packed, vmlinux) in kernels() {
        let unpacked = unpack(&packed).unwrap();
        let (boot, full) = (Image::parse(&unpacked).unwrap(), Image::parse(&vmlinux).unwrap());
        let at = |symbol: &str| full.symbols_named(symbol).first().unwrap().address;
        let edges = full.hidden_edges(at("_stext")..at("_etext"));
        let fixups = edges.iter().filter(|edge| edge.kind == HiddenEdgeKind::Fixup);
        let places: Vec<ImageAddr> = fixups.map(|edge| edge.from).collect();
        assert!(places.len() > 100, "{release}: {} entries", places.len());
        let mut kinds = BTreeMap::new();
        for place in &places {
            let FixupAt::Entry(by_full) = full.fixup_at(*place) else { panic!("{release}: {place:?}") };
            let FixupAt::Entry(by_boot) = boot.fixup_at(*place) else { panic!("{release}: {place:?}") };
            assert_eq!((by_full.target, &by_full.kind), (by_boot.target, &by_boot.kind), "{release}");
            *kinds.entry((by_full.kind, format!("{:?}", by_full.meaning))).or_insert(0) += 1;
        }
        eprintln!("{release}: {kinds:?}");
    }
}
