//! Makes an ordinary console log of any size: boots, drivers, network, services; few crashes.
//!
//! Its lines are those that the lab's machines printed before they crashed, and such as larger
//! machines print all day. Numbers in them vary, so that no two lines are alike; the seed does
//! not, so that every run reads the same log.

use crate::lab;
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

/// What machines print that stay up. Digits vary.
const CHATTER: &[&str] = &[
    "usb 1-3: new high-speed USB device number 17 using xhci_hcd",
    "usb 1-3: New USB device found, idVendor=0781, idProduct=5567, bcdDevice= 1.00",
    "usb 1-3: USB disconnect, device number 17",
    "sd 6:0:0:0: [sdb] 31266816 512-byte logical blocks: (16.0 GB/14.9 GiB)",
    "sd 6:0:0:0: [sdb] Write cache: disabled, read cache: enabled, doesn't support DPO or FUA",
    "EXT4-fs (sdb1): mounted filesystem 6f1c2a90-8d55-4b0e-9d37-2a51d0c3f2b1 with ordered data mode. Quota mode: none.",
    "igb 0000:01:00.0 eno1: igb: eno1 NIC Link is Up 1000 Mbps Full Duplex, Flow Control: RX/TX",
    "igb 0000:01:00.0 eno1: igb: eno1 NIC Link is Down",
    "IPv6: ADDRCONF(NETDEV_CHANGE): veth3a1b2c7: link becomes ready",
    "br-5f3e21a7d9c4: port 3(veth3a1b2c7) entered blocking state",
    "br-5f3e21a7d9c4: port 3(veth3a1b2c7) entered forwarding state",
    "device veth3a1b2c7 entered promiscuous mode",
    "audit: type=1400 audit(1790000000.123:4567): apparmor=\"DENIED\" operation=\"open\" profile=\"/usr/sbin/cupsd\" name=\"/etc/paperspecs\" pid=12345 comm=\"cupsd\" requested_mask=\"r\" denied_mask=\"r\" fsuid=0 ouid=0",
    "audit: type=1131 audit(1790000000.456:4568): pid=1 uid=0 auid=4294967295 ses=4294967295 msg='unit=systemd-tmpfiles-clean comm=\"systemd\" exe=\"/usr/lib/systemd/systemd\" hostname=? addr=? terminal=? res=success'",
    "systemd[1]: Started Session 1234 of User root.",
    "systemd[1]: Starting Cleanup of Temporary Directories...",
    "systemd-journald[321]: Received client request to flush runtime journal.",
    "[UFW BLOCK] IN=eth0 OUT= MAC=52:54:00:12:34:56:52:54:00:65:43:21:08:00 SRC=203.0.113.57 DST=192.0.2.10 LEN=60 TOS=0x00 PREC=0x00 TTL=52 ID=54321 DF PROTO=TCP SPT=44321 DPT=22 WINDOW=64240 RES=0x00 SYN URGP=0",
    "TCP: request_sock_TCP: Possible SYN flooding on port 443. Sending cookies.  Check SNMP counters.",
    "perf: interrupt took too long (2503 > 2500), lowering kernel.perf_event_max_sample_rate to 79750",
    "nvme nvme0: 8/0/0 default/read/poll queues",
    "thermal thermal_zone0: failed to read out thermal zone (-61)",
    "mce: CPU3: Core temperature above threshold, cpu clock throttled (total events = 1234)",
    "mce: CPU3: Core temperature/speed normal",
    "wlp3s0: authenticate with 00:11:22:33:44:55 (local address=66:77:88:99:00:11)",
    "wlp3s0: associated",
    "iwlwifi 0000:03:00.0: Queue 10 is active on fifo 1 and stuck for 10000 ms. SW [132, 146] HW [132, 146] FH TRB=0x0c010a085",
    "ata1.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x6 frozen",
    "ata1.00: status: { DRDY }",
    "blk_update_request: I/O error, dev fd0, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0",
    "nfs: server 192.0.2.30 not responding, still trying",
    "nfs: server 192.0.2.30 OK",
    "cgroup: fork rejected by pids controller in /user.slice/user-1000.slice/session-4.scope",
    "oom_reaper: reaped process 12345 (chrome), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
    "python3[23456]: segfault at 0 ip 00007f1234567890 sp 00007ffc12345670 error 4 in libc.so.6[7f1234500000+195000] likely on CPU 3 (core 1, socket 0)",
    "loop0: detected capacity change from 0 to 131072",
    "Bluetooth: hci0: command 0x0c03 tx timeout",
    "hrtimer: interrupt took 1234567 ns",
    "workqueue: blk_mq_requeue_work hogged CPU for >10000us 4 times, consider switching to WQ_UNBOUND",
    "RAPL PMU: API unit is 2^-32 Joules, 3 fixed counters, 163840 ms ovfl timer",
];

