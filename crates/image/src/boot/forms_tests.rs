//! Every form that a kernel is shipped in: containers by hand, compressions by the tools that the
//! kernel's build calls (scripts/Makefile.lib) where they are installed, and by files that those
//! tools made (`tests/data/boot`) everywhere.

use super::tests::{check, raw};
use super::*;
use std::io::Write;
use std::process::{Command, Stdio};

/// What the kernel's build pipes a kernel through. Where `sized` is set, it appends the size.
const TOOLS: [(&str, &[&str], bool); 13] = [
    ("gzip", &["-n", "-f", "-9"], false),
    ("bzip2", &["-9"], true),
    ("lzma", &["-9"], true),
    ("lzop", &["-9"], true),
    ("lz4", &["-l", "-9", "-", "-"], true),
    ("lz4", &["-9", "-", "-"], false),
    ("xz", &["--check=crc32", "--x86", "--lzma2=,dict=32MiB"], true),
    ("xz", &["--check=crc32", "--arm64", "--lzma2=lc=2,lp=2,dict=32MiB"], true),
    ("xz", &["--check=crc32", "--lzma2=dict=1MiB"], false),
    ("xz", &["-9e"], false),
    ("zstd", &["-22", "--ultra"], true),
    ("zstd", &["-T0", "-q"], false),
    ("zstd", &["--no-check", "-1"], false),
];

/// `data` through a tool; `None` where it is not installed or has no such filter.
fn piped(tool: &str, arguments: &[&str], data: &[u8]) -> Option<Vec<u8>> {
    let spawned = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = spawned else {
        eprintln!("SKIPPED: {tool} is not installed");
        return None;
    };
    let mut input = child.stdin.take().unwrap();
    let bytes = data.to_vec();
    let writer = std::thread::spawn(move || {
        // A tool that does not know an option ends before it has read everything.
        let _ = input.write_all(&bytes);
    });
    let out = child.wait_with_output().unwrap();
    writer.join().unwrap();
    if !out.status.success() {
        eprintln!("SKIPPED: this {tool} does not know {arguments:?}");
        return None;
    }
    Some(out.stdout)
}

fn sized(mut packed: Vec<u8>, data: &[u8]) -> Vec<u8> {
    packed.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
    packed
}

fn gzipped(data: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(data).unwrap();
    gz.finish().unwrap()
}

/// arch/x86/boot/header.S: one sector of setup, the payload 16 bytes into what follows.
pub(super) fn bzimage(payload: &[u8]) -> Vec<u8> {
    let mut file = vec![0u8; 1024 + 16];
    file[..2].copy_from_slice(b"MZ");
    file[0x38..0x3c].copy_from_slice(b"\xcd\x23\x82\x81");
    file[0x1f1] = 1;
    file[0x202..0x206].copy_from_slice(b"HdrS");
    file[0x206..0x208].copy_from_slice(&0x20fu16.to_le_bytes());
    file[0x248..0x24c].copy_from_slice(&16u32.to_le_bytes());
    file[0x24c..0x250].copy_from_slice(&u32::try_from(payload.len()).unwrap().to_le_bytes());
    file.extend(payload);
    file
}

pub(super) fn zboot(payload: &[u8]) -> Vec<u8> {
    let mut file = vec![0u8; 0x200];
    file[..2].copy_from_slice(b"MZ");
    file[4..8].copy_from_slice(b"zimg");
    file[8..12].copy_from_slice(&0x200u32.to_le_bytes());
    file[12..16].copy_from_slice(&u32::try_from(payload.len()).unwrap().to_le_bytes());
    file[0x38..0x3c].copy_from_slice(b"\xcd\x23\x82\x81");
    file.extend(payload);
    file
}

