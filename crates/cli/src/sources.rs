//! Source lines: from the trees that were named, from where the code was built, and from the
//! usual places.
//!
//! Paths come out of debug information, which may be hostile: a path never leaves the root it
//! is looked up under (neither by `..` nor by a symbolic link), only files that are named like
//! source are opened, and no more of them is kept than a report can need.

use kwhy_diagnose::Sources;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

/// Larger files are no source a person wrote.
const LARGEST: u64 = 8 << 20;

/// What files of source are called.
const SUFFIXES: [&str; 9] = ["c", "h", "S", "s", "rs", "inc", "cc", "l", "y"];

/// A root and how freely paths may be fitted to it.
struct Root {
    directory: PathBuf,
    /// How many trailing components of a path suffice: 2 for a kernel tree, where `main.c` alone
    /// names dozens of files, 1 for a module's own directory.
    least: usize,
}

type Lines = Option<Rc<Vec<String>>>;

/// Where source is looked for.
pub struct SourceTree {
    roots: Vec<Root>,
    files: RefCell<BTreeMap<(String, Option<String>), Lines>>,
}

impl SourceTree {
    /// Looks in `given`, then beside the module images among `images`, then in the usual places
    /// that hold the source of `release`.
    pub fn new(given: &[PathBuf], images: &[PathBuf], release: Option<&str>) -> SourceTree {
        let mut roots: Vec<Root> =
            given.iter().map(|directory| Root { directory: directory.clone(), least: 1 }).collect();
        for image in images {
            let module = image.extension().is_some_and(|e| e == "ko" || e == "debug");
            let directory = image.parent().filter(|_| module && image.is_file());
            let directory = directory.map(|d| if d.as_os_str().is_empty() { Path::new(".") } else { d });
            if let Some(directory) = directory {
                roots.push(Root { directory: directory.to_path_buf(), least: 1 });
            }
        }
        if let Some(version) = release.and_then(major_minor) {
            let usual = [format!("/usr/src/linux-source-{version}"), "/usr/src/linux".to_owned()];
            for directory in usual.into_iter().map(PathBuf::from) {
                if tree_version(&directory).is_some_and(|found| found == version) {
                    roots.push(Root { directory, least: 2 });
                }
            }
        }
        SourceTree { roots, files: RefCell::default() }
    }

    fn lines(&self, file: &str, comp_dir: Option<&str>) -> Lines {
        let key = (file.to_owned(), comp_dir.map(str::to_owned));
        if let Some(lines) = self.files.borrow().get(&key) {
            return lines.clone();
        }
        let lines = self.find(file, comp_dir).map(Rc::new);
        self.files.borrow_mut().insert(key, lines.clone());
        lines
    }

    fn find(&self, file: &str, comp_dir: Option<&str>) -> Option<Vec<String>> {
        let file = Path::new(file);
        let suffix = file.extension()?.to_str()?;
        if !SUFFIXES.contains(&suffix) {
            return None;
        }
        let comp_dir = comp_dir.map(Path::new);
        let within = comp_dir.and_then(|dir| file.strip_prefix(dir).ok()).unwrap_or(file);
        let parts = normal(within)?;
        for root in &self.roots {
            // The longest tail of the path that exists is the best fit: build paths have
            // prefixes that the tree at hand does not.
            for skip in 0..parts.len() {
                let tail = parts.get(skip..).unwrap_or_default();
                if tail.len() < root.least.min(parts.len()) {
                    break;
                }
                if let Some(lines) = read(&root.directory, tail) {
                    return Some(lines);
                }
            }
        }
        // Where it was built, when that was here.
        let built = comp_dir.filter(|dir| dir.is_absolute() && dir.components().count() > 1)?;
        read(built, &parts)
    }
}

impl Sources for SourceTree {
    fn line(&self, file: &str, comp_dir: Option<&str>, line: u32) -> Option<String> {
        let lines = self.lines(file, comp_dir)?;
        lines.get(usize::try_from(line).ok()?.checked_sub(1)?).cloned()
    }
}

