//! Whatever a person may take for an image: containers and compressions, the tables of kallsyms,
//! lists of symbols. Unpacked, and every question asked of what comes out.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|data: &[u8]| {
    let _ = kwhy_image::boot_release(data);
    kwhy_fuzz::ask::image(data);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    kwhy_fuzz::change::boot(data, size, max_size, seed)
});
