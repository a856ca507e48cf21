//! Faults, exceptions, BUGs, WARNs, and what memory management finds.

use super::{CPU, alternatives, check, torn, trace};

#[test]
fn faults_of_every_cpu() {
    let x86 = format!("{CPU}RIP: 0010:drv_go+0x1/0x2 [drv]\n{}", trace("a b"));
    let paging = "BUG: unable to handle kernel paging request in drv_go";
    let null = "BUG: unable to handle kernel NULL pointer dereference in drv_go";
    check(
        &format!(
            "BUG: unable to handle kernel paging request at ffff880012345678\nIP: drv_go+0x1/0x2\nOops: 0000 [#1] SMP\n{x86}"
        ),
        paging,
        "page-fault",
    );
    check(
        &format!(
            "BUG: unable to handle page fault for address: ffff880012345678\n#PF: supervisor read access in kernel mode\nOops: 0000 [#1] SMP\n{x86}"
        ),
        paging,
        "page-fault",
    );
    check(
        &format!(
            "BUG: unable to handle kernel NULL pointer dereference at 0000000000000008\nIP: [<ffffffff81000000>] drv_go+0x1/0x2\nOops: 0000 [#1] SMP\n{x86}"
        ),
        null,
        "null-deref",
    );
    check(
        &format!(
            "BUG: kernel NULL pointer dereference, address: 0000000000000008\nOops: Oops: 0000 [#1] SMP\n{x86}"
        ),
        null,
        "null-deref",
    );
    let i386 = "*pde = 00000000\nOops: 0000 [#1] SMP\nCPU: 0 PID: 7 Comm: app Not tainted 6.1.0 #1\nEIP: drv_go+0x1/0x2\nEAX: 00000000 EBX: 00000000\nCall Trace:\n a+0x1/0x2\n b+0x1/0x2\n";
    check(&format!("BUG: kernel NULL pointer dereference, address: 00000008\n{i386}"), null, "null-deref");
    let arm = "Internal error: Oops: 5 [#1] SMP ARM\nPC is at drv_go+0x1/0x2\nLR is at b+0x1/0x2\nBacktrace: \n[<80010b1c>] (drv_go) from [<8000d5d4>] (b+0x10/0x14)\n[<8000d5d4>] (b) from [<8000d5d4>] (c+0x10/0x14)\n";
    check(
        &format!(
            "Unable to handle kernel NULL pointer dereference at virtual address 00000008 when read\n{arm}"
        ),
        null,
        "null-deref",
    );
    check(
        &format!(
            "8<--- cut here ---\nUnable to handle kernel paging request at virtual address dead0008\n{arm}"
        ),
        paging,
        "page-fault",
    );
    let arm64 = "Internal error: Oops: 0000000096000004 [#1] SMP\npc : drv_go+0x1/0x2\nlr : b+0x1/0x2\nCall trace:\n drv_go+0x1/0x2\n b+0x1/0x2\n";
    check(
        &format!("Unable to handle kernel paging request at virtual address dead000000000108\n{arm64}"),
        paging,
        "page-fault",
    );
    check(
        &format!(
            "Unable to handle kernel access to user memory outside uaccess routines at virtual address 0000000020000000\n{arm64}"
        ),
        "BUG: unable to handle kernel access to user memory in drv_go",
        "page-fault",
    );
    check(
        &format!(
            "Unable to handle kernel execute from non-executable memory at virtual address ffff800012345678\n{arm64}"
        ),
        paging,
        "page-fault",
    );
    check(
        &format!(
            "Unable to handle kernel write to read-only memory at virtual address ffff800012345678\n{arm64}"
        ),
        paging,
        "page-fault",
    );
    let riscv = "Oops [#1]\nModules linked in:\nCPU: 0 PID: 7 Comm: app Not tainted 6.1.0 #1\nepc : drv_go+0x1/0x2\n ra : b+0x1/0x2\nstatus: 0000000200000120 badaddr: 0000000000000008 cause: 000000000000000d\n[<ffffffff80000000>] drv_go+0x1/0x2\n[<ffffffff80000000>] b+0x1/0x2\n";
    check(
        &format!(
            "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008\n{riscv}"
        ),
        "BUG: unable to handle kernel NULL pointer dereference in drv_go",
        "null-deref",
    );
    let ppc = "Faulting instruction address: 0xc000000000123456\nOops: Kernel access of bad area, sig: 11 [#1]\nNIP [c000000000123456] drv_go+0x1/0x2\nLR [c000000000123456] b+0x1/0x2\nCall Trace:\n[c000000001] [c000000000123456] drv_go+0x1/0x2 (unreliable)\n[c000000001] [c000000000123456] b+0x1/0x2\n";
    check(&format!("BUG: Kernel NULL pointer dereference on read at 0x00000008\n{ppc}"), null, "null-deref");
    check(
        &format!("BUG: Unable to handle kernel data access on write at 0xdead000000000108\n{ppc}"),
        paging,
        "page-fault",
    );
    check(
        &format!("Unable to handle kernel paging request for data at address 0xdead000000000108\n{ppc}"),
        paging,
        "page-fault",
    );
    let s390 = "Failing address: 6b6b6b6b6b6b6000 TEID: 6b6b6b6b6b6b6803\nOops: 0038 ilc:3 [#1] SMP\nKrnl PSW : 0704c00180000000 000003ff80123456 (drv_go+0x1/0x2 [drv])\nCall Trace:\n [<000003ff80123456>] drv_go+0x1/0x2 [drv]\n([<000003ff80123456>] a+0x1/0x2)\n [<000003ff80123456>] b+0x1/0x2\n";
    check(
        &format!("Unable to handle kernel pointer dereference in virtual kernel address space\n{s390}"),
        paging,
        "page-fault",
    );
    let mips = "Oops[#1]:\nCPU: 0 PID: 7 Comm: app Not tainted 6.1.0 #1\nepc   : 80123456 drv_go+0x1/0x2\nra    : 80123456 b+0x1/0x2\nCall Trace:\n[<80123456>] drv_go+0x1/0x2\n[<80123456>] b+0x1/0x2\n";
    check(
        &format!(
            "CPU 0 Unable to handle kernel paging request at virtual address 00000008, epc == 80123456, ra == 80123456\n{mips}"
        ),
        paging,
        "page-fault",
    );
    let loongarch = "Oops[#1]:\nCPU: 0 PID: 7 Comm: app Not tainted 6.1.0 #1\n   ra: 9000000000123456 b+0x1/0x2\n  ERA: 9000000000123456 drv_go+0x1/0x2\nCall Trace:\n[<9000000000123456>] drv_go+0x1/0x2\n[<9000000000123456>] b+0x1/0x2\n";
    check(
        &format!(
            "CPU 0 Unable to handle kernel paging request at virtual address 0000000000000008, era == 9000000000123456, ra == 9000000000123456\n{loongarch}"
        ),
        paging,
        "page-fault",
    );
    torn("BUG: unable to handle kernel \n", "BUG: unable to handle kernel", "page-fault");
    torn(
        "BUG: unable to handle kernel paging request at ffff880012345678\nIP: memcpy+0x1/0x2\nOops: 0000 [#1] SMP\n",
        "BUG: unable to handle kernel paging request in corrupted",
        "page-fault",
    );
    assert!(
        alternatives(&format!(
            "BUG: unable to handle page fault for address: ffff880012345678\nOops: 0000 [#1] SMP\n{x86}"
        ))
        .contains(&"bad-access in drv_go".to_owned())
    );
}

