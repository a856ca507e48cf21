//! CPU and process, named more than once in a report.

use kwhy_base::catalogue::damage as say;
use kwhy_base::prose;

use super::damage;
use crate::record::{CrashRecord, Damage, Family, Grade};
use crate::text::Line;
use crate::words::Words;

/// A WARN names CPU and PID in its first line and again in the line about the machine.
pub(super) fn cpu_and_pid(record: &CrashRecord, lines: &[&Line<'_>]) -> Vec<Damage> {
    if !matches!(record.family, Some(Family::Warning | Family::Refcount)) {
        return Vec::new();
    }
    let Some(header) = lines.first().and_then(|line| numbers(&line.text)) else { return Vec::new() };
    let Some((line, machine)) = lines
        .iter()
        .skip(1)
        .take(12)
        .filter(|line| line.text.trim_start().starts_with("CPU: ") && line.text.contains("Comm: "))
        .find_map(|line| numbers(&line.text).map(|n| (line.number, n)))
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (field, here, there) in [("CPU", machine.0, header.0), ("PID", machine.1, header.1)] {
        if here != there {
            let reason = prose!(say::CPU_DIFFERS, other = format!("{field}: {there}"));
            found.push(damage(line, field, &here.to_string(), None, Grade::Likely, reason));
        }
    }
    found
}

/// The numbers of `CPU: 0 PID: 12`, with `UID: 0` between them in newer kernels.
fn numbers(text: &str) -> Option<(u32, u32)> {
    let (_, rest) = text.cut("CPU: ")?;
    let mut words = rest.split_ascii_whitespace();
    let cpu = words.next()?.parse().ok()?;
    let (_, pid) = rest.cut("PID: ")?;
    let pid = pid.split_ascii_whitespace().next()?.parse().ok()?;
    Some((cpu, pid))
}

#[cfg(test)]
mod tests {
    use super::super::tests::record;

    const WARN: &str = "\
WARNING: CPU: 0 PID: 12 at kernel/x.c:625 f+0x74/0x80
Modules linked in: ringq(OE)
CPU: 0 PID: 12 Comm: swapper/0 Not tainted 6.1.0 #1
pc : f+0x74/0x80
Call trace:
 f+0x74/0x80
---[ end trace 0000000000000000 ]---
";

    #[test]
    fn one_task_on_one_cpu() {
        assert_eq!(record(WARN).damage, []);
        let found = record(&WARN.replacen("CPU: 0 PID: 12 Comm", "CPU: 0 PID: 21 Comm", 1)).damage;
        assert_eq!(found.iter().map(|d| d.field.as_str()).collect::<Vec<_>>(), ["PID"]);
    }
}
