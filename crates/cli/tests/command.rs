//! The command as its users meet it: exit codes, what is written where, and what is said about
//! input that cannot be used.

#![allow(missing_docs)]

mod common;

use common::{Folder, command, example, kwhy, kwhy_piped};
use std::process::Stdio;

/// A minimal ELF header: 64-bit little-endian, of the given type and machine.
fn elf(e_type: u16, machine: u16) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    bytes.extend(e_type.to_le_bytes());
    bytes.extend(machine.to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    bytes.extend([0; 24]);
    bytes.extend([0; 4]);
    bytes.extend(64u16.to_le_bytes());
    bytes.extend([0; 10]);
    bytes
}

#[test]
fn the_example_is_explained_the_same_way_every_time() {
    let first = kwhy(&[&example()]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert_eq!(first.stderr, "");
    assert!(first.stdout.contains("mod_sysfs_setup"), "{}", first.stdout);
    assert!(!first.stdout.contains('\x1b'));
    let named = kwhy(&["explain", &example()]);
    let piped = kwhy_piped(&[], &std::fs::read(example()).unwrap());
    let dash = kwhy_piped(&["-"], &std::fs::read(example()).unwrap());
    assert_eq!((named.code, &named.stdout), (Some(0), &first.stdout));
    // Commands to be pasted name the log, which a pipe has no name for.
    let nameless = |path: &str| first.stdout.replace(&format!("kwhy fetch {path}"), "kwhy fetch LOG");
    let expected = nameless(&example()).replace(&format!("kwhy {} -i", example()), "kwhy LOG -i");
    for other in [piped, dash] {
        assert_eq!((other.code, &other.stdout), (Some(0), &expected));
    }
}

#[test]
fn json_names_its_schema_and_its_crash() {
    let run = kwhy(&["-f", "json", &example()]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["schema"], "kwhy-report/1");
    assert_eq!(json["crashes"].as_array().unwrap().len(), 1);
    assert_eq!(json["crashes"][0]["arch"], "arm64");
}

#[test]
fn prose_follows_the_language_asked_for_or_the_locale() {
    let asked = kwhy(&["--lang", "zh", &example()]);
    assert!(asked.stdout.contains("结论"), "{}", asked.stdout);
    let mut located = command(&[&example()]);
    located.env("LANG", "zh_CN.UTF-8");
    assert_eq!(common::finished(located.output().unwrap()).stdout, asked.stdout);
    // LC_ALL decides over LANG, and an option over both.
    let mut overruled = command(&[&example()]);
    overruled.env("LANG", "zh_CN.UTF-8").env("LC_ALL", "C");
    assert!(common::finished(overruled.output().unwrap()).stdout.contains("Verdict"));
    let missing = kwhy(&["--lang", "zh", "no-such.log"]);
    insta::assert_snapshot!(missing.stderr, @r"
    kwhy：错误：无法读取 no-such.log
      原因：No such file or directory (os error 2)
      提示：请检查路径；`kwhy --help` 说明了如何给出输入
    ");
}

#[test]
fn no_colour_where_none_is_wanted() {
    // Standard output is a pipe here; NO_COLOR must not turn anything on either.
    let mut run = command(&[&example()]);
    run.env("NO_COLOR", "1");
    assert!(!common::finished(run.output().unwrap()).stdout.contains('\x1b'));
}

#[test]
fn a_missing_file() {
    let run = kwhy(&["no-such.log"]);
    assert_eq!(run.code, Some(2));
    assert_eq!(run.stdout, "");
    insta::assert_snapshot!(run.stderr, @r"
    kwhy: error: cannot read no-such.log
      because: No such file or directory (os error 2)
      hint: check the path; `kwhy --help` shows how inputs are given
    ");
}

#[test]
fn one_missing_file_among_others_does_not_silence_them() {
    let run = kwhy(&["no-such.log", &example()]);
    assert_eq!(run.code, Some(2));
    assert!(run.stdout.contains("mod_sysfs_setup"));
    assert!(run.stderr.contains("no-such.log"));
}

#[test]
fn a_missing_image_is_told_and_the_log_explained_without_it() {
    let run = kwhy(&[&example(), "-i", "no-such-vmlinux"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stdout.contains("mod_sysfs_setup"));
    assert!(run.stderr.contains("cannot read no-such-vmlinux"), "{}", run.stderr);
}

#[test]
fn several_logs_are_told_apart() {
    let run = kwhy(&["-f", "json", &example(), &example()]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["crashes"].as_array().unwrap().len(), 2);
    let notes: Vec<&str> =
        json["notes"].as_array().unwrap().iter().filter_map(|n| n["text"].as_str()).collect();
    assert!(notes.iter().any(|n| n.ends_with("insmod.log: crash 1")), "{notes:?}");
    assert!(notes.iter().any(|n| n.ends_with("insmod.log: crash 2")), "{notes:?}");
}

#[test]
fn an_empty_file_has_no_crash() {
    let folder = Folder::new("empty");
    let run = kwhy(&[&folder.file("empty.log", b"")]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""));
    assert!(run.stdout.contains("No crash was found"));
    assert_eq!(run.stdout.matches("The input is empty.").count(), 1, "{}", run.stdout);
}

#[test]
fn a_log_without_a_crash() {
    let run = kwhy_piped(&[], b"[    0.000000] Linux version 6.1.0\n[    1.0] all is well\n");
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("No crash was found"));
}

#[test]
fn a_binary_file_is_said_to_be_one() {
    let folder = Folder::new("binary");
    let bytes: Vec<u8> = (0..20_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let run = kwhy(&[&folder.file("noise.log", &bytes)]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("binary"), "{}", run.stdout);
    let packed = kwhy(&[&folder.file("console.log.gz", b"\x1f\x8b\x08\0\0\0\0\0")]);
    assert_eq!(packed.code, Some(2));
    assert!(packed.stderr.contains("gzip"), "{}", packed.stderr);
}

#[test]
fn an_image_given_as_the_log() {
    let folder = Folder::new("elf-log");
    let path = folder.file("vmlinux", &elf(2, 183));
    let run = kwhy(&[&path]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("ELF") && run.stderr.contains(&format!("-i {path}")), "{}", run.stderr);
}

#[test]
fn a_log_given_as_an_image_is_not_used() {
    let run = kwhy(&["-f", "json", &example(), "-i", &example()]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let images = json["crashes"][0]["images"].as_array().unwrap();
    assert!(images.iter().all(|image| image["used"] == false), "{images:?}");
    assert_eq!(images.len(), 1);
    assert_eq!(run.code, Some(0));
}

#[test]
fn an_image_of_another_architecture_is_not_used() {
    let folder = Folder::new("other-arch");
    let path = folder.file("vmlinux", &elf(2, 62));
    let run = kwhy(&["-f", "json", &example(), "-i", &path]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let images = json["crashes"][0]["images"].as_array().unwrap();
    assert!(!images.is_empty() && images.iter().all(|image| image["used"] == false), "{images:?}");
}

#[test]
fn a_directory_is_no_log_but_may_hold_images() {
    let folder = Folder::new("directory");
    let run = kwhy(&[folder.path()]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains(&format!("kwhy LOG -i {}", folder.path())), "{}", run.stderr);
}

#[test]
fn thousands_of_candidates_are_searched_by_name() {
    let folder = Folder::new("thousands");
    for i in 0..3000 {
        folder.file(&format!("lib/{}/driver_{i}.ko", i % 40), b"not looked into");
    }
    let start = std::time::Instant::now();
    let run = kwhy(&[&example(), "-i", folder.path()]);
    assert!(start.elapsed().as_secs() < 20);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("no vmlinux"), "{}", run.stdout);
    assert!(!run.stdout.contains("driver_1.ko"));
}

#[test]
fn an_unknown_format_is_a_usage_error() {
    let run = kwhy(&["-f", "yaml", &example()]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("markdown"), "{}", run.stderr);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = command(&[&example()]).spawn().unwrap();
    drop(child.stdout.take());
    let run = common::finished(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

#[test]
fn an_output_that_cannot_be_written_or_is_an_input() {
    let run = kwhy(&[&example(), "-o", "/no-such-folder/report.txt"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("cannot write /no-such-folder/report.txt"), "{}", run.stderr);

    let folder = Folder::new("output");
    let log = folder.file("console.log", &std::fs::read(example()).unwrap());
    let run = kwhy(&[&log, "-o", &log]);
    assert_eq!(run.code, Some(2));
    assert_eq!(std::fs::read(&log).unwrap(), std::fs::read(example()).unwrap());

    let report = folder.0.join("report.md");
    let run = kwhy(&[&log, "-f", "markdown", "-o", report.to_str().unwrap()]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""));
    assert!(std::fs::read_to_string(report).unwrap().starts_with("# "));
}

#[test]
fn following_reports_each_crash_when_it_is_complete() {
    let log = std::fs::read(example()).unwrap();
    let twice = [b"boot\n".as_slice(), &log, b"\n", &log].concat();
    let run = kwhy_piped(&["--follow", "-f", "json"], &twice);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let reports: Vec<serde_json::Value> =
        serde_json::Deserializer::from_str(&run.stdout).into_iter().map(Result::unwrap).collect();
    assert_eq!(reports.len(), 2);
    let lines = log.iter().filter(|b| **b == b'\n').count() as u64;
    assert_eq!(reports[0]["crashes"][0]["first_line"], 2);
    assert!(reports[1]["crashes"][0]["first_line"].as_u64().unwrap() > lines);
    assert!(reports.iter().all(|r| r["crashes"].as_array().unwrap().len() == 1));
}

#[test]
fn decoding() {
    let run = kwhy(&["decode", "esr", "0x96000004"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("ESR_EL1 = 0x96000004") && run.stdout.contains("31:26"));
    let json = kwhy(&["decode", "esr", "96000004", "-f", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["decoded"][0]["value"], "0x96000004");
    let run = kwhy(&["decode", "esr", "nonsense"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("nonsense"));
    assert_eq!(kwhy(&["decode", "esr", "0x96000004", "--arch", "vax"]).code, Some(2));
}

#[test]
fn looking_into_what_is_no_image() {
    let disasm = kwhy(&["disasm", "f", "-i", &example()]);
    assert_eq!(disasm.code, Some(2));
    assert!(disasm.stderr.contains("cannot be used as an image"), "{}", disasm.stderr);
    let run = kwhy(&["type", "struct module", "-i", "no-such-file"]);
    assert_eq!(run.code, Some(2));
    let run = kwhy(&["disasm", "f+zz", "-i", &example()]);
    assert!(run.stderr.contains("zz"), "{}", run.stderr);
}

#[test]
fn completions_and_the_manual() {
    assert!(kwhy(&["completions", "bash"]).stdout.contains("_kwhy"));
    assert!(kwhy(&["man"]).stdout.contains(".TH kwhy"));
    assert!(kwhy(&["--version"]).stdout.starts_with("kwhy "));
}

#[test]
fn nothing_piped_and_nothing_given_reads_an_empty_input() {
    let run = common::finished(command(&[]).stdin(Stdio::null()).output().unwrap());
    assert_eq!(run.code, Some(1));
}
