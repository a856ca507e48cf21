//! Asks an image about one place: `ask FILE SYMBOL+OFFSET [TYPE]`. Prints times and memory.
#![allow(clippy::indexing_slicing)]

use kwhy_base::ImageAddr;
use std::time::Instant;

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .filter(|line| line.starts_with("VmHWM") || line.starts_with("RssAnon"))
        .collect::<Vec<_>>()
        .join(" ")
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let data = kwhy_mmap::Mapping::open(std::path::Path::new(&args[1]))?;
    let start = Instant::now();
    let image = kwhy_image::Image::parse(&data)?;
    println!("parse {:?} {:?} {:?}", start.elapsed(), image.kind(), image.release());
    let (name, offset) = args[2].split_once('+').ok_or("SYMBOL+OFFSET")?;
    let offset = u64::from_str_radix(offset.trim_start_matches("0x"), 16)?;
    let start = Instant::now();
    for symbol in image.symbols_named(name) {
        println!("{symbol:x?} ({:?})", start.elapsed());
        let at = ImageAddr(symbol.address.0 + offset);
        let start = Instant::now();
        println!("at: {:x?} ({:?})", image.symbol_at(at), start.elapsed());
        let start = Instant::now();
        let source = image.source_at(at);
        println!("{source:#?} ({:?})", start.elapsed());
        let start = Instant::now();
        let function = image.function_at(at);
        if let Some(function) = &function {
            let size = |scope: &kwhy_image::Scope| scope.children.len();
            println!(
                "{} {:?} {} scopes ({:?})",
                function.name,
                function.ranges,
                size(&function.body),
                start.elapsed()
            );
            for scope in function.body.chain(at) {
                println!("  {:?}", scope.kind);
                for variable in &scope.variables {
                    let ty = variable.ty.map(|ty| image.type_name(ty)).unwrap_or_default();
                    println!("    {} {}: {:?}", ty, variable.name, variable.place_at(at));
                }
            }
        }
        println!("cfa {:?}", image.cfa_at(at));
        println!("{} lines", image.lines(symbol.address..ImageAddr(symbol.address.0 + symbol.size)).len());
        println!("{:?}", image.patch_sites(symbol.address..ImageAddr(symbol.address.0 + symbol.size)));
        if let Ok(name) = std::env::var("GLOBAL") {
            for global in image.symbols_named(&name) {
                let found = image.global_at(global.address, at);
                let ty = found.as_ref().and_then(|found| found.ty).map(|ty| image.type_name(ty));
                println!("{found:x?} {ty:?}");
            }
            let prototype = image.prototype(&name, at).map(|found| {
                found
                    .parameters
                    .iter()
                    .map(|(name, ty)| (name.clone(), ty.map(|ty| image.type_name(ty))))
                    .collect::<Vec<_>>()
            });
            println!("prototype {prototype:?}");
        }
        if std::env::var_os("RELOCS").is_some() {
            println!("{:#x?}", image.relocations(symbol.address..ImageAddr(symbol.address.0 + symbol.size)));
        }
    }
    if let Some(name) = args.get(3) {
        let start = Instant::now();
        let found = image.find_type(name);
        let ty = found.map(|id| image.type_of(id));
        println!("{:?} ({:?})", found, start.elapsed());
        if let Some(kwhy_image::Type::Record(record)) = ty {
            for member in &record.members {
                println!(
                    "  {:#x} {:?} {} {:?}",
                    member.offset,
                    member.name,
                    image.type_name(member.ty),
                    member.bits
                );
            }
            println!("size {}", record.size);
        }
    }
    println!("{:?} {}", image.problems(), memory());
    Ok(())
}
