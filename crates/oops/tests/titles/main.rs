//! Titles, kinds and torn reports, family by family, in the wordings of kernels of different ages
//! and CPUs. Every log here is made up; what it must be called follows from the conventions that
//! `docs/titles.md` describes.

mod faults;
mod locks;
mod sanitizers;
mod stalls;

#[track_caller]
fn check(log: &str, title: &str, kind: &str) {
    let found = kwhy_oops::parse(log.as_bytes()).crashes;
    let first = found.first().map(|c| (c.title.as_str(), c.kind.as_str(), c.corrupted));
    assert_eq!(first, Some((title, kind, false)), "{log}");
}

#[track_caller]
fn torn(log: &str, title: &str, kind: &str) {
    let found = kwhy_oops::parse(log.as_bytes()).crashes;
    let first = found.first().map(|c| (c.title.as_str(), c.kind.as_str(), c.corrupted));
    assert_eq!(first, Some((title, kind, true)), "{log}");
}

fn alternatives(log: &str) -> Vec<String> {
    kwhy_oops::parse(log.as_bytes()).crashes.into_iter().flat_map(|crash| crash.alt_titles).collect()
}

/// A trace of the given functions, as today's x86 prints one.
fn trace(functions: &str) -> String {
    let frames = functions.split_ascii_whitespace().map(|name| format!(" {name}+0x10/0x20\n"));
    format!("Call Trace:\n <TASK>\n{} </TASK>\n", frames.collect::<String>())
}

const CPU: &str = "CPU: 0 PID: 7 Comm: app Not tainted 6.1.0 #1\n";
