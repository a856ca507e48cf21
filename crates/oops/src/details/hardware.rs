//! What the machine reports of itself: machine checks, memory controllers, firmware
//! (arch/x86/kernel/cpu/mce/core.c, drivers/edac/edac_mc.c, drivers/firmware/efi/cper.c).

use super::scan::{begins, keyed, scan};
use super::{View, details};
use crate::record::PrintedHex;
use crate::words::Words;

details! {
    /// A machine-check bank.
    MachineCheck = "machine_check" {
        /// The CPU.
        cpu: u32,
        /// The exception was taken, rather than the bank found while polling.
        exception: bool,
        /// `MCG_STATUS`.
        mcg_status: PrintedHex,
        /// The bank.
        bank: u32,
        /// `MCi_STATUS`.
        status: PrintedHex,
        /// `MCi_ADDR`.
        address: PrintedHex,
        /// `MCi_MISC`.
        misc: PrintedHex,
        /// `MCA_SYND`.
        syndrome: PrintedHex,
        /// Where the CPU was.
        instruction: String,
        /// Vendor and CPUID signature: `0:906ea`.
        processor: String,
        /// The socket.
        socket: u32,
        /// The microcode.
        microcode: PrintedHex,
        /// The kernel's judgement: `Processor context corrupt`…
        message: String,
        /// The error was corrected: bit 61 (UC) of the status is clear (SDM vol. 3, IA32_MCi_STATUS).
        corrected: bool,
    }
}

pub(super) fn machine_checks(view: &View<'_>) -> Vec<MachineCheck> {
    let mut all: Vec<MachineCheck> = Vec::new();
    // `Machine check: …` stands below all banks.
    for row in &view.rows {
        let Some((_, text)) = row.text.cut("[Hardware Error]: ") else { continue };
        if let Some([cpu, what, bank]) = begins(text, "CPU {}: Machine Check{} Bank {}") {
            let (bank, status) = bank.cut(": ").unwrap_or((bank, ""));
            let status = row.hex(status);
            let value = status.as_ref().and_then(|status| status.value.value);
            all.push(MachineCheck {
                cpu: row.number(cpu),
                exception: row.at(what.contains("Exception")),
                mcg_status: what.rsplit_once(' ').and_then(|(_, mcg)| row.hex(mcg)),
                bank: row.number(bank),
                corrected: value.and_then(|value| row.at(value >> 61 & 1 == 0)),
                status,
                ..MachineCheck::default()
            });
            continue;
        }
        let Some(last) = all.last_mut() else { continue };
        if text.starts_with("TSC ") {
            last.address = scan(text, "ADDR {}").and_then(|[v]: [&str; 1]| row.hex(v));
            last.misc = scan(text, "MISC {}").and_then(|[v]: [&str; 1]| row.hex(v));
            last.syndrome = scan(text, "SYND {}").and_then(|[v]: [&str; 1]| row.hex(v));
        } else if let Some([processor, rest]) = begins(text, "PROCESSOR {} TIME {}") {
            last.processor = row.words(processor);
            last.socket = scan(rest, "SOCKET {}").and_then(|[v]: [&str; 1]| row.number(v));
            last.microcode = scan(rest, "microcode {}").and_then(|[v]: [&str; 1]| row.hex(v));
        } else if text.starts_with("RIP") {
            last.instruction = row.words(text);
        } else if let Some([message]) = begins(text, "Machine check: {}") {
            last.message = row.words(message);
        }
    }
    all
}

details! {
    /// An error that a memory controller counted.
    Edac = "edac" {
        /// The controller: `MC0`.
        controller: String,
        /// How many errors.
        count: u64,
        /// Corrected (CE) or not (UE).
        corrected: bool,
        /// What, in the driver's words.
        message: String,
        /// The DIMM's label.
        dimm: String,
        /// Where on the controller: channel, slot, rank…
        location: String,
        /// The page.
        page: PrintedHex,
        /// The offset in it.
        offset: PrintedHex,
        /// The bytes that the address may be off by.
        grain: u64,
        /// The ECC syndrome.
        syndrome: PrintedHex,
    }
}

