//! What the bad value itself says: its class, other readings of it, what it speaks for and what
//! it speaks against.

use crate::context::Facts;
use crate::images::Images;
use kwhy_arch::{Region, ValueClass, ValueKind};
use kwhy_base::catalogue::meaning as say;
use kwhy_base::{ImageAddr, Message, Prose, prose};
use kwhy_image::Image;
use kwhy_report::model::{self, Hex};

/// The report's part on the value.
pub fn of(facts: &Facts<'_>, images: &Images<'_, '_>, value: u64, class: &ValueClass) -> model::BadValue {
    let readings = readings(facts, images, value, class);
    let entry = facts.arch().is_some_and(|arch| kwhy_arch::page_table_entry(arch, value).is_some());
    let (mut implies, rules_out) = consequences(value, class.kind);
    if entry && class.kind == ValueKind::Integer {
        implies.push(&say::FOR_PTE);
    }
    let said = |messages: Vec<&'static Message>| {
        messages.into_iter().map(|message| kwhy_base::prose::filled(message, Vec::new()).into()).collect()
    };
    model::BadValue {
        value: Hex(value),
        class: class.word().to_owned(),
        detail: class.detail.clone().into(),
        readings: readings.into_iter().map(Into::into).collect(),
        implies: said(implies),
        rules_out: said(rules_out),
    }
}

/// Other readings: patterns, damaged pointers, the string or the symbol that the images have for it.
fn readings(facts: &Facts<'_>, images: &Images<'_, '_>, value: u64, class: &ValueClass) -> Vec<Prose> {
    let mut found = Vec::new();
    let Some(arch) = facts.arch() else { return found };
    match class.kind {
        ValueKind::AsciiText => found.extend(string_of(facts, images, value)),
        ValueKind::Integer | ValueKind::SmallInteger | ValueKind::UserPointer | ValueKind::TaggedPointer => {
            found.extend(kwhy_arch::readings(arch, value, &facts.space));
            let reshaped = kwhy_arch::reshaped(arch, value, &facts.space);
            found.extend(reshaped.into_iter().take(2).map(|shaped| {
                let pointer = format!("{:#x}", shaped.pointer);
                prose!(say::READ_RESHAPED, pointer = pointer, how = shaped.how)
            }));
        }
        ValueKind::KernelText | ValueKind::KernelPointer => {
            found.extend(symbol_of(facts, images, value));
            let region = class.address.as_ref().map(|address| address.region);
            if matches!(region, Some(Region::Module | Region::Vmalloc)) {
                let gone = facts.record.modules.iter().filter(|m| m.last_unloaded || m.state == Some('-'));
                found.extend(
                    gone.take(1).map(|m| prose!(say::READ_UNLOADED, module = &m.name, line = m.line)),
                );
            }
        }
        _ => {}
    }
    found
}

/// Fewer characters stand in too many strings.
const LEAST_TEXT: usize = 6;
/// The longest string that is quoted.
const LONGEST: u64 = 96;

/// The string of an image that the characters are part of, the modules' first.
fn string_of(facts: &Facts<'_>, images: &Images<'_, '_>, value: u64) -> Option<Prose> {
    let text = kwhy_arch::ascii_text(value)?.characters;
    if text.len() < LEAST_TEXT {
        return None;
    }
    let named = facts.record.modules.iter().map(|module| Some(module.name.as_str()));
    named.chain(std::iter::once(None)).find_map(|module| {
        let (_, image) = images.used_for(module)?;
        // A text that stands in many strings tells nothing; one match is shown, and more would be a choice.
        let places = image.find_data(text.as_bytes(), 2);
        let [only] = places.as_slice() else { return None };
        let whole = whole_string(image, *only)?;
        let image = match module {
            Some(module) => prose!(say::IMAGE_MODULE, module = module),
            None => prose!(say::IMAGE_KERNEL),
        };
        Some(prose!(say::READ_STRING, text = format!("{whole:?}"), image = image))
    })
}

/// The string around `at`.
fn whole_string(image: &Image<'_>, at: ImageAddr) -> Option<String> {
    let start = (0..LONGEST)
        .map(|back| ImageAddr(at.0.saturating_sub(back)))
        .take_while(|place| {
            let byte = image.bytes(*place, 1).and_then(|bytes| bytes.first().copied());
            byte.is_some_and(|byte| (0x20..0x7f).contains(&byte) || matches!(byte, b'\n' | b'\t' | 1))
        })
        .last()?;
    let whole = image.string_at(start, 2 * LONGEST as usize)?;
    // KERN_SOH and the level in front of a format are not the text's.
    Some(whole.trim_start_matches('\u{1}').to_owned())
}

