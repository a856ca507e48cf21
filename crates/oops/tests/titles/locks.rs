//! Locks.

use super::{CPU, check, torn, trace};

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
