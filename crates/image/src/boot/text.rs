//! Lists of symbols as text: `System.map` (scripts/mksysmap, by `nm -n`) and `/proc/kallsyms`
//! (`s_show()`, kernel/kallsyms.c). They name addresses; there is no code behind them.

use super::synth::{self, Entry, Part};
use crate::ImageError;
use crate::elf::consts;
use kwhy_base::Arch;

/// Lines that are looked at to tell whether a text is such a list.
const SAMPLE: usize = 4;
const MAX_SYMBOLS: usize = 4_000_000;

struct Line<'t> {
    address: u64,
    letter: u8,
    name: &'t str,
}

/// `ffffffff81000000 T _text`, with a module's name behind a tab in /proc/kallsyms.
fn line(text: &[u8]) -> Option<Line<'_>> {
    let text = std::str::from_utf8(text).ok()?;
    let (address, rest) = text.split_once(' ')?;
    let (letter, name) = rest.split_once(' ')?;
    let [letter] = letter.as_bytes() else { return None };
    let hex = (8..=16).contains(&address.len()) && letter.is_ascii_alphabetic();
    Some(Line { address: u64::from_str_radix(address, 16).ok().filter(|_| hex)?, letter: *letter, name })
}

fn lines(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == b'\n').map(|text| text.strip_suffix(b"\r").unwrap_or(text))
}

/// Whether the first lines are such a list's.
pub(super) fn is_list(data: &[u8]) -> bool {
    let head = data.get(..4096).unwrap_or(data);
    let mut some = false;
    for text in lines(head).take(SAMPLE).filter(|text| !text.is_empty()) {
        if line(text).is_none() {
            return false;
        }
        some = true;
    }
    some
}

/// The list as an ELF file without code.
pub(super) fn to_elf(data: &[u8]) -> Result<Vec<u8>, ImageError> {
    let all = lines(data).filter_map(line).take(MAX_SYMBOLS);
    // A module's symbols are not the kernel's.
    let mut modules = false;
    let own: Vec<Line<'_>> = all
        .filter(|line| {
            let of_module = line.name.contains([' ', '\t']);
            modules |= of_module;
            !of_module
        })
        .collect();
    if own.len() < 2 {
        return Err(ImageError::Unsupported(
            "a symbol list without symbols: a placeholder. Debian keeps the real System.map in the package \
             linux-image-RELEASE-dbg; the vmlinuz beside it has the kernel's own symbols in it"
                .into(),
        ));
    }
    if own.iter().all(|line| line.address == 0) {
        return Err(ImageError::Unsupported(
            "a symbol list whose addresses are all 0: /proc/kallsyms hides them (kptr_restrict) from whoever is not root. \
             Read it with sudo cat /proc/kallsyms, or give the vmlinuz, which has the symbols in it"
                .into(),
        ));
    }
    let Some(arch) = arch(&own) else {
        return Err(ImageError::Unsupported("a symbol list of a CPU that is not read, or the head of one: it names none of x86_64's, arm64's, riscv's or loongarch's entry points".into()));
    };
    let at = |name: &str| own.iter().find(|line| line.name == name).map(|line| line.address);
    let bounds = [
        (".text", "_stext", "_etext", consts::SHF_EXECINSTR),
        (".init.text", "_sinittext", "_einittext", consts::SHF_EXECINSTR),
        (".data..percpu", "__per_cpu_start", "__per_cpu_end", consts::SHF_WRITE),
        (".data", "_sdata", "_edata", consts::SHF_WRITE),
        (".bss", "__bss_start", "__bss_stop", consts::SHF_WRITE),
    ];
    let mut parts = Vec::new();
    for (name, start, end, flags) in bounds {
        if let (Some(start), Some(end)) = (at(start), at(end))
            && let Some(size) = end.checked_sub(start).filter(|size| (1..1 << 32).contains(size))
        {
            parts.push(Part { kind: consts::SHT_NOBITS, ..Part::loaded(name, flags, start, 0, size) });
        }
    }
    // The rest of the kernel, so that every symbol is of some section.
    let high = || own.iter().map(|line| line.address).filter(|address| *address >> 63 != 0);
    if let (Some(start), Some(end)) = (high().min(), high().max())
        && let Some(size) = end.checked_sub(start).filter(|size| *size < 1 << 32)
    {
        let rest = Part::loaded(".rodata", 0, start, 0, size.saturating_add(1));
        parts.push(Part { kind: consts::SHT_NOBITS, ..rest });
    }
    let entries: Vec<Entry<'_>> = own
        .iter()
        .map(|line| Entry { name: line.name, letter: line.letter, address: line.address })
        .collect();
    // /proc/kallsyms is in the kernel's own order, System.map in that of `nm -n`.
    let table = if modules { synth::KALLSYMS } else { ".symtab" };
    Ok(synth::finish(vec![0; 64], arch, &parts, &entries, table))
}

/// The CPU, by names that only its kernels have.
fn arch(own: &[Line<'_>]) -> Option<Arch> {
    const MARKS: [(&str, Arch); 7] = [
        ("entry_SYSCALL_64", Arch::X86_64),
        ("startup_64", Arch::X86_64),
        ("el1h_64_sync", Arch::Arm64),
        ("el1_sync", Arch::Arm64),
        ("__kvm_nvhe___kvm_hyp_init", Arch::Arm64),
        ("handle_fpe", Arch::Loongarch64),
        ("handle_exception", Arch::Riscv64),
    ];
    let mark = |(name, arch): &(&str, Arch)| own.iter().any(|line| line.name == *name).then_some(*arch);
    MARKS.iter().find_map(mark)
}
