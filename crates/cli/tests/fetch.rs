//! `kwhy fetch` and `kwhy cache` as their users meet them, without a network.

#![allow(missing_docs)]

mod common;

use common::{Folder, command, example, finished, kwhy};
use std::net::TcpListener;

#[test]
fn the_package_and_its_command_are_named() {
    let run = kwhy(&["fetch", "--offline", "4.18.0-553.el8_10.x86_64"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stdout.contains("dnf debuginfo-install kernel-4.18.0-553.el8_10.x86_64"), "{}", run.stdout);
    let run = kwhy(&["fetch", "--offline", "-f", "json", "6.1.0-56-cloud-arm64"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["schema"], "kwhy-fetch/1");
    assert_eq!(json["missing"][0]["command"], "apt install linux-image-6.1.0-56-cloud-arm64-dbg");
    assert_eq!(json["files"], serde_json::json!([]));
}

#[test]
fn what_names_no_kernel_is_refused() {
    let folder = Folder::new("fetch-empty");
    let empty = folder.file("empty.log", b"all is well\n");
    for what in [empty.as_str(), "nonsense", "../../etc", "6.1/../.."] {
        let run = kwhy(&["fetch", "--offline", what]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{what}");
        assert!(run.stderr.contains("hint:"), "{}", run.stderr);
    }
}

#[test]
fn nobody_is_called_unless_a_fetch_is_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    for arguments in [vec![example()], vec!["fetch".into(), "--offline".into(), example()]] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        finished(command(&arguments).env("DEBUGINFOD_URLS", &url).output().unwrap());
        assert!(listener.accept().is_err(), "{arguments:?} called {url}");
    }
}

#[test]
fn the_cache_is_shown_and_cleaned() {
    let folder = Folder::new("fetch-cache");
    let file = folder.file("image/abcdef/6.1.0-9-amd64/vmlinux", &[0; 2048]);
    let run = |arguments: &[&str]| {
        finished(
            command(arguments)
                .env("KWHY_CACHE_DIR", folder.path())
                .env("KWHY_CACHE_SIZE", "5G")
                .output()
                .unwrap(),
        )
    };
    let listed = run(&["cache", "list"]);
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    for words in ["2.0 KiB", "5.0 GiB", "abcdef", "6.1.0-9-amd64/vmlinux"] {
        assert!(listed.stdout.contains(words), "{words}: {}", listed.stdout);
    }
    // What another command keeps beside it is not ours.
    let other = folder.file("lab/notes", b"keep");
    assert!(run(&["cache", "clean", "--unused", "1"]).stdout.contains("0 entries"));
    assert!(run(&["cache", "clean", "--kind", "index"]).stdout.contains("0 entries"));
    assert!(std::path::Path::new(&file).exists());
    let cleaned = run(&["cache", "clean", "-f", "json"]);
    let json: serde_json::Value = serde_json::from_str(&cleaned.stdout).unwrap();
    assert_eq!(json["removed"][0]["bytes"], 2048);
    assert!(!std::path::Path::new(&file).exists() && std::path::Path::new(&other).exists());
}

#[test]
fn images_are_looked_for_where_the_environment_says() {
    let folder = Folder::new("fetch-path");
    // It is found and opened; that it is no image is told.
    let path = folder.file("deep/vmlinux", b"\x7fELF and no more");
    let release = "5.15.0-25-generic";
    let usual = folder.file(&format!("usr/lib/debug/boot/vmlinux-{release}"), b"\x7fELF and no more");
    for (variable, file) in [("KWHY_PATH", &path), ("KWHY_SYSROOT", &usual)] {
        let run = finished(
            command(&["fetch", "--offline", "-f", "json", release])
                .env(variable, folder.path())
                .output()
                .unwrap(),
        );
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let rejected = json["rejected"].as_array().unwrap();
        assert!(rejected.iter().any(|candidate| candidate["path"] == file.as_str()), "{variable}: {json:#}");
    }
}
