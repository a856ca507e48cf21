//! Every form that a log comes in gives the same crashes as the log itself, with the line numbers
//! of the file that holds it: each recorded log of the lab is dressed up in each form.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use kwhy_oops::input::{Document, LineMap, is_plain, open};
use kwhy_oops::{CrashRecord, parse, parse_numbered};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// The lab's logs, and the folder that the variable names where it is set.
fn recorded() -> Vec<(String, String)> {
    let mut logs = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/recorded")];
    folders.extend(std::env::var_os("KWHY_MORE_LOGS").map(PathBuf::from));
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none_or(|end| end == "log" || end == "txt") {
                let bytes = std::fs::read(&path).unwrap();
                logs.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
    }
    logs.sort();
    assert!(logs.len() > 100, "only {} logs", logs.len());
    logs
}

/// The logs that are dressed up: every fourth, all with `KWHY_MORE_LOGS`.
fn dressed() -> Vec<(String, String)> {
    let step = if std::env::var_os("KWHY_MORE_LOGS").is_some() { 1 } else { 4 };
    recorded().into_iter().step_by(step).collect()
}

fn documents(bytes: &[u8]) -> Vec<Document<'_>> {
    open(bytes).documents
}

fn crashes(bytes: &[u8]) -> Vec<CrashRecord> {
    documents(bytes).iter().flat_map(|d| parse_numbered(&d.text, &d.numbers).crashes).collect()
}

/// Dresses the logs in a form; `line` says where the form puts a line of the log. At most `wrong`
/// of them may differ: forms that lose something.
fn same(form: &str, dress: impl Fn(&str) -> Vec<u8>, line: impl Fn(u32) -> u32, wrong: usize) {
    let mut failures = Vec::new();
    for (name, log) in dressed() {
        // What is neither printable nor a line break does not pass through every form.
        let log: String = log.chars().filter(|c| *c == '\n' || (' '..='~').contains(c)).collect();
        let lines = u32::try_from(log.lines().count()).unwrap();
        let wanted = parse_numbered(log.as_bytes(), &LineMap::Each((1..=lines).map(&line).collect())).crashes;
        let dressed = dress(&log);
        let found = crashes(&dressed);
        if found != wanted {
            let remarks: Vec<_> = documents(&dressed).into_iter().flat_map(|d| d.remarks).collect();
            failures.push((name, wanted, found, remarks));
        }
    }
    if let (true, Some((name, wanted, found, remarks))) = (failures.len() > wrong, failures.first()) {
        let count = failures.len();
        for (a, b) in wanted.iter().zip(found) {
            let (a, b) = (format!("{a:#?}"), format!("{b:#?}"));
            let lines = a.lines().zip(b.lines()).filter(|(a, b)| a != b).take(12);
            lines.for_each(|(a, b)| println!("-{a}\n+{b}"));
        }
        let titles = |list: &[CrashRecord]| list.iter().map(|c| c.title.clone()).collect::<Vec<_>>();
        let names: Vec<_> = failures.iter().map(|f| f.0.rsplit('/').nth(1)).collect();
        panic!(
            "{form}: {count} differ, first {name}: {:?} is {:?}, {remarks:?}; all: {names:?}",
            titles(wanted),
            titles(found)
        );
    }
}

/// Each line through `with`.
fn each(log: &str, with: impl Fn(usize, &str) -> String) -> Vec<u8> {
    log.lines().enumerate().map(|(i, line)| with(i, line) + "\n").collect::<String>().into_bytes()
}

#[test]
fn ordinary_logs_pass_untouched() {
    let touched: Vec<String> = recorded()
        .iter()
        .filter_map(|(name, log)| {
            let all = documents(log.as_bytes());
            let same = all.len() == 1 && matches!(all[0].text, Cow::Borrowed(_)) && is_plain(log.as_bytes());
            let changed = crashes(log.as_bytes()) != parse(log.as_bytes()).crashes;
            (!same).then(|| {
                format!(
                    "{name}: {:?}, other crashes: {changed}",
                    all.iter().map(|d| &d.remarks).collect::<Vec<_>>()
                )
            })
        })
        .collect();
    assert!(touched.is_empty(), "{}", touched.join("\n"));
}

#[test]
fn whatever_stands_before_every_line() {
    let clock = |i: usize| format!("2026-11-22 14:{:02}:{:02}", i / 60 % 60, i % 60);
    same("quoted", |log| each(log, |_, l| format!("> {l}")), |n| n, 0);
    same("quoted twice", |log| each(log, |_, l| format!("> > {l}")), |n| n, 0);
    same("quoted without a blank", |log| each(log, |_, l| format!(">{l}")), |n| n, 0);
    same("bars", |log| each(log, |_, l| format!("| {l}")), |n| n, 0);
    same("indented", |log| each(log, |_, l| format!("    {l}")), |n| n, 0);
    same("clock", |log| each(log, |i, l| format!("{} | {l}", clock(i))), |n| n, 0);
    same("numbered", |log| each(log, |i, l| format!("{:>6}  {l}", i + 1)), |n| n, 0);
    same("github", |log| each(log, |i, l| format!("{}.0000000Z {l}", clock(i).replace(' ', "T"))), |n| n, 0);
    same("comment", |log| each(log, |_, l| format!("# {l}")), |n| n, 0);
}

