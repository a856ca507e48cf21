//! Places in the code: their names, modules, sizes and offsets against one another.

use std::collections::BTreeMap;

use kwhy_base::catalogue::damage as say;
use kwhy_base::prose;

use super::{Repair, Row, shapes, words};

/// A place in the code, and the row it stands on.
#[derive(Clone, Debug)]
struct Site {
    row: usize,
    kind: &'static str,
    /// What stands before the name.
    before: String,
    name: String,
    offset: u64,
    size: u64,
    module: Option<String>,
}

impl Site {
    fn read(row: usize, text: &str) -> Option<Site> {
        let body = text.trim();
        let heads =
            [("RIP: 0010:", shapes::PC), ("pc : ", shapes::PC), ("lr : ", shapes::LR), ("? ", shapes::FRAME)];
        let (before, kind) =
            heads.into_iter().find(|(head, _)| body.starts_with(head)).unwrap_or(("", shapes::FRAME));
        let (name, rest) = body.get(before.len()..)?.split_once("+0x")?;
        let (numbers, module) = match rest.split_once(" [") {
            Some((numbers, module)) => (numbers, Some(module.strip_suffix(']')?.to_owned())),
            None => (rest, None),
        };
        let (offset, size) = numbers.split_once("/0x")?;
        let number = |digits: &str| u64::from_str_radix(digits, 16).ok();
        // What is no name at all is another sort of line.
        let odd =
            name.is_empty() || name.contains([':', '<', '(', '[', '=']) || name.matches(' ').count() > 1;
        (!odd).then_some(Site {
            row,
            kind,
            before: before.to_owned(),
            name: name.to_owned(),
            offset: number(offset)?,
            size: number(size)?,
            module,
        })
    }

    fn place(&self) -> String {
        let module = self.module.as_ref().map(|module| format!(" [{module}]")).unwrap_or_default();
        format!("{}+{:#x}/{:#x}{module}", self.name, self.offset, self.size)
    }
}

/// Mends names and modules in the rows; sizes and offsets that others contradict are only told.
pub(super) fn mend(rows: &mut [Row], near: &[bool], repairs: &mut Vec<Repair>) {
    let changed = repairs.len() + rows.iter().filter(|row| row.before != row.text).count();
    // One odd line is no damaged log; and what is one name to us may be two to its authors.
    const DAMAGED: usize = 2;
    if changed < DAMAGED {
        return;
    }
    let mut sites: Vec<Site> = rows
        .iter()
        .enumerate()
        .filter(|(at, _)| near.get(*at) == Some(&true))
        .filter_map(|(at, row)| Site::read(at, &row.text))
        .collect();
    let loaded = modules(rows);
    let own: Vec<String> = sites.iter().filter_map(|site| site.module.clone()).collect();
    let known = names(&sites);
    for site in &mut sites {
        let name = better_name(site, &known);
        let module = site.module.as_ref().and_then(|module| better_module(module, &loaded, &own));
        if name.is_none() && module.is_none() {
            continue;
        }
        site.name = name.unwrap_or_else(|| site.name.clone());
        site.module = module.or_else(|| site.module.take());
        if let Some(row) = rows.get_mut(site.row) {
            let indent = row.text.len() - row.text.trim_start().len();
            row.text = format!("{}{}{}", " ".repeat(indent), site.before, site.place());
            row.kind = site.kind;
            row.named = true;
        }
    }
    numbers(&sites, rows, repairs);
}

/// What is known of a name in this log.
#[derive(Default)]
struct Known {
    count: usize,
    sizes: Vec<u64>,
}

fn names(sites: &[Site]) -> BTreeMap<String, Known> {
    let mut all: BTreeMap<String, Known> = BTreeMap::new();
    for site in sites.iter().filter(|site| words::is_legal(&site.name)) {
        let known = all.entry(site.name.clone()).or_default();
        known.count += 1;
        known.sizes.push(site.size);
    }
    all
}

/// Whether a character stands in `name` that hands and machines write for another.
fn is_odd(name: &str) -> bool {
    let chars: Vec<char> = name.chars().collect();
    !words::is_legal(name)
        || chars.windows(3).any(|three| match three {
            [a, b, c] => {
                a.is_ascii_lowercase()
                    && c.is_ascii_lowercase()
                    && (b.is_ascii_digit() || b.is_ascii_uppercase())
            }
            _ => false,
        })
}

