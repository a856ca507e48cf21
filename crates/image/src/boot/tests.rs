use super::*;
use crate::kallsyms::{Base, Kallsyms};
use crate::{Image, ImageKind};
use kwhy_base::{Arch, ImageAddr};
use std::io::Write;

const BASE: u64 = 0xffff_8000_0800_0000;

/// How the addresses of the tables are written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    Before,
    Behind,
    Absolute,
    PerCpu,
    FromPlace,
}

/// The tables as scripts/kallsyms.c writes them, with every character a token of its own but
/// `sy` (1) and `m_` (2). They will stand at `at`.
fn tables(symbols: &[(u64, String)], layout: Layout, base: u64, at: usize) -> Vec<u8> {
    let mut names = Vec::new();
    let mut markers: Vec<u32> = Vec::new();
    for (index, (_, name)) in symbols.iter().enumerate() {
        if index % 256 == 0 {
            markers.push(u32::try_from(names.len()).unwrap());
        }
        let name = name.replace("sy", "\u{1}").replace("m_", "\u{2}");
        match name.len() {
            short @ ..0x80 => names.push(short as u8),
            long => names.extend([(long & 0x7f | 0x80) as u8, (long >> 7) as u8]),
        }
        names.extend(name.bytes());
    }
    let mut token_table = Vec::new();
    let mut token_index: Vec<u16> = Vec::new();
    for token in 0..=255u8 {
        token_index.push(u16::try_from(token_table.len()).unwrap());
        match token {
            1 => token_table.extend(b"sy"),
            2 => token_table.extend(b"m_"),
            b'!'..=b'~' => token_table.push(token),
            _ => {}
        }
        token_table.push(0);
    }
    let mut addresses = Vec::new();
    // Of a kernel without a base: the table's own place counts, which is behind the tokens' index.
    let own = layout == Layout::FromPlace;
    let align = |out: &mut Vec<u8>| out.resize(out.len().next_multiple_of(if own { 4 } else { 8 }), 0);
    let table_at = {
        let mut before = vec![0u8; at + 4];
        before.extend(&names);
        align(&mut before);
        before.extend(vec![0; markers.len() * 4]);
        align(&mut before);
        before.extend(&token_table);
        align(&mut before);
        before.len() + 512
    };
    for (index, (address, _)) in symbols.iter().enumerate() {
        match layout {
            Layout::FromPlace => {
                let place = base + (table_at + index * 4) as u64;
                addresses.extend((address.wrapping_sub(place) as u32).to_le_bytes());
            }
            Layout::Absolute => addresses.extend(address.to_le_bytes()),
            Layout::PerCpu if *address >= base => {
                addresses.extend((base.wrapping_sub(1).wrapping_sub(*address) as u32).to_le_bytes());
            }
            Layout::PerCpu => addresses.extend((*address as u32).to_le_bytes()),
            _ => addresses.extend(((*address - base) as u32).to_le_bytes()),
        }
    }
    let mut out = Vec::new();
    if layout != Layout::Behind && !own {
        out.extend(&addresses);
        align(&mut out);
        if layout != Layout::Absolute {
            out.extend(base.to_le_bytes());
        }
    }
    out.extend(&(symbols.len() as u64).to_le_bytes()[..if own { 4 } else { 8 }]);
    out.extend(names);
    align(&mut out);
    out.extend(markers.iter().flat_map(|marker| marker.to_le_bytes()));
    align(&mut out);
    out.extend(token_table);
    align(&mut out);
    out.extend(token_index.iter().flat_map(|place| place.to_le_bytes()));
    if layout == Layout::Behind || own {
        align(&mut out);
        out.extend(&addresses);
        align(&mut out);
    }
    if layout == Layout::Behind {
        out.extend(base.to_le_bytes());
    }
    out
}