/// The components of `path` with `.` and `..` resolved; `None` where it climbs out.
fn normal(path: &Path) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::CurDir | Component::RootDir => {}
            Component::Prefix(_) => return None,
        }
    }
    (!parts.is_empty()).then_some(parts)
}

fn read(root: &Path, tail: &[&str]) -> Option<Vec<String>> {
    let path = tail.iter().fold(root.to_path_buf(), |path, part| path.join(part));
    let real = path.canonicalize().ok()?;
    if !real.starts_with(root.canonicalize().ok()?) {
        return None;
    }
    let about = real.metadata().ok()?;
    if !about.is_file() || about.len() > LARGEST {
        return None;
    }
    let bytes = std::fs::read(real).ok()?;
    Some(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
}

/// `6.1` of `6.1.0-56-cloud-arm64`: as packages and trees are named, not to decide anything by.
fn major_minor(release: &str) -> Option<String> {
    let mut parts = release.split(['.', '-']);
    Some(format!("{}.{}", parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u32>().ok()?))
}

/// The version that a kernel tree's own Makefile gives.
fn tree_version(tree: &Path) -> Option<String> {
    let makefile = std::fs::read_to_string(tree.join("Makefile")).ok()?;
    let value = |name: &str| {
        let line = makefile.lines().take(20).find_map(|line| line.strip_prefix(name))?;
        Some(line.trim_start().strip_prefix('=')?.trim().to_owned())
    };
    Some(format!("{}.{}", value("VERSION")?, value("PATCHLEVEL")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(name: &str) -> PathBuf {
        let root = std::env::temp_dir().join(format!("kwhy-sources-{}-{name}", std::process::id()));
        std::fs::create_dir_all(root.join("kernel/module")).unwrap();
        std::fs::write(root.join("kernel/module/sysfs.c"), "one\ntwo\n").unwrap();
        std::fs::write(root.join("secret.txt"), "secret\n").unwrap();
        std::fs::write(root.join("Makefile"), "# SPDX\nVERSION = 6\nPATCHLEVEL = 1\n").unwrap();
        root
    }

    #[test]
    fn build_prefixes_are_dropped_until_the_path_fits() {
        let root = tree("fit");
        let sources = SourceTree::new(std::slice::from_ref(&root), &[], None);
        for file in [
            "kernel/module/sysfs.c",
            "/build/linux-6.1/kernel/module/sysfs.c",
            "./kernel/x/../module/sysfs.c",
        ] {
            assert_eq!(sources.line(file, None, 2).as_deref(), Some("two"), "{file}");
        }
        assert_eq!(sources.line("kernel/module/sysfs.c", None, 3), None);
        assert_eq!(sources.line("kernel/module/sysfs.c", None, 0), None);
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn no_path_leaves_its_root_and_only_source_is_opened() {
        let root = tree("stay");
        let inside = root.join("kernel");
        std::os::unix::fs::symlink(root.join("kernel/module/sysfs.c"), root.join("kernel/link.c")).unwrap();
        std::fs::write(root.join("outer.c"), "outer\n").unwrap();
        std::os::unix::fs::symlink(root.join("outer.c"), root.join("kernel/out.c")).unwrap();
        let sources = SourceTree::new(std::slice::from_ref(&inside), &[], None);
        assert_eq!(sources.line("../outer.c", None, 1), None);
        assert_eq!(sources.line("out.c", None, 1), None);
        assert_eq!(sources.line("link.c", None, 1).as_deref(), Some("one"));
        let built = root.to_string_lossy().into_owned();
        assert_eq!(sources.line("secret.txt", Some(&built), 1), None);
        assert_eq!(sources.line("outer.c", Some(&built), 1).as_deref(), Some("outer"));
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_tree_is_known_by_its_makefile() {
        let root = tree("version");
        assert_eq!(tree_version(&root).as_deref(), Some("6.1"));
        assert_eq!(major_minor("6.1.0-56-cloud-arm64").as_deref(), Some("6.1"));
        assert_eq!(major_minor("garbage"), None);
        std::fs::remove_dir_all(root).unwrap();
    }
}
