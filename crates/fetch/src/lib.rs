//! Finds the images that belong to a crash, on this machine and, when asked, elsewhere.
//!
//! [`search`] looks, in this order, at what was named (`-i`), at `$KWHY_PATH`, at the usual places
//! of the distributions ([`usual`]) and at the cache. What an earlier place has is not looked for
//! in a later one. Folders are searched by names alone (a distribution's debug packages hold
//! thousands of modules of which a crash needs one or two); only what fits by name is opened, and
//! of it the headers. What was found and what became of it is told for each candidate.
//!
//! [`debuginfod`] and [`packages`] get what is missing into the cache, and are called only by who
//! wants the network to be used.

pub mod cache;
mod choose;
pub mod debuginfod;
pub mod download;
mod names;
pub mod packages;
pub mod usual;
mod walk;

pub use cache::{Blob, Cache};

use choose::{Probe, choose};
use kwhy_base::{BuildId, Prose, catalogue::fetch as c, prose};
use names::{Role, role_of};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What the crash needs.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The kernel release as logged (`6.1.0-56-cloud-amd64`).
    pub release: Option<String>,
    /// What the log prints after the release: `#1 Debian 6.1.192-2`.
    pub version: Option<String>,
    /// The kernel's build-id, where the log prints it.
    pub build_id: Option<BuildId>,
    /// The modules that occur in the crash.
    pub modules: Vec<WantedModule>,
    /// The CPU, where the log says.
    pub arch: Option<kwhy_base::Arch>,
}

/// A module that the crash needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WantedModule {
    /// Its name as logged.
    pub name: String,
    /// Its build-id, where the log prints it.
    pub build_id: Option<BuildId>,
    /// Whether its taints say that it was built outside the kernel's tree: no package has it.
    pub outside: bool,
}

impl Wanted {
    /// The release, unless it could lead elsewhere as a part of a path: logs are hostile.
    #[must_use]
    pub fn plain_release(&self) -> Option<&str> {
        self.release.as_deref().filter(|release| kwhy_base::distribution::is_plain(release))
    }

    fn id_of(&self, role: &Role) -> Option<&BuildId> {
        match role {
            Role::Kernel => self.build_id.as_ref(),
            Role::Module(name) => self.modules.iter().find(|m| m.name == *name)?.build_id.as_ref(),
        }
    }

    fn roles(&self) -> BTreeSet<Role> {
        let modules = self.modules.iter().map(|module| Role::Module(module.name.clone()));
        modules.chain([Role::Kernel]).collect()
    }
}

/// Where images are looked for.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    /// Files and folders that were named: `-i`.
    pub given: Vec<PathBuf>,
    /// The folders of `$KWHY_PATH`.
    pub path: Vec<PathBuf>,
    /// The folder below which the usual places are: `/`, or where another system is mounted.
    pub system: Option<PathBuf>,
    /// The cache.
    pub cache: Option<Cache>,
}

impl Roots {
    /// What was named, and everything that the environment says: `$KWHY_PATH` (separated by
    /// colons), `$KWHY_SYSROOT` (instead of `/`), and the cache.
    #[must_use]
    pub fn from_environment(given: &[PathBuf]) -> Roots {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let path = set("KWHY_PATH").map(|value| std::env::split_paths(&value).collect()).unwrap_or_default();
        Roots {
            given: given.to_vec(),
            path,
            system: Some(set("KWHY_SYSROOT").map_or_else(|| PathBuf::from("/"), PathBuf::from)),
            cache: Cache::from_environment(),
        }
    }
}

/// Where a candidate was come upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Named on the command line, or in a folder that was.
    Given,
    /// In a folder of `$KWHY_PATH`.
    Path,
    /// In one of the usual places.
    System,
    /// In the cache.
    Cache,
}

/// How well a candidate is known to be what the crash needs, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Its build-id is the one in the log: it is that very build.
    BuildId,
    /// Its banner has the release and the version that the log prints.
    Banner,
    /// It says, or its path does, that it is of the release that the log prints.
    Release,
    /// Nothing but its name speaks for it.
    Name,
    /// Its banner has the release, but another version than the log prints.
    OtherVersion,
}

