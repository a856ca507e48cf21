//! The text of an instruction as `objdump -d` writes it.

use super::word;
use disarm64::{InsnDisplay, decoder};
use kwhy_base::ImageAddr;

/// Whether `word` is an instruction that binutils knows.
pub(super) fn is_instruction(word: u32) -> bool {
    decoder::decode(word).is_some()
}

pub(crate) fn text(bytes: &[u8], address: ImageAddr) -> String {
    let Some(word) = word(bytes) else { return String::new() };
    match decoder::decode(word) {
        Some(insn) => insn.display_at(address.0).to_string(),
        None => format!(".inst 0x{word:08x} ; undefined"),
    }
}
