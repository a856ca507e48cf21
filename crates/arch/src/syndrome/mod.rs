//! Fault syndromes of the CPUs besides x86-64 and ARM64: one CPU a file, all of the same shape.

mod arm;
mod loongarch;
mod mips;
mod ppc;
mod riscv;
mod s390;

pub use arm::{decode_fsr, fsr_access};
pub use loongarch::{decode_estat, estat_access};
pub use mips::{decode_mips_cause, mips_access};
pub use ppc::{decode_dsisr, decode_trap, dsisr_access, trap_access};
pub use riscv::{decode_scause, scause_access};
pub use s390::Ending;
pub use s390::{add_teid, decode_program_interruption, ending, s390_access, teid_access};

use crate::decoded::{bit, bits};
use crate::layout::says;
use kwhy_base::catalogue::arch_cpus as m;
use kwhy_base::prose::Message;
use kwhy_base::{Arch, Prose};

/// Whether the syndrome says that the page was mapped and forbade the access. What does not tell
/// this from an access to nothing (RISC-V's page faults) is no.
#[must_use]
pub fn forbidden(arch: Arch, value: u64) -> bool {
    match arch {
        Arch::Arm => arm::permission(value),
        // DSISR_PROTFAULT.
        Arch::Ppc64 | Arch::Ppc => bit(value, 27),
        // The protection exception; addresses below 512 are protected on their own account.
        Arch::S390x => value & 0x7f == 4,
        Arch::Mips => matches!(bits(value, 6, 2), 1 | 19 | 20),
        Arch::Loongarch64 => matches!(bits(value, 21, 16), 4..=7),
        _ => false,
    }
}

/// What `code` means by a table sorted by code.
fn named(table: &[(u64, &'static Message)], code: u64) -> Prose {
    let found = table.iter().find(|(n, _)| *n == code).map(|(_, message)| *message);
    says(found.unwrap_or(&m::UNKNOWN_CODE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::esr::Access;
    use crate::layout::{awkward_values, covers};
    use crate::{Decoded, Field};
    use kwhy_base::Lang;

    fn said(decoded: &Decoded, name: &str) -> String {
        decoded.field(name).map(|f: &Field| f.meaning.render(Lang::En)).unwrap_or_default()
    }

    #[test]
    fn faults_of_real_logs() {
        let arm = decode_fsr(0x1b);
        assert!(said(&arm, "FS").starts_with("domain fault"), "{arm:#?}");
        assert_eq!((fsr_access(0x1b), fsr_access(0x81b)), (Some(Access::Read), Some(Access::Write)));
        assert!(said(&decode_fsr(5), "FS").starts_with("translation fault, section"));
        assert_eq!(fsr_access(0x8000_0005), Some(Access::Execute));
        assert!(said(&decode_fsr(0x206), "STATUS").starts_with("translation fault"));

        assert!(said(&decode_scause(Arch::Riscv64, 0xd), "code").starts_with("load page fault"));
        assert_eq!(scause_access(Arch::Riscv64, 0xf), Some(Access::Write));
        assert_eq!(scause_access(Arch::Riscv64, 0x8000_0000_0000_0005), None);
        assert_eq!(scause_access(Arch::Riscv32, 0x8000_0005), None);

        assert!(said(&decode_mips_cause(0x1080_0008), "ExcCode").starts_with("TLBL"));
        let delayed = decode_mips_cause(0x9080_000c);
        assert!(said(&delayed, "ExcCode").starts_with("TLBS"));
        assert!(said(&delayed, "BD").contains("delay slot"));
        assert_eq!(mips_access(0x9080_000c), Some(Access::Write));
        assert_eq!(mips_access(0x1080_0008), None, "TLBL is a load or an instruction fetch");

        assert!(said(&decode_dsisr(0x4200_0000), "NOHPTE").contains("nothing is mapped"));
        assert_eq!(dsisr_access(0x4200_0000), Access::Write);
        assert_eq!(dsisr_access(0x4000_0000), Access::Read);
        assert!(said(&decode_trap(0x380), "TRAP").starts_with("data segment"));
        assert_eq!(trap_access(0x400), Some(Access::Execute));

        let mut s390 = decode_program_interruption(4);
        add_teid(&mut s390, 0xa1_8407);
        assert!(said(&s390, "code").starts_with("protection"));
        assert_eq!(said(&s390, "TEID.FSI"), "store");
        assert!(said(&s390, "TEID.AS").starts_with("home"));
        assert_eq!(teid_access(0x483), Some(Access::Write));
        assert_eq!(ending(9), Ending::After);
        assert_eq!(ending(0x11), Ending::At);

        assert!(forbidden(Arch::Ppc64, 0x0a00_0000) && !forbidden(Arch::Ppc64, 0x4200_0000));
        assert!(forbidden(Arch::Arm, 0x80d) && forbidden(Arch::Arm, 0xa0f) && !forbidden(Arch::Arm, 0x805));
        assert!(!forbidden(Arch::Riscv64, 15));
        let loong = decode_estat(0x1_0000);
        assert!(said(&loong, "Ecode").starts_with("PIL"));
        assert_eq!(estat_access(0x1_0000), Some(Access::Read));
        assert_eq!(estat_access(0x2_0000), Some(Access::Write));
    }

    #[test]
    fn nothing_panics_and_no_set_bit_is_lost() {
        for value in awkward_values() {
            for decoded in [
                decode_fsr(value),
                decode_scause(Arch::Riscv64, value),
                decode_scause(Arch::Riscv32, value),
                decode_mips_cause(value),
                decode_dsisr(value),
                decode_trap(value),
                decode_program_interruption(value),
                decode_estat(value),
            ] {
                assert!(covers(&decoded), "{} {value:#x} {decoded:#?}", decoded.name);
            }
            let mut both = decode_program_interruption(4);
            add_teid(&mut both, value);
        }
    }
}