/// A PE file with sections as systemd's stub has them.
pub(super) fn unified(kernel: &[u8]) -> Vec<u8> {
    let sections: [(&[u8], &[u8]); 3] =
        [(b".osrel", b"ID=none\n"), (b".cmdline", b"quiet"), (b".linux", kernel)];
    let mut file = vec![0u8; 0x400];
    file[..2].copy_from_slice(b"MZ");
    file[0x3c] = 0x80;
    file[0x80..0x84].copy_from_slice(b"PE\0\0");
    file[0x86] = 3;
    file[0x94] = 0xf0;
    for (index, (name, bytes)) in sections.into_iter().enumerate() {
        let entry = 0x80 + 24 + 0xf0 + index * 40;
        let (start, size) = (file.len() as u32, bytes.len() as u32);
        file[entry..entry + name.len()].copy_from_slice(name);
        file[entry + 8..entry + 12].copy_from_slice(&size.to_le_bytes());
        file[entry + 16..entry + 20].copy_from_slice(&size.next_multiple_of(512).to_le_bytes());
        file[entry + 20..entry + 24].copy_from_slice(&start.to_le_bytes());
        file.extend(bytes);
        file.resize(file.len().next_multiple_of(512), 0);
    }
    file
}

pub(super) fn uimage(payload: &[u8]) -> Vec<u8> {
    let mut file = vec![0u8; 64];
    file[..4].copy_from_slice(b"\x27\x05\x19\x56");
    file[12..16].copy_from_slice(&u32::try_from(payload.len()).unwrap().to_be_bytes());
    file[32..37].copy_from_slice(b"Linux");
    file.extend(payload);
    file
}

/// A flattened image tree with a device tree's blob before the kernel; the data inside or behind.
pub(super) fn fit(payload: &[u8], inside: bool) -> Vec<u8> {
    let names = b"type\0data\0data-offset\0data-size\0description\0";
    let place =
        |name: &str| names.windows(name.len() + 1).position(|at| at == format!("{name}\0").as_bytes());
    let mut tree: Vec<u8> = Vec::new();
    let word = |tree: &mut Vec<u8>, word: usize| tree.extend(u32::try_from(word).unwrap().to_be_bytes());
    let padded = |tree: &mut Vec<u8>| tree.resize(tree.len().next_multiple_of(4), 0);
    let begin = |tree: &mut Vec<u8>, name: &str| {
        word(tree, 1);
        tree.extend(name.as_bytes());
        tree.push(0);
        padded(tree);
    };
    let property = |tree: &mut Vec<u8>, name: &str, value: &[u8]| {
        word(tree, 3);
        word(tree, value.len());
        word(tree, place(name).unwrap());
        tree.extend(value);
        padded(tree);
    };
    begin(&mut tree, "");
    property(&mut tree, "description", b"a kernel\0");
    begin(&mut tree, "images");
    begin(&mut tree, "fdt-1");
    property(&mut tree, "type", b"flat_dt\0");
    property(&mut tree, "data", b"not it");
    word(&mut tree, 2);
    begin(&mut tree, "kernel-1");
    property(&mut tree, "type", b"kernel\0");
    if inside {
        property(&mut tree, "data", payload);
    } else {
        property(&mut tree, "data-offset", &0u32.to_be_bytes());
        property(&mut tree, "data-size", &u32::try_from(payload.len()).unwrap().to_be_bytes());
    }
    word(&mut tree, 2);
    word(&mut tree, 2);
    word(&mut tree, 2);
    word(&mut tree, 9);
    let mut file: Vec<u8> = Vec::new();
    let total = 40 + tree.len() + names.len();
    for field in [0xd00d_feed, total, 40, 40 + tree.len(), 40, 17, 16, 0, names.len(), tree.len()] {
        word(&mut file, field);
    }
    file.extend(tree);
    file.extend(names);
    if !inside {
        padded(&mut file);
        file.extend(payload);
    }
    file
}

pub(super) fn android(payload: &[u8], version: u32) -> Vec<u8> {
    let page = if version < 3 { 2048usize } else { 4096 };
    let mut file = vec![0u8; page];
    file[..8].copy_from_slice(b"ANDROID!");
    file[8..12].copy_from_slice(&u32::try_from(payload.len()).unwrap().to_le_bytes());
    file[40..44].copy_from_slice(&version.to_le_bytes());
    if version < 3 {
        file[36..40].copy_from_slice(&2048u32.to_le_bytes());
    }
    file.extend(payload);
    file.resize(file.len().next_multiple_of(page), 0);
    file.extend(b"a ramdisk");
    file
}

