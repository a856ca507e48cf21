//! Which kernel an image belongs to: build-id, banner, release.

use crate::elf::{Elf, consts, u32_at};
use kwhy_base::BuildId;

const NT_GNU_BUILD_ID: u32 = 3;
/// Far longer than any; the kernel's own limit on a banner is a few hundred bytes.
const MAX_ID: usize = 64;

/// The `NT_GNU_BUILD_ID` note of any note section (a vmlinux keeps all notes in `.notes`).
pub(crate) fn build_id(elf: &Elf<'_>) -> Option<BuildId> {
    elf.sections
        .iter()
        .filter(|section| section.kind == consts::SHT_NOTE || section.name == ".notes")
        .find_map(|section| in_notes(elf.raw(section)))
}

fn in_notes(mut notes: &[u8]) -> Option<BuildId> {
    loop {
        let name_len = u32_at(notes, 0)? as usize;
        let id_len = u32_at(notes, 4)? as usize;
        let kind = u32_at(notes, 8)?;
        let padded = |len: usize| len.checked_add(3).map(|len| len & !3);
        let id_start = 12usize.checked_add(padded(name_len)?)?;
        let name = notes.get(12..12usize.checked_add(name_len)?)?;
        let id = notes.get(id_start..id_start.checked_add(id_len)?)?;
        if kind == NT_GNU_BUILD_ID && name == b"GNU\0" && !id.is_empty() && id.len() <= MAX_ID {
            return Some(BuildId(id.to_vec()));
        }
        notes = notes.get(id_start.checked_add(padded(id_len)?)?..)?;
    }
}

/// The release in `Linux version RELEASE (…`.
pub(crate) fn release_of(banner: &str) -> Option<String> {
    banner.strip_prefix("Linux version ")?.split_whitespace().next().map(str::to_owned)
}
