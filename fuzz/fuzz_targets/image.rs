//! Bytes to an image, and every question asked of it.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|data: &[u8]| kwhy_fuzz::ask::image(data));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    kwhy_fuzz::change::elf(data, size, max_size, seed)
});
