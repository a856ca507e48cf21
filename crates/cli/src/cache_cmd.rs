//! `kwhy cache list|clean`: what was kept of what was learned and fetched.

use crate::args::{CacheArgs, CacheCommand, CacheKindArg, CleanArgs};
use crate::command_error::CommandError;
use crate::output::Output;
use kwhy_base::catalogue::fetch_cmd as c;
use kwhy_base::prose;
use kwhy_fetch::Cache;
use kwhy_fetch::cache::{Entry, Kind};
use kwhy_report::Format;
use kwhy_report::doc::{Block, Inline, Table, Tone};
use kwhy_report::document::words::say;
use serde_json::json;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Lists or cleans the cache.
pub fn run(args: &CacheArgs) -> Result<ExitCode, CommandError> {
    let cache = Cache::from_environment()
        .ok_or_else(|| CommandError::unusable(prose!(c::NO_CACHE)).hint(prose!(c::HINT_CACHE)))?;
    match &args.command {
        CacheCommand::List(list) => show(&cache, &cache.list(), None, &Output::new(&list.output)),
        CacheCommand::Clean(clean) => {
            let removed = cache
                .remove(|entry| goes(entry, clean, SystemTime::now()))
                .map_err(|error| CommandError::unusable(prose!(c::CANNOT_CLEAN)).because(error))?;
            show(&cache, &removed, Some(removed.len()), &Output::new(&clean.output))
        }
    }
}

/// Whether an entry is to be removed.
fn goes(entry: &Entry, clean: &CleanArgs, now: SystemTime) -> bool {
    let kind = clean.kind.is_none_or(|kind| entry.kind == named(kind));
    let old = clean.unused.is_none_or(|days| {
        let age = entry.used.and_then(|used| now.duration_since(used).ok());
        age.is_some_and(|age| age >= Duration::from_secs(u64::from(days).saturating_mul(24 * 3600)))
    });
    kind && old
}

fn named(kind: CacheKindArg) -> Kind {
    match kind {
        CacheKindArg::Index => Kind::Index,
        CacheKindArg::Image => Kind::Image,
        CacheKindArg::Partial => Kind::Partial,
        CacheKindArg::Packages => Kind::Packages,
    }
}

fn show(
    cache: &Cache,
    entries: &[Entry],
    removed: Option<usize>,
    output: &Output,
) -> Result<ExitCode, CommandError> {
    let total = entries.iter().fold(0u64, |sum, entry| sum.saturating_add(entry.size));
    let folder = cache.root().to_string_lossy();
    output.write(&match output.format {
        Format::Json => {
            let entries: Vec<_> = entries
                .iter()
                .map(|entry| {
                    json!({
                        "kind": entry.kind.name(),
                        "key": entry.key,
                        "path": entry.path.to_string_lossy(),
                        "bytes": entry.size,
                        "used": entry.used.and_then(|used| Some(used.duration_since(UNIX_EPOCH).ok()?.as_secs())),
                        "holds": entry.holds,
                    })
                })
                .collect();
            let value = json!({
                "schema": "kwhy-cache/1",
                "folder": folder,
                "limit": cache.limit(),
                "bytes": total,
                if removed.is_some() { "removed" } else { "entries" }: entries,
            });
            format!("{value:#}\n")
        }
        format => {
            let line = match removed {
                Some(count) => prose!(c::REMOVED, count = count, size = size(total), path = folder),
                None => prose!(
                    c::CACHE_HOLDS,
                    path = folder,
                    count = entries.len(),
                    size = size(total),
                    limit = size(cache.limit())
                ),
            };
            let mut blocks = vec![Block::Paragraph(Inline::of(&line.render(output.lang), Tone::Plain))];
            if !entries.is_empty() {
                let header = [&c::KIND, &c::KEY, &c::SIZE, &c::HOLDS];
                blocks.push(Block::Table(Table {
                    header: header.iter().map(|message| say(output.lang, message).to_owned()).collect(),
                    rows: entries.iter().map(row).collect(),
                }));
            }
            kwhy_report::render_document(&blocks, format, output.lang, &output.options).unwrap_or_default()
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn row(entry: &Entry) -> Vec<Inline> {
    // Package folders hold dozens of lists that nobody asked for.
    let holds = if entry.kind == Kind::Image { entry.holds.join(" ") } else { String::new() };
    vec![
        Inline::of(entry.kind.name(), Tone::Weak),
        Inline::of(&entry.key, Tone::Code),
        Inline::of(&size(entry.size), Tone::Plain),
        Inline::of(&holds, Tone::Code),
    ]
}

/// Bytes as people read them, in powers of 1024.
pub fn size(bytes: u64) -> String {
    let mut unit = "B";
    let mut tenths = bytes.saturating_mul(10);
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if tenths < 10 * 1024 {
            break;
        }
        tenths /= 1024;
        unit = next;
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{}.{} {unit}", tenths / 10, tenths % 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (10 << 30, "10.0 GiB")] {
            assert_eq!(size(bytes), text);
        }
    }
}