fn better_name(site: &Site, known: &BTreeMap<String, Known>) -> Option<String> {
    let name = &site.name;
    let spelled = words::is_known(name);
    let own = known.get(name).map_or(0, |known| known.count);
    if spelled && own > 1 {
        return None;
    }
    // The same function elsewhere in the log.
    let near = known.iter().filter(|(other, _)| *other != name).filter_map(|(other, facts)| {
        let better =
            facts.count > own || (is_odd(name) && !is_odd(other)) || (!spelled && words::is_known(other));
        let same_size = facts.sizes.contains(&site.size);
        let limit = match (same_size, spelled) {
            (true, _) => 6,
            (false, false) => 3,
            (false, true) => return None,
        };
        let cost = better.then(|| words::cost(other, name, limit)).flatten()?;
        Some((!same_size, cost, other))
    });
    if let Some((_, _, other)) = near.min() {
        return Some(other.clone());
    }
    if spelled || own > 1 {
        return None;
    }
    // Modules' functions have names that only their authors know.
    if site.module.is_some() && !is_odd(name) {
        return None;
    }
    let better = words::mended(name);
    if is_odd(name) {
        return better.or_else(|| {
            (!words::is_legal(name))
                .then(|| name.replace([' ', '-'], "_").replace(',', ".").replace('|', "l"))
        });
    }
    // A name that could be one is left alone but for a slip that hands and machines make.
    const CLEAR: u32 = 3;
    better.filter(|better| name.len() > 5 && words::cost(better, name, CLEAR).is_some())
}

/// The names of `Modules linked in:`.
fn modules(rows: &[Row]) -> Vec<String> {
    rows.iter()
        .filter_map(|row| row.text.trim().strip_prefix("Modules linked in:"))
        .flat_map(|list| list.split_ascii_whitespace())
        .map(|word| word.split('(').next().unwrap_or(word).to_owned())
        .filter(|name| words::is_legal(name) && name.len() > 1)
        .collect()
}

fn better_module(name: &str, loaded: &[String], own: &[String]) -> Option<String> {
    let count = |name: &str| own.iter().filter(|module| *module == name).count();
    let listed = |name: &str| loaded.iter().any(|module| module == name);
    if listed(name) || (count(name) > 1 && !is_odd(name)) {
        return None;
    }
    let near = loaded.iter().chain(own).filter(|other| *other != name && !is_odd(other));
    // The list is read like any other line: a name of it counts no more than one of a frame.
    let near = near.filter(|other| count(other) + usize::from(listed(other)) >= count(name));
    let near = near.filter_map(|other| Some((words::cost(other, name, 6)?, other)));
    near.min().map(|(_, module)| module.clone())
}

/// One function has one size, and the program counter is printed more than once.
fn numbers(sites: &[Site], rows: &[Row], repairs: &mut Vec<Repair>) {
    let mut by_name: BTreeMap<(&str, Option<&str>), Vec<&Site>> = BTreeMap::new();
    for site in sites {
        by_name.entry((&site.name, site.module.as_deref())).or_default().push(site);
    }
    let arm64 = rows.iter().any(|row| row.text.trim_start().starts_with("pc : "));
    for group in by_name.values() {
        // Of two sizes the one that more lines say, and of those that as many say the one that the
        // linker would have made: code is laid out in steps of sixteen bytes on x86.
        let weight = |size: u64| {
            let votes = group.iter().filter(|site| site.size == size).count();
            let fits = group.iter().filter(|site| site.offset <= size).count();
            2 * votes + fits + usize::from(size.is_multiple_of(if arm64 { 4 } else { 16 }))
        };
        let mut sizes: Vec<u64> = group.iter().map(|site| site.size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes.sort_by_key(|size| std::cmp::Reverse(weight(*size)));
        let size = match sizes.as_slice() {
            [best, second, ..] if weight(*best) > weight(*second) => Some(*best),
            [only] => Some(*only),
            _ => None,
        };
        for site in group {
            let right = size.unwrap_or(site.size);
            let offset = better_offset(site, group, right, arm64).unwrap_or(site.offset);
            if right == site.size && offset == site.offset {
                continue;
            }
            let near = |a: u64, b: u64| a == b || crate::slip::near_miss(&format!("{a:x}"), b).is_some();
            if !near(site.size, right) || !near(site.offset, offset) {
                continue;
            }
            let better = Site { size: right, offset, ..(*site).clone() };
            repairs.push(Repair {
                line: rows.get(site.row).map_or(0, |row| row.number),
                field: site.kind.to_owned(),
                printed: site.place(),
                likely: better.place(),
                reason: prose!(say::PLACE_REPEATED),
            });
        }
    }
}

/// The offset that other lines give for the same place.
fn better_offset(site: &Site, group: &[&Site], size: u64, arm64: bool) -> Option<u64> {
    let wrong = site.offset > size || arm64 && !site.offset.is_multiple_of(4);
    let others = group.iter().filter(|other| other.row != site.row && other.offset != site.offset);
    let mut offsets: Vec<u64> = others
        .map(|other| other.offset)
        .filter(|offset| {
            *offset <= size
                && (!arm64 || offset.is_multiple_of(4))
                && crate::slip::near_miss(&format!("{:x}", site.offset), *offset).is_some()
        })
        .collect();
    offsets.sort_unstable();
    let (first, last) = (*offsets.first()?, *offsets.last()?);
    let agreed =
        first == last && offsets.len() > 1 && group.iter().filter(|s| s.offset == site.offset).count() == 1;
    (first == last && (wrong || (site.kind == shapes::PC && agreed))).then_some(first)
}
