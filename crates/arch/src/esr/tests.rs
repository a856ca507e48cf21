use super::{Access, decode_esr, esr_access, exception_class, fault_address_valid, fault_status};
use crate::layout::{awkward_values, covers};
use kwhy_base::Lang;

fn meaning(esr: u64, field: &str) -> String {
    let decoded = decode_esr(esr);
    let Some(f) = decoded.field(field) else {
        panic!("{field} missing of {esr:#x}: {:?}", decoded.fields.iter().map(|f| f.name).collect::<Vec<_>>())
    };
    f.meaning.render(Lang::En)
}

#[test]
fn a_kernel_read_of_an_unmapped_address() {
    // `Oops: 96000004`, as real kernels print it for a read through a wild pointer.
    let esr = 0x9600_0004;
    assert_eq!(exception_class(esr), 0x25);
    assert_eq!(esr_access(esr), Some(Access::Read));
    assert!(meaning(esr, "EC").contains("Data abort from the current exception level"));
    assert!(meaning(esr, "IL").contains("32 bits"));
    assert!(meaning(esr, "DFSC").starts_with("Translation fault, level 0"));
    assert_eq!(meaning(esr, "WnR"), "Read");
    assert!(fault_address_valid(esr));
    let decoded = decode_esr(esr);
    assert_eq!(decoded.field("EC").map(|f| f.bits()).as_deref(), Some("31:26"));
    assert_eq!(decoded.field("Xs"), None);
    assert_eq!(decoded.field("IL").map(|f| f.bits()).as_deref(), Some("25"));
}

#[test]
fn a_write_to_read_only_memory() {
    // `Oops: 9600004f`.
    assert_eq!(esr_access(0x9600_004f), Some(Access::Write));
    assert!(meaning(0x9600_004f, "DFSC").starts_with("Permission fault, level 3"));
}

#[test]
fn a_jump_to_null() {
    // `Oops: 86000006`.
    assert_eq!(esr_access(0x8600_0006), Some(Access::Execute));
    assert!(meaning(0x8600_0006, "IFSC").starts_with("Translation fault, level 2"));
}

#[test]
fn cache_maintenance_has_no_direction() {
    assert_eq!(esr_access(0x9600_0147), None);
    assert!(meaning(0x9600_0147, "WnR").contains("cache maintenance"));
}

#[test]
fn brk_immediates() {
    assert!(meaning(0xf200_0800, "Comment").contains("BUG()"));
    assert!(meaning(0xf200_0932, "Comment").contains("write of 4 bytes"));
    assert!(meaning(0xf200_5512, "Comment").contains("out_of_bounds"));
    assert!(meaning(0xf200_8228, "Comment").contains("x8"));
    assert!(meaning(0xf200_8228, "Comment").contains("w17"));
    assert!(meaning(0xf200_0004, "Comment").contains("kprobes"));
    assert!(meaning(0xf200_0007, "Comment").contains("kretprobes"));
    assert!(meaning(0xf200_0001, "Comment").contains("compiler"));
    assert!(meaning(0xf200_1234, "Comment").contains("not an immediate"));
}

#[test]
fn trapped_system_registers_are_named() {
    // MRS x3, ID_AA64PFR0_EL1: op0 3, crm 4, read.
    let esr = 0x6200_0000 | 3 << 20 | 3 << 5 | 4 << 1 | 1;
    assert_eq!(meaning(esr, "Op0"), "ID_AA64PFR0_EL1");
    assert_eq!(meaning(esr, "Rt"), "x3");
    assert!(meaning(esr, "Direction").starts_with("Read"));
    assert!(meaning(0x6200_0000 | 3 << 20 | 7 << 14, "Op0").contains("S3_7_C0_C0_0"));
}

#[test]
fn serror_in_both_formats() {
    assert!(meaning(0xbe00_0011, "DFSC").contains("Asynchronous SError"));
    assert!(meaning(0xbe00_0c11, "AET").contains("UER"));
    assert!(meaning(0xbf00_0123, "IMPDEF").contains("mplementation-defined"));
}

#[test]
fn iss2_of_a_data_abort() {
    let esr = 0x9600_000f | 1 << 38 | 5 << 32;
    assert!(meaning(esr, "Overlay").contains("permission overlay"));
    assert!(meaning(esr, "Xs").contains("x5"));
}

#[test]
fn pac_and_bti() {
    assert_eq!(meaning(0x7200_0000, "DnI"), "An instruction key");
    assert_eq!(meaning(0x7200_0003, "BnA"), "Key B");
    assert!(meaning(0x3600_0002, "BTYPE").contains("BLR"));
}

#[test]
fn reserved_bits_and_classes_are_said_and_still_decoded() {
    let unallocated = 0x02u64 << 26 | 0x123;
    assert!(meaning(unallocated, "EC").contains("Unallocated"));
    assert!(meaning(unallocated, "ISS").contains("not defined"));
    assert!(meaning(0x9600_0004 | 1 << 60, "RES0").contains("should be zero"));
    assert!(meaning(0x9600_0004 | 1 << 60, "DFSC").starts_with("Translation fault"));
}

#[test]
fn every_class_and_status_code_decodes_in_both_languages() {
    let unallocated =
        [0x02, 0x0b, 0x0f, 0x10, 0x23, 0x29, 0x2a, 0x2b, 0x2e, 0x36, 0x37, 0x39, 0x3b, 0x3e, 0x3f];
    for ec in 0..=0x3fu64 {
        let said = meaning(ec << 26, "EC");
        assert_eq!(said.contains("Unallocated"), unallocated.contains(&ec), "{ec:#x}: {said}");
        for low in 0..=0x3f {
            for extra in [0, 0x01ff_ffc0, 0x0100_0000, 0x00ff_ffc0, 0x03ff_ffc0] {
                let decoded = decode_esr(ec << 26 | extra | low);
                assert!(covers(&decoded), "{:#x}", decoded.value);
                for f in &decoded.fields {
                    assert!(!f.meaning.render(Lang::En).is_empty());
                    assert!(!f.meaning.render(Lang::Zh).is_empty());
                }
            }
        }
    }
}

#[test]
fn levels_of_every_status_code() {
    let levels: Vec<(u8, i8)> = (0..=0x3f).filter_map(|c| fault_status(c).level.map(|l| (c, l))).collect();
    for (code, level) in levels {
        assert!((-2..=3).contains(&level));
        assert!(
            meaning(0x9600_0000 | u64::from(code), "DFSC").contains(&format!("level {level}")),
            "{code:#x}"
        );
    }
}

#[test]
fn nothing_panics_and_no_set_bit_is_lost() {
    for value in awkward_values() {
        assert!(covers(&decode_esr(value)), "{value:#x}");
    }
}
