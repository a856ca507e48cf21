//! BTF: the kernel's own compact type information (Documentation/bpf/btf.rst).
//!
//! A vmlinux describes every type once, in a few megabytes, so a type is found by name
//! without searching the debug information of thousands of units. A module's BTF is split: its
//! numbers and its strings count on from those of its vmlinux, without which it means nothing
//! (see [`Image::use_types_of`]), or on those of the small base that it brings along (`rebase`).

use crate::elf::{u16_at, u32_at};
use crate::image::Image;
use crate::index::{self, Learned, Lent};
use crate::outlines::{Outline, OutlineMember};
use crate::types::{Member, Record, Type, TypeId};
use crate::{dwarf_types::Key, dwarf_types::MAX_CHAIN};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::rc::Rc;

const MAGIC: u16 = 0xeb9f;

pub(crate) const INT: u8 = 1;
pub(crate) const PTR: u8 = 2;
pub(crate) const ARRAY: u8 = 3;
pub(crate) const STRUCT: u8 = 4;
pub(crate) const UNION: u8 = 5;
pub(crate) const ENUM: u8 = 6;
pub(crate) const FWD: u8 = 7;
pub(crate) const TYPEDEF: u8 = 8;
pub(crate) const VOLATILE: u8 = 9;
pub(crate) const CONST: u8 = 10;
pub(crate) const RESTRICT: u8 = 11;
pub(crate) const FUNC: u8 = 12;
pub(crate) const FUNC_PROTO: u8 = 13;
pub(crate) const VAR: u8 = 14;
pub(crate) const DATASEC: u8 = 15;
pub(crate) const FLOAT: u8 = 16;
pub(crate) const DECL_TAG: u8 = 17;
pub(crate) const TYPE_TAG: u8 = 18;
pub(crate) const ENUM64: u8 = 19;

/// The two parts of a `.BTF` section, and where each type starts.
pub(crate) struct Btf<'d> {
    types: Cow<'d, [u8]>,
    strings: Cow<'d, [u8]>,
    /// Offset in `types` of each type, from number `first` on.
    starts: Vec<u32>,
    /// 1, or for split BTF what follows the base's last number.
    first: u32,
    /// 0, or the length of the base's strings.
    first_string: u32,
    base: Option<Rc<Btf<'d>>>,
    /// Which of `starts` have a name, by its hash ([`index::buckets`]).
    names: Learned,
    /// Where the names are kept.
    lent: Option<Lent<'d>>,
}

/// A function's name, parameters and result, as numbers and texts.
pub(crate) struct BtfFunction {
    pub name: Rc<str>,
    /// (name, type number) of each.
    pub parameters: Vec<(Option<Rc<str>>, u32)>,
    pub returns: u32,
}

/// `struct btf_type`.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub name: u32,
    pub kind: u8,
    pub flag: bool,
    pub count: u16,
    /// `size` or `type`.
    pub value: u32,
    /// Where the data after the header starts.
    pub rest: usize,
}

/// Bytes of data behind the header of a type of this kind; `None` for a kind of the future.
pub(crate) fn extra(kind: u8, count: usize) -> Option<usize> {
    Some(match kind {
        INT | VAR | DECL_TAG => 4,
        ARRAY => 12,
        STRUCT | UNION | DATASEC | ENUM64 => count * 12,
        ENUM | FUNC_PROTO => count * 8,
        PTR | FWD | TYPEDEF | VOLATILE | CONST | RESTRICT | FUNC | FLOAT | TYPE_TAG => 0,
        _ => return None,
    })
}

