//! A small module for each CPU and DWARF version, whole and damaged.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use kwhy_base::{Arch, ImageAddr};
use kwhy_image::{Image, ImageKind, Place, Scope, ScopeKind, Type, TypeId};

const X86: &[u8] = include_bytes!("data/shapes-x86_64-dwarf5.o");
const ARM: &[u8] = include_bytes!("data/shapes-arm64-dwarf4.o");

fn images() -> [Image<'static>; 2] {
    [Image::parse(X86).unwrap(), Image::parse(ARM).unwrap()]
}

#[test]
fn what_the_files_are() {
    let [x86, arm] = images();
    assert_eq!((x86.arch(), arm.arch()), (Arch::X86_64, Arch::Arm64));
    for image in [x86, arm] {
        assert_eq!(image.kind(), &ImageKind::Module(Some("shapes".into())));
        assert_eq!(image.release().as_deref(), Some("6.1.0-test"));
        assert!(image.has_dwarf());
        assert_eq!(image.banner(), None);
    }
}

#[test]
fn symbols_and_sections_of_a_module_are_laid_out() {
    for image in images() {
        let lookup = image.symbols_named("lookup").remove(0);
        assert!(lookup.function && lookup.global);
        let same = image.symbol_at(lookup.address.offset(4)).unwrap();
        assert_eq!(same.name, "lookup");
        // The last function of the code region reaches to the end of its last page.
        assert_eq!((lookup.address.0 + lookup.size) % 4096, 0);
        let begin = image.symbols_named("begin").remove(0);
        assert_eq!(image.section_at(begin.address).unwrap().name, ".init.text");
        assert_ne!(image.section_at(lookup.address).unwrap().name, ".init.text");
        let walk =
            image.symbols_named("walk").into_iter().chain(image.symbols_named("walk.constprop.0")).next();
        assert!(walk.is_some_and(|walk| walk.address < lookup.address));
        assert_eq!(image.symbols_named("outside"), []);
        let calls: Vec<_> = image
            .relocations(lookup.address..lookup.address.offset(lookup.elf_size as i64))
            .into_iter()
            .filter(|(_, relocation)| relocation.symbol == "outside")
            .collect();
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].1.address, None);
        assert!(image.bytes(lookup.address, 8).unwrap().len() == 8);
        assert_eq!(image.bytes(ImageAddr(16), 8), None);
    }
}

/// Every place in the function's code where `visit` is true of the scope chain.
fn code(image: &Image<'_>, name: &str) -> Vec<ImageAddr> {
    let function = image.function_at(image.symbols_named(name).remove(0).address).unwrap();
    let range = function.ranges[0].clone();
    (range.start.0..range.end.0).map(ImageAddr).collect()
}

#[test]
fn functions_inlines_and_variables() {
    for image in images() {
        let walk = ["walk", "walk.constprop.0", "walk.isra.0"]
            .iter()
            .find(|name| !image.symbols_named(name).is_empty())
            .unwrap();
        let function = image.function_at(image.symbols_named(walk)[0].address.offset(4)).unwrap();
        assert_eq!(&*function.name, "walk");
        let names: Vec<&str> = function.body.variables.iter().map(|variable| &*variable.name).collect();
        assert!(names.starts_with(&["node", "wanted"]) && names.contains(&"steps"), "{names:?}");
        assert!(function.body.variables[0].parameter);
        assert_eq!(image.type_name(function.body.variables[0].ty.unwrap()), "struct node *");
        assert!(matches!(function.body.variables[1].place_at(function.entry), Some(Place::Register(_))));

        let inlined =
            code(&image, walk).into_iter().find(|place| image.source_at(*place).len() == 2).unwrap();
        let frames = image.source_at(inlined);
        assert_eq!((&*frames[0].function, &*frames[1].function), ("number_of", "walk"));
        assert!(frames.iter().all(|frame| frame.file.as_deref() == Some("shapes.c")), "{frames:?}");
        assert_eq!((frames[0].line, frames[1].line), (Some(44), Some(52)));
        let chain = function.body.chain(inlined);
        assert!(
            chain.iter().any(
                |scope| matches!(&scope.kind, ScopeKind::Inlined { name, .. } if &**name == "number_of")
            )
        );

        let rows = image.lines(function.ranges[0].clone());
        assert!(rows.windows(2).all(|rows| rows[0].address < rows[1].address));
        assert!(rows[0].address <= function.ranges[0].start && rows.iter().any(|row| row.line == 44));
        assert!(image.cfa_at(function.entry).is_some(), "CFA at the entry");
    }
}

