use super::{always, matches};

/// Functions of each class as kernels of different ages and CPUs name them. A class is passed over
/// whole, whichever of its functions a log happens to show.
#[test]
fn classes_are_passed_over_whole() {
    for (class, names) in [
        (
            "checkers",
            "kasan_report __kasan_check_read kasan_check_range __asan_load8 __asan_memcpy kmsan_report __msan_warning __hwasan_check_x0 __kasan_report kasan_report_invalid_free __sanitizer_cov_trace_pc print_report print_address_description check_memory_region __check_object_size read_word_at_a_time __read_once_size_nocheck",
        ),
        (
            "assertions",
            "panic vpanic nmi_panic warn_slowpath_null warn_slowpath_fmt __warn __warn_printk report_bug fixup_bug handle_bug assertfail xfs_assertfail print_tainted rust_helper_BUG fortify_panic __fortify_report",
        ),
        (
            "exceptions",
            "invalid_op do_invalid_op exc_invalid_op asm_exc_invalid_op do_error_trap do_trap do_trap_no_signal program_check_exception program_check_common_virt do_mem_abort do_translation_fault __do_kernel_fault die_kernel_fault do_tag_check_fault el1_abort el1h_64_sync el1h_64_sync_handler bug_handler brk_handler",
        ),
        (
            "dumpers",
            "dump_stack dump_stack_lvl __dump_stack show_stack dump_backtrace walk_stackframe unwind_backtrace show_regs arch_stack_walk stack_trace_save stack_trace_consume_entry",
        ),
        (
            "allocators",
            "kmalloc __kmalloc __kmalloc_node_noprof kmalloc_trace kmalloc_slab kmalloc_order_trace kvmalloc_node __kvmalloc_node_noprof vmalloc __vmalloc_node_range vzalloc kzalloc kcalloc krealloc kmem_cache_alloc kmem_cache_free kmem_cache_alloc_node_trace slab_post_alloc_hook __slab_alloc ___slab_alloc slab_free_freelist_hook allocate_slab kfree vfree kvfree kmemdup memdup_user vmemdup_user strndup_user kstrdup kstrndup kasprintf kvasprintf __get_free_pages cache_alloc_refill",
        ),
        (
            "pages",
            "__alloc_pages __alloc_pages_nodemask alloc_pages_current alloc_pages_mpol folio_alloc vma_alloc_folio_noprof folio_alloc_mpol_noprof __folio_alloc filemap_alloc_folio __alloc_frozen_pages_noprof pagecache_get_page __filemap_get_folio find_or_create_page do_read_cache_folio read_cache_page read_cache_pages grab_cache_page_write_begin truncate_inode_pages_range find_lock_entries unlock_page lock_page folio_unlock",
        ),
        (
            "lockdep",
            "lock_acquire lock_release register_lock_class look_up_lock_class mark_lock mark_lock_irq mark_held_locks reacquire_held_locks lockdep_hardirqs_on lockdep_init_map_type trace_hardirqs_on trace_hardirqs_off_caller trace_softirqs_on print_usage_bug print_unlock_imbalance_bug perf_trace_lock",
        ),
        (
            "locks",
            "_raw_spin_lock_irqsave __raw_spin_lock do_raw_spin_lock _raw_spin_unlock_bh queued_spin_lock_slowpath native_queued_spin_lock_slowpath __pv_queued_spin_lock_slowpath _raw_read_lock _raw_write_lock_bh queued_read_lock_slowpath queued_write_lock_slowpath mutex_lock __mutex_lock mutex_lock_nested __mutex_unlock_slowpath mutex_trylock down_read down_write_killable down up up_read rwsem_down_write_slowpath down_read_trylock __down_read percpu_down_read down_trylock rt_mutex_slowlock rt_spin_lock ww_mutex_lock osq_lock __local_bh_enable_ip local_bh_disable",
        ),
        (
            "atomics",
            "atomic_inc atomic64_read atomic_dec_and_test raw_atomic_add_return atomic_fetch_add_unless arch_atomic_try_cmpxchg set_bit test_and_set_bit __clear_bit test_bit arch_test_bit refcount_inc refcount_warn_saturate refcount_sub_and_test_checked kref_get kref_put ref_tracker_free",
        ),
        (
            "memory and strings",
            "memcpy __memcpy memcpy_erms __pi_memcpy memcmp memset memmove memchr memchr_inv strcmp strncmp strcpy strlcpy strncpy strscpy strlen strnlen strstr strnstr strchr strrchr strcasecmp strsep",
        ),
        (
            "printing",
            "vsnprintf snprintf scnprintf string_nocheck format_string pointer printk vprintk_emit _printk va_format hex_dump_to_buffer print_hex_dump __dev_printk dev_printk_emit _dev_err _dev_warn dev_info",
        ),
        (
            "user copies",
            "_copy_to_user _copy_from_user copy_from_user_nmi __get_user_4 __put_user_nocheck_8 copy_user_enhanced_fast_string copy_user_generic_unrolled strncpy_from_user strnlen_user clear_user __clear_user _copy_to_iter _copy_from_iter copy_page_to_iter copy_page_from_iter copyin copyout",
        ),
        (
            "containers",
            "__list_add_valid __list_add_valid_or_report __list_del_entry_valid list_del_init klist_next klist_del rb_erase rb_next __rb_insert_augmented xas_load xas_find_marked xas_start",
        ),
        (
            "timers and work",
            "del_timer del_timer_sync timer_delete_sync timer_delete try_to_del_timer_sync __timer_delete_sync __mod_timer __queue_work queue_work_on queue_delayed_work_on __queue_delayed_work insert_work flush_work __flush_work flush_workqueue __flush_workqueue cancel_work_sync __cancel_work_timer drain_workqueue destroy_workqueue try_to_grab_pending",
        ),
        (
            "waiting",
            "__wake_up __wake_up_common complete wait_for_completion wait_for_completion_timeout finish_wait kthread_stop",
        ),
        (
            "devices",
            "kobject_add_internal kobject_put kobject_del add_uevent_var get_device_parent device_add device_del device_unregister device_destroy device_release devres_release_all sysfs_remove_group sysfs_remove_file_ns put_device unregister_netdevice_many unregister_netdev rollback_registered_many hwrng_unregister i2c_del_adapter",
        ),
        (
            "usb",
            "usb_submit_urb usb_kill_urb usb_kill_anchored_urbs usb_control_msg usb_control_msg_send usb_hcd_submit_urb dummy_urb_enqueue",
        ),
        (
            "device memory",
            "readb readl __raw_readl writel writeq __raw_writel logic_inb logic_outl ioread32 iowrite32be",
        ),
        ("checksums", "crc32c crc32_le crc16 crc64_be crc_itu_t crc_ccitt"),
        ("references", "iput ihold dput fast_dput drop_nlink kfree_skb kfree_skb_reason"),
        ("thunks", "__x86_indirect_thunk_rax __x86_return_thunk"),
    ] {
        let missing = names.split_ascii_whitespace().filter(|name| !always(name)).collect::<Vec<_>>();
        assert!(missing.is_empty(), "{class}: {missing:?}");
    }
}

