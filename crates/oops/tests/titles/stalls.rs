//! Stalls, hangs, panics, and what else a kernel says.

use super::{CPU, check, torn, trace};

#[test]
fn stalls_and_hangs() {
    let x86 = format!("{CPU}RIP: 0010:csum_partial+0x1/0x2\n{}", trace("a ip_rcv netif_receive_skb b"));
    check(
        &format!("watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [app:7]\n{x86}"),
        "BUG: soft lockup in ip_rcv",
        "soft-lockup",
    );
    check(
        &format!("NMI watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [app:7]\n{x86}"),
        "BUG: soft lockup in ip_rcv",
        "soft-lockup",
    );
    let syscall = format!("{CPU}RIP: 0010:a+0x1/0x2\n{}", trace("b __x64_sys_futex do_syscall_64"));
    check(
        &format!("watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [app:7]\n{syscall}"),
        "BUG: soft lockup in sys_futex",
        "soft-lockup",
    );
    torn(
        &format!(
            "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [app:7]\n{CPU}RIP: 0010:a+0x1/0x2\n{}",
            trace("b c")
        ),
        "BUG: soft lockup in corrupted",
        "soft-lockup",
    );
    let tick = "Call Trace:\n <IRQ>\n dump_stack+0x1/0x2\n rcu_sched_clock_irq+0x1/0x2\n update_process_times+0x1/0x2\n tick_sched_timer+0x1/0x2\n __hrtimer_run_queues+0x1/0x2\n __sysvec_apic_timer_interrupt+0x1/0x2\n </IRQ>\n <TASK>\n asm_sysvec_apic_timer_interrupt+0x1/0x2\nRIP: 0010:a+0x1/0x2\nCode: 90\n b+0x1/0x2\n drv_ioctl+0x1/0x2\n __se_sys_ioctl+0x1/0x2\n do_syscall_64+0x1/0x2\n";
    for header in [
        "rcu: INFO: rcu_preempt self-detected stall on CPU",
        "INFO: rcu_sched self-detected stall on CPU",
        "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
        "INFO: rcu_bh detected stalls on CPUs/tasks:",
        "rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-...! } 2684 jiffies s: 569 root: 0x2/.",
    ] {
        check(&format!("{header}\n{CPU}{tick}"), "INFO: rcu detected stall in drv_ioctl", "rcu-stall");
    }
    let arm64 = "Call trace:\n dump_backtrace+0x1/0x2\n rcu_sched_clock_irq+0x1/0x2\n el1h_64_irq+0x1/0x2\n a+0x1/0x2\n __arm64_sys_recvmmsg+0x1/0x2\n invoke_syscall+0x1/0x2\n";
    check(
        &format!("rcu: INFO: rcu_preempt self-detected stall on CPU\n{CPU}{arm64}"),
        "INFO: rcu detected stall in sys_recvmmsg",
        "rcu-stall",
    );
    torn(
        &format!(
            "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:\n{CPU}{}",
            trace("schedule rcu_gp_kthread kthread")
        ),
        "INFO: rcu detected stall in corrupted",
        "rcu-stall",
    );

    let hung = |stack: &str| {
        format!(
            "      Not tainted 6.1.0 #1\n\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.\ntask:app             state:D stack:0     pid:7     ppid:1      flags:0x00004000\n{}",
            trace(stack)
        )
    };
    let header = "INFO: task app:7 blocked for more than 143 seconds.\n";
    check(
        &format!("{header}{}", hung("__schedule schedule rwsem_down_write_slowpath down_write drv_go")),
        "INFO: task hung in drv_go",
        "hung-task",
    );
    check(
        &format!(
            "{header}{}",
            hung("__schedule schedule io_schedule folio_wait_bit_common wait_on_page_writeback fs_sync")
        ),
        "INFO: task hung in fs_sync",
        "hung-task",
    );
    check(
        &format!(
            "{header}{}",
            hung("__schedule schedule schedule_preempt_disabled __mutex_lock drv_lock rtnl_lock x")
        ),
        "INFO: task hung in rtnl_lock",
        "hung-task",
    );
    check(
        &format!(
            "{header}{}",
            hung(
                "__schedule schedule schedule_timeout wait_for_completion __synchronize_srcu synchronize_srcu x"
            )
        ),
        "INFO: task hung in synchronize_rcu",
        "hung-task",
    );
    check(
        &format!(
            "INFO: task app:7 blocked in I/O wait for more than 143 seconds.\n{}",
            hung("__schedule io_schedule fs_sync")
        ),
        "INFO: task hung in fs_sync",
        "hung-task",
    );
    check(
        &format!(
            "INFO: task app:7 can't die for more than 143 seconds.\n{}",
            hung("__schedule schedule drv_go")
        ),
        "INFO: task can't die in drv_go",
        "hung-task",
    );
    torn(&format!("{header}{}", hung("__schedule schedule")), "INFO: task hung in corrupted", "hung-task");
    check(
        "BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 55s!\nShowing busy workqueues and worker pools:\n",
        "BUG: workqueue lockup",
        "other",
    );
    check(
        &format!(
            "NMI watchdog: Watchdog detected hard LOCKUP on cpu 1\n{CPU}RIP: 0010:drv_go+0x1/0x2\n{}",
            trace("a b")
        ),
        "hard lockup in drv_go",
        "hard-lockup",
    );
}