/// Each container around what is packed.
fn containers(packed: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut signed = bzimage(packed);
    signed.extend([0x5a; 3000]);
    vec![
        ("as it is", packed.to_vec()),
        ("a bzImage", bzimage(packed)),
        ("a signed bzImage", signed),
        ("zboot", zboot(packed)),
        ("a unified kernel image", unified(packed)),
        ("zboot in a unified kernel image", unified(&zboot(packed))),
        ("a bzImage in a unified kernel image", unified(&bzimage(packed))),
        ("uImage", uimage(packed)),
        ("FIT, inside", fit(packed, true)),
        ("FIT, behind", fit(packed, false)),
        ("Android 0", android(packed, 0)),
        ("Android 4", android(packed, 4)),
    ]
}

#[test]
fn every_container_is_opened() {
    let raw = raw();
    for packed in [gzipped(&raw), raw.clone()] {
        for (how, file) in containers(&packed) {
            check(&file, how);
        }
    }
}

#[test]
fn what_the_tools_of_a_kernel_build_pack_is_unpacked() {
    // Larger than a block of lz4's and lzop's, and not all of one kind.
    let mut kernel = raw();
    let noise = |at: u64| (at.wrapping_mul(6_364_136_223_846_793_005) >> 33) as u8 & 0x3f;
    kernel.extend((0..9 << 20).map(noise));
    for (tool, arguments, appended) in TOOLS {
        let Some(packed) = piped(tool, arguments, &kernel) else { continue };
        let packed = if appended { sized(packed, &kernel) } else { packed };
        let how = format!("{tool} {}", arguments.join(" "));
        let unpacked = container::open(&packed).unwrap_or_else(|error| panic!("{how}: {error}"));
        assert!(unpacked.as_ref() == kernel, "{how}: {} bytes for {}", unpacked.len(), kernel.len());
        for (container, file) in containers(&packed) {
            let unpacked =
                container::open(&file).unwrap_or_else(|error| panic!("{how} in {container}: {error}"));
            assert!(unpacked.as_ref() == kernel, "{how} in {container}");
        }
        // Cut off, it is refused by name, with the place.
        let error = container::open(&packed[..packed.len() / 2]).unwrap_err().to_string();
        assert!(error.contains(&format!("packed by {tool}")), "{how}: {error}");
        assert!(error.contains("cut off"), "{how}: {error}");
        let error = container::open(&zboot(&packed)[..packed.len() / 2]).unwrap_err().to_string();
        assert!(error.contains("zboot") && error.contains("cut off"), "{how}: {error}");
    }
}

#[test]
fn what_those_tools_left_is_unpacked_without_them() {
    const FILES: [(&str, &[u8]); 8] = [
        ("gzip", include_bytes!("../../tests/data/boot/kernel.gz")),
        ("bzip2", include_bytes!("../../tests/data/boot/kernel.bz2")),
        ("lzma", include_bytes!("../../tests/data/boot/kernel.lzma")),
        ("lzop", include_bytes!("../../tests/data/boot/kernel.lzo")),
        ("lz4 -l", include_bytes!("../../tests/data/boot/kernel.lz4")),
        ("xz --x86", include_bytes!("../../tests/data/boot/kernel.x86.xz")),
        ("xz --arm64", include_bytes!("../../tests/data/boot/kernel.arm64.xz")),
        ("zstd -22", include_bytes!("../../tests/data/boot/kernel.zst")),
    ];
    for (how, packed) in FILES {
        check(packed, how);
        for (container, file) in containers(packed) {
            check(&file, &format!("{how} in {container}"));
        }
    }
}

