//! What the kernel's exception table says of the faulting instruction. With an entry, a fault there
//! is expected and the kernel goes on elsewhere: that it crashed all the same needs a reason, which
//! the log may prove. Without one, an access to user memory is no `copy_from_user()`.

use crate::fault::FaultFacts;
use crate::images::Images;
use crate::location::Places;
use kwhy_arch::Region;
use kwhy_base::catalogue::fixup as say;
use kwhy_base::{Arch, ImageAddr, Prose, prose};
use kwhy_image::{Fixup, FixupAt, FixupMeaning};
use kwhy_oops::{CrashRecord, Family};
use kwhy_report::model::{self, Hex};

/// What the table says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The instruction, in its image.
    pub instruction: ImageAddr,
    /// Its entry; `None` where the table has none.
    pub fixup: Option<Fixup>,
    /// The function that the entry goes on in.
    target: Option<String>,
    /// Why the entry did not help; only where there is one.
    pub why: Option<Why>,
    /// The access was one to the user half of the address space.
    pub user: bool,
}

/// Why the kernel crashed at an instruction whose faults it handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// x86: the address is a user's, and user access was not switched on (`stac`): the kernel
    /// checks that before it looks into the table (`do_user_addr_fault()`, arch/x86/mm/fault.c).
    Smap,
    /// x86: a reserved bit in a page table entry, which is never fixed up (`pgtable_bad()`).
    PageTable,
    /// The entry is for a word that runs over the end of a page only (`ex_handler_zeropad()`,
    /// arch/x86/mm/extable.c), and the access was another.
    NotTheNextPage,
    /// arm64: an external abort, a parity error or the like, which `do_sea()` and `do_bad()`
    /// (arch/arm64/mm/fault.c) report without looking into the table.
    NoTableAsked,
    /// The log does not tell.
    Unexplained,
}

/// Asks the table about the instruction at which the crash happened.
pub fn said(
    record: &CrashRecord,
    places: &Places,
    fault: &FaultFacts,
    images: &Images<'_, '_>,
) -> Option<Said> {
    let access = matches!(record.family, Some(Family::PageFault | Family::GeneralProtection));
    if !access || places.pc_is_garbage {
        return None;
    }
    let pc = places.pc.as_ref()?;
    let instruction = pc.address?;
    let image = images.image(pc.image?)?;
    let user = fault.class.as_ref().is_some_and(|class| class.region == Region::User);
    let fixup = match image.fixup_at(instruction) {
        FixupAt::Unknown => return None,
        FixupAt::None => None,
        FixupAt::Entry(fixup) => Some(fixup),
    };
    let why = fixup.as_ref().map(|fixup| why(record, fault, fixup.meaning));
    let target = fixup.as_ref().and_then(|fixup| image.symbol_at(fixup.target)).map(|symbol| symbol.name);
    Some(Said { instruction, fixup, target, why, user })
}

/// Whether user access is forbidden by CR4.SMAP (bit 21) and not switched on by EFLAGS.AC (bit 18):
/// SDM volume 3, 4.6.1.
fn smap(record: &CrashRecord) -> bool {
    let cr4 = record.control_registers.iter().find(|(name, _)| name == "CR4");
    let cr4 = cr4.and_then(|(_, printed)| printed.value.value);
    let flags = record.flags.as_ref().and_then(|(printed, _)| printed.value.value);
    cr4.is_some_and(|cr4| cr4 >> 21 & 1 == 1) && flags.is_some_and(|flags| flags >> 18 & 1 == 0)
}