#[test]
fn types_and_prototypes() {
    for image in images() {
        let near = image.symbols_named("lookup").remove(0).address;
        let id = image.find_type("struct node").unwrap();
        assert_eq!(image.find_type_near("struct node", near), Some(id));
        let Type::Record(node) = image.type_of(id) else { panic!("not a record") };
        let offsets: Vec<(Option<&str>, u64)> =
            node.members.iter().map(|member| (member.name.as_deref(), member.offset)).collect();
        assert_eq!(
            offsets,
            [
                (Some("next"), 0),
                (None, 8),
                (Some("flags"), 24),
                (Some("colour"), 40),
                (Some("grid"), 44),
                (Some("call"), 96),
                (Some("other"), 104),
                (Some("tail"), 112)
            ]
        );
        let named = |name: &str| {
            let member = node.members.iter().find(|member| member.name.as_deref() == Some(name)).unwrap();
            image.type_name(member.ty)
        };
        assert_eq!(named("grid"), "int[3][4]");
        assert_eq!(named("tail"), "u32[]");
        assert_eq!(named("call"), "int (*)(struct node *, char *)");
        assert_eq!(named("other"), "struct opaque *");
        assert_eq!(image.size_of(id), Some(112));
        let grid = node.members.iter().find(|member| member.name.as_deref() == Some("grid")).unwrap();
        assert_eq!(image.size_of(grid.ty), Some(48));
        let Type::Record(flags) = image.type_of(image.find_type("struct flags").unwrap()) else { panic!() };
        let bits: Vec<Option<(u64, u64)>> = flags.members.iter().map(|member| member.bits).collect();
        assert_eq!(bits, [Some((0, 3)), Some((3, 10)), Some((16, 16)), Some((64, 40))].to_vec());
        let Type::Enum { values, .. } = image.type_of(image.find_type("enum colour").unwrap()) else {
            panic!()
        };
        assert_eq!(values[1], ("GREEN".into(), 5));
        assert_eq!(values[2].1, -1);
        let other = node.members.iter().find(|member| member.name.as_deref() == Some("other")).unwrap();
        let Type::Pointer(opaque) = image.type_of(other.ty) else { panic!() };
        assert_eq!(image.size_of(opaque), None, "a struct that is only declared has no size");

        let outside = image.prototype("outside", near).unwrap();
        assert_eq!(outside.parameters.len(), 2);
        assert_eq!(image.type_name(outside.parameters[0].1.unwrap()), "struct node *");
        assert_eq!(image.prototype("lookup", near).unwrap().parameters[1].0.as_deref(), Some("text"));

        let first = image.symbols_named("first").remove(0);
        let global = image.global_at(first.address, near).unwrap();
        assert_eq!((&*global.name, image.type_name(global.ty.unwrap()).as_str()), ("first", "struct node *"));
        let counters = image.symbols_named("counters").remove(0);
        let inside = image.global_at(counters.address.offset(8), near).unwrap();
        assert_eq!(
            (inside.address, image.type_name(inside.ty.unwrap()).as_str()),
            (counters.address, "int[4]")
        );
    }
}

