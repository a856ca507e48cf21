//! Where the sections of a module go.
//!
//! A module is a relocatable file: every section starts at 0. They are laid out here in the
//! order of the kernel's own loader (`layout_sections()` in kernel/module/main.c: code first,
//! then read-only data, then data; the `.init` sections after all others), because the
//! kernel prints `symbol+offset/size` with sizes that depend on it: the last function of the
//! code reaches to the end of the region, which is rounded up to whole pages
//! (`strict_align()`).

use crate::elf::{Elf, Section, consts};
use std::ops::Range;

/// The first address: far from 0, and low enough that the 32-bit relocations of x86-64 modules
/// hold every address of the layout and of the imports placed after it.
const BASE: u64 = 0x1000_0000;
/// Pages of 4 KiB: what x86-64 has and arm64 kernels of distributions mostly use. Only the
/// size of the last function in the region depends on it.
const PAGE: u64 = 4096;
/// `SHF_RO_AFTER_INIT` (include/linux/module.h): the loader sets it by the section's name.
const RO_AFTER_INIT: &str = ".data..ro_after_init";

/// The code regions of a module, page-aligned: `Symbol::size` ends at their ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    /// Code that stays.
    pub core_text: Range<u64>,
    /// Code that is freed after initialisation.
    pub init_text: Range<u64>,
}

fn is_init(name: &str) -> bool {
    name.starts_with(".init")
}

/// The loader's passes: which of the loaded sections go where.
fn group(section: &Section<'_>) -> u8 {
    if section.executable() {
        0
    } else if section.name == RO_AFTER_INIT || section.name == "__jump_table" {
        2
    } else if section.has(consts::SHF_WRITE) {
        3
    } else {
        1
    }
}

/// Gives every loaded section of a module an address.
pub(crate) fn lay_out(file: &mut Elf<'_>, problems: &mut Vec<String>) -> Layout {
    let mut layout = Layout::default();
    if !file.relocatable {
        return layout;
    }
    let mut next = BASE;
    for init in [false, true] {
        for wanted in 0..4u8 {
            let start = next;
            for section in &mut file.sections {
                if !section.loaded() || is_init(section.name) != init || group(section) != wanted {
                    continue;
                }
                // Absurd alignments and sizes are damage: they must not make addresses wrap.
                let align = if section.align.is_power_of_two() { section.align.min(1 << 21) } else { 1 };
                next = next.saturating_add(align - 1) & !(align - 1);
                section.address = next;
                if section.size > 1 << 32 {
                    problems.push(format!("section {}: absurd size {:#x}", section.name, section.size));
                    section.size = 0;
                }
                next = next.saturating_add(section.size);
            }
            next = next.saturating_add(PAGE - 1) & !(PAGE - 1);
            if wanted == 0 {
                *(if init { &mut layout.init_text } else { &mut layout.core_text }) = start..next;
            }
        }
    }
    layout
}
