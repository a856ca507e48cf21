//! From an offset into a type to the members that lie there.

use kwhy_image::{Image, Member, Type, TypeId};

/// A way from a type to what an access touches.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// As C writes it after the object's name: `.target`, `.mkobj.kobj.name`, `[3].x`; empty for the object itself.
    pub text: String,
    /// The type found at its end; `None` for a bit-field's or an incomplete one.
    pub ty: Option<TypeId>,
    /// How well the access fits what is there.
    pub fit: Fit,
    /// For a bit-field: first bit from the start of the whole object, and width.
    pub bits: Option<(u64, u64)>,
    /// Another member fits the access as well (a union), so that the choice is the first declared.
    pub ambiguous: bool,
}

/// How well an access fits a member, best last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// The access starts inside a scalar.
    Inside,
    /// The access starts at a member but is wider than it (a copy of several members at once).
    Wider,
    /// The access starts at a scalar and is narrower.
    Narrower,
    /// The access reads the storage of a bit-field.
    Bits,
    /// The access is the scalar exactly.
    Exact,
}

/// What an access is relative to a typed object.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a> {
    /// Byte offset from the object's start; for an indexed access the constant part.
    pub offset: i64,
    /// Bytes accessed; 0 when only an address is formed.
    pub width: u8,
    /// The index expression and what it is multiplied by, for `base + i * scale + offset`.
    pub index: Option<(&'a str, u64)>,
}

/// The ways into `ty`, best first.
#[must_use]
pub fn paths(image: &Image<'_>, ty: TypeId, spot: Spot<'_>) -> Vec<Path> {
    let mut search = Search { image, found: Vec::new(), budget: 4_000 };
    search.descend(ty, spot, String::new(), 0);
    let mut found = search.found;
    // A stable sort: among equals the first declared member wins.
    found.sort_by_key(|path| std::cmp::Reverse(path.fit));
    if let [first, second, ..] = found.as_mut_slice()
        && first.fit == second.fit
        && first.bits == second.bits
    {
        first.ambiguous = true;
    }
    found
}

struct Search<'i, 'd> {
    image: &'i Image<'d>,
    found: Vec<Path>,
    /// Bounds the work on hostile types.
    budget: u32,
}

const MAX_DEPTH: u32 = 24;

impl Search<'_, '_> {
    fn descend(&mut self, ty: TypeId, spot: Spot<'_>, text: String, depth: u32) {
        if depth > MAX_DEPTH || self.budget == 0 {
            return;
        }
        self.budget -= 1;
        match self.image.strip(ty) {
            Type::Record(record) => {
                // The address of an embedded struct is the struct's, not its first member's.
                if spot.width == 0 && spot.offset == 0 && spot.index.is_none() && !text.is_empty() {
                    self.found.push(Path {
                        text,
                        ty: Some(ty),
                        fit: Fit::Exact,
                        bits: None,
                        ambiguous: false,
                    });
                    return;
                }
                for member in &record.members {
                    self.member(member, spot, &text, depth);
                }
            }
            Type::Array { .. }
                if spot.width == 0 && spot.offset == 0 && spot.index.is_none() && !text.is_empty() =>
            {
                self.found.push(Path { text, ty: Some(ty), fit: Fit::Exact, bits: None, ambiguous: false });
            }
            Type::Array { element, count } => self.array(element, count, spot, &text, depth),
            Type::Base { size, .. } | Type::Enum { size, .. } => self.scalar(ty, size, spot, text),
            Type::Pointer(_) => self.scalar(ty, 8, spot, text),
            Type::Void | Type::Function { .. } | Type::Typedef { .. } => {}
        }
    }

    fn member(&mut self, member: &Member, spot: Spot<'_>, text: &str, depth: u32) {
        let start = member.offset as i64;
        let size = self.image.size_of(member.ty).map_or(0, |size| size as i64);
        let text = match &member.name {
            Some(name) => format!("{text}.{name}"),
            None => text.to_owned(),
        };
        if let Some((first, width)) = member.bits {
            let last_byte = (first.saturating_add(width).saturating_sub(1) / 8) as i64;
            let first_byte = (first / 8) as i64;
            let end = spot.offset.saturating_add(i64::from(spot.width.max(1)));
            if member.name.is_some() && spot.index.is_none() && spot.offset <= first_byte && last_byte < end {
                self.found.push(Path {
                    text,
                    ty: Some(member.ty),
                    fit: Fit::Bits,
                    bits: Some((first, width)),
                    ambiguous: false,
                });
            }
            return;
        }
        // A flexible or zero-length array at the end has no size and takes all that follows.
        let open_ended = size == 0 && matches!(self.image.strip(member.ty), Type::Array { .. });
        // An indexed access may start before its array: `a[i - 1]` has a smaller constant part.
        let reaches = match spot.index {
            Some((_, scale)) => spot.offset.saturating_add(scale as i64) > start,
            None => spot.offset >= start,
        };
        let inside = spot.offset < start.saturating_add(size) || open_ended;
        if reaches && inside {
            let inner = Spot { offset: spot.offset.wrapping_sub(start), ..spot };
            self.descend(member.ty, inner, text, depth + 1);
        }
    }

