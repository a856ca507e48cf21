//! The same log in the forms that programs give it says the same, with line numbers of the file
//! that a person holds.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Folder, kwhy, kwhy_piped};
use serde_json::Value;
use std::path::PathBuf;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/inputs").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn report(path: &str) -> Value {
    let run = kwhy(&["-f", "json", path]);
    assert_eq!(run.stderr, "", "{path}");
    assert_eq!(run.code, Some(0), "{path}");
    json(&run.stdout)
}

/// A report without what depends on where the log stood: the input's name and line numbers.
fn without_places(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| {
                !["input", "line", "first_line", "last_line", "log_line"].contains(&name.as_str())
            });
            members.values_mut().for_each(without_places);
        }
        Value::Array(values) => values.iter_mut().for_each(without_places),
        // Sentences name lines too.
        Value::String(text) => {
            *text = text.replace(|c: char| c.is_ascii_digit(), "#");
            while text.contains("##") {
                *text = text.replace("##", "#");
            }
        }
        _ => {}
    }
}

#[test]
fn every_form_says_the_same() {
    let plain = report(fixture("plain.log").to_str().unwrap());
    let mut wanted = plain["crashes"].clone();
    assert_eq!(wanted.as_array().unwrap().len(), 1);
    without_places(&mut wanted);
    for name in [
        "plain.log.gz",
        "plain.log.xz",
        "plain.log.lzma",
        "plain.log.zst",
        "plain.log.bz2",
        "plain.log.lz4",
        "plain.legacy.lz4",
        "report.tar.gz",
        "typescript",
        "plain.base64",
        "journal.json",
        "journal.json-pretty",
        "journal.json-sse",
        "journal.export",
        "journal.verbose",
        "quoted-printable.eml",
        "attached.eml",
        "page.html",
    ] {
        let found = report(fixture(name).to_str().unwrap());
        let mut crashes = found["crashes"].clone();
        without_places(&mut crashes);
        assert_eq!(crashes, wanted, "{name}");
        let input = found["crashes"][0]["input"].as_str().unwrap();
        assert!(input.contains(name), "{input}");
    }
}

#[test]
fn what_only_packs_keeps_the_lines() {
    let wanted = report(fixture("plain.log").to_str().unwrap())["crashes"].clone();
    for name in
        ["plain.log.gz", "plain.log.xz", "plain.log.zst", "plain.log.bz2", "plain.log.lz4", "report.tar.gz"]
    {
        let mut found = report(fixture(name).to_str().unwrap())["crashes"].clone();
        found[0]["input"] = wanted[0]["input"].clone();
        assert_eq!(found, wanted, "{name}");
    }
}

#[test]
fn line_numbers_are_the_files() {
    // In a journal the record begins there; its message is a few fields on.
    for (name, fields) in [
        ("journal.json", 1),
        ("journal.json-sse", 1),
        ("journal.json-pretty", 16),
        ("journal.export", 16),
        ("journal.verbose", 10),
        ("page.html", 1),
        ("quoted-printable.eml", 1),
        ("typescript", 1),
    ] {
        let file = bytes(name);
        let text = String::from_utf8_lossy(&file);
        let first = report(fixture(name).to_str().unwrap())["crashes"][0]["first_line"].as_u64().unwrap();
        let at = usize::try_from(first).unwrap() - 1;
        let record: Vec<&str> = text.split('\n').skip(at).take(fields).collect();
        assert!(
            record.join("\n").contains("BUG: kernel NULL pointer dereference"),
            "{name} line {first}: {record:?}"
        );
    }
}

#[test]
fn a_pipe_is_as_good_as_a_file() {
    for name in ["plain.log.gz", "plain.log.zst", "journal.export", "report.tar.gz"] {
        let run = kwhy_piped(&["-f", "json"], &bytes(name));
        assert_eq!(run.code, Some(0), "{name}: {}", run.stderr);
        assert_eq!(json(&run.stdout)["crashes"].as_array().unwrap().len(), 1, "{name}");
    }
}

