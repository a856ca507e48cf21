//! Finds and maps the images that a log speaks of: those that `-i` names, and what lies in the
//! usual places and in the cache.

use crate::command_error::CommandError;
use crate::contents::Contents;
use crate::input::unreadable;
use kwhy_base::{BuildId, Prose};
use kwhy_fetch::{Candidate, Roots, Source, Wanted, WantedModule, search};
use kwhy_oops::{CodeRef, CrashRecord};
use kwhy_report::{ImageUse, Report};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Of the files that lost to a better one, so many are told of.
const TOLD: usize = 20;

/// The images there are, and what became of those that are not.
pub struct Images {
    /// Name and bytes of each: files in the order given, then what was found.
    pub mapped: Vec<(String, Contents)>,
    /// Paths that were named and cannot be read.
    pub errors: Vec<CommandError>,
    /// What is worth a note.
    pub remarks: Vec<Prose>,
    rejected: Vec<Candidate>,
}

impl Images {
    /// Maps what `paths` name and what is found elsewhere of what `log` wants.
    pub fn find(paths: &[PathBuf], log: &kwhy_oops::Log) -> Images {
        let found = search(&Roots::from_environment(paths), &wanted(log));
        let mut images = Images {
            mapped: Vec::new(),
            errors: Vec::new(),
            remarks: found.notes.clone(),
            rejected: found.candidates.iter().filter(|c| !c.chosen).take(TOLD).cloned().collect(),
        };
        for candidate in found.chosen() {
            match Contents::open(&candidate.path) {
                Ok(bytes) => images.mapped.push((candidate.path.to_string_lossy().into_owned(), bytes)),
                Err(error) if candidate.source == Source::Given => {
                    images.errors.push(unreadable(&candidate.path, &error));
                }
                // It was there a moment ago; nobody asked for it by name.
                Err(_) => {}
            }
        }
        images
    }

    /// Tells each crash of the files that were seen and not taken.
    pub fn tell(&self, report: &mut Report) {
        for crash in &mut report.crashes {
            crash.images.extend(self.rejected.iter().map(|candidate| ImageUse {
                name: candidate.path.to_string_lossy().into_owned(),
                kind: candidate.module.clone(),
                build_id: candidate.build_id.as_ref().map(ToString::to_string),
                release: None,
                used: false,
                grade: None,
                checks: Vec::new(),
                reason: candidate.why.clone().into(),
            }));
        }
    }
}

/// What the crashes of `log` need: their kernel, the modules on their stacks, and the modules
/// most often at fault (those coming, going, or from outside the tree).
pub fn wanted(log: &kwhy_oops::Log) -> Wanted {
    let mut modules = BTreeMap::<String, Option<BuildId>>::new();
    let mut build_id = None;
    for crash in &log.crashes {
        build_id = build_id.or_else(|| crash.build_id.as_ref().map(|id| id.value.clone()));
        for code in places(crash) {
            match &code.module {
                Some(module) => {
                    let known = modules.entry(module.clone()).or_default();
                    *known = known.take().or_else(|| code.build_id.clone());
                }
                None => build_id = build_id.or_else(|| code.build_id.clone()),
            }
        }
        for module in crash.modules.iter().filter(|m| m.state.is_some() || m.taints.contains('O')) {
            modules.entry(module.name.clone()).or_default();
        }
    }
    let of_release = log.crashes.iter().find(|crash| crash.release.is_some());
    Wanted {
        release: of_release.and_then(|crash| Some(crash.release.as_ref()?.value.clone())),
        version: of_release.and_then(|crash| crash.version.clone()),
        build_id,
        modules: modules
            .into_iter()
            .map(|(name, build_id)| WantedModule { outside: outside(log, &name), name, build_id })
            .collect(),
        arch: log.crashes.iter().find_map(|crash| crash.arch),
    }
}

/// Whether a module's taints say that it is from outside the tree (O) or proprietary (P).
fn outside(log: &kwhy_oops::Log, name: &str) -> bool {
    let entries = log.crashes.iter().flat_map(|crash| &crash.modules);
    entries.filter(|module| module.name == name).any(|module| module.taints.contains(['O', 'P']))
}

fn places(crash: &CrashRecord) -> impl Iterator<Item = &CodeRef> {
    let registers = crash.pc.iter().chain(&crash.lr).map(|located| &located.value);
    registers.chain(crash.frames.iter().map(|frame| &frame.at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kwhy_oops::{Frame, Log, ModuleEntry};

    #[test]
    fn the_stack_and_the_suspects_are_wanted() {
        let entry = |name: &str, taints: &str, state| ModuleEntry {
            name: name.into(),
            taints: taints.into(),
            state,
            last_unloaded: false,
            line: 1,
        };
        let frame = |module: &str| Frame {
            at: CodeRef { module: Some(module.into()), ..CodeRef::default() },
            reliable: true,
            inline: false,
            line: 1,
        };
        let crash = CrashRecord {
            modules: vec![entry("ext4", "", None), entry("spl", "PO", None), entry("new", "", Some('+'))],
            frames: vec![frame("nf_nat"), frame("nf_nat")],
            ..CrashRecord::default()
        };
        let wanted = wanted(&Log { crashes: vec![crash], ..Log::default() });
        let names: Vec<&str> = wanted.modules.iter().map(|module| module.name.as_str()).collect();
        assert_eq!(names, ["new", "nf_nat", "spl"]);
        assert_eq!(wanted.modules.iter().map(|m| m.outside).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(wanted.release, None);
    }
}
