//! `kwhy writers 'struct module_use.target' -i vmlinux`: who writes a member, and
//! `kwhy path FUNCTION FUNCTION -i vmlinux`: the calls from one function to another.

use crate::args::{PathArgs, WritersArgs};
use crate::command_error::CommandError;
use crate::output::Output;
use crate::parsed::{open, parse};
use crate::shelf::shelf;
use kwhy_base::catalogue::{cli as c, writers as w};
use kwhy_base::{Lang, Prose, prose};
use kwhy_diagnose::writers::paths::Paths;
use kwhy_diagnose::writers::ways::Step;
use kwhy_diagnose::writers::{self, MAX_FUNCTIONS, Search, Unanswered, Writer, Writers};
use kwhy_flow::stores::StoreKind;
use kwhy_image::Image;

use kwhy_report::doc::{Block, Inline, Item, Tone};
use kwhy_report::{Format, Hex};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Shows who writes a member.
pub fn writers(args: &WritersArgs) -> Result<ExitCode, CommandError> {
    let output = Output::new(&args.output);
    let (record, member) = split(&args.member).ok_or_else(|| {
        CommandError::unusable(prose!(w::NO_MEMBER_NAMED, text = &args.member)).hint(prose!(w::HINT_MEMBER))
    })?;
    let (mapped, shelf) = (open(&args.images)?, shelf());
    let images = parse(&mapped, &shelf)?;
    let borrowed: Vec<&Image<'_>> = images.iter().map(|(_, image)| image).collect();
    let how = Search { ways: true, functions: MAX_FUNCTIONS };
    let found = writers::search_all(&borrowed, &record, &member, how).map_err(|error| match error {
        Unanswered::NoType => {
            CommandError::unusable(prose!(c::NO_TYPE, name = &record)).hint(prose!(c::HINT_TYPE))
        }
        Unanswered::NoMember => {
            let path = images.first().map(|(path, _)| *path).unwrap_or_default();
            CommandError::unusable(prose!(c::NO_MEMBER, name = &record, member = &member)).hint(prose!(
                c::HINT_MEMBERS,
                name = &record,
                path = path
            ))
        }
    })?;
    output.write(&match output.format {
        Format::Json => format!("{:#}\n", json_of(&found, &images)),
        format => {
            let blocks = document(&found, output.lang);
            kwhy_report::render_document(&blocks, format, output.lang, &output.options).unwrap_or_default()
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// `struct module_use.target` → (`struct module_use`, `target`). Without a keyword a struct is meant.
fn split(text: &str) -> Option<(String, String)> {
    let (record, member) = text.trim().split_once('.')?;
    let (record, member) = (record.trim(), member.trim());
    if record.is_empty() || member.is_empty() {
        return None;
    }
    let record = if record.contains(' ') { record.to_owned() } else { format!("struct {record}") };
    Some((record, member.to_owned()))
}

/// What a place does, in words.
fn words(writer: &Writer) -> Prose {
    let call = writer.store.call.as_deref().unwrap_or_default();
    match writer.store.kind {
        StoreKind::Assigned => prose!(w::ASSIGNED),
        StoreKind::Modified => prose!(w::MODIFIED),
        StoreKind::Filled => prose!(w::FILLED, call = call),
        StoreKind::Zeroed => prose!(w::ZEROED, call = call),
        StoreKind::Allocated => prose!(w::ALLOCATED, call = call),
        StoreKind::Freed => prose!(w::FREED, call = call),
    }
}

fn key(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::Assigned => "assigned",
        StoreKind::Modified => "modified",
        StoreKind::Filled => "filled",
        StoreKind::Zeroed => "zeroed",
        StoreKind::Allocated => "allocated",
        StoreKind::Freed => "freed",
    }
}

/// `use->target = b`.
fn assignment(writer: &Writer) -> String {
    match (&writer.store.value, writer.store.kind) {
        (Some(value), StoreKind::Assigned) => format!("{} = {value}", writer.store.text),
        _ => writer.store.text.clone(),
    }
}

fn place(writer: &Writer) -> Option<String> {
    let file = writer.file.as_deref()?;
    Some(writer.line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}")))
}

fn document(found: &Writers, lang: Lang) -> Vec<Block> {
    let title = prose!(
        w::TITLE,
        record = &found.wanted.record,
        member = &found.member,
        offset = format!("{:#x}", found.wanted.offset),
        size = found.wanted.size
    );
    let read = prose!(w::READ, functions = found.functions, units = found.units).render(lang);
    let mut blocks = vec![
        Block::Title(Inline::of(&title.render(lang), Tone::Strong)),
        Block::Paragraph(Inline::of(&read, Tone::Weak)),
    ];
    if found.unread > 0 {
        let unread = prose!(w::UNREAD, functions = found.unread).render(lang);
        blocks.push(Block::Paragraph(Inline::of(&unread, Tone::Weak)));
    }
    if found.writers.is_empty() {
        blocks.push(Block::Paragraph(Inline::of(&prose!(w::NONE).render(lang), Tone::Plain)));
    }
    let items = found.writers.iter().map(|writer| item(writer, lang)).collect();
    blocks.push(Block::List { ordered: false, items });
    blocks
}

fn item(writer: &Writer, lang: Lang) -> Item {
    let mut text = Inline::of(&writer.function, Tone::Strong).with("  ", Tone::Plain);
    if let Some(place) = place(writer) {
        text = text.with(&place, Tone::Code).with("  ", Tone::Plain);
    }
    if let Some(module) = &writer.module {
        text = text.with(&format!("[{module}]  "), Tone::Code);
    }
    text = text.with(&assignment(writer), Tone::Code).with("  ", Tone::Plain);
    text = text.with(&words(writer).render(lang), Tone::Plain);
    let plain = writer.symbol.split_once('.').map_or(writer.symbol.as_str(), |(plain, _)| plain);
    if plain != writer.function {
        let symbol = format!("{}+{:#x}", writer.symbol, writer.offset);
        let inlined = prose!(w::INLINED, symbol = symbol).render(lang);
        text = text.with(&format!("  ({inlined})"), Tone::Weak);
    }
    let ways = writer.ways.iter().map(|way| Item { text: way_line(way, lang), below: Vec::new() }).collect();
    let below =
        if writer.ways.is_empty() { Vec::new() } else { vec![Block::List { ordered: false, items: ways }] };
    Item { text, below }
}

fn way_line(way: &[Step], lang: Lang) -> Inline {
    let mut line = Inline::default();
    for (index, step) in way.iter().enumerate() {
        if index > 0 {
            line = line.with(" → ", Tone::Weak);
        }
        line = line.with(&step.function, Tone::Code);
        if let Some(table) = &step.through {
            let through = prose!(w::THROUGH, table = table).render(lang);
            line = line.with(&format!(" ({through})"), Tone::Weak);
        }
    }
    line
}

fn json_of(found: &Writers, images: &[(&str, Image<'_>)]) -> Value {
    let writers: Vec<Value> = found
        .writers
        .iter()
        .map(|writer| {
            json!({
                "kind": key(writer.store.kind),
                "function": writer.function,
                "file": writer.file,
                "line": writer.line,
                "module": writer.module,
                "symbol": writer.symbol,
                "offset": Hex(writer.offset),
                "address": Hex(writer.store.at.0),
                "image": images.get(writer.image).map(|(path, _)| path),
                "target": writer.store.text,
                "value": writer.store.value,
                "constant": writer.store.constant.map(Hex),
                "call": writer.store.call,
                "call_paths": writer.ways.iter().map(|way| steps(way)).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "schema": "kwhy-writers/1",
        "type": found.wanted.record,
        "member": found.member,
        "offset": Hex(found.wanted.offset),
        "size": Hex(found.wanted.size),
        "units": found.units,
        "functions": found.functions,
        "functions_unread": found.unread,
        "writers": writers,
    })
}

fn steps(way: &[Step]) -> Vec<Value> {
    way.iter()
        .map(|step| {
            json!({ "function": step.function, "file": step.file, "line": step.line, "through": step.through })
        })
        .collect()
}

/// Shows the shortest chain of calls from one function to another.
pub fn path(args: &PathArgs) -> Result<ExitCode, CommandError> {
    let output = Output::new(&args.output);
    let (mapped, shelf) = (open(&args.images)?, shelf());
    let images = parse(&mapped, &shelf)?;
    let borrowed: Vec<&Image<'_>> = images.iter().map(|(_, image)| image).collect();
    let paths = Paths::new(&borrowed);
    let from = paths.named(&args.from);
    let mut to: Vec<_> = paths.named(&args.to).into_iter().map(|node| (node, node.1)).collect();
    if to.is_empty() {
        to = paths.inlining(&args.to);
    }
    for (found, name) in [(!from.is_empty(), &args.from), (!to.is_empty(), &args.to)] {
        if !found {
            let error = CommandError::unusable(prose!(c::NO_FUNCTION, name = name));
            return Err(error.hint(prose!(c::HINT_FUNCTION, name = name)));
        }
    }
    let ways = to.into_iter().filter_map(|(node, at)| paths.between(&from, node, at));
    let Some(mut way) = ways.min_by_key(Vec::len) else {
        let error = CommandError::unusable(prose!(w::NO_WAY, from = &args.from, to = &args.to));
        return Err(error.hint(prose!(w::HINT_NO_WAY, from = &args.from, to = &args.to)));
    };
    // What is inlined where an inlined function begins is no part of the way to it.
    if let Some(end) = way.iter().rposition(|step| step.function == args.to) {
        way.truncate(end.saturating_add(1));
    }
    output.write(&match output.format {
        Format::Json => format!("{:#}\n", json!({ "schema": "kwhy-path/1", "path": steps(&way) })),
        format => {
            let blocks = path_document(&way, output.lang);
            kwhy_report::render_document(&blocks, format, output.lang, &output.options).unwrap_or_default()
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn path_document(way: &[Step], lang: Lang) -> Vec<Block> {
    let items = way
        .iter()
        .map(|step| {
            let mut text = Inline::of(&step.function, Tone::Strong);
            if let (Some(file), Some(line)) = (&step.file, step.line) {
                text = text.with(&format!("  {file}:{line}"), Tone::Code);
            }
            if let Some(table) = &step.through {
                let through = prose!(w::THROUGH, table = table).render(lang);
                text = text.with(&format!("  ({through})"), Tone::Weak);
            }
            Item { text, below: Vec::new() }
        })
        .collect();
    vec![Block::List { ordered: true, items }]
}
