//! Names of system registers and system instructions by their encoding (Arm ARM D24.1, C5.1;
//! `arch/arm64/tools/sysreg`): those that kernels use, other ones keep their generic name.

/// The five numbers that encode a system register or instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Encoding {
    pub op0: u8,
    pub op1: u8,
    pub crn: u8,
    pub crm: u8,
    pub op2: u8,
}

impl Encoding {
    /// The assembler's generic name, `S3_0_C1_C0_0`.
    pub(super) fn generic(self) -> String {
        format!("S{}_{}_C{}_C{}_{}", self.op0, self.op1, self.crn, self.crm, self.op2)
    }
}

/// The name of what `encoding` encodes.
pub(super) fn name_of(encoding: Encoding) -> Option<String> {
    let key = (encoding.op0, encoding.op1, encoding.crn, encoding.crm, encoding.op2);
    if let Ok(at) = TABLE.binary_search_by_key(&key, |(key, _)| *key) {
        return TABLE.get(at).map(|(_, name)| (*name).to_owned());
    }
    // The numbered families: debug registers and the performance monitors' counters.
    match encoding {
        Encoding { op0: 2, op1: 0, crn: 0, crm, op2 } if (4..=7).contains(&op2) => {
            let stem = ["DBGBVR", "DBGBCR", "DBGWVR", "DBGWCR"].get(usize::from(op2 - 4))?;
            Some(format!("{stem}{crm}_EL1"))
        }
        Encoding { op0: 3, op1: 3, crn: 14, crm, op2 } if (8..=11).contains(&crm) => {
            Some(format!("PMEVCNTR{}_EL0", (crm & 3) << 3 | op2))
        }
        Encoding { op0: 3, op1: 3, crn: 14, crm, op2 } if (12..=15).contains(&crm) => {
            Some(format!("PMEVTYPER{}_EL0", (crm & 3) << 3 | op2))
        }
        _ => None,
    }
}

/// op0, op1, CRn, CRm, op2.
type Key = (u8, u8, u8, u8, u8);

