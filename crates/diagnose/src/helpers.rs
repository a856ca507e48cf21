//! Core functions that trip over what their caller handed them.
//!
//! A fault inside one of these says nothing against it: `strlen(NULL)` is its caller's doing.
//! One row a family, with the reason; blame passes over them to the first frame that is in none.

use crate::names::base_name;
use kwhy_base::catalogue::verdict as say;
use kwhy_base::{Prose, prose};

/// One family of helpers.
pub struct Family {
    /// Which.
    pub kind: Helper,
    /// Exact function names (suffixes and `__pi_`, leading underscores taken off).
    names: &'static [&'static str],
    /// Beginnings of function names.
    prefixes: &'static [&'static str],
}

/// What a helper works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Helper {
    /// Strings and blocks of memory.
    Memory,
    /// Copies from and to user space.
    UserCopy,
    /// Mutexes, spinlocks, rwsems, completions, lockdep.
    Lock,
    /// Lists, rbtrees, xarrays, idr and their debug checks.
    Container,
    /// Reference counts and kobjects.
    Refcount,
    /// The allocators.
    Allocator,
    /// The scheduler, wait queues, timers.
    Scheduler,
    /// The workqueue and thread machinery around a callback.
    Runner,
    /// sysfs, debugfs, procfs and the VFS between a system call and a driver's method.
    FileLayer,
    /// printk and formatting.
    Print,
    /// The module loader.
    Loader,
    /// Exception entry, oops printing, warnings, stack dumps, panics.
    Report,
    /// System call entry.
    EntryCode,
    /// KASAN, KCSAN, KMSAN, UBSAN and fortify checks.
    Sanitizer,
    /// Bit operations, atomics, checksums, sorting and other leaf arithmetic.
    Leaf,
    /// RCU, softirq and interrupt delivery.
    Delivery,
}