/// Asks everything there is to ask; must return.
fn ask_everything(data: &[u8]) {
    let Ok(image) = Image::parse(data) else { return };
    let mut addresses: Vec<ImageAddr> = Vec::new();
    for name in ["walk", "lookup", "begin", "first", "counters", "outside"] {
        for symbol in image.symbols_named(name) {
            addresses.extend(
                (0..symbol.elf_size.min(64)).step_by(7).map(|offset| symbol.address.offset(offset as i64)),
            );
        }
        let near = addresses.last().copied().unwrap_or(ImageAddr(0));
        image.prototype(name, near);
    }
    addresses.push(ImageAddr(u64::MAX));
    for address in addresses {
        image.symbol_at(address);
        image.section_at(address);
        image.source_at(address);
        image.cfa_at(address);
        image.global_at(address, address);
        let range = address..ImageAddr(address.0.saturating_add(64));
        image.lines(range.clone());
        image.relocations(range.clone());
        image.patch_sites(range);
        if let Some(function) = image.function_at(address) {
            ask_scope(&image, &function.body, address);
        }
    }
    for name in ["struct node", "struct flags", "enum colour", "u32", "union nothing"] {
        if let Some(id) = image.find_type(name) {
            ask_type(&image, id, 6);
        }
    }
    image.release();
    image.problems();
}

fn ask_scope(image: &Image<'_>, scope: &Scope, address: ImageAddr) {
    for scope in scope.chain(address) {
        for variable in &scope.variables {
            let _ = variable.place_at(address);
            if let Some(ty) = variable.ty {
                ask_type(image, ty, 4);
            }
        }
    }
}

fn ask_type(image: &Image<'_>, id: TypeId, depth: usize) {
    image.type_name(id);
    image.size_of(id);
    image.strip(id);
    if depth == 0 {
        return;
    }
    match image.type_of(id) {
        Type::Pointer(target) | Type::Typedef { target, .. } | Type::Array { element: target, .. } => {
            ask_type(image, target, depth - 1);
        }
        Type::Record(record) => {
            for member in record.members.iter().take(20) {
                ask_type(image, member.ty, depth - 1);
            }
        }
        _ => {}
    }
}

#[test]
fn cut_off_files_are_no_catastrophe() {
    for data in [X86, ARM] {
        for length in (0..data.len()).step_by(97) {
            ask_everything(&data[..length]);
        }
    }
}

#[test]
fn damaged_bytes_are_no_catastrophe() {
    // The same numbers in every run.
    let mut state = 42u64;
    let mut next = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    for data in [X86, ARM] {
        for _ in 0..400 {
            let mut damaged = data.to_vec();
            for _ in 0..1 + next(12) {
                let place = next(damaged.len());
                damaged[place] = [0, 1, 0x7f, 0x80, 0xff, next(256) as u8][next(6)];
            }
            ask_everything(&damaged);
        }
    }
}

#[test]
fn a_function_that_ends_past_the_last_address_is_damage() {
    // walk() is 0x38 bytes long, which its DW_AT_high_pc says in eight bytes.
    let mut damaged = X86.to_vec();
    let size = 0x38u64.to_le_bytes();
    let places: Vec<usize> = (0..damaged.len() - 8).filter(|at| damaged[*at..*at + 8] == size).collect();
    for at in places {
        damaged[at..at + 8].copy_from_slice(&u64::MAX.to_le_bytes());
    }
    ask_everything(&damaged);
    let image = Image::parse(&damaged).unwrap();
    let walk = image.symbols_named("walk").remove(0);
    assert_eq!(image.function_at(walk.address), None);
    assert!(image.problems().iter().any(|problem| problem.contains("past the last address")));
}

#[test]
fn files_that_are_something_else() {
    let words = |data: &[u8]| Image::parse(data).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(words(b"").contains("not an ELF file"));
    assert!(words(b"#!/bin/sh\nexit 0\n#################").contains("not an ELF file"));
    assert!(words(&[&[0x1f, 0x8b][..], &[0; 40]].concat()).contains("gzip"));
    let mut other = X86.to_vec();
    other[18] = 3; // EM_386
    other[4] = 1; // ELFCLASS32
    assert!(words(&other).contains("i386"), "{}", words(&other));
    let mut big = X86.to_vec();
    big[5] = 2; // ELFDATA2MSB
    big[18..20].copy_from_slice(&[0, 22]); // EM_S390
    assert!(words(&big).contains("s390x"), "{}", words(&big));
    assert!(words(&X86[..200]).contains("damaged ELF"), "{}", words(&X86[..200]));
}
