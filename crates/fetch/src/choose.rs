//! Choosing among files that fit by name.
//!
//! A path says something of what a file is (the release it lies under), its headers say more
//! (build-id, banner, `vermagic`). What contradicts the log is rejected; what does not is offered,
//! best first: several builds of one release may lie around, and only the code itself, which
//! `diagnose` compares with the log, can then tell them apart.

use crate::names::{self, Role};
use crate::{Candidate, Grade, Identity, Source, Wanted, shown};
use kwhy_base::version::same_version;
use kwhy_base::{Prose, catalogue::fetch as c, prose};
use std::path::{Path, PathBuf};

/// Looks into a file.
pub(crate) type Probe<'a> = dyn Fn(&Path) -> Result<Identity, String> + 'a;

/// Candidates that are opened for one role.
const MAX_PROBES: usize = 16;
/// Different builds that are offered for one role.
const MAX_OFFERED: usize = 4;

/// How well a file fits by its path; less is better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    BuildId,
    Release,
    Unnamed,
    OtherRelease,
}

/// What becomes of each of `files`, those to be used first and best first.
pub(crate) fn choose(role: &Role, files: Vec<PathBuf>, wanted: &Wanted, probe: &Probe) -> Vec<Candidate> {
    let module = match role {
        Role::Module(name) => Some(name.clone()),
        Role::Kernel => None,
    };
    let make = |path: &Path, grade: Option<Grade>, why: Prose| Candidate {
        path: path.to_path_buf(),
        module: module.clone(),
        source: Source::Given,
        chosen: grade.is_some(),
        grade,
        build_id: None,
        has_dwarf: None,
        lacks_code: false,
        why,
    };
    let mut ranked: Vec<((Fit, u8, usize), PathBuf)> = files
        .into_iter()
        .map(|path| ((fit(&path, role, wanted), names::richness(&path), path.components().count()), path))
        .collect();
    ranked.sort();
    let several = ranked.iter().filter(|((fit, _, _), _)| *fit <= Fit::Unnamed).count() > 1;
    let mut offered: Vec<Offered> = Vec::new();
    let mut rejected = Vec::new();
    let mut probes = 0usize;
    for ((fit, _, _), path) in ranked {
        let refused = match fit {
            Fit::OtherRelease => {
                Some(prose!(c::REJECTED_RELEASE, release = names::release_in(&path).unwrap_or_default()))
            }
            _ if is_complete(&offered) || probes >= MAX_PROBES => {
                let better = offered.first().map(|(.., path, _)| shown(path)).unwrap_or_default();
                Some(prose!(c::REJECTED_BETTER, path = better))
            }
            _ => None,
        };
        if let Some(why) = refused {
            rejected.push(make(&path, None, why));
            continue;
        }
        probes = probes.saturating_add(1);
        // A broken link or a file without permission must not stand in a good one's way.
        let identity = match probe(&path) {
            Ok(identity) => identity,
            Err(error) => {
                rejected.push(make(&path, None, prose!(c::REJECTED_UNREADABLE, error = error)));
                continue;
            }
        };
        match judge(role, fit, &identity, wanted, several) {
            Ok((grade, why)) => offered.push((grade, identity, path, why)),
            Err(why) => {
                rejected.push(Candidate { build_id: identity.build_id.clone(), ..make(&path, None, why) });
            }
        }
    }
    // Split off debug information says little of itself: what its other half says goes for it.
    let codes: Vec<(Grade, Option<kwhy_base::BuildId>)> = offered
        .iter()
        .filter(|(_, identity, ..)| !identity.lacks_code)
        .map(|(grade, identity, ..)| (*grade, identity.build_id.clone()))
        .collect();
    for (grade, identity, ..) in offered.iter_mut().filter(|(_, identity, ..)| identity.lacks_code) {
        let own = codes.iter().filter(|(_, id)| *id == identity.build_id).map(|(grade, _)| *grade);
        *grade = own.chain([*grade]).min().unwrap_or(*grade);
    }
    // The sort is stable: among equals the order of the paths decides.
    offered.sort_by_key(|(grade, ..)| *grade);
    let mut used: Vec<Candidate> = Vec::new();
    for (grade, identity, path, why) in offered {
        let made = Candidate {
            build_id: identity.build_id.clone(),
            has_dwarf: identity.has_dwarf,
            lacks_code: identity.lacks_code,
            ..make(&path, Some(grade), why)
        };
        let proved = used.first().is_some_and(|first| first.grade == Some(Grade::BuildId));
        let known = used.iter().any(|other| made.build_id.is_none() || other.build_id == made.build_id);
        let whole = used.iter().any(|other| !other.lacks_code);
        // The other half of what was split.
        let half =
            used.iter().find(|other| other.lacks_code && !made.lacks_code && !whole && belongs(&made, other));
        match (half, used.first()) {
            (Some(half), _) => {
                let why = prose!(c::CHOSEN_CODE, path = shown(&half.path));
                used.push(Candidate { why, ..made });
            }
            (None, Some(first)) if proved || known || used.len() >= MAX_OFFERED => {
                let why = prose!(c::REJECTED_BETTER, path = shown(&first.path));
                rejected.push(Candidate { chosen: false, grade: None, why, ..made });
            }
            _ => used.push(made),
        }
    }
    used.into_iter().chain(rejected).collect()
}

