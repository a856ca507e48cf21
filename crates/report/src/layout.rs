//! Aligned lines of a listing, shared by the faces that show it in fixed width.

use crate::doc::{CodeLine, Inline, Span, Tone};
use crate::wrap::{width, wrap};

/// Explanations start no further right than after this many columns of disassembly.
const WIDEST_TEXT: usize = 44;

/// `text` and blanks up to `columns`.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The lines of a listing. Explanations are wrapped in their column when `columns` leaves room
/// for that, and follow on one line where it is `None`.
pub(crate) fn listing(lines: &[CodeLine], columns: Option<usize>) -> Vec<Inline> {
    let widest = |of: fn(&CodeLine) -> usize| lines.iter().map(of).max().unwrap_or(0);
    let offset_width = widest(|line| match line {
        CodeLine::Instruction { offset, .. } => width(offset),
        _ => 0,
    });
    let bytes_width = widest(|line| match line {
        CodeLine::Instruction { bytes, .. } => width(bytes),
        _ => 0,
    });
    let text_width = widest(|line| match line {
        CodeLine::Instruction { text, explanation, .. } if !explanation.is_empty() => width(text),
        _ => 0,
    })
    .min(WIDEST_TEXT);
    let mut out = Vec::new();
    for line in lines {
        match line {
            CodeLine::Source { place, text } => {
                out.push(Inline::of(place, Tone::Weak));
                if let Some(text) = text {
                    out.push(Inline::of("      ", Tone::Plain).with(text, Tone::Strong));
                }
            }
            CodeLine::Gap(text) => out.push(Inline::of("     ", Tone::Plain).with(text, Tone::Weak)),
            CodeLine::Instruction { fault, offset, bytes, text, explanation } => {
                let (mark, tone) = if *fault { ("=> ", Tone::Bad) } else { ("   ", Tone::Code) };
                let mut head = Inline::default()
                    .with(mark, tone)
                    .with(&pad(offset, offset_width), if *fault { Tone::Bad } else { Tone::Plain })
                    .with("  ", Tone::Plain);
                if bytes_width > 0 {
                    head = head.with(&pad(bytes, bytes_width), Tone::Weak).with("  ", Tone::Plain);
                }
                if explanation.is_empty() {
                    out.push(head.with(text, tone));
                    continue;
                }
                head = head.with(&pad(text, text_width), tone).with("  ", Tone::Plain);
                let column =
                    3 + offset_width + 2 + if bytes_width > 0 { bytes_width + 2 } else { 0 } + text_width + 2;
                let room = columns.map(|columns| columns.saturating_sub(column));
                let lines = match room {
                    Some(room) if room >= 24 => wrap(explanation, room),
                    _ => wrap(explanation, usize::MAX),
                };
                for (i, part) in lines.into_iter().enumerate() {
                    if i == 0 {
                        out.push(head.clone().and(part));
                    } else {
                        out.push(
                            Inline(vec![Span { text: " ".repeat(column), tone: Tone::Plain }]).and(part),
                        );
                    }
                }
            }
        }
    }
    out
}
