//! Finds the images that belong to a crash: among files and in folders.
//!
//! A folder is searched by names alone (a distribution's debug packages hold thousands of
//! modules of which a crash needs one or two); a file is opened only to choose between several
//! that fit by name. What was found and what became of it is told for each candidate.

pub mod cache;
mod names;
mod walk;

pub use cache::{Blob, Cache};

use kwhy_base::{BuildId, Prose, catalogue::fetch as c, prose};
use names::{Role, role_of};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Candidates of equal rank that are opened to tell them apart.
const MAX_PROBES: usize = 16;

/// What the crash needs.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The kernel release as logged (`6.1.0-56-cloud-amd64`).
    pub release: Option<String>,
    /// Names of the modules that occur in the crash, as logged.
    pub modules: Vec<String>,
    /// Build-ids that the log prints.
    pub build_ids: Vec<BuildId>,
}

/// A file that might have been used.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Where it is.
    pub path: PathBuf,
    /// The module's name as logged; `None` for a vmlinux or a file of unknown contents.
    pub module: Option<String>,
    /// Whether it is to be used.
    pub chosen: bool,
    /// Why, or why not.
    pub why: Prose,
}

/// The result of a search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Every candidate, those to be used first, in a fixed order.
    pub candidates: Vec<Candidate>,
    /// What else is worth saying: folders that cannot be read, searches that were cut short.
    pub notes: Vec<Prose>,
}

impl Found {
    /// The files to use: the vmlinux first, then modules by name.
    pub fn chosen(&self) -> impl Iterator<Item = &Candidate> {
        self.candidates.iter().filter(|candidate| candidate.chosen)
    }
}

/// What a look into a file says of it.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// The kernel release it was built for.
    pub release: Option<String>,
    /// Its build-id.
    pub build_id: Option<BuildId>,
}

/// Searches `paths`: a file stands for itself, a folder is searched. Paths that do not exist
/// are given back as chosen, so that whoever opens them reports the error.
#[must_use]
pub fn find(paths: &[PathBuf], wanted: &Wanted) -> Found {
    find_with(paths, wanted, &identify)
}

/// Opens an image and reads its release and build-id.
///
/// # Errors
///
/// What opening or parsing says, in words.
pub fn identify(path: &Path) -> Result<Identity, String> {
    let bytes = kwhy_mmap::Mapping::open(path).map_err(|error| error.to_string())?;
    let image = kwhy_image::Image::parse(&bytes).map_err(|error| error.to_string())?;
    Ok(Identity { release: image.release(), build_id: image.build_id().cloned() })
}

fn find_with(paths: &[PathBuf], wanted: &Wanted, probe: &dyn Fn(&Path) -> Result<Identity, String>) -> Found {
    let mut found = Found::default();
    let mut pool: BTreeMap<Role, Vec<PathBuf>> = BTreeMap::new();
    for path in paths {
        if path.is_dir() {
            let walked = walk::walk(path, |name| role_of(name, wanted).is_some());
            let before: usize = pool.values().map(Vec::len).sum();
            for file in walked.files {
                let name =
                    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                let role =
                    role_of(&name, wanted).or_else(|| names::build_id_of(&file, wanted).map(Role::BuildId));
                if let Some(role) = role {
                    pool.entry(role).or_default().push(file);
                }
            }
            let after: usize = pool.values().map(Vec::len).sum();
            if after == before && !walked.cut_short {
                found.notes.push(prose!(c::NOTHING_FOUND, path = shown(path), count = walked.names));
            }
            if walked.cut_short {
                found.notes.push(prose!(c::TOO_MANY_FILES, path = shown(path), count = walked.names));
            }
            for (folder, error) in walked.unreadable {
                found.notes.push(prose!(c::FOLDER_UNREADABLE, path = shown(&folder), error = error));
            }
        } else {
            found.candidates.push(Candidate {
                path: path.clone(),
                module: None,
                chosen: true,
                why: prose!(c::NAMED_ON_COMMAND_LINE),
            });
        }
    }
    let mut taken: BTreeSet<PathBuf> =
        found.candidates.iter().filter_map(|candidate| candidate.path.canonicalize().ok()).collect();
    let mut rejected = Vec::new();
    for (role, mut files) in pool {
        files.sort();
        // One file often has several names (links into /usr/lib/debug).
        files.retain(|file| file.canonicalize().map_or(true, |real| taken.insert(real)));
        for candidate in choose(&role, files, wanted, probe) {
            if candidate.chosen { found.candidates.push(candidate) } else { rejected.push(candidate) }
        }
    }
    found.candidates.append(&mut rejected);
    found
}

