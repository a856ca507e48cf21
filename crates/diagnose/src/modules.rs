//! The modules of the log: what their letters mean, and why one of them may be involved.

use crate::entry;
use crate::names::base_name;
use kwhy_base::catalogue::verdict as say;
use kwhy_base::{Prose, prose};
use kwhy_oops::{CrashRecord, ModuleEntry};
use kwhy_report::model;

/// The module that the loader was working on, and whether the log itself says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// `true` when the list marks it with `+`; `false` when it only stands first in the list.
    pub marked: bool,
    /// 1-based line of the log.
    pub line: u32,
}

/// The module being loaded at the crash, where a module was being loaded.
///
/// `print_modules` walks the `modules` list, to whose head `add_unformed_module` adds: the
/// first name is the module most recently added. `+` marks the state MODULE_STATE_COMING,
/// which is set before the sysfs entries are made; older and damaged logs may lack it.
pub fn subject(record: &CrashRecord, contexts: &[entry::Entry]) -> Option<Subject> {
    let linked = || record.modules.iter().filter(|module| !module.last_unloaded);
    let make =
        |module: &ModuleEntry, marked| Subject { name: module.name.clone(), marked, line: module.line };
    if let Some(coming) = linked().find(|module| module.state == Some('+')) {
        return Some(make(coming, true));
    }
    if entry::loading_module(contexts) { linked().next().map(|module| make(module, false)) } else { None }
}

/// Each module of the log with its letters' meanings and the reasons to look at it.
pub fn describe(record: &CrashRecord, contexts: &[entry::Entry]) -> Vec<model::Module> {
    let subject = subject(record, contexts);
    let in_trace = |name: &str| {
        let places = record
            .pc
            .iter()
            .map(|pc| (&pc.value, pc.line))
            .chain(record.frames.iter().map(|f| (&f.at, f.line)));
        places
            .filter(|(at, _)| at.module.as_deref() == Some(name))
            .map(|(at, line)| (at.symbol.as_deref().map(base_name).unwrap_or_default().to_owned(), line))
            .next()
    };
    let mut modules = Vec::new();
    for (index, module) in record.modules.iter().enumerate() {
        let mut suspicion: Vec<Prose> = Vec::new();
        if let Some((function, line)) = in_trace(&module.name) {
            suspicion.push(prose!(say::SUSPECT_IN_TRACE, function = function, line = line));
        }
        match &subject {
            Some(subject) if subject.name == module.name && subject.marked => {
                suspicion.push(prose!(say::SUSPECT_COMING));
            }
            Some(subject) if subject.name == module.name && !module.last_unloaded => {
                suspicion.push(prose!(say::SUSPECT_FIRST_WHILE_LOADING));
            }
            _ if index == 0 && !module.last_unloaded && record.modules.len() > 1 => {
                suspicion.push(prose!(say::SUSPECT_NEWEST));
            }
            _ => {}
        }
        if module.state == Some('-') {
            suspicion.push(prose!(say::SUSPECT_GOING));
        }
        if module.last_unloaded {
            suspicion.push(prose!(say::SUSPECT_UNLOADED));
        }
        if module.taints.contains('O') || module.taints.contains('P') {
            suspicion.push(prose!(say::SUSPECT_OUT_OF_TREE));
        }
        if module.taints.contains('F') {
            suspicion.push(prose!(say::SUSPECT_FORCED));
        }
        let mut letters = module.taints.clone();
        letters.extend(module.state);
        modules.push(model::Module {
            name: module.name.clone(),
            meanings: kwhy_arch::module_flags(&letters).into_iter().map(|flag| flag.meaning.into()).collect(),
            taints: letters,
            suspicion: suspicion.into_iter().map(Into::into).collect(),
            rank: None,
            grade: None,
            layout: None,
        });
    }
    modules
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{module, record_with_frames};
    use kwhy_base::Lang;

    #[test]
    fn out_of_tree_and_unsigned_are_not_called_proprietary() {
        let mut record = record_with_frames(&[]);
        record.modules = vec![module("tramme1", "OE", None)];
        let described = describe(&record, &[]);
        let text: Vec<String> = described[0].meanings.iter().map(|m| m.0.render(Lang::En)).collect();
        assert!(text[0].contains("out-of-tree"), "{text:?}");
        assert!(text[1].contains("not signed") || text[1].contains("unsigned"), "{text:?}");
        assert!(!text.iter().any(|t| t.contains("proprietary")), "{text:?}");
    }

    #[test]
    fn the_module_being_loaded_is_the_marked_one_or_else_the_first() {
        let mut record = record_with_frames(&["load_module", "__do_sys_finit_module"]);
        record.modules = vec![module("a", "", None), module("b", "OE", Some('+'))];
        let contexts = entry::contexts(&record);
        assert_eq!(subject(&record, &contexts).map(|s| (s.name, s.marked)), Some(("b".into(), true)));
        record.modules = vec![module("a", "", None), module("b", "OE", None)];
        assert_eq!(subject(&record, &contexts).map(|s| (s.name, s.marked)), Some(("a".into(), false)));
        // Nobody is loading anything: the first of the list is no subject.
        assert_eq!(subject(&record, &[]), None);
    }
}
