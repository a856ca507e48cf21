//! Several crashes in one log: each has its own details, from its own lines.

use kwhy_oops::CrashRecord;
use kwhy_oops::details::{Section, StackRef};

const LOG: &str = "\
[    1.000000] INFO: task xyz:321 blocked for more than 120 seconds.
[    1.000001]       Not tainted 6.1.0 #1
[    1.000002] task:xyz             state:D stack:0     pid:321   ppid:300    flags:0x00004002
[    1.000003] Call Trace:
[    1.000004]  <TASK>
[    1.000005]  __schedule+0x2e9/0x850
[    1.000006]  xyz_wait+0x20/0x40
[    1.000007]  </TASK>
[    1.000008] INFO: task abc:322 blocked for more than 241 seconds.
[    1.000009]       Not tainted 6.1.0 #1
[    1.000010] task:abc             state:D stack:0     pid:322   ppid:301    flags:0x00004006
[    1.000011] Call Trace:
[    1.000012]  <TASK>
[    1.000013]  __schedule+0x2e9/0x850
[    1.000014]  abc_wait+0x20/0x40
[    1.000015]  </TASK>
[    2.000000] ==================================================================
[    2.000001] BUG: KASAN: slab-use-after-free in xyz_read+0x44/0x90 [xyz]
[    2.000002] Read of size 8 at addr ffff888104d5a818 by task cat/321
[    2.000003]
[    2.000004] CPU: 1 PID: 321 Comm: cat Tainted: G           OE      6.1.0 #1
[    2.000005] Call Trace:
[    2.000006]  <TASK>
[    2.000007]  xyz_read+0x44/0x90 [xyz]
[    2.000008]  vfs_read+0x1a4/0x500
[    2.000009]  </TASK>
[    2.000010]
[    2.000011] Allocated by task 320:
[    2.000012]  xyz_open+0x31/0x70 [xyz]
[    2.000013]
[    2.000014] Freed by task 319:
[    2.000015]  xyz_release+0x1d/0x30 [xyz]
[    2.000016] ==================================================================
[    3.000000] refcount_t: underflow; use-after-free.
[    3.000001] WARNING: CPU: 0 PID: 9 at lib/refcount.c:28 refcount_warn_saturate+0xba/0x110
[    3.000002] Call Trace:
[    3.000003]  xyz_put+0x31/0x70 [xyz]
[    3.000004] ---[ end trace 0000000000000000 ]---
";

fn facts<'a>(section: &'a Section, all: &mut Vec<(&'a str, u32)>) {
    all.extend(section.facts.iter().map(|fact| (fact.name, fact.line)));
    for part in &section.parts {
        facts(part, all);
    }
}

fn keys(crash: &CrashRecord) -> Vec<&'static str> {
    crash.details.sections().iter().map(|section| section.key).collect()
}

#[test]
fn each_of_several_crashes_has_its_own() {
    let crashes = kwhy_oops::parse(LOG.as_bytes()).crashes;
    let all: Vec<_> = crashes.iter().map(keys).collect();
    assert_eq!(all, [vec!["hung_task"], vec!["hung_task"], vec!["kasan"], vec!["refcount"]]);
    for crash in &crashes {
        let sections = crash.details.sections();
        let mut found = Vec::new();
        sections.iter().for_each(|section| facts(section, &mut found));
        assert!(!found.is_empty());
        for (name, line) in found {
            assert!(
                (crash.first_line..=crash.last_line).contains(&line),
                "{name} of line {line}: {}",
                crash.title
            );
        }
    }
    let seconds = |crash: &CrashRecord| crash.details.hung_tasks[0].seconds.as_ref().unwrap().value;
    assert_eq!((seconds(&crashes[0]), seconds(&crashes[1])), (120, 241));

    let kasan = crashes[2].details.kasan.as_ref().unwrap();
    let stacks: Vec<_> = kasan
        .tracks
        .iter()
        .map(|track| match track.stack {
            Some(StackRef::Other(index)) => crashes[2].other_stacks[index].1[0].at.symbol.clone().unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(stacks, ["xyz_open", "xyz_release"]);
    assert_eq!(kasan.tracks[1].task.as_ref().unwrap().value.pid, Some(319));
}