    fn array(&mut self, element: TypeId, count: Option<u64>, spot: Spot<'_>, text: &str, depth: u32) {
        let Some(size) = self.image.size_of(element).filter(|size| *size > 0) else { return };
        let constant = spot.offset.div_euclid(size as i64);
        let rest = spot.offset.rem_euclid(size as i64);
        match spot.index {
            Some((index, scale)) if scale == size => {
                let subscript = match constant {
                    0 => index.to_owned(),
                    1.. => format!("{index} + {constant}"),
                    _ => format!("{index} - {}", constant.unsigned_abs()),
                };
                let inner = Spot { offset: rest, index: None, ..spot };
                self.descend(element, inner, format!("{text}[{subscript}]"), depth + 1);
            }
            // A larger element holds the array that the index is for.
            Some((_, scale)) if size > scale && constant >= 0 => {
                let inner = Spot { offset: rest, ..spot };
                self.descend(element, inner, format!("{text}[{constant}]"), depth + 1);
            }
            Some(_) => {}
            None => {
                let within = constant >= 0 && count.is_none_or(|n| (constant as u64) < n.max(1));
                if within {
                    let inner = Spot { offset: rest, ..spot };
                    self.descend(element, inner, format!("{text}[{constant}]"), depth + 1);
                }
            }
        }
    }

    fn scalar(&mut self, ty: TypeId, size: u64, spot: Spot<'_>, text: String) {
        // A bitmap of one word is handed over as a bare `unsigned long`, and set_bit() indexes it.
        if let Some((_, scale)) = spot.index {
            let member = !text.is_empty();
            if member && spot.offset == 0 && scale == size && u64::from(spot.width) == size {
                self.found.push(Path { text, ty: Some(ty), fit: Fit::Inside, bits: None, ambiguous: true });
            }
            return;
        }
        if spot.offset < 0 || spot.offset as u64 >= size.max(1) {
            return;
        }
        let fit = match (spot.offset, u64::from(spot.width)) {
            (0, 0) => Fit::Exact,
            (0, width) if width == size => Fit::Exact,
            (0, width) if width < size => Fit::Narrower,
            (0, _) => Fit::Wider,
            _ => Fit::Inside,
        };
        self.found.push(Path { text, ty: Some(ty), fit, bits: None, ambiguous: false });
    }
}

/// Joins a pointer's text and a path into an lvalue's text: `p` and `.x` make `p->x`.
#[must_use]
pub fn join(pointer: &str, path: &str) -> String {
    if let Some(object) = pointer.strip_prefix('&')
        && is_postfix(object)
    {
        return if path.is_empty() { object.to_owned() } else { format!("{object}{path}") };
    }
    let base = if is_postfix(pointer) { pointer.to_owned() } else { format!("({pointer})") };
    if let Some(member) = path.strip_prefix('.') {
        format!("{base}->{member}")
    } else if path.is_empty() {
        format!("*{base}")
    } else {
        // The pointee is an array: `(*p)[i]`.
        format!("(*{base}){path}")
    }
}

/// Whether `text` can take `->`, `.` or `[…]` without parentheses.
#[must_use]
pub fn is_postfix(text: &str) -> bool {
    let mut depth = 0i32;
    let mut chars = text.chars();
    if !chars.next().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '(') {
        return false;
    }
    // `(T *)x` starts with a parenthesis that closes before the end of a primary expression.
    if text.starts_with('(') {
        let close = matching(text);
        if close.is_none_or(|at| {
            text.get(at + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        }) {
            return false;
        }
    }
    let mut previous = ' ';
    for c in text.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ' ' if depth == 0 => return false,
            '+' | '*' | '/' | '&' | '|' | '^' | '<' if depth == 0 => return false,
            '-' if depth == 0 => {}
            '>' if depth == 0 && previous != '-' => return false,
            _ => {}
        }
        previous = c;
    }
    true
}

fn matching(text: &str) -> Option<usize> {
    let mut depth = 0i32;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{is_postfix, join};

    #[test]
    fn pointers_and_paths_join_as_in_c() {
        assert_eq!(join("use->target", ".holders_dir"), "use->target->holders_dir");
        assert_eq!(join("&table", ".slots[i].next"), "table.slots[i].next");
        assert_eq!(join("s", ""), "*s");
        assert_eq!(join("(struct foo *)x21", ".a"), "((struct foo *)x21)->a");
        assert_eq!(join("&dev", ""), "dev");
        assert_eq!(join("a + 8", ".b"), "(a + 8)->b");
        assert_eq!(join("f(a, b)", ".b"), "f(a, b)->b");
        assert!(is_postfix("a[i + 1].b->c"));
        assert!(!is_postfix("*p"));
    }
}
