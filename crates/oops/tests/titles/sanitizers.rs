//! Sanitizers.

use super::{CPU, alternatives, check, torn, trace};

#[test]
fn kasan() {
    let body = |header: &str, access: &str, stack: &str| {
        format!(
            "{header}\n{access} of size 8 at addr ffff888012345678 by task app/7\n\n{CPU}{}",
            trace(stack)
        )
    };
    for (sort, kind) in [
        ("use-after-free", "kasan-use-after-free"),
        ("slab-use-after-free", "kasan-use-after-free"),
        ("slab-out-of-bounds", "kasan-out-of-bounds"),
        ("stack-out-of-bounds", "kasan-out-of-bounds"),
        ("global-out-of-bounds", "kasan-out-of-bounds"),
        ("vmalloc-out-of-bounds", "kasan-out-of-bounds"),
        ("use-after-scope", "kasan-other"),
        ("null-ptr-deref", "kasan-null-deref"),
        ("wild-memory-access", "kasan-wild-access"),
        ("user-memory-access", "kasan-wild-access"),
        ("maybe wild-memory-access", "kasan-wild-access"),
    ] {
        for access in ["Read", "Write"] {
            let log = body(
                &format!("BUG: KASAN: {sort} in drv_go+0x1/0x2 [drv]"),
                access,
                "dump_stack_lvl kasan_report drv_go",
            );
            if sort.contains(' ') {
                torn(&log, &format!("KASAN: {sort} in drv_go [drv]"), kind);
            } else {
                check(&log, &format!("KASAN: {sort} {access} in drv_go"), kind);
            }
        }
    }
    // A helper in the header: the caller is meant.
    let log = body(
        "BUG: KASAN: slab-out-of-bounds in memcpy+0x1/0x2",
        "Write",
        "dump_stack_lvl kasan_report memcpy nla_put_x",
    );
    check(&log, "KASAN: slab-out-of-bounds Write in nla_put_x", "kasan-out-of-bounds");
    // arm64 with tags.
    let log = format!(
        "BUG: KASAN: invalid-access in strcpy+0x1/0x2\nWrite at addr f2ff000012345678 by task app/7\n\
         Pointer tag: [f2], memory tag: [fe]\n\n{CPU}Call trace:\n dump_backtrace+0x1/0x2\n kasan_report+0x1/0x2\n \
         do_tag_check_fault+0x1/0x2\n do_mem_abort+0x1/0x2\n el1_abort+0x1/0x2\n el1h_64_sync+0x1/0x2\n strcpy+0x1/0x2\n drv_name+0x1/0x2\n"
    );
    check(&log, "KASAN: invalid-access Write in drv_name", "kasan-invalid-access");
    for sort in ["double-free", "invalid-free", "double-free or invalid-free"] {
        let log = format!(
            "BUG: KASAN: {sort} in kfree+0x1/0x2\n{CPU}{}",
            trace("dump_stack_lvl kasan_report_invalid_free kfree drv_close")
        );
        check(&log, "KASAN: invalid-free in drv_close", "kasan-invalid-free");
        assert!(alternatives(&log).contains(&"invalid-free in drv_close".to_owned()));
    }
    let log = format!(
        "BUG: KASAN: use-after-free on address ffff880012345678\nRead of size 8 by task app/7\n{CPU}{}",
        trace("a b")
    );
    check(&log, "KASAN: use-after-free Read", "kasan-use-after-free");
    torn(
        "BUG: KASAN: use-after-free in drv_go+0x1/0x2 at addr ffff880012345678\n",
        "KASAN: use-after-free in drv_go at addr ADDR",
        "kasan-use-after-free",
    );
    torn(
        &body("BUG: KASAN: use-after-free in kfree_skb+0x1/0x2", "Read", "kasan_report memcpy"),
        "KASAN: use-after-free Read in corrupted",
        "kasan-use-after-free",
    );
}

