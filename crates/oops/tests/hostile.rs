//! No input panics, and none takes more than time in proportion to its length.

use std::time::{Duration, Instant};

const SHAPES: &[&str] = &[
    include_str!("../../../examples/ubuntu-arm64-insmod.log"),
    include_str!("shapes/x86-gpf.log"),
    include_str!("shapes/mixed.log"),
];

/// Numbers that only look random: the same in every run (Knuth's MMIX constants).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below.max(1)
    }
}

#[test]
fn every_truncation() {
    for shape in SHAPES {
        for end in 0..shape.len() {
            // Every place within the first lines, then every seventh.
            if end < 600 || end % 7 == 0 {
                let log = kwhy_oops::parse(&shape.as_bytes()[..end]);
                assert!(log.crashes.iter().all(|c| c.first_line <= c.last_line));
            }
        }
    }
}

#[test]
fn changed_bytes() {
    let mut numbers = Numbers(1);
    for shape in SHAPES {
        for _ in 0..600 {
            let mut bytes = shape.as_bytes().to_vec();
            for _ in 0..1 + numbers.next(24) {
                let at = numbers.next(bytes.len());
                match numbers.next(4) {
                    0 => bytes[at] = numbers.next(256) as u8,
                    1 => {
                        bytes.remove(at);
                    }
                    2 => bytes.insert(at, b" \n:[]<>+x0\xff\0("[numbers.next(13)]),
                    _ => {
                        let other = numbers.next(bytes.len());
                        bytes.swap(at, other);
                    }
                }
            }
            let _ = kwhy_oops::parse(&bytes);
        }
    }
}

#[test]
fn shuffled_lines() {
    let mut numbers = Numbers(7);
    let lines = SHAPES.iter().flat_map(|shape| shape.lines()).collect::<Vec<_>>();
    for _ in 0..300 {
        let text =
            (0..numbers.next(120)).map(|_| lines[numbers.next(lines.len())]).collect::<Vec<_>>().join("\n");
        let first = kwhy_oops::parse(text.as_bytes());
        assert_eq!(first, kwhy_oops::parse(text.as_bytes()), "not deterministic");
    }
}

#[test]
fn strange_inputs() {
    for text in [
        "\u{1b}[",
        "[",
        "[ 1.",
        "[<",
        "BUG:",
        "BUG: ",
        "WARNING:",
        "Call Trace:\n",
        "Modules linked in:",
        "Code:",
        "RIP: 0010:",
        "pc : ",
        "ESR = 0x",
        "x0 :",
        "BUG: KASAN: ",
        "BUG: KASAN: x in ",
        "Kernel panic",
        "Kernel Offset: ",
        "INFO: task ",
        "Oops: [#",
        "[#1]",
        "Internal error: : [#",
        "Internal error: x [#1",
        "WARNING: CPU: ",
        "UBSAN: ",
        "+0x/0x",
        "a+0x/0x",
        "PID: ",
    ] {
        for glue in ["", "\n", "\n[    1.000000] "] {
            let _ = kwhy_oops::parse(format!("BUG: x{glue}{text}").as_bytes());
            let _ = kwhy_oops::parse(format!("{text}{glue}{text}").as_bytes());
        }
    }
}

#[test]
fn time_grows_with_length_only() {
    let inputs = [
        "BUG: unable to handle page fault for address: 0\n".repeat(20_000),
        "[    1.000000] a[    1.000000] ".repeat(30_000),
        format!("BUG: x\nCall Trace:\n{}", " f+0x1/0x2\n".repeat(60_000)),
        format!("BUG: x\nModules linked in:{}\n", " a(OE)\n b c d".repeat(40_000)),
        format!("BUG: x\n{}", "list_del x\n".repeat(60_000)),
        "<".repeat(400_000),
        format!("BUG: {}", ">".repeat(400_000)),
        "> ".repeat(200_000),
        format!("BUG: x\nRIP: 0010:{}", "a::<".repeat(100_000)),
        "WARNING: possible circular locking dependency detected\n at: f\n".repeat(10_000),
    ];
    for text in inputs {
        let start = Instant::now();
        let _ = kwhy_oops::parse(text.as_bytes());
        // Generous by an order of magnitude for a busy machine; quadratic work would take minutes.
        println!("{:?} for {:.40}", start.elapsed(), text);
        assert!(start.elapsed() < Duration::from_secs(20), "{:?} for {:.40}", start.elapsed(), text);
    }
}
