//! Bytes to crash records: every line in its place, and the same twice.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|data: &[u8]| {
    let log = kwhy_oops::parse(data);
    for crash in &log.crashes {
        assert!(crash.first_line <= crash.last_line);
        for damage in &crash.damage {
            assert!(!damage.reason.render(kwhy_base::Lang::Zh).is_empty());
        }
    }
    assert!(log == kwhy_oops::parse(data), "not the same twice");
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    kwhy_fuzz::change::log(data, size, max_size, seed)
});
