//! Titles, kinds and torn reports of locks, stalls, hangs, panics and what else a kernel says.

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

fn trace(functions: &str) -> String {
    let frames = functions.split_ascii_whitespace().map(|name| format!(" {name}+0x10/0x20\n"));
    format!("Call Trace:\n <TASK>\n{} </TASK>\n", frames.collect::<String>())
}

const CPU: &str = "CPU: 0 PID: 7 Comm: app Not tainted 6.1.0 #1\n";

#[test]
fn lock_order() {
    let locks = |first: &str, second: &str| {
        format!(
            "6.1.0 #1 Not tainted\n------------------------------------------------------\napp/7 is trying to acquire lock:\n\
             ffff888012345678 (&a->lock){{+.+.}}-{{3:3}}, at: {first}+0x1/0x2\n\nbut task is already holding lock:\n\
             ffff888012345678 (&b->lock){{+.+.}}-{{3:3}}, at: {second}+0x1/0x2\n\nthe existing dependency chain (in reverse order) is:\n\n\
             -> #1 (&b->lock){{+.+.}}-{{3:3}}:\n       __mutex_lock+0x1/0x2\n       chain_fn+0x1/0x2\n\nstack backtrace:\n{CPU}{}",
            trace("dump_stack_lvl check_noncircular a b")
        )
    };
    let circular = "WARNING: possible circular locking dependency detected\n";
    check(
        &format!("{circular}{}", locks("drv_a", "drv_b")),
        "possible deadlock in drv_a",
        "lockdep-deadlock",
    );
    check(
        &format!("{circular}{}", locks("_raw_spin_lock", "drv_b")),
        "possible deadlock in drv_b",
        "lockdep-deadlock",
    );
    check(
        &format!("{circular}{}", locks("__flush_work", "process_one_work")),
        "possible deadlock in chain_fn",
        "lockdep-deadlock",
    );
    torn(
        "WARNING: possible circular locking dependency detected\n6.1.0 #1 Not tainted\n",
        "WARNING: possible circular locking dependency detected",
        "lockdep-deadlock",
    );
    let recursive = "WARNING: possible recursive locking detected\n";
    check(
        &format!("{recursive}{}", locks("_raw_spin_lock", "drv_b")),
        "possible deadlock in _raw_spin_lock",
        "lockdep-deadlock",
    );
    let inversion = format!(
        "WARNING: possible irq lock inversion dependency detected\n6.1.0 #1 Not tainted\napp/7 just changed the state of lock:\nffff888012345678 (&a->lock){{-.-.}}-{{2:2}}, at: drv_irq+0x1/0x2\nbut this lock took another\nstack backtrace:\n{CPU}{}",
        trace("a b")
    );
    check(&inversion, "possible deadlock in drv_irq", "lockdep-deadlock");
    for kind in ["HARDIRQ", "SOFTIRQ", "RECLAIM_FS"] {
        let log = format!(
            "WARNING: {kind}-safe -> {kind}-unsafe lock order detected\n6.1.0 #1 Not tainted\napp/7 [HC0[0]:SC0[0]:HE0:SE1] is trying to acquire:\nffff888012345678 (&a->lock){{+.+.}}-{{2:2}}, at: other+0x1/0x2\n\nwhich would create a new lock dependency:\n\nbut this new dependency connects a {kind}-irq-safe lock:\n (&b->lock){{..-.}}-{{2:2}}\n\n... which became {kind}-irq-safe at:\n  lock_acquire+0x1/0x2\n  _raw_spin_lock+0x1/0x2\n  drv_timer+0x1/0x2\n\nstack backtrace:\n{CPU}{}",
            trace("a b")
        );
        check(&log, "possible deadlock in drv_timer", "lockdep-deadlock");
    }
    // 4.x
    let old = format!(
        "[ INFO: possible circular locking dependency detected ]\n4.4.0 #1 Not tainted\napp/7 is trying to acquire lock:\n (&a->lock){{+.+.+.}}, at: [<ffffffff81000000>] drv_a+0x1/0x2\n\nstack backtrace:\n{CPU}Call Trace:\n [<ffffffff81000000>] dump_stack+0x1/0x2\n [<ffffffff81000000>] b+0x1/0x2\n"
    );
    check(&old, "possible deadlock in drv_a", "lockdep-deadlock");
}

