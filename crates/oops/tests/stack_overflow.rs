//! ARM64 says where the stack ran out before the panic that names the crash.

use kwhy_oops::parse;

const LOG: &str = "\
[    3.620083] Insufficient stack space to handle exception!
[    3.620414] ESR: 0x0000000096000047 -- DABT (current EL)
[    3.620532] FAR: 0xffff800008007fb0
[    3.620541] Task stack:     [0xffff800008008000..0xffff80000800c000]
[    3.620691] CPU: 0 PID: 1 Comm: init Tainted: G           OE      6.1.0 #1
[    3.620992] pstate: 80400005 (Nzcv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
[    3.621089] pc : walk_tree+0xc/0x100 [walker]
[    3.621737] lr : walk_tree+0xa0/0x100 [walker]
[    3.621757] sp : ffff800008008040
[    3.621771] x29: ffff800008008040 x28: ffff0000021f0000 x27: 0000000000000000
[    3.622662] Kernel panic - not syncing: kernel stack overflow
[    3.622729] CPU: 0 PID: 1 Comm: init Tainted: G           OE      6.1.0 #1
[    3.622799] Call trace:
[    3.622938]  dump_backtrace+0xe4/0x140
[    3.623355]  panic+0x184/0x364
[    3.623372]  panic_bad_stack+0xec/0x100
[    3.623400]  walk_tree+0xc/0x100 [walker]
";

#[test]
fn the_state_above_the_panic_is_the_crashs() {
    let log = parse(LOG.as_bytes());
    let [crash] = log.crashes.as_slice() else { panic!("{} crashes", log.crashes.len()) };
    assert_eq!(crash.first_line, 1);
    let pc = crash.pc.as_ref().map(|pc| (pc.value.symbol.clone(), pc.value.offset));
    assert_eq!(pc, Some((Some("walk_tree".to_owned()), Some(0xc))));
    assert_eq!(crash.fault_address.as_ref().and_then(|a| a.value.value), Some(0xffff_8000_0800_7fb0));
    assert_eq!(crash.esr.as_ref().and_then(|esr| esr.value.value), Some(0x9600_0047));
}
