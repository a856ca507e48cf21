//! Runs the built command in an environment of its own.

#![allow(clippy::unwrap_used, dead_code, missing_docs)] // Helpers of tests; each test file uses some.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What a run left behind.
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A folder that goes when the test ends.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("kwhy-cli-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path.to_string_lossy().into_owned()
    }

    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The log that the README explains.
pub fn example() -> String {
    root().join("examples/ubuntu-arm64-insmod.log").to_string_lossy().into_owned()
}

/// kwhy with nothing of the developer's environment that it reads.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kwhy"));
    command.args(arguments);
    for name in ["LC_ALL", "LC_MESSAGES", "LANG", "NO_COLOR", "COLUMNS", "KWHY_PATH", "DEBUGINFOD_URLS"] {
        command.env_remove(name);
    }
    // Nor anything that happens to lie on the developer's machine.
    command.env("KWHY_SYSROOT", "/nonexistent").env("KWHY_CACHE_DIR", "/dev/null/none");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn finished(output: Output) -> Run {
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs kwhy.
pub fn kwhy(arguments: &[&str]) -> Run {
    finished(command(arguments).output().unwrap())
}

/// Runs kwhy with `input` piped in.
pub fn kwhy_piped(arguments: &[&str], input: &[u8]) -> Run {
    let mut child = command(arguments).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // It may have gone already, and then the test's assertions say what is wrong.
        let _ = stdin.write_all(&input);
    });
    let run = finished(child.wait_with_output().unwrap());
    writer.join().unwrap();
    run
}