impl<'d> Btf<'d> {
    pub(crate) fn parse(section: &'d [u8], base: Option<Rc<Btf<'d>>>) -> Option<Btf<'d>> {
        if u16_at(section, 0)? != MAGIC {
            return None;
        }
        let header = u32_at(section, 4)? as usize;
        let part = |offset: u32, length: u32| {
            let start = header.checked_add(offset as usize)?;
            section.get(start..start.checked_add(length as usize)?)
        };
        let types = part(u32_at(section, 8)?, u32_at(section, 12)?)?;
        let strings = part(u32_at(section, 16)?, u32_at(section, 20)?)?;
        Btf::of_parts(Cow::Borrowed(types), Cow::Borrowed(strings), base)
    }

    /// The same of its two parts.
    pub(crate) fn of_parts(
        types: Cow<'d, [u8]>,
        strings: Cow<'d, [u8]>,
        base: Option<Rc<Btf<'d>>>,
    ) -> Option<Btf<'d>> {
        let first = base.as_ref().map_or(1, |base| base.end());
        let first_string = base.as_ref().map_or(0, |base| base.end_of_strings());
        let mut btf = Btf {
            types,
            strings,
            starts: Vec::new(),
            first,
            first_string,
            base,
            names: Learned::default(),
            lent: None,
        };
        let mut at = 0usize;
        while let Some(header) = btf.header_at(at) {
            btf.starts.push(u32::try_from(at).ok()?);
            // A kind of the future: its length is unknown, so nothing after it can be read.
            let Some(data) = extra(header.kind, usize::from(header.count)) else { break };
            at = header.rest.checked_add(data)?;
        }
        Some(btf)
    }

    /// Lends it a shelf for its names.
    pub(crate) fn with_shelf(mut self, lent: Option<Lent<'d>>) -> Btf<'d> {
        self.lent = lent;
        self
    }

    pub(crate) fn header_at(&self, at: usize) -> Option<Header> {
        let info = u32_at(&self.types, at.checked_add(4)?)?;
        Some(Header {
            name: u32_at(&self.types, at)?,
            kind: (info >> 24 & 0x1f) as u8,
            flag: info >> 31 != 0,
            count: (info & 0xffff) as u16,
            value: u32_at(&self.types, at.checked_add(8)?)?,
            rest: at.checked_add(12)?,
        })
    }

    /// The number after the last one.
    pub(crate) fn end(&self) -> u32 {
        self.first.saturating_add(u32::try_from(self.starts.len()).unwrap_or(0))
    }

    /// The place after the last string.
    pub(crate) fn end_of_strings(&self) -> u32 {
        self.first_string.saturating_add(self.string_size())
    }

    /// Whether it describes nothing of its own.
    pub(crate) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Its own types and strings, as they are in the section.
    pub(crate) fn parts(&self) -> (&[u8], &[u8]) {
        (&self.types, &self.strings)
    }

    /// Where its own types start in the first of its parts.
    pub(crate) fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// The names of its own functions.
    pub(crate) fn function_names(&self) -> impl Iterator<Item = &str> {
        let of_function = |start: &u32| self.header_at(*start as usize).filter(|header| header.kind == FUNC);
        self.starts.iter().filter_map(of_function).filter_map(|header| self.slice(header.name))
    }

    fn string_size(&self) -> u32 {
        u32::try_from(self.strings.len()).unwrap_or(u32::MAX)
    }

    /// The part that a type's data is in: this one, or the base.
    fn home(&self, number: u32) -> &Btf<'d> {
        match &self.base {
            Some(base) if number < self.first => base,
            _ => self,
        }
    }

    pub(crate) fn header(&self, number: u32) -> Option<Header> {
        let home = self.home(number);
        let start = home.starts.get(usize::try_from(number.checked_sub(home.first)?).ok()?)?;
        home.header_at(*start as usize)
    }

    pub(crate) fn text(&self, offset: u32) -> Option<Rc<str>> {
        let home = match &self.base {
            Some(base) if offset < self.first_string => base,
            _ => self,
        };
        let rest = home.strings.get(offset.checked_sub(home.first_string)? as usize..)?;
        let text = rest.get(..memchr::memchr(0, rest)?)?;
        (!text.is_empty()).then(|| Rc::from(String::from_utf8_lossy(text)))
    }

    /// The bytes of a name, up to its NUL.
    fn bytes_at(&self, offset: u32) -> Option<&[u8]> {
        let home = match &self.base {
            Some(base) if offset < self.first_string => base,
            _ => self,
        };
        let rest = home.strings.get(offset.checked_sub(home.first_string)? as usize..)?;
        rest.get(..memchr::memchr(0, rest)?)
    }

    /// This part's own types of one of these kinds and this name, ascending.
    fn own(&self, kinds: &[u8], name: &str) -> Vec<u32> {
        /// Strings may overlap; an endless one must not be read for each type.
        const MAX_HASHED: usize = 256;
        let hash = |name: &[u8]| index::hash(name.get(..MAX_HASHED).unwrap_or(name));
        if name.is_empty() {
            return Vec::new();
        }
        let make = || {
            let hashed = |start: &u32| {
                let header = self.header_at(*start as usize).filter(|header| header.name != 0)?;
                self.bytes_at(header.name).map(hash)
            };
            index::buckets(&self.starts.iter().map(hashed).collect::<Vec<_>>()).into()
        };
        let found = self.names.ask(self.lent.as_ref(), "btf.names", make, |part| {
            let mut found = Vec::new();
            for index in index::in_bucket(part, self.starts.len(), hash(name.as_bytes()))? {
                let header = self.header_at(*self.starts.get(index as usize)? as usize)?;
                if kinds.contains(&header.kind) && self.bytes_at(header.name) == Some(name.as_bytes()) {
                    found.push(self.first.checked_add(index)?);
                }
            }
            Some(found)
        });
        found.unwrap_or_default()
    }

    /// The functions of this name; a part's own before its base's.
    pub(crate) fn functions(&self, name: &str) -> Vec<BtfFunction> {
        let numbers = self.find(&[FUNC], name);
        numbers.into_iter().filter_map(|number| self.function(number)).collect()
    }

    fn function(&self, number: u32) -> Option<BtfFunction> {
        let function = self.header(number)?;
        let proto = self.header(function.value).filter(|header| header.kind == FUNC_PROTO)?;
        let home = self.home(function.value);
        let parameter = |index: usize| {
            let at = proto.rest.saturating_add(index * 8);
            (self.text(home.word(at)), home.word(at.saturating_add(4)))
        };
        let all: Vec<_> = (0..usize::from(proto.count)).map(parameter).collect();
        Some(BtfFunction {
            name: self.text(function.name)?,
            // A last parameter without a type stands for `...`.
            parameters: all.into_iter().take_while(|(_, ty)| *ty != 0).collect(),
            returns: proto.value,
        })
    }

    pub(crate) fn is_split(&self) -> bool {
        self.base.is_some()
    }

    /// The numbers of this part's own structs and unions that have names; where `alone`, only
    /// those of names that its base has no record of (builders may copy the base's).
    pub(crate) fn records(&self, alone: bool) -> Vec<u32> {
        let record = |start: &u32| {
            let header = self.header_at(*start as usize);
            let of_base = |place: u32| {
                self.base.as_ref().is_some_and(|base| {
                    let name = self.text(place);
                    name.is_some_and(|name| !base.find(&[STRUCT, UNION], &name).is_empty())
                })
            };
            header.is_some_and(|h| {
                h.name != 0 && h.count > 0 && matches!(h.kind, STRUCT | UNION) && !(alone && of_base(h.name))
            })
        };
        self.starts.iter().zip(self.first..).filter(|(start, _)| record(start)).map(|(_, n)| n).collect()
    }

    /// The type of the variable `name`. Kernels describe those of each CPU only.
    pub(crate) fn variable(&self, name: &str) -> Option<u32> {
        match self.find(&[VAR], name).as_slice() {
            [number] => Some(self.header(*number)?.value),
            _ => None,
        }
    }

    pub(crate) fn word(&self, at: usize) -> u32 {
        u32_at(&self.types, at).unwrap_or(0)
    }

    /// The numbers of the types of these kinds and this name. Forward declarations do not count.
    /// There may be several: files may use one name for different things.
    pub(crate) fn find(&self, kinds: &[u8], name: &str) -> Vec<u32> {
        let mut found = self.own(kinds, name);
        // A part's own before its base's.
        found.extend(self.base.iter().flat_map(|base| base.find(kinds, name)));
        found
    }

    /// The outlines of the structs and unions of these names, in the order of their numbers.
    pub(crate) fn outlines(&self, names: &BTreeSet<Rc<str>>) -> Vec<Outline> {
        let mut numbers: Vec<u32> = names.iter().flat_map(|name| self.own(&[STRUCT, UNION], name)).collect();
        numbers.sort_unstable();
        let mut found = Vec::new();
        for number in numbers {
            let Some(header) = self.header(number) else { continue };
            let Some(name) = self.text(header.name) else { continue };
            let members = (0..usize::from(header.count)).map(|i| {
                let at = header.rest.saturating_add(i * 12);
                let place = self.word(at.saturating_add(8));
                // With the flag, the top byte is the width of a bit-field.
                let bit = if header.flag { place & 0xff_ffff } else { place };
                OutlineMember { name: self.text(self.word(at)), bit: Some(u64::from(bit)) }
            });
            found.push(Outline {
                union: header.kind == UNION,
                name,
                size: u64::from(header.value),
                members: members.collect(),
                file: None,
            });
        }
        found
    }

    fn slice(&self, offset: u32) -> Option<&str> {
        let rest = self.strings.get(offset.checked_sub(self.first_string)? as usize..)?;
        std::str::from_utf8(rest.get(..memchr::memchr(0, rest)?)?).ok().filter(|text| !text.is_empty())
    }

    pub(crate) fn is_forward(&self, number: u32) -> bool {
        self.header(number).is_none_or(|header| header.kind == FWD)
    }

    /// Drops qualifiers.
    fn plain(&self, mut number: u32) -> u32 {
        for _ in 0..MAX_CHAIN {
            match self.header(number) {
                Some(header) if matches!(header.kind, VOLATILE | CONST | RESTRICT | TYPE_TAG) => {
                    number = header.value;
                }
                _ => break,
            }
        }
        number
    }
}

