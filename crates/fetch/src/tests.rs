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
        version: Some("#1 Debian 6.1.192-2".into()),
        modules: ["nf_nat", "evil"]
            .map(|name| WantedModule { name: name.into(), build_id: None, outside: false })
            .to_vec(),
        build_id: BuildId::from_hex("abcdef0123"),
        arch: None,
    }
}

/// The files of these tests say nothing of themselves.
fn blank(_: &Path) -> Result<Identity, String> {
    Ok(Identity::default())
}

fn unopened(path: &Path) -> Result<Identity, String> {
    panic!("{} was opened", path.display())
}

fn find_with(paths: &[PathBuf], wanted: &Wanted, probe: &Probe) -> Found {
    search_with(&Roots { given: paths.to_vec(), ..Roots::default() }, wanted, probe)
}

fn names(found: &Found) -> Vec<String> {
    found
        .chosen()
        .map(|candidate| candidate.path.file_name().unwrap().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_file_stands_for_itself_and_so_does_one_that_is_not_there() {
    let paths = ["/nonexistent/vmlinux", "/nonexistent/other"].map(PathBuf::from);
    let found = find_with(&paths, &wanted(), &unopened);
    assert_eq!(found.candidates.len(), 2);
    assert!(found.candidates.iter().all(|candidate| candidate.chosen));
    assert!(!found.kernel_missing);
    assert_eq!(found.modules_missing, ["evil", "nf_nat"]);
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
    let found = find_with(std::slice::from_ref(&folder.0), &wanted(), &blank);
    assert_eq!(names(&found), ["vmlinux-6.1.0-56-cloud-amd64", "evil.ko.xz", "nf-nat.ko"]);
    let rejected: Vec<_> = found.candidates.iter().filter(|candidate| !candidate.chosen).collect();
    assert_eq!(rejected.len(), 2, "{rejected:#?}");
}

#[test]
fn debug_files_come_before_stripped_ones() {
    let folder = Folder::new("debug");
    folder.file("a/evil.ko");
    folder.file("usr/lib/debug/z/evil.ko.debug");
    let found = find_with(std::slice::from_ref(&folder.0), &wanted(), &blank);
    assert_eq!(names(&found), ["evil.ko.debug"]);
}

#[test]
fn contents_decide_between_equals() {
    let folder = Folder::new("equals");
    folder.file("one/vmlinux");
    folder.file("two/vmlinux");
    let probe = |path: &Path| {
        let release = if path.to_string_lossy().contains("two") { "6.1.0-56-cloud-amd64" } else { "6.6.6" };
        Ok(Identity { release: Some(release.into()), build_id: None, ..Identity::default() })
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
    let found = find_with(std::slice::from_ref(&folder.0), &wanted(), &blank);
    assert_eq!(names(&found), ["cdef0123.debug"]);

    let empty = Folder::new("empty");
    let found = find_with(std::slice::from_ref(&empty.0), &wanted(), &blank);
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
    let found = find_with(std::slice::from_ref(&folder.0), &wanted(), &blank);
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

fn everywhere(folder: &Folder) -> Roots {
    Roots {
        given: vec![folder.0.join("given")],
        path: vec![folder.0.join("path")],
        system: Some(folder.0.join("root")),
        cache: Some(Cache::at(folder.0.join("cache"), 1 << 20)),
    }
}

#[test]
fn an_earlier_place_goes_before_a_later_one() {
    let places = [
        ("given/vmlinux", Source::Given),
        ("path/sub/vmlinux", Source::Path),
        ("root/usr/lib/debug/boot/vmlinux-6.1.0-56-cloud-amd64", Source::System),
        ("cache/image/abcdef0123/6.1.0-56-cloud-amd64/vmlinux", Source::Cache),
    ];
    for first in 0..places.len() {
        let folder = Folder::new("order");
        folder.file("given/other");
        folder.file("path/other");
        for (path, _) in &places[first..] {
            folder.file(path);
        }
        let found = search_with(&everywhere(&folder), &wanted(), &blank);
        let chosen: Vec<_> =
            found.chosen().map(|candidate| (candidate.path.clone(), candidate.source)).collect();
        assert_eq!(chosen, [(folder.0.join(places[first].0), places[first].1)]);
        assert!(!found.kernel_missing);
    }
}

#[test]
fn what_one_place_lacks_comes_from_another() {
    let folder = Folder::new("mixed");
    folder.file("given/vmlinux");
    folder.file("path/updates/evil.ko");
    folder.file("root/lib/modules/6.1.0-56-cloud-amd64/kernel/nf_nat.ko");
    let found = search_with(&everywhere(&folder), &wanted(), &blank);
    assert_eq!(names(&found), ["vmlinux", "evil.ko", "nf_nat.ko"]);
    assert!(!found.kernel_missing && found.modules_missing.is_empty());
}

#[test]
fn types_by_themselves_are_no_kernel() {
    let folder = Folder::new("btf");
    let types = folder.0.join("btf/vmlinux");
    folder.file("btf/vmlinux");
    std::fs::write(&types, b"\x9f\xeb\x01\0\x18\0\0\0").unwrap();
    folder.file("root/boot/vmlinuz-6.1.0-56-cloud-amd64");
    let roots = Roots { given: vec![types], system: Some(folder.0.join("root")), ..Roots::default() };
    let found = search_with(&roots, &wanted(), &blank);
    assert_eq!(names(&found), ["vmlinux", "vmlinuz-6.1.0-56-cloud-amd64"]);
}

#[test]
fn another_build_is_told_and_a_better_place_is_asked() {
    let folder = Folder::new("build");
    let wrong = folder.file("given/vmlinux");
    let right = folder.file("root/boot/vmlinux-6.1.0-56-cloud-amd64");
    let probe = |path: &Path| {
        let id = if path.starts_with(folder.0.join("given")) { "ffff" } else { "abcdef0123" };
        Ok(Identity { build_id: BuildId::from_hex(id), ..Identity::default() })
    };
    let found = search_with(&everywhere(&folder), &wanted(), &probe);
    let fate: Vec<_> = found.candidates.iter().map(|c| (c.path.clone(), c.chosen, c.grade)).collect();
    assert_eq!(fate, [(right, true, Some(Grade::BuildId)), (wrong, false, None)]);
    assert!(found.candidates[1].why.render(kwhy_base::Lang::En).contains("ffff"));
}

#[test]
fn the_banner_s_version_tells_builds_of_one_release_apart() {
    let folder = Folder::new("version");
    let old = folder.file("given/a/vmlinux");
    let new = folder.file("given/b/vmlinux");
    let probe = |path: &Path| {
        let (version, id) = if path == old { ("6.1.190-1", "01") } else { ("6.1.192-2", "02") };
        Ok(Identity {
            release: Some("6.1.0-56-cloud-amd64".into()),
            banner: Some(format!("Linux version 6.1.0-56-cloud-amd64 (gcc) #1 SMP Debian {version} (2026)")),
            build_id: BuildId::from_hex(id),
            ..Identity::default()
        })
    };
    let wanted = Wanted { build_id: None, ..wanted() };
    let found = search_with(&everywhere(&folder), &wanted, &probe);
    let fate: Vec<_> = found.chosen().map(|c| (c.path.clone(), c.grade.unwrap())).collect();
    // A version may be damaged in the log: the other build stands behind, for the code to decide.
    assert_eq!(fate, [(new, Grade::Banner), (old.clone(), Grade::OtherVersion)]);
}

#[test]
fn other_kernels_of_the_cache_are_not_told() {
    let folder = Folder::new("others");
    folder.file("cache/image/0123/6.1.0-99-amd64/vmlinux");
    folder.file("cache/image/0124/unknown/vmlinux");
    folder.file("cache/image/0125/6.1.0-56-cloud-amd64/ext4.ko");
    let roots = Roots { given: Vec::new(), ..everywhere(&folder) };
    let found = search_with(&roots, &wanted(), &unopened);
    assert_eq!(found.candidates, []);
    assert!(found.kernel_missing);
}

#[test]
fn of_four_thousand_modules_only_the_crash_s_are_opened() {
    for place in ["given", "path", "root"] {
        let folder = Folder::new("thousands");
        for i in 0..4000 {
            folder.file(&format!("{place}/lib/modules/6.1.0-56-cloud-amd64/kernel/{}/m{i}.ko", i % 40));
        }
        folder.file(&format!("{place}/lib/modules/6.1.0-56-cloud-amd64/kernel/7/nf_nat.ko"));
        let opened = std::cell::RefCell::new(Vec::new());
        let probe = |path: &Path| {
            opened.borrow_mut().push(path.file_name().unwrap().to_owned());
            blank(path)
        };
        let given = if place == "given" { vec![folder.0.join(place)] } else { Vec::new() };
        let found = search_with(&Roots { given, ..everywhere(&folder) }, &wanted(), &probe);
        assert_eq!(names(&found), ["nf_nat.ko"]);
        assert_eq!(opened.into_inner(), ["nf_nat.ko"], "{place}");
    }
}

/// RPM's way: `X.ko.debug` without code, `X.ko.xz` without debug information.
#[test]
fn the_halves_of_what_was_split_are_found_together() {
    let split = |path: &Path| {
        let debug = path.extension().is_some_and(|e| e == "debug");
        let release = (!debug).then(|| "6.1.0-56-cloud-amd64".to_owned());
        let id = if path.to_string_lossy().contains("other") { "0456" } else { "0123" };
        Ok(Identity {
            is_module: Some(true),
            has_dwarf: Some(debug),
            lacks_code: debug,
            release,
            build_id: BuildId::from_hex(id),
            ..Identity::default()
        })
    };
    const MODULES: &str = "lib/modules/6.1.0-56-cloud-amd64/kernel/net";
    for (debug, code) in [
        (format!("given/{MODULES}/nf_nat.ko.debug"), format!("given/{MODULES}/nf_nat.ko.xz")),
        (format!("root/usr/lib/debug/{MODULES}/nf_nat.ko.debug"), format!("root/{MODULES}/nf_nat.ko.xz")),
        (format!("given/{MODULES}/nf_nat.ko.debug"), format!("root/{MODULES}/nf_nat.ko.zst")),
        (
            "cache/image/0123/6.1.0-56-cloud-amd64/nf_nat.ko.debug".to_owned(),
            format!("root/{MODULES}/nf_nat.ko"),
        ),
        (format!("given/{MODULES}/nf_nat.ko.debug"), format!("path/{MODULES}/nf_nat.ko")),
    ] {
        let folder = Folder::new("halves");
        let (debug, code) = (folder.file(&debug), folder.file(&code));
        // Of another build: no half of it.
        folder.file("given/other/nf_nat.ko");
        let found = search_with(&everywhere(&folder), &wanted(), &split);
        let chosen: Vec<_> = found.chosen().map(|candidate| candidate.path.clone()).collect();
        assert!(chosen.contains(&debug) && chosen.contains(&code), "{found:#?}");
        // Named, the debug file alone brings the other.
        let roots = Roots { given: vec![debug.clone()], ..everywhere(&folder) };
        let found = search_with(&roots, &wanted(), &split);
        let chosen: Vec<_> = found.chosen().map(|candidate| candidate.path.clone()).collect();
        assert_eq!(chosen.first(), Some(&debug));
        assert!(code.starts_with(folder.0.join("given")) || chosen.contains(&code), "{found:#?}");
    }
}

#[test]
fn debug_information_of_a_later_place_goes_before_what_has_none() {
    let folder = Folder::new("poor");
    let stripped = folder.file("root/lib/modules/6.1.0-56-cloud-amd64/kernel/nf_nat.ko");
    let rich = folder.file("cache/image/0123/6.1.0-56-cloud-amd64/nf_nat.ko.debug");
    let probe = |path: &Path| {
        let has_dwarf = Some(path.extension().is_some_and(|e| e == "debug"));
        Ok(Identity { has_dwarf, build_id: BuildId::from_hex("0123"), ..Identity::default() })
    };
    let found = search_with(&Roots { given: Vec::new(), ..everywhere(&folder) }, &wanted(), &probe);
    let chosen: Vec<_> = found.chosen().map(|candidate| candidate.path.clone()).collect();
    assert_eq!(chosen, [rich, stripped]);
    assert!(found.kernel_missing);
    assert_eq!(found.modules_missing, ["evil"]);
}
