//! The text of an instruction as `objdump -d` writes it.

use super::instruction;
use iced_x86::{Formatter, GasFormatter};
use kwhy_base::ImageAddr;

pub(crate) fn text(bytes: &[u8], address: ImageAddr) -> String {
    let Some(insn) = instruction(bytes, address) else { return "(bad)".to_owned() };
    let mut formatter = GasFormatter::new();
    let mut out = String::new();
    formatter.format(&insn, &mut out);
    out
}
