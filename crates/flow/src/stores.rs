//! Where a member is written: every store of a function whose typed destination is, or covers, a
//! given member of a given struct; and what fills the whole object at once.

use crate::insn::{AccessKind, Effect, Flow, Value as Operand};
use crate::scene::{Scene, plain_name};
use crate::value::{Node, Value};
use kwhy_base::ImageAddr;
use kwhy_image::{Image, Type, TypeId};

/// The member asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// `struct module_use`.
    pub record: String,
    /// Bytes from the start of the struct.
    pub offset: u64,
    /// Its size in bytes.
    pub size: u64,
}

/// How a member gets a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreKind {
    /// It is assigned.
    Assigned,
    /// It is read and changed in one instruction (`++`, `|=`, an atomic operation).
    Modified,
    /// The object is copied over or set as a whole (`memset`, `memcpy`).
    Filled,
    /// The object is made here, all zero.
    Zeroed,
    /// The object is made here and left as the memory was.
    Allocated,
    /// The object is given back here: what is in it afterwards is not its own.
    Freed,
}

/// One place that gives the member a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Store {
    /// The instruction.
    pub at: ImageAddr,
    /// How.
    pub kind: StoreKind,
    /// What is written to, in C: `use->target`; for a whole object, the pointer: `use`.
    pub text: String,
    /// What is written, in C, where that has words: `b`, `NULL`.
    pub value: Option<String>,
    /// The number written, where it is one.
    pub constant: Option<u64>,
    /// The call that fills, makes or frees the object.
    pub call: Option<String>,
}

/// Functions that write a whole object: position of the pointer, and of the byte that it is set
/// to. From include/linux/string.h, and their names in arch/ and under KASAN.
const FILLERS: &[&str] = &["memset", "memcpy", "memmove", "__memset", "__memcpy", "__memmove"];

/// Functions that return a new object, and which argument holds the `gfp_t` flags. From
/// include/linux/slab.h and mm/ (6.x names are macros over `_noprof`).
const MAKERS: &[(&str, usize)] = &[
    ("kmalloc_trace", 1),
    ("kmem_cache_alloc_trace", 1),
    ("kmem_cache_alloc_node_trace", 1),
    ("kmalloc_node_trace", 1),
    ("__kmalloc_cache", 1),
    ("__kmalloc_cache_node", 1),
    ("__kmalloc", 1),
    ("__kmalloc_node", 1),
    ("__kmalloc_node_track_caller", 1),
    ("__kmalloc_track_caller", 1),
    ("kmem_cache_alloc", 1),
    ("kmem_cache_alloc_node", 1),
    ("kmem_cache_alloc_lru", 2),
    ("kvmalloc_node", 1),
    ("__kvmalloc_node", 1),
    ("devm_kmalloc", 2),
    ("pcpu_alloc", 3),
];

/// Functions that free their first or second argument: position of the pointer.
const FREERS: &[(&str, usize)] = &[
    ("kfree", 0),
    ("kvfree", 0),
    ("kfree_sensitive", 0),
    ("vfree", 0),
    ("kmem_cache_free", 1),
    ("devm_kfree", 1),
    ("kfree_call_rcu", 0),
    ("kvfree_call_rcu", 0),
];

/// `__GFP_ZERO` (include/linux/gfp_types.h): bit 8 since 4.11.
const GFP_ZERO: u64 = 0x100;

/// How deep structs lie in structs; hostile types contain themselves.
const MAX_DEPTH: u32 = 16;

/// The name by which the tables know a function.
fn tabled(symbol: &str) -> &str {
    let plain = plain_name(symbol);
    plain.strip_suffix("_noprof").unwrap_or(plain)
}

/// Whether a call of the function may fill, make or free a whole object.
#[must_use]
pub fn handles_objects(symbol: &str) -> bool {
    let plain = tabled(symbol);
    FILLERS.contains(&plain) || MAKERS.iter().chain(FREERS).any(|(name, _)| *name == plain)
}

/// Whether a function returns a new object, which is never an error pointer and NULL only for
/// want of memory.
#[must_use]
pub fn is_maker(symbol: &str) -> bool {
    let plain = tabled(symbol);
    MAKERS.iter().any(|(name, _)| *name == plain)
}

/// Which argument, from 0, of the call of `symbol` is freed by it.
#[must_use]
pub fn freed_argument(symbol: &str) -> Option<usize> {
    let plain = tabled(symbol);
    FREERS.iter().find(|(name, _)| *name == plain).map(|(_, index)| *index)
}

