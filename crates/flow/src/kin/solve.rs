//! What each class points to: the first that speaks of a declaration, an allocation, what is
//! stored there, and the one struct that fits.

use super::{Cell, Found, Kin, Spotted, Use, Why};
use crate::path::{self, Fit, Spot};
use kwhy_image::{Image, Type, TypeId};
use std::rc::Rc;

/// How deep a struct is searched for one that it embeds.
const MAX_DEPTH: u32 = 4;
/// How far what is read is followed for what is done with it.
const DEEPEST: u32 = 2;
/// Uses that it takes to pick one of all the kernel's structs.
const LEAST_FOR_KERNEL: usize = 2;

/// What it takes for one of all the kernel's structs: a member that leads to what a declaration
/// speaks of, or the name of the list that it is on.
const CONFIRMED: Score = 7;

/// How well a candidate is confirmed, beyond that nothing contradicts it: by members that must be
/// pointers to what they are followed as, and by the name that a list's head and its nodes share.
type Score = u32;

impl Kin {
    /// Decides what can be decided, surest first.
    pub(super) fn solve(&mut self, image: &Image<'_>) {
        let roots: Vec<usize> = self.facts.keys().copied().collect();
        for late in [false, true, false] {
            for _ in 0..8 {
                let mut news = false;
                for root in &roots {
                    if self.types.borrow().get(root).is_some_and(Option::is_some) {
                        continue;
                    }
                    let found = self.early(image, *root).or_else(|| {
                        if late { self.by_elimination(image, *root, &image.own_records()) } else { None }
                    });
                    if let Some(found) = found {
                        self.pass_on(image, *root, &found);
                        self.types.borrow_mut().insert(*root, Some(found));
                        news = true;
                    }
                }
                if !news {
                    break;
                }
            }
        }
    }

    /// What a class points to; of a class that nothing else spoke of, the kernel's own structs are
    /// asked now.
    pub(super) fn type_of(&self, image: &Image<'_>, root: usize) -> Option<Found> {
        if let Some(found) = self.types.borrow().get(&root).cloned().flatten() {
            return Some(found);
        }
        if !self.asked.borrow_mut().insert(root) {
            return None;
        }
        let facts = self.facts.get(&root)?;
        // A module that does not say what its own structs are has some that nobody knows of: that
        // one of the kernel's fits says nothing then.
        let kernel = matches!(image.kind(), kwhy_image::ImageKind::Kernel);
        let all_known = kernel || !image.own_records().is_empty();
        let pointers = facts.uses.iter().any(|one| self.is_followed(root, one));
        if !all_known || facts.uses.len() < LEAST_FOR_KERNEL || !pointers || facts.object.is_some() {
            return None;
        }
        // Among so many one fits by chance, but for what its members lead to.
        let found = self.by_elimination(image, root, &image.shared_records())?;
        let score = self.fits_all(image, root, found.ty, found.at)?;
        let score = score + self.named_alike(image, root, found.ty, found.at);
        if score < CONFIRMED {
            return None;
        }
        self.types.borrow_mut().insert(root, Some(found.clone()));
        Some(found)
    }

    /// What members of a class that are pointers tell of what is read from them and stored there.
    fn pass_on(&mut self, image: &Image<'_>, root: usize, found: &Found) {
        let first = Cell { root, offset: i64::MIN, strides: (0, 0) };
        let read = self.cells.range(first..).map(|(cell, term)| (*cell, *term, 0));
        let mut pointers: Vec<(Cell, usize, i64)> = read.take_while(|(cell, ..)| cell.root == root).collect();
        for (cell, values) in self.stores.range(first..).take_while(|(cell, _)| cell.root == root) {
            pointers.extend(values.iter().map(|value| (*cell, value.term, value.plus)));
        }
        for (cell, term, plus) in pointers {
            let one = Use { offset: cell.offset, width: 8, strides: cell.strides, written: false };
            let Some(path) = self.paths(image, root, &one, found.ty, found.at).into_iter().next() else {
                continue;
            };
            let Some(Type::Pointer(to)) = path.ty.map(|ty| image.strip(ty)) else { continue };
            if path.fit != Fit::Exact || path.ambiguous || !matches!(image.strip(to), Type::Record(_)) {
                continue;
            }
            let (target, delta) = self.classes.borrow().find(term);
            let at = delta.wrapping_add(plus);
            let why = Why::Member(format!("{}{}", image.type_name(found.ty), path.text));
            let facts = self.facts.entry(target).or_default();
            let known = facts.told.iter().any(|(place, ty, _)| *place == at && *ty == to);
            if !known && facts.told.len() < 32 {
                facts.told.push((at, to, why));
            }
        }
    }