#[test]
fn exceptions() {
    let x86 = format!("{CPU}RIP: 0010:memcpy+0x1/0x2\n{}", trace("drv_go b"));
    for header in [
        "general protection fault: 0000 [#1] SMP",
        "general protection fault, probably for non-canonical address 0xdffffc0000000000: 0000 [#1] SMP KASAN",
        "Oops: general protection fault, probably for non-canonical address 0xdffffc0000000000: 0000 [#1] SMP",
    ] {
        check(&format!("{header}\n{x86}"), "general protection fault in drv_go", "gpf");
    }
    check(&format!("int3: 0000 [#1] SMP\n{x86}"), "int3 in drv_go", "int3");
    check(&format!("stack segment: 0000 [#1] SMP\n{x86}"), "stack segment fault in drv_go", "stack-segment");
    let own = format!("{CPU}RIP: 0010:drv_go+0x1/0x2\n{}", trace("a b"));
    check(&format!("divide error: 0000 [#1] SMP\n{own}"), "divide error in drv_go", "divide-error");
    check(&format!("Oops: divide error: 0000 [#1] SMP\n{own}"), "divide error in drv_go", "divide-error");
    check(&format!("divide_error: 0000 [#1] SMP\n{own}"), "divide error in drv_go", "divide-error");
    check(&format!("invalid opcode: 0000 [#1] SMP\n{own}"), "invalid opcode in drv_go", "invalid-opcode");
    check(&format!("simd exception: 0000 [#1] SMP\n{own}"), "simd exception in drv_go", "other");
    check(&format!("Oops: bounds: 0000 [#1] SMP\n{own}"), "bounds in drv_go", "other");
    check(
        &format!("PANIC: double fault, error_code: 0x0\n{own}"),
        "PANIC: double fault in drv_go",
        "double-fault",
    );
    check(
        &format!("traps: PANIC: double fault, error_code: 0x0\n{own}"),
        "PANIC: double fault in drv_go",
        "double-fault",
    );
    // Only the instruction's own function counts there.
    torn(&format!("divide error: 0000 [#1] SMP\n{x86}"), "divide error in corrupted", "divide-error");
    let arm = "PC is at drv_go+0x1/0x2\nLR is at b+0x1/0x2\nBacktrace: \n[<80010b1c>] (drv_go) from [<8000d5d4>] (b+0x10/0x14)\n[<8000d5d4>] (b) from [<8000d5d4>] (c+0x10/0x14)\n";
    check(
        &format!("Unhandled fault: page domain fault (0x01b) at 0x00000008\n{arm}"),
        "Unhandled fault in drv_go",
        "arm-fault",
    );
    check(
        &format!("Alignment trap: not handling instruction e1923f9f at [<80123456>]\n{arm}"),
        "Alignment trap in drv_go",
        "arm-fault",
    );
    check(
        &format!("Internal error: Oops - undefined instruction: 0 [#1] SMP ARM\n{arm}"),
        "Internal error in drv_go",
        "arm-fault",
    );
    let s390 = "Krnl PSW : 0704c00180000000 000003ff80123456 (drv_go+0x1/0x2 [drv])\nCall Trace:\n [<000003ff80123456>] drv_go+0x1/0x2 [drv]\n [<000003ff80123456>] b+0x1/0x2\n";
    check(
        &format!("specification exception: 0006 ilc:3 [#1] SMP\n{s390}"),
        "specification exception in drv_go",
        "other",
    );
    let mips =
        "epc   : 80123456 drv_go+0x1/0x2\nCall Trace:\n[<80123456>] drv_go+0x1/0x2\n[<80123456>] b+0x1/0x2\n";
    check(
        &format!("Unhandled kernel unaligned access[#1]:\n{mips}"),
        "Unhandled kernel unaligned access in drv_go",
        "other",
    );
    check(&format!("Kernel bug detected[#1]:\n{mips}"), "kernel BUG in drv_go", "kernel-bug");
    let ppc = "NIP [c000000000123456] drv_go+0x1/0x2\nCall Trace:\n[c000000001] [c000000000123456] drv_go+0x1/0x2\n[c000000001] [c000000000123456] b+0x1/0x2\n";
    check(&format!("Oops: Machine check, sig: 7 [#1]\n{ppc}"), "machine check in drv_go", "machine-check");
}