fn symbols(count: u64, first: u64) -> Vec<(u64, String)> {
    let mut all: Vec<(u64, String)> =
        (0..count).map(|index| (first + index * 0x40, format!("tsym_{index}"))).collect();
    all[0].1 = "T_text".into();
    all[1].1 = "T_stext".into();
    all[count as usize - 1].1 = "T_etext".into();
    // A name whose length takes two bytes.
    all[7].1 = format!("t{}", "x".repeat(300));
    all
}

#[test]
fn kallsyms_are_read_in_every_layout() {
    for layout in [Layout::Before, Layout::Behind, Layout::Absolute, Layout::PerCpu, Layout::FromPlace] {
        let mut listed = symbols(700, BASE);
        if layout == Layout::PerCpu {
            listed.insert(0, (0, "Dper_cpu".into()));
            listed.insert(1, (0x40, "Dother".into()));
        }
        let mut image = vec![0xa5u8; 0x1000];
        image.extend(tables(&listed, layout, BASE, 0x1000));
        image.extend([0x5a; 64]);
        let found = Kallsyms::find(&image).unwrap_or_else(|| panic!("{layout:?}"));
        let base = match found.base() {
            Base::None => 0,
            Base::Known(base) => base,
            Base::Image(_) => BASE,
            Base::At(_) => panic!("{layout:?}"),
        };
        let got: Vec<(u64, String)> = found
            .symbols(base)
            .into_iter()
            .map(|symbol| (symbol.address, format!("{}{}", char::from(symbol.letter), symbol.name)))
            .collect();
        assert_eq!(got, listed, "{layout:?}");
    }
}

#[test]
fn tables_that_do_not_check_one_another_are_none() {
    let listed = symbols(700, BASE);
    let good = tables(&listed, Layout::Before, BASE, 0);
    assert!(Kallsyms::find(&good).is_some());
    let count_at = 700 * 4 + 8;
    for (place, what) in [(count_at, "the count"), (count_at + 8, "the first name's length")] {
        let mut bad = good.clone();
        bad[place] ^= 1;
        assert!(Kallsyms::find(&bad).is_none(), "{what}");
    }
    for cut in (0..good.len()).step_by(97) {
        let _ = Kallsyms::find(&good[..cut]);
    }
}

/// An uncompressed arm64 kernel with little but its header, its banner and its tables.
pub(super) fn raw() -> Vec<u8> {
    let mut image = vec![0u8; 0x1_0000];
    image[..2].copy_from_slice(b"MZ");
    image[56..60].copy_from_slice(b"ARM\x64");
    image.extend(b"Linux version 6.1.0-test (a@b) #1\n\0\0\0\0\0\0");
    image.resize(image.len().next_multiple_of(8), 0);
    image.extend(tables(&symbols(700, BASE), Layout::Before, BASE, 0));
    image[16..24].copy_from_slice(&0x40_0000u64.to_le_bytes());
    image
}

pub(super) fn check(packed: &[u8], how: &str) {
    let bytes = unpack(packed).unwrap_or_else(|error| panic!("{how}: {error}"));
    let image = Image::parse(&bytes).unwrap();
    assert_eq!(*image.kind(), ImageKind::Kernel, "{how}");
    assert_eq!(image.arch(), Arch::Arm64, "{how}");
    assert_eq!(image.release().as_deref(), Some("6.1.0-test"), "{how}");
    let symbol = image.symbol_at(ImageAddr(BASE + 0x40 * 5 + 4)).unwrap();
    assert_eq!((symbol.name.as_str(), symbol.size, symbol.function), ("sym_5", 0x40, true), "{how}");
    assert_eq!(image.symbols_named("sym_9")[0].address, ImageAddr(BASE + 0x40 * 9), "{how}");
    assert_eq!(image.bytes(ImageAddr(BASE), 2).as_deref(), Some(&b"MZ"[..]), "{how}");
}