    /// By declarations, allocations and what is stored.
    fn early(&self, image: &Image<'_>, root: usize) -> Option<Found> {
        let facts = self.facts.get(&root)?;
        let mut told: Option<(u64, Found)> = None;
        for (at, ty, why) in &facts.told {
            let at = at.wrapping_neg();
            let size = image.size_of(*ty).unwrap_or(0);
            if told.as_ref().is_none_or(|(other, _)| size > *other)
                && self.fits_all(image, root, *ty, at).is_some()
            {
                told = Some((size, Found { ty: *ty, at, why: why.clone() }));
            }
        }
        if let Some((_, found)) = told {
            return Some(found);
        }
        for (start, size, why) in &facts.sizes {
            let own = image.own_records();
            let sized = own.iter().filter(|ty| image.size_of(**ty) == Some(*size));
            let at = start.wrapping_neg();
            if let Some((ty, at)) = self.only(image, root, sized.map(|ty| (*ty, at))) {
                return Some(Found { ty, at, why: why.clone() });
            }
        }
        self.stored(image, root)
    }

    /// By the types of what is stored where the class's members are read.
    fn stored(&self, image: &Image<'_>, root: usize) -> Option<Found> {
        let facts = self.facts.get(&root)?;
        let mut found: Option<(Found, Why)> = None;
        let shared = self.shared_sources(image, root);
        for (delta, source) in facts.sources.iter().chain(&shared) {
            let cell = self.cell(*source);
            if cell.root == root {
                continue;
            }
            let known = self.types.borrow().get(&cell.root).cloned().flatten();
            let one = match known {
                Some(known) => {
                    let at = known.at.wrapping_add(cell.offset).wrapping_sub(*delta);
                    let fits = self.fits_all(image, root, known.ty, at).is_some();
                    fits.then_some((Found { at, ..known }, Why::Stored))
                }
                None => self.made(image, root, &cell, *delta),
            };
            let Some((one, why)) = one else { continue };
            match &found {
                Some((other, _)) if other.at == one.at && tag(image, other.ty) == tag(image, one.ty) => {}
                Some(_) => return None,
                None => found = Some((one, why)),
            }
        }
        found.map(|(found, why)| Found { why, ..found })
    }

    /// What is stored was allocated with a size that several structs have, of which one alone fits
    /// what is done with it where it is read.
    fn made(&self, image: &Image<'_>, root: usize, source: &Cell, delta: i64) -> Option<(Found, Why)> {
        let (start, size, why) = self.facts.get(&source.root)?.sizes.first()?;
        let at = source.offset.wrapping_sub(*start).wrapping_sub(delta);
        let own = image.own_records();
        let sized = own.iter().filter(|ty| image.size_of(**ty) == Some(*size));
        let (ty, at) = self.only(image, root, sized.map(|ty| (*ty, at)))?;
        Some((Found { ty, at, why: why.clone() }, why.clone()))
    }

    /// What is stored into the same `void *` member of other objects of one type: what
    /// `private_data` holds is what any function of the module puts there.
    fn shared_sources(&self, image: &Image<'_>, root: usize) -> Vec<(i64, Spotted)> {
        let mut found = Vec::new();
        for (cell, term) in &self.cells {
            let (target, delta) = self.classes.borrow().find(*term);
            if target != root {
                continue;
            }
            let Some(member) = self.open_member(image, cell) else { continue };
            for (other, values) in &self.stores {
                if other.root != cell.root && self.open_member(image, other).as_ref() == Some(&member) {
                    found.extend(values.iter().map(|value| (delta, *value)));
                }
            }
        }
        found
    }

