//! Bytes to instructions of each CPU, and an image's functions to expressions.
#![no_main]

use kwhy_base::{Arch, ImageAddr};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|data: &[u8]| {
    if !data.starts_with(b"\x7fELF") {
        for arch in [Arch::Arm64, Arch::X86_64] {
            kwhy_fuzz::ask::code(arch, data, ImageAddr(0xffff_ffff_ffff_ff00));
        }
        return;
    }
    // The file's bytes 8 to 15 are padding in its header: they choose what is asked.
    let pick = data.get(8..16).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes);
    kwhy_fuzz::ask::functions(data, pick);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    kwhy_fuzz::change::elf(data, size, max_size, seed)
});
