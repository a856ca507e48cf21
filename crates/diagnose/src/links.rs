//! What the code says of the call trace: which entries can be return addresses at all, and which
//! of those that the unwinder did not vouch for (`?`) really called what stands above them.
//!
//! An entry that was merely found on the stack is believed where a chain of direct calls leads
//! through it from the vouched entry below to the one above; where the entry below calls the one
//! above by itself, there is no room for it.

use crate::callers::same_function;
use crate::images::Images;
use crate::location::{Place, Places};
use kwhy_base::{Arch, ImageAddr};
use kwhy_flow::insn::{Flow, decode};
use kwhy_image::Image;

/// What the code says of an entry that was found on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It lies on a chain of calls: a real return address.
    Called,
    /// The entries around it call each other without it: left over from earlier.
    LeftOver,
    /// No call stands before it: no return address.
    NoCall,
}

impl Link {
    /// The report's word.
    pub fn word(self) -> &'static str {
        match self {
            Link::Called => "called",
            Link::LeftOver => "left-over",
            Link::NoCall => "no-call",
        }
    }
}

/// The instruction before a return address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Before {
    /// A call of this function.
    Calls(String),
    /// A call of something that only running it tells.
    Indirect,
    /// No call.
    Other,
    /// The code is not at hand.
    Unknown,
}

/// The links of a trace's entries; `None` where nothing can be said, and for vouched ones.
pub fn links(places: &Places, images: &Images<'_, '_>) -> Vec<Option<Link>> {
    let before: Vec<Before> = places.frames.iter().map(|frame| before(frame, images)).collect();
    let name = |place: &Place| place.at.symbol.clone();
    let top = places.here().and_then(name);
    let entries: Vec<Entry> = places
        .frames
        .iter()
        .zip(&before)
        .map(|(frame, before)| Entry { vouched: frame.reliable, name: name(frame), before: before.clone() })
        .collect();
    judge(top, &entries)
}

/// An entry of the trace, as far as it matters here.
struct Entry {
    vouched: bool,
    name: Option<String>,
    before: Before,
}

fn calls(before: &Before, function: Option<&String>) -> bool {
    match (before, function) {
        (Before::Calls(callee), Some(function)) => same_function(callee, function),
        _ => false,
    }
}

fn judge(top: Option<String>, entries: &[Entry]) -> Vec<Option<Link>> {
    let mut links: Vec<Option<Link>> = entries
        .iter()
        .map(|entry| (!entry.vouched && entry.before == Before::Other).then_some(Link::NoCall))
        .collect();
    let mut above = top;
    let mut start = 0usize;
    while start < entries.len() {
        let run = entries.iter().skip(start).take_while(|entry| !entry.vouched).count();
        let end = start.saturating_add(run);
        let below = entries.get(end);
        let mut chain: Vec<usize> = Vec::new();
        let mut current = above.clone();
        for (index, entry) in entries.iter().enumerate().take(end).skip(start) {
            if calls(&entry.before, current.as_ref()) {
                chain.push(index);
                current = entry.name.clone();
            }
        }
        let direct = below.is_some_and(|below| calls(&below.before, above.as_ref()));
        // Where nothing vouched follows, the chain must at least not be a single chance.
        let closed = match below {
            Some(below) => calls(&below.before, current.as_ref()),
            None => chain.len() > 1,
        };
        for index in start..end {
            let Some(link) = links.get_mut(index) else { continue };
            if direct {
                link.get_or_insert(Link::LeftOver);
            } else if closed && chain.contains(&index) {
                *link = Some(Link::Called);
            }
        }
        above = below.and_then(|below| below.name.clone());
        start = end.saturating_add(1);
    }
    links
}

/// What stands before a frame's return address.
fn before(frame: &Place, images: &Images<'_, '_>) -> Before {
    let image = frame.image.and_then(|index| images.image(index));
    let (Some(image), Some(address)) = (image, frame.address.filter(|_| frame.returns)) else {
        return Before::Unknown;
    };
    let returns = address.offset(1);
    call_before(image, returns)
}

/// The call that ends at `returns`.
pub fn call_before(image: &Image<'_>, returns: ImageAddr) -> Before {
    // `call` takes two to eight bytes: ff /2 with its operands, e8 with a 32-bit offset.
    let lengths: &[i64] = match image.arch() {
        Arch::X86_64 => &[5, 2, 3, 4, 6, 7, 8],
        Arch::Arm64 => &[4],
        _ => return Before::Unknown,
    };
    if !image.section_at(returns.offset(-1)).is_some_and(|section| section.executable) {
        return Before::Unknown;
    }
    let mut indirect = false;
    for length in lengths {
        let start = returns.offset(length.wrapping_neg());
        let Some(bytes) = usize::try_from(*length).ok().and_then(|length| image.bytes(start, length)) else {
            continue;
        };
        let Some(insn) = decode(image.arch(), &bytes, start).filter(|insn| i64::from(insn.len) == *length)
        else {
            continue;
        };
        match insn.flow {
            Flow::Call(target) => {
                let relocated = image.relocations(start..returns).into_iter().next();
                let name = match relocated {
                    // `symbol - 4` on x86, for the offset counts from behind the call.
                    Some((_, relocation)) => match relocation.address {
                        Some(place) => {
                            let plus = if image.arch() == Arch::X86_64 { 4 } else { 0 };
                            let place = place.offset(relocation.addend.wrapping_add(plus));
                            image.symbol_at(place).map(|symbol| symbol.name)
                        }
                        None => Some(relocation.symbol),
                    },
                    None => image.symbol_at(target).map(|symbol| symbol.name),
                };
                return match name {
                    Some(name) if name.starts_with("__x86_indirect_") => Before::Indirect,
                    Some(name) => Before::Calls(name),
                    None => Before::Unknown,
                };
            }
            Flow::CallIndirect(_) => indirect = true,
            _ => {}
        }
    }
    if indirect { Before::Indirect } else { Before::Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(vouched: bool, name: &str, callee: Option<&str>) -> Entry {
        let before = callee.map_or(Before::Indirect, |callee| Before::Calls(callee.to_owned()));
        Entry { vouched, name: Some(name.to_owned()), before }
    }

    #[test]
    fn what_lies_on_a_chain_of_calls_is_real() {
        let entries = [
            entry(false, "stale", Some("elsewhere")),
            entry(false, "middle", Some("top")),
            entry(true, "bottom", Some("middle")),
            entry(false, "older", Some("bottom_2")),
            entry(true, "outer", Some("bottom")),
        ];
        let links = judge(Some("top".into()), &entries);
        assert_eq!(links, [None, Some(Link::Called), None, Some(Link::LeftOver), None]);
    }

    #[test]
    fn indirect_calls_leave_it_open_and_what_no_call_precedes_is_none() {
        let mut odd = entry(false, "data", None);
        odd.before = Before::Other;
        let entries = [odd, entry(false, "maybe", Some("top")), entry(true, "bottom", None)];
        assert_eq!(judge(Some("top".into()), &entries), [Some(Link::NoCall), None, None]);
        // At the end of the trace one link alone may be chance, two are not.
        let entries = [entry(false, "a", Some("top"))];
        assert_eq!(judge(Some("top".into()), &entries), [None]);
        let entries = [entry(false, "a", Some("top")), entry(false, "b", Some("a"))];
        assert_eq!(judge(Some("top".into()), &entries), [Some(Link::Called); 2]);
    }
}