    /// The `void *` member that a place is: the innermost struct that has it, and where.
    fn open_member(&self, image: &Image<'_>, cell: &Cell) -> Option<(Rc<str>, i64)> {
        let found = self.types.borrow().get(&cell.root).cloned().flatten()?;
        let (mut ty, mut at) = (found.ty, cell.offset.wrapping_add(found.at));
        if cell.strides != (0, 0) {
            return None;
        }
        for _ in 0..8 {
            let Type::Record(record) = image.strip(ty) else { return None };
            let member = record.members.iter().find(|member| {
                let start = member.offset as i64;
                let size = image.size_of(member.ty).unwrap_or(0) as i64;
                member.bits.is_none() && (start..start.saturating_add(size)).contains(&at)
            })?;
            match image.strip(member.ty) {
                Type::Record(_) => {
                    at = at.wrapping_sub(member.offset as i64);
                    ty = member.ty;
                }
                Type::Pointer(to) => {
                    let void = matches!(image.strip(to), Type::Void) && member.offset as i64 == at;
                    return record.name.clone().filter(|_| void).map(|name| (name, at));
                }
                _ => return None,
            }
        }
        None
    }

    /// The one struct of `records` that fits.
    fn by_elimination(&self, image: &Image<'_>, root: usize, records: &[TypeId]) -> Option<Found> {
        let facts = self.facts.get(&root)?;
        let count = facts.uses.len();
        if count == 0 {
            return None;
        }
        let outside = facts.uses.iter().any(|one| {
            one.offset < 0
                || facts.told.iter().any(|(at, ty, _)| {
                    let size = image.size_of(*ty).unwrap_or(0) as i64;
                    !(*at..at.saturating_add(size)).contains(&one.offset)
                })
        });
        if let Some((start, size)) = facts.object {
            // One access to a variable tells nothing of it.
            if size <= 8 || count < 2 && facts.uses.iter().all(|one| one.strides == (0, 0)) {
                return None;
            }
            let at = start.wrapping_neg();
            let sized = records.iter().filter(|ty| image.size_of(**ty) == Some(size));
            let (ty, at) = self.only(image, root, sized.map(|ty| (*ty, at)))?;
            return Some(Found { ty, at, why: Why::Sized(size) });
        }
        // Elements of one size are of one type.
        let stride = facts.uses.iter().map(|one| one.strides.0).max().filter(|stride| *stride > 8);
        let inner = facts.told.iter().min_by_key(|(at, ty, _)| (*at, tag(image, *ty)));
        let found = match inner {
            // Members of something around what the declarations speak of.
            Some((at, ty, _)) if outside || !facts.told.is_empty() => {
                let name = tag(image, *ty)?;
                let mut places = Vec::new();
                for outer in records {
                    let all = places_of(image, *outer, &name);
                    places.extend(all.into_iter().map(|place| (*outer, place.wrapping_sub(*at))));
                }
                self.only(image, root, places.into_iter())
            }
            _ if outside => None,
            _ => self.only(image, root, records.iter().map(|ty| (*ty, 0))).or_else(|| {
                let sized = records.iter().filter(|ty| stride.is_some() && image.size_of(**ty) == stride);
                self.only(image, root, sized.map(|ty| (*ty, 0)))
            }),
        };
        let (ty, at) = found?;
        Some(Found { ty, at, why: Why::Only(count) })
    }

    /// The one candidate that everything fits, or of several the one that most confirms.
    fn only(
        &self,
        image: &Image<'_>,
        root: usize,
        candidates: impl Iterator<Item = (TypeId, i64)>,
    ) -> Option<(TypeId, i64)> {
        let mut best: Option<(Score, TypeId, i64)> = None;
        let mut tied = false;
        for (ty, at) in candidates {
            let Some(score) = self.fits_all(image, root, ty, at) else { continue };
            let score = score + self.named_alike(image, root, ty, at);
            match best {
                Some((_, other, place)) if place == at && tag(image, other) == tag(image, ty) => {}
                Some((other, ..)) if other > score => {}
                Some((other, ..)) if other == score => tied = true,
                _ => {
                    best = Some((score, ty, at));
                    tied = false;
                }
            }
        }
        best.filter(|_| !tied).map(|(_, ty, at)| (ty, at))
    }

