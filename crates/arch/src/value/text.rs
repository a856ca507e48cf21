//! Values that are characters: a string that was written over a pointer, or read as one.

/// Characters that a value consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// In memory order (little-endian), without the terminating zeros.
    pub characters: String,
    /// Whether there are enough of them that chance is unlikely.
    pub sure: bool,
}

impl Text {
    /// In double quotes, control characters escaped.
    #[must_use]
    pub fn quoted(&self) -> String {
        format!("{:?}", self.characters)
    }
}

/// `value` as text: at least four characters, nothing but printable ASCII, blanks and line ends, then
/// zeros to the end. All eight bytes, or six with the end of a string after them, are convincing; a
/// random 64-bit value is eight such characters once in 2000, so most of them must also be of the
/// kinds that texts consist of.
#[must_use]
pub fn ascii_text(value: u64) -> Option<Text> {
    let bytes = value.to_le_bytes();
    let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (text, rest) = bytes.split_at_checked(length)?;
    if length < 4 || rest.iter().any(|byte| *byte != 0) {
        return None;
    }
    if !text.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) {
        return None;
    }
    let usual =
        text.iter().filter(|byte| byte.is_ascii_alphanumeric() || b" _-./:=,\n\t".contains(byte)).count();
    // Short ones must be wholly usual.
    let enough = if length >= 6 { usual * 4 >= length * 3 } else { usual == length };
    enough
        .then(|| Text { characters: text.iter().map(|byte| char::from(*byte)).collect(), sure: length >= 7 })
}

#[cfg(test)]
mod tests {
    use super::ascii_text;

    fn text(value: u64) -> Option<String> {
        ascii_text(value).map(|text| text.characters)
    }

    #[test]
    fn in_memory_order() {
        assert_eq!(text(u64::from_le_bytes(*b"console=")).as_deref(), Some("console="));
        assert_eq!(text(u64::from_le_bytes(*b"eth0\0\0\0\0")).as_deref(), Some("eth0"));
        assert_eq!(
            ascii_text(u64::from_le_bytes(*b"a line\n\0")).map(|t| t.quoted()).as_deref(),
            Some("\"a line\\n\"")
        );
    }

    #[test]
    fn what_is_no_text() {
        for value in [
            0,
            0x41,
            0xffff_8000_0824_bb30,
            0x0000_7ffc_b23f_d978,
            u64::from_le_bytes(*b"ab\0\0cd\0\0"),
            u64::from_le_bytes(*b"{}~^|`<>"),
            0x0080_2020_2020_2020,
        ] {
            assert_eq!(text(value), None, "{value:#x}");
        }
    }
}