/// By encoding, ascending.
#[rustfmt::skip]
static TABLE: &[(Key, &str)] = &[
    ((1, 0, 7, 1, 0), "IC IALLUIS"),
    ((1, 0, 7, 5, 0), "IC IALLU"),
    ((1, 0, 7, 6, 1), "DC IVAC"),
    ((1, 0, 7, 6, 2), "DC ISW"),
    ((1, 0, 7, 8, 0), "AT S1E1R"),
    ((1, 0, 7, 8, 1), "AT S1E1W"),
    ((1, 0, 7, 8, 2), "AT S1E0R"),
    ((1, 0, 7, 8, 3), "AT S1E0W"),
    ((1, 0, 7, 10, 2), "DC CSW"),
    ((1, 0, 7, 14, 2), "DC CISW"),
    ((1, 0, 8, 3, 0), "TLBI VMALLE1IS"),
    ((1, 0, 8, 3, 1), "TLBI VAE1IS"),
    ((1, 0, 8, 3, 2), "TLBI ASIDE1IS"),
    ((1, 0, 8, 3, 3), "TLBI VAAE1IS"),
    ((1, 0, 8, 3, 5), "TLBI VALE1IS"),
    ((1, 0, 8, 3, 7), "TLBI VAALE1IS"),
    ((1, 0, 8, 7, 0), "TLBI VMALLE1"),
    ((1, 0, 8, 7, 1), "TLBI VAE1"),
    ((1, 0, 8, 7, 2), "TLBI ASIDE1"),
    ((1, 0, 8, 7, 3), "TLBI VAAE1"),
    ((1, 3, 7, 4, 1), "DC ZVA"),
    ((1, 3, 7, 4, 3), "DC GVA"),
    ((1, 3, 7, 4, 4), "DC GZVA"),
    ((1, 3, 7, 5, 1), "IC IVAU"),
    ((1, 3, 7, 10, 1), "DC CVAC"),
    ((1, 3, 7, 11, 1), "DC CVAU"),
    ((1, 3, 7, 12, 1), "DC CVAP"),
    ((1, 3, 7, 13, 1), "DC CVADP"),
    ((1, 3, 7, 14, 1), "DC CIVAC"),
    ((2, 0, 0, 2, 2), "MDSCR_EL1"),
    ((2, 0, 1, 0, 4), "OSLAR_EL1"),
    ((2, 0, 1, 1, 4), "OSLSR_EL1"),
    ((2, 0, 1, 3, 4), "OSDLR_EL1"),
    ((2, 3, 0, 1, 0), "MDCCSR_EL0"),
    ((2, 3, 0, 4, 0), "DBGDTR_EL0"),
    ((3, 0, 0, 0, 0), "MIDR_EL1"),
    ((3, 0, 0, 0, 5), "MPIDR_EL1"),
    ((3, 0, 0, 0, 6), "REVIDR_EL1"),
    ((3, 0, 0, 1, 0), "ID_PFR0_EL1"),
    ((3, 0, 0, 4, 0), "ID_AA64PFR0_EL1"),
    ((3, 0, 0, 4, 1), "ID_AA64PFR1_EL1"),
    ((3, 0, 0, 4, 4), "ID_AA64ZFR0_EL1"),
    ((3, 0, 0, 4, 5), "ID_AA64SMFR0_EL1"),
    ((3, 0, 0, 5, 0), "ID_AA64DFR0_EL1"),
    ((3, 0, 0, 5, 1), "ID_AA64DFR1_EL1"),
    ((3, 0, 0, 6, 0), "ID_AA64ISAR0_EL1"),
    ((3, 0, 0, 6, 1), "ID_AA64ISAR1_EL1"),
    ((3, 0, 0, 6, 2), "ID_AA64ISAR2_EL1"),
    ((3, 0, 0, 7, 0), "ID_AA64MMFR0_EL1"),
    ((3, 0, 0, 7, 1), "ID_AA64MMFR1_EL1"),
    ((3, 0, 0, 7, 2), "ID_AA64MMFR2_EL1"),
    ((3, 0, 1, 0, 0), "SCTLR_EL1"),
    ((3, 0, 1, 0, 1), "ACTLR_EL1"),
    ((3, 0, 1, 0, 2), "CPACR_EL1"),
    ((3, 0, 1, 0, 5), "RGSR_EL1"),
    ((3, 0, 1, 0, 6), "GCR_EL1"),
    ((3, 0, 1, 2, 0), "ZCR_EL1"),
    ((3, 0, 1, 2, 6), "SMCR_EL1"),
    ((3, 0, 2, 0, 0), "TTBR0_EL1"),
    ((3, 0, 2, 0, 1), "TTBR1_EL1"),
    ((3, 0, 2, 0, 2), "TCR_EL1"),
    ((3, 0, 2, 0, 3), "TCR2_EL1"),
    ((3, 0, 2, 1, 0), "APIAKeyLo_EL1"),
    ((3, 0, 2, 1, 1), "APIAKeyHi_EL1"),
    ((3, 0, 2, 1, 2), "APIBKeyLo_EL1"),
    ((3, 0, 2, 1, 3), "APIBKeyHi_EL1"),
    ((3, 0, 2, 2, 0), "APDAKeyLo_EL1"),
    ((3, 0, 2, 2, 1), "APDAKeyHi_EL1"),
    ((3, 0, 2, 2, 2), "APDBKeyLo_EL1"),
    ((3, 0, 2, 2, 3), "APDBKeyHi_EL1"),
    ((3, 0, 2, 3, 0), "APGAKeyLo_EL1"),
    ((3, 0, 2, 3, 1), "APGAKeyHi_EL1"),
    ((3, 0, 2, 5, 0), "GCSCR_EL1"),
    ((3, 0, 2, 5, 1), "GCSPR_EL1"),
    ((3, 0, 4, 0, 0), "SPSR_EL1"),
    ((3, 0, 4, 0, 1), "ELR_EL1"),
    ((3, 0, 4, 1, 0), "SP_EL0"),
    ((3, 0, 4, 2, 0), "SPSel"),
    ((3, 0, 4, 2, 2), "CurrentEL"),
    ((3, 0, 4, 2, 3), "PAN"),
    ((3, 0, 4, 2, 4), "UAO"),
    ((3, 0, 4, 6, 0), "ICC_PMR_EL1"),
    ((3, 0, 5, 1, 0), "AFSR0_EL1"),
    ((3, 0, 5, 1, 1), "AFSR1_EL1"),
    ((3, 0, 5, 2, 0), "ESR_EL1"),
    ((3, 0, 5, 3, 0), "ERRIDR_EL1"),
    ((3, 0, 5, 3, 1), "ERRSELR_EL1"),
    ((3, 0, 5, 4, 0), "ERXFR_EL1"),
    ((3, 0, 5, 4, 1), "ERXCTLR_EL1"),
    ((3, 0, 5, 4, 2), "ERXSTATUS_EL1"),
    ((3, 0, 5, 4, 3), "ERXADDR_EL1"),
    ((3, 0, 5, 6, 0), "TFSR_EL1"),
    ((3, 0, 5, 6, 1), "TFSRE0_EL1"),
    ((3, 0, 6, 0, 0), "FAR_EL1"),
    ((3, 0, 7, 4, 0), "PAR_EL1"),
    ((3, 0, 9, 9, 0), "PMSCR_EL1"),
    ((3, 0, 9, 10, 0), "PMBLIMITR_EL1"),
    ((3, 0, 9, 11, 0), "TRBLIMITR_EL1"),
    ((3, 0, 9, 14, 1), "PMINTENSET_EL1"),
    ((3, 0, 9, 14, 2), "PMINTENCLR_EL1"),
    ((3, 0, 10, 2, 0), "MAIR_EL1"),
    ((3, 0, 10, 2, 2), "PIRE0_EL1"),
    ((3, 0, 10, 2, 3), "PIR_EL1"),
    ((3, 0, 10, 2, 4), "POR_EL1"),
    ((3, 0, 10, 3, 0), "AMAIR_EL1"),
    ((3, 0, 12, 0, 0), "VBAR_EL1"),
    ((3, 0, 12, 1, 0), "ISR_EL1"),
    ((3, 0, 12, 1, 1), "DISR_EL1"),
    ((3, 0, 12, 8, 0), "ICC_IAR0_EL1"),
    ((3, 0, 12, 8, 1), "ICC_EOIR0_EL1"),
    ((3, 0, 12, 11, 1), "ICC_DIR_EL1"),
    ((3, 0, 12, 11, 3), "ICC_RPR_EL1"),
    ((3, 0, 12, 11, 5), "ICC_SGI1R_EL1"),
    ((3, 0, 12, 11, 6), "ICC_ASGI1R_EL1"),
    ((3, 0, 12, 11, 7), "ICC_SGI0R_EL1"),
    ((3, 0, 12, 12, 0), "ICC_IAR1_EL1"),
    ((3, 0, 12, 12, 1), "ICC_EOIR1_EL1"),
    ((3, 0, 12, 12, 3), "ICC_BPR1_EL1"),
    ((3, 0, 12, 12, 4), "ICC_CTLR_EL1"),
    ((3, 0, 12, 12, 5), "ICC_SRE_EL1"),
    ((3, 0, 12, 12, 7), "ICC_IGRPEN1_EL1"),
    ((3, 0, 13, 0, 1), "CONTEXTIDR_EL1"),
    ((3, 0, 13, 0, 4), "TPIDR_EL1"),
    ((3, 0, 14, 1, 0), "CNTKCTL_EL1"),
    ((3, 1, 0, 0, 0), "CCSIDR_EL1"),
    ((3, 1, 0, 0, 1), "CLIDR_EL1"),
    ((3, 1, 0, 0, 4), "GMID_EL1"),
    ((3, 2, 0, 0, 0), "CSSELR_EL1"),
    ((3, 3, 0, 0, 1), "CTR_EL0"),
    ((3, 3, 0, 0, 7), "DCZID_EL0"),
    ((3, 3, 2, 4, 0), "RNDR"),
    ((3, 3, 2, 4, 1), "RNDRRS"),
    ((3, 3, 2, 5, 1), "GCSPR_EL0"),
    ((3, 3, 4, 2, 0), "NZCV"),
    ((3, 3, 4, 2, 1), "DAIF"),
    ((3, 3, 4, 2, 2), "SVCR"),
    ((3, 3, 4, 2, 5), "DIT"),
    ((3, 3, 4, 2, 6), "SSBS"),
    ((3, 3, 4, 2, 7), "TCO"),
    ((3, 3, 4, 4, 0), "FPCR"),
    ((3, 3, 4, 4, 1), "FPSR"),
    ((3, 3, 9, 12, 0), "PMCR_EL0"),
    ((3, 3, 9, 12, 1), "PMCNTENSET_EL0"),
    ((3, 3, 9, 12, 2), "PMCNTENCLR_EL0"),
    ((3, 3, 9, 12, 3), "PMOVSCLR_EL0"),
    ((3, 3, 9, 12, 4), "PMSWINC_EL0"),
    ((3, 3, 9, 12, 5), "PMSELR_EL0"),
    ((3, 3, 9, 12, 6), "PMCEID0_EL0"),
    ((3, 3, 9, 12, 7), "PMCEID1_EL0"),
    ((3, 3, 9, 13, 0), "PMCCNTR_EL0"),
    ((3, 3, 9, 13, 1), "PMXEVTYPER_EL0"),
    ((3, 3, 9, 13, 2), "PMXEVCNTR_EL0"),
    ((3, 3, 9, 14, 0), "PMUSERENR_EL0"),
    ((3, 3, 9, 14, 3), "PMOVSSET_EL0"),
    ((3, 3, 10, 2, 4), "POR_EL0"),
    ((3, 3, 13, 0, 2), "TPIDR_EL0"),
    ((3, 3, 13, 0, 3), "TPIDRRO_EL0"),
    ((3, 3, 13, 0, 5), "TPIDR2_EL0"),
    ((3, 3, 14, 0, 0), "CNTFRQ_EL0"),
    ((3, 3, 14, 0, 1), "CNTPCT_EL0"),
    ((3, 3, 14, 0, 2), "CNTVCT_EL0"),
    ((3, 3, 14, 0, 5), "CNTPCTSS_EL0"),
    ((3, 3, 14, 0, 6), "CNTVCTSS_EL0"),
    ((3, 3, 14, 2, 0), "CNTP_TVAL_EL0"),
    ((3, 3, 14, 2, 1), "CNTP_CTL_EL0"),
    ((3, 3, 14, 2, 2), "CNTP_CVAL_EL0"),
    ((3, 3, 14, 3, 0), "CNTV_TVAL_EL0"),
    ((3, 3, 14, 3, 1), "CNTV_CTL_EL0"),
    ((3, 3, 14, 3, 2), "CNTV_CVAL_EL0"),
    ((3, 3, 14, 15, 7), "PMCCFILTR_EL0"),
    ((3, 4, 1, 0, 0), "SCTLR_EL2"),
    ((3, 4, 1, 1, 0), "HCR_EL2"),
    ((3, 4, 1, 1, 2), "CPTR_EL2"),
    ((3, 4, 2, 0, 0), "TTBR0_EL2"),
    ((3, 4, 2, 0, 2), "TCR_EL2"),
    ((3, 4, 2, 1, 0), "VTTBR_EL2"),
    ((3, 4, 2, 1, 2), "VTCR_EL2"),
    ((3, 4, 4, 0, 0), "SPSR_EL2"),
    ((3, 4, 4, 0, 1), "ELR_EL2"),
    ((3, 4, 5, 2, 0), "ESR_EL2"),
    ((3, 4, 6, 0, 0), "FAR_EL2"),
    ((3, 4, 6, 0, 4), "HPFAR_EL2"),
    ((3, 4, 12, 0, 0), "VBAR_EL2"),
    ((3, 4, 13, 0, 2), "TPIDR_EL2"),
    ((3, 4, 14, 1, 0), "CNTHCTL_EL2"),
];

#[cfg(test)]
mod tests {
    use super::{Encoding, TABLE, name_of};

    #[test]
    fn the_table_is_sorted_for_the_search() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn names_and_families() {
        let of = |op0, op1, crn, crm, op2| name_of(Encoding { op0, op1, crn, crm, op2 });
        assert_eq!(of(3, 0, 0, 4, 0).as_deref(), Some("ID_AA64PFR0_EL1"));
        assert_eq!(of(3, 3, 14, 0, 2).as_deref(), Some("CNTVCT_EL0"));
        assert_eq!(of(2, 0, 0, 3, 7).as_deref(), Some("DBGWCR3_EL1"));
        assert_eq!(of(3, 3, 14, 9, 2).as_deref(), Some("PMEVCNTR10_EL0"));
        assert_eq!(of(3, 3, 14, 15, 7).as_deref(), Some("PMCCFILTR_EL0"));
        assert_eq!(of(3, 7, 15, 15, 7), None);
    }
}
