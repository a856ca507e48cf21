//! Every question there is to ask of an image and of its code.

use kwhy_base::{Arch, ImageAddr, Lang, Reg};
use kwhy_flow::insn::{self, Insn};
use kwhy_flow::scene::Scene;
use kwhy_image::{Image, Scope, Symbol, Type, TypeId};
use std::collections::BTreeSet;

/// Where the seeds' code starts: a module's layout, and the two small kernels among the seeds.
const STARTS: [u64; 3] = [0x1000_0000, 0xffff_ffff_8100_0000, 0xffff_8000_1000_0000];
/// Symbols and types of the seeds.
const NAMES: [&str; 9] =
    ["walk", "lookup", "begin", "first", "counters", "outside", "linux_banner", "init_module", ""];
const TYPES: [&str; 7] =
    ["struct node", "struct flags", "enum colour", "u32", "union nothing", "struct module", ""];
/// One input is given so many functions and types, so that a large one does not pass for a hang.
const MOST_SYMBOLS: usize = 24;
const MOST_TYPES: usize = 400;
const MOST_INSNS: usize = 400;

/// The symbols found by name and by walking from where code starts.
pub fn symbols(image: &Image<'_>) -> Vec<Symbol> {
    let mut found: Vec<Symbol> = NAMES.iter().flat_map(|name| image.symbols_named(name)).collect();
    for start in STARTS {
        let mut at = start;
        for _ in 0..MOST_SYMBOLS {
            let Some(symbol) = image.symbol_at(ImageAddr(at)) else { break };
            let next = symbol.address.0.saturating_add(symbol.elf_size.max(1));
            at = next.max(at.saturating_add(1));
            found.push(symbol);
        }
    }
    found.truncate(MOST_SYMBOLS);
    found
}

/// Everything about an image that is not its code's meaning.
pub fn image(data: &[u8]) {
    let Ok(data) = kwhy_image::unpack(data) else { return };
    let Ok(image) = Image::parse(&data) else { return };
    // A module's BTF builds on a kernel's; any image will do for one.
    image.use_types_of(&image);
    image.own_records();
    image.shared_records();
    let mut places = vec![ImageAddr(0), ImageAddr(u64::MAX)];
    for symbol in symbols(&image) {
        let last = symbol.size.max(symbol.elf_size).saturating_sub(1);
        for offset in [0, 4, last / 2, last] {
            places.push(ImageAddr(symbol.address.0.wrapping_add(offset)));
        }
        image.prototype(&symbol.name, symbol.address);
        image.global_named(&symbol.name, symbol.address);
    }
    let mut types = BTreeSet::new();
    for address in places {
        let range = address..ImageAddr(address.0.saturating_add(64));
        image.symbol_at(address);
        image.section_at(address);
        image.source_at(address);
        image.cfa_at(address);
        image.string_at(address, 64);
        image.bytes(address, 64);
        image.lines(range.clone());
        image.relocations(range.clone());
        image.patch_sites(range);
        types.extend(image.global_at(address, address).and_then(|global| global.ty));
        if let Some(function) = image.function_at(address) {
            scope(&image, &function.body, address, &mut types);
        }
        for name in TYPES {
            types.extend(image.find_type_near(name, address));
        }
    }
    types.extend(TYPES.iter().filter_map(|name| image.find_type(name)));
    closure(&image, types);
    image.release();
    image.banner();
    image.build_id();
    image.problems();
}

fn scope(image: &Image<'_>, body: &Scope, address: ImageAddr, types: &mut BTreeSet<TypeId>) {
    let prototypes = body.chain(address).into_iter().flat_map(|scope| &scope.variables);
    for variable in prototypes {
        let _ = variable.place_at(address);
        types.extend(variable.ty);
        image.global_named(&variable.name, address);
    }
}

/// Each type and those it is made of.
fn closure(image: &Image<'_>, mut open: BTreeSet<TypeId>) {
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop_first() {
        if seen.len() >= MOST_TYPES || !seen.insert(id) {
            continue;
        }
        image.type_name(id);
        image.size_of(id);
        image.strip(id);
        match image.type_of(id) {
            Type::Pointer(target) | Type::Typedef { target, .. } | Type::Array { element: target, .. } => {
                open.insert(target);
            }
            Type::Record(record) => open.extend(record.members.iter().take(64).map(|member| member.ty)),
            _ => {}
        }
    }
}

/// Decodes `code` from its start to its end.
pub fn code(arch: Arch, code: &[u8], address: ImageAddr) {
    let mut rest = code;
    let mut address = address;
    for _ in 0..MOST_INSNS {
        if rest.is_empty() {
            break;
        }
        let step = match insn::decode(arch, rest, address) {
            Some(insn) => {
                assert!(insn.len > 0 && usize::from(insn.len) <= rest.len(), "{insn:?}");
                one(&insn);
                usize::from(insn.len)
            }
            None => {
                if arch == Arch::Arm64 {
                    4
                } else {
                    1
                }
            }
        };
        rest = rest.get(step..).unwrap_or_default();
        address = ImageAddr(address.0.wrapping_add(step as u64));
    }
    if let Some(value) = code.first_chunk::<8>() {
        let _ = insn::plausible_code(arch, u64::from_le_bytes(*value));
    }
}

fn one(insn: &Insn) {
    assert!(!insn.text().is_empty());
    let _ = insn.accesses();
    let prose = kwhy_flow::explain::explain(insn, &kwhy_flow::explain::NoNames);
    let _ = (prose.render(Lang::En), prose.render(Lang::Zh));
}

/// The meaning of the functions of an image; `pick` chooses the instructions asked about.
pub fn functions(data: &[u8], pick: u64) {
    let Ok(image) = Image::parse(data) else { return };
    let functions: Vec<Symbol> = symbols(&image).into_iter().filter(|symbol| symbol.function).collect();
    let register = |reg: Reg| Some(pick.wrapping_mul(u64::from(reg.0) | 1));
    for symbol in functions.iter().take(6) {
        let Some(scene) = Scene::new(&image, symbol.address) else { continue };
        let count = scene.code.insns.len();
        let asked = (0..count).filter(|at| count < 64 || (*at as u64).wrapping_add(pick).is_multiple_of(7));
        for at in asked.take(64) {
            let Some(insn) = scene.code.insns.get(at) else { break };
            let pc = insn.address;
            one(insn);
            if let Some(recovered) = scene.recover(pc, Some(pick), &register) {
                let _ = kwhy_flow::expr::effective_address(&recovered.memory, &register);
                let _ = recovered.base.map(|base| (scene.roots(base), scene.argument_roots(base)));
            }
            let _ = scene.trap_condition(pc);
            let _ = scene.call_target(pc);
            let _ = scene.callee_name(pc);
            let _ = scene.arguments(pc, scene.call_arity(pc).unwrap_or(3));
            if let Some(cpu) = kwhy_arch::cpu(image.arch()) {
                for argument in cpu.arguments.iter().take(2) {
                    let _ = scene.argument_terms(pc, *argument);
                    let _ = scene.holds(pc, *argument);
                }
            }
        }
    }
}
