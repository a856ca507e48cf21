//! The one-off decoders of `kwhy decode KIND VALUE`.

use crate::decoded::{Decoded, Field};
use crate::esr::decode_esr;
use crate::map::{AddressContext, Region, classify_address};
use crate::pstate::decode_pstate;
use crate::taint::{decode_taint_letters, decode_taint_mask};
use crate::value::{ValueKind, classify_value};
use crate::x86::{decode_eflags, decode_page_fault};
use kwhy_base::catalogue::arch as m;
use kwhy_base::{Arch, prose};

/// What to decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DecodeKind {
    /// ARM64 ESR_EL1.
    Esr,
    /// x86 page-fault error code.
    Pf,
    /// Taint mask or letters.
    Taint,
    /// ARM64 PSTATE.
    Pstate,
    /// x86 EFLAGS.
    Eflags,
    /// An address or any 64-bit value.
    Addr,
}

impl DecodeKind {
    /// Every kind, in the order of the help.
    pub const ALL: [DecodeKind; 6] = [
        DecodeKind::Esr,
        DecodeKind::Pf,
        DecodeKind::Taint,
        DecodeKind::Pstate,
        DecodeKind::Eflags,
        DecodeKind::Addr,
    ];

    /// The word of the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            DecodeKind::Esr => "esr",
            DecodeKind::Pf => "pf",
            DecodeKind::Taint => "taint",
            DecodeKind::Pstate => "pstate",
            DecodeKind::Eflags => "eflags",
            DecodeKind::Addr => "addr",
        }
    }

    /// The kind called `word`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<DecodeKind> {
        DecodeKind::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The only architecture the kind makes sense on.
    #[must_use]
    pub fn arch(self) -> Option<Arch> {
        match self {
            DecodeKind::Esr | DecodeKind::Pstate => Some(Arch::Arm64),
            DecodeKind::Pf | DecodeKind::Eflags => Some(Arch::X86_64),
            DecodeKind::Taint | DecodeKind::Addr => None,
        }
    }
}

/// Why a value could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// It is no number (nor, for taints, letters).
    NotANumber,
    /// The number has more than 64 bits.
    TooLarge,
    /// This kind is another architecture's.
    OtherArch(Arch),
}

/// Decodes `value` (hex with or without `0x`; taints in decimal, hex with `0x`, or letters) as `kind`.
/// An address without an architecture is judged on each that has an address map.
///
/// # Errors
/// Says why `value` is not one that can be decoded.
pub fn decode(kind: DecodeKind, value: &str, arch: Option<Arch>) -> Result<Vec<Decoded>, DecodeError> {
    if let (Some(only), Some(given)) = (kind.arch(), arch)
        && only != given
    {
        return Err(DecodeError::OtherArch(only));
    }
    let value = value.trim();
    Ok(match kind {
        DecodeKind::Esr => vec![decode_esr(hex_number(value)?)],
        DecodeKind::Pf => vec![decode_page_fault(hex_number(value)?)],
        DecodeKind::Pstate => vec![decode_pstate(hex_number(value)?)],
        DecodeKind::Eflags => vec![decode_eflags(hex_number(value)?)],
        DecodeKind::Taint => vec![taint(value)?],
        DecodeKind::Addr => {
            let number = hex_number(value)?;
            match arch {
                Some(arch) => vec![address(arch, number)],
                None => [Arch::Arm64, Arch::X86_64].into_iter().map(|arch| address(arch, number)).collect(),
            }
        }
    })
}

/// Hexadecimal, `0x` or not, at most 64 bits.
fn hex_number(text: &str) -> Result<u64, DecodeError> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(DecodeError::NotANumber);
    }
    u64::from_str_radix(digits, 16).map_err(|_| DecodeError::TooLarge)
}

