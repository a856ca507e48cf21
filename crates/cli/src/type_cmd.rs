//! `kwhy type 'struct module' -i vmlinux`: a type's layout, or what lies at an offset of it.

use crate::args::TypeArgs;
use crate::command_error::CommandError;
use crate::disasm_cmd::number;
use crate::output::Output;
use crate::parsed::{open, parse};
use crate::shelf::shelf;
use kwhy_base::catalogue::{cli as c, faces as f};
use kwhy_base::{Lang, prose};
use kwhy_image::{Image, Member, Record, Type, TypeId};
use kwhy_report::Format;
use kwhy_report::doc::{Block, Inline, Table, Tone};
use kwhy_report::document::words::say;
use serde_json::json;
use std::process::ExitCode;

/// Records within records are followed this deep; C code nests far less.
const DEEPEST: usize = 16;

/// One line of a layout.
struct Row {
    /// Byte offset from the start of the outermost type.
    offset: u64,
    /// Bytes; `None` for a flexible array or an incomplete type.
    size: Option<u64>,
    /// First bit within the byte at `offset` and width, for a bit-field.
    bits: Option<(u64, u64)>,
    /// How it is reached: `mkobj.kobj.name`; empty for a hole.
    path: String,
    /// Its C declaration, or what a hole is.
    declaration: String,
    /// The type's name alone.
    ty: String,
    /// How deep in anonymous records it stands.
    depth: usize,
}

/// Shows the type.
pub fn run(args: &TypeArgs) -> Result<ExitCode, CommandError> {
    let output = Output::new(&args.output);
    let (mapped, shelf) = (open(&args.images)?, shelf());
    for (path, image) in &parse(&mapped, &shelf)? {
        let Some(id) = image.find_type(&args.name) else { continue };
        let rows = rows_asked(image, id, args, path)?;
        let size = image.size_of(id);
        output.write(&show(args, path, size, &rows, &output))?;
        return Ok(ExitCode::SUCCESS);
    }
    Err(CommandError::unusable(prose!(c::NO_TYPE, name = &args.name)).hint(prose!(c::HINT_TYPE)))
}

fn rows_asked(image: &Image<'_>, id: TypeId, args: &TypeArgs, path: &str) -> Result<Vec<Row>, CommandError> {
    let record = match image.strip(id) {
        Type::Record(record) => record,
        Type::Enum { values, size, .. } if args.at.is_none() && args.member.is_none() => {
            return Ok(values.iter().map(|(name, value)| constant(name, *value, size)).collect());
        }
        _ if args.at.is_none() && args.member.is_none() => return Ok(Vec::new()),
        _ => return Err(CommandError::unusable(prose!(c::NOT_A_RECORD, name = &args.name))),
    };
    if let Some(text) = &args.at {
        let offset = number(text)?;
        if offset >= record.size {
            let error =
                prose!(c::OUTSIDE, offset = format!("{offset:#x}"), name = &args.name, size = record.size);
            return Err(CommandError::unusable(error));
        }
        let mut rows = Vec::new();
        at(image, &record, 0, offset, "", 0, &mut rows);
        return Ok(rows);
    }
    if let Some(member) = &args.member {
        let names: Vec<&str> = member.split('.').collect();
        return match find(image, &record, 0, &names, "", 0) {
            Some(row) => Ok(vec![row]),
            None => Err(CommandError::unusable(prose!(c::NO_MEMBER, name = &args.name, member = member))
                .hint(prose!(c::HINT_MEMBERS, name = &args.name, path = path))),
        };
    }
    let mut rows = Vec::new();
    layout(image, &record, 0, "", 0, &mut rows);
    Ok(rows)
}

fn constant(name: &str, value: i64, size: u64) -> Row {
    Row {
        offset: 0,
        size: Some(size),
        bits: None,
        path: name.to_owned(),
        declaration: format!("{name} = {value}"),
        ty: String::new(),
        depth: 0,
    }
}

/// Every member in order, holes between, anonymous records opened.
fn layout(image: &Image<'_>, record: &Record, base: u64, prefix: &str, depth: usize, rows: &mut Vec<Row>) {
    let mut end = 0u64;
    for member in &record.members {
        let size = image.size_of(member.ty);
        if !record.union && member.bits.is_none() && member.offset > end {
            rows.push(hole(base.saturating_add(end), member.offset.saturating_sub(end), depth));
        }
        let row = row(image, member, base, prefix, depth);
        let inner = match (&member.name, image.strip(member.ty)) {
            (None, Type::Record(inner)) if depth < DEEPEST => Some(inner),
            _ => None,
        };
        rows.push(row);
        if let Some(inner) = inner {
            layout(image, &inner, base.saturating_add(member.offset), prefix, depth.saturating_add(1), rows);
        }
        let last = match member.bits {
            Some((first, width)) => first.saturating_add(width).div_ceil(8),
            None => member.offset.saturating_add(size.unwrap_or(0)),
        };
        end = end.max(last);
    }
    if !record.union && record.size > end && !record.members.is_empty() {
        rows.push(hole(base.saturating_add(end), record.size.saturating_sub(end), depth));
    }
}