/// The kinds that `struct NAME`, `union NAME`, `enum NAME` and a bare name can mean.
pub(crate) fn kinds(keyword: &str) -> &'static [u8] {
    match keyword {
        "struct" => &[STRUCT],
        "union" => &[UNION],
        "enum" => &[ENUM, ENUM64],
        _ => &[TYPEDEF, INT, FLOAT],
    }
}

impl<'d> Image<'d> {
    pub(crate) fn btf_id(&self, btf: &Btf<'d>, number: u32) -> TypeId {
        match btf.plain(number) {
            0 => TypeId(0),
            plain => self.intern(Key::Btf(plain)),
        }
    }

    pub(crate) fn read_btf_type(&self, number: u32) -> Option<Type> {
        let btf = self.btf()?;
        let header = btf.header(number)?;
        let home = btf.home(number);
        let name = btf.text(header.name);
        Some(match header.kind {
            INT => {
                // BTF_INT_ENCODING: bit 24 signed, 25 char, 26 bool. GCC's char is not marked.
                let encoding = home.word(header.rest) >> 24 & 0xf;
                let name = name.unwrap_or_else(|| Rc::from("?"));
                Type::Base {
                    size: u64::from(header.value),
                    signed: encoding & 1 != 0,
                    char_like: header.value == 1 && name.contains("char"),
                    name,
                }
            }
            FLOAT => Type::Base {
                name: name.unwrap_or_else(|| Rc::from("?")),
                size: u64::from(header.value),
                signed: false,
                char_like: false,
            },
            PTR => Type::Pointer(self.btf_id(btf, header.value)),
            ARRAY => Type::Array {
                element: self.btf_id(btf, home.word(header.rest)),
                // A flexible array and `[0]` look the same here.
                count: Some(u64::from(home.word(header.rest.saturating_add(8)))).filter(|count| *count > 0),
            },
            STRUCT | UNION => Type::Record(Rc::new(Record {
                union: header.kind == UNION,
                name,
                size: u64::from(header.value),
                members: self.btf_members(btf, home, header),
            })),
            FWD => Type::Record(Rc::new(Record { union: header.flag, name, size: 0, members: Vec::new() })),
            ENUM | ENUM64 => {
                let wide = header.kind == ENUM64;
                let values = (0..usize::from(header.count)).filter_map(|i| {
                    let at = header.rest.saturating_add(i * if wide { 12 } else { 8 });
                    let low = home.word(at.saturating_add(4));
                    let value = if wide {
                        (u64::from(home.word(at.saturating_add(8))) << 32 | u64::from(low)) as i64
                    } else if header.flag {
                        i64::from(low as i32)
                    } else {
                        i64::from(low)
                    };
                    Some((btf.text(home.word(at))?, value))
                });
                Type::Enum { name, size: u64::from(header.value), values: values.collect() }
            }
            TYPEDEF => Type::Typedef {
                name: name.unwrap_or_else(|| Rc::from("?")),
                target: self.btf_id(btf, header.value),
            },
            FUNC_PROTO => Type::Function {
                returns: self.btf_id(btf, header.value),
                parameters: (0..usize::from(header.count))
                    .map(|i| self.btf_id(btf, home.word(header.rest.saturating_add(i * 8 + 4))))
                    .filter(|id| id.0 != 0)
                    .collect(),
            },
            _ => Type::Void,
        })
    }

    fn btf_members(&self, btf: &Btf<'d>, home: &Btf<'d>, header: Header) -> Vec<Member> {
        (0..usize::from(header.count))
            .map(|i| {
                let at = header.rest.saturating_add(i * 12);
                let place = home.word(at.saturating_add(8));
                // With the flag, the top byte is the width of a bit-field.
                let (width, first) = if header.flag {
                    (place >> 24, u64::from(place & 0xff_ffff))
                } else {
                    (0, u64::from(place))
                };
                Member {
                    name: btf.text(home.word(at)),
                    offset: first / 8,
                    ty: self.btf_id(btf, home.word(at.saturating_add(4))),
                    bits: (width > 0).then_some((first, u64::from(width))),
                }
            })
            .collect()
    }
}
