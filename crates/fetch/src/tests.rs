use super::*;
use std::fs;

/// A folder of its own for each test, removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("kwhy-fetch-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn file(&self, path: &str) -> PathBuf {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, path.to_string_lossy().as_bytes()).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn wanted() -> Wanted {
    Wanted {
        release: Some("6.1.0-56-cloud-amd64".into()),
        modules: vec!["nf_nat".into(), "evil".into()],
        build_ids: vec![BuildId::from_hex("abcdef0123").unwrap()],
    }
}

fn unopened(path: &Path) -> Result<Identity, String> {
    panic!("{} was opened", path.display())
}

fn names(found: &Found) -> Vec<String> {
    found
        .chosen()
        .map(|candidate| candidate.path.file_name().unwrap().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_file_stands_for_itself_and_so_does_one_that_is_not_there() {
    let paths = [PathBuf::from("/nonexistent/vmlinux")];
    let found = find_with(&paths, &wanted(), &unopened);
    assert_eq!(found.candidates.len(), 1);
    assert!(found.candidates[0].chosen);
}

#[test]
fn only_the_crash_s_modules_and_its_release_are_taken() {
    let folder = Folder::new("release");
    folder.file("boot/vmlinux-6.1.0-56-cloud-amd64");
    folder.file("boot/vmlinux-6.1.0-99-cloud-amd64");
    folder.file("boot/vmlinux.lds");
    folder.file("lib/modules/6.1.0-56-cloud-amd64/kernel/net/nf-nat.ko");
    folder.file("lib/modules/6.1.0-99-cloud-amd64/kernel/net/nf-nat.ko");
    folder.file("lib/modules/6.1.0-56-cloud-amd64/kernel/net/nf_tables.ko");
    folder.file("lib/modules/6.1.0-56-cloud-amd64/updates/evil.ko.xz");
    let found = find_with(std::slice::from_ref(&folder.0), &wanted(), &unopened);
    assert_eq!(names(&found), ["vmlinux-6.1.0-56-cloud-amd64", "nf-nat.ko"]);
    let rejected: Vec<_> = found.candidates.iter().filter(|candidate| !candidate.chosen).collect();
    assert_eq!(rejected.len(), 3, "{rejected:#?}");
    assert!(rejected.iter().any(|candidate| candidate.why.render(kwhy_base::Lang::En).contains("xz -dk")));
}

#[test]
fn debug_files_come_before_stripped_ones() {
    let folder = Folder::new("debug");
    folder.file("a/evil.ko");
    folder.file("usr/lib/debug/z/evil.ko.debug");
    let found = find_with(std::slice::from_ref(&folder.0), &wanted(), &unopened);
    assert_eq!(names(&found), ["evil.ko.debug"]);
}

#[test]
fn contents_decide_between_equals() {
    let folder = Folder::new("equals");
    folder.file("one/vmlinux");
    folder.file("two/vmlinux");
    let probe = |path: &Path| {
        let release = if path.to_string_lossy().contains("two") { "6.1.0-56-cloud-amd64" } else { "6.6.6" };
        Ok(Identity { release: Some(release.into()), build_id: None })
    };
    let found = find_with(std::slice::from_ref(&folder.0), &wanted(), &probe);
    let chosen: Vec<_> = found.chosen().collect();
    assert_eq!(chosen.len(), 1);
    assert!(chosen[0].path.ends_with("two/vmlinux"));
}

#[test]
fn build_ids_and_nothing_at_all() {
    let folder = Folder::new("ids");
    folder.file(".build-id/ab/cdef0123.debug");
    folder.file(".build-id/ab/ffff.debug");
    let found = find_with(std::slice::from_ref(&folder.0), &wanted(), &unopened);
    assert_eq!(names(&found), ["cdef0123.debug"]);

    let empty = Folder::new("empty");
    let found = find_with(std::slice::from_ref(&empty.0), &wanted(), &unopened);
    assert_eq!(found.candidates, []);
    assert_eq!(found.notes.len(), 1);
}

#[cfg(unix)]
#[test]
fn links_neither_loop_nor_count_twice() {
    let folder = Folder::new("links");
    let real = folder.file("boot/vmlinux-6.1.0-56-cloud-amd64");
    std::os::unix::fs::symlink(&folder.0, folder.0.join("again")).unwrap();
    std::os::unix::fs::symlink(&real, folder.0.join("vmlinux")).unwrap();
    let found = find_with(std::slice::from_ref(&folder.0), &wanted(), &unopened);
    assert_eq!(found.candidates.len(), 1, "{found:#?}");
}

#[test]
fn a_search_has_an_end() {
    let folder = Folder::new("limit");
    for i in 0..50 {
        folder.file(&format!("{i}/x"));
    }
    assert!(walk::walk_within(&folder.0, |_| true, 20).cut_short);
    assert!(!walk::walk_within(&folder.0, |_| true, 200).cut_short);
}