#[test]
fn what_was_cut_off_says_what_it_has() {
    for (name, keep) in [("plain.log.gz", 2000), ("plain.log.zst", 2050), ("plain.log.xz", 1500)] {
        let packed = bytes(name);
        let run = kwhy_piped(&[], &packed[..keep.min(packed.len() - 40)]);
        assert_ne!(run.code, Some(3), "{name}");
        let said = run.stdout + &run.stderr;
        assert!(said.contains("ends early or is damaged"), "{name}: {said}");
    }
}

#[test]
fn what_is_packed_and_no_log_is_refused_by_its_name() {
    let folder = Folder::new("packed-elf");
    let elf = [b"\x7fELF\x02\x01\x01".to_vec(), vec![0; 100]].concat();
    let path = folder.file("vmlinux", &elf);
    let packed = std::process::Command::new("gzip").arg("-k").arg(&path).status();
    if !packed.is_ok_and(|status| status.success()) {
        println!("skipped: no gzip here");
        return;
    }
    let run = kwhy(&[&format!("{path}.gz")]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("ELF"), "{}", run.stderr);
}

#[test]
fn a_folder_of_logs() {
    let folder = Folder::new("folder-of-logs");
    let plain = bytes("plain.log");
    folder.file("202611221400/dmesg.202611221400", &plain);
    folder.file("202611221400/dump.202611221400", b"KDUMP   not looked into");
    folder.file("202611231500/dmesg.202611231500.gz", &bytes("plain.log.gz"));
    folder.file("kexec_cmd", b"/sbin/kexec -p\n");
    folder.file("modules/a.ko", b"\x7fELF");
    let run = kwhy(&["-f", "json", folder.path()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let inputs: Vec<String> = json(&run.stdout)["crashes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|crash| crash["input"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(inputs, ["dmesg.202611221400", "dmesg.202611231500.gz"]);
    // Which crash is from which file is said in words too.
    let text = kwhy(&[folder.path()]).stdout;
    assert!(text.contains("dmesg.202611231500.gz"), "{text}");
}

#[test]
fn a_problem_folder_tells_of_one_crash() {
    let folder = Folder::new("abrt");
    let plain = String::from_utf8(bytes("plain.log")).unwrap();
    let bare: String = plain.lines().map(|line| format!("{}\n", &line[15..])).collect();
    for (name, text) in [
        ("dmesg", plain.as_str()),
        ("backtrace", &bare),
        ("type", "Kerneloops"),
        ("reason", "BUG: unable to handle"),
        ("cmdline", "root=/dev/vda"),
        ("analyzer", "abrt-oops"),
        ("kernel", "6.1.0-56-cloud-amd64"),
    ] {
        folder.file(name, text.as_bytes());
    }
    let found = report(folder.path());
    assert_eq!(found["crashes"].as_array().unwrap().len(), 1);
    assert!(found["crashes"][0]["input"].as_str().unwrap().ends_with("/dmesg"));
}

#[test]
fn parts_that_pstore_saved_are_one_log() {
    let folder = Folder::new("pstore");
    let plain = String::from_utf8(bytes("plain.log")).unwrap();
    let lines: Vec<&str> = plain.lines().collect();
    // Part 1 is the end of the log.
    for (part, own) in lines.chunks(25).rev().enumerate() {
        let text = format!("Oops#1 Part{}\n{}\n", part + 1, own.join("\n"));
        folder.file(&format!("dmesg-efi-17638200{part:02}"), text.as_bytes());
    }
    let found = report(folder.path());
    let mut crashes = found["crashes"].clone();
    let mut wanted = report(fixture("plain.log").to_str().unwrap())["crashes"].clone();
    without_places(&mut crashes);
    without_places(&mut wanted);
    assert_eq!(crashes, wanted);
}