#[test]
fn a_raw_kernel_is_found_in_its_containers() {
    let raw = raw();
    check(&raw, "as it is");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&raw).unwrap();
    let gz = gz.finish().unwrap();
    check(&gz, "gzip");
    // lz4's legacy format, in one block, with the size that boot images end in.
    let block = lz4_flex::block::compress(&raw);
    let mut lz4 = b"\x02\x21\x4c\x18".to_vec();
    lz4.extend(u32::try_from(block.len()).unwrap().to_le_bytes());
    lz4.extend(block);
    lz4.extend(u32::try_from(raw.len()).unwrap().to_le_bytes());
    check(&lz4, "lz4");
    // EFI zboot.
    let mut zboot = vec![0u8; 0x200];
    zboot[..2].copy_from_slice(b"MZ");
    zboot[4..8].copy_from_slice(b"zimg");
    zboot[8..12].copy_from_slice(&0x200u32.to_le_bytes());
    zboot[12..16].copy_from_slice(&u32::try_from(gz.len()).unwrap().to_le_bytes());
    zboot.extend(&gz);
    check(&zboot, "zboot");
    // A bzImage's header: one sector of setup, the payload 16 bytes into what follows.
    let mut bz = vec![0u8; 1024 + 16];
    bz[0x1f1] = 1;
    bz[0x202..0x206].copy_from_slice(b"HdrS");
    bz[0x206..0x208].copy_from_slice(&0x20fu16.to_le_bytes());
    bz[0x248..0x24c].copy_from_slice(&16u32.to_le_bytes());
    bz[0x24c..0x250].copy_from_slice(&u32::try_from(lz4.len()).unwrap().to_le_bytes());
    bz.extend(&lz4);
    check(&bz, "bzImage");
    assert_eq!(boot_release(&raw).as_deref(), Some("6.1.0-test"));
}

#[test]
fn what_is_cut_off_or_strange_is_refused_in_words() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&raw()).unwrap();
    let gz = gz.finish().unwrap();
    assert!(
        unpack(&gz[..gz.len() / 2]).unwrap_err().to_string().contains("packed by gzip: damaged or cut off")
    );
    let mut bare = vec![0u8; 0x1000];
    bare[56..60].copy_from_slice(b"ARM\x64");
    assert!(unpack(&bare).unwrap_err().to_string().contains("kallsyms"));
    let placeholder = b"ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n";
    assert!(unpack(placeholder).unwrap_err().to_string().contains("System.map"));
    let hidden = b"0000000000000000 T _text\n0000000000000000 T _stext\n0000000000000000 t a\n";
    assert!(unpack(hidden).unwrap_err().to_string().contains("kptr_restrict"));
    // What is nothing of the kind is left to whoever reads it.
    assert_eq!(unpack(b"hello").unwrap().as_ref(), b"hello");
}

#[test]
fn a_symbol_list_is_an_image_without_code() {
    let list = b"ffffffff81000000 T startup_64\nffffffff81000000 T _stext\nffffffff81000040 t work\n\
                 ffffffff81000080 T _etext\nffffffffc0000000 t init\t[module]\n";
    let bytes = unpack(list).unwrap();
    let image = Image::parse(&bytes).unwrap();
    let symbol = image.symbol_at(ImageAddr(0xffff_ffff_8100_0044)).unwrap();
    assert_eq!((symbol.name.as_str(), symbol.size, symbol.function), ("work", 0x40, true));
    assert!(image.symbols_named("init").is_empty());
    assert_eq!(image.bytes(symbol.address, 4), None);
}

/// A raw kernel whose tables have no base, and which is full of pointers to what they name.
fn placed(count: u64) -> Vec<u8> {
    let mut image = vec![0u8; 0x1000];
    image[..2].copy_from_slice(b"MZ");
    image[56..60].copy_from_slice(b"ARM\x64");
    image.extend(b"Linux version 7.0.0-test (a@b) #1\n\0\0\0\0\0\0");
    image.resize(image.len().next_multiple_of(8), 0);
    let listed: Vec<(u64, String)> =
        symbols(count, BASE).into_iter().map(|(at, name)| (BASE + (at - BASE) / 0x40 * 8, name)).collect();
    for (address, _) in listed.iter().step_by(3) {
        image.extend(address.to_le_bytes());
    }
    let at = image.len();
    image.extend(tables(&listed, Layout::FromPlace, BASE, at));
    image.resize(image.len() + 64, 0);
    image
}

