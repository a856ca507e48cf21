//! `BUG: KASAN: double-free in F`, `BUG kmalloc-64: Object already free`: an object was freed
//! that was free already, or a pointer was freed that no allocation returned.

use super::{Case, SLUB_DEBUG, quoted};
use crate::context::Facts;
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    for words in ["double-free", "Object already free", "invalid-free", "invalid free"] {
        if let Some(said) = facts.says(words) {
            let grade = if words.starts_with("invalid") { Grade::Likely } else { Grade::Proved };
            return Some(
                Case::new(grade, prose!(verdict::ST_DOUBLE_FREE))
                    .with([quoted(said)])
                    .check(prose!(verdict::WHY_SLUB_DEBUG), SLUB_DEBUG),
            );
        }
    }
    // set_freepointer() of mm/slub.c: BUG_ON(object == fp), the cheap double-free check.
    let assertion = facts.record.assertion.as_ref().filter(|_| facts.is(Family::Bug))?;
    let (file, _) = &assertion.value;
    let freeing = facts.places.chain().iter().any(|place| {
        place.at.symbol.as_deref().map(|symbol| symbol.trim_start_matches('_')).is_some_and(|symbol| {
            ["kfree", "kmem_cache_free", "slab_free"].iter().any(|free| symbol.starts_with(free))
        })
    });
    if file != "mm/slub.c" || !freeing {
        return None;
    }
    Some(
        Case::new(Grade::Likely, prose!(verdict::ST_DOUBLE_FREE))
            .with([quoted((assertion.line, &facts.record.header)), prose!(say::SLUB_DOUBLE_FREE_CHECK)])
            .check(prose!(verdict::WHY_SLUB_DEBUG), SLUB_DEBUG),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, detected, headed};
    use kwhy_oops::{Frame, Located};

    #[test]
    fn the_allocators_words_are_believed() {
        let record = headed(Family::Kasan, "BUG: KASAN: double-free in drop_it+0x20/0x40");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
    }

    #[test]
    fn an_assertion_in_the_allocator_while_freeing_is_likely_one() {
        let mut record = headed(Family::Bug, "kernel BUG at mm/slub.c:379!");
        record.assertion = Some(Located { value: ("mm/slub.c".into(), 379), line: 1 });
        assert!(detected(&record, detect).is_none(), "nothing is being freed");
        record.frames = vec![Frame { at: at("kfree"), reliable: true, inline: false, line: 9 }];
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Likely));
        record.frames = vec![Frame { at: at("__slab_free"), reliable: true, inline: false, line: 9 }];
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Likely));
    }
}