impl Wanted {
    /// Whether an access of `width` bytes, `offset` bytes into an object of type `ty`, reaches the
    /// member, on any level of structs within structs.
    #[must_use]
    pub fn is_reached(&self, image: &Image<'_>, ty: TypeId, offset: i64, width: u64) -> bool {
        u64::try_from(offset).is_ok_and(|offset| covers(image, ty, offset, width, self, 0))
    }

    /// Where the struct of the member begins in an object of type `ty`: its first place.
    #[must_use]
    pub fn place_in(&self, image: &Image<'_>, ty: TypeId) -> Option<u64> {
        self.place_at(image, ty, 0)
    }

    fn place_at(&self, image: &Image<'_>, ty: TypeId, depth: u32) -> Option<u64> {
        if depth > MAX_DEPTH {
            return None;
        }
        match image.strip(ty) {
            Type::Record(_) if image.type_name(ty) == self.record => Some(0),
            Type::Record(record) => record.members.iter().find_map(|member| {
                Some(member.offset.saturating_add(self.place_at(image, member.ty, depth + 1)?))
            }),
            Type::Array { element, .. } => self.place_at(image, element, depth + 1),
            _ => None,
        }
    }
}

/// What a call does with a new object: it, and whether it is zeroed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// The call.
    pub at: ImageAddr,
    /// What it returns.
    pub object: Value,
    /// All zero; else as the memory was.
    pub zeroed: bool,
}

impl Scene<'_, '_> {
    /// The places of this function that give the member a value, in the order of the code.
    #[must_use]
    pub fn stores_into(&self, wanted: &Wanted) -> Vec<Store> {
        let mut found = Vec::new();
        for insn in &self.code.insns {
            match &insn.flow {
                // A jump to a function is its last call.
                Flow::Call(_) | Flow::Jump(_) => found.extend(self.whole(insn.address, wanted)),
                _ => found.extend(self.stored(insn.address, wanted)),
            }
        }
        found
    }

    fn stored(&self, pc: ImageAddr, wanted: &Wanted) -> Option<Store> {
        let insn = self.insn(pc)?;
        let writes = |effect: &Effect| matches!(effect, Effect::Store { .. } | Effect::Modify { .. });
        if !insn.effects.iter().any(writes) {
            return None;
        }
        let stack = kwhy_arch::cpu(self.arch()).map(|cpu| cpu.sp);
        // A pointer is never written in halves.
        let wide = |width: u8| wanted.size != 8 || width >= 8;
        for access in self.accesses(pc) {
            if access.kind == AccessKind::Read || !wide(access.width) || access.memory.base == stack {
                continue;
            }
            let Some(address) = access.address else { continue };
            let outlook = self.outlook(pc);
            let lvalue = self.lvalue_in(&outlook, address, access.memory.segment, access.width);
            let Some(lvalue) = lvalue.filter(|lvalue| lvalue.index.is_none()) else { continue };
            let (Some(pointee), Ok(offset)) = (lvalue.pointee, u64::try_from(lvalue.offset)) else {
                continue;
            };
            if !covers(self.image, pointee, offset, u64::from(access.width), wanted, 0) {
                continue;
            }
            let kind = match access.kind {
                AccessKind::Modify => StoreKind::Modified,
                _ => StoreKind::Assigned,
            };
            let number = self.written(pc, &access.memory);
            let constant = number.and_then(Value::as_constant);
            let value = match constant {
                Some(0) if self.is_pointer_member(pointee, wanted) => Some("NULL".to_owned()),
                _ => number
                    .and_then(|value| self.described_in(&outlook, value))
                    .map(|described| described.text),
            };
            return Some(Store { at: pc, kind, text: lvalue.text, value, constant, call: None });
        }
        None
    }

    /// The value that the instruction stores there.
    fn written(&self, pc: ImageAddr, memory: &crate::insn::MemOperand) -> Option<Value> {
        let insn = self.insn(pc)?;
        let state = self.state(pc)?;
        insn.effects.iter().find_map(|effect| match effect {
            Effect::Store { value, memory: to, .. } if to == memory => self.value_of(&state, value, pc),
            _ => None,
        })
    }

    fn value_of(&self, state: &crate::interp::State, operand: &Operand, pc: ImageAddr) -> Option<Value> {
        self.solved.borrow_mut().operand(state, operand, pc)
    }

    fn is_pointer_member(&self, pointee: TypeId, wanted: &Wanted) -> bool {
        let Type::Record(record) = self.image.strip(pointee) else { return false };
        let member = record.members.iter().find(|member| member.offset == wanted.offset);
        member.is_some_and(|member| matches!(self.image.strip(member.ty), Type::Pointer(_)))
    }