    /// Lists are threaded through members that are called what their heads are called: a cursor
    /// that is read from `mod->target_list.next` is the `target_list` of something.
    fn named_alike(&self, image: &Image<'_>, root: usize, ty: TypeId, at: i64) -> Score {
        let node = Spot { offset: at, width: 0, index: None };
        let Some(node) = path::paths(image, ty, node).into_iter().next() else { return 0 };
        let last = |text: &str| text.rsplit('.').find(|part| !part.is_empty()).map(str::to_owned);
        let Some(name) = last(&node.text) else { return 0 };
        let alike = self.cells.iter().any(|(cell, term)| {
            let (target, delta) = self.classes.borrow().find(*term);
            if target != root || delta != 0 || cell.root == root {
                return false;
            }
            let Some(head) = self.types.borrow().get(&cell.root).cloned().flatten() else { return false };
            let one = Use { offset: cell.offset, width: 8, strides: cell.strides, written: false };
            let path = self.paths(image, cell.root, &one, head.ty, head.at).into_iter().next();
            path.is_some_and(|path| path.text.split('.').any(|part| part == name))
        });
        if alike { 8 } else { 0 }
    }

    /// Whether everything that is done with a class is done with members of `ty`, where the root
    /// points `at` bytes into it; how well it is confirmed.
    fn fits_all(&self, image: &Image<'_>, root: usize, ty: TypeId, at: i64) -> Option<Score> {
        let facts = self.facts.get(&root)?;
        let mut score = 0;
        for one in &facts.uses {
            score += self.fits(image, root, one, ty, at, 0)?;
        }
        for (place, inner, _) in &facts.told {
            let within = at.wrapping_add(*place);
            let same = within == 0 && tag(image, *inner) == tag(image, ty);
            let name = tag(image, *inner);
            // A pointer that is moved through an array is handed over as an element of it.
            if !same && !name.is_some_and(|name| places_of(image, ty, &name).contains(&within)) {
                return None;
            }
            score += 2;
        }
        Some(score)
    }

    /// Whether a value that is read there is followed, or handed over as a pointer.
    fn is_followed(&self, root: usize, one: &Use) -> bool {
        let cell = Cell { root, offset: one.offset, strides: one.strides };
        let Some(term) = self.cells.get(&cell).filter(|_| one.width == 8) else { return false };
        let (target, _) = self.classes.borrow().find(*term);
        self.facts.get(&target).is_some_and(|facts| !facts.uses.is_empty() || !facts.told.is_empty())
    }

    /// The ways into `ty` that an access takes.
    fn paths(&self, image: &Image<'_>, root: usize, one: &Use, ty: TypeId, at: i64) -> Vec<path::Path> {
        let Some(size) = image.size_of(ty).filter(|size| *size > 0) else { return Vec::new() };
        let mut offset = one.offset.wrapping_add(at);
        let (mut outer, inner) = one.strides;
        let moved = self.classes.borrow().steps.get(&root).is_some_and(|steps| steps.contains(&size));
        if outer > 0 && outer.is_multiple_of(size) {
            offset = offset.rem_euclid(size as i64);
            outer = inner;
        } else if moved {
            offset = offset.rem_euclid(size as i64);
        }
        let open = open_ended(image, ty);
        if offset < 0 || offset as u64 >= size && !open {
            return Vec::new();
        }
        let index = (outer > 0).then_some(("…", outer));
        path::paths(image, ty, Spot { offset, width: one.width, index })
    }

    fn fits(
        &self,
        image: &Image<'_>,
        root: usize,
        one: &Use,
        ty: TypeId,
        at: i64,
        depth: u32,
    ) -> Option<Score> {
        let followed = self.is_followed(root, one);
        let paths = self.paths(image, root, one, ty, at);
        // A struct that is copied in whole is no access to a member.
        // Constants for neighbours are written at once.
        let whole = image.size_of(ty) == Some(u64::from(one.width)) || one.width > 8 || one.written;
        if !followed && whole && paths.iter().any(|path| path.fit >= Fit::Wider) {
            return Some(0);
        }
        let mut best = None;
        for path in paths.into_iter().filter(|path| path.fit >= Fit::Narrower) {
            let exact = path.fit == Fit::Exact || one.width <= 8 && path.fit == Fit::Bits;
            let score = if followed {
                match path.ty.map(|ty| image.strip(ty)) {
                    Some(Type::Pointer(to)) => self.leads_on(image, root, one, to, depth),
                    _ => None,
                }
            } else if exact {
                Some(u32::from(!path.ambiguous))
            } else {
                (one.width < 8).then_some(0)
            };
            best = best.max(score);
        }
        best
    }

