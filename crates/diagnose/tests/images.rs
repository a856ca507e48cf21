//! Which of several builds is this crash's: the log's own evidence decides, and what became of
//! each file is told. The look-alikes are the real image with a few bytes changed.

#![allow(missing_docs, clippy::unwrap_used)] // A test may fail as it likes.

use kwhy_diagnose::{ImageInput, Inputs, analyze};
use serde_json::Value;

const KERNEL: &[u8] = include_bytes!("../../../fuzz/seeds/kernel-x86_64");
const DEBUG: &[u8] = include_bytes!("../../image/tests/data/split-kernel.debug");
const CODE: &[u8] = include_bytes!("../../image/tests/data/split-kernel");
const PRINTED: &str = include_str!("../../../fuzz/seeds/kernel-x86_64.log");

/// The log with another version, and with more functions of the kernel on the stack.
fn log(version: &str) -> String {
    let frames = " lookup+0x1c/0x53\n[    3.566185]  begin+0x4/0x2f";
    PRINTED.replace("#1  Debian 6.1.192-2", version).replace(" lookup+0x1c/0x60", frames)
}

fn crash(log: &str, images: &[(&str, &[u8])]) -> Value {
    let images = images.iter().map(|(name, data)| ImageInput { name: (*name).to_owned(), data }).collect();
    let report = analyze(&Inputs { log: log.as_bytes(), images, sources: None });
    serde_json::to_value(&report).unwrap()["crashes"][0].clone()
}

/// (name, used, grade) of each image.
fn fates(crash: &Value) -> Vec<(String, bool, Option<String>)> {
    let images = crash["images"].as_array().unwrap().iter();
    images
        .map(|image| {
            let text = |key: &str| image[key].as_str().map(str::to_owned);
            (text("name").unwrap(), image["used"] == true, text("grade"))
        })
        .collect()
}

fn check<'c>(crash: &'c Value, image: usize, name: &str) -> &'c Value {
    let checks = crash["images"][image]["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or(&Value::Null)
}

fn place(needle: &[u8]) -> usize {
    let mut found = KERNEL.windows(needle.len()).enumerate().filter(|(_, bytes)| *bytes == needle);
    let place = found.next().unwrap().0;
    assert!(found.next().is_none());
    place
}

