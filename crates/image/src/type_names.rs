//! Questions about types that need no more than [`Image::type_of`]: sizes, names, lookups.

use crate::btf;
use crate::dwarf_types::{Key, MAX_CHAIN};
use crate::image::Image;
use crate::types::{Type, TypeId};
use crate::units::{Debug, Names, Unit};
use gimli::{DwTag, UnitOffset};
use kwhy_base::ImageAddr;
use std::rc::Rc;

/// How deep types inside types are followed; hostile ones may contain themselves.
const MAX_DEPTH: usize = 40;

impl<'d> Image<'d> {
    pub(crate) fn read_type(&self, id: TypeId) -> Type {
        if let Some(known) = self.types.read.borrow().get(&id) {
            return known.clone();
        }
        let read = match self.key_of(id) {
            Key::Void => Some(Type::Void),
            Key::Dwarf(offset) => self.read_dwarf_type(offset, 0),
            Key::Dimension(offset, dimension) => self.read_dwarf_type(offset, dimension),
            Key::Btf(number) => self.read_btf_type(number),
        };
        let read = read.unwrap_or(Type::Void);
        self.types.read.borrow_mut().insert(id, read.clone());
        read
    }

    /// Follows typedefs; the type they end in, with its id.
    pub(crate) fn stripped(&self, mut id: TypeId) -> (TypeId, Type) {
        for _ in 0..MAX_CHAIN {
            match self.read_type(id) {
                Type::Typedef { target, .. } => id = target,
                other => return (id, other),
            }
        }
        (TypeId(0), Type::Void)
    }

    pub(crate) fn type_size(&self, id: TypeId, depth: usize) -> Option<u64> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.stripped(id).1 {
            Type::Void | Type::Function { .. } | Type::Typedef { .. } => None,
            Type::Base { size, .. } | Type::Enum { size, .. } => Some(size).filter(|size| *size > 0),
            Type::Pointer(_) => Some(8),
            // An empty struct is complete and has size 0; one that is only declared has none.
            Type::Record(record) if record.size == 0 && record.members.is_empty() => {
                (!self.only_declared(id)).then_some(0)
            }
            Type::Record(record) => Some(record.size),
            Type::Array { element, count } => self.type_size(element, depth + 1)?.checked_mul(count?),
        }
    }

    /// Whether a record is a mere declaration.
    fn only_declared(&self, id: TypeId) -> bool {
        let (id, _) = self.stripped(id);
        match self.key_of(id) {
            Key::Dwarf(offset) => (|| {
                let debug = self.debug()?;
                let unit = debug.unit_of_die(offset)?;
                let entry = debug.entry(&unit, UnitOffset(offset.checked_sub(unit.offset)?))?;
                entry.attr_value(gimli::DW_AT_declaration).map(|_| ())
            })()
            .is_some(),
            Key::Btf(number) => self.btf().is_none_or(|btf| btf.is_forward(number)),
            _ => true,
        }
    }

    /// A type's name as C writes it without a variable.
    pub(crate) fn spelled(&self, id: TypeId) -> String {
        let mut declarator = String::new();
        let mut id = id;
        for _ in 0..MAX_DEPTH {
            let base = match self.read_type(id) {
                Type::Void => "void".to_owned(),
                Type::Base { name, .. } | Type::Typedef { name, .. } => name.to_string(),
                Type::Record(record) => {
                    let keyword = if record.union { "union" } else { "struct" };
                    match &record.name {
                        Some(name) => format!("{keyword} {name}"),
                        None => format!("{keyword} {{…}}"),
                    }
                }
                Type::Enum { name, .. } => match name {
                    Some(name) => format!("enum {name}"),
                    None => "enum {…}".to_owned(),
                },
                Type::Pointer(target) => {
                    let binds_late =
                        matches!(self.read_type(target), Type::Array { .. } | Type::Function { .. });
                    declarator =
                        if binds_late { format!("(*{declarator})") } else { format!("*{declarator}") };
                    id = target;
                    continue;
                }
                Type::Array { element, count } => {
                    match count {
                        Some(count) => declarator.push_str(&format!("[{count}]")),
                        None => declarator.push_str("[]"),
                    }
                    id = element;
                    continue;
                }
                Type::Function { returns, parameters } => {
                    let listed: Vec<String> = if declarator.len() > 400 {
                        vec!["…".to_owned()]
                    } else {
                        parameters.iter().map(|parameter| self.parameter_name(*parameter)).collect()
                    };
                    let listed = if listed.is_empty() { "void".to_owned() } else { listed.join(", ") };
                    declarator.push_str(&format!("({listed})"));
                    id = returns;
                    continue;
                }
            };
            return match declarator.as_bytes().first() {
                None => base,
                Some(b'[') => base + &declarator,
                Some(_) => format!("{base} {declarator}"),
            };
        }
        "…".to_owned()
    }

    /// A parameter's type. Function types among them are shortened: their own parameters may
    /// lead back here.
    fn parameter_name(&self, id: TypeId) -> String {
        let mut at = id;
        let mut stars = String::new();
        for _ in 0..MAX_DEPTH {
            match self.read_type(at) {
                Type::Pointer(target) => {
                    stars.push('*');
                    at = target;
                }
                Type::Array { element, .. } => at = element,
                Type::Function { .. } => return format!("… ({stars})(…)"),
                _ => return self.spelled(id),
            }
        }
        "…".to_owned()
    }

    pub(crate) fn type_named(&self, name: &str) -> Option<TypeId> {
        let (keyword, tag) = split_keyword(name);
        if let Some(btf) = self.btf() {
            if let Some(number) = btf.find(btf::kinds(keyword), tag).into_iter().next() {
                return Some(self.intern(Key::Btf(number)));
            }
            return None;
        }
        // Without BTF: unit by unit, those that are loaded already first come for free.
        let debug = self.debug()?;
        debug
            .headers()
            .iter()
            .filter_map(|(offset, _)| debug.unit(*offset))
            .find_map(|unit| self.type_in_unit(debug, &unit, keyword, tag))
    }

    /// The one definition of a struct or union that a unit only declares. Where files define
    /// different ones under that name, it is not known which is meant.
    pub(crate) fn only_definition(&self, keyword: &str, tag: &str) -> Option<TypeId> {
        let Some(btf) = self.btf() else { return self.type_named(&format!("{keyword} {tag}")) };
        match btf.find(btf::kinds(keyword), tag).as_slice() {
            [number] => Some(self.intern(Key::Btf(*number))),
            _ => None,
        }
    }

    pub(crate) fn type_named_near(&self, name: &str, near: ImageAddr) -> Option<TypeId> {
        let Some(debug) = self.debug() else { return self.type_named(name) };
        let (keyword, tag) = split_keyword(name);
        let unit = debug.unit_at(near.0)?;
        self.type_in_unit(debug, &unit, keyword, tag)
    }

    /// The definition of a type in a unit.
    pub(crate) fn type_in(&self, debug: &Debug<'d>, unit: &Rc<Unit<'d>>, name: &str) -> Option<TypeId> {
        let (keyword, tag) = split_keyword(name);
        self.type_in_unit(debug, unit, keyword, tag)
    }

    fn type_in_unit(
        &self,
        debug: &Debug<'d>,
        unit: &Rc<Unit<'d>>,
        keyword: &str,
        name: &str,
    ) -> Option<TypeId> {
        debug.named(unit, name).into_iter().filter(|(_, tag)| fits(keyword, *tag)).find_map(|(offset, _)| {
            let entry = debug.entry(unit, UnitOffset(offset))?;
            let defined = entry.attr_value(gimli::DW_AT_declaration).is_none();
            defined.then(|| self.intern(Key::Dwarf(unit.offset.saturating_add(offset))))
        })
    }
}

