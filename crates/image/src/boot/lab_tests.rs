//! The tables of real kernels against what their builders kept. `KWHY_LAB_BOOT` is a folder of
//! vmlinuz-RELEASE and System.map-RELEASE (`cargo xtask test` provides it from the lab's cache);
//! without it these tests say that they did nothing.

use super::container::{self, Kind};
use super::{linked, raw};
use crate::elf::Elf;
use crate::kallsyms::Named;
use crate::{Image, TypesUse};

#[path = "../../tests/common/mod.rs"]
mod common;

use common::{folder, kernels};

/// The names of its own tables, which scripts/kallsyms.c left out up to 6.10.
const OWN: [&str; 11] = [
    "kallsyms_addresses",
    "kallsyms_offsets",
    "kallsyms_relative_base",
    "kallsyms_num_syms",
    "kallsyms_names",
    "kallsyms_markers",
    "kallsyms_token_table",
    "kallsyms_token_index",
    "kallsyms_seqs_of_names",
    "_SDA_BASE_",
    "_SDA2_BASE_",
];

/// What scripts/kallsyms.c leaves out of its input and scripts/mksysmap leaves in, by beginnings
/// (`is_ignored_symbol()`); which of these lists a kernel was built with, its version tells.
struct Rules {
    versions: &'static [&'static str],
    beginnings: &'static [&'static str],
    ends: &'static [&'static str],
    own: &'static [&'static str],
}

const RULES: [Rules; 4] = [
    Rules {
        versions: &["5.4.", "5.10."],
        beginnings: &["$", ".LASANPC", "__crc_", "__efistub_", "__kvm_nvhe_", "__AArch64ADRPThunk_"],
        ends: &["_from_arm", "_from_thumb", "_veneer"],
        own: &OWN,
    },
    Rules {
        versions: &["5.15.", "6.1."],
        beginnings: &["__efistub_", "__kvm_nvhe_$", "__kvm_nvhe_.L", "__AArch64ADRPThunk_", "__kcfi_typeid_"],
        ends: &["_from_arm", "_from_thumb", "_veneer"],
        own: &OWN,
    },
    // Since 6.4 mksysmap does all of that, for System.map as well.
    Rules { versions: &["6.6."], beginnings: &[], ends: &[], own: &OWN },
    Rules { versions: &["6.12.", "6.18.", "7."], beginnings: &[], ends: &[], own: &[] },
];

/// The lines of a System.map.
fn listed(map: &str) -> Vec<Named> {
    map.lines()
        .map(|line| {
            let mut parts = line.split(' ');
            let address = u64::from_str_radix(parts.next().unwrap(), 16).unwrap();
            let letter = parts.next().unwrap().as_bytes()[0];
            Named { letter, name: parts.next().unwrap().to_owned(), address }
        })
        .collect()
}

/// What scripts/kallsyms.c makes of a System.map, in its order.
fn expected(release: &str, map: &str, everything: bool) -> Vec<Named> {
    let rules = RULES.iter().find(|rules| rules.versions.iter().any(|start| release.starts_with(start)));
    let rules = rules.unwrap_or_else(|| panic!("which rules was {release} built with?"));
    let mut all = listed(map);
    let at = |all: &[Named], name: &str| all.iter().find(|one| one.name == name).unwrap().address;
    let text = [("_stext", "_etext"), ("_sinittext", "_einittext")]
        .map(|(start, end)| (at(&all, start), at(&all, end), end));
    all.retain(|one| {
        let name = one.name.as_str();
        // read_symbol(): absolute, undefined and debugging symbols.
        !matches!(one.letter, b'A' | b'a' | b'U' | b'u' | b'N' | b'n')
            && !rules.own.contains(&name)
            && !rules.beginnings.iter().any(|start| name.starts_with(start))
            && !rules.ends.iter().any(|end| name.ends_with(end))
            // symbol_valid()
            && (everything
                || text.iter().any(|(start, end, _)| (*start..=*end).contains(&one.address))
                    && text.iter().all(|(_, end, name_of_end)| one.address != *end || name == *name_of_end))
    });
    // make_percpus_absolute(): x86 counted them from nought up to 6.14.
    let per_cpu = at(&listed(map), "__per_cpu_start")..=at(&listed(map), "__per_cpu_end");
    if *per_cpu.start() == 0 {
        all.iter_mut().filter(|one| per_cpu.contains(&one.address)).for_each(|one| one.letter = b'A');
    }
    // compare_symbols(), over what the sort of nm left.
    all.sort_by_key(|one| {
        let weak = matches!(one.letter, b'w' | b'W');
        let name = one.name.as_str();
        let provided = name.len() >= 8
            && name.starts_with("__")
            && (["__start_", "__stop_", "__end_"].iter().any(|start| name.starts_with(start))
                || name.ends_with("_start")
                || name.ends_with("_end"));
        (one.address, weak, provided, name.bytes().take_while(|byte| *byte == b'_').count())
    });
    all
}