/// A file that might have been used.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Where it is.
    pub path: PathBuf,
    /// The module's name as logged; `None` for a vmlinux or a file of unknown contents.
    pub module: Option<String>,
    /// How it came to be a candidate.
    pub source: Source,
    /// Whether it is to be used.
    pub chosen: bool,
    /// How well it fits; `None` for what was rejected, or named and not looked at.
    pub grade: Option<Grade>,
    /// Its build-id, where it was looked at and has one.
    pub build_id: Option<BuildId>,
    /// Whether it has debug information; `None` where it was not looked at.
    pub has_dwarf: Option<bool>,
    /// Whether its code was split off into another file.
    pub lacks_code: bool,
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
    /// Whether nothing was found that can be the kernel's image.
    pub kernel_missing: bool,
    /// The modules for which nothing was found, sorted.
    pub modules_missing: Vec<String>,
}

impl Found {
    /// The files to use: what was named first, then by place; the vmlinux before modules by name.
    pub fn chosen(&self) -> impl Iterator<Item = &Candidate> {
        self.candidates.iter().filter(|candidate| candidate.chosen)
    }
}

/// What a look into a file says of it.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// Whether it is a module; `None` where that was not looked at.
    pub is_module: Option<bool>,
    /// The kernel release it was built for.
    pub release: Option<String>,
    /// The whole `Linux version …` of a kernel.
    pub banner: Option<String>,
    /// Its build-id.
    pub build_id: Option<BuildId>,
    /// Whether it has debug information; `None` where that was not looked at.
    pub has_dwarf: Option<bool>,
    /// Whether it has debug information for code that it does not hold: that was split off.
    pub lacks_code: bool,
}

/// Opens an image and reads its build-id, release and banner.
///
/// # Errors
///
/// What opening or parsing says, in words.
pub fn identify(path: &Path) -> Result<Identity, String> {
    let bytes = kwhy_mmap::Mapping::open(path).map_err(|error| error.to_string())?;
    // Unpacking a boot image takes longer than all the rest, and says no more than its header.
    if let Some(release) = kwhy_image::boot_release(&bytes) {
        return Ok(Identity {
            is_module: Some(false),
            release: Some(release),
            has_dwarf: Some(false),
            ..Identity::default()
        });
    }
    of_contents(&bytes)
}

/// The same of a file's whole contents, which a boot image is unpacked for.
fn of_contents(bytes: &[u8]) -> Result<Identity, String> {
    let bytes = kwhy_image::unpack(bytes).map_err(|error| error.to_string())?;
    let image = kwhy_image::Image::parse(&bytes).map_err(|error| error.to_string())?;
    Ok(Identity {
        is_module: Some(matches!(image.kind(), kwhy_image::ImageKind::Module(_))),
        release: image.release(),
        banner: image.banner(),
        build_id: image.build_id().cloned(),
        has_dwarf: Some(image.has_dwarf()),
        lacks_code: image.lacks_code(),
    })
}

/// Whether a file is BTF by itself: `/sys/kernel/btf/vmlinux` is called what a kernel is called, and
/// is of use beside one (`struct btf_header`, include/uapi/linux/btf.h: magic and version).
fn is_btf(path: &Path) -> bool {
    use std::io::Read as _;
    let mut start = [0; 3];
    let read =
        path.is_file() && std::fs::File::open(path).is_ok_and(|mut f| f.read_exact(&mut start).is_ok());
    read && start == [0x9f, 0xeb, 1]
}

/// Searches every place for what the crash needs. Paths that were named and do not exist are
/// given back as chosen, so that whoever opens them reports the error.
#[must_use]
pub fn search(roots: &Roots, wanted: &Wanted) -> Found {
    search_with(roots, wanted, &identify)
}

