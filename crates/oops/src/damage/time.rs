//! Timestamps that run backwards.

use kwhy_base::catalogue::damage as say;
use kwhy_base::prose;

use super::damage;
use crate::record::{CrashRecord, Damage, Grade};
use crate::text::Line;

/// printk takes the time before the line gets its place in the log, so that lines of different
/// CPUs overtake each other; not by this much (seconds).
const OVERTAKING: f64 = 0.010;

/// Each maximal backward jump, once.
pub(super) fn backwards(record: &CrashRecord, lines: &[&Line<'_>]) -> Vec<Damage> {
    // With caller ids every line is of one context already; without, NMI dumps of other CPUs
    // arrive late as a whole.
    if lines.iter().any(|line| line.text.contains("Sending NMI") || line.text.contains("NMI backtrace")) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut latest: Option<(u32, f64)> = None;
    let mut behind = false;
    for (index, (line, time)) in record.timestamps.iter().copied().enumerate() {
        let Some((before_line, before)) = latest else {
            latest = Some((line, time));
            continue;
        };
        if time >= before - OVERTAKING {
            behind = false;
            if time > before {
                latest = Some((line, time));
            }
            continue;
        }
        if std::mem::replace(&mut behind, true) {
            continue;
        }
        // The first later time that is ahead again bounds what the right one can have been.
        let after = record.timestamps.iter().skip(index).map(|(_, t)| *t).find(|t| *t >= before);
        let likely = swapped(time, before, after);
        let seconds = format!("{:.6}", before - time);
        let reason = match likely {
            Some(_) => prose!(say::TIME_BACKWARDS_LIKELY, seconds = seconds, line = before_line),
            None => prose!(say::TIME_BACKWARDS, seconds = seconds, line = before_line),
        };
        let grade = if likely.is_some() { Grade::Possible } else { Grade::Proved };
        found.push(damage(line, "timestamp", &format!("{time:.6}"), likely, grade, reason));
    }
    found
}

/// The only exchange of two neighbouring digits that puts `time` between its neighbours.
fn swapped(time: f64, before: f64, after: Option<f64>) -> Option<String> {
    let after = after?;
    let printed = format!("{time:.6}");
    let digits = printed.as_bytes();
    let mut fitting = (1..digits.len()).filter_map(|at| {
        let mut other = digits.to_vec();
        if digits.get(at) == digits.get(at - 1)
            || digits.get(at) == Some(&b'.')
            || digits.get(at - 1) == Some(&b'.')
        {
            return None;
        }
        other.swap(at, at - 1);
        let text = String::from_utf8(other).ok()?;
        let value = text.parse::<f64>().ok()?;
        (value >= before && value <= after).then_some(text)
    });
    let first = fitting.next()?;
    fitting.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ARM64, after, one, record};
    use super::*;

    #[test]
    fn each_jump_is_reported_once() {
        let found = one(ARM64, "[   10.000020]", "[    9.500020]");
        assert_eq!((found.line, found.field.as_str(), found.likely), (20, "timestamp", None));
        let log = ARM64
            .replace("[   10.000020]", "[    9.5]")
            .replace("10.00002", "10.40002")
            .replace("10.000021", "9.900021");
        assert!(record(&log).damage.len() <= 1);
    }

    #[test]
    fn two_digits_exchanged() {
        let mut log = String::new();
        for (n, line) in ARM64.lines().enumerate() {
            // 485471 misread as 458471, between 484… and 490….
            let time = if n < 18 {
                "54278.484901"
            } else if n == 18 {
                "54278.458471"
            } else {
                "54278.490594"
            };
            log.push_str(&format!("[{time}]{}\n", &line[14..]));
        }
        let found = record(&log).damage;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].likely.as_deref(), found[0].grade), (Some("54278.485471"), Grade::Possible));
    }

    #[test]
    fn small_overtaking_is_no_damage() {
        assert!(after(ARM64, "[   10.000020]", "[    9.999020]").is_empty());
    }
}
