//! Every way that a console log reaches people, as real programs wrote it: the record of the
//! crash is that of the serial console of the same boot. `transports/README.md` says which
//! program, which version and which command made each file.

#![allow(clippy::panic)]

use std::fmt::Debug;
use std::path::PathBuf;

use kwhy_oops::{CrashRecord, input, parse_numbered};

/// A file, and the kernel's own times in it.
type Case = (&'static str, Times);

/// Which lines of the report have the kernel's own times.
#[derive(Clone, Copy, PartialEq)]
enum Times {
    /// All.
    All,
    /// All up to the end of the trace: an oops is saved before its last lines are printed.
    First,
    /// None.
    None,
}

const TIMES: Times = Times::All;
const NONE: Times = Times::None;

/// The transports of each boot, by the name of its serial console's log.
const BOOTS: &[(&str, &[Case])] = &[
    (
        "tools.serial",
        &[
            ("tools.dmesg", TIMES),
            ("tools.dmesg-r", TIMES),
            ("tools.dmesg-T", NONE),
            ("tools.dmesg-x", TIMES),
            ("tools.dmesg-iso", NONE),
            ("tools.dmesg-e", NONE),
            ("tools.dmesg-d", TIMES),
            ("tools.dmesg-t", NONE),
            ("tools.dmesg-xT", NONE),
            ("tools.dmesg-xd", TIMES),
            ("tools.dmesg-dT", NONE),
            ("tools.dmesg-color", TIMES),
            ("tools.dmesg-color-e", NONE),
            ("tools.dmesg-color-xT", NONE),
            ("tools.busybox-dmesg-r", TIMES),
            ("tools.dev-kmsg", TIMES),
            ("tools.journal-short", NONE),
            ("tools.journal-short-full", NONE),
            ("tools.journal-short-iso", NONE),
            ("tools.journal-short-iso-precise", NONE),
            ("tools.journal-short-precise", NONE),
            ("tools.journal-short-monotonic", TIMES),
            ("tools.journal-short-unix", NONE),
            ("tools.journal-with-unit", NONE),
            ("tools.journal-cat", NONE),
            ("tools.journal-color", NONE),
            ("tools.journal-nohost", NONE),
            ("tools.rsyslog-traditional", TIMES),
            ("tools.rsyslog-fileformat", TIMES),
            ("tools.rsyslog-syslog23", TIMES),
            ("tools.syslog-ng-default", NONE),
            ("tools.syslog-ng-iso", NONE),
            ("tools.syslog-ng-full", NONE),
            ("tools.syslog-ng-unix", NONE),
            ("tools.syslog-ng-5424", NONE),
            ("tools.netconsole-plain", TIMES),
            ("tools.netconsole-ext", TIMES),
            ("tools.ts", TIMES),
            ("tools.ts-s", TIMES),
            ("tools.annotate-output", TIMES),
            ("tools.cat-v", TIMES),
        ],
    ),
    ("klogd.serial", &[("klogd.busybox-syslogd", TIMES)]),
    ("logread.serial", &[("logread.busybox-logread", TIMES), ("logread.vmcore-dmesg.txt", TIMES)]),
    ("mux.serial", &[("mux.qemu-timestamps", TIMES)]),
    ("ramoops.serial", &[("ramoops.dmesg-ramoops-0", Times::First), ("ramoops.dmesg-ramoops-1", TIMES)]),
    ("efi.serial", &[("efi.cat-dmesg-efi", TIMES)]),
    ("erst.serial", &[("erst.dmesg-erst.enc.z", Times::First)]),
];

fn bytes(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transports").join(name);
    std::fs::read(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// The crashes of each log in `bytes`, with the name of the part.
fn crashes(bytes: &[u8]) -> Vec<(String, Vec<CrashRecord>)> {
    let opened = input::open(bytes);
    opened.documents.into_iter().map(|d| (d.part, parse_numbered(&d.text, &d.numbers).crashes)).collect()
}

/// The oops of a log: the first crash, before the panic that some of the logs end with.
fn oops(name: &str, bytes: &[u8]) -> CrashRecord {
    let logs = crashes(bytes);
    let [(_, crashes)] = logs.as_slice() else { panic!("{name} is {} logs", logs.len()) };
    let titles = || crashes.iter().map(|crash| crash.title.as_str()).collect::<Vec<_>>();
    match crashes.as_slice() {
        [oops] => oops.clone(),
        [oops, panic] if panic.title.starts_with("kernel panic: sysrq") => oops.clone(),
        _ => panic!("{name}: {:?}", titles()),
    }
}

/// What the record says, line numbers apart: (what, how it reads).
fn facts(crash: &CrashRecord) -> Vec<(&'static str, String)> {
    fn text(value: impl Debug) -> String {
        format!("{value:?}")
    }
    let value = |located: &Option<kwhy_oops::Located<kwhy_oops::PrintedHex>>| {
        text(located.as_ref().map(|l| &l.value))
    };
    vec![
        ("title", text(&crash.title)),
        ("alternatives", text(&crash.alt_titles)),
        ("kind", text(&crash.kind)),
        ("corrupted", text(crash.corrupted)),
        ("header", text(&crash.header)),
        ("arch", text(crash.arch)),
        ("release", text(crash.release.as_ref().map(|l| &l.value))),
        ("version", text(&crash.version)),
        ("hardware", text(crash.hardware.as_ref().map(|l| &l.value))),
        ("task", text((&crash.cpu, &crash.pid, &crash.comm))),
        ("tainted", text(crash.tainted.as_ref().map(|l| &l.value))),
        ("fault address", value(&crash.fault_address)),
        ("syndrome", value(&crash.esr)),
        ("error code", value(&crash.oops_code)),
        ("flags", text((&crash.oops_count, &crash.oops_flags))),
        ("#PF", text(crash.pf_lines.iter().map(|l| &l.value).collect::<Vec<_>>())),
        ("pc", text(crash.pc.as_ref().map(|l| &l.value))),
        (
            "registers",
            text(crash.registers.0.keys().map(|r| (*r, crash.registers.known(*r))).collect::<Vec<_>>()),
        ),
        ("control", text(crash.control_registers.iter().map(|(n, l)| (n, &l.value)).collect::<Vec<_>>())),
        ("eflags", text(crash.flags.as_ref().map(|(l, t)| (&l.value, t)))),
        ("code", text(crash.code.as_ref().map(|c| (&c.bytes, c.fault_index)))),
        ("frames", text(crash.frames.iter().map(|f| (&f.at, f.reliable)).collect::<Vec<_>>())),
        ("modules", text(crash.modules.iter().map(|m| (&m.name, &m.taints)).collect::<Vec<_>>())),
        ("cut", text(crash.modules_cut)),
        ("damage", text(crash.damage.iter().map(|d| &d.field).collect::<Vec<_>>())),
    ]
}

fn times(crash: &CrashRecord) -> Vec<f64> {
    crash.timestamps.iter().map(|(_, time)| *time).collect()
}

#[track_caller]
fn same(name: &str, own: &CrashRecord, reference: &CrashRecord) {
    for ((what, own), (_, reference)) in facts(own).iter().zip(facts(reference)) {
        assert_eq!(*own, reference, "{name}: {what}");
    }
}

#[test]
fn every_transport_tells_what_the_serial_console_told() {
    for (serial, cases) in BOOTS {
        let reference = oops(serial, &bytes(serial));
        assert_eq!(
            reference.title, "BUG: unable to handle kernel NULL pointer dereference in cs_dequeue",
            "{serial}"
        );
        assert!(reference.registers.0.len() >= 16 && reference.frames.len() >= 8, "{serial}");
        assert!(reference.code.is_some() && !reference.modules.is_empty() && reference.timestamps.len() > 30);
        assert!(reference.damage.is_empty(), "{serial}: {:?}", reference.damage);
        for (name, timed) in *cases {
            let own = oops(name, &bytes(name));
            same(name, &own, &reference);
            let (own, whole) = (times(&own), times(&reference));
            match timed {
                Times::All => assert_eq!(own, whole, "{name}: times"),
                Times::First => {
                    assert!(whole.starts_with(&own) && own.len() * 4 > whole.len() * 3, "{name}: {own:?}")
                }
                Times::None => assert!(own.is_empty(), "{name}: {own:?}"),
            }
        }
    }
}

#[test]
fn two_hosts_in_one_file_are_two_logs() {
    let logs = crashes(&bytes("two-hosts.socat"));
    let names = logs.iter().map(|(part, _)| part.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["127.0.0.2", "127.0.0.3"]);
    for ((name, crashes), serial) in logs.iter().zip(["tools.serial", "ramoops.serial"]) {
        let reference = oops(serial, &bytes(serial));
        assert_eq!(crashes.len(), 1, "{name}");
        same(name, &crashes[0], &reference);
        assert_eq!(times(&crashes[0]), times(&reference), "{name}");
    }
}

/// Sends the records of an extended netconsole as `send_ext_msg_udp()` of
/// drivers/net/netconsole.c would with smaller datagrams, in an order of the seed's.
fn fragmented(log: &str, seed: u64, line_breaks: bool) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut datagrams: Vec<(u64, String)> = Vec::new();
    for (at, line) in log.lines().enumerate() {
        let Some((head, body)) = line.split_once(';').filter(|(head, _)| !head.contains("ncfrag")) else {
            datagrams.push((at as u64 * 8, format!("{line}\n")));
            continue;
        };
        let body = format!("{body}\n");
        let size = 40;
        for (part, chunk) in body.as_bytes().chunks(size).enumerate() {
            let chunk = std::str::from_utf8(chunk).unwrap_or_default();
            let end = if line_breaks && !chunk.ends_with('\n') { "\n" } else { "" };
            // At most a few records late.
            let place = at as u64 * 8 + next() % 32;
            let datagram = match body.len() > size {
                true => format!("{head},ncfrag={}/{};{chunk}{end}", part * size, body.len()),
                false => format!("{head};{chunk}"),
            };
            datagrams.push((place, datagram));
        }
    }
    datagrams.sort_by_key(|(place, _)| *place);
    datagrams.into_iter().flat_map(|(_, datagram)| datagram.into_bytes()).collect()
}

#[test]
fn fragments_of_records_in_any_order() {
    let log = String::from_utf8(bytes("tools.netconsole-ext")).unwrap();
    let reference = oops("tools.serial", &bytes("tools.serial"));
    for seed in 0..20 {
        let text = fragmented(&log, seed, true);
        assert_ne!(text, log.as_bytes());
        let own = oops("fragments", &text);
        same("fragments", &own, &reference);
        assert_eq!(times(&own), times(&reference));
    }
}

#[test]
fn what_was_saved_at_the_oops_and_at_the_panic_is_told_once() {
    let mut both = bytes("ramoops.dmesg-ramoops-0");
    both.extend(bytes("ramoops.dmesg-ramoops-1"));
    let logs = crashes(&both);
    let titles = logs.iter().flat_map(|(_, all)| all).map(|crash| crash.title.as_str()).collect::<Vec<_>>();
    assert_eq!(
        titles,
        [
            "BUG: unable to handle kernel NULL pointer dereference in cs_dequeue",
            "kernel panic: sysrq triggered crash"
        ]
    );
}

/// Terminals and their recorders: ends of lines, NULs of a line that was off, colours.
#[test]
fn dressed_serial_consoles() {
    let serial = String::from_utf8(bytes("tools.serial")).unwrap();
    let reference = oops("tools.serial", serial.as_bytes());
    let lines = || serial.lines().map(|line| line.trim_end_matches('\r'));
    let dress = |dress: &dyn Fn(&str) -> String| lines().map(dress).collect::<String>();
    let cases = [
        ("returns before and after", dress(&|line| format!("\r{line}\r\r\n"))),
        ("NULs", dress(&|line| format!("\0{line}\0\0\n"))),
        ("colours", dress(&|line| format!("\u{1b}[1;31m{line}\u{1b}[0m\u{1b}[K\n"))),
        ("blanks to the margin", dress(&|line| format!("{line:<80}\n"))),
        ("prompts", dress(&|line| format!("root@box:~# {line}\n"))),
        ("Xen", dress(&|line| format!("(d7) {line}\n"))),
        ("minicom", dress(&|line| format!("[2026-11-22 14:51:58] {line}\n"))),
        ("conserver", dress(&|line| format!("[Sun Nov 22 14:51:58 2026] {line}\n"))),
        ("tio", dress(&|line| format!("[14:51:58.123] {line}\n"))),
        ("Samsung", dress(&|line| line.replacen("] ", "]  [3:  swapper/3:    0] ", 1) + "\n")),
        ("MediaTek", dress(&|line| line.replacen("] ", "]  (3)[0:swapper/3]", 1) + "\n")),
        ("callers", dress(&|line| line.replacen("] ", "][  T231] ", 1) + "\n")),
        ("logcat", dress(&|line| format!("11-22 14:51:58.123     0     0 W kernel  : {line}\n"))),
        ("mail", dress(&|line| format!("> > {line}\n"))),
    ];
    for (name, text) in cases {
        let own = oops(name, text.as_bytes());
        same(name, &own, &reference);
        assert_eq!(times(&own), times(&reference), "{name}");
    }
}