#[test]
fn code_blocks() {
    let intro = "# BUG: my machine crashed\n\nkernel BUG at nowhere.c:1! was printed:\n";
    same("fenced", |log| format!("{intro}```\n{log}```\nWARNING: at the end\n").into_bytes(), |n| n + 4, 0);
    same("jira", |log| format!("{intro}{{noformat}}\n{log}{{noformat}}\n").into_bytes(), |n| n + 4, 0);
    same("forum", |log| format!("{intro}[code]\n{log}[/code]\n").into_bytes(), |n| n + 4, 0);
    same(
        "quoted in a fence in a mail",
        |log| each(&format!("{intro}```\n{log}```\n"), |_, l| format!("> {l}")),
        |n| n + 4,
        0,
    );
}

#[test]
fn pages() {
    let escape =
        |log: &str| log.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&#34;");
    same(
        "pre",
        |log| {
            format!(
                "<!DOCTYPE html>\n<html><head><title>x</title></head>\n<pre>\n{}</pre></html>\n",
                escape(log)
            )
            .into_bytes()
        },
        |n| n + 3,
        0,
    );
    same("entities", |log| format!("{}&quot;\n", escape(log)).into_bytes(), |n| n, 0);
    same(
        "list",
        |log| {
            let items = each(log, |_, l| {
                format!("  <li><div class=\"de1\">{}</div></li>", escape(l).replace(' ', "&nbsp;"))
            });
            [b"<html>\n<ol>\n".to_vec(), items].concat()
        },
        |n| n + 2,
        0,
    );
}

#[test]
fn mails() {
    let head = "From: a@b\nTo: c@d\nSubject: BUG: x\nMIME-Version: 1.0\n";
    same(
        "quoted-printable",
        |log| {
            let body = each(log, |_, l| l.replace('=', "=3D"));
            [format!("{head}Content-Transfer-Encoding: quoted-printable\n\n").into_bytes(), body].concat()
        },
        |n| n + 6,
        0,
    );
    same(
        "attachment",
        |log| {
            format!("{head}Content-Type: multipart/mixed; boundary=\"=-x\"\n\n--=-x\nContent-Type: text/plain\n\nsee below\n--=-x\nContent-Type: text/x-log; name=dmesg\n\n{log}--=-x--\n").into_bytes()
        },
        |n| n + 13,
        0,
    );
}

/// Breaks lines as a terminal of `width` columns does.
fn hard(log: &str, width: usize) -> (Vec<u8>, Vec<u32>) {
    let (mut out, mut starts, mut number) = (String::new(), Vec::new(), 0u32);
    for line in log.lines() {
        starts.push(number + 1);
        let chars: Vec<char> = line.chars().collect();
        for part in chars
            .chunks(width)
            .map(|c| c.iter().collect::<String>())
            .chain(chars.is_empty().then(String::new))
        {
            out += &part;
            out.push('\n');
            number += 1;
        }
    }
    (out.into_bytes(), starts)
}

/// Breaks lines at blanks.
fn soft(log: &str, width: usize) -> (Vec<u8>, Vec<u32>) {
    let (mut out, mut starts, mut number) = (String::new(), Vec::new(), 0u32);
    for line in log.lines() {
        starts.push(number + 1);
        let mut rest = line;
        while rest.len() > width {
            let Some(at) = rest[..=width].rfind(' ').filter(|at| !rest[..*at].trim().is_empty()) else {
                break;
            };
            out += rest[..at].trim_end();
            out.push('\n');
            number += 1;
            rest = &rest[at + 1..];
        }
        out += rest;
        out.push('\n');
        number += 1;
    }
    (out.into_bytes(), starts)
}

/// As [`same`], for forms that make several lines of one.
fn same_wrapped(form: &str, wrap: impl Fn(&str) -> (Vec<u8>, Vec<u32>), strip: bool, wrong: usize) {
    let mut failures = Vec::new();
    let all = dressed();
    for (name, log) in &all {
        let mut log: String = log.chars().filter(|c| *c == '\n' || (' '..='~').contains(c)).collect();
        if strip {
            log = kwhy_oops::text::split(log.as_bytes()).iter().map(|l| format!("{}\n", l.text)).collect();
        }
        let (dressed, starts) = wrap(&log);
        let wanted = parse_numbered(log.as_bytes(), &LineMap::Each(starts)).crashes;
        let found = crashes(&dressed);
        if found != wanted {
            let titles = |list: &[CrashRecord]| list.iter().map(|c| c.title.clone()).collect::<Vec<_>>();
            let mut why = String::new();
            for (a, b) in wanted.iter().zip(&found) {
                let (a, b) = (format!("{a:#?}"), format!("{b:#?}"));
                let lines = a.lines().zip(b.lines()).filter(|(a, b)| a != b).take(2);
                why.extend(lines.map(|(a, b)| format!("\n   -{a}\n   +{b}")));
            }
            failures.push(format!("{name} {:?} {:?}{why}", titles(&wanted), titles(&found)));
        }
    }
    println!("{form}: {} of {} differ", failures.len(), all.len());
    assert!(
        failures.len() <= wrong,
        "{form}: {} differ\n{}",
        failures.len(),
        failures[..failures.len().min(12)].join("\n")
    );
}