#[test]
fn other_sanitizers() {
    let kmsan = |header: &str, stack: &str, origin: &str| {
        let frames = |stack: &str| stack.split(' ').map(|f| format!(" {f}+0x1/0x2\n")).collect::<String>();
        format!(
            "{header}\n{}\n{origin}\n{}\n{CPU}",
            frames(stack),
            frames("slab_alloc_node kmalloc maker_fn")
        )
    };
    let log = kmsan(
        "BUG: KMSAN: uninit-value in memcmp+0x1/0x2",
        "memcmp crypto_aes_set drv_parse",
        "Uninit was created at:",
    );
    check(&log, "KMSAN: uninit-value in drv_parse", "kmsan-uninit");
    let log = kmsan("BUG: KMSAN: uninit-value in go+0x1/0x2", "go", "Local variable x created at:");
    check(&log, "KMSAN: uninit-value in go", "kmsan-uninit");
    let log = kmsan(
        "BUG: KMSAN: kernel-infoleak in _copy_to_iter+0x1/0x2",
        "_copy_to_iter copy_page_to_iter drv_read_iter",
        "Uninit was created at:",
    );
    check(&log, "KMSAN: kernel-infoleak in drv_read_iter", "kmsan-infoleak");
    let log = kmsan(
        "BUG: KMSAN: kernel-usb-infoleak in usb_submit_urb+0x1/0x2",
        "usb_submit_urb usb_start_wait_urb usb_bulk_msg drv_send",
        "Uninit was created at:",
    );
    check(&log, "KMSAN: kernel-usb-infoleak in drv_send", "kmsan-infoleak");
    assert!(alternatives(&log).contains(&"KMSAN origin in maker_fn".to_owned()));
    torn(
        "BUG: KMSAN: uninit-value in go+0x1/0x2\n go+0x1/0x2\n b+0x1/0x2\n",
        "KMSAN: uninit-value in go",
        "kmsan-uninit",
    );

    check(
        "BUG: KCSAN: data-race in a_fn / b_fn\n\nwrite to 0xffff888012345678 of 8 bytes by task 7 on cpu 0:\n",
        "KCSAN: data-race in a_fn / b_fn",
        "kcsan-race",
    );
    check(
        "BUG: KCSAN: data-race in a_fn+0x1/0x2 / b_fn+0x3/0x4\n",
        "KCSAN: data-race in a_fn / b_fn",
        "kcsan-race",
    );
    check("BUG: KCSAN: assert: race in go+0x1/0x2\n", "KCSAN: assert: race in go", "kcsan-assert");

    let end = format!("\n{CPU}RIP: 0010:x+0x1/0x2\n{}", trace("drv_go a"));
    for (sort, kind) in [
        ("use-after-free read", "kfence-use-after-free"),
        ("out-of-bounds write", "kfence-out-of-bounds"),
        ("invalid read", "kfence-invalid-access"),
    ] {
        let log = format!(
            "BUG: KFENCE: {sort} in memcpy+0x1/0x2\n\nUse-after-free read at 0x00000000abcdef01 (in kfence-#1):\n memcpy+0x1/0x2\n drv_go+0x1/0x2\n{end}"
        );
        check(&log, &format!("KFENCE: {sort} in drv_go"), kind);
    }
    for (sort, kind) in [("invalid free", "kfence-invalid-free"), ("memory corruption", "kfence-corruption")]
    {
        let log = format!(
            "BUG: KFENCE: {sort} in kfree+0x1/0x2\n\nInvalid free of 0x00000000abcdef01 (in kfence-#1):\n kfree+0x1/0x2\n drv_go+0x1/0x2\n"
        );
        check(&log, &format!("KFENCE: {sort} in drv_go"), kind);
    }

    let stack = trace("dump_stack_lvl ubsan_epilogue __ubsan_handle_shift_out_of_bounds drv_calc");
    check(
        &format!(
            "UBSAN: shift-out-of-bounds in drivers/x/y.c:10:3\nshift exponent 64 is too large\n{CPU}{stack}"
        ),
        "UBSAN: shift-out-of-bounds in drv_calc",
        "ubsan",
    );
    check(
        &format!(
            "UBSAN: array-index-out-of-bounds in drivers/x/y.c:10:3\nindex 9 is out of range\n{CPU}{stack}"
        ),
        "UBSAN: array-index-out-of-bounds in drv_calc",
        "ubsan-bounds",
    );
    check(
        &format!("UBSAN: Undefined behaviour in drivers/x/y.c:10:3\nsigned integer overflow:\n{CPU}{stack}"),
        "UBSAN: undefined-behaviour in drv_calc",
        "ubsan",
    );
    torn("UBSAN: shift-out-\n", "UBSAN: shift-out-", "ubsan");
}