/// The table.
#[rustfmt::skip]
pub const FAMILIES: &[Family] = &[
    Family {
        kind: Helper::Memory,
        names: &[
            "strlen", "strnlen", "strcmp", "strncmp", "strcasecmp", "strncasecmp", "strcpy", "strncpy", "strscpy",
            "strlcpy", "strcat", "strncat", "strlcat", "strchr", "strrchr", "strchrnul", "strnchr", "strstr",
            "strnstr", "strsep", "strspn", "strcspn", "strpbrk", "strim", "skip_spaces", "sysfs_streq", "memcpy",
            "memmove", "memset", "memcmp", "memchr", "memchr_inv", "memscan", "bcmp", "memset64", "memset32",
            "memset16", "memcpy_orig", "memcpy_erms", "memset_erms", "memset_orig", "memzero_explicit", "kstrdup",
            "kstrdup_const", "kstrndup", "kmemdup", "kmemdup_nul", "memdup_user", "copy_page", "clear_page",
            "clear_page_rep", "clear_page_erms", "clear_page_orig", "sized_strscpy", "match_string", "rep_movs_alternative",
            "rep_stos_alternative",
        ],
        prefixes: &["kstrto", "simple_strto", "fortify_str", "memcpy_", "memset_"],
    },
    Family {
        kind: Helper::UserCopy,
        names: &["copy_from_iter", "copy_to_iter", "check_object_size", "usercopy_abort", "check_heap_object"],
        prefixes: &[
            "copy_from_user", "copy_to_user", "raw_copy_", "arch_copy_", "copy_user_", "get_user_", "put_user_",
            "clear_user", "strncpy_from_user", "strnlen_user", "copyin", "copyout", "simple_read_from_buffer",
            "simple_write_to_buffer",
        ],
    },
    Family {
        kind: Helper::Lock,
        names: &[
            "down", "up", "down_read", "down_write", "up_read", "up_write", "down_interruptible", "down_trylock",
            "down_timeout", "complete", "complete_all", "wait_for_common", "lock_acquire", "lock_release",
            "lock_is_held_type", "osq_lock", "do_wait_for_common",
        ],
        prefixes: &[
            "mutex_", "ww_mutex_", "rt_mutex_", "raw_spin_", "spin_", "do_raw_spin_", "do_raw_read", "do_raw_write",
            "queued_spin_", "queued_read_", "queued_write_", "native_queued_spin_", "pv_queued_spin_", "rwsem_",
            "percpu_down_", "percpu_up_", "down_read_", "down_write_", "raw_read_", "raw_write_", "read_lock",
            "read_unlock", "write_lock", "write_unlock", "lockdep_", "rwsem", "wait_for_completion", "debug_mutex_",
            "lock_acquire", "register_lock_class", "debug_check_no_locks",
        ],
    },
    Family {
        kind: Helper::Container,
        names: &["skb_put", "skb_push", "skb_pull", "list_sort", "plist_add", "plist_del", "radix_tree_lookup", "klist_next", "klist_put"],
        prefixes: &[
            "list_add_valid", "list_del_entry_valid", "list_add", "list_del", "rb_", "xa_", "xas_", "idr_", "ida_",
            "radix_tree_", "mas_", "mtree_", "llist_", "hlist_", "rht_", "rhashtable_", "klist_",
        ],
    },
    Family {
        kind: Helper::Refcount,
        names: &["get_device", "put_device", "module_put", "try_module_get"],
        prefixes: &["refcount_", "kref_", "kobject_", "percpu_ref_", "kobj_", "kset_"],
    },
    Family {
        kind: Helper::Allocator,
        names: &[
            "kmalloc", "kzalloc", "krealloc", "ksize", "kfree", "kvfree", "kvmalloc_node", "kfree_sensitive",
            "kfree_const", "slab_alloc_node", "free_block", "cache_free", "virt_to_head_page", "virt_to_cache",
            "check_bytes_and_report", "print_trailer", "print_tracking", "on_freelist", "free_consistency_checks",
            "alloc_consistency_checks", "free_to_pcp", "kmem_cache_free_bulk", "fix_object",
            "get_partial_node", "discard_slab", "cache_from_obj", "free_to_partial_list",
        ],
        prefixes: &[
            "kmalloc", "kmem_cache_", "slab_", "do_kmalloc", "alloc_pages", "get_page_from_freelist", "free_pages",
            "vmalloc", "vzalloc", "vfree", "vunmap", "free_percpu", "alloc_percpu", "pcpu_", "devm_k", "object_err",
            "check_slab", "check_object", "free_debug_processing", "alloc_debug_processing", "unfreeze_partials",
            "put_cpu_partial", "rmqueue", "bad_page", "free_unref_", "folio_put", "put_page", "mempool_", "krealloc",
            "folios_put", "kfree_",
        ],
    },
    Family {
        kind: Helper::Scheduler,
        names: &[
            "schedule", "switch_to", "io_schedule", "yield", "cond_resched", "might_sleep", "might_resched", "msleep",
            "msleep_interruptible", "usleep_range", "try_to_wake_up", "wake_up_process", "default_wake_function",
            "autoremove_wake_function", "autoremove_wake_function", "prepare_to_wait", "finish_wait", "context_switch",
            "add_timer", "mod_timer", "del_timer", "del_timer_sync", "timer_delete", "timer_delete_sync", "__schedule",
            "bit_wait", "out_of_line_wait_on_bit",
        ],
        prefixes: &[
            "schedule_", "wake_up", "prepare_to_wait", "wait_woken", "might_sleep", "might_fault", "hrtimer_",
            "enqueue_", "dequeue_", "pick_next_", "wait_on_", "io_schedule", "preempt_schedule", "try_to_del_timer",
            "usleep_range",
        ],
    },
    Family {
        kind: Helper::Runner,
        names: &[
            "process_one_work", "worker_thread", "process_scheduled_works", "kthread", "ret_from_fork",
            "ret_from_fork_asm", "kthread_worker_fn", "kthread_should_stop", "smpboot_thread_fn", "run_ksoftirqd",
            "flush_work", "flush_workqueue", "drain_workqueue", "destroy_workqueue", "cancel_work_sync",
            "cancel_delayed_work_sync", "queue_work_on", "queue_delayed_work_on", "insert_work", "queue_work",
            "delayed_work_timer_fn", "call_timer_fn", "run_timers", "expire_timers", "run_timer_softirq",
            "run_timer_base", "timer_expire_remote", "task_work_run",
        ],
        prefixes: &["notifier_call_chain", "blocking_notifier_call_chain", "atomic_notifier_call_chain"],
    },
    Family {
        kind: Helper::FileLayer,
        names: &[
            "vfs_read", "vfs_write", "ksys_read", "ksys_write", "vfs_ioctl", "do_vfs_ioctl", "new_sync_read",
            "new_sync_write", "full_proxy_read", "full_proxy_write", "full_proxy_open", "full_proxy_unlocked_ioctl",
            "full_proxy_llseek", "debugfs_attr_read", "debugfs_attr_write", "simple_attr_read", "simple_attr_write",
            "dev_attr_show", "dev_attr_store", "module_attr_show", "module_attr_store", "param_attr_show",
            "param_attr_store", "drv_attr_store", "drv_attr_show", "bus_attr_store", "class_attr_store", "seq_read",
            "seq_read_iter", "proc_reg_read", "proc_reg_write", "proc_reg_read_iter", "vfs_fsync_range", "chrdev_open",
            "do_dentry_open", "vfs_open", "path_openat", "do_filp_open", "do_sys_openat2", "vfs_llseek", "open_proxy_open",
            "call_read_iter", "call_write_iter", "do_iter_readv_writev", "vfs_readv", "vfs_writev", "do_writev", "do_readv",
            "simple_attr_write_xsigned", "debugfs_attr_write_xsigned", "proc_sys_call_handler",
        ],
        prefixes: &["sysfs_kf_", "kernfs_fop_", "kernfs_", "sysfs_", "internal_create_group", "create_files"],
    },
    Family {
        kind: Helper::Print,
        names: &["vsnprintf", "snprintf", "sprintf", "vsprintf", "scnprintf", "vscnprintf", "kasprintf", "kvasprintf",
            "kvasprintf_const", "string", "string_nocheck", "number", "pointer", "format_decode", "printk", "vprintk",
            "_printk", "seq_printf", "seq_vprintf", "seq_puts", "dev_printk", "sysfs_emit", "hex_dump_to_buffer",
            "symbol_string", "bin_dump"],
        prefixes: &["vprintk_", "dev_printk_", "_dev_", "console_", "devkmsg_"],
    },
    Family {
        kind: Helper::Loader,
        names: &[
            "mod_sysfs_setup", "mod_sysfs_init", "load_module", "do_init_module", "do_sys_init_module", "init_module",
            "free_module", "do_one_initcall", "do_sys_finit_module", "idempotent_init_module", "add_usage_links",
            "module_add_driver", "add_notes_attrs", "add_sect_attrs", "simplify_symbols", "resolve_symbol",
            "resolve_symbol_wait", "apply_relocations", "post_relocation", "module_finalize", "find_module_sections",
            "prepare_coming_module", "init_module_from_file", "do_initcalls", "do_basic_setup", "kernel_init_freeable",
            "kernel_init", "start_kernel",
        ],
        prefixes: &[],
    },
    Family {
        kind: Helper::Report,
        names: &[
            "dump_stack", "dump_stack_lvl", "dump_backtrace", "unwind_backtrace", "show_stack", "panic", "vpanic", "warn", "warn_slowpath_fmt",
            "warn_slowpath_null", "report_bug", "handle_bug", "exc_invalid_op", "asm_exc_invalid_op", "exc_page_fault",
            "asm_exc_page_fault", "exc_general_protection", "asm_exc_general_protection", "page_fault_oops", "die",
            "die_addr", "oops_end", "no_context", "bug_handler", "brk_handler", "do_debug_exception", "el1_dbg",
            "el1h_64_sync", "el1h_64_sync_handler", "el1_sync", "el1_abort", "do_mem_abort", "do_translation_fault",
            "do_page_fault", "do_bad_area", "die_kernel_fault", "kernelmode_fixup_or_oops", "bad_area_nosemaphore",
            "do_user_addr_fault", "do_kern_addr_fault", "exc_divide_error", "asm_exc_divide_error", "do_error_trap",
            "stack_chk_fail", "skb_panic", "skb_over_panic", "skb_under_panic", "nmi_cpu_backtrace", "trigger_all_cpu_backtrace", "watchdog", "check_panic_on_warn",
            "spin_bug", "spin_dump", "print_address_description", "describe_object", "print_trailer", "do_trap", "fixup_exception", "show_regs", "nmi_panic", "bust_spinlocks",
            "error_entry", "do_undefinstr", "el1_undef", "el1_inv", "el1_pc", "do_sp_pc_abort", "print_report",
            "__die", "die_body", "__die_body", "schedule_debug", "schedule_bug", "do_exit", "make_task_dead",
            "rewind_stack_and_make_dead", "arm64_notify_die", "bug_get_file_line",
        ],
        prefixes: &["warn_slowpath", "rcu_check_callbacks", "arch_trigger_", "nmi_"],
    },
    Family {
        kind: Helper::EntryCode,
        names: &[
            "invoke_syscall", "el0_svc_common", "do_el0_svc", "el0_svc", "el0t_64_sync_handler", "el0t_64_sync",
            "el0_sync", "el0_sync_handler", "do_syscall_64", "do_syscall_x64", "entry_SYSCALL_64_after_hwframe",
            "entry_SYSCALL_64", "do_int80_syscall_32", "x64_sys_call", "do_fast_syscall_32", "el0_svc_handler",
            "arm64_sys_call_table", "ret_to_user", "ret_from_syscall",
        ],
        prefixes: &["arm64_sys_", "x64_sys_", "ia32_sys_", "se_sys_", "do_sys_"],
    },
    Family {
        kind: Helper::Sanitizer,
        names: &["fortify_panic", "fortify_report", "check_memory_region", "kasan_check_range"],
        prefixes: &["asan_", "kasan_", "tsan_", "kcsan_", "msan_", "kmsan_", "ubsan_", "sanitizer_", "hwasan_", "kfence_"],
    },
    Family {
        kind: Helper::Leaf,
        names: &["sort", "sort_r", "crc32_le", "crc32c", "csum_partial", "find_first_bit", "find_next_bit", "test_bit",
            "set_bit", "clear_bit", "bitmap_weight", "jhash", "llseek"],
        prefixes: &["arch_atomic", "atomic_", "ll_sc_atomic", "lse_atomic", "find_first_", "find_next_", "bitmap_"],
    },
    Family {
        kind: Helper::Delivery,
        names: &[
            "rcu_do_batch", "rcu_core", "rcu_core_si", "rcu_process_callbacks", "do_softirq", "handle_softirqs",
            "irq_exit", "irq_exit_rcu", "sysvec_apic_timer_interrupt", "asm_sysvec_apic_timer_interrupt",
            "common_interrupt", "asm_common_interrupt", "handle_irq_event_percpu", "handle_irq_event",
            "handle_edge_irq", "handle_fasteoi_irq", "handle_level_irq", "generic_handle_irq", "generic_handle_domain_irq",
            "gic_handle_irq", "do_softirq_own_stack", "call_on_stack", "do_interrupt_handler", "el1_interrupt",
            "el1h_64_irq", "el1h_64_irq_handler", "el1_irq", "call_on_irq_stack", "hrtimer_run_queues", "hrtimer_interrupt",
            "smp_call_function_many_cond", "smp_call_function_single", "tasklet_action_common", "tasklet_action",
            "arch_call_rest_init", "cpu_startup_entry", "do_idle", "default_idle_call", "default_idle",
        ],
        prefixes: &["call_rcu", "rcu_", "synchronize_rcu", "synchronize_srcu"],
    },
];