/// The kernel's symbol at the address, where the log says how far the image was moved.
fn symbol_of(facts: &Facts<'_>, images: &Images<'_, '_>, value: u64) -> Option<Prose> {
    let offset = facts.record.kernel_offset.as_ref()?.value;
    let (_, image) = images.used_for(None)?;
    let at = ImageAddr(value.checked_sub(offset)?);
    image.section_at(at)?;
    let symbol = image.symbol_at(at)?;
    let distance = at.0.checked_sub(symbol.address.0)?;
    let reach = symbol.size.max(symbol.elf_size);
    (distance < reach.max(1))
        .then(|| prose!(say::READ_SYMBOL, symbol = format!("{}+{distance:#x}", symbol.name)))
}

type Consequences = (Vec<&'static Message>, Vec<&'static Message>);

/// What values of this kind speak for and against.
fn consequences(value: u64, kind: ValueKind) -> Consequences {
    match kind {
        ValueKind::Null => (vec![&say::FOR_NULL], vec![&say::NOT_OVERWRITTEN, &say::NOT_POISON]),
        ValueKind::SmallInteger => (vec![&say::FOR_SMALL], vec![&say::NOT_FLIP, &say::NOT_POISON]),
        ValueKind::ErrorPointer => (vec![&say::FOR_ERROR], vec![&say::NOT_CORRUPTION, &say::NOT_POISON]),
        ValueKind::ListPoison => (vec![&say::FOR_LIST_POISON], vec![&say::NOT_UNINITIALISED, &say::NOT_FLIP]),
        ValueKind::SlabPoison => match fill(value) {
            Some(0x6b) => (vec![&say::FOR_FREED], vec![&say::NOT_LIVE, &say::NOT_FLIP]),
            Some(0x5a) => (vec![&say::FOR_UNWRITTEN], vec![&say::NOT_FREED_POISON, &say::NOT_FLIP]),
            _ => (vec![&say::FOR_FILL], vec![&say::NOT_FLIP]),
        },
        ValueKind::MachineCode => {
            (vec![&say::FOR_CODE], vec![&say::NOT_POINTER, &say::NOT_POISON, &say::NOT_FLIP])
        }
        ValueKind::AsciiText => {
            (vec![&say::FOR_TEXT], vec![&say::NOT_POINTER, &say::NOT_POISON, &say::NOT_FLIP])
        }
        ValueKind::UserPointer => (vec![&say::FOR_USER], vec![&say::NOT_POISON]),
        ValueKind::KernelPointer => (vec![&say::FOR_STALE], vec![&say::NOT_FOREIGN, &say::NOT_POISON]),
        ValueKind::KernelText => (vec![&say::FOR_CODE_POINTER], vec![&say::NOT_FOREIGN, &say::NOT_POISON]),
        ValueKind::BitFlip => (vec![&say::FOR_FLIP], vec![&say::NOT_FOREIGN, &say::NOT_POISON]),
        ValueKind::TaggedPointer => (vec![&say::FOR_TAG], vec![&say::NOT_POISON]),
        ValueKind::Integer => (vec![&say::FOR_FOREIGN], vec![&say::NOT_POISON]),
    }
}

/// The byte that the value is a fill of, a member's offset added or not.
fn fill(value: u64) -> Option<u8> {
    let bytes = value.to_le_bytes();
    // The upper half keeps the fill whatever offset was added; the top byte may be POISON_END or lost.
    match bytes {
        [_, _, _, _, a, b, c, _] if a == b && b == c => Some(a),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_are_told_apart() {
        assert_eq!(fill(0x6b6b_6b6b_6b6b_6b83), Some(0x6b));
        assert_eq!(fill(0x5a5a_5a5a_5a5a_5a5a), Some(0x5a));
        assert_eq!(fill(0x006b_6b6b_6b6b_6b7b), Some(0x6b));
        assert_eq!(fill(0xffff_8880_0454_5de8), None);
        let keys = |value, kind| consequences(value, kind).0.iter().map(|m| m.key).collect::<Vec<_>>();
        assert_eq!(keys(0x6b6b_6b6b_6b6b_6b6b, ValueKind::SlabPoison), ["FOR_FREED"]);
        assert_eq!(keys(0x5a5a_5a5a_5a5a_5a5a, ValueKind::SlabPoison), ["FOR_UNWRITTEN"]);
    }

    #[test]
    fn every_kind_speaks_for_something_and_never_for_and_against_the_same() {
        for kind in [
            ValueKind::Null,
            ValueKind::SmallInteger,
            ValueKind::ErrorPointer,
            ValueKind::ListPoison,
            ValueKind::SlabPoison,
            ValueKind::MachineCode,
            ValueKind::AsciiText,
            ValueKind::UserPointer,
            ValueKind::KernelPointer,
            ValueKind::KernelText,
            ValueKind::BitFlip,
            ValueKind::TaggedPointer,
            ValueKind::Integer,
        ] {
            let (speaks_for, against) = consequences(0xbbbb_bbbb_bbbb_bbbb, kind);
            assert!(!speaks_for.is_empty() && !against.is_empty(), "{kind:?}");
            let flip = against.iter().any(|message| message.key == "NOT_FLIP");
            assert!(!(flip && speaks_for.iter().any(|message| message.key == "FOR_FLIP")));
        }
    }
}
