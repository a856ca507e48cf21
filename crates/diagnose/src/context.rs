//! The facts about one crash that every detector may look at: the record, and what follows
//! from it by decoding alone. Built once, in order, and never changed afterwards.

use crate::code::{self, Faulting};
use crate::damage::{self, Findings};
use crate::entry::{self, Entry};
use crate::fault::{self, FaultFacts};
use crate::followed::{self, Followed};
use crate::images::Images;
use crate::location::{self, Places};
use crate::modules::{self, Subject};
use kwhy_arch::{AddressContext, Cpu, KernelNote, Region, ValueClass};
use kwhy_base::{Arch, Reg};
use kwhy_oops::{CrashRecord, Damage, Family};

/// Everything known about one crash before anybody asks why.
pub struct Facts<'a> {
    /// What the log says.
    pub record: &'a CrashRecord,
    /// The whole log's crashes; this one is `log[index]`.
    pub log: &'a [CrashRecord],
    /// Which crash of the log this is.
    pub index: usize,
    /// The CPU's conventions, where its architecture is known and supported.
    pub cpu: Option<&'static Cpu>,
    /// What the log proves of the address space.
    pub space: AddressContext,
    /// How control got here, innermost context first.
    pub contexts: Vec<Entry>,
    /// The module being loaded, where one was.
    pub subject: Option<Subject>,
    /// Where it happened, and the call trace.
    pub places: Places,
    /// The faulting instruction.
    pub faulting: Option<Faulting>,
    /// The fault: address, region, access, syndrome.
    pub fault: FaultFacts,
    /// What the exception table says of the instruction.
    pub fixup: Option<crate::fixup::Said>,
    /// The value that was followed, used or called.
    pub followed: Option<Followed>,
    /// Every contradiction found, the log reader's and this crate's.
    pub damage: Vec<Damage>,
    /// What the comparison of fault address and registers came to.
    pub findings: Findings,
    /// The one bit in which the log's code differs from the image's, where it is but one.
    pub code_flip: Option<CodeFlip>,
}

/// A bit of the code that was not what it is in the image, outside the places that are patched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeFlip {
    /// The byte as printed.
    pub printed: u8,
    /// The image's.
    pub image: u8,
    /// How many bytes were the same.
    pub same: usize,
    /// 1-based line of the `Code:` line.
    pub line: u32,
}

