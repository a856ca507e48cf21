//! Finds and maps the images that `-i` names: files as they are, folders searched for the
//! kernel and the modules that the log speaks of.

use crate::command_error::CommandError;
use crate::input::unreadable;
use kwhy_base::{BuildId, Prose};
use kwhy_fetch::{Candidate, Wanted, find};
use kwhy_mmap::Mapping;
use kwhy_oops::{CodeRef, CrashRecord};
use kwhy_report::{ImageUse, Report};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Of the files that lost to a better one, so many are told of.
const TOLD: usize = 20;

/// The images there are, and what became of those that are not.
pub struct Images {
    /// Name and bytes of each: files in the order given, then what the folders held.
    pub mapped: Vec<(String, Mapping)>,
    /// Paths that were named and cannot be read.
    pub errors: Vec<CommandError>,
    /// What is worth a note.
    pub remarks: Vec<Prose>,
    rejected: Vec<Candidate>,
}

impl Images {
    /// Maps what `paths` name; folders are searched for what `log` wants.
    pub fn find(paths: &[PathBuf], log: &kwhy_oops::Log) -> Images {
        let found = find(paths, &wanted(log));
        let mut images = Images {
            mapped: Vec::new(),
            errors: Vec::new(),
            remarks: found.notes.clone(),
            rejected: found.candidates.iter().filter(|c| !c.chosen).take(TOLD).cloned().collect(),
        };
        for candidate in found.chosen() {
            match Mapping::open(&candidate.path) {
                Ok(bytes) => images.mapped.push((candidate.path.to_string_lossy().into_owned(), bytes)),
                Err(error) => images.errors.push(unreadable(&candidate.path, &error)),
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
                build_id: None,
                release: None,
                used: false,
                checks: Vec::new(),
                reason: candidate.why.clone().into(),
            }));
        }
    }
}

/// What the crashes of `log` need: their kernel, the modules on their stacks, and the modules
/// most often at fault (those coming, going, or from outside the tree).
fn wanted(log: &kwhy_oops::Log) -> Wanted {
    let mut modules = BTreeSet::new();
    let mut build_ids = BTreeSet::<BuildId>::new();
    for crash in &log.crashes {
        build_ids.extend(crash.build_id.as_ref().map(|id| id.value.clone()));
        for code in places(crash) {
            modules.extend(code.module.clone());
            build_ids.extend(code.build_id.clone());
        }
        let suspects = crash.modules.iter().filter(|m| m.state.is_some() || m.taints.contains('O'));
        modules.extend(suspects.map(|module| module.name.clone()));
    }
    let release = log.crashes.iter().find_map(|crash| crash.release.as_ref());
    Wanted {
        release: release.map(|release| release.value.clone()),
        modules: modules.into_iter().collect(),
        build_ids: build_ids.into_iter().collect(),
    }
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
        assert_eq!(wanted.modules, ["new", "nf_nat", "spl"]);
        assert_eq!(wanted.release, None);
    }
}