/// `struct module` → (`struct`, `module`); a bare name has no keyword.
pub(crate) fn split_keyword(name: &str) -> (&str, &str) {
    match name.trim().split_once(char::is_whitespace) {
        Some((keyword @ ("struct" | "union" | "enum"), tag)) => (keyword, tag.trim()),
        _ => ("", name.trim()),
    }
}

/// Whether an entry with this tag can be what the keyword says.
pub(crate) fn fits(keyword: &str, tag: DwTag) -> bool {
    match keyword {
        "struct" => tag == gimli::DW_TAG_structure_type || tag == gimli::DW_TAG_class_type,
        "union" => tag == gimli::DW_TAG_union_type,
        "enum" => tag == gimli::DW_TAG_enumeration_type,
        _ => tag == gimli::DW_TAG_typedef || tag == gimli::DW_TAG_base_type,
    }
}

impl<'d> Debug<'d> {
    /// The top-level entries of a unit that have this name.
    pub(crate) fn named(&self, unit: &Unit<'d>, name: &str) -> Vec<(usize, DwTag)> {
        let names = unit.names.get_or_init(|| {
            let mut names = Names::new();
            for (offset, tag) in self.top(unit) {
                let wanted = matches!(
                    *tag,
                    gimli::DW_TAG_structure_type
                        | gimli::DW_TAG_class_type
                        | gimli::DW_TAG_union_type
                        | gimli::DW_TAG_enumeration_type
                        | gimli::DW_TAG_typedef
                        | gimli::DW_TAG_base_type
                        | gimli::DW_TAG_variable
                        | gimli::DW_TAG_subprogram
                );
                if !wanted {
                    continue;
                }
                if let Some(entry) = self.entry(unit, UnitOffset(*offset))
                    && let Some(name) = self.own_name(unit, &entry)
                {
                    names.entry(name).or_default().push((*offset, *tag));
                }
            }
            names
        });
        names.get(name).cloned().unwrap_or_default()
    }
}
