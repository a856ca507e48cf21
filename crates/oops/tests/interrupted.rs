//! What an interrupt came upon is not where a report of the interrupt's happened, and what a
//! wild call fetched from is not where a function is.

use kwhy_oops::CrashRecord;

fn first(text: &str) -> CrashRecord {
    kwhy_oops::parse(text.as_bytes()).crashes.into_iter().next().unwrap_or_default()
}

#[test]
fn the_idle_loop_below_an_interrupts_trace_is_not_the_place() {
    let crash = first(
        "\
[    2.369642] BUG: scheduling while atomic: swapper/0/0/0x00000102
[    2.369923] Modules linked in: poller(OE)
[    2.370298] CPU: 0 PID: 0 Comm: swapper/0 Tainted: G           OE      6.1.0 #1
[    2.370805] Call Trace:
[    2.371332]  <IRQ>
[    2.371475]  dump_stack_lvl+0x44/0x5c
[    2.371743]  __schedule_bug.cold+0x42/0x4e
[    2.371877]  __schedule+0x804/0xa00
[    2.371957]  schedule+0x5a/0xd0
[    2.372234]  usleep_range_state+0x60/0x90
[    2.372311]  poll_tick+0x2c/0x5e [poller]
[    2.377526]  call_timer_fn+0x27/0x130
[    2.377976]  sysvec_apic_timer_interrupt+0x6e/0x90
[    2.378170]  </IRQ>
[    2.378266]  <TASK>
[    2.378314]  asm_sysvec_apic_timer_interrupt+0x16/0x20
[    2.378546] RIP: 0010:native_safe_halt+0xb/0x10
[    2.378730] Code: 7f c3 cc cc cc cc 65 48 8b 04 25 80 fb 01 00 3e 80 48 02 20 48 8b 00 a8 08 75 c0 eb 07 0f 00 2d b7 0b 51 00 fb f4 <c3> cc cc cc cc
[    2.379070] RSP: 0018:ffffffff94203e98 EFLAGS: 00000246
[    2.379180] RAX: 000000000001ad40 RBX: 0000000000000000 RCX: 0000000000000000
[    2.379835]  default_idle+0xa/0x10
[    2.379906]  do_idle+0x206/0x2b0
[    2.380452]  </TASK>
",
    );
    assert!(crash.pc.is_none(), "{:?}", crash.pc);
    assert!(crash.registers.is_empty() && crash.code.is_none());
    let symbols: Vec<_> = crash.frames.iter().filter_map(|frame| frame.at.symbol.as_deref()).collect();
    assert!(symbols.starts_with(&["dump_stack_lvl", "__schedule_bug.cold", "__schedule"]), "{symbols:?}");
    assert!(symbols.contains(&"poll_tick") && symbols.contains(&"do_idle"), "{symbols:?}");
}

#[test]
fn an_address_named_after_the_symbol_before_it_is_no_damage() {
    let crash = first(
        "\
[    5.037434] Unable to handle kernel execute from non-executable memory at virtual address ffffa9fa0d08f488
[    5.043186] Mem abort info:
[    5.043303]   ESR = 0x000000008600000f
[    5.044903] Internal error: Oops: 000000008600000f [#1] SMP
[    5.045618] CPU: 0 PID: 16 Comm: kworker/0:1 Tainted: G           OE      6.1.0 #1
[    5.080441] pc : runner_exit+0x22a0/0xe18 [runner]
[    5.080664] lr : worker+0x5c/0x80 [runner]
[    5.080765] sp : ffff8000080cbd90
[    5.082522] Call trace:
[    5.098787]  runner_exit+0x22a0/0xe18 [runner]
[    5.099436]  process_one_work+0x1f4/0x460
[    5.100277] Code: 00000000 00000000 02c26900 ffff0000 (00000001)
[    5.100565] ---[ end trace 0000000000000000 ]---
",
    );
    assert!(crash.is_fetch_fault());
    let mut of_places = crash.damage.iter().filter(|d| d.field == "pc" || d.field == "frame offset");
    assert!(of_places.next().is_none(), "{:?}", crash.damage);
}