/// Writes the files of the test above anew: `KWHY_UPDATE_BOOT=1 cargo test -p kwhy-image forms`.
#[test]
fn files_are_made_anew_when_asked() {
    if std::env::var_os("KWHY_UPDATE_BOOT").is_none() {
        return;
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/boot");
    let names = ["gz", "bz2", "lzma", "lzo", "lz4", "", "x86.xz", "arm64.xz", "", "", "zst", "", ""];
    for ((tool, arguments, appended), name) in TOOLS.into_iter().zip(names) {
        if !name.is_empty() {
            let packed = piped(tool, arguments, &raw()).unwrap();
            let packed = if appended { sized(packed, &raw()) } else { packed };
            std::fs::write(folder.join(format!("kernel.{name}")), packed).unwrap();
        }
    }
}

#[test]
fn false_beginnings_are_passed_over() {
    // An old boot header does not say where the kernel is; what looks like one comes first.
    let mut file = vec![0u8; 0x800];
    file[..2].copy_from_slice(b"MZ");
    for false_one in
        [&b"\x1f\x8b\x08\0"[..], b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"\x02\x21\x4c\x18", b"BZh91AY&SY"]
    {
        file.extend(false_one);
        file.extend(b"nothing of the kind");
    }
    // A stream that is no kernel, too.
    file.extend(gzipped(b"an initial ramdisk"));
    let without = file.clone();
    file.extend(gzipped(&raw()));
    check(&file, "behind false beginnings");
    let error = unpack(&without).unwrap_err().to_string();
    assert!(error.contains("6 places look compressed"), "{error}");
    let error = unpack(&[&b"MZ"[..], &[0; 0x1000]].concat()).unwrap_err().to_string();
    assert!(error.contains("nothing in it looks compressed"), "{error}");
}

#[test]
fn what_is_cut_off_says_what_and_where() {
    let packed = gzipped(&raw());
    for (how, file) in containers(&packed).into_iter().skip(1) {
        let part = match how {
            // What follows the kernel may be missing.
            "a signed bzImage" | "Android 0" | "Android 4" => file.len() - 5000.min(file.len() / 2),
            _ => file.len() - packed.len() / 2,
        };
        let error =
            unpack(&file[..part.min(file.len() - packed.len() / 2)]).err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        assert!(error.contains("cut off") || error.contains("no kernel is found"), "{how}: {error}");
    }
}

#[test]
fn bombs_are_refused() {
    let zeroes = vec![0u8; 96 << 20];
    let bombs = [
        ("gzip", gzipped(&zeroes)),
        ("zstd", ruzstd::encoding::compress_to_vec(&zeroes[..], ruzstd::encoding::CompressionLevel::Fastest)),
        ("lz4", {
            let block = lz4_flex::block::compress(&zeroes[..8 << 20]);
            let mut file = b"\x02\x21\x4c\x18".to_vec();
            for _ in 0..12 {
                file.extend(u32::try_from(block.len()).unwrap().to_le_bytes());
                file.extend(&block);
            }
            file
        }),
    ];
    for (how, bomb) in bombs {
        let room = compressed::room(bomb.len());
        let error = unpack(&bomb).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(&format!("more than {room} bytes")), "{how}, {} bytes: {error}", bomb.len());
        let error = unpack(&zboot(&bomb)).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("more than"), "{how}: {error}");
    }
    // Many layers are refused as well.
    let mut deep = raw();
    for _ in 0..8 {
        deep = gzipped(&deep);
    }
    assert!(unpack(&deep).unwrap_err().to_string().contains("containers"));
}

#[test]
fn compressed_modules_are_modules() {
    let module: &[u8] = include_bytes!("../../tests/data/shapes-x86_64-dwarf5.o");
    // kernel/module/Kconfig, MODULE_COMPRESS_*.
    let tools: [(&str, &[&str]); 3] =
        [("gzip", &["-n", "-f"]), ("xz", &["--check=crc32", "--lzma2=dict=1MiB"]), ("zstd", &["-T0", "-q"])];
    for (tool, arguments) in tools {
        let Some(packed) = piped(tool, arguments, module) else { continue };
        assert!(unpack(&packed).unwrap().as_ref() == module, "{tool}");
    }
    assert!(unpack(&gzipped(module)).unwrap().as_ref() == module);
}
