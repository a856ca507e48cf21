//! BTF: the kernel's own compact type information (Documentation/bpf/btf.rst).
//!
//! A vmlinux describes every type once, in a few megabytes, so a type is found by name
//! without searching the debug information of thousands of units. A module's BTF counts on
//! from its vmlinux's numbers and means nothing alone; it is not read.

use crate::elf::{u16_at, u32_at};
use crate::image::Image;
use crate::types::{Member, Record, Type, TypeId};
use crate::{dwarf_types::Key, dwarf_types::MAX_CHAIN};
use std::rc::Rc;

const MAGIC: u16 = 0xeb9f;

const INT: u8 = 1;
const PTR: u8 = 2;
const ARRAY: u8 = 3;
const STRUCT: u8 = 4;
const UNION: u8 = 5;
const ENUM: u8 = 6;
const FWD: u8 = 7;
const TYPEDEF: u8 = 8;
const VOLATILE: u8 = 9;
const CONST: u8 = 10;
const RESTRICT: u8 = 11;
const FUNC_PROTO: u8 = 13;
const FLOAT: u8 = 16;
const TYPE_TAG: u8 = 18;
const ENUM64: u8 = 19;

/// The two parts of a `.BTF` section, and where each type starts.
pub(crate) struct Btf<'d> {
    types: &'d [u8],
    strings: &'d [u8],
    /// Offset of type number n + 1 in `types`.
    starts: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Header {
    name: u32,
    kind: u8,
    flag: bool,
    count: u16,
    /// `size` or `type`.
    value: u32,
    /// Where the data after the header starts.
    rest: usize,
}

impl<'d> Btf<'d> {
    pub(crate) fn parse(section: &'d [u8]) -> Option<Btf<'d>> {
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
        let mut btf = Btf { types, strings, starts: Vec::new() };
        let mut at = 0usize;
        while let Some(header) = btf.header_at(at) {
            btf.starts.push(u32::try_from(at).ok()?);
            let count = usize::from(header.count);
            let data = match header.kind {
                INT | 14 | 17 => 4,
                ARRAY => 12,
                STRUCT | UNION | 15 | ENUM64 => count * 12,
                ENUM | FUNC_PROTO => count * 8,
                PTR | FWD | TYPEDEF | VOLATILE | CONST | RESTRICT | 12 | FLOAT | TYPE_TAG => 0,
                // A kind of the future: its length is unknown, so nothing after it can be read.
                _ => break,
            };
            at = header.rest.checked_add(data)?;
        }
        Some(btf)
    }

    fn header_at(&self, at: usize) -> Option<Header> {
        let info = u32_at(self.types, at.checked_add(4)?)?;
        Some(Header {
            name: u32_at(self.types, at)?,
            kind: (info >> 24 & 0x1f) as u8,
            flag: info >> 31 != 0,
            count: (info & 0xffff) as u16,
            value: u32_at(self.types, at.checked_add(8)?)?,
            rest: at.checked_add(12)?,
        })
    }

    fn header(&self, number: u32) -> Option<Header> {
        let start = self.starts.get(usize::try_from(number.checked_sub(1)?).ok()?)?;
        self.header_at(*start as usize)
    }

    fn text(&self, offset: u32) -> Option<Rc<str>> {
        let rest = self.strings.get(offset as usize..)?;
        let text = rest.get(..memchr::memchr(0, rest)?)?;
        (!text.is_empty()).then(|| Rc::from(String::from_utf8_lossy(text)))
    }

    fn word(&self, at: usize) -> u32 {
        u32_at(self.types, at).unwrap_or(0)
    }

    /// The numbers of the types of these kinds and this name. Forward declarations do not count.
    /// There may be several: files may use one name for different things.
    pub(crate) fn find(&self, kinds: &[u8], name: &str) -> Vec<u32> {
        let mut needle = vec![0];
        needle.extend_from_slice(name.as_bytes());
        needle.push(0);
        // BTF's strings are unique.
        let place =
            memchr::memmem::find(self.strings, &needle).and_then(|place| u32::try_from(place + 1).ok());
        let Some(offset) = place else { return Vec::new() };
        let fits = |start: &u32| {
            let header = self.header_at(*start as usize);
            header.is_some_and(|header| header.name == offset && kinds.contains(&header.kind))
        };
        self.starts.iter().zip(1u32..).filter(|(start, _)| fits(start)).map(|(_, number)| number).collect()
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
    fn btf_id(&self, btf: &Btf<'d>, number: u32) -> TypeId {
        match btf.plain(number) {
            0 => TypeId(0),
            plain => self.intern(Key::Btf(plain)),
        }
    }

    pub(crate) fn read_btf_type(&self, number: u32) -> Option<Type> {
        let btf = self.btf()?;
        let header = btf.header(number)?;
        let name = btf.text(header.name);
        Some(match header.kind {
            INT => {
                // BTF_INT_ENCODING: bit 24 signed, 25 char, 26 bool. GCC's char is not marked.
                let encoding = btf.word(header.rest) >> 24 & 0xf;
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
                element: self.btf_id(btf, btf.word(header.rest)),
                // A flexible array and `[0]` look the same here.
                count: Some(u64::from(btf.word(header.rest.saturating_add(8)))).filter(|count| *count > 0),
            },
            STRUCT | UNION => Type::Record(Rc::new(Record {
                union: header.kind == UNION,
                name,
                size: u64::from(header.value),
                members: self.btf_members(btf, header),
            })),
            FWD => Type::Record(Rc::new(Record { union: header.flag, name, size: 0, members: Vec::new() })),
            ENUM | ENUM64 => {
                let wide = header.kind == ENUM64;
                let values = (0..usize::from(header.count)).filter_map(|i| {
                    let at = header.rest.saturating_add(i * if wide { 12 } else { 8 });
                    let low = btf.word(at.saturating_add(4));
                    let value = if wide {
                        (u64::from(btf.word(at.saturating_add(8))) << 32 | u64::from(low)) as i64
                    } else if header.flag {
                        i64::from(low as i32)
                    } else {
                        i64::from(low)
                    };
                    Some((btf.text(btf.word(at))?, value))
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
                    .map(|i| self.btf_id(btf, btf.word(header.rest.saturating_add(i * 8 + 4))))
                    .filter(|id| id.0 != 0)
                    .collect(),
            },
            _ => Type::Void,
        })
    }

    fn btf_members(&self, btf: &Btf<'d>, header: Header) -> Vec<Member> {
        (0..usize::from(header.count))
            .map(|i| {
                let at = header.rest.saturating_add(i * 12);
                let place = btf.word(at.saturating_add(8));
                // With the flag, the top byte is the width of a bit-field.
                let (width, first) = if header.flag {
                    (place >> 24, u64::from(place & 0xff_ffff))
                } else {
                    (0, u64::from(place))
                };
                Member {
                    name: btf.text(btf.word(at)),
                    offset: first / 8,
                    ty: self.btf_id(btf, btf.word(at.saturating_add(4))),
                    bits: (width > 0).then_some((first, u64::from(width))),
                }
            })
            .collect()
    }
}
