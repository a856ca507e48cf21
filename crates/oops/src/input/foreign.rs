//! Files that are no logs, known by their first bytes.

/// A file that is something else than a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// An ELF object, program or library: an image perhaps.
    Elf,
    /// An ELF core or a compressed kdump: a memory dump. The name of the format.
    Vmcore(&'static str),
    /// A picture or a PDF. The name of the format.
    Picture(&'static str),
    /// A binary journal file of systemd.
    Journal,
    /// A packed archive that is not read. The name of the format.
    Archive(&'static str),
}

impl Foreign {
    /// What `bytes` are, where they are known to be no log.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Foreign> {
        const KNOWN: &[(&[u8], Foreign)] = &[
            (b"\x7fELF", Foreign::Elf),
            (b"KDUMP   ", Foreign::Vmcore("kdump")),
            (b"makedumpfile", Foreign::Vmcore("makedumpfile")),
            (b"\x89PNG", Foreign::Picture("PNG")),
            (b"\xff\xd8\xff", Foreign::Picture("JPEG")),
            (b"GIF8", Foreign::Picture("GIF")),
            (b"%PDF-", Foreign::Picture("PDF")),
            (b"LPKSHHRH", Foreign::Journal),
            (b"PK\x03\x04", Foreign::Archive("ZIP")),
            (b"7z\xbc\xaf\x27\x1c", Foreign::Archive("7z")),
            (b"Rar!\x1a\x07", Foreign::Archive("RAR")),
        ];
        let (_, foreign) = KNOWN.iter().find(|(magic, _)| bytes.starts_with(magic))?;
        // ET_CORE (4) in e_type at offset 16 makes an ELF file a memory dump; the byte order is
        // in EI_DATA at offset 5.
        let core: [u8; 2] = if bytes.get(5) == Some(&2) { [0, 4] } else { [4, 0] };
        match foreign {
            Foreign::Elf if bytes.get(16..18) == Some(&core) => Some(Foreign::Vmcore("ELF core")),
            other => Some(*other),
        }
    }

    /// The name of the format.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Foreign::Elf => "ELF",
            Foreign::Journal => "systemd journal",
            Foreign::Vmcore(name) | Foreign::Picture(name) | Foreign::Archive(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_log_is_known_by_its_first_bytes() {
        let elf = |data: u8, kind: [u8; 2]| {
            let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
            bytes[5] = data;
            bytes.extend(kind);
            Foreign::of(&bytes)
        };
        assert_eq!(elf(1, [2, 0]), Some(Foreign::Elf));
        assert_eq!(elf(1, [4, 0]), Some(Foreign::Vmcore("ELF core")));
        assert_eq!(elf(2, [0, 4]), Some(Foreign::Vmcore("ELF core")));
        assert_eq!(Foreign::of(b"PK\x03\x04").map(Foreign::name), Some("ZIP"));
        assert_eq!(Foreign::of(b"[    0.0] Linux"), None);
        assert_eq!(Foreign::of(b""), None);
    }
}