fn why(record: &CrashRecord, fault: &FaultFacts, meaning: FixupMeaning) -> Why {
    let page_fault = record.family == Some(Family::PageFault);
    let code = record.oops_code.as_ref().and_then(|code| code.value.value);
    let lower = fault
        .class
        .as_ref()
        .is_some_and(|class| matches!(class.region, Region::Null | Region::NearNull | Region::User));
    match record.arch {
        Some(Arch::X86_64) => {
            if meaning == FixupMeaning::WordAtATime {
                // The word's second half must begin where the fault is: at the start of a page.
                let next = page_fault && fault.best.is_some_and(|address| address.is_multiple_of(4096));
                return if next { Why::Unexplained } else { Why::NotTheNextPage };
            }
            // Bit 3 of the error code: a reserved bit was set (SDM volume 3, 4.7).
            if page_fault && code.is_some_and(|code| code >> 3 & 1 == 1) {
                return Why::PageTable;
            }
            if page_fault && lower && smap(record) { Why::Smap } else { Why::Unexplained }
        }
        Some(Arch::Arm64) => {
            let esr = record.esr.as_ref().and_then(|esr| esr.value.value).or(code);
            // Translation (4-7), access flag (8-11), permission (12-15), tag check (17) and
            // alignment (33) faults ask the table (`fault_info[]`, arch/arm64/mm/fault.c).
            let asks = |status: u64| matches!(status, 4..=15 | 17 | 33);
            match esr {
                Some(esr) if esr >> 26 == 0x25 && !asks(esr & 0x3f) => Why::NoTableAsked,
                _ => Why::Unexplained,
            }
        }
        _ => Why::Unexplained,
    }
}

impl Said {
    /// An access to user memory that the kernel does not expect there.
    pub fn plain_user_access(&self) -> bool {
        self.user && self.fixup.is_none()
    }

    /// An access that is meant to go to user memory.
    pub fn meant_for_user(&self) -> bool {
        self.fixup.as_ref().is_some_and(|fixup| fixup.meaning == FixupMeaning::User)
    }

    /// It in sentences; none where it says nothing that matters.
    pub fn sentences(&self) -> Vec<Prose> {
        let at = format!("{:#x}", self.instruction.0);
        let Some(fixup) = &self.fixup else {
            return if self.user { vec![prose!(say::NONE_FOR_USER, at = at)] } else { Vec::new() };
        };
        let entry = format!("{:#x}", fixup.entry.0);
        let target = self.target.clone().unwrap_or_else(|| format!("{:#x}", fixup.target.0));
        let mut told = vec![match &fixup.kind {
            Some(kind) => prose!(say::ENTRY_TYPED, at = at, entry = entry, kind = kind, target = target),
            None => prose!(say::ENTRY, at = at, entry = entry, target = target),
        }];
        told.extend(match fixup.meaning {
            FixupMeaning::User => Some(prose!(say::MEANS_USER)),
            FixupMeaning::KernelNoFault => Some(prose!(say::MEANS_NO_FAULT)),
            FixupMeaning::WordAtATime => Some(prose!(say::MEANS_WORD)),
            FixupMeaning::Register => Some(prose!(say::MEANS_REGISTER)),
            FixupMeaning::Other => None,
        });
        told.extend(self.why.map(|why| match why {
            Why::Smap => prose!(say::WHY_SMAP),
            Why::PageTable => prose!(say::WHY_PAGE_TABLE),
            Why::NotTheNextPage => prose!(say::WHY_NOT_NEXT_PAGE),
            Why::NoTableAsked => prose!(say::WHY_NOT_ASKED),
            Why::Unexplained => prose!(say::WHY_UNEXPLAINED),
        }));
        told
    }

