//! Logs mixed up as machines and people mix them: writers interleaved, lines out of order, lost,
//! printed twice, under another transport's prefix, and between the chatter of a healthy system.

use super::{LOGS, Numbers};

/// What transports put in front of a line, and what spoils one.
const PREFIXES: [&str; 12] = [
    "[   12.345678] ",
    "[   12.345678][    T1] ",
    "[   12.345678][   C1] ",
    "[   12.345678] [ T2345] ",
    "<4>",
    "> ",
    "Nov 22 11:44:54 host kernel: ",
    "4,339,5140900,-,caller=T7;",
    "2026-11-22T11:44:54,123456+00:00 ",
    "** 5 printk messages dropped ** ",
    "\x1b[31m",
    "\t ",
];

/// Lines that begin, end or feign something.
const LINES: [&str; 16] = [
    "Call Trace:",
    " <TASK>",
    "---[ end trace 0000000000000000 ]---",
    "------------[ cut here ]------------",
    "** replaying previous printk message **",
    "Linux version 6.1.0 (gcc) #1 SMP",
    "Insufficient stack space to handle exception!",
    "Kernel panic - not syncing: kernel stack overflow",
    "Kernel panic - not syncing: Fatal exception",
    "Sending NMI from CPU 0 to CPUs 1:",
    "Modules linked in: a b c(OE)",
    "INFO: lockdep is turned off.",
    "BUG: sleeping function called from invalid context at a.c:1",
    "WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2",
    "INFO: task a:1 blocked for more than 143 seconds.",
    "Code: Oops: BUG: WARNING: INFO: UBSAN: Kernel panic",
];

/// `text` mixed up.
pub(super) fn shuffled(text: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    for _ in 0..1 + numbers.below(3) {
        let at = numbers.below(lines.len());
        let length = 1 + numbers.below(60);
        let end = (at + length).min(lines.len());
        match numbers.below(12) {
            // A run in another order.
            0 => {
                for index in at..end {
                    let other = at + numbers.below(end - at);
                    lines.swap(index, other);
                }
            }
            // Every so many lines lost.
            1 => {
                let every = 2 + numbers.below(6);
                let mut index = 0;
                lines.retain(|_| {
                    index += 1;
                    index % every != 0
                });
            }
            2 => {
                let run: Vec<_> = lines.get(at..end).unwrap_or_default().to_vec();
                lines.splice(end..end, run);
            }
            // Another log's lines between these, each under its writer's name.
            3 | 4 => lines = interleaved(&lines, numbers),
            // Lines of one under the prefixes of another.
            5 => {
                let prefix = PREFIXES[numbers.below(PREFIXES.len())].as_bytes();
                for line in lines.get_mut(at..end).unwrap_or_default() {
                    let body = match line.iter().position(|byte| *byte == b']') {
                        Some(close) if numbers.below(2) == 0 => line.split_off((close + 2).min(line.len())),
                        _ => std::mem::take(line),
                    };
                    *line = [prefix, &body].concat();
                }
            }
            // Two lines in one, or one in two.
            6 => {
                for line in lines.get_mut(at..end).unwrap_or_default() {
                    if line.ends_with(b"\n") {
                        line.pop();
                    }
                }
            }
            7 => {
                for line in lines.get_mut(at..end).unwrap_or_default() {
                    let cut = numbers.below(line.len());
                    line.insert(cut, b'\n');
                }
            }
            // Health in between, as much as it likes.
            8 => {
                let chatter = b"[    9.000001] eth0: link is up, comm=a INFO: fine\n".to_vec();
                let count = [3, 70, 600][numbers.below(3)];
                lines.splice(at..at, std::iter::repeat_n(chatter, count));
            }
            // The same line over and over.
            9 | 10 => {
                let line = format!("{}\n", LINES[numbers.below(LINES.len())]).into_bytes();
                let count = [1, 2, 9, 200][numbers.below(4)];
                lines.splice(at..at, std::iter::repeat_n(line, count));
            }
            // One endless line.
            _ => {
                let word = LINES[numbers.below(LINES.len())];
                let line = word.repeat(1 + numbers.below(1500));
                lines.splice(at..at, [line.into_bytes()]);
            }
        }
    }
    lines.concat()
}

fn interleaved(lines: &[Vec<u8>], numbers: &mut Numbers) -> Vec<Vec<u8>> {
    let other: Vec<&str> = LOGS[numbers.below(LOGS.len())].split_inclusive('\n').collect();
    let mut other = other.into_iter().skip(numbers.below(20)).peekable();
    let named = numbers.below(2) == 0;
    let mut mixed = Vec::new();
    for line in lines {
        mixed.push(line.clone());
        while numbers.below(3) > 0 {
            let Some(text) = other.next() else { break };
            let text = match text.split_once("] ").filter(|_| named) {
                Some((time, text)) => format!("{time}][    T9] {text}"),
                None => text.to_owned(),
            };
            mixed.push(text.into_bytes());
        }
    }
    mixed
}
