//! The functions that are looked at: those of the modules of the log, each read once for a question.

use super::Ctx;
use crate::images::normal;
use crate::origin::{Spot, spot_in};
use kwhy_base::ImageAddr;
use kwhy_flow::scene::Scene;
use kwhy_flow::writes::Write;
use kwhy_image::{Image, ImageKind, StaticVariable};
use std::rc::Rc;

/// Modules with more functions than this are read only where the value was and where the trace
/// goes: their stores are for the index.
const MAX_FUNCTIONS: usize = 2000;

/// One function.
pub struct Known<'o, 'd> {
    /// Index of the image.
    pub image: usize,
    /// The function.
    pub scene: Rc<Scene<'o, 'd>>,
    /// What it writes.
    pub writes: Vec<Write>,
    /// 0 where the trace goes through its module, 1 for other modules, 2 for the kernel.
    pub distance: u8,
    /// The trace goes through the function itself.
    pub on_stack: bool,
}

/// All of them.
pub struct Survey<'o, 'd> {
    /// The functions, those of the trace's modules first.
    pub functions: Vec<Known<'o, 'd>>,
    /// The images that they are of, by index, nearest first.
    pub images: Vec<(usize, u8)>,
}

impl<'o, 'd> Survey<'o, 'd> {
    /// The modules of the log, read once for all questions about a crash.
    pub fn of(ctx: &Ctx<'_, 'o, 'd>) -> Rc<Survey<'o, 'd>> {
        ctx.scenes.survey(|| Survey::new(ctx))
    }

    fn new(ctx: &Ctx<'_, 'o, 'd>) -> Survey<'o, 'd> {
        let images = modules(ctx);
        let mut functions = Vec::new();
        for (index, distance) in &images {
            let Some(image) = ctx.images.image(*index) else { continue };
            let mut entries = image.function_addresses();
            entries.truncate(MAX_FUNCTIONS);
            let mut seen: Vec<ImageAddr> = Vec::new();
            for entry in entries {
                let Some(scene) = ctx.scenes.of(*index, entry) else { continue };
                // Split-off parts are read with the function that they are of.
                if seen.contains(&scene.code.entry) {
                    continue;
                }
                seen.push(scene.code.entry);
                let on_stack = ctx.facts.places.chain().iter().any(|place| {
                    place.image == Some(*index)
                        && place.address.is_some_and(|at| scene.code.index_of(at).is_some())
                });
                let writes = scene.writes();
                functions.push(Known { image: *index, scene, writes, distance: *distance, on_stack });
            }
        }
        Survey { functions, images }
    }

    /// The calls of a function of an image, from any function read: who, and where.
    pub fn calls_of(&self, image: usize, entry: ImageAddr) -> Vec<(&Known<'o, 'd>, ImageAddr)> {
        let here = self.functions.iter().filter(|known| known.image == image);
        here.flat_map(|known| {
            let calls = known.scene.calls().into_iter();
            calls.filter(|(_, target)| *target == Some(entry)).map(move |(at, _)| (known, at))
        })
        .collect()
    }

    /// The function of an image that begins at `entry`.
    pub fn function(&self, image: usize, entry: ImageAddr) -> Option<&Known<'o, 'd>> {
        self.functions.iter().find(|known| known.image == image && known.scene.code.entry == entry)
    }

    /// The variables of an image that have a place of their own.
    pub fn statics(&self, image: &Image<'_>) -> Vec<StaticVariable> {
        let units = image.units();
        // A kernel has more than anybody looks through.
        if units.len() > MAX_FUNCTIONS {
            return Vec::new();
        }
        if units.is_empty() && !matches!(image.kind(), ImageKind::Kernel) {
            return by_symbols(image);
        }
        units.into_iter().flat_map(|unit| image.statics_of(unit)).collect()
    }
}

/// The images of the modules in the log: of the trace (0), of the module list (1).
fn modules(ctx: &Ctx<'_, '_, '_>) -> Vec<(usize, u8)> {
    let mut found: Vec<(usize, u8)> = Vec::new();
    let trace = ctx.facts.places.here().into_iter().chain(&ctx.facts.places.frames);
    let trace = trace.filter_map(|place| place.at.module.as_deref()).map(|name| (name, 0));
    let listed = ctx.facts.record.modules.iter().filter(|module| !module.last_unloaded);
    let listed = listed.map(|module| (module.name.as_str(), 1));
    for (name, distance) in trace.chain(listed) {
        if let Some((index, _)) = ctx.images.used_for(Some(&normal(name)))
            && !found.iter().any(|(known, _)| *known == index)
        {
            found.push((index, distance));
        }
    }
    found
}

/// A module's variables without debug information: its symbols of data. Their types are not known.
fn by_symbols(image: &Image<'_>) -> Vec<StaticVariable> {
    let mut symbols = image.symbols_where(&|_| true);
    symbols.retain(|symbol| {
        let data = image.section_at(symbol.address).is_some_and(|section| !section.executable);
        !symbol.function && symbol.elf_size > 0 && data && !symbol.name.starts_with("__UNIQUE_ID")
    });
    symbols.sort_by(|a, b| (a.address, &a.name).cmp(&(b.address, &b.name)));
    symbols.dedup_by_key(|symbol| symbol.address);
    let variables = symbols.into_iter().map(|symbol| StaticVariable {
        name: symbol.name.into(),
        ty: None,
        address: symbol.address,
        declared: None,
    });
    variables.collect()
}

/// How many bytes a variable has: by its type, else by its symbol.
pub fn size_of(image: &Image<'_>, variable: &StaticVariable) -> u64 {
    let by_type = variable.ty.and_then(|ty| image.size_of(ty));
    let by_symbol = || image.symbol_at(variable.address).map(|symbol| symbol.elf_size);
    by_type.or_else(by_symbol).unwrap_or(1).max(1)
}

/// Where an instruction is in the source, in the function that its reader thinks in.
pub fn spot(image: &Image<'_>, index: usize, at: ImageAddr) -> Spot {
    spot_in(image, index, module(image).as_deref(), at)
}

/// Where a variable is defined.
pub fn definition(image: &Image<'_>, variable: &StaticVariable) -> Spot {
    Spot {
        code: None,
        function: None,
        file: variable.declared.as_ref().map(|(file, _)| file.to_string()),
        line: variable.declared.as_ref().map(|(_, line)| *line),
        module: module(image),
    }
}

/// The module's name; `None` for the kernel.
fn module(image: &Image<'_>) -> Option<String> {
    match image.kind() {
        ImageKind::Module(name) => name.clone(),
        ImageKind::Kernel => None,
    }
}
