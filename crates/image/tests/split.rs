//! Debug information that was split off: joined with the code, it is the file that it was.
//!
//! One pair for each tool that splits: `eu-strip -f` (which leaves relocations with the code
//! only), `objcopy --only-keep-debug` (which leaves them in both), and a linked kernel.

#![allow(clippy::unwrap_used)]

use kwhy_image::Image;

/// What it is, the whole file, the debug information, the code.
type Pair = (&'static str, &'static [u8], &'static [u8], &'static [u8]);

const PAIRS: [Pair; 3] = [
    (
        "eu-strip, x86-64",
        include_bytes!("data/shapes-x86_64-dwarf5.o"),
        include_bytes!("data/split-x86_64.debug"),
        include_bytes!("data/split-x86_64.ko"),
    ),
    (
        "objcopy, arm64",
        include_bytes!("data/shapes-arm64-dwarf4.o"),
        include_bytes!("data/split-arm64.debug"),
        include_bytes!("data/split-arm64.ko"),
    ),
    (
        "objcopy, a kernel",
        include_bytes!("../../../fuzz/seeds/kernel-x86_64"),
        include_bytes!("data/split-kernel.debug"),
        include_bytes!("data/split-kernel"),
    ),
];

/// Everything that is asked of an image around its functions.
fn answers(image: &Image<'_>) -> Vec<String> {
    let mut all = vec![format!("{:?} {:?} {:?}", image.kind(), image.release(), image.build_id())];
    for address in image.function_addresses() {
        let symbol = image.symbol_at(address).unwrap();
        let range = address..address.offset(i64::try_from(symbol.elf_size).unwrap());
        let size = usize::try_from(symbol.elf_size).unwrap();
        all.push(format!("{symbol:?} {:?}", image.bytes(address, size)));
        all.push(format!("{:?} {:?}", image.relocations(range.clone()), image.patch_sites(range.clone())));
        all.push(format!("{:?}", image.lines(range.clone())));
        all.push(format!("{:?}", image.function_at(address)));
        all.extend(
            (range.start.0..range.end.0).map(|at| format!("{:?}", image.source_at(kwhy_base::ImageAddr(at)))),
        );
    }
    all
}

#[test]
fn two_halves_answer_as_the_whole() {
    for (what, whole, debug, code) in PAIRS {
        let [whole, debug, code] = [whole, debug, code].map(|bytes| Image::parse(bytes).unwrap());
        assert!(debug.lacks_code() && !code.lacks_code() && !whole.lacks_code(), "{what}");
        let joined = debug.joined_with(&code).unwrap();
        assert!(!joined.lacks_code() && joined.has_dwarf(), "{what}");
        let expected = answers(&whole);
        assert!(expected.len() > 20, "{what}: {}", expected.len());
        // Types are numbered in the order of the questions, which was the same.
        for (one, other) in answers(&joined).iter().zip(&expected) {
            assert_eq!(one, other, "{what}");
        }
        assert_ne!(answers(&debug), expected, "{what}");
        // And for another thread, from the two files' bytes.
        let again = Image::parse_joined(joined.data(), joined.code_data().unwrap()).unwrap();
        assert_eq!(answers(&again), expected, "{what}");
    }
}

#[test]
fn what_was_never_one_file_is_not_joined() {
    for (i, (_, whole, debug, _)) in PAIRS.iter().enumerate() {
        let debug = Image::parse(debug).unwrap();
        for (j, (_, _, _, code)) in PAIRS.iter().enumerate() {
            let joined = debug.joined_with(&Image::parse(code).unwrap());
            assert_eq!(joined.is_some(), i == j, "{i} {j}");
        }
        // A file that has its code needs none, and one without any gives none.
        let whole = Image::parse(whole).unwrap();
        assert!(whole.joined_with(&whole).is_none() && debug.joined_with(&debug).is_none());
    }
    // A function of another size: another build.
    let (_, _, debug, code) = PAIRS[1];
    let mut other = code.to_vec();
    let table = usize::try_from(u64::from_le_bytes(other[40..48].try_into().unwrap())).unwrap();
    other[table + 64 + 32] ^= 8;
    assert!(Image::parse(debug).unwrap().joined_with(&Image::parse(&other).unwrap()).is_none());
}

/// Any byte of either file may be wrong.
#[test]
fn damage_is_no_panic() {
    for (_, _, debug, code) in PAIRS {
        for step in 0..200 {
            let (mut one, mut other) = (debug.to_vec(), code.to_vec());
            let at = (step * 7919) % one.len();
            one[at] ^= 1 << (step % 8);
            let at = (step * 104_729) % other.len();
            other[at] = other[at].wrapping_add(u8::try_from(step).unwrap());
            if let Ok(image) = Image::parse_joined(&one, &other) {
                for address in image.function_addresses().into_iter().take(8) {
                    let range = address..address.offset(64);
                    let _ = (image.bytes(address, 64), image.relocations(range), image.source_at(address));
                }
            }
        }
    }
}
