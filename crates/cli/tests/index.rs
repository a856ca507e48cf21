//! The index in the cache: the report is the same without one, while it is made, with it, and with
//! what was left of it.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Folder, Run, command, finished, root};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

fn arguments(arch: &str) -> Vec<String> {
    let seed = |name: String| root().join("fuzz/seeds").join(name).to_string_lossy().into_owned();
    let words = ["explain", "-f", "json", "-i"].map(str::to_owned);
    [words.to_vec(), vec![seed(format!("kernel-{arch}")), seed(format!("kernel-{arch}.log"))]].concat()
}

fn explain(arch: &str, cache: &str) -> Run {
    let arguments = arguments(arch);
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    finished(command(&words).env("KWHY_CACHE_DIR", cache).output().unwrap())
}

/// The report, which is the same in every run.
fn report(arch: &str, cache: &str) -> String {
    let run = explain(arch, cache);
    assert!(matches!(run.code, Some(0 | 1)), "{:?} {}", run.code, run.stderr);
    assert!(run.stdout.contains("kwhy-report/1"), "{}", run.stderr);
    run.stdout
}

fn files(folder: &Folder) -> Vec<PathBuf> {
    let images = fs::read_dir(folder.0.join("index")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        images.flat_map(|image| fs::read_dir(image).unwrap()).map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn the_second_report_is_the_first_and_the_index_is_one_entry() {
    for arch in ["x86_64", "arm64"] {
        let folder = Folder::new(&format!("index-warm-{arch}"));
        let without = report(arch, "/dev/null/none");
        assert_eq!(report(arch, folder.path()), without);
        let kept = files(&folder);
        assert!(kept.iter().any(|file| file.ends_with("symbols.names")), "{kept:?}");
        let stamp = |file: &PathBuf| fs::metadata(file).unwrap().modified().unwrap();
        let before: Vec<_> = kept.iter().map(stamp).collect();
        assert_eq!(report(arch, folder.path()), without);
        assert_eq!(files(&folder), kept);
        assert_eq!(kept.iter().map(stamp).collect::<Vec<_>>(), before, "nothing new was learned");

        let list = command(&["cache", "list", "-f", "json"]).env("KWHY_CACHE_DIR", folder.path()).output();
        let list: Value = serde_json::from_str(&finished(list.unwrap()).stdout).unwrap();
        let entries = list["entries"].as_array().unwrap();
        assert_eq!(entries.len(), 1, "{list}");
        assert_eq!(entries[0]["kind"], "index");
        let clean =
            command(&["cache", "clean", "--kind", "index"]).env("KWHY_CACHE_DIR", folder.path()).output();
        assert_eq!(finished(clean.unwrap()).code, Some(0));
        assert!(fs::read_dir(folder.0.join("index")).unwrap().next().is_none());
        assert_eq!(report(arch, folder.path()), without);
    }
}

#[test]
fn what_is_left_of_an_index_changes_nothing_and_is_mended() {
    let arch = "x86_64";
    let folder = Folder::new("index-damage");
    let without = report(arch, folder.path());
    let whole: Vec<(PathBuf, Vec<u8>)> =
        files(&folder).into_iter().map(|file| (file.clone(), fs::read(&file).unwrap())).collect();
    type Change<'c> = &'c dyn Fn(&[u8]) -> Vec<u8>;
    let damage: [Change<'_>; 7] = [
        &|_| Vec::new(),
        &|bytes| bytes[..bytes.len() / 2].to_vec(),
        &|bytes| bytes[..bytes.len() - 1].to_vec(),
        &|bytes| [bytes, b"more"].concat(),
        // Of another version.
        &|bytes| bytes.iter().enumerate().map(|(at, byte)| if at == 8 { byte ^ 1 } else { *byte }).collect(),
        // Every table, and its sums.
        &|bytes| bytes.iter().enumerate().map(|(at, b)| if at % 97 == 96 { b ^ 0x40 } else { *b }).collect(),
        &|bytes| bytes.iter().enumerate().map(|(at, b)| if at < 200 { *b } else { 0 }).collect(),
    ];
    for (number, damage) in damage.iter().enumerate() {
        for (file, bytes) in &whole {
            fs::write(file, damage(bytes)).unwrap();
        }
        assert_eq!(report(arch, folder.path()), without, "damage {number}");
        assert_eq!(report(arch, folder.path()), without, "after damage {number}");
        for (file, bytes) in &whole {
            let name = file.file_name().unwrap();
            assert_eq!(fs::read(file).unwrap().len(), bytes.len(), "{name:?} after damage {number}");
        }
    }
}

#[test]
fn processes_that_write_at_once_do_not_disturb_each_other() {
    let arch = "x86_64";
    let folder = Folder::new("index-race");
    let without = report(arch, "/dev/null/none");
    let arguments = arguments(arch);
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    for _ in 0..3 {
        let start = |_| command(&words).env("KWHY_CACHE_DIR", folder.path()).spawn().unwrap();
        let running: Vec<_> = (0..6).map(start).collect();
        for child in running {
            assert_eq!(finished(child.wait_with_output().unwrap()).stdout, without);
        }
        let left: Vec<_> = files(&folder);
        assert!(left.iter().all(|file| !file.file_name().unwrap().to_string_lossy().starts_with('.')));
        assert_eq!(report(arch, folder.path()), without);
        // One file goes, the others stay: the next ones write while the others are read.
        fs::remove_file(&left[0]).unwrap();
    }
}