pub(super) fn edac(view: &View<'_>) -> Vec<Edac> {
    let errors = view.rows.iter().filter_map(|row| {
        let [controller, rest] = scan(row.text, "EDAC {}: {}")?;
        let mut words = rest.splitn(3, ' ');
        let count = row.number(words.next()?)?;
        let corrected = match words.next()? {
            "CE" => true,
            "UE" => false,
            _ => return None,
        };
        let (said, place) = words.next()?.cut_last(" (").unwrap_or_default();
        let (message, dimm) = said.cut(" on ").unwrap_or((said.trim_start_matches("on "), ""));
        Some(Edac {
            controller: row.words(controller),
            count: Some(count),
            corrected: row.at(corrected),
            message: row.words(message),
            dimm: row.words(dimm),
            location: row.words(place.split(" page:").next().unwrap_or_default()),
            page: keyed(place, "page:").and_then(|v| row.hex(v)),
            offset: keyed(place, "offset:").and_then(|v| row.hex(v)),
            grain: keyed(place, "grain:").and_then(|v| row.number(v)),
            syndrome: keyed(place, "syndrome:").and_then(|v| row.hex(v)),
        })
    });
    errors.collect()
}

details! {
    /// One section of a firmware error record.
    GhesSection = "ghes_section" {
        /// Its severity: `corrected`, `recoverable`, `fatal`, `info`.
        severity: String,
        /// `memory error`, `PCIe error`, `general processor error`…
        sort: String,
        /// The replaceable unit, in the firmware's words.
        unit: String,
        /// The kind of error: `2, single-bit ECC`.
        error: String,
        /// The physical address.
        physical_address: PrintedHex,
        /// Node, card, module, rank, bank, row, column; or the DIMM.
        location: String,
        /// The PCI device.
        device: String,
    }
}

details! {
    /// An error that firmware reports (ACPI APEI, GHES).
    Ghes = "ghes" {
        /// Number of the error source.
        source: u32,
        /// The event's severity.
        severity: String,
        /// The hardware corrected it.
        corrected: bool,
        ; parts
        /// Its sections.
        sections: Vec<GhesSection>,
    }
}

pub(super) fn ghes(view: &View<'_>) -> Option<Ghes> {
    let (head, [source]) = view.find("Hardware error from APEI Generic Hardware Error Source: {}")?;
    let mut ghes = Ghes { source: head.number(source), ..Ghes::default() };
    for row in view.below(&head) {
        let Some((_, text)) = row.text.cut("[Hardware Error]: ") else { continue };
        let text = text.trim_start();
        if let Some([severity]) = begins(text, "event severity: {}") {
            ghes.severity = row.words(severity);
        } else if text.starts_with("It has been corrected by h/w") {
            ghes.corrected = row.at(true);
        } else if let Some([_, severity]) = begins(text, "Error {}, type: {}") {
            ghes.sections.push(GhesSection { severity: row.words(severity), ..GhesSection::default() });
        } else if let Some(section) = ghes.sections.last_mut() {
            if let Some([sort]) = begins(text, "section_type: {}") {
                section.sort = row.words(sort);
            } else if let Some([unit]) = begins(text, "fru_text: {}") {
                section.unit = row.words(unit);
            } else if let Some([error]) = begins(text, "error_type: {}") {
                section.error = row.words(error);
            } else if let Some([address]) = begins(text, "physical_address: {}") {
                section.physical_address = row.hex(address);
            } else if text.starts_with("node:") || text.starts_with("DIMM location:") {
                section.location = section.location.take().or_else(|| row.words(text));
            } else if let Some([device]) = begins(text, "device_id: {}") {
                section.device = row.words(device);
            }
        }
    }
    Some(ghes)
}