#[test]
fn stacks_that_overflow() {
    let deep = format!("{CPU}RIP: 0010:a+0x1/0x2\n{}", trace("a b a b drv_recurse process_one_work kthread"));
    check(
        &format!(
            "BUG: TASK stack guard page was hit at ffffc90001234ff8 (stack is ffffc90001235000..ffffc9000123bfff)\nkernel stack overflow (double-fault): 0000 [#1] SMP\n{deep}"
        ),
        "BUG: stack guard page was hit in drv_recurse",
        "stack-overflow",
    );
    check(
        &format!(
            "Kernel panic - not syncing: corrupted stack end detected inside scheduler\n{CPU}{}",
            trace("dump_stack panic __schedule schedule drv_recurse process_one_work")
        ),
        "kernel panic: corrupted stack end in drv_recurse",
        "stack-corruption",
    );
    check(&format!("Kernel panic - not syncing: kernel stack overflow\n{CPU}{}", trace("dump_backtrace panic panic_bad_stack handle_bad_stack __bad_stack a drv_recurse process_one_work").replace("Trace", "trace")), "kernel stack overflow in drv_recurse", "stack-overflow");
    check(
        "Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: drv_go+0x1/0x2\n",
        "kernel panic: stack is corrupted in drv_go",
        "stack-corruption",
    );
    check(
        &format!(
            "Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: ffffffff81234567\n\n{CPU}{}",
            trace("dump_stack panic __stack_chk_fail drv_go")
        ),
        "kernel panic: stack is corrupted in drv_go",
        "stack-corruption",
    );
}

