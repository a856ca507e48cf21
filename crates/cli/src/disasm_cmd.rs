//! `kwhy disasm FUNCTION[+OFF] -i IMAGE`: a function's instructions between its source lines.

use crate::args::DisasmArgs;
use crate::command_error::CommandError;
use crate::output::Output;
use crate::parsed::{open, parse};
use crate::shelf::shelf;
use crate::sources::SourceTree;
use kwhy_base::catalogue::cli as c;
use kwhy_base::{ImageAddr, Lang, prose};
use kwhy_flow::scene::Scene;
use kwhy_image::{Image, Symbol};
use kwhy_report::doc::{Block, CodeLine, Inline, Tone, clean};
use kwhy_report::{Format, Hex, ListingItem};
use std::process::ExitCode;

/// Lists the function, each of them where several share the name.
pub fn run(args: &DisasmArgs) -> Result<ExitCode, CommandError> {
    let output = Output::new(&args.output);
    let (name, offset) = match args.function.split_once('+') {
        Some((name, offset)) => {
            // `+0x40/0x3c0`, as a log prints it, is welcome.
            let offset = offset.split_once('/').map_or(offset, |(offset, _)| offset);
            (name, Some(number(offset)?))
        }
        None => (args.function.as_str(), None),
    };
    let sources = SourceTree::new(&args.sources, &args.images, None);
    let mut functions = Vec::new();
    let (mapped, shelf) = (open(&args.images)?, shelf());
    for (path, image) in &parse(&mapped, &shelf)? {
        for symbol in image.symbols_named(name).into_iter().filter(|symbol| symbol.function) {
            if let Some(offset) = offset
                && offset >= symbol.size
            {
                let offset = format!("{offset:#x}");
                let error = prose!(c::OUTSIDE, offset = offset, name = name, size = symbol.size);
                return Err(CommandError::unusable(error));
            }
            let items = listing(image, &symbol, offset, &sources)
                .ok_or_else(|| CommandError::unusable(prose!(c::NO_CODE, path = *path, name = name)))?;
            functions.push(((*path).to_owned(), symbol, items));
        }
    }
    if functions.is_empty() {
        let error = CommandError::unusable(prose!(c::NO_FUNCTION, name = name));
        return Err(error.hint(prose!(c::HINT_FUNCTION, name = name)));
    }
    output.write(&show(&functions, &output))?;
    Ok(ExitCode::SUCCESS)
}

/// An offset: hexadecimal with `0x`, else decimal.
pub fn number(text: &str) -> Result<u64, CommandError> {
    let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed
        .map_err(|_| CommandError::unusable(prose!(c::BAD_OFFSET, text = text)).hint(prose!(c::HINT_OFFSET)))
}

/// The function's listing, with the instruction at offset `marked` marked.
fn listing(
    image: &Image<'_>,
    symbol: &Symbol,
    marked: Option<u64>,
    sources: &SourceTree,
) -> Option<Vec<ListingItem>> {
    let scene = Scene::new(image, symbol.address)?;
    let marked = marked.map(|offset| ImageAddr(symbol.address.0.wrapping_add(offset)));
    let items = kwhy_diagnose::listing::whole(&scene, marked, Some(sources));
    (!items.is_empty()).then_some(items)
}

fn show(functions: &[(String, Symbol, Vec<ListingItem>)], output: &Output) -> String {
    match output.format {
        Format::Json => {
            let functions: Vec<_> = functions
                .iter()
                .map(|(path, symbol, items)| {
                    serde_json::json!({
                        "image": path,
                        "symbol": symbol.name,
                        "address": Hex(symbol.address.0),
                        "size": Hex(symbol.size),
                        "listing": items,
                    })
                })
                .collect();
            format!("{:#}\n", serde_json::json!({ "schema": "kwhy-disasm/1", "functions": functions }))
        }
        format => {
            let mut blocks = Vec::new();
            for (path, symbol, items) in functions {
                let title = Inline::of(&symbol.name, Tone::Strong).with(&format!("  {path}"), Tone::Weak);
                blocks.push(Block::Title(title));
                blocks.push(Block::Listing(items.iter().map(|item| line(item, output.lang)).collect()));
            }
            kwhy_report::render_document(&blocks, format, output.lang, &output.options).unwrap_or_default()
        }
    }
}

fn line(item: &ListingItem, lang: Lang) -> CodeLine {
    match item {
        ListingItem::Source { function, file, line, text } => CodeLine::Source {
            place: clean(&match function {
                Some(function) => format!("{file}:{line} {function}"),
                None => format!("{file}:{line}"),
            }),
            text: text.as_ref().map(|text| clean(text.trim())),
        },
        ListingItem::Instruction { offset, bytes, text, fault, explanation, .. } => CodeLine::Instruction {
            fault: *fault,
            offset: clean(offset),
            bytes: clean(bytes),
            text: clean(text),
            explanation: explanation
                .as_ref()
                .map_or_else(Inline::default, |words| Inline::of(&words.0.render(lang), Tone::Plain)),
        },
        ListingItem::Gap { .. } => CodeLine::Gap("…".to_owned()),
    }
}
