//! The crash that everyone is asked about: its first five frames and where they are in the image.

use crate::lab::judge::Exhibit;
use crate::tool;
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// How many frames are asked for.
const FRAMES: usize = 5;

/// A recorded crash in the kernel proper.
pub struct Crash {
    /// The console log.
    pub log: PathBuf,
    /// vmlinux with DWARF.
    pub vmlinux: PathBuf,
    /// Debian's architecture.
    pub arch: String,
    /// The case's name.
    pub case: String,
    /// `mod_sysfs_setup+0x2c6/0x700`, innermost first, as the log prints them.
    pub frames: Vec<String>,
    /// The same in the image.
    pub addresses: Vec<u64>,
    /// Where the kernel begins and ends in the image.
    pub kernel: (u64, u64),
    /// `sysfs.c:263`: where it faulted, known from the recording.
    pub fault: String,
}

impl Crash {
    /// Reads the log and looks the frames' symbols up, which nobody is charged for.
    pub fn read(exhibit: &Exhibit, vmlinux: PathBuf) -> Result<Crash> {
        let log = exhibit.dir.join("console.log");
        let frames = frames(&String::from_utf8_lossy(&fs::read(&log)?));
        let listed = tool::text(Command::new("nm").arg(&vmlinux)).context("nm (package binutils)")?;
        let mut symbols = BTreeMap::new();
        for line in listed.lines() {
            let mut words = line.split(' ');
            if let (Some(address), Some(_), Some(name)) = (words.next(), words.next(), words.next())
                && let Ok(address) = u64::from_str_radix(address, 16)
            {
                symbols.entry(name).or_insert(address);
            }
        }
        let place = |frame: &String| {
            let (name, offset) = frame.split('/').next()?.split_once("+0x")?;
            symbols.get(name)?.checked_add(u64::from_str_radix(offset, 16).ok()?)
        };
        let addresses =
            frames.iter().map(place).collect::<Option<Vec<u64>>>().context("a frame is not in vmlinux")?;
        let edge = |name: &str| symbols.get(name).copied().with_context(|| format!("vmlinux has no {name}"));
        let text = |key: &str| exhibit.truth.get(key).and_then(Value::as_str);
        let file = text("file").context("truth.json has no file")?.rsplit('/').next().unwrap_or_default();
        let line = exhibit.truth.get("line").and_then(Value::as_u64).context("truth.json has no line")?;
        Ok(Crash {
            arch: text("arch").context("truth.json has no arch")?.to_owned(),
            case: exhibit.case.clone(),
            kernel: (edge("_text")?, edge("_end")?),
            fault: format!("{file}:{line}"),
            log,
            vmlinux,
            frames,
            addresses,
        })
    }
}

/// The faulting function and its callers; what the kernel marks as stale is left out.
fn frames(log: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut in_trace = false;
    for line in log.lines() {
        let line = line.split_once("] ").map_or(line, |(_, rest)| rest).trim();
        if line.eq_ignore_ascii_case("call trace:") {
            in_trace = true;
        } else if let Some(at) = line.strip_prefix("RIP: 0010:").filter(|_| found.is_empty()) {
            found.push(at.to_owned());
        } else if in_trace && line.contains("+0x") && !line.contains(' ') {
            found.push(line.to_owned());
        }
        if found.len() == FRAMES {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_frames_are_left_out() {
        let log = "[    1.0] RIP: 0010:a+0x1/0x10\n[    1.0] Call Trace:\n[    1.0]  <TASK>\n\
            [    1.0]  ? stale+0x1/0x2\n[    1.0]  b.constprop.0+0x2/0x20\n[    1.0] RIP: 0033:0x47\n";
        assert_eq!(frames(log), ["a+0x1/0x10", "b.constprop.0+0x2/0x20"]);
        let log = "[    1.0] pc : a+0x4/0x10\n[    1.0] Call trace:\n[    1.0]  a+0x4/0x10\n[    1.0]  b+0x8/0x20\n";
        assert_eq!(frames(log), ["a+0x4/0x10", "b+0x8/0x20"]);
    }
}