#[test]
fn the_tables_in_a_boot_image_are_its_system_map() {
    for (release, packed, map) in kernels() {
        let kernel = container::open(&packed).unwrap();
        let got = match container::kind(&kernel) {
            Kind::Elf => linked::listed(&Elf::parse(&kernel, &mut Vec::new()).unwrap()).unwrap(),
            Kind::Raw(header) => raw::listed(&kernel, header.arch).unwrap().symbols,
            _ => panic!("{release}: no kernel"),
        };
        // Without CONFIG_KALLSYMS_ALL the tables hold the code alone.
        let everything = got.iter().any(|one| one.name == "jiffies");
        let want = expected(&release, &map, everything);
        let same = got.iter().zip(&want).take_while(|(got, want)| got == want).count();
        eprintln!(
            "{release}: {} symbols, {} of System.map, {} code only",
            got.len(),
            map.lines().count(),
            if everything { "not" } else { "of" }
        );
        assert!(
            got == want,
            "{release}: {} listed and {} expected; the first {same} are the same, then {:x?} and not {:x?}",
            got.len(),
            want.len(),
            &got[same..got.len().min(same + 3)],
            &want[same..want.len().min(same + 3)]
        );
    }
}

#[test]
fn types_kept_apart_are_told_by_their_functions() {
    let all = kernels();
    let boots: Vec<_> = all.iter().map(|(_, packed, _)| super::unpack(packed).unwrap()).collect();
    let kept: Vec<Vec<u8>> = boots
        .iter()
        .map(|boot| {
            let image = Image::parse(boot).unwrap();
            super::unpack(image.raw_types().unwrap()).unwrap().into_owned()
        })
        .collect();
    for (at, (release, _, map)) in all.iter().enumerate() {
        let list = super::unpack(map.as_bytes()).unwrap();
        for (other, types) in kept.iter().enumerate() {
            let (list, types) = (Image::parse(&list).unwrap(), Image::parse(types).unwrap());
            crate::share_types(&[("System.map", &list), ("vmlinux", &types)]);
            eprintln!("{release} with the types of {}: {:?}", all[other].0, types.types_use());
            assert_eq!(types.types_use() == TypesUse::Used, at == other, "{release}, {}", all[other].0);
            assert_eq!(list.find_type("struct task_struct").is_some(), at == other);
        }
    }
}

/// `KWHY_LAB_KERNELS` is a folder of vmlinux-RELEASE with the linker's sections.
#[test]
fn tables_are_found_where_the_linker_put_them() {
    let Some(folder) = folder("KWHY_LAB_KERNELS") else { return };
    let mut wrong = Vec::new();
    for (release, packed, _) in kernels() {
        let Ok(linked) = std::fs::read(folder.join(format!("vmlinux-{release}"))) else { continue };
        let linked = Elf::parse(&linked, &mut Vec::new()).unwrap();
        let boot = super::unpack(&packed).unwrap();
        let boot = Elf::parse(&boot, &mut Vec::new()).unwrap();
        // (Of the notes a raw kernel's first one, the build-id, is enough.)
        for name in ["__ex_table", "__bug_table", ".altinstructions", ".BTF"] {
            let place = |elf: &Elf<'_>| elf.section(name).map(|(_, part)| (part.address, part.size));
            let (want, got) = (place(&linked), place(&boot));
            eprintln!("{release} {name}: {got:x?}, linked {want:x?}");
            let Some((start, size)) = want.filter(|(_, size)| *size > 0) else { continue };
            let (at, found) = got.unwrap_or_default();
            // A few entries at the ends may lead outside the code, or another table may go on.
            let near = |a: u64, b: u64| a.abs_diff(b) <= size / 16 + 64;
            if !near(at, start) || !near(at + found, start + size) {
                wrong.push(format!("{release} {name}: {at:#x}+{found:#x}, linked {start:#x}+{size:#x}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