/// The family `symbol` belongs to; `None` for a function that answers for itself.
pub fn helper(symbol: &str) -> Option<Helper> {
    let base = base_name(symbol);
    let base = base.strip_prefix("__pi_").unwrap_or(base);
    let plain = base.trim_start_matches('_');
    FAMILIES
        .iter()
        .find(|family| {
            family.names.contains(&plain)
                || family.names.contains(&base)
                || family.prefixes.iter().any(|prefix| plain.starts_with(prefix) || base.starts_with(prefix))
        })
        .map(|family| family.kind)
}

impl Helper {
    /// Why a fault in such a function is its caller's business.
    pub fn reason(self) -> Prose {
        match self {
            Helper::Memory => prose!(say::HELPER_MEMORY),
            Helper::UserCopy => prose!(say::HELPER_USER_COPY),
            Helper::Lock => prose!(say::HELPER_LOCK),
            Helper::Container => prose!(say::HELPER_CONTAINER),
            Helper::Refcount => prose!(say::HELPER_REFCOUNT),
            Helper::Allocator => prose!(say::HELPER_ALLOCATOR),
            Helper::Scheduler => prose!(say::HELPER_SCHEDULER),
            Helper::Runner => prose!(say::HELPER_RUNNER),
            Helper::FileLayer => prose!(say::HELPER_FILE_LAYER),
            Helper::Print => prose!(say::HELPER_PRINT),
            Helper::Loader => prose!(say::HELPER_LOADER),
            Helper::Report | Helper::Sanitizer => prose!(say::HELPER_REPORT),
            Helper::EntryCode | Helper::Delivery => prose!(say::HELPER_DELIVERY),
            Helper::Leaf => prose!(say::HELPER_LEAF),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_are_known_under_their_decorations() {
        assert_eq!(helper("__pi_strlen"), Some(Helper::Memory));
        assert_eq!(helper("__mutex_lock.constprop.0"), Some(Helper::Lock));
        assert_eq!(helper("__list_del_entry_valid.cold"), Some(Helper::Container));
        assert_eq!(helper("_raw_spin_lock_irqsave"), Some(Helper::Lock));
        assert_eq!(helper("__kmem_cache_alloc_node"), Some(Helper::Allocator));
        assert_eq!(helper("kfree"), Some(Helper::Allocator));
        assert_eq!(helper("mod_sysfs_setup"), Some(Helper::Loader));
        assert_eq!(helper("__do_sys_finit_module"), Some(Helper::Loader));
    }

    #[test]
    fn a_driver_function_is_no_helper() {
        for name in
            ["cr_route.constprop.0", "wp_run", "ext4_writepages", "tcp_sendmsg", "strm_start", "downstream"]
        {
            assert_eq!(helper(name), None, "{name}");
        }
    }
}
