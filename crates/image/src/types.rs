//! C types, the same whether they came from DWARF or BTF.

use std::rc::Rc;

/// A type of one [`crate::Image`]; means nothing with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub u32);

/// One C type. Qualifiers (`const`, `volatile`, `restrict`, `_Atomic`) are dropped: they never
/// change a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `void`, or a type that was left out.
    Void,
    /// `int`, `char`, `bool`…
    Base {
        /// As the producer names it (`long unsigned int`).
        name: Rc<str>,
        /// Bytes.
        size: u64,
        /// Signed integer or signed char.
        signed: bool,
        /// `char`, `signed char`, `unsigned char`: a pointer to it is a string.
        char_like: bool,
    },
    /// `T *`.
    Pointer(TypeId),
    /// A struct or union with its members.
    Record(Rc<Record>),
    /// `T[n]`; `None` for a flexible array. Several dimensions are nested.
    Array {
        /// Of what.
        element: TypeId,
        /// How many.
        count: Option<u64>,
    },
    /// `enum tag`.
    Enum {
        /// The tag, where it has one.
        name: Option<Rc<str>>,
        /// Bytes.
        size: u64,
        /// (name, value) of each constant.
        values: Rc<[(Rc<str>, i64)]>,
    },
    /// `typedef T name`.
    Typedef {
        /// The name.
        name: Rc<str>,
        /// What it stands for.
        target: TypeId,
    },
    /// A function type, reached through pointers.
    Function {
        /// What it returns.
        returns: TypeId,
        /// Its parameters' types.
        parameters: Rc<[TypeId]>,
    },
}

/// A struct or a union.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `true` for a union.
    pub union: bool,
    /// The tag, where it has one.
    pub name: Option<Rc<str>>,
    /// Bytes.
    pub size: u64,
    /// In the order of declaration.
    pub members: Vec<Member>,
}

/// A member of a struct or union.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// `None` for an anonymous struct or union.
    pub name: Option<Rc<str>>,
    /// Byte offset from the start of the record. For a bit-field: of the storage unit that holds its first bit, i.e. `bit offset / 8`.
    pub offset: u64,
    /// Its type.
    pub ty: TypeId,
    /// For a bit-field: first bit counted from the start of the record, and width in bits.
    pub bits: Option<(u64, u64)>,
}