    /// A call that fills, makes or frees a whole object of the wanted type.
    fn whole(&self, pc: ImageAddr, wanted: &Wanted) -> Option<Store> {
        let callee = self.callee_name(pc)?;
        let plain = tabled(&callee);
        let cpu = kwhy_arch::cpu(self.arch())?;
        let argument = |index: usize| self.register(pc, *cpu.arguments.get(index)?);
        let of = |kind, text: String, constant| {
            Some(Store { at: pc, kind, text, value: None, constant, call: Some(plain.to_owned()) })
        };
        if FILLERS.contains(&plain) {
            let text = self.pointer_to(pc, argument(0)?, wanted)?;
            let byte = if plain.ends_with("memset") { argument(1)?.as_constant() } else { None };
            return of(StoreKind::Filled, text, byte);
        }
        if let Some((_, index)) = FREERS.iter().find(|(name, _)| *name == plain) {
            return of(StoreKind::Freed, self.pointer_to(pc, argument(*index)?, wanted)?, None);
        }
        let (_, flags) = MAKERS.iter().find(|(name, _)| *name == plain)?;
        let flags = argument(*flags).and_then(Value::as_constant);
        let made = self.solved.borrow_mut().arena.intern(Node::Result { at: pc });
        let text = self.pointer_to(pc, made, wanted)?;
        let kind = if flags.is_some_and(|flags| flags & GFP_ZERO != 0) {
            StoreKind::Zeroed
        } else {
            StoreKind::Allocated
        };
        of(kind, text, None)
    }

    /// The new objects of any type that this function makes.
    #[must_use]
    pub fn objects_made(&self) -> Vec<Made> {
        let Some(cpu) = kwhy_arch::cpu(self.arch()) else { return Vec::new() };
        let mut found = Vec::new();
        for insn in &self.code.insns {
            let Some(callee) = self.callee_name(insn.address) else { continue };
            let Some((_, flags)) = MAKERS.iter().find(|(name, _)| *name == tabled(&callee)) else { continue };
            let flags = cpu.arguments.get(*flags).and_then(|register| self.register(insn.address, *register));
            let zeroed = flags.and_then(Value::as_constant).is_some_and(|flags| flags & GFP_ZERO != 0);
            let object = self.solved.borrow_mut().arena.intern(Node::Result { at: insn.address });
            found.push(Made { at: insn.address, object, zeroed });
        }
        found
    }

    /// The name of a value that is a pointer to the wanted type, by any variable that ever has it.
    fn pointer_to(&self, pc: ImageAddr, value: Value, wanted: &Wanted) -> Option<String> {
        let record = |ty: TypeId| match self.image.strip(ty) {
            Type::Pointer(to) => self.record_name(Some(to)),
            _ => None,
        };
        let fits = |ty: Option<TypeId>| ty.and_then(record).is_some_and(|name| name == wanted.record);
        for name in self.names.of_node(value.node).iter().filter(|name| name.plus == value.plus) {
            let Some(variable) = self.names.variables.get(name.variable) else { continue };
            if fits(variable.ty) {
                return Some(variable.name.to_string());
            }
        }
        let described = self.described_in(&self.outlook(pc), value)?;
        fits(described.ty).then_some(described.text)
    }
}

/// Whether an access of `width` bytes at `offset` into an object of type `ty` covers the member's
/// first byte, on any level of structs within structs.
fn covers(image: &Image<'_>, ty: TypeId, offset: u64, width: u64, wanted: &Wanted, depth: u32) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    match image.strip(ty) {
        Type::Record(record) => {
            let reaches = offset <= wanted.offset && wanted.offset < offset.saturating_add(width);
            let inside = wanted.offset < offset && offset < wanted.offset.saturating_add(wanted.size);
            if (reaches || inside) && image.type_name(ty) == wanted.record {
                return true;
            }
            record.members.iter().any(|member| {
                let size = image.size_of(member.ty).unwrap_or(0);
                // From the access's start, or from a member that a wide access goes on into.
                let end = member.offset.saturating_add(size);
                if offset >= member.offset && offset < end {
                    covers(image, member.ty, offset - member.offset, width, wanted, depth + 1)
                } else if offset < member.offset && member.offset < offset.saturating_add(width) {
                    let rest = width.saturating_sub(member.offset - offset);
                    covers(image, member.ty, 0, rest, wanted, depth + 1)
                } else {
                    false
                }
            })
        }
        Type::Array { element, .. } => match image.size_of(element).filter(|size| *size > 0) {
            Some(size) => covers(image, element, offset % size, width, wanted, depth + 1),
            None => false,
        },
        _ => false,
    }
}
