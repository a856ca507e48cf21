//! Whose doing it probably is.
//!
//! Asked in this order: what the cause itself says of whom to blame (`rules.rs`), whom the trail
//! of the bad value leads to (`trail.rs`), who stands first in the call trace (`trace.rs`). None
//! of these is ever a proof: that a function stored the value, or did not check it, can be seen;
//! that it should have done otherwise is a judgement.

mod live;
mod rules;
mod trace;
mod trail;
mod unloaded;

use crate::expression::{Expressed, Sort};
use crate::origin::{Ctx, Trail, reports};
use kwhy_report::model::{Blame, Grade, Hypothesis};

pub use live::reorder;
pub use trace::blame as by_trace;

/// The blame of this crash; `None` where no function is named at all.
pub fn blame(
    ctx: &Ctx<'_, '_, '_>,
    expressed: &Expressed,
    trail: &Trail,
    hypotheses: &[Hypothesis],
) -> Option<Blame> {
    let cause = hypotheses.first().map(|best| best.cause.as_str());
    let trail = live::sorted(ctx, expressed, trail);
    // What a failed check looked at is no value that somebody followed.
    // Nor is what the report itself recorded of the past.
    let followed = expressed.sort != Sort::Check && !reports::speaks(ctx);
    let mut blame = rules::by_cause(ctx, expressed, &trail, cause)
        .or_else(|| trail::by_trail(ctx, expressed, &trail).filter(|_| followed))
        .or_else(|| trace::blame(ctx.facts, expressed.handed_on()))?;
    // Without the code nobody sees who handed the function what, and without debug information
    // nobody sees what was inlined into it: the mistake may be in that.
    let image = ctx.images.used_for(blame.module.as_deref());
    if image.is_none_or(|(_, image)| !image.has_dwarf()) {
        blame.grade = blame.grade.max(Grade::Possible);
    }
    Some(blame)
}
