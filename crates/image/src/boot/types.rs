//! BTF by itself: `/sys/kernel/btf/vmlinux`, `/sys/kernel/btf/MODULE`, or what `bpftool btf dump
//! … format raw` and pahole's `--btf_encode_detached` leave. There is neither code nor a symbol in
//! it, and nothing of the release that it is of.

use super::synth::{self, Part};
use crate::ImageError;
use crate::btf::Btf;
use crate::elf::{consts, u32_at};
use kwhy_base::Arch;

/// `struct btf_header`: magic, version, flags, length of the header, and the four numbers that say
/// where types and strings are.
const HEADER: usize = 24;

/// Whether `data` begins as BTF does, in either byte order.
pub(super) fn is_btf(data: &[u8]) -> bool {
    matches!(data, [0x9f, 0xeb, 1, ..] | [0xeb, 0x9f, 1, ..])
}

/// The types as an ELF file that has nothing else.
pub(super) fn to_elf(data: &[u8]) -> Result<Vec<u8>, ImageError> {
    if data.starts_with(&[0xeb, 0x9f]) {
        return Err(ImageError::Unsupported(
            "BTF of a big-endian kernel; only 64-bit little-endian kernels are read".into(),
        ));
    }
    let field = |at: usize| u32_at(data, at).map(|word| word as usize);
    let parts = (|| {
        let header = field(4)?;
        let types = header.checked_add(field(8)?)?.checked_add(field(12)?)?;
        let strings = header.checked_add(field(16)?)?.checked_add(field(20)?)?;
        Some(types.max(strings))
    })();
    let Some(end) = parts.filter(|end| *end <= data.len()) else {
        return Err(ImageError::Damaged(format!(
            "the BTF is cut off: its header promises {} bytes, and the file has {}. Copy it again (with cat: \
             files of /sys say nothing of their size)",
            parts.map_or_else(|| "more than can be counted".to_owned(), |end| end.to_string()),
            data.len()
        )));
    };
    if Btf::parse(data, None).is_none_or(|btf| btf.is_empty()) {
        return Err(ImageError::Damaged("the BTF describes no types".into()));
    }
    let mut file = vec![0; 64];
    let offset = file.len() as u64;
    file.extend_from_slice(data.get(..end.max(HEADER)).unwrap_or(data));
    let part = Part {
        name: ".BTF".to_owned(),
        kind: consts::SHT_PROGBITS,
        flags: 0,
        address: 0,
        offset,
        size: (file.len() as u64).saturating_sub(offset),
    };
    Ok(synth::finish(file, arch(data), &[part], &[], ".symtab"))
}

/// The CPU, by a member's name that only its `struct pt_regs` has (arch/*/include/asm/ptrace.h).
/// Split BTF names what its kernel's does not; which CPU it is of does not matter then.
fn arch(data: &[u8]) -> Arch {
    const MARKS: [(&[u8], Arch); 4] = [
        (b"\0orig_ax\0", Arch::X86_64),
        (b"\0orig_x0\0", Arch::Arm64),
        (b"\0csr_crmd\0", Arch::Loongarch64),
        (b"\0orig_a0\0", Arch::Riscv64),
    ];
    let mark = |(name, arch): &(&[u8], Arch)| memchr::memmem::find(data, name).map(|_| *arch);
    MARKS.iter().find_map(mark).unwrap_or(Arch::X86_64)
}
