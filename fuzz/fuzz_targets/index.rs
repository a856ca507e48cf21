//! An image with what is left of its index, and with one that lies.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| kwhy_fuzz::index::ask(data));
