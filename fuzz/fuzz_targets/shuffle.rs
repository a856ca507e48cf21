//! Logs whose lines are mixed up: the same whole and in pieces, every face renders, and the work
//! grows no faster than the log.
#![no_main]

use kwhy_base::Lang;
use kwhy_diagnose::{Inputs, analyze_log};
use kwhy_oops::{Log, Scanner};
use kwhy_report::{Format, Options, render};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

/// How many times the log is repeated to see how the work grows.
const REPEATED: usize = 8;

/// The log in pieces whose sizes `seed` gives.
fn in_pieces(data: &[u8], mut seed: u64) -> Log {
    let mut scanner = Scanner::new();
    let mut crashes = Vec::new();
    let mut rest = data;
    let most = [3, 50, 1000, 30_000][(seed % 4) as usize];
    while !rest.is_empty() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Very small pieces only at first, lest tens of thousands of them take the time.
        let most = if rest.len() + 2000 < data.len() { most.max(1000) } else { most };
        let (piece, tail) = rest.split_at((1 + (seed >> 33) as usize % most).min(rest.len()));
        scanner.feed(piece);
        crashes.extend(scanner.crashes());
        rest = tail;
    }
    let mut log = scanner.finish();
    crashes.append(&mut log.crashes);
    Log { crashes, notes: log.notes }
}

/// Nanoseconds that this thread has run: waiting for other processes is no work.
fn worked() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

fn work(log: &[u8]) -> Option<u64> {
    let before = worked()?;
    let _ = kwhy_oops::parse(log);
    worked()?.checked_sub(before)
}

fuzz_target!(|data: &[u8]| {
    let seed = data.iter().fold(data.len() as u64, |sum, byte| sum.wrapping_mul(31) + u64::from(*byte));
    let mut whole = Scanner::new();
    whole.feed(data);
    let whole = whole.finish();
    assert!(in_pieces(data, seed) == whole, "not the same in pieces");
    if seed % 8 == 0 {
        let report = analyze_log(&whole, &Inputs { log: &[], images: Vec::new(), sources: None });
        for format in [Format::Json, Format::Text] {
            assert!(!render(&report, format, Lang::En, &Options::default()).is_empty());
        }
    }
    // Less than this is no measure of anything.
    if seed % 8 == 1 && data.len() > 2000 {
        let once = work(data);
        let often = work(&data.repeat(REPEATED));
        // A clock that has not moved measures nothing.
        if let (Some(once @ 1_000_000..), Some(often)) = (once, often) {
            let bound = once * REPEATED as u64 * 4 + 200_000_000;
            assert!(
                often < bound,
                "{} bytes take {once} ns, {REPEATED} times as many {often} ns",
                data.len()
            );
        }
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    kwhy_fuzz::change::shuffled(data, size, max_size, seed)
});
