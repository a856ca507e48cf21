//! `kwhy fetch` and `kwhy cache` as their users meet them, without a network.

#![allow(missing_docs, clippy::unwrap_used)]

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

/// The kernel of the tests, its log with the build-id that a kernel with
/// CONFIG_STACKTRACE_BUILD_ID prints, and that build-id.
fn identified(folder: &Folder) -> (Vec<u8>, String, String) {
    let seeds = common::root().join("fuzz/seeds");
    let kernel = std::fs::read(seeds.join("kernel-x86_64")).unwrap();
    let note = kernel.windows(16).position(|w| w == b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0").unwrap() + 16;
    let id: String = kernel[note..note + 20].iter().map(|byte| format!("{byte:02x}")).collect();
    let log = std::fs::read_to_string(seeds.join("kernel-x86_64.log")).unwrap();
    let log = folder.file("a crash.log", log.replace("#1  Debian 6.1.192-2", &format!("#1 {id}")).as_bytes());
    (kernel, log, id)
}

/// Reads a request's head.
fn head(stream: &std::net::TcpStream) -> String {
    use std::io::BufRead;
    let lines = std::io::BufReader::new(stream).lines().map_while(Result::ok);
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n").to_lowercase()
}

/// Killed half way, with no chance to clean up: nothing half is ever taken for an image, and the
/// next fetch asks for the rest only.
#[test]
fn a_fetch_that_was_killed_is_gone_on_with() {
    use std::io::Write;
    let folder = Folder::new("fetch-killed");
    let (kernel, log, id) = identified(&folder);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let cache = folder.0.join("cache");
    let fetch = || {
        let mut command = command(&["fetch", &log]);
        command.env("DEBUGINFOD_URLS", &url).env("KWHY_CACHE_DIR", &cache);
        command
    };
    let mut killed = fetch().spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    assert!(head(&stream).starts_with(&format!("get /buildid/{id}/debuginfo")));
    let half = kernel.len() / 2;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\netag: \"one\"\r\n\r\n", kernel.len());
    stream.write_all(answer.as_bytes()).unwrap();
    stream.write_all(&kernel[..half]).unwrap();
    let partial = cache.join("partial").join(&id);
    let there = || std::fs::metadata(&partial).map_or(0, |about| about.len());
    for _ in 0..1000 {
        if there() == half as u64 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    drop(stream);
    assert_eq!(there(), half as u64);
    assert!(!cache.join("image").exists());

    let again = fetch().spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let asked = head(&stream);
    assert!(
        asked.contains(&format!("range: bytes={half}-")) && asked.contains("if-range: \"one\""),
        "{asked}"
    );
    let (rest, total) = (kernel.len() - half, kernel.len());
    let answer = format!(
        "HTTP/1.1 206 Partial Content\r\ncontent-length: {rest}\r\ncontent-range: bytes {half}-{}/{total}\r\n\
         connection: close\r\n\r\n",
        total - 1
    );
    stream.write_all(answer.as_bytes()).unwrap();
    stream.write_all(&kernel[half..]).unwrap();
    drop(stream);
    let run = finished(again.wait_with_output().unwrap());
    let image = cache.join("image").join(&id).join("6.1.0-test/vmlinux");
    assert_eq!(std::fs::read(&image).unwrap(), kernel, "{}{}", run.stdout, run.stderr);
    assert!(!partial.exists());
    // And the log is then explained with it, without a network.
    let run = finished(command(&[&log, "-f", "json"]).env("KWHY_CACHE_DIR", &cache).output().unwrap());
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let images = json["crashes"][0]["images"].as_array().unwrap();
    assert!(images.iter().any(|one| one["used"] == true && one["grade"] == "proved"), "{images:#?}");
}

/// Whoever reads what is missing can paste the commands, whatever the log is called.
#[test]
fn what_is_missing_can_be_pasted() {
    let folder = Folder::new("fetch-paste");
    let (_, log, id) = identified(&folder);
    let printed = std::fs::read_to_string(&log).unwrap();
    let log = folder.file(
        "it's a crash.log",
        printed.replace(&format!("6.1.0-test #1 {id}"), "6.1.0-9-amd64 #1 Debian 6.1.27-1").as_bytes(),
    );
    let run = kwhy(&[&log, "-f", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let missing = &json["crashes"][0]["missing"][0];
    assert_eq!(missing["package"], "linux-image-6.1.0-9-amd64-dbg", "{missing:#}");
    assert_eq!(missing["command"], "apt install linux-image-6.1.0-9-amd64-dbg=6.1.27-1");
    assert_eq!(missing["fetch"], "kwhy fetch LOG");
    // For people the log's own name is put in.
    let quoted = format!("kwhy fetch '{}/it'\\''s a crash.log'", folder.path());
    let text = kwhy(&[&log]).stdout;
    assert!(text.contains(&quoted), "{text}");
    // A shell gives the name back to kwhy, which then knows what to fetch.
    let line = format!("{} --dry-run", quoted.replacen("kwhy", env!("CARGO_BIN_EXE_kwhy"), 1));
    let shell = std::process::Command::new("sh")
        .args(["-c", &line])
        .env("KWHY_SYSROOT", "/nonexistent")
        .env("KWHY_CACHE_DIR", "/dev/null/none")
        .output()
        .unwrap();
    let said = finished(shell).stdout;
    assert!(said.contains("apt install linux-image-6.1.0-9-amd64-dbg=6.1.27-1"), "{said}");
}