    /// Whether what is done with a value that was read is done with members of `to`.
    fn leads_on(&self, image: &Image<'_>, root: usize, one: &Use, to: TypeId, depth: u32) -> Option<Score> {
        let cell = Cell { root, offset: one.offset, strides: one.strides };
        let term = self.cells.get(&cell)?;
        let (target, delta) = self.classes.borrow().find(*term);
        let facts = self.facts.get(&target)?;
        let Type::Record(record) = image.strip(to) else {
            // `void *` may be anything; text and numbers are no structs.
            let void = matches!(image.strip(to), Type::Void);
            let structs = facts.told.iter().any(|(at, ..)| *at == delta);
            return (void || !structs).then_some(0);
        };
        let mut score = 1;
        for (at, inner, _) in &facts.told {
            let within = at.wrapping_sub(delta);
            let same = within == 0 && tag(image, *inner) == record.name;
            let name = tag(image, *inner);
            let around = |name: Rc<str>| places_of(image, to, &name).contains(&within);
            // A small struct is a list's entry or the like: what is around it is not told by it.
            let inside = record.size <= 32 && !(0..record.size as i64).contains(&within);
            if same {
                score += 6;
            } else if name.is_some_and(around) {
                score += 3;
            } else if !inside {
                return None;
            }
        }
        if depth < DEEPEST && record.size > 32 {
            let at = delta.wrapping_neg();
            for next in &facts.uses {
                // What is around a struct that is embedded somewhere is not told by it either.
                score += self.fits(image, target, next, to, at, depth + 1)?;
            }
        }
        Some(score)
    }
}

/// A struct's name.
pub(super) fn tag(image: &Image<'_>, ty: TypeId) -> Option<Rc<str>> {
    match image.strip(ty) {
        Type::Record(record) => record.name.clone(),
        _ => None,
    }
}

/// Whether a struct ends in an array without a size.
fn open_ended(image: &Image<'_>, ty: TypeId) -> bool {
    let Type::Record(record) = image.strip(ty) else { return false };
    let last = record.members.last().filter(|_| !record.union);
    last.is_some_and(|last| matches!(image.strip(last.ty), Type::Array { count: None | Some(0), .. }))
}

/// Where a struct embeds one of that name, itself excluded.
pub(super) fn places_of(image: &Image<'_>, outer: TypeId, inner: &str) -> Vec<i64> {
    let mut found = Vec::new();
    let mut work = vec![(outer, 0i64, 0u32)];
    let mut budget = 400u32;
    while let Some((ty, at, depth)) = work.pop() {
        let Some(left) = budget.checked_sub(1) else { break };
        budget = left;
        match image.strip(ty) {
            Type::Record(record) => {
                if record.name.as_deref() == Some(inner) {
                    if depth > 0 {
                        found.push(at);
                    }
                    continue;
                }
                if depth < MAX_DEPTH {
                    let plain = record.members.iter().filter(|member| member.bits.is_none());
                    work.extend(plain.map(|m| (m.ty, at.wrapping_add(m.offset as i64), depth + 1)));
                }
            }
            // The first few elements of an array of structs, such as a table of list heads.
            Type::Array { element, count } if depth < MAX_DEPTH => {
                let size = image.size_of(element).unwrap_or(0) as i64;
                if matches!(image.strip(element), Type::Record(_)) {
                    let some = count.unwrap_or(0).min(16) as i64;
                    work.extend(
                        (0..some).map(|i| (element, at.wrapping_add(i.wrapping_mul(size)), depth + 1)),
                    );
                }
            }
            _ => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