/// Names that share a part with a helper and are none, and functions that only look general.
#[test]
fn what_may_name_a_crash_is_not_passed_over() {
    let helpers = "nsim_dev_trap_report_work devlink_trap_policer unix_gc block_read_full_folio clock_was_set \
        io_wq_put_and_exit bio_alloc_bioset usb_hcd_unlink_urb audit_log_start mas_walk mtree_range_walk \
        radix_tree_lookup idr_for_each __alloc_skb skb_release_data skb_clone netlink_dump do_user_addr_fault \
        handle_mm_fault ext4_map_blocks process_one_work worker_thread sock_release consume_skb pcpu_alloc \
        ip6t_do_table hlist_bl_unlock_x kthread rcu_core __schedule iter_file_splice_write bitmap_ip_add \
        lookup_object console_lock fuse_lock_inode crypto_create_session tcp_ack dup_task_struct"
        .split_ascii_whitespace()
        .filter(|name| always(name))
        .collect::<Vec<_>>();
    assert!(helpers.is_empty(), "{helpers:?}");
}

#[test]
fn a_pattern_is_a_part_unless_it_is_tied() {
    assert!(
        matches("abc", &["b"])
            && matches("abc", &["^a"])
            && matches("abc", &["c$"])
            && matches("abc", &["^abc$"])
    );
    assert!(!matches("abc", &["^b"]) && !matches("abc", &["b$"]) && !matches("abc", &["^ab$"]));
    assert!(!always(""));
}

/// Every pattern is there once and says something.
#[test]
fn no_pattern_is_idle() {
    let patterns = super::ALWAYS.iter().flat_map(|groups| groups.iter()).flat_map(|group| group.patterns);
    let mut all = patterns.copied().collect::<Vec<_>>();
    assert!(all.iter().all(|pattern| pattern.trim_matches(['^', '$']).len() >= 2));
    all.sort_unstable();
    let count = all.len();
    all.dedup();
    assert_eq!(all.len(), count);
}
