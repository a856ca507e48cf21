//! `kwhy disasm FUNCTION[+OFF] -i IMAGE`: a function's instructions between its source lines.

use crate::args::DisasmArgs;
use crate::command_error::CommandError;
use crate::input::unreadable;
use crate::output::Output;
use crate::sources::SourceTree;
use kwhy_base::catalogue::cli as c;
use kwhy_base::{Arch, ImageAddr, prose};
use kwhy_diagnose::Sources;
use kwhy_flow::insn::{Flow, Insn, decode};
use kwhy_image::{Image, Symbol};
use kwhy_mmap::Mapping;
use kwhy_report::doc::{Block, CodeLine, Inline, Tone, clean};
use kwhy_report::{Format, Hex, ListingItem};
use std::path::PathBuf;
use std::process::ExitCode;

/// The longest function that is shown; larger ones are data taken for code.
const LONGEST: usize = 4 << 20;

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
    for (path, data) in &open(&args.images)? {
        let image = Image::parse(data)
            .map_err(|error| CommandError::unusable(prose!(c::NOT_AN_IMAGE, path = path)).because(error))?;
        for symbol in image.symbols_named(name).into_iter().filter(|symbol| symbol.function) {
            if let Some(offset) = offset
                && offset >= symbol.size
            {
                let offset = format!("{offset:#x}");
                let error = prose!(c::OUTSIDE, offset = offset, name = name, size = symbol.size);
                return Err(CommandError::unusable(error));
            }
            let items = listing(&image, &symbol, offset, &sources)
                .ok_or_else(|| CommandError::unusable(prose!(c::NO_CODE, path = path, name = name)))?;
            functions.push((path.clone(), symbol, items));
        }
    }
    if functions.is_empty() {
        let error = CommandError::unusable(prose!(c::NO_FUNCTION, name = name));
        return Err(error.hint(prose!(c::HINT_FUNCTION, name = name)));
    }
    output.write(&show(&functions, &output))?;
    Ok(ExitCode::SUCCESS)
}

/// Maps the images of a command that cannot do without them.
pub fn open(paths: &[PathBuf]) -> Result<Vec<(String, Mapping)>, CommandError> {
    paths
        .iter()
        .map(|path| {
            let bytes = Mapping::open(path).map_err(|error| unreadable(path, &error))?;
            Ok((path.to_string_lossy().into_owned(), bytes))
        })
        .collect()
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

fn listing(
    image: &Image<'_>,
    symbol: &Symbol,
    marked: Option<u64>,
    sources: &SourceTree,
) -> Option<Vec<ListingItem>> {
    let length = usize::try_from(symbol.size).unwrap_or(LONGEST).min(LONGEST);
    let code = image.bytes(symbol.address, length)?;
    let end = ImageAddr(symbol.address.0.wrapping_add(code.len() as u64));
    let rows = image.lines(symbol.address..end);
    let relocations = image.relocations(symbol.address..end);
    let mut items = Vec::new();
    let mut place = None;
    let mut at = 0usize;
    while let Some(rest) = code.get(at..).filter(|rest| !rest.is_empty()) {
        let address = ImageAddr(symbol.address.0.wrapping_add(at as u64));
        let row = rows.iter().take_while(|row| row.address <= address).last().filter(|row| row.line > 0);
        let here = row.map(|row| (row.file.clone(), row.line));
        if here != place
            && let Some(row) = row
        {
            let function = image.source_at(address).first().map(|frame| frame.function.to_string());
            let text = sources.line(&row.file, row.comp_dir.as_deref(), row.line);
            items.push(ListingItem::Source { function, file: row.file.to_string(), line: row.line, text });
            place = here;
        }
        let insn = decode(image.arch(), rest, address).filter(|insn| insn.len > 0);
        let length = insn.as_ref().map_or(unit(image.arch()), |insn| usize::from(insn.len)).min(rest.len());
        let bytes: String = rest.iter().take(length).map(|byte| format!("{byte:02x}")).collect();
        let next = at.saturating_add(length);
        let patched = relocations
            .iter()
            .find(|(place, _)| *place >= address && place.0 < symbol.address.0.wrapping_add(next as u64));
        let text = match &insn {
            None => format!(".byte {bytes}"),
            Some(insn) => match patched {
                Some((_, relocation)) => {
                    format!("{} <{}>", insn.text(), shown(&relocation.symbol, relocation.addend))
                }
                None => with_target(image, insn),
            },
        };
        let here = at as u64;
        items.push(ListingItem::Instruction {
            address: Hex(address.0),
            offset: format!("{}+{here:#x}", symbol.name),
            bytes,
            text,
            explanation: None,
            fault: marked.is_some_and(|marked| (here..next as u64).contains(&marked)),
        });
        at = next;
    }
    Some(items)
}

/// What is stepped over where no instruction can be read.
fn unit(arch: Arch) -> usize {
    kwhy_arch::cpu(arch).map_or(1, |cpu| usize::try_from(cpu.code_alignment).unwrap_or(1))
}

fn shown(symbol: &str, addend: i64) -> String {
    match addend {
        0 => symbol.to_owned(),
        addend if addend < 0 => format!("{symbol}-{:#x}", addend.unsigned_abs()),
        addend => format!("{symbol}+{addend:#x}"),
    }
}

/// The instruction with its branch target's symbol, as objdump writes it.
fn with_target(image: &Image<'_>, insn: &Insn) -> String {
    let (Flow::Jump(target) | Flow::Branch(target) | Flow::Call(target)) = &insn.flow else {
        return insn.text();
    };
    match image.symbol_at(*target) {
        Some(symbol) => {
            let distance = target.0.wrapping_sub(symbol.address.0).cast_signed();
            format!("{} <{}>", insn.text(), shown(&symbol.name, distance))
        }
        None => insn.text(),
    }
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
                blocks.push(Block::Listing(items.iter().map(line).collect()));
            }
            kwhy_report::render_document(&blocks, format, output.lang, &output.options).unwrap_or_default()
        }
    }
}

fn line(item: &ListingItem) -> CodeLine {
    match item {
        ListingItem::Source { function, file, line, text } => CodeLine::Source {
            place: clean(&match function {
                Some(function) => format!("{file}:{line} {function}"),
                None => format!("{file}:{line}"),
            }),
            text: text.as_ref().map(|text| clean(text.trim())),
        },
        ListingItem::Instruction { offset, bytes, text, fault, .. } => CodeLine::Instruction {
            fault: *fault,
            offset: clean(offset),
            bytes: clean(bytes),
            text: clean(text),
            explanation: Inline::default(),
        },
        ListingItem::Gap { .. } => CodeLine::Gap("…".to_owned()),
    }
}
