//! Two files of BTF, a kernel's and one that may count on from it: by themselves, together, and
//! as the types of a module with a base of its own.
#![no_main]

use kwhy_image::{Image, Type, share_types, unpack};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

const MODULE: &[u8] = include_bytes!("../../crates/image/tests/data/shapes-x86_64-dwarf5.o");

fn ask(image: &Image<'_>) {
    for id in image.own_records().iter().chain(image.shared_records().iter()).take(200) {
        image.type_name(*id);
        image.size_of(*id);
        if let Type::Record(record) = image.type_of(*id) {
            for member in record.members.iter().take(64) {
                image.type_name(member.ty);
                image.size_of(member.ty);
                image.strip(member.ty);
            }
        }
    }
    for name in ["struct node", "struct flags", "enum colour", "u32", "struct own", "union nothing", ""] {
        if let Some(id) = image.find_type(name) {
            image.type_name(id);
            image.size_of(id);
        }
    }
}

/// `module` without debug information and with `split` and `base` for its `.BTF` and `.BTF.base`.
fn with_sections(split: &[u8], base: &[u8]) -> Vec<u8> {
    kwhy_fuzz::pack::with_sections(MODULE, &[(".BTF", split), (".BTF.base", base)])
}

fuzz_target!(|data: &[u8]| {
    let (kernel, other) = kwhy_fuzz::pack::unpack(data);
    let both: Vec<_> = [kernel, other].into_iter().filter_map(|bytes| unpack(bytes).ok()).collect();
    let images: Vec<Image<'_>> = both.iter().filter_map(|bytes| Image::parse(bytes).ok()).collect();
    let named: Vec<(&str, &Image<'_>)> = ["vmlinux", "shapes"].into_iter().zip(images.iter()).collect();
    share_types(&named);
    images.iter().for_each(ask);
    let module = with_sections(other, kernel);
    if let Ok(module) = Image::parse(&module) {
        if let Some(kernel) = images.first() {
            module.use_types_of(kernel);
        }
        ask(&module);
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    kwhy_fuzz::change::types(data, size, max_size, seed)
});
