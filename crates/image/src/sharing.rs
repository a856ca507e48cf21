//! Whose types are whose: a module's build on its kernel's, and either may be kept apart from its
//! image (`/sys/kernel/btf`).

use crate::ImageKind;
use crate::image::Image;
use std::collections::{BTreeMap, BTreeSet};

/// Functions of a BTF that are looked for among a kernel's symbols.
const ASKED: usize = 512;
/// Of them so many may be missing: what pahole describes is in the kernel's symbol table, under
/// this name or with a suffix of the compiler's.
const MISSING: usize = 2;

/// What became of the types of an image that has nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TypesUse {
    /// Every image has types of its own, or there is none that these could be of.
    Unneeded,
    /// A kernel or a module has its types from here.
    Used,
    /// They are of another build: of so many functions that they describe, so many are no symbols
    /// of the kernel.
    OtherBuild {
        /// Functions that were looked for.
        asked: usize,
        /// Those that are not there.
        missing: usize,
    },
    /// They count on from a kernel's types, and there are none.
    WithoutBase,
}

/// Gives types to the images (with their files' names) that have none of their own: modules have
/// their kernel's, of their own release where there are several; kernels and modules those that
/// were given by themselves, where they fit.
pub fn share_types(images: &[(&str, &Image<'_>)]) {
    let alone: Vec<_> = images.iter().filter(|(_, image)| image.is_types_only()).collect();
    let with_code = || images.iter().map(|(_, image)| *image).filter(|image| !image.is_types_only());
    let kernels: Vec<&Image<'_>> = with_code().filter(|image| *image.kind() == ImageKind::Kernel).collect();
    let bases: Vec<&Image<'_>> =
        alone.iter().map(|(_, image)| *image).filter(|image| !image.splits_types()).collect();
    for kernel in &kernels {
        if kernel.has_dwarf() || kernel.raw_types().is_some() {
            continue;
        }
        for base in &bases {
            let fit = fit(base, kernel);
            base.lent.set(fit);
            if fit == TypesUse::Used {
                kernel.use_types_of(base);
                break;
            }
        }
    }
    for (_, split) in alone.iter().filter(|(_, image)| image.splits_types()) {
        split.lent.set(TypesUse::WithoutBase);
        let kernel = kernels.iter().find(|kernel| kernel.btf().is_some()).or(bases.first());
        if let Some(kernel) = kernel {
            split.lent.set(TypesUse::Unneeded);
            split.use_types_of(kernel);
        }
    }
    for (name, module) in images.iter().filter(|(_, image)| *image.kind() != ImageKind::Kernel) {
        let own = kernels.iter().find(|kernel| kernel.release() == module.release());
        // Of a kernel that is not there the types may be.
        let base = own.copied().or(bases.first().copied().filter(|_| kernels.is_empty()));
        let Some(base) = base else { continue };
        if let Some((_, split)) = alone
            .iter()
            .find(|(file, image)| image.splits_types() && same_module(file, name, module))
            .filter(|_| module.raw_types().is_none() && base.btf().is_some())
        {
            module.use_own_types(split);
            split.lent.set(TypesUse::Used);
        }
        module.use_types_of(base);
        if base.is_types_only() {
            base.lent.set(TypesUse::Used);
        }
    }
}

/// Whether the file of types is called as the module is.
fn same_module(types: &str, file: &str, module: &Image<'_>) -> bool {
    let stem = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name.split('.').next().unwrap_or(name).replace('-', "_")
    };
    match module.kind() {
        ImageKind::Module(Some(name)) => name.replace('-', "_") == stem(types),
        _ => stem(file) == stem(types),
    }
}

/// Whether the types are of the kernel's build, as far as its symbols tell.
fn fit(types: &Image<'_>, kernel: &Image<'_>) -> TypesUse {
    let Some(btf) = types.btf() else { return TypesUse::Unneeded };
    let count = btf.function_names().count();
    let mut missing: BTreeMap<&str, bool> =
        btf.function_names().step_by(count.div_ceil(ASKED).max(1)).map(|name| (name, true)).collect();
    let asked = missing.len();
    let wanted: BTreeSet<&str> = missing.keys().copied().collect();
    let is_wanted = |name: &str, _| wanted.contains(name.split('.').next().unwrap_or(name));
    for name in kernel.symbols.names_where(&is_wanted) {
        if let Some(is_missing) = missing.get_mut(name.split('.').next().unwrap_or(&name)) {
            *is_missing = false;
        }
    }
    let missing = missing.values().filter(|is_missing| **is_missing).count();
    if missing <= MISSING { TypesUse::Used } else { TypesUse::OtherBuild { asked, missing } }
}
