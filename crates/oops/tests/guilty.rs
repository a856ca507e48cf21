//! The file to blame, of whole symbolised reports.

fn guilty(text: &str) -> Vec<Option<String>> {
    kwhy_oops::parse(text.as_bytes()).crashes.into_iter().map(|crash| crash.guilty_file).collect()
}

fn one(text: &str) -> Option<String> {
    let mut all = guilty(text);
    assert_eq!(all.len(), 1, "{text}: {all:?}");
    all.remove(0)
}

/// Symbolisers repeat the header for each inlined call: one report, not one for each.
#[test]
fn a_header_unfolded_by_inlining_is_one_report() {
    let text = "BUG: KASAN: use-after-free in list_add_rcu include/linux/rculist.h:78 [inline]\n\
        BUG: KASAN: use-after-free in xyz_link fs/xyz/dir.c:141 [inline]\n\
        BUG: KASAN: use-after-free in xyz_open+0xd32/0xf50 fs/xyz/dir.c:446\n\
        Write of size 8 at addr ffff8801c5b6c110 by task a/10885\n\
        Call Trace:\n kasan_report+0x1e5/0x4b0 mm/kasan/report.c:311\n\
        list_add_rcu include/linux/rculist.h:78 [inline]\n xyz_link fs/xyz/dir.c:141 [inline]\n\
        xyz_open+0xd32/0xf50 fs/xyz/dir.c:446\n vfs_open+0x1/0x2 fs/open.c:5\n";
    assert_eq!(one(text).as_deref(), Some("fs/xyz/dir.c"));
}

/// Two reports of the same words are still two.
#[test]
fn the_same_header_twice_is_two_reports() {
    let report = "WARNING: CPU: 0 PID: 1 at net/a/b.c:3 f+0x1/0x2 net/a/b.c:3\nCall Trace:\n\
        g+0x1/0x2 net/a/c.c:4\n---[ end trace 0000000000000000 ]---\n";
    let found = guilty(&format!("{report}{report}"));
    assert_eq!(found, [Some("net/a/b.c".to_owned()), Some("net/a/b.c".to_owned())]);
}

#[test]
fn a_hung_task_waits_for_whoever_called_the_lock() {
    let text = "INFO: task a:16495 blocked for more than 120 seconds.\n\
        a           D21344 16495   3125 0x80000006\nCall trace:\n\
        __switch_to+0x180/0x298 arch/arm64/kernel/process.c:555\n\
        context_switch kernel/sched/core.c:2800 [inline]\n __schedule+0x8eb/0x2060 kernel/sched/core.c:3376\n\
        __mutex_lock+0xaad/0x1a80 kernel/locking/mutex.c:893\n xyz_put+0x2a/0x4f0 drivers/xyz/core.c:93\n";
    assert_eq!(one(text).as_deref(), Some("drivers/xyz/core.c"));
}

#[test]
fn the_secure_worlds_panic_and_its_drivers_warning_are_one() {
    let text = "trusty: panic (caller 0xe0): ASSERT FAILED at (trusty/kernel/lib/ipc.c:472): x\n\
        trusty: HALT: (reason = 9)\n\
        WARNING: CPU: 0 PID: 36 at drivers/trusty/call.c:215 call32+0x220/0x240 drivers/trusty/call.c:215\n";
    assert_eq!(one(text).as_deref(), Some("drivers/trusty/call.c"));
}

#[test]
fn build_directories_do_not_show() {
    let text = "Kernel BUG at /build/linux-6.1/fs/xyz/a.c:3!\n\
        pc : f+0x1/0x2 (/build/linux-6.1/fs/xyz/a.c:3)\n";
    assert_eq!(one(&text.replace("Kernel", "kernel")).as_deref(), Some("fs/xyz/a.c"));
}