#[test]
fn wrapped_lines() {
    same_wrapped("terminal 80", |log| hard(log, 80), false, 0);
    // Several blanks at a break have become one: the two logs with `task:` lines differ in them.
    same_wrapped("mail 72", |log| soft(log, 72), false, 2);
}

#[test]
fn wrapped_lines_without_times() {
    same_wrapped("terminal 80, no times", |log| hard(log, 80), true, 0);
    // As above, and a version that stands at the end of two lines.
    same_wrapped("mail 72, no times", |log| soft(log, 72), true, 6);
}

#[test]
fn journals_and_json() {
    let text = |l: &str| serde_json::to_string(l).unwrap();
    same(
        "docker",
        |log| each(log, |_, l| format!("{{\"log\":{},\"stream\":\"stdout\"}}", text(&format!("{l}\n")))),
        |n| n,
        0,
    );
    same(
        "lava",
        |log| each(log, |_, l| format!("- {{\"dt\": \"2026\", \"lvl\": \"target\", \"msg\": {}}}", text(l))),
        |n| n,
        0,
    );
    same(
        "journal",
        |log| {
            each(log, |_, l| {
                format!("{{\"__CURSOR\":\"x\",\"_TRANSPORT\":\"kernel\",\"MESSAGE\":{}}}", text(l))
            })
        },
        |n| n,
        0,
    );
    same(
        "console of a cloud",
        |log| {
            format!(
                "{{\n    \"InstanceId\": \"i-0\",\n    \"Output\": {}\n}}\n",
                text(&log.replace('\n', "\r\n"))
            )
            .into_bytes()
        },
        |_| 3,
        0,
    );
    same(
        "export",
        |log| each(log, |_, l| format!("__CURSOR=x\n_BOOT_ID=a\n_TRANSPORT=kernel\nMESSAGE={l}\n")),
        |n| n * 5 - 4,
        0,
    );
}

#[test]
fn typography() {
    same(
        "full width",
        |log| {
            log.chars()
                .map(|c| {
                    if (':'..='@').contains(&c) {
                        char::from_u32(c as u32 - 0x21 + 0xff01).unwrap()
                    } else if c == ' ' {
                        '\u{a0}'
                    } else {
                        c
                    }
                })
                .collect::<String>()
                .into_bytes()
        },
        |n| n,
        0,
    );
    same(
        "utf-16",
        |log| format!("\u{feff}{log}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
        |n| n,
        0,
    );
}

#[test]
fn crash_files() {
    let indent = |log: &str| each(log, |_, l| format!(" {l}"));
    same(
        "apport",
        |log| {
            [
                b"ProblemType: KernelOops\nAnnotation: x\nOopsText:\n".to_vec(),
                indent(log),
                b"Uname: Linux\n".to_vec(),
            ]
            .concat()
        },
        |n| n + 3,
        0,
    );
    same(
        "bugreport",
        |log| {
            format!("== dumpstate: 2026\n------ KERNEL LOG (dmesg) ------\n{log}------ 0.1s was the duration of 'KERNEL LOG' ------\n").into_bytes()
        },
        |n| n + 2,
        0,
    );
}

/// Not a test of what comes out, but that something does.
#[test]
fn torn_and_shuffled_forms_do_no_harm() {
    let (_, log) = recorded().remove(0);
    let mut seed = 1u64;
    for _ in 0..300 {
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap()
        };
        let starts: [&[u8]; 12] = [
            b"{\"log\":\"",
            b"__CURSOR=\nMESSAGE\n",
            b"ProblemType: x\nDmesg: base64\n ",
            b"<html><pre>",
            b"```\n",
            b"From: a\nTo: b\n\n",
            b"\x1f\x8b\x08\0",
            b"\xfd7zXZ\0",
            b"\x28\xb5\x2f\xfd",
            b"BZh91AY&SY",
            b"== dumpstate: \n------ KERNEL LOG ------\n",
            b"\x04\x22\x4d\x18",
        ];
        let mut bytes = starts[next() % starts.len()].to_vec();
        let from = next() % log.len();
        bytes.extend(log.as_bytes()[from..].iter().take(next() % 5000));
        for _ in 0..next() % 20 {
            let at = next() % bytes.len();
            bytes[at] = (next() % 256) as u8;
        }
        let _ = crashes(&bytes);
        let _ = parse(&bytes);
    }
}