#[test]
fn pointers_say_where_a_kernel_runs() {
    let bytes = unpack(&placed(700)).unwrap().into_owned();
    let image = Image::parse(&bytes).unwrap();
    assert_eq!(image.release().as_deref(), Some("7.0.0-test"));
    assert_eq!(image.symbols_named("sym_9")[0].address, ImageAddr(BASE + 8 * 9));
    // With too few of them it is not told.
    let mut without = placed(700);
    without[0x1030..0x1030 + 700 / 3 * 8].fill(0);
    assert!(unpack(&without).unwrap_err().to_string().contains("where it runs"));
}

/// Seeds of the fuzzer: `KWHY_UPDATE_BOOT=1 cargo test -p kwhy-image --lib seeds`.
#[test]
fn seeds_are_made_anew_when_asked() {
    if std::env::var_os("KWHY_UPDATE_BOOT").is_none() {
        return;
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/boot");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
    write("raw-from-place", &placed(300));
    for (name, layout) in
        [("raw-before", Layout::Before), ("raw-behind", Layout::Behind), ("raw-absolute", Layout::Absolute)]
    {
        let mut image = vec![0u8; 0x400];
        image[56..60].copy_from_slice(b"ARM\x64");
        image.extend(tables(&symbols(300, BASE), layout, BASE, 0x400));
        write(name, &image);
    }
    let list: String = symbols(40, 0xffff_ffff_8100_0000)
        .iter()
        .map(|(at, name)| format!("{at:016x} {} {}\n", &name[..1], &name[1..]))
        .collect();
    write(
        "list",
        format!("ffffffff81000000 T startup_64\n{list}ffffffffc0000000 t init\t[module]\n").as_bytes(),
    );
    write("unified", &super::forms_tests::unified(&super::forms_tests::zboot(&[0x1f, 0x8b, 8, 0])));
    write("fit", &super::forms_tests::fit(b"\x28\xb5\x2f\xfd", true));
}

#[test]
fn types_by_themselves_are_an_image() {
    let btf: &[u8] = include_bytes!("../../../../fuzz/seeds/types.btf");
    let bytes = unpack(btf).unwrap();
    let image = Image::parse(&bytes).unwrap();
    assert!(image.is_types_only() && image.has_types());
    let node = image.find_type("struct node").unwrap();
    assert_eq!(image.size_of(node), Some(112));
    // A list of symbols has its types from there, where they fit.
    let list = b"ffffffff81000000 T startup_64\nffffffff81000000 T _stext\nffffffff81000040 t walk.isra.0\n\
                 ffffffff81000050 T lookup\nffffffff81000060 t number_of\nffffffff81000070 T begin\n\
                 ffffffff81000080 T _etext\n";
    let kernel = unpack(list).unwrap();
    let kernel = Image::parse(&kernel).unwrap();
    assert!(kernel.find_type("struct node").is_none() || !kernel.has_types());
    let kernel = unpack(list).unwrap();
    let kernel = Image::parse(&kernel).unwrap();
    crate::share_types(&[("System.map", &kernel), ("vmlinux", &image)]);
    assert_eq!(image.types_use(), crate::TypesUse::Used);
    assert_eq!(kernel.find_type("struct node").and_then(|id| kernel.size_of(id)), Some(112));
    let lookup = kernel.function_at(kernel.symbols_named("lookup")[0].address).unwrap();
    assert_eq!(lookup.body.variables.len(), 2);
    // What is cut off or of another byte order is refused in words.
    assert!(unpack(&btf[..btf.len() - 9]).unwrap_err().to_string().contains("cut off"));
    let mut big = btf.to_vec();
    big.swap(0, 1);
    assert!(unpack(&big).unwrap_err().to_string().contains("big-endian"));
    assert!(unpack(b"\x9f\xeb\x01\0").unwrap_err().to_string().contains("cut off"));
}
