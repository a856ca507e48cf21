//! `kwhy --follow` as an administrator uses it: on files that grow, are rotated and are cut, on
//! pipes, on several at once.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // A test may fail as it likes.

mod common;

use common::{Folder, command, example};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Generous, for a busy machine; it passes as soon as the report is there.
const PATIENCE: Duration = Duration::from_secs(60);

/// A kwhy that follows, and its reports as they come.
struct Following {
    child: Child,
    reports: Receiver<Value>,
}

impl Following {
    fn start(inputs: &[&str]) -> Following {
        let mut child =
            command(&[&["-F", "-f", "json"], inputs].concat()).stdin(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (sender, reports) = channel();
        std::thread::spawn(move || {
            for report in serde_json::Deserializer::from_reader(stdout).into_iter::<Value>() {
                let Ok(report) = report else { return };
                if sender.send(report).is_err() {
                    return;
                }
            }
        });
        Following { child, reports }
    }

    /// The first line of the only crash of the next report, and the report's first note.
    fn next(&self) -> (u64, String) {
        let report = self.reports.recv_timeout(PATIENCE).expect("a report");
        assert_eq!(report["crashes"].as_array().unwrap().len(), 1);
        let note = report["notes"][0]["text"].to_string();
        (report["crashes"][0]["first_line"].as_u64().unwrap(), note)
    }

    fn nothing_more(mut self) {
        assert!(self.reports.recv_timeout(Duration::from_millis(1500)).is_err());
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn crash() -> String {
    std::fs::read_to_string(example()).unwrap()
}

fn append(path: &str, text: &str) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_file_that_grows_slowly() {
    let folder = Folder::new("grows");
    let path = folder.file("console.log", b"boot\n");
    let following = Following::start(&[&path]);
    let crash = crash();
    let lines = crash.lines().count() as u64;
    for piece in crash.as_bytes().chunks(97) {
        append(&path, std::str::from_utf8(piece).unwrap());
        std::thread::sleep(Duration::from_millis(2));
    }
    append(&path, "\n");
    assert_eq!(following.next().0, 2);
    append(&path, &crash);
    let second = following.next().0;
    assert!(second > lines, "{second}");
    append(&path, "\nall is well\n");
    following.nothing_more();
}

#[test]
fn rotation_and_truncation() {
    let folder = Folder::new("rotated");
    let path = folder.file("console.log", format!("boot\n\n{}", crash()).as_bytes());
    let following = Following::start(&[&path]);
    assert_eq!(following.next().0, 3);
    // Renamed while its writer still holds it, and a new one in its place.
    let mut old = OpenOptions::new().append(true).open(&path).unwrap();
    std::fs::rename(&path, format!("{path}.1")).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    old.write_all(b"the last line of the old file\n").unwrap();
    std::fs::write(&path, crash()).unwrap();
    assert_eq!(following.next().0, 1);
    // Copied and cut to nothing.
    File::create(&path).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    append(&path, &format!("\n{}", crash()));
    assert_eq!(following.next().0, 2);
    following.nothing_more();
}

#[test]
fn a_pipe_that_stays_open() {
    let mut following = Following::start(&[]);
    let mut stdin = following.child.stdin.take().unwrap();
    for line in crash().split_inclusive('\n') {
        stdin.write_all(line.as_bytes()).unwrap();
    }
    stdin.flush().unwrap();
    assert_eq!(following.next().0, 1);
    stdin.write_all(format!("\n{}", crash()).as_bytes()).unwrap();
    drop(stdin);
    assert!(following.next().0 > 1);
    assert_eq!(following.child.wait().unwrap().code(), Some(0));
}

#[test]
fn several_inputs_say_which_they_are() {
    let folder = Folder::new("several");
    let (one, two) = (folder.file("one.log", b""), folder.file("two.log", b"hello\n"));
    let following = Following::start(&[&one, &two]);
    append(&two, &crash());
    let (line, note) = following.next();
    assert!(line == 2 && note.contains("two.log"), "{line} {note}");
    append(&one, &crash());
    let (line, note) = following.next();
    assert!(line == 1 && note.contains("one.log"), "{line} {note}");
}

#[test]
fn all_answers_go_into_the_file() {
    let folder = Folder::new("answers");
    let answer = folder.file("answer.json", b"{\"old\": true}");
    let mut child = command(&["-F", "-f", "json", "-o", &answer]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(format!("{}\n{}", crash(), crash()).as_bytes()).unwrap();
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let text = std::fs::read_to_string(&answer).unwrap();
    let reports = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    assert_eq!(reports.map(|report| report.unwrap()["crashes"].as_array().unwrap().len()).sum::<usize>(), 2);
}