#[test]
fn panics() {
    let stack = format!("{CPU}{}", trace("dump_stack panic a b"));
    for (text, title, kind) in [
        (
            "VFS: Unable to mount root fs on unknown-block(0,0)",
            "kernel panic: VFS: Unable to mount root fs on unknown-block(NUM,NUM)",
            "panic",
        ),
        ("Attempted to kill init! exitcode=0x0000000b", "kernel panic: Attempted to kill init!", "panic"),
        (
            "Out of memory: compulsory panic_on_oom is enabled",
            "kernel panic: Out of memory: compulsory panic_on_oom is enabled",
            "oom",
        ),
        ("System is deadlocked on memory", "kernel panic: System is deadlocked on memory", "oom"),
        ("Fatal machine check", "kernel panic: Fatal machine check", "machine-check"),
        ("Fatal hardware error!", "kernel panic: Fatal hardware error!", "panic"),
        ("Hard LOCKUP", "kernel panic: Hard LOCKUP", "hard-lockup"),
        ("Asynchronous SError Interrupt", "kernel panic: Asynchronous SError Interrupt", "arm-fault"),
        ("UBSAN: panic_on_warn set ...", "kernel panic: UBSAN: panic_on_warn set ...", "panic"),
    ] {
        check(&format!("Kernel panic - not syncing: {text}\n{stack}"), title, kind);
    }
    for (text, title, kind) in [
        ("Fatal exception in interrupt", "kernel panic: Fatal exception", "panic"),
        ("panic_on_warn set ...", "kernel panic: panic_on_warn set", "panic"),
        ("hung_task: blocked tasks", "kernel panic: hung_task: blocked tasks", "hung-task"),
    ] {
        torn(&format!("Kernel panic - not syncing: {text}\n{stack}"), title, kind);
    }
    torn(
        "Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\n",
        "kernel panic: Attempted to kill init!",
        "panic",
    );
    // A timestamp in the title: two lines were printed into one another.
    torn(
        &format!(
            "[    1.000001] Kernel panic - not syncing: no [    1.000002] usb 1-1: new device\n{}",
            stack.lines().map(|l| format!("[    1.000003] {l}\n")).collect::<String>()
        ),
        "kernel panic: no [ NUM.ADDR] usb NUM-NUM: new device",
        "panic",
    );
}

#[test]
fn rust_firmware_and_the_rest() {
    let rust = format!(
        "rust_kernel: panicked at drivers/x.rs:12:3:\nattempt to subtract with overflow\n------------[ cut here ]------------\nkernel BUG at rust/helpers/bug.c:7!\nOops: invalid opcode: 0000 [#1] SMP\n{CPU}RIP: 0010:rust_helper_BUG+0x8/0x10\n{}",
        trace(
            "_RNvCscSpY9Juk0HT_7___rustc17rust_begin_unwind _RNvNtCs9jEwPDbx20M_4core9panicking9panic_fmt _RNvMs3_NtCshgDM7dBCdno_11rust_binder7processNtB5_7Process10update_ref"
        )
    );
    check(
        &rust,
        "attempt to subtract with overflow in <rust_binder::process::Process>::update_ref",
        "rust-panic",
    );
    check(
        "trusty: panic (caller 0xffffffffe000fbb8): ASSERT FAILED at (lib/trusty/ipc.c:472): !list_in_list(&chan->node)\n",
        "trusty: ASSERT FAILED: !list_in_list(&chan->node)",
        "firmware",
    );
    check(
        "trusty: panic (caller 0xffffffffe000fbb8): DEBUG ASSERT FAILED at (lib/trusty/ipc.c:472): x\n",
        "trusty: ASSERT FAILED: x",
        "firmware",
    );
    check(
        "trusty: panic (caller 0xffffffffe000fbb8): out of memory\n",
        "trusty: panic: out of memory",
        "firmware",
    );
    check("executing program\nBooting the kernel.\n", "unexpected kernel reboot", "reboot");
    check(
        &format!(
            "SError Interrupt on CPU0, code 0x00000000bf000002 -- SError\n{CPU}pc : drv_go+0x1/0x2\nKernel panic - not syncing: Asynchronous SError Interrupt\n{}",
            trace("a b")
        ),
        "SError Interrupt in drv_go",
        "arm-fault",
    );
    let oom = format!(
        "app invoked oom-killer: gfp_mask=0x1100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0\n{CPU}{}Mem-Info:\nOut of memory: Killed process 7 (app) total-vm:1kB\n",
        trace("dump_stack dump_header oom_kill_process out_of_memory __alloc_pages folio_alloc drv_fault")
    );
    check(&oom, "out of memory in drv_fault", "oom");
    check(
        &format!(
            "insmod: page allocation failure: order:10, mode:0x40dc0(GFP_KERNEL), nodemask=(null)\n{CPU}{}",
            trace("dump_stack warn_alloc __alloc_pages __kmalloc_large_node drv_init")
        ),
        "page allocation failure in drv_init",
        "other",
    );
    check(
        &format!(
            "irq 16: nobody cared (try booting with the \"irqpoll\" option)\n{CPU}{}",
            trace(
                "dump_stack __report_bad_irq note_interrupt handle_irq_event handle_fasteoi_irq asm_common_interrupt"
            )
        ),
        "irq: nobody cared in handle_fasteoi_irq",
        "other",
    );
    check(
        "mce: [Hardware Error]: CPU 1: Machine Check Exception: 5 Bank 4: be00000000800400\nmce: [Hardware Error]: TSC 0\n",
        "machine check",
        "machine-check",
    );
    check(
        "{1}[Hardware Error]: Hardware error from APEI Generic Hardware Error Source: 0\n{1}[Hardware Error]: event severity: fatal\n",
        "hardware error",
        "other",
    );
    check(
        "EDAC MC0: 1 UE memory read error on CPU_SrcID#0 (channel:0 slot:0 page:0x0 offset:0x0)\n",
        "hardware error",
        "other",
    );
    // What is no crash does not stand before one.
    let both = format!(
        "{oom}general protection fault: 0000 [#1] SMP\n{CPU}RIP: 0010:drv_go+0x1/0x2\n{}",
        trace("a b")
    );
    check(&both, "general protection fault in drv_go", "gpf");
}

