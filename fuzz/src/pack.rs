//! An input that is a log and an image: a length (little endian, 4 bytes), the log, the image.

/// The log and the image. A length past the end means that all of it is log.
pub fn unpack(data: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, rest)) = data.split_first_chunk::<4>() else { return (data, &[]) };
    let length = u32::from_le_bytes(*length) as usize;
    rest.split_at_checked(length).unwrap_or((rest, &[]))
}

/// The reverse of [`unpack`]; what does not fit into `limit` is left out at the end.
pub fn pack(log: &[u8], image: &[u8], limit: usize) -> Vec<u8> {
    let mut out = u32::try_from(log.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
    out.extend_from_slice(log);
    out.extend_from_slice(image);
    out.truncate(limit);
    out
}

/// A relocatable ELF file with more sections and without its debug information, whose section
/// names are made unknown.
pub fn with_sections(elf: &[u8], added: &[(&str, &[u8])]) -> Vec<u8> {
    let word = |at: usize, width: usize| {
        let mut value = [0; 8];
        value.get_mut(..width)?.copy_from_slice(elf.get(at..at.checked_add(width)?)?);
        usize::try_from(u64::from_le_bytes(value)).ok()
    };
    let made = || {
        let (table, count, names) = (word(0x28, 8)?, word(0x3c, 2)?, word(0x3e, 2)?);
        let header = table.checked_add(names.checked_mul(64)?)?;
        let (at, size) = (word(header + 0x18, 8)?, word(header + 0x20, 8)?);
        let mut strings = elf.get(at..at.checked_add(size)?)?.to_vec();
        for place in 0..strings.len() {
            if strings
                .get(place..)
                .is_some_and(|rest| rest.starts_with(b".debug_") || rest.starts_with(b".BTF"))
            {
                strings[place + 1] = b'x';
            }
        }
        let mut headers = elf.get(table..table.checked_add(count.checked_mul(64)?)?)?.to_vec();
        let mut file = elf.to_vec();
        for (name, bytes) in added {
            let mut entry = vec![0u8; 64];
            entry[..4].copy_from_slice(&u32::try_from(strings.len()).ok()?.to_le_bytes());
            entry[4] = 1;
            entry[0x18..0x20].copy_from_slice(&(file.len() as u64).to_le_bytes());
            entry[0x20..0x28].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
            strings.extend_from_slice(name.as_bytes());
            strings.push(0);
            headers.extend(entry);
            file.extend_from_slice(bytes);
        }
        let own = names * 64;
        headers.get_mut(own + 0x18..own + 0x20)?.copy_from_slice(&(file.len() as u64).to_le_bytes());
        headers.get_mut(own + 0x20..own + 0x28)?.copy_from_slice(&(strings.len() as u64).to_le_bytes());
        file.extend(strings);
        let table = file.len() as u64;
        file.get_mut(0x28..0x30)?.copy_from_slice(&table.to_le_bytes());
        let count = u16::try_from(count + added.len()).ok()?;
        file.get_mut(0x3c..0x3e)?.copy_from_slice(&count.to_le_bytes());
        file.extend(headers);
        Some(file)
    };
    made().unwrap_or_default()
}