/// A taint mask, as /proc/sys/kernel/tainted prints it (decimal) or in hex with `0x`; or letters.
fn taint(text: &str) -> Result<Decoded, DecodeError> {
    if text.is_empty() {
        return Err(DecodeError::NotANumber);
    }
    if text.starts_with("0x") || text.starts_with("0X") {
        return Ok(decode_taint_mask(hex_number(text)?));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map(decode_taint_mask).map_err(|_| DecodeError::TooLarge);
    }
    if !text.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, ' ' | ',' | '(' | ')' | '-' | '+')) {
        return Err(DecodeError::NotANumber);
    }
    Ok(decode_taint_letters(text))
}

/// An address's region, and what the value looks like otherwise.
fn address(arch: Arch, value: u64) -> Decoded {
    let context = AddressContext::default();
    let region = classify_address(arch, value, &context);
    let class = classify_value(arch, value, &context, &|_| None);
    let name = match arch {
        Arch::Arm64 => "address (arm64)",
        Arch::X86_64 => "address (x86_64)",
        _ => "address",
    };
    let meaning = prose!(m::DECODED_REGION, region = region.name.clone(), reason = region.reason.clone());
    let mut fields = vec![Field::new(region.word(), 63, 0, value, meaning)];
    // The class says more than the region where it is no mere pointer.
    let repeats = class.address.as_ref().is_some_and(|address| address.name == class.detail)
        || (class.kind == ValueKind::Integer && region.region == Region::NonCanonical);
    if !repeats && !matches!(class.kind, ValueKind::Null | ValueKind::ListPoison | ValueKind::SlabPoison) {
        fields.push(Field::new(class.word(), 63, 0, value, class.detail));
    }
    Decoded { name, value, fields }
}

#[cfg(test)]
mod tests {
    use super::{DecodeError, DecodeKind, decode};
    use kwhy_base::{Arch, Lang};

    #[test]
    fn numbers_with_and_without_a_prefix() {
        for text in ["0x96000004", "96000004", "0X96000004", " 0000000096000004 "] {
            let decoded = decode(DecodeKind::Esr, text, None);
            assert_eq!(decoded.map(|d| d[0].value), Ok(0x9600_0004));
        }
        assert_eq!(decode(DecodeKind::Esr, "xyz", None), Err(DecodeError::NotANumber));
        assert_eq!(decode(DecodeKind::Esr, "", None), Err(DecodeError::NotANumber));
        assert_eq!(decode(DecodeKind::Esr, "+1", None), Err(DecodeError::NotANumber));
        assert_eq!(decode(DecodeKind::Esr, "12345678901234567", None), Err(DecodeError::TooLarge));
        assert_eq!(decode(DecodeKind::Pf, "2", Some(Arch::Arm64)), Err(DecodeError::OtherArch(Arch::X86_64)));
    }

    #[test]
    fn taints_in_each_spelling() {
        let names = |text: &str| {
            decode(DecodeKind::Taint, text, None)
                .map(|d| d[0].fields.iter().map(|f| f.name).collect::<Vec<_>>())
        };
        assert_eq!(names("12288"), Ok(vec!["E", "O", "G"]));
        assert_eq!(names("0x3000"), Ok(vec!["E", "O", "G"]));
        assert_eq!(names("G OE"), Ok(vec!["E", "O", "G"]));
        assert_eq!(names("(OE)"), Ok(vec!["E", "O", "G"]));
        assert_eq!(names("PZ"), Ok(vec!["P", "?"]));
        assert_eq!(names("!"), Err(DecodeError::NotANumber));
    }

    #[test]
    fn addresses_on_one_or_on_each() {
        let both = decode(DecodeKind::Addr, "ffff800008a91044", None).unwrap();
        assert_eq!(both.iter().map(|d| d.name).collect::<Vec<_>>(), ["address (arm64)", "address (x86_64)"]);
        let poison = decode(DecodeKind::Addr, "dead000000000100", Some(Arch::X86_64)).unwrap();
        assert_eq!(poison[0].fields[0].name, "poison");
        assert!(poison[0].fields[0].meaning.render(Lang::En).contains("list_del"));
        let error = decode(DecodeKind::Addr, "fffffffffffffff4", Some(Arch::X86_64)).unwrap();
        assert!(error[0].fields[1].meaning.render(Lang::En).contains("ENOMEM"));
    }
}