impl<'a> Facts<'a> {
    /// Derives what follows from crash `index` of `log`; `None` past its end.
    pub fn new(log: &'a [CrashRecord], index: usize, images: &Images<'_, '_>) -> Option<Facts<'a>> {
        let record = log.get(index)?;
        let cpu = record.arch.and_then(kwhy_arch::cpu);
        let space = space(record, cpu);
        let contexts = entry::contexts(record);
        let subject = modules::subject(record, &contexts);
        let fault = fault::facts(record, &space);
        let places = location::places(record, images, &fault);
        let faulting = code::faulting(record, &places, images);
        let findings = damage::cross_check(record, &fault, faulting.as_ref(), &space);
        let followed = followed::followed(record, &fault, &places, faulting.as_ref(), &findings, &space);
        let fixup = crate::fixup::said(record, &places, &fault, images);
        let mut damage = record.damage.clone();
        damage.extend(findings.damage.iter().cloned());
        damage.sort_by_key(|d| d.line);
        Some(Facts {
            record,
            log,
            index,
            cpu,
            space,
            contexts,
            subject,
            places,
            faulting,
            fault,
            fixup,
            followed,
            damage,
            findings,
            code_flip: code_flip(record, images),
        })
    }

    /// The architecture, where the log shows it.
    pub fn arch(&self) -> Option<Arch> {
        self.record.arch
    }

    /// Whether the report is of this family.
    pub fn is(&self, family: Family) -> bool {
        self.record.family == Some(family)
    }

    /// Whether a memory access (page fault, protection fault) is what the report is about.
    pub fn is_access_fault(&self) -> bool {
        matches!(
            self.record.family,
            Some(Family::PageFault | Family::GeneralProtection | Family::DoubleFault)
        )
    }

    /// Whether `text` stands in the trigger line or a remark; with the line it stands on.
    pub fn says(&self, text: &str) -> Option<(u32, &'a str)> {
        let record = self.record;
        if record.header.contains(text) {
            return Some((record.first_line, &record.header));
        }
        record.remarks.iter().find(|remark| remark.value.contains(text)).map(|r| (r.line, r.value.as_str()))
    }

    /// The class of the followed value.
    pub fn class(&self) -> Option<&ValueClass> {
        self.followed.as_ref().map(|followed| &followed.class)
    }

    /// The region of the fault address.
    pub fn region(&self) -> Option<Region> {
        self.fault.class.as_ref().map(|class| class.region)
    }

    /// Whether the fault is a write through a pointer to the kernel's or a module's own image: to
    /// what may only be read.
    pub fn writes_to_image(&self, pointer: Option<u64>) -> bool {
        let (Some(arch), Some(pointer)) = (self.arch(), pointer) else { return false };
        let region = kwhy_arch::classify_address(arch, pointer, &self.space).region;
        self.fault.access == Some(kwhy_arch::Access::Write)
            && matches!(region, Region::KernelText | Region::KernelData | Region::Module)
    }

    /// The register's name.
    pub fn name(&self, register: Reg) -> String {
        self.cpu.and_then(|cpu| cpu.name(register)).unwrap_or("?").to_owned()
    }

    /// The function to speak of: the call site where the PC is garbage, else where the PC was.
    pub fn function(&self) -> Option<&str> {
        self.places.here().and_then(|place| place.at.symbol.as_deref())
    }

    /// `symbol+0xoff` of that place, for commands; `None` without a symbol.
    pub fn site(&self) -> Option<String> {
        let at = &self.places.here()?.at;
        let symbol = at.symbol.as_deref()?;
        Some(match at.offset {
            Some(offset) => format!("{symbol}+{offset:#x}"),
            None => symbol.to_owned(),
        })
    }

    /// Release for commands, a placeholder where the log does not say it.
    pub fn release(&self) -> &str {
        self.record.release.as_ref().map_or("$(uname -r)", |release| release.value.as_str())
    }

    /// The module's name at the crash site.
    pub fn site_module(&self) -> Option<&str> {
        self.places.here()?.at.module.as_deref()
    }
}

/// Fewer bytes alike do not show that the image is the crash's own.
const ENOUGH_CODE: usize = 24;

/// The bit that differs, where all else is the same.
fn code_flip(record: &CrashRecord, images: &Images<'_, '_>) -> Option<CodeFlip> {
    let module = record.pc.as_ref()?.value.module.as_deref().map(crate::images::normal);
    let (_, image) = images.used_for(module.as_deref())?;
    let compared = crate::images::compare_code(image, record, module.as_deref())?;
    let [(printed, of_image)] = compared.different.as_slice() else { return None };
    // One digit misread where a log was copied by hand looks the same; a log that is damaged
    // elsewhere is not believed in this.
    let one_bit = (printed ^ of_image).count_ones() == 1 && compared.unread.is_empty();
    (one_bit && compared.same >= ENOUGH_CODE && record.damage.is_empty()).then_some(CodeFlip {
        printed: *printed,
        image: *of_image,
        same: compared.same,
        line: compared.line,
    })
}

/// An address that the page tables were found not to map: a fault on a page that is not present
/// (x86: bit 0 of the error code, SDM volume 3, 4.7; ARM64: a translation fault, Arm ARM, ESR_ELx).
fn unmapped(record: &CrashRecord) -> Option<u64> {
    let address = record.fault_address.as_ref()?.value.value?;
    let code = record.oops_code.as_ref().and_then(|code| code.value.value);
    match record.arch? {
        Arch::X86_64 if record.family == Some(Family::PageFault) => (code? & 1 == 0).then_some(address),
        Arch::Arm64 => {
            let esr = record.esr.as_ref().and_then(|esr| esr.value.value).or(code)?;
            (esr >> 26 == 0x25 && esr & 0x3c == 0x04).then_some(address)
        }
        _ => None,
    }
}

/// What the log proves of the crashed machine's address space.
fn space(record: &CrashRecord, cpu: Option<&Cpu>) -> AddressContext {
    let known = |reg: Reg| record.registers.known(reg);
    let mut space = AddressContext {
        kernel_offset: record.kernel_offset.as_ref().map(|offset| offset.value),
        stack_pointer: cpu.and_then(|cpu| known(cpu.sp)),
        ..AddressContext::default()
    };
    let places = record
        .pc
        .iter()
        .map(|pc| &pc.value)
        .chain(record.lr.iter().map(|lr| &lr.value))
        .chain(record.frames.iter().map(|frame| &frame.at));
    for at in places {
        if let (Some(_), Some(address)) = (&at.symbol, at.address) {
            match &at.module {
                Some(module) => space.module_samples.push((module.clone(), address)),
                None => space.text_samples.push(address),
            }
        }
    }
    if let Some(cpu) = cpu {
        space.good_pointers.extend(known(cpu.sp));
        if cpu.arch == Arch::Arm64 {
            space.good_pointers.extend(known(cpu.fp));
        }
        if cpu.arch == Arch::X86_64 {
            // GS.base of a CPU in the kernel is its per-cpu area, which lies in the linear map.
            space
                .linear_samples
                .extend(cpu.register("gs.base").and_then(known).filter(|base| *base >> 47 != 0));
        }
    }
    for remark in record.remarks.iter().map(|r| r.value.as_str()) {
        if let Some((page, bits)) = kwhy_arch::parse_pgtable_line(remark) {
            space.page_size = Some(page);
            space.va_bits = Some(bits);
        }
    }
    space.noted = noted(record);
    space.phys_offset = record.phys_offset.as_ref().map(|offset| offset.value);
    space.unmapped = unmapped(record);
    // Pointers of the kernel half have at least seven ones on top, numbers below zero many more.
    if let Some(cpu) = cpu {
        let values = cpu.registers.iter().filter_map(|(_, register)| known(*register));
        space.seen = values.filter(|value| (7..48).contains(&value.leading_ones())).collect();
    }
    space
}

/// What the kernel itself said of the fault address.
fn noted(record: &CrashRecord) -> Option<(u64, KernelNote)> {
    let address = record.fault_address.as_ref()?.value.value?;
    let mut words = record
        .fault_address_note
        .iter()
        .map(|(_, text)| text.as_str())
        .chain(std::iter::once(record.header.as_str()))
        .chain(record.remarks.iter().map(|r| r.value.as_str()));
    words.find_map(|text| {
        let note = if text.contains("between user and kernel") {
            KernelNote::Gap
        } else if text.contains("non-canonical") {
            KernelNote::NonCanonical
        } else if text.contains("user address but active_mm") || text.contains("user pgtable") {
            KernelNote::User
        } else if text.contains("swapper pgtable") {
            KernelNote::Kernel
        } else {
            return None;
        };
        Some((address, note))
    })
}