type Offered = (Grade, Identity, PathBuf, Prose);

/// Whether the very build is there, with its code: nothing better can come.
fn is_complete(offered: &[Offered]) -> bool {
    let mut proved = offered.iter().filter(|(grade, ..)| *grade == Grade::BuildId);
    proved.any(|(_, identity, ..)| !identity.lacks_code)
}

/// Whether two files may be halves of one.
fn belongs(code: &Candidate, debug: &Candidate) -> bool {
    code.build_id.is_none() || debug.build_id.is_none() || code.build_id == debug.build_id
}

/// Whether what a file says of itself fits the log, and how well; or why it does not.
fn judge(
    role: &Role,
    fit: Fit,
    identity: &Identity,
    wanted: &Wanted,
    several: bool,
) -> Result<(Grade, Prose), Prose> {
    match (wanted.id_of(role), &identity.build_id) {
        (Some(wanted), Some(id)) if wanted == id => return Ok((Grade::BuildId, prose!(c::CHOSEN_BUILD_ID))),
        (Some(wanted), Some(id)) => {
            return Err(prose!(c::REJECTED_BUILD_ID, image = id.to_string(), log = wanted.to_string()));
        }
        _ => {}
    }
    let of_log = wanted.release.as_deref();
    match (of_log, identity.release.as_deref()) {
        (Some(of_log), Some(release)) if of_log != release => {
            return Err(prose!(c::REJECTED_RELEASE, release = release));
        }
        (Some(_), Some(release)) => match (&wanted.version, &identity.banner) {
            (Some(version), Some(banner)) if same_version(version, banner) => {
                return Ok((Grade::Banner, prose!(c::CHOSEN_BANNER, release = release, version = version)));
            }
            // A damaged log may say so, too: it stands back, and the code decides.
            (Some(version), Some(_)) => {
                return Ok((Grade::OtherVersion, prose!(c::CHOSEN_OTHER_VERSION, version = version)));
            }
            _ => return Ok((Grade::Release, prose!(c::CHOSEN_PROBED, release = release))),
        },
        _ => {}
    }
    Ok(match fit {
        Fit::Release => (Grade::Release, prose!(c::CHOSEN_RELEASE, release = of_log.unwrap_or_default())),
        _ if several => (Grade::Name, prose!(c::CHOSEN_FIRST)),
        _ => (Grade::Name, prose!(c::CHOSEN_ONLY)),
    })
}

fn fit(path: &Path, role: &Role, wanted: &Wanted) -> Fit {
    if names::filed_by_build_id(path, wanted).as_ref() == Some(role) {
        return Fit::BuildId;
    }
    match (&wanted.release, names::release_in(path)) {
        (Some(wanted), Some(named)) if *wanted == named => Fit::Release,
        (Some(_), Some(_)) => Fit::OtherRelease,
        (Some(wanted), None) if path.components().any(|part| part.as_os_str() == wanted.as_str()) => {
            Fit::Release
        }
        _ => Fit::Unnamed,
    }
}
