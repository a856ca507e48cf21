//! A call into memory where a module was: blame goes to what should have taken the callback back
//! when the module was unloaded.

use crate::names::base_name;
use crate::origin::Ctx;
use crate::origin::memory::place;
use kwhy_arch::{Region, classify_address};
use kwhy_base::catalogue::blame as say;
use kwhy_base::prose;
use kwhy_image::{Image, Symbol};
use kwhy_report::model::{Blame, Grade};

/// Modules are loaded at the start of a page (`module_alloc()`); of the pages' sizes this is the
/// smallest, so that what lies lower than it is the same in the file and in memory.
const PAGE: u64 = 0x1000;
/// In a module of more functions one of them begins at any offset into a page sooner or later.
const FEW: usize = 16;

/// The blame where control went to the modules' memory and the log says which module left last.
pub fn by_unloaded(ctx: &Ctx<'_, '_, '_>) -> Option<Blame> {
    let facts = ctx.facts;
    if !facts.places.pc_is_garbage {
        return None;
    }
    let target = facts.fault.best?;
    // Under KASLR the modules' area of ARM64 is known by its neighbours only.
    let sure = match classify_address(facts.arch()?, target, &facts.space).region {
        Region::Module => true,
        Region::KernelOther => false,
        _ => return None,
    };
    let left = facts.record.modules.iter().find(|module| module.last_unloaded)?;
    // It may be back: then its code is where it was said to be.
    if facts.record.modules.iter().any(|module| !module.last_unloaded && module.name == left.name) {
        return None;
    }
    let (index, image) = ctx.images.used_for(Some(&left.name))?;
    let [exit] = <[Symbol; 1]>::try_from(image.symbols_named("cleanup_module")).ok()?;
    let spot = place(ctx, index, exit.address).unwrap_or_default();
    let function = spot.function.as_deref().map_or("cleanup_module", base_name).to_owned();
    let callback = at_offset(image, target);
    if !sure && callback.is_none() {
        return None;
    }
    let (grade, reason) = match callback {
        Some(callback) => {
            let callback = base_name(&callback.name).to_owned();
            let reason = prose!(
                say::UNLOADED,
                module = &left.name,
                line = left.line,
                function = &function,
                callback = callback
            );
            (Grade::Likely, reason)
        }
        None => {
            let reason =
                prose!(say::UNLOADED_PERHAPS, module = &left.name, line = left.line, function = &function);
            (Grade::Possible, reason)
        }
    };
    Some(Blame {
        function: Some(function),
        file: spot.file,
        line: spot.line,
        module: Some(left.name.clone()),
        grade,
        reason: reason.into(),
    })
}

/// The function that begins as far into its page as control went to, in the code that stays after
/// the module was initialised.
fn at_offset(image: &Image<'_>, target: u64) -> Option<Symbol> {
    let text = image
        .function_addresses()
        .into_iter()
        .filter(|at| image.section_at(*at).is_some_and(|section| section.name == ".text"));
    let text: Vec<_> = text.collect();
    if text.len() > FEW {
        return None;
    }
    let start = text.iter().map(|at| at.0).min()?.checked_div(PAGE)?.checked_mul(PAGE)?;
    let wanted = target.checked_rem(PAGE)?;
    let found = text.into_iter().filter(|at| at.0.wrapping_sub(start).checked_rem(PAGE) == Some(wanted));
    found.filter_map(|at| image.symbol_at(at)).find(|symbol| symbol.function)
}