#[test]
fn lock_state() {
    let state = format!(
        "WARNING: inconsistent lock state\n6.1.0 #1 Not tainted\ninconsistent {{IN-SOFTIRQ-W}} -> {{SOFTIRQ-ON-W}} usage.\napp/7 [HC0[0]:SC0[0]:HE1:SE1] takes:\nffff888012345678 (&a->lock){{+.?.}}-{{2:2}}, at: other+0x1/0x2\n{{IN-SOFTIRQ-W}} state was registered at:\n  lock_acquire+0x1/0x2\n  x+0x1/0x2\nstack backtrace:\n{CPU}{}",
        trace("dump_stack_lvl print_usage_bug mark_lock __lock_acquire lock_acquire _raw_spin_lock drv_go")
    );
    check(&state, "inconsistent lock state in drv_go", "lockdep-irq-state");
    let rcu = format!(
        "WARNING: suspicious RCU usage\n6.1.0 #1 Not tainted\n-----------------------------\nnet/x/y.c:10 suspicious rcu_dereference_check() usage!\n\nstack backtrace:\n{CPU}{}",
        trace("dump_stack_lvl lockdep_rcu_suspicious rcu_x drv_go")
    );
    check(&rcu, "WARNING: suspicious RCU usage in drv_go", "rcu-usage");
    torn(
        "WARNING: suspicious RCU usage\n6.1.0 #1 Not tainted\n",
        "WARNING: suspicious RCU usage",
        "rcu-usage",
    );
    check(
        &format!(
            "INFO: trying to register non-static key.\nThe code is fine but needs lockdep annotation, or maybe\n{CPU}{}",
            trace("dump_stack register_lock_class __lock_acquire lock_acquire _raw_spin_lock_irqsave drv_go")
        ),
        "INFO: trying to register non-static key in drv_go",
        "lockdep-other",
    );
    check(
        &format!(
            "[ BUG: Invalid wait context ]\n6.1.0 #1 Not tainted\napp/7 is trying to lock:\nffff888012345678 (&a->lock){{+.+.}}-{{3:3}}, at: x+0x1/0x2\nstack backtrace:\n{CPU}{}",
            trace("dump_stack __lock_acquire lock_acquire lock_sock_nested drv_go")
        ),
        "WARNING: locking bug in drv_go",
        "lockdep-other",
    );
    for label in ["WARNING: bad unlock balance detected!", "[ BUG: bad unlock balance detected! ]"] {
        let title = if label.starts_with('[') {
            "BUG: bad unlock balance in drv_go"
        } else {
            "WARNING: bad unlock balance in drv_go"
        };
        let log = format!(
            "{label}\n6.1.0 #1 Not tainted\napp/7 is trying to release lock (&a->lock) at:\n[<ffffffff81000000>] mutex_unlock+0x1/0x2\nbut there are no more locks to release!\nstack backtrace:\n{CPU}{}",
            trace("dump_stack lock_release mutex_unlock drv_go")
        );
        check(&log, title, "lockdep-balance");
        let log = log.replace("] mutex_unlock", "] drv_go");
        check(&log, title, "lockdep-balance");
    }
    check(
        &format!(
            "WARNING: held lock freed!\n6.1.0 #1 Not tainted\napp/7 is freeing memory ffff888012345678-ffff888012345679, with a lock still held there!\nffff888012345678 (&a->lock){{+.+.}}-{{3:3}}, at: drv_go+0x1/0x2\nstack backtrace:\n{CPU}{}",
            trace("a b")
        ),
        "WARNING: held lock freed in drv_go",
        "lockdep-balance",
    );
    check(
        "WARNING: lock held when returning to user space!\n6.1.0 #1 Not tainted\napp/7 is leaving the kernel with locks still held!\n1 lock held by app/7:\n #0: ffff888012345678 (&a->lock){+.+.}-{3:3}, at: drv_go+0x1/0x2\n",
        "WARNING: lock held when returning to user space in drv_go",
        "lockdep-balance",
    );
    check(
        &format!(
            "WARNING: app/7 still has locks held!\n6.1.0 #1 Not tainted\n1 lock held by app/7:\n #0: ffff888012345678 (&a->lock){{+.+.}}-{{3:3}}, at: drv_go+0x1/0x2\nstack backtrace:\n{CPU}{}",
            trace("a b")
        ),
        "WARNING: still has locks held in drv_go",
        "lockdep-balance",
    );
    check(
        &format!(
            "WARNING: Nested lock was not taken\n6.1.0 #1 Not tainted\napp/7 is trying to lock:\nx\nstack backtrace:\n{CPU}{}",
            trace("dump_stack __lock_acquire lock_acquire drv_go")
        ),
        "WARNING: nested lock was not taken in drv_go",
        "lockdep-balance",
    );
    check(
        "BUG: workqueue leaked lock or atomic: kworker/0:1/0x00000000/7\n     last function: drv_work\n1 lock held by kworker/0:1/7:\n",
        "BUG: workqueue leaked lock or atomic in drv_work",
        "lockdep-balance",
    );
    check(
        "BUG: MAX_LOCKDEP_ENTRIES too low!\nturning off the locking correctness validator.\n",
        "BUG: MAX_LOCKDEP_ENTRIES too low!",
        "lockdep-other",
    );
    for what in [
        "bad magic",
        "wrong owner",
        "recursion",
        "already unlocked",
        "lockup suspected",
        "cpu recursion",
        "wrong CPU",
    ] {
        let log = format!(
            "BUG: spinlock {what} on CPU#0, app/7\n lock: 0xffff888012345678, .magic: dead4ead, .owner: <none>/-1\n{CPU}{}",
            trace("dump_stack spin_bug do_raw_spin_lock _raw_spin_lock block_go")
        );
        check(&log, &format!("BUG: spinlock {what} in block_go"), "spinlock");
    }
    check(
        &format!(
            "BUG: rwlock bad magic on CPU#0, app/7, ffff888012345678\n{CPU}{}",
            trace("rwlock_bug do_raw_write_lock _raw_write_lock drv_go").replace("rwlock_bug", "dump_stack")
        ),
        "BUG: rwlock bad magic in drv_go",
        "spinlock",
    );
    check(
        &format!(
            "BUG: scheduling while atomic: app/7/0x00000002\n{CPU}{}",
            trace("dump_stack __schedule_bug __schedule schedule schedule_timeout drv_go")
        ),
        "BUG: scheduling while atomic in drv_go",
        "sched-atomic",
    );
    check(
        &format!(
            "BUG: sleeping function called from invalid context at mm/slab.h:500\nin_atomic(): 1, irqs_disabled(): 0, pid: 7, name: app\n{CPU}{}",
            trace("dump_stack __might_resched kmem_cache_alloc drv_go")
        ),
        "BUG: sleeping function called from invalid context in drv_go",
        "atomic-sleep",
    );
    check(
        &format!(
            "BUG: using smp_processor_id() in preemptible [00000000] code: app/7\ncaller is drv_go+0x1/0x2\n{CPU}{}",
            trace("dump_stack check_preemption_disabled debug_smp_processor_id drv_go")
        ),
        "BUG: using smp_processor_id() in preemptible code in drv_go",
        "preemptible",
    );
    check(
        &format!(
            "BUG: using __this_cpu_add() in preemptible [00000000] code: app/7\n{CPU}{}",
            trace("dump_stack check_preemption_disabled __this_cpu_preempt_check drv_go")
        ),
        "BUG: using __this_cpu_add() in preemptible code in drv_go",
        "preemptible",
    );
}

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
