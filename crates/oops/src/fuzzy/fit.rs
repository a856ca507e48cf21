//! Which shape a line fits best.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::shape::{self, Shape};
use super::shapes::{PLAIN, SHAPES};

/// Shapes by the first byte of their fixed text; those that begin with a hole under 0.
static BY_HEAD: LazyLock<BTreeMap<u8, Vec<&'static Shape>>> = LazyLock::new(|| {
    let mut all: BTreeMap<u8, Vec<&'static Shape>> = BTreeMap::new();
    for shape in SHAPES.iter() {
        all.entry(shape.head.bytes().next().unwrap_or(0)).or_default().push(shape);
    }
    all
});

/// Whether `text` is a line of a report without any slip.
pub(super) fn is_plain(text: &str) -> bool {
    let Some(first) = text.bytes().next() else { return false };
    [first, 0].iter().filter_map(|head| BY_HEAD.get(head)).flatten().any(|shape| shape.is(text))
}

/// A line brought into the shape that it fits best.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    /// What that costs.
    pub cost: u32,
    /// The line as it is meant.
    pub text: String,
    /// The sort of line.
    pub kind: &'static str,
}

/// Lays lines over all shapes, each line once, and not without end.
pub(super) struct Fitter {
    known: BTreeMap<String, Option<Fit>>,
    left: u32,
}

impl Default for Fitter {
    fn default() -> Fitter {
        /// Several times what a report takes in which every line is damaged.
        const MOST: u32 = 20_000;
        Fitter { known: BTreeMap::new(), left: MOST }
    }
}

impl Fitter {
    /// The best fit of `body`, whose blanks at both ends are off.
    pub fn fit(&mut self, body: &str) -> Option<Fit> {
        if let Some(known) = self.known.get(body) {
            return known.clone();
        }
        let bag = shape::bag(body);
        let mut best: Option<Fit> = None;
        for shape in SHAPES.iter().filter(|shape| shape.name != PLAIN && shape.may_hold(&bag)) {
            self.left = self.left.checked_sub(1)?;
            let limit =
                best.as_ref().map_or(shape.limit, |best| shape.limit.min(best.cost.saturating_sub(1)));
            if let Some((cost, pieces)) = shape.lay(body, limit) {
                let text = pieces.iter().filter_map(|piece| piece.meant).collect();
                best = Some(Fit { cost, text, kind: shape.name });
            }
        }
        self.known.insert(body.to_owned(), best.clone());
        best
    }

    /// What it costs to bring `body` into shape.
    pub fn cost(&mut self, body: &str) -> Option<u32> {
        self.fit(body).map(|fit| fit.cost)
    }
}