fn hole(offset: u64, size: u64, depth: usize) -> Row {
    let declaration = String::new();
    Row { offset, size: Some(size), bits: None, path: String::new(), declaration, ty: String::new(), depth }
}

fn row(image: &Image<'_>, member: &Member, base: u64, prefix: &str, depth: usize) -> Row {
    let ty = image.type_name(member.ty);
    let name = member.name.as_deref().unwrap_or_default();
    let declared = declare(&ty, name);
    let bits =
        member.bits.map(|(first, width)| (first.saturating_sub(member.offset.saturating_mul(8)), width));
    Row {
        offset: base.saturating_add(member.offset),
        size: image.size_of(member.ty),
        bits,
        path: join(prefix, name),
        declaration: match bits {
            Some((_, width)) => format!("{declared}:{width}"),
            None => declared,
        },
        ty,
        depth,
    }
}

/// What covers byte `offset`: from the outermost member to the innermost, every arm of a union.
fn at(
    image: &Image<'_>,
    record: &Record,
    base: u64,
    offset: u64,
    prefix: &str,
    depth: usize,
    rows: &mut Vec<Row>,
) {
    let before = rows.len();
    for member in &record.members {
        let start = base.saturating_add(member.offset);
        let covers = match member.bits {
            Some((first, width)) => {
                let last = base.saturating_add(first.saturating_add(width).div_ceil(8));
                (base.saturating_add(first / 8)..last).contains(&offset)
            }
            None => {
                let size = image.size_of(member.ty).unwrap_or(0);
                (start..start.saturating_add(size)).contains(&offset)
            }
        };
        if !covers {
            continue;
        }
        let mut row = row(image, member, base, prefix, depth);
        let mut path = row.path.clone();
        let mut inner_start = start;
        let mut inner = image.strip(member.ty);
        // An element of an array is what lies at the offset, not the array.
        while let Type::Array { element, .. } = inner {
            let Some(size) = image.size_of(element).filter(|size| *size > 0) else { break };
            let index = offset.saturating_sub(inner_start) / size;
            inner_start = inner_start.saturating_add(index.saturating_mul(size));
            path = format!("{path}[{index}]");
            inner = image.strip(element);
            row.path.clone_from(&path);
            row.offset = inner_start;
            row.size = Some(size);
            row.ty = image.type_name(element);
        }
        rows.push(row);
        if let Type::Record(inner) = inner
            && depth < DEEPEST
        {
            at(image, &inner, inner_start, offset, &path, depth.saturating_add(1), rows);
        }
    }
    if rows.len() == before && !record.union {
        let ends = record.members.iter().filter_map(|m| {
            let end = match m.bits {
                Some((first, width)) => first.saturating_add(width).div_ceil(8),
                None => m.offset.saturating_add(image.size_of(m.ty).unwrap_or(0)),
            };
            Some(base.saturating_add(end)).filter(|end| *end <= offset)
        });
        let start = ends.max().unwrap_or(base);
        let next = record.members.iter().map(|m| base.saturating_add(m.offset)).filter(|o| *o > offset).min();
        let end = next.unwrap_or(base.saturating_add(record.size));
        rows.push(hole(start, end.saturating_sub(start), depth));
    }
}

/// The member that `names` leads to, through anonymous records and arrays' elements.
fn find(
    image: &Image<'_>,
    record: &Record,
    base: u64,
    names: &[&str],
    prefix: &str,
    depth: usize,
) -> Option<Row> {
    let (first, rest) = names.split_first()?;
    for member in &record.members {
        match member.name.as_deref() {
            Some(name) if name == *first => {
                let found = row(image, member, base, prefix, 0);
                if rest.is_empty() {
                    return Some(found);
                }
                let Type::Record(inner) = image.strip(member.ty) else { return None };
                return find(image, &inner, found.offset, rest, &found.path, depth.saturating_add(1));
            }
            None if depth < DEEPEST => {
                if let Type::Record(inner) = image.strip(member.ty) {
                    let start = base.saturating_add(member.offset);
                    let found = find(image, &inner, start, names, prefix, depth.saturating_add(1));
                    if found.is_some() {
                        return found;
                    }
                }
            }
            _ => {}
        }
    }
    None
}

fn join(prefix: &str, name: &str) -> String {
    match (prefix.is_empty(), name.is_empty()) {
        (true, _) => name.to_owned(),
        (_, true) => prefix.to_owned(),
        _ => format!("{prefix}.{name}"),
    }
}

