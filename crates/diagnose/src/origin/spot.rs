//! Places in the source, in the terms of the function that their reader thinks in.

use super::{Ctx, module_of};
use crate::names::base_name;
use kwhy_base::ImageAddr;
use kwhy_image::Image;

/// A place in the source and in an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// Index of the image among those of the crash, and the instruction; `None` for data.
    pub code: Option<(usize, ImageAddr)>,
    /// The function whose source line it is.
    pub function: Option<String>,
    /// File.
    pub file: Option<String>,
    /// Line.
    pub line: Option<u32>,
    /// The module; `None` for the kernel.
    pub module: Option<String>,
}

/// The source line of an instruction: the function's own, not that of a kernel header's helper.
pub fn spot(ctx: &Ctx<'_, '_, '_>, index: usize, at: ImageAddr) -> Spot {
    let module = module_of(ctx, index);
    match ctx.images.image(index) {
        Some(image) => spot_in(image, index, module.as_deref(), at),
        None => Spot { module, ..Spot::default() },
    }
}

/// The same for an image that is at hand.
pub fn spot_in(image: &Image<'_>, index: usize, module: Option<&str>, at: ImageAddr) -> Spot {
    let levels = levels(image, index, module, at);
    let own = first_own(&levels);
    levels.into_iter().nth(own).unwrap_or_else(|| Spot {
        code: Some((index, at)),
        function: image.symbol_at(at).map(|symbol| base_name(&symbol.name).to_owned()),
        file: None,
        line: None,
        module: module.map(str::to_owned),
    })
}

/// The source levels at an instruction, innermost first, kernel headers' helpers and all. Without
/// debug information there is one: the function of the symbol.
pub fn levels(image: &Image<'_>, index: usize, module: Option<&str>, at: ImageAddr) -> Vec<Spot> {
    let frames = image.source_at(at);
    if frames.is_empty() {
        let symbol = image.symbol_at(at).filter(|symbol| symbol.function);
        return symbol.map(|symbol| by_symbol(&symbol.name, index, module, at)).into_iter().collect();
    }
    frames
        .into_iter()
        .map(|frame| Spot {
            code: Some((index, at)),
            function: Some(frame.function.to_string()),
            file: frame.file.as_ref().map(ToString::to_string),
            line: frame.line,
            module: module.map(str::to_owned),
        })
        .collect()
}

/// A place of which no more is known than the function.
fn by_symbol(symbol: &str, index: usize, module: Option<&str>, at: ImageAddr) -> Spot {
    Spot {
        code: Some((index, at)),
        function: Some(base_name(symbol).to_owned()),
        file: None,
        line: None,
        module: module.map(str::to_owned),
    }
}

/// The innermost level that is not in one of the kernel's own headers.
pub fn first_own(levels: &[Spot]) -> usize {
    let shared = |spot: &Spot| {
        spot.file.as_deref().is_some_and(|file| {
            file.ends_with(".h") && (file.starts_with("include/") || file.contains("/include/"))
        })
    };
    levels.iter().position(|spot| !shared(spot)).unwrap_or(0)
}
