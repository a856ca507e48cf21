//! The annotated listing: source lines, instructions with their symbols, and what each does.

use crate::Sources;
use kwhy_base::ImageAddr;
use kwhy_flow::scene::Scene;
use kwhy_report::model::{Hex, ListingItem};

/// How many instructions before and after the marked one a report shows.
const BEFORE: usize = 16;
/// The same for those after it.
const AFTER: usize = 6;

/// The instructions around `pc`.
pub fn around(scene: &Scene<'_, '_>, pc: ImageAddr, sources: Option<&dyn Sources>) -> Vec<ListingItem> {
    let Some(index) = scene.code.index_of(pc) else { return Vec::new() };
    let start = index.saturating_sub(BEFORE);
    let end = index.saturating_add(AFTER + 1).min(scene.code.insns.len());
    listing(scene, start, end, Some(pc), sources)
}

/// The whole function, with the instruction that covers `marked` marked.
#[must_use]
pub fn whole(
    scene: &Scene<'_, '_>,
    marked: Option<ImageAddr>,
    sources: Option<&dyn Sources>,
) -> Vec<ListingItem> {
    listing(scene, 0, scene.code.insns.len(), marked, sources)
}

fn listing(
    scene: &Scene<'_, '_>,
    start: usize,
    end: usize,
    marked: Option<ImageAddr>,
    sources: Option<&dyn Sources>,
) -> Vec<ListingItem> {
    let mut items = Vec::new();
    let insns = scene.code.insns.get(start..end).unwrap_or_default();
    let (Some(first), Some(last)) = (insns.first(), insns.last()) else { return items };
    let rows = scene.image.lines(first.address..last.address.offset(i64::from(last.len)));
    let marked = marked
        .and_then(|at| scene.code.index_of(at))
        .and_then(|i| scene.code.insns.get(i))
        .map(|i| i.address);
    let mut place = None;
    let mut next = first.address;
    for insn in insns {
        if insn.address.0 > next.0 {
            // What lies between is another part of the function, or data among the code.
            items.push(ListingItem::Gap { count: 0 });
            place = None;
        }
        next = insn.address.offset(i64::from(insn.len));
        let frame = scene.image.source_at(insn.address).into_iter().next();
        let here = frame.as_ref().and_then(|frame| Some((frame.file.clone()?, frame.line?)));
        if here.is_some()
            && here != place
            && let Some(frame) = &frame
            && let Some((file, line)) = &here
        {
            let row = rows.iter().take_while(|row| row.address <= insn.address).last();
            let text = sources.zip(row).and_then(|(sources, row)| {
                sources.line(&row.file, row.comp_dir.as_deref(), *line).filter(|_| row.line == *line)
            });
            items.push(ListingItem::Source {
                function: Some(frame.function.to_string()),
                file: file.to_string(),
                line: *line,
                text: text.map(|text| text.trim().to_owned()),
            });
        }
        place = here.or(place);
        let symbol = scene.image.symbol_at(insn.address);
        let offset = match symbol {
            Some(symbol) => {
                format!("{}+{:#x}", symbol.name, insn.address.0.wrapping_sub(symbol.address.0))
            }
            None => format!("{:#x}", insn.address.0),
        };
        items.push(ListingItem::Instruction {
            address: Hex(insn.address.0),
            offset,
            bytes: insn.bytes().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "),
            text: scene.text(insn),
            explanation: scene.explain(insn.address).map(Into::into),
            fault: marked == Some(insn.address),
        });
    }
    items
}