/// How well a file fits by its path; less is better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Release,
    Unnamed,
    Compressed,
    OtherRelease,
}

fn choose(
    role: &Role,
    files: Vec<PathBuf>,
    wanted: &Wanted,
    probe: &dyn Fn(&Path) -> Result<Identity, String>,
) -> Vec<Candidate> {
    let module = match role {
        Role::Module(name) => Some(name.clone()),
        Role::Kernel | Role::BuildId(_) => None,
    };
    let make =
        |path: PathBuf, chosen: bool, why: Prose| Candidate { path, module: module.clone(), chosen, why };
    if let Role::BuildId(_) = role {
        return files.into_iter().map(|path| make(path, true, prose!(c::CHOSEN_BUILD_ID))).collect();
    }
    let mut ranked: Vec<((Fit, u8, usize), PathBuf)> = files
        .into_iter()
        .map(|path| {
            let fit = fit(&path, wanted);
            ((fit, names::richness(&path), path.components().count()), path)
        })
        .collect();
    ranked.sort();
    let best = ranked.iter().map(|((fit, richness, _), _)| (*fit, *richness)).next();
    let ties = ranked.iter().filter(|((fit, richness, _), _)| Some((*fit, *richness)) == best).count();
    let mut chosen: Option<PathBuf> = None;
    let mut candidates = Vec::new();
    // Several that fit equally well by name: their contents decide.
    if ties > 1 && matches!(best, Some((Fit::Release | Fit::Unnamed, _))) {
        for (_, path) in ranked.iter().take(ties.min(MAX_PROBES)) {
            let Ok(identity) = probe(path) else { continue };
            let by_id = identity.build_id.as_ref().is_some_and(|id| wanted.build_ids.contains(id));
            let by_release = wanted.release.is_some() && identity.release == wanted.release;
            if by_id || by_release {
                let why = if by_id {
                    prose!(c::CHOSEN_BUILD_ID)
                } else {
                    prose!(c::CHOSEN_PROBED, release = identity.release.unwrap_or_default())
                };
                chosen = Some(path.clone());
                candidates.push(make(path.clone(), true, why));
                break;
            }
        }
    }
    for ((fit, _, _), path) in ranked {
        if chosen.as_ref() == Some(&path) {
            continue;
        }
        let (use_it, why) = match (fit, &chosen) {
            (Fit::Compressed, _) => {
                (false, prose!(c::REJECTED_COMPRESSED, command = names::unpack_command(&path)))
            }
            (Fit::OtherRelease, _) => {
                (false, prose!(c::REJECTED_RELEASE, release = names::release_in(&path).unwrap_or_default()))
            }
            (_, Some(better)) => (false, prose!(c::REJECTED_BETTER, path = shown(better))),
            (Fit::Release, None) => {
                (true, prose!(c::CHOSEN_RELEASE, release = wanted.release.clone().unwrap_or_default()))
            }
            (Fit::Unnamed, None) if ties > 1 => (true, prose!(c::CHOSEN_FIRST)),
            (Fit::Unnamed, None) => (true, prose!(c::CHOSEN_ONLY)),
        };
        if use_it {
            // A broken link or a file without permission must not stand in a good one's way.
            if let Err(error) = std::fs::File::open(&path) {
                candidates.push(make(path, false, prose!(c::REJECTED_UNREADABLE, error = error.to_string())));
                continue;
            }
            chosen = Some(path.clone());
        }
        candidates.push(make(path, use_it, why));
    }
    candidates
}

fn fit(path: &Path, wanted: &Wanted) -> Fit {
    if names::is_compressed(path) {
        return Fit::Compressed;
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

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