/// The same in the words that crashes have.
const ALARMING: &[&str] = &[
    "EXT4-fs (sdb1): INFO: recovery required on readonly filesystem",
    "traps: worker[12345] trap divide error ip:55d0c0de1234 sp:7ffc12345678 error:0 in worker[55d0c0de0000+2000]",
    "snd_hda_intel 0000:00:1f.3: DEBUG: codec #0 probed OK, state 12",
    "traps: python3[12345] general protection fault ip:7f1234567890 sp:7ffc12345670 error:0 in libc.so.6[7f1234500000+195000]",
    "WARNING: Spectre v2 mitigation leaves CPU vulnerable to RETBleed attacks, data leaks possible!",
];

/// Bytes between two crashes.
const BETWEEN: u64 = 50 << 20;

/// Numbers that only look random (Knuth's MMIX constants).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, limit: usize) -> usize {
        // The result is below a usize.
        (self.next() % (limit.max(1) as u64)) as usize
    }
}

/// Writes the log of `size` bytes to `path`; how many crashes it holds.
pub fn write(path: &Path, size: u64) -> Result<usize> {
    let (boots, crashes) = recorded()?;
    let mut numbers = Numbers(3);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let (mut written, mut due, mut count, mut clock) = (0u64, BETWEEN / 2, 0, 0u64);
    let mut line = Vec::new();
    while written < size {
        line.clear();
        if written >= due {
            due += BETWEEN;
            count += 1;
            let crash = crashes.get(numbers.below(crashes.len())).context("no crashes")?;
            line.extend_from_slice(crash.as_bytes());
        } else {
            // A boot now and then; the rest is a long uptime.
            let boot = numbers.below(40) == 0;
            // What a warning says of health is known by its words, digits included.
            let mut varied = false;
            let text = match boots.get(numbers.below(boots.len())) {
                Some(text) if boot => text.as_str(),
                _ if numbers.below(200) == 0 => {
                    ALARMING.get(numbers.below(ALARMING.len())).copied().unwrap_or_default()
                }
                _ => {
                    varied = true;
                    CHATTER.get(numbers.below(CHATTER.len())).copied().unwrap_or_default()
                }
            };
            clock += numbers.next() % 200_000;
            write!(line, "[{:>5}.{:06}] ", clock / 1_000_000, clock % 1_000_000)?;
            let from = line.len();
            line.extend_from_slice(text.as_bytes());
            if varied {
                vary(line.get_mut(from..).unwrap_or_default(), &mut numbers);
            }
            line.push(b'\n');
        }
        out.write_all(&line)?;
        written += line.len() as u64;
    }
    out.flush()?;
    Ok(count)
}

/// Changes a few digits.
fn vary(text: &mut [u8], numbers: &mut Numbers) {
    let mut dice = numbers.next();
    for byte in text.iter_mut().filter(|byte| byte.is_ascii_digit()) {
        if dice & 1 == 1 {
            *byte = b'0' + (dice >> 8 & 7) as u8;
        }
        dice = dice.rotate_right(3) ^ 0x9e37;
    }
}

/// What the lab's machines printed while they booted (without the time), and their crashes.
fn recorded() -> Result<(Vec<String>, Vec<String>)> {
    let (mut boots, mut crashes) = (Vec::new(), Vec::new());
    let mut paths = Vec::new();
    for kernel in fs::read_dir(lab::recorded())? {
        for case in fs::read_dir(kernel?.path())? {
            paths.push(case?.path().join("console.log"));
        }
    }
    paths.sort();
    for path in paths {
        let Ok(bytes) = fs::read(&path) else { continue };
        let log = kwhy_oops::parse(&bytes);
        let Some(crash) = log.crashes.first() else { continue };
        let text = String::from_utf8_lossy(&bytes);
        let (first, last) = (crash.first_line as usize, crash.last_line as usize);
        let lines: Vec<&str> = text.lines().collect();
        let before = lines.get(1..first.saturating_sub(1)).unwrap_or_default();
        boots.extend(
            before
                .iter()
                .filter_map(|line| line.split_once("] "))
                .map(|(_, text)| text.trim_end().to_owned()),
        );
        let own = lines.get(first.saturating_sub(1)..last).unwrap_or_default();
        crashes.push(own.iter().map(|line| format!("{}\n", line.trim_end())).collect());
    }
    boots.sort();
    boots.dedup();
    Ok((boots, crashes))
}