#[test]
fn who_printed_it_counts() {
    let line = |caller: &str, text: &str| format!("[   12.000001][{caller}] {text}\n");
    // Another task's report between the header and its stack.
    let own = "   T7";
    let log = [
        line(own, "BUG: unable to handle page fault for address: ffff880012345678"),
        line("   T8", "BUG: unable to handle page fault for address: ffff880000000000"),
        line("   T8", "RIP: 0010:other+0x1/0x2"),
        line(own, "Oops: 0000 [#1] SMP"),
        line(own, "RIP: 0010:drv_go+0x1/0x2"),
        line("   T8", "Call Trace:"),
        line("   T8", " x+0x1/0x2"),
        line(own, "Call Trace:"),
        line(own, " ? not_sure+0x1/0x2"),
        line(own, " a+0x1/0x2"),
        line(own, " b+0x1/0x2"),
        line("   T8", " y+0x1/0x2"),
    ]
    .concat();
    check(&log, "BUG: unable to handle kernel paging request in drv_go", "page-fault");
    // A driver's free text above the warning that it belongs to.
    let log = [
        line(own, "WARNING: the driver has had enough"),
        line(own, "WARNING: CPU: 0 PID: 7 at drivers/x/y.c:10 drv_go+0x1/0x2"),
        line(own, "RIP: 0010:drv_go+0x1/0x2"),
        line(own, "Call Trace:"),
        line(own, " a+0x1/0x2"),
        line(own, " b+0x1/0x2"),
    ]
    .concat();
    check(&log, "WARNING in drv_go", "warning");
    // A stack that belongs to a failure made on purpose tears the report of a log without callers.
    let log = "[    1.000001] general protection fault: 0000 [#1] SMP\n[    1.000002] RIP: 0010:memcpy+0x1/0x2\n[    1.000003] Call Trace:\n[    1.000004]  should_fail+0x1/0x2\n[    1.000005]  drv_go+0x1/0x2\n[    1.000006]  b+0x1/0x2\n";
    torn(log, "general protection fault in corrupted", "gpf");
    // A line that printk replays comes whole again.
    let log = format!(
        "[    1.000001] WARNING: CPU: 0 PID\n** replaying previous printk message **\n{}",
        [
            "WARNING: CPU: 0 PID: 7 at drivers/x/y.c:10 drv_go+0x1/0x2",
            "RIP: 0010:drv_go+0x1/0x2",
            "Call Trace:",
            " a+0x1/0x2",
            " b+0x1/0x2"
        ]
        .map(|text| format!("[    1.000001] {text}\n"))
        .concat()
    );
    check(&log, "WARNING in drv_go", "warning");
}
