//! Logs mixed up as the fuzz target `shuffle` mixes them: the same whole and in pieces, and work
//! that grows no faster than the log. `KWHY_ROUNDS` asks for more of them.

#![allow(missing_docs, clippy::unwrap_used)] // A test may fail as it likes.

use kwhy_oops::{Log, Scanner};

#[path = "../../../fuzz/src/change/shuffle.rs"]
mod shuffle;

const LOGS: [&str; 3] = [
    include_str!("../../../examples/ubuntu-arm64-insmod.log"),
    include_str!("shapes/x86-gpf.log"),
    include_str!("shapes/mixed.log"),
];

/// Numbers that only look random: the same in every run (Knuth's MMIX constants).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

fn rounds(default: u64) -> u64 {
    std::env::var("KWHY_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(default)
}

/// One of the logs, or one of `KWHY_SYZ_DIR`, mixed up a few times.
fn mixed(numbers: &mut Numbers, more: &[Vec<u8>]) -> Vec<u8> {
    let which = numbers.below(LOGS.len() + more.len());
    let mut log = match LOGS.get(which) {
        Some(log) => log.as_bytes().to_vec(),
        None => more[which - LOGS.len()].clone(),
    };
    for _ in 0..1 + numbers.below(4) {
        log = shuffle::shuffled(&log, numbers);
        log.truncate(200_000);
    }
    log
}

/// Real logs that are not part of the project, where there are any.
fn more() -> Vec<Vec<u8>> {
    let Some(dir) = std::env::var_os("KWHY_SYZ_DIR") else { return Vec::new() };
    let mut paths: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "log"))
        .map(|p| std::fs::read(p).unwrap())
        .collect()
}

fn in_pieces(data: &[u8], most: usize, numbers: &mut Numbers) -> Log {
    let mut scanner = Scanner::new();
    let mut crashes = Vec::new();
    let mut rest = data;
    while !rest.is_empty() {
        let (piece, tail) = rest.split_at((1 + numbers.below(most)).min(rest.len()));
        scanner.feed(piece);
        crashes.extend(scanner.crashes());
        rest = tail;
    }
    let mut log = scanner.finish();
    crashes.append(&mut log.crashes);
    Log { crashes, notes: log.notes }
}

#[test]
fn whole_and_in_pieces() {
    let more = more();
    for seed in 0..rounds(60) {
        let mut numbers = Numbers(seed);
        let log = mixed(&mut numbers, &more);
        let most = [100, 3000, 60_000][numbers.below(3)];
        let mut whole = Scanner::new();
        whole.feed(&log);
        assert!(in_pieces(&log, most, &mut numbers) == whole.finish(), "seed {seed}");
    }
}

/// Nanoseconds that this thread has run: waiting for other processes is no work.
fn worked() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

#[test]
fn work_grows_no_faster_than_the_log() {
    const REPEATED: usize = 16;
    let more = more();
    for seed in 0..rounds(10) {
        let log = mixed(&mut Numbers(seed), &more);
        let work = |log: &[u8]| {
            let before = worked();
            let _ = kwhy_oops::parse(log);
            Some(worked()? - before?)
        };
        let Some(once) = (0..3).filter_map(|_| work(&log)).min() else { return };
        let often = work(&log.repeat(REPEATED)).unwrap();
        assert!(often < once * REPEATED as u64 * 4 + 400_000_000, "seed {seed}: {once} ns, then {often} ns");
    }
}