fn search_with(roots: &Roots, wanted: &Wanted, probe: &Probe) -> Found {
    let mut search = Search {
        wanted,
        probe,
        open: wanted.roles(),
        filled: BTreeSet::new(),
        halves: BTreeMap::new(),
        seen: BTreeSet::new(),
        found: Found::default(),
        rejected: Vec::new(),
    };
    search.named(&roots.given);
    for folder in &roots.path {
        search.folder(folder, Source::Path);
    }
    if let Some(system) = &roots.system {
        let places = usual::places(system, wanted, &search.needs());
        search.settle(places, Source::System);
    }
    if let Some(cache) = &roots.cache {
        search.cache(cache);
    }
    search.finish()
}

/// A search on its way.
struct Search<'a> {
    wanted: &'a Wanted,
    probe: &'a Probe<'a>,
    /// What nothing was found for yet, or nothing with debug information.
    open: BTreeSet<Role>,
    /// What something was found for.
    filled: BTreeSet<Role>,
    /// Debug information that was found without its code: its path and build-id.
    halves: BTreeMap<Role, (PathBuf, Option<BuildId>)>,
    /// The real paths of all candidates: one file often has several names.
    seen: BTreeSet<PathBuf>,
    found: Found,
    rejected: Vec<Candidate>,
}

type Pool = BTreeMap<Role, Vec<PathBuf>>;

