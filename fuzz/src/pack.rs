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