#[test]
fn bugs_and_memory_states() {
    let x86 = format!(
        "invalid opcode: 0000 [#1] SMP\n{CPU}RIP: 0010:skb_panic+0x1/0x2\n{}",
        trace("skb_put drv_xmit b")
    );
    check(
        &format!(
            "skbuff: skb_over_panic: text:ffffffff81000000 len:1\n------------[ cut here ]------------\nkernel BUG at net/core/skbuff.c:100!\n{x86}"
        ),
        "kernel BUG in drv_xmit",
        "kernel-bug",
    );
    let list = format!(
        "invalid opcode: 0000 [#1] SMP\n{CPU}RIP: 0010:__list_del_entry_valid+0x1/0x2\n{}",
        trace("__list_del_entry_valid list_del drv_remove")
    );
    check(
        &format!(
            "list_del corruption, ffff888012345678->next is LIST_POISON1\n------------[ cut here ]------------\nkernel BUG at lib/list_debug.c:56!\n{list}"
        ),
        "BUG: corrupted list in drv_remove",
        "list-corruption",
    );
    let usercopy = format!(
        "invalid opcode: 0000 [#1] SMP\n{CPU}RIP: 0010:usercopy_abort+0x1/0x2\n{}",
        trace("usercopy_abort __check_heap_object __check_object_size drv_ioctl")
    );
    check(
        &format!(
            "usercopy: Kernel memory exposure attempt detected from SLUB object 'x' (offset 0, size 9)!\nkernel BUG at mm/usercopy.c:102!\n{usercopy}"
        ),
        "BUG: bad usercopy in drv_ioctl",
        "usercopy",
    );
    let page = "page: refcount:0 mapcount:0 mapping:0000000000000000 index:0x0 pfn:0x7071f\npage dumped because: nonzero mapcount\npage last allocated via order 0, migratetype Unmovable, gfp_mask 0x2, pid 7, ts 1\n post_alloc_hook+0x1/0x2\n prep_new_page+0x1/0x2\n get_page_from_freelist+0x1/0x2\n __alloc_pages+0x1/0x2\n skb_page_frag_refill+0x1/0x2\npage last free stack trace:\n free_unref_page+0x1/0x2\n other+0x1/0x2\n";
    check(
        &format!("BUG: Bad page state in process app  pfn:7071f\n{page}{}", trace("dump_stack bad_page a")),
        "BUG: Bad page state in skb_page_frag_refill",
        "other",
    );
    torn(
        &format!("BUG: Bad page state in process app  pfn:7071f\n{}", trace("dump_stack bad_page a")),
        "BUG: Bad page state in corrupted",
        "other",
    );
    check(
        &format!(
            "BUG: Bad page map in process app  pte:ffff888012345678 pmd:12345067\n{}",
            trace("dump_stack print_bad_pte a")
        ),
        "BUG: Bad page map",
        "other",
    );
    check(
        "BUG: Bad rss-counter state mm:ffff888012345678 type:MM_ANONPAGES val:1\n",
        "BUG: Bad rss-counter state",
        "other",
    );
    check("BUG: non-zero nr_ptes on freeing mm: 1\n", "BUG: non-zero nr_ptes on freeing mm", "other");
    check(
        "BUG: non-zero pgtables_bytes on freeing mm: 4096\n",
        "BUG: non-zero pgtables_bytes on freeing mm: NUM",
        "other",
    );
    let dentry = format!(
        "BUG: Dentry ffff888012345678{{i=1,n=x}}  still in use (1) [unmount of ext4 loop0]\n{CPU}{}",
        trace("umount_check a b")
    );
    check(&dentry, "BUG: Dentry still in use in unmount", "vfs");
    assert_eq!(alternatives(&dentry), ["BUG: Dentry still in use [unmount of ext4 loop0]"]);
    torn(
        "BUG: Dentry ffff888012345678{i=1,n=x}  still in use (1) [unmount of ext4 loop0]\n",
        "BUG: Dentry still in use in unmount",
        "vfs",
    );
    check(
        &format!(
            "BUG kmalloc-64 (Tainted: G    B             ): Object already free\n{}",
            trace("kfree a b")
        ),
        "BUG: Object already free",
        "slab",
    );
    check(
        "BUG kmalloc-64 (Not tainted): Redzone overwritten\n",
        "BUG kmalloc-NUM (Not tainted): Redzone overwritten",
        "slab",
    );
    check(
        "BUG dentry (Not tainted): Poison overwritten\n",
        "BUG dentry (Not tainted): Poison overwritten",
        "slab",
    );
    torn(
        "INFO: Allocated in drv_probe+0x1/0x2 age=1 cpu=0 pid=7\n",
        "INFO: Allocated in drv_probe age=NUM cpu=NUM pid=NUM",
        "other",
    );
    torn(
        "INFO: Freed in drv_remove+0x1/0x2 age=1 cpu=0 pid=7\n",
        "INFO: Freed in drv_remove age=NUM cpu=NUM pid=NUM",
        "other",
    );
    check(
        "VFS: Busy inodes after unmount of loop0. Self-destruct in 5 seconds.  Have a nice day...\n",
        "VFS: Busy inodes after unmount (use-after-free)",
        "vfs",
    );
    check("VFS: Close: file count is 0\n", "VFS: Close: file count is zero (use-after-free)", "vfs");
    check(
        "unregister_netdevice: waiting for lo to become free. Usage count = 3\n",
        "unregister_netdevice: waiting for DEV to become free",
        "netdev-refcount",
    );
    let leak = "  comm \"app\", pid 7, jiffies 4294937490\n  hex dump (first 32 bytes):\n    00 01 02 03 04 05 06 07  ........\n  backtrace (crc 1a2b3c4d):\n    [<ffffffff81000000>] kmemleak_alloc+0x1/0x2\n    [<ffffffff81000000>] kmem_cache_alloc+0x1/0x2\n    [<ffffffff81000000>] skb_clone+0x1/0x2\n    [<ffffffff81000000>] b+0x1/0x2\n";
    check(
        &format!("BUG: memory leak\nunreferenced object 0xffff888012345678 (size 32):\n{leak}"),
        "memory leak in skb_clone",
        "leak",
    );
    check(
        &format!(
            "unreferenced object 0xffff888012345678 (size 32):\n{}",
            leak.replace(" (crc 1a2b3c4d)", "")
        ),
        "memory leak in skb_clone",
        "leak",
    );
}