impl Search<'_> {
    fn needs(&self) -> usual::Needs {
        let modules = self.open.iter().filter_map(|role| match role {
            Role::Module(name) => Some(name.clone()),
            Role::Kernel => None,
        });
        usual::Needs { kernel: self.open.contains(&Role::Kernel), modules: modules.collect() }
    }

    /// What was named: a file stands for itself, a folder is searched.
    fn named(&mut self, given: &[PathBuf]) {
        let (folders, files): (Vec<_>, Vec<_>) = given.iter().partition(|path| path.is_dir());
        for path in files {
            self.seen.extend(path.canonicalize());
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            // By its name, as a rule; whoever calls a kernel something else has it looked at.
            let types_only = is_btf(path);
            let role = role_of(&name, self.wanted).filter(|_| !types_only).or_else(|| {
                let known = types_only || names::is_module(&name) || !path.is_file();
                let identity = if known { None } else { (self.probe)(path).ok() };
                (identity?.is_module == Some(false)).then_some(Role::Kernel)
            });
            let other = names::release_in(path)
                .is_some_and(|r| self.wanted.release.as_ref().is_some_and(|w| *w != r));
            // What was named is taken as it is, be it stripped; but split off debug information
            // is of use with its code only.
            if let Some(role) = role.filter(|_| !other) {
                let half = names::is_debug_only(&name).then(|| (self.probe)(path).ok()).flatten();
                match half.filter(|identity| identity.lacks_code) {
                    Some(identity) => {
                        self.halves.insert(role.clone(), (path.clone(), identity.build_id));
                    }
                    None => {
                        self.open.remove(&role);
                        self.halves.remove(&role);
                    }
                }
                self.filled.insert(role);
            }
            self.found.candidates.push(Candidate {
                path: path.clone(),
                module: None,
                source: Source::Given,
                chosen: true,
                grade: None,
                build_id: None,
                has_dwarf: None,
                lacks_code: false,
                why: prose!(c::NAMED_ON_COMMAND_LINE),
            });
        }
        for folder in folders {
            self.folder(folder, Source::Given);
        }
    }

    fn folder(&mut self, folder: &Path, source: Source) {
        if source != Source::Given && !folder.is_dir() {
            self.found.notes.push(prose!(c::PATH_ABSENT, path = shown(folder)));
            return;
        }
        let wanted = self.wanted;
        let walked = walk::walk(folder, |name| role_of(name, wanted).is_some());
        let mut pool = Pool::new();
        for file in walked.files {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if let Some(role) = role_of(&name, wanted).or_else(|| names::filed_by_build_id(&file, wanted)) {
                pool.entry(role).or_default().push(file);
            }
        }
        if pool.is_empty() && !walked.cut_short && source == Source::Given {
            self.found.notes.push(prose!(c::NOTHING_FOUND, path = shown(folder), count = walked.names));
        }
        if walked.cut_short {
            self.found.notes.push(prose!(c::TOO_MANY_FILES, path = shown(folder), count = walked.names));
        }
        for (folder, error) in walked.unreadable {
            self.found.notes.push(prose!(c::FOLDER_UNREADABLE, path = shown(&folder), error = error));
        }
        self.settle(pool, source);
    }

    /// The cache knows build-ids and releases by the names of its folders.
    fn cache(&mut self, cache: &Cache) {
        let mut pool = Pool::new();
        for image in cache.images() {
            let name =
                image.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let Some(role) = role_of(&name, self.wanted).filter(|role| self.open.contains(role)) else {
                continue;
            };
            let same_build = self.wanted.id_of(&role) == Some(&image.build_id);
            let same_release = image.release.is_some() && image.release == self.wanted.release;
            // Of the other kernels in the cache there is nothing to tell.
            if same_build || same_release {
                pool.entry(role).or_default().push(image.path);
            }
        }
        let before = self.found.candidates.len();
        self.settle(pool, Source::Cache);
        for candidate in self.found.candidates.get(before..).unwrap_or_default() {
            cache.used(&candidate.path);
        }
    }

    /// Chooses among what one place has, for what is still open.
    fn settle(&mut self, pool: Pool, source: Source) {
        for (role, mut files) in pool {
            // One file of those that an earlier place has is enough, unless it is half of two.
            if !self.open.contains(&role) {
                continue;
            }
            files.sort();
            files.retain(|file| file.canonicalize().map_or(true, |real| self.seen.insert(real)));
            for mut candidate in choose(&role, files, self.wanted, self.probe) {
                candidate.source = source;
                let poor = candidate.has_dwarf == Some(false);
                let half = self.halves.get(&role).filter(|(_, id)| {
                    id.is_none() || candidate.build_id.is_none() || *id == candidate.build_id
                });
                if let Some((path, _)) = half.filter(|_| candidate.chosen && !candidate.lacks_code) {
                    candidate.why = prose!(c::CHOSEN_CODE, path = shown(path));
                    self.halves.remove(&role);
                    self.open.remove(&role);
                } else if candidate.chosen && poor && self.filled.contains(&role) {
                    candidate.chosen = false;
                    candidate.why = prose!(c::REJECTED_NO_DWARF);
                }
                if candidate.chosen {
                    if candidate.lacks_code {
                        let half = (candidate.path.clone(), candidate.build_id.clone());
                        self.halves.entry(role.clone()).or_insert(half);
                    } else if !poor {
                        self.open.remove(&role);
                    }
                    self.filled.insert(role.clone());
                    self.found.candidates.push(candidate);
                } else {
                    self.rejected.push(candidate);
                }
            }
        }
    }

    /// The code of split off debug information may have been passed over in an earlier place.
    fn complete(&mut self) {
        for (role, (path, id)) in std::mem::take(&mut self.halves) {
            let module = match &role {
                Role::Module(name) => Some(name),
                Role::Kernel => None,
            };
            let fits = |other: &Candidate| {
                id.is_some() && other.build_id == id && !other.lacks_code && other.module.as_ref() == module
            };
            if let Some(at) = self.rejected.iter().position(fits) {
                let code = self.rejected.remove(at);
                let why = prose!(c::CHOSEN_CODE, path = shown(&path));
                let grade = code.grade.or(Some(Grade::Name));
                self.found.candidates.push(Candidate { chosen: true, grade, why, ..code });
            }
        }
    }

    fn finish(mut self) -> Found {
        self.complete();
        // Of several for one role the first is used: what has debug information goes before what
        // an earlier place had without. The sort is stable.
        self.found.candidates.sort_by_key(|c| c.source != Source::Given && c.has_dwarf == Some(false));
        self.found.candidates.append(&mut self.rejected);
        let missing: BTreeSet<Role> = self.wanted.roles().difference(&self.filled).cloned().collect();
        let modules = missing.iter().filter_map(|role| match role {
            Role::Module(name) => Some(name.clone()),
            Role::Kernel => None,
        });
        Found {
            kernel_missing: missing.contains(&Role::Kernel),
            modules_missing: modules.collect(),
            ..self.found
        }
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
