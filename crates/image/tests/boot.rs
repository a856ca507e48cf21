//! Boot images of real kernels against what their builders kept. `KWHY_LAB_BOOT` is a folder of
//! vmlinuz-RELEASE and System.map-RELEASE (`cargo xtask test` provides it from the lab's cache);
//! without it these tests say that they did nothing.

#![allow(clippy::unwrap_used)]

mod common;

use common::kernels;
use kwhy_base::ImageAddr;
use kwhy_image::{Image, ImageKind, boot_release, unpack};
use std::collections::BTreeSet;

fn listed(map: &str) -> Vec<(u64, &str, &str)> {
    map.lines()
        .map(|line| {
            let mut parts = line.split(' ');
            let address = u64::from_str_radix(parts.next().unwrap(), 16).unwrap();
            (address, parts.next().unwrap(), parts.next().unwrap())
        })
        .collect()
}

/// What scripts/kallsyms.c leaves out of its input, which System.map keeps: its own tables and
/// the like (`is_ignored_symbol()`), and absolute numbers, which are no addresses (`read_symbol()`).
fn left_out(letter: &str, name: &str) -> bool {
    const OWN: [&str; 9] = [
        "kallsyms_addresses",
        "kallsyms_offsets",
        "kallsyms_relative_base",
        "kallsyms_num_syms",
        "kallsyms_names",
        "kallsyms_markers",
        "kallsyms_token_table",
        "kallsyms_token_index",
        "kallsyms_seqs_of_names",
    ];
    letter == "A"
        || OWN.contains(&name)
        || name.starts_with("__kvm_nvhe_.L")
        || name.starts_with("__kvm_nvhe_$")
        || name.starts_with("__pi_$")
        || name.starts_with("__efistub_")
}

/// Through the face; `src/boot/lab.rs` compares the tables themselves, letters and order included.
#[test]
fn kallsyms_in_the_image_are_the_system_map() {
    for (release, packed, map) in kernels() {
        let bytes = unpack(&packed).unwrap();
        let image = Image::parse(&bytes).unwrap();
        assert_eq!(*image.kind(), ImageKind::Kernel);
        assert_eq!(image.release().as_deref(), Some(release.as_str()));
        assert_eq!(boot_release(&packed).as_deref(), Some(release.as_str()));
        let got: BTreeSet<(u64, String)> = image
            .symbols_where(&|_| true)
            .into_iter()
            .map(|symbol| (symbol.address.0, symbol.name))
            .collect();
        let all = listed(&map);
        let at = |name: &str| all.iter().find(|(_, _, other)| *other == name).unwrap().0;
        // Without CONFIG_KALLSYMS_ALL the tables hold the code alone (`symbol_valid()`).
        let everything = got.iter().any(|(_, name)| name == "_sdata" || name == "jiffies");
        // 5.10's scripts/kallsyms.c drops the hypervisor's names, later ones only its local labels.
        let hypervisor = got.iter().any(|(_, name)| name.starts_with("__kvm_nvhe_"));
        // Of those at a range's very end only the end itself.
        let ends = ["_etext", "_einittext"];
        let code = [at("_stext")..at("_etext"), at("_sinittext")..at("_einittext")];
        let coded = |address: &u64, name: &str| {
            ends.contains(&name) || code.iter().any(|range| range.contains(address))
        };
        let want: BTreeSet<(u64, String)> = all
            .iter()
            .filter(|(_, letter, name)| {
                !left_out(letter, name) && (hypervisor || !name.starts_with("__kvm_nvhe_"))
            })
            .filter(|(address, _, name)| everything || coded(address, name))
            .map(|(address, _, name)| (*address, (*name).to_owned()))
            .collect();
        let missing: Vec<_> = want.difference(&got).collect();
        let odd: Vec<_> =
            got.difference(&want).filter(|(_, name)| name != "linux_banner" && !left_out("", name)).collect();
        eprintln!("{release}: {} symbols, {} of System.map", got.len(), all.len());
        assert!(
            missing.is_empty() && odd.is_empty(),
            "{release}: {} missing, first {:?}; {} odd, first {:?}",
            missing.len(),
            missing.iter().take(12).collect::<Vec<_>>(),
            odd.len(),
            odd.iter().take(12).collect::<Vec<_>>()
        );
        // The other way round: by address, as a crash is read.
        let symbol = image.symbol_at(ImageAddr(at("vprintk_emit").wrapping_add(4))).unwrap();
        assert_eq!(symbol.name, "vprintk_emit");
        assert!(image.find_type("struct task_struct").is_some(), "{release}: no BTF");
        assert!(image.build_id().is_some(), "{release}: no build-id");
    }
}

#[test]
fn a_system_map_is_an_image_of_names() {
    for (release, _, map) in kernels() {
        let bytes = unpack(map.as_bytes()).unwrap();
        let image = Image::parse(&bytes).unwrap();
        let symbols = image.symbols_named("vprintk_emit");
        assert_eq!(symbols.len(), 1, "{release}");
        assert_eq!(image.symbol_at(symbols[0].address).unwrap().name, "vprintk_emit");
    }
}