    /// It as the report has it; `None` where it says nothing that matters.
    pub fn to_model(&self) -> Option<model::Fixup> {
        let reasons = self.sentences();
        if reasons.is_empty() {
            return None;
        }
        let fixup = self.fixup.as_ref();
        Some(model::Fixup {
            covered: fixup.is_some(),
            instruction: Hex(self.instruction.0),
            entry: fixup.map(|fixup| Hex(fixup.entry.0)),
            target: fixup.map(|fixup| Hex(fixup.target.0)),
            kind: fixup.and_then(|fixup| fixup.kind.clone()),
            reasons: reasons.into_iter().map(Into::into).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_fault, with_code};
    use kwhy_arch::AddressContext;
    use kwhy_oops::{Located, PrintedHex};

    fn printed(value: u64) -> Located<PrintedHex> {
        Located { value: PrintedHex { digits: format!("{value:x}"), value: Some(value) }, line: 8 }
    }

    fn asked(record: &CrashRecord, meaning: FixupMeaning) -> Why {
        let fault = crate::fault::facts(record, &AddressContext::default());
        why(record, &fault, meaning)
    }

    #[test]
    fn smap_is_checked_before_the_table_and_only_where_it_is_on() {
        let mut record = with_code(access_fault(Arch::X86_64, 0x0000_7f12_3456_7000), "0001");
        assert_eq!(asked(&record, FixupMeaning::User), Why::Unexplained, "nothing tells of SMAP");
        record.control_registers = vec![("CR4".into(), printed(0x75_0eb0))];
        record.flags = Some((printed(0x206), String::new()));
        assert_eq!(asked(&record, FixupMeaning::User), Why::Smap);
        record.flags = Some((printed(0x4_0206), String::new()));
        assert_eq!(asked(&record, FixupMeaning::User), Why::Unexplained, "access was allowed");
        record.control_registers = vec![("CR4".into(), printed(0x6f0))];
        record.flags = Some((printed(0x206), String::new()));
        assert_eq!(asked(&record, FixupMeaning::User), Why::Unexplained, "no SMAP");
        let kernels = with_code(access_fault(Arch::X86_64, 0xffff_8880_0000_0010), "0000");
        assert_eq!(asked(&kernels, FixupMeaning::User), Why::Unexplained);
    }

    #[test]
    fn a_word_at_a_time_is_fixed_up_at_the_next_page_only() {
        let word = |address| asked(&access_fault(Arch::X86_64, address), FixupMeaning::WordAtATime);
        assert_eq!(word(0xffff_8880_0123_4567), Why::NotTheNextPage);
        assert_eq!(word(0xffff_8880_0123_5000), Why::Unexplained);
        let mut gpf = access_fault(Arch::X86_64, 0xdead_beef_0000_0000);
        gpf.family = Some(Family::GeneralProtection);
        assert_eq!(asked(&gpf, FixupMeaning::WordAtATime), Why::NotTheNextPage);
    }

    #[test]
    fn faults_that_never_ask_the_table() {
        let external = with_code(access_fault(Arch::Arm64, 0xffff_0000_0123_4567), "96000010");
        assert_eq!(asked(&external, FixupMeaning::User), Why::NoTableAsked);
        let translation = access_fault(Arch::Arm64, 0xffff_0000_0123_4567);
        assert_eq!(asked(&translation, FixupMeaning::User), Why::Unexplained);
        let reserved = with_code(access_fault(Arch::X86_64, 0xffff_8880_0123_4567), "0009");
        assert_eq!(asked(&reserved, FixupMeaning::User), Why::PageTable);
    }

    fn found(fixup: Option<Fixup>, user: bool) -> Said {
        let why = fixup.as_ref().map(|_| Why::Smap);
        Said { instruction: ImageAddr(0x1000), fixup, target: None, why, user }
    }

    #[test]
    fn what_says_nothing_is_not_told() {
        assert!(found(None, false).to_model().is_none());
        let none = found(None, true);
        assert!(none.plain_user_access() && none.to_model().is_some_and(|said| !said.covered));
        let fixup = Fixup {
            entry: ImageAddr(0x9000),
            instruction: ImageAddr(0x1000),
            target: ImageAddr(0x1100),
            kind: Some("EX_TYPE_UACCESS".into()),
            meaning: FixupMeaning::User,
        };
        let with = found(Some(fixup), true);
        assert!(!with.plain_user_access() && with.meant_for_user());
        assert_eq!(with.to_model().map(|said| said.reasons.len()), Some(3));
    }
}