#[test]
fn warnings() {
    let new = |place: &str, function: &str, stack: &str| {
        format!(
            "------------[ cut here ]------------\nWARNING: CPU: 0 PID: 7 at {place} {function}+0x1/0x2\nModules linked in:\n{CPU}RIP: 0010:{function}+0x1/0x2\n{}",
            trace(stack)
        )
    };
    let newest = |place: &str, function: &str, stack: &str| {
        format!(
            "------------[ cut here ]------------\nWARNING: {place} at {function}+0x1/0x2, CPU#0: app/7\nModules linked in:\n{CPU}RIP: 0010:{function}+0x1/0x2\n{}",
            trace(stack)
        )
    };
    let old = |place: &str, function: &str, stack: &str| {
        let frames = stack.split(' ').map(|f| format!(" {f}+0x1/0x2\n")).collect::<String>();
        format!(
            "WARNING: CPU: 0 PID: 7 at {place} {function}+0x1/0x2\nKernel panic - not syncing: panic_on_warn set ...\n\n{CPU}Call Trace:\n dump_stack+0x1/0x2\n panic+0x1/0x2\n __warn+0x1/0x2\n report_bug+0x1/0x2\n do_error_trap+0x1/0x2\n do_invalid_op+0x1/0x2\n invalid_op+0x1/0x2\nRIP: 0010:{function}+0x1/0x2\nRSP: 0018:ffff8881cb8ff6c0 EFLAGS: 00010086\n{frames}"
        )
    };
    let oldest = |place: &str, function: &str, stack: &str| {
        let frames =
            stack.split(' ').map(|f| format!(" [<ffffffff81000000>] {f}+0x1/0x2\n")).collect::<String>();
        format!(
            "WARNING: CPU: 0 PID: 7 at {place} {function}+0x1/0x2()\n{CPU}Call Trace:\n [<ffffffff81000000>] dump_stack+0x1/0x2\n [<ffffffff81000000>] warn_slowpath_common+0x1/0x2\n [<ffffffff81000000>] warn_slowpath_null+0x1/0x2\n [<ffffffff81000000>] {function}+0x1/0x2\n{frames}"
        )
    };
    type Form<'a> = &'a dyn Fn(&str, &str, &str) -> String;
    let forms: [Form<'_>; 4] = [&new, &newest, &old, &oldest];
    for form in forms {
        for (place, function, stack, title, kind) in [
            ("net/x/y.c:10", "drv_go", "a b", "WARNING in drv_go", "warning"),
            (
                "lib/refcount.c:28",
                "refcount_warn_saturate",
                "kobject_put drv_put a",
                "WARNING: refcount bug in drv_put",
                "refcount",
            ),
            (
                "lib/debugobjects.c:500",
                "debug_print_object",
                "debug_check_no_obj_freed kfree percpu_x drv_free",
                "WARNING: ODEBUG bug in drv_free",
                "warning",
            ),
            (
                "lib/kobject.c:200",
                "kobject_add_internal",
                "kobject_init_and_add drv_add",
                "WARNING: kobject bug in drv_add",
                "warning",
            ),
            (
                "fs/proc/generic.c:300",
                "proc_register",
                "proc_create_data drv_add",
                "WARNING: proc registration bug in drv_add",
                "warning",
            ),
            (
                "kernel/locking/lockdep.c:900",
                "__lock_acquire",
                "lock_acquire lock_sock_nested drv_lock",
                "WARNING: locking bug in drv_lock",
                "lockdep-other",
            ),
            (
                "mm/slab_common.c:900",
                "kmalloc_slab",
                "__kmalloc krealloc drv_alloc",
                "WARNING: kmalloc bug in drv_alloc",
                "warning",
            ),
            ("mm/util.c:600", "kvmalloc_node", "drv_alloc a", "WARNING: kmalloc bug in drv_alloc", "warning"),
            (
                "mm/page_alloc.c:900",
                "__alloc_pages",
                "alloc_pages kmalloc_order drv_alloc",
                "WARNING in drv_alloc",
                "warning",
            ),
            (
                "mm/vmalloc.c:900",
                "__vmalloc_node_range",
                "__vmalloc drv_alloc",
                "WARNING: zero-size vmalloc in drv_alloc",
                "warning",
            ),
            (
                "mm/usercopy.c:80",
                "usercopy_warn",
                "__check_object_size drv_read",
                "WARNING: bad usercopy in drv_read",
                "usercopy",
            ),
            (
                "drivers/usb/core/urb.c:500",
                "usb_submit_urb",
                "usb_start_wait_urb usb_bulk_msg drv_send",
                "WARNING in drv_send/usb_submit_urb",
                "warning",
            ),
            ("fs/inode.c:400", "drop_nlink", "fs_rmdir a", "WARNING in fs_rmdir", "warning"),
            ("lib/list_debug.c:29", "__list_add_valid", "drv_add a", "WARNING in drv_add", "warning"),
            (
                "kernel/locking/mutex.c:582",
                "__mutex_lock",
                "mutex_lock_nested drv_lock",
                "WARNING in drv_lock",
                "warning",
            ),
        ] {
            check(&form(place, function, stack), title, kind);
        }
    }
    check(
        &format!(
            "WARNING: [x > 1] net/x/y.c:10 at drv_go+0x1/0x2, CPU#0: app/7\n{CPU}RIP: 0010:drv_go+0x1/0x2\n{}",
            trace("a b")
        ),
        "WARNING in drv_go",
        "warning",
    );
    check(
        &format!("WARNING: net/x/y.c:10 at 0x0, CPU#0: app/7\n{CPU}RIP: 0010:0x0\n{}", trace("a b")),
        "WARNING in a",
        "warning",
    );
    check(
        "WARNING: kernel stack regs at ffff8881cb8ff6c0 in app:7 has bad 'bp' value ffff8881cb8ff6c0\n",
        "WARNING: kernel stack regs has bad 'bp' value",
        "warning",
    );
    check(
        "WARNING: kernel stack frame pointer at ffff8881cb8ff6c0 in app:7 has bad value ffff8881cb8ff6c0\n",
        "WARNING: kernel stack frame pointer has bad value",
        "warning",
    );
    check("WARNING: suspicious thing in foo 12\n", "WARNING: suspicious thing in foo NUM", "warning");
    torn("WARNING:\n", "WARNING: corrupted", "warning");
    torn("INFO:\n", "INFO: corrupted", "other");
    torn("BUG: \n", "BUG: corrupted", "other");
    torn(
        &format!("WARNING: CPU: 0 PID: 7 at net/x/y.c:10 drv_go+0x1/0x2\n{CPU}RIP: 0010:drv_go+0x1/0x2\n"),
        "WARNING in drv_go",
        "warning",
    );
}