/// The image as another build would be: with a build-id of its own, and `change`d.
fn alike(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut other = KERNEL.to_vec();
    let id = place(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0") + 16;
    other[id] ^= 0xff;
    change(&mut other);
    other
}

/// One more byte of `walk()` is another than the log's `Code:` line shows, and then some.
#[allow(clippy::ptr_arg)] // What `alike` asks for.
fn other_code(image: &mut Vec<u8>) {
    let walk = place(b"\x0f\xb7\x47\x1a\x33\x47\x08\x39");
    for byte in &mut image[walk..walk + 8] {
        *byte = 0x90;
    }
}

/// `walk()` is a little longer: the next symbol, a global function, begins 8 bytes later.
#[allow(clippy::ptr_arg)] // What `alike` asks for.
fn other_size(image: &mut Vec<u8>) {
    let next = [b"\x12\0\x01\0".as_slice(), &0xffff_ffff_8100_0040_u64.to_le_bytes()].concat();
    image[place(&next) + 4] += 8;
}

#[test]
fn all_the_evidence_is_shown() {
    let crash = crash(&log("#1 SMP"), &[("vmlinux", KERNEL)]);
    assert_eq!(fates(&crash), [("vmlinux".to_owned(), true, Some("likely".to_owned()))]);
    for (name, outcome) in [
        ("architecture", "agrees"),
        ("release", "agrees"),
        ("version", "agrees"),
        ("build-id", "unavailable"),
        ("function-size", "agrees"),
        ("code-bytes", "agrees"),
    ] {
        assert_eq!(check(&crash, 0, name)["outcome"], outcome, "{name}: {crash:#}");
    }
    let sizes = check(&crash, 0, "function-size")["detail"].as_str().unwrap();
    assert!(sizes.contains("of 3 functions"), "{sizes}");
}

#[test]
fn of_several_builds_of_one_release_the_code_decides() {
    for (what, other) in [("code", alike(other_code)), ("size", alike(other_size))] {
        for first in [true, false] {
            let mut images: Vec<(&str, &[u8])> = vec![("alike", &other), ("right", KERNEL)];
            if !first {
                images.reverse();
            }
            let crash = crash(&log("#1"), &images);
            let used: Vec<_> = fates(&crash).into_iter().filter(|(_, used, _)| *used).collect();
            assert_eq!(used, [("right".to_owned(), true, Some("likely".to_owned()))], "{what}: {crash:#}");
            assert_eq!(crash["location"]["file"], "shapes.c");
            let lost =
                crash["images"].as_array().unwrap().iter().find(|image| image["name"] == "alike").unwrap();
            assert!(!lost["reason"].as_str().unwrap().is_empty());
        }
    }
}

#[test]
fn a_look_alike_alone_is_refused_or_doubted() {
    let other = alike(other_code);
    let refused = crash(&log("#1"), &[("alike", &other)]);
    assert_eq!(fates(&refused), [("alike".to_owned(), false, None)]);
    assert_eq!(check(&refused, 0, "code-bytes")["outcome"], "disagrees");
    assert_eq!(refused["location"]["file"], Value::Null);
    let other = alike(other_size);
    let doubted = crash(&log("#1"), &[("alike", &other)]);
    assert_eq!(fates(&doubted)[0].2.as_deref(), Some("possible"), "{doubted:#}");
}

/// A security update keeps the release: Debian's 6.1.192-1 against 6.1.192-2.
#[test]
fn another_version_is_never_used_in_silence() {
    // The code around the fault is the same: it is used, and everything that rests on it is doubted.
    let fits = crash(&log("#1 Debian 6.1.192-2"), &[("vmlinux", KERNEL)]);
    assert_eq!(fates(&fits), [("vmlinux".to_owned(), true, Some("possible".to_owned()))]);
    assert_eq!(check(&fits, 0, "version")["outcome"], "disagrees");
    assert!(fits["images"][0]["reason"].as_str().unwrap().contains("another build"));
    assert_ne!(fits["expression"]["grade"], "proved");
    assert!(fits["hypotheses"].as_array().unwrap().iter().all(|cause| cause["grade"] != "proved"));
    // Nothing but the release speaks for it: it is refused.
    let bare: String = log("#1 Debian 6.1.192-2")
        .lines()
        .filter(|line| !line.contains("Code:") && !line.contains("+0x"))
        .fold(String::new(), |text, line| text + line + "\n");
    let refused = crash(&bare, &[("vmlinux", KERNEL)]);
    assert_eq!(fates(&refused), [("vmlinux".to_owned(), false, None)], "{refused:#}");
    assert!(refused["images"][0]["reason"].as_str().unwrap().contains("#1 Debian 6.1.192-2"));
    // With the right one beside it there is no question.
    let right = crash(&log("#1 SMP"), &[("vmlinux", KERNEL)]);
    assert_eq!(right["expression"]["grade"], "proved");
}

#[test]
fn a_build_id_proves_and_disproves() {
    let id = "0123456789abcdef0123456789abcdef01234567";
    let line = format!("#1 {id}");
    let crash = crash(&log(&line), &[("vmlinux", KERNEL)]);
    assert_eq!(fates(&crash), [("vmlinux".to_owned(), false, None)]);
    let own = crash["images"][0]["build_id"].as_str().unwrap().to_owned();
    let crash = self::crash(&log(&format!("#1 {own}")), &[("vmlinux", KERNEL)]);
    assert_eq!(fates(&crash), [("vmlinux".to_owned(), true, Some("proved".to_owned()))]);
}

#[test]
fn split_debug_information_is_used_with_its_code() {
    let whole = crash(&log("#1"), &[("vmlinux", KERNEL)]);
    for images in [[("vmlinux", DEBUG), ("boot", CODE)], [("boot", CODE), ("vmlinux", DEBUG)]] {
        let mut joined = crash(&log("#1"), &images);
        let reasons: Vec<String> =
            joined["images"].as_array().unwrap().iter().map(|i| i["reason"].to_string()).collect();
        assert!(reasons.iter().any(|reason| reason.contains("together with")), "{reasons:?}");
        let mut whole = whole.clone();
        for crash in [&mut joined, &mut whole] {
            crash.as_object_mut().unwrap().remove("images");
        }
        assert_eq!(joined, whole);
    }
    // Alone it is told what is lacking.
    let half = crash(&log("#1"), &[("vmlinux", DEBUG)]);
    assert!(half["images"][0]["reason"].as_str().unwrap().contains("no code"), "{half:#}");
    // Of another build it is not joined.
    let other = alike(|_| {});
    let mut stripped = CODE.to_vec();
    let id = place(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0") + 16;
    assert_eq!(stripped[id] ^ 0xff, other[id]);
    stripped[id] ^= 0xff;
    let apart = crash(&log("#1"), &[("vmlinux", DEBUG), ("boot", &stripped)]);
    assert!(!apart["images"].to_string().contains("together with"), "{apart:#}");
}
