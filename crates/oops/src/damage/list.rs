//! The module list, cut or broken.

use std::collections::BTreeSet;

use kwhy_base::catalogue::damage as say;
use kwhy_base::prose;

use super::damage;
use crate::fields::looks_cut;
use crate::record::{CrashRecord, Damage, Grade};
use crate::text::Line;

/// Entries cut in their middle, names broken apart, a list that stops short.
pub(super) fn modules(record: &CrashRecord, lines: &[&Line<'_>]) -> Vec<Damage> {
    let mut found = Vec::new();
    let linked = || record.modules.iter().filter(|m| !m.last_unloaded);
    for module in linked() {
        if module.name.len() == 1 {
            let reason = prose!(say::MODULE_BROKEN);
            found.push(damage(module.line, "module list", &module.name, None, Grade::Likely, reason));
        }
    }
    let Some(last) = linked().next_back() else { return found };
    let closed = record.modules.iter().any(|m| m.last_unloaded);
    // An entry with its parenthesis open.
    let of_the_list = record.modules.iter().map(|m| m.line).collect::<BTreeSet<_>>();
    for line in lines.iter().filter(|line| of_the_list.contains(&line.number)) {
        let open = line.text.rsplit_once('(').is_some_and(|(_, tail)| !tail.contains(')'));
        if open {
            let entry = line.text.split_ascii_whitespace().last().unwrap_or_default();
            let reason = prose!(say::MODULE_CUT);
            found.push(damage(line.number, "module list", entry, None, Grade::Proved, reason));
        }
    }
    if !closed && last.name.len() > 1 && looks_cut(&last.name) && last.taints.is_empty() {
        let reason = prose!(say::MODULE_CUT_SHORT, name = &last.name);
        found.push(damage(last.line, "module list", &last.name, None, Grade::Possible, reason));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ARM64, after, one, record};

    #[test]
    fn cut_and_broken_lists() {
        let found = one(ARM64, "driver(OE) virtio_net", "driver(OE) virtio_net cr");
        assert_eq!((found.field.as_str(), found.printed.as_str()), ("module list", "cr"));
        let found = one(ARM64, "driver(OE) virtio_net", "driver(OE) virtio n etx");
        assert_eq!(found.printed, "n");
        let found = one(ARM64, "driver(OE) virtio_net", "virtio_net driver(O");
        assert_eq!(found.printed, "driver(O");
        assert!(record(&ARM64.replace("driver(OE) virtio_net", "virtio_net driver(O")).modules_cut);
    }

    #[test]
    fn whole_lists() {
        for list in ["a_b(OE+) sg", "virtio_net [last unloaded: cr]", "st", "8021q", "driver(PO)"] {
            assert!(after(ARM64, "driver(OE) virtio_net", list).is_empty(), "{list}");
        }
    }
}