/// Puts `name` into an abstract declarator: `char[16]` → `char name[16]`, `int (*)(int)` →
/// `int (*name)(int)`.
fn declare(ty: &str, name: &str) -> String {
    if name.is_empty() {
        return ty.to_owned();
    }
    let at = ty.find("(*").map(|i| {
        let stars = ty.get(i..).unwrap_or_default().chars().skip(1).take_while(|c| *c == '*').count();
        i.saturating_add(1).saturating_add(stars)
    });
    if let Some((before, after)) = at.and_then(|at| ty.split_at_checked(at)) {
        return format!("{before}{name}{after}");
    }
    match ty.find('[').and_then(|at| ty.split_at_checked(at)) {
        Some((before, after)) => format!("{} {name}{after}", before.trim_end()),
        None if ty.ends_with('*') => format!("{ty}{name}"),
        None => format!("{ty} {name}"),
    }
}

fn show(args: &TypeArgs, path: &str, size: Option<u64>, rows: &[Row], output: &Output) -> String {
    match output.format {
        Format::Json => {
            let members: Vec<_> = rows
                .iter()
                .map(|row| {
                    json!({
                        "path": if row.path.is_empty() && row.declaration.is_empty() { None } else { Some(&row.path) },
                        "hole": row.declaration.is_empty(),
                        "offset": format!("{:#x}", row.offset),
                        "size": row.size.map(|size| format!("{size:#x}")),
                        "bits": row.bits.map(|(first, width)| json!({ "first": first, "width": width })),
                        "type": row.ty,
                        "declaration": row.declaration,
                        "depth": row.depth,
                    })
                })
                .collect();
            let size = size.map(|size| format!("{size:#x}"));
            let value = json!({
                "schema": "kwhy-type/1", "type": args.name, "image": path, "size": size, "members": members,
            });
            format!("{value:#}\n")
        }
        format => {
            let blocks = document(args, size, rows, output.lang);
            kwhy_report::render_document(&blocks, format, output.lang, &output.options).unwrap_or_default()
        }
    }
}

fn document(args: &TypeArgs, size: Option<u64>, rows: &[Row], lang: Lang) -> Vec<Block> {
    let size = match size {
        Some(size) => prose!(c::SIZE_IS, size = size, hex = format!("{size:#x}")).render(lang),
        None => String::new(),
    };
    let title = Inline::of(&args.name, Tone::Strong).with(&size, Tone::Plain);
    let number = |value: u64| Inline::of(&format!("{value:#x}"), Tone::Code);
    let lines = rows.iter().map(|row| {
        let size = row.size.map_or_else(Inline::default, number);
        let offset = match row.bits {
            Some((first, _)) => Inline::of(&format!("{:#x}:{first}", row.offset), Tone::Code),
            None => number(row.offset),
        };
        let indent = "  ".repeat(row.depth);
        if row.declaration.is_empty() {
            let hole = prose!(c::HOLE, size = row.size.unwrap_or(0)).render(lang);
            return vec![offset, size, Inline::of(&format!("{indent}{hole}"), Tone::Weak)];
        }
        let mut line = vec![offset, size, Inline::of(&format!("{indent}{}", row.declaration), Tone::Code)];
        if args.at.is_some() || args.member.is_some() {
            line.push(Inline::of(&row.path, Tone::Strong));
        }
        line
    });
    if rows.iter().any(|row| row.ty.is_empty() && !row.declaration.is_empty()) {
        // Constants of an enum: they have neither offsets nor sizes.
        let lines = rows.iter().map(|row| vec![Inline::of(&row.declaration, Tone::Code)]).collect();
        return vec![Block::Title(title), Block::Table(Table { header: Vec::new(), rows: lines })];
    }
    let mut header = vec![say(lang, &f::OFFSET), say(lang, &c::SIZE), say(lang, &f::MEMBER)];
    if args.at.is_some() || args.member.is_some() {
        header.push(say(lang, &f::ALSO_PATH));
    }
    let header = header.into_iter().map(str::to_owned).collect();
    vec![Block::Title(title), Block::Table(Table { header, rows: lines.collect() })]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_goes_where_c_puts_it() {
        assert_eq!(declare("char[16]", "name"), "char name[16]");
        assert_eq!(declare("struct module *", "mod"), "struct module *mod");
        assert_eq!(declare("int (*)(struct file *)", "open"), "int (*open)(struct file *)");
        assert_eq!(declare("void (*[4])(void)", "f"), "void (*f[4])(void)");
        assert_eq!(declare("void (**)(void)", "f"), "void (**f)(void)");
        assert_eq!(declare("u32", "x"), "u32 x");
        assert_eq!(declare("union {...}", ""), "union {...}");
    }
}
