//! Instructions: their text, their operands, and what they do to registers and memory.
//!
//! [`decode`] turns bytes into an [`Insn`] whose [`Effect`]s are the little language that the
//! data-flow analysis runs on. An instruction whose effects are not modelled says which
//! registers it destroys, so that the analysis forgets instead of lying.

use kwhy_base::{Arch, ImageAddr, Reg};

mod arm64;
mod plausible;
mod x86;

pub use plausible::{PlausibleCode, Strength, plausible_code};

/// One machine instruction.
///
/// Its text is made on demand by [`Insn::text`]: most instructions of a function that is
/// analysed are never shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Insn {
    /// Whose instruction it is.
    pub arch: Arch,
    /// Where it is.
    pub address: ImageAddr,
    /// Its bytes' count.
    pub len: u8,
    /// Its bytes, in memory order; those past `len` are 0.
    pub raw: [u8; 15],
    /// What it does to registers and memory, in order. Reads of a later effect see earlier effects.
    ///
    /// A call's pushed return address and a return's pop are accesses, but do not move the
    /// stack pointer here: over the whole call it is where it was.
    pub effects: Vec<Effect>,
    /// Where control goes next.
    pub flow: Flow,
    /// Under which condition a [`Flow::Branch`] is taken or the first value of an
    /// [`Operator::Either`] chosen; `None` for all other instructions. It speaks of the last
    /// [`Effect::Compare`] or [`Effect::Test`] before it.
    pub condition: Option<Condition>,
}

/// A condition on the flags, by what it says of the two values compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `a == b`; after a test: no tested bit is set.
    Equal,
    /// `a != b`; after a test: some tested bit is set.
    NotEqual,
    /// `a < b`, unsigned.
    Below,
    /// `a >= b`, unsigned.
    AboveOrEqual,
    /// `a <= b`, unsigned.
    BelowOrEqual,
    /// `a > b`, unsigned.
    Above,
    /// `a < b`, signed.
    Less,
    /// `a >= b`, signed.
    GreaterOrEqual,
    /// `a <= b`, signed.
    LessOrEqual,
    /// `a > b`, signed.
    Greater,
    /// The result's top bit is set.
    Negative,
    /// The result's top bit is clear.
    NotNegative,
    /// Signed overflow.
    Overflow,
    /// No signed overflow.
    NoOverflow,
    /// x86 parity of the low byte.
    Parity,
    /// x86 no parity.
    NoParity,
}

/// Where control goes after an instruction.
#[derive(Clone, Debug, PartialEq)]
pub enum Flow {
    /// To the next instruction.
    Next,
    /// To a fixed place.
    Jump(ImageAddr),
    /// To a fixed place or to the next instruction.
    Branch(ImageAddr),
    /// To a function at a fixed place, and back to the next instruction.
    Call(ImageAddr),
    /// To a function whose address is a value, and back.
    CallIndirect(Target),
    /// To a place whose address is a value (tail call, switch table).
    JumpIndirect(Target),
    /// Back to the caller.
    Return,
    /// Nowhere: `ud2`, `brk`, `int3`, `udf`. The kernel resumes after those that are a `WARN()`;
    /// the bytes do not tell a `WARN()` from a `BUG()`.
    Stop,
}

/// Where an indirect branch takes its target from.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A register.
    Register(Reg),
    /// A load.
    Memory(MemOperand),
}

/// A memory operand: `[base + index * scale + displacement]`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct MemOperand {
    /// Base register. rip-relative and absolute operands have none: `displacement` is then the whole address.
    pub base: Option<Reg>,
    /// Index register.
    pub index: Option<Index>,
    /// Constant part, in bytes, sign-extended. For pre-indexed ARM64 operands the offset; 0 for post-indexed ones.
    pub displacement: i64,
    /// x86 segment override whose base is not zero: DWARF number of fs.base (58) or gs.base (59).
    pub segment: Option<Reg>,
}

/// The index part of a memory operand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Index {
    /// The register.
    pub register: Reg,
    /// What its value is multiplied by: 1, 2, 4, 8, 16.
    pub scale: u8,
    /// `true` when only its low 32 bits count.
    pub narrow: bool,
    /// Whether those 32 bits are sign-extended (`sxtw`) rather than zero-extended (`uxtw`).
    pub signed: bool,
}

/// One thing an instruction does.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// A register gets a value. `width` bytes are written: 8 or 4 (upper half zeroed), or 1 and 2 on x86 (the rest kept).
    Set {
        /// Which.
        register: Reg,
        /// Bytes.
        width: u8,
        /// What.
        value: Value,
    },
    /// A register gets what memory holds.
    Load {
        /// Which; `None` when the value is not kept or goes to a vector register (`ldr xzr`, `ldr q0`,
        /// x86 string instructions, cache maintenance by address). Comparisons carry theirs as [`Value::Memory`].
        register: Option<Reg>,
        /// Where from.
        memory: MemOperand,
        /// Bytes read; 0 where the instruction's bytes do not fix it (`xsave`), 255 for more than 254.
        width: u8,
        /// Sign-extended into the register.
        signed: bool,
        /// Exclusive, acquire or otherwise ordered: the same to the analysis, said in the listing.
        ordered: bool,
    },
    /// Memory gets a value.
    Store {
        /// What.
        value: Value,
        /// Where.
        memory: MemOperand,
        /// Bytes written.
        width: u8,
    },
    /// Memory is read, changed and written back (`add $1,(%rax)`, `lock cmpxchg`, `ldadd`).
    Modify {
        /// Where.
        memory: MemOperand,
        /// Bytes.
        width: u8,
        /// The operator in C: `+=`, `|=`, `=` for an exchange, conditional or not; `?` where C has none.
        operator: &'static str,
        /// What it is combined with, where that is simple.
        operand: Option<Value>,
        /// Register that receives the old value, if any.
        old: Option<Reg>,
    },
    /// A register is written with something not modelled.
    Clobber(Reg),
    /// Flags are set by comparing two values (`cmp`, `subs xzr`); for explanations and branch
    /// conditions. Two [`Value::Opaque`]s: the flags are set by something not modelled.
    Compare(Value, Value),
    /// Flags are set by testing bits of two values (`test`, `tst`).
    Test(Value, Value),
}

/// A value an effect uses.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A register, `width` low bytes of it (8 for whole).
    Register(Reg, u8),
    /// A number. Addresses materialised by one instruction (`lea sym(%rip)`, `adr`, `adrp`'s page, relocated immediates) too.
    Constant(u64),
    /// The address of a memory operand (`lea`, `add x0, x1, #8`): arithmetic that may be pointer arithmetic.
    Address(MemOperand),
    /// Two values combined.
    Binary(Operator, Box<Value>, Box<Value>),
    /// A value widened: from `bits` bits, sign- or zero-extended; bit-field extracts have a first bit.
    Extract {
        /// Of what.
        value: Box<Value>,
        /// First bit.
        lsb: u8,
        /// How many bits.
        bits: u8,
        /// Sign-extended.
        signed: bool,
    },
    /// What memory holds: an operand of an ALU instruction (x86 `add (%rax),%rbx`).
    Memory(Box<MemOperand>, u8),
    /// A system register, by its name in assembly. ARM64 Linux keeps `current` in `sp_el0` and the
    /// per-cpu offset in `tpidr_el1` (`tpidr_el2` under VHE).
    System(&'static str),
    /// Not modelled.
    Opaque,
}

/// How two values are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `&`
    And,
    /// `|`
    Or,
    /// `^`
    Xor,
    /// `<<`
    Shl,
    /// Logical `>>`.
    Shr,
    /// Arithmetic `>>`.
    Sar,
    /// One of the two, depending on a condition (`csel`, `cmov`).
    Either,
}

/// Decodes the instruction at the start of `bytes`, which stands at `address`.
///
/// `None` where the bytes are no instruction of `arch` or too few.
#[must_use]
pub fn decode(arch: Arch, bytes: &[u8], address: ImageAddr) -> Option<Insn> {
    let decoded = match arch {
        Arch::X86_64 => x86::decode(bytes, address),
        Arch::Arm64 => arm64::decode(bytes, address),
        _ => None,
    }?;
    let Decoded { len, effects, flow, condition } = decoded;
    let mut raw = [0; 15];
    for (to, from) in raw.iter_mut().zip(bytes.get(..usize::from(len))?) {
        *to = *from;
    }
    Some(Insn { arch, address, len, raw, effects, flow, condition })
}

/// What the two CPUs' decoders answer.
struct Decoded {
    len: u8,
    effects: Vec<Effect>,
    flow: Flow,
    condition: Option<Condition>,
}

impl Insn {
    /// The instruction's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.raw.get(..usize::from(self.len)).unwrap_or(&self.raw)
    }

    /// As `objdump -d` writes it: mnemonic, blank, operands. Branch targets are hexadecimal addresses.
    #[must_use]
    pub fn text(&self) -> String {
        match self.arch {
            Arch::X86_64 => x86::text(self.bytes(), self.address),
            Arch::Arm64 => arm64::text(self.bytes(), self.address),
            _ => String::new(),
        }
    }

    /// The memory this instruction touches: operand, bytes, and whether it reads, writes or both.
    ///
    /// Several for pair, string and push/call instructions.
    #[must_use]
    pub fn accesses(&self) -> Vec<Access> {
        let mut found = Vec::new();
        let mut reads_in = |value: &Value| collect_reads(value, &mut found);
        for effect in &self.effects {
            if let Effect::Set { value, .. } | Effect::Store { value, .. } = effect {
                reads_in(value);
            }
            if let Effect::Compare(a, b) | Effect::Test(a, b) = effect {
                reads_in(a);
                reads_in(b);
            }
        }
        for effect in &self.effects {
            match effect {
                Effect::Load { memory, width, .. } => {
                    found.push(Access { memory: memory.clone(), width: *width, kind: AccessKind::Read });
                }
                Effect::Store { memory, width, .. } => {
                    found.push(Access { memory: memory.clone(), width: *width, kind: AccessKind::Write });
                }
                Effect::Modify { memory, width, .. } => {
                    found.push(Access { memory: memory.clone(), width: *width, kind: AccessKind::Modify });
                }
                _ => {}
            }
        }
        if let Flow::CallIndirect(Target::Memory(memory)) | Flow::JumpIndirect(Target::Memory(memory)) =
            &self.flow
        {
            found.push(Access { memory: memory.clone(), width: 8, kind: AccessKind::Read });
        }
        found
    }
}

fn collect_reads(value: &Value, found: &mut Vec<Access>) {
    match value {
        Value::Memory(memory, width) => {
            found.push(Access { memory: (**memory).clone(), width: *width, kind: AccessKind::Read });
        }
        Value::Binary(_, a, b) => {
            collect_reads(a, found);
            collect_reads(b, found);
        }
        Value::Extract { value, .. } => collect_reads(value, found),
        Value::Register(..) | Value::Constant(_) | Value::Address(_) | Value::System(_) | Value::Opaque => {}
    }
}

/// One access to memory by an instruction.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    /// Where.
    pub memory: MemOperand,
    /// Bytes.
    pub width: u8,
    /// How.
    pub kind: AccessKind,
}

/// How memory is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKind {
    /// Read.
    Read,
    /// Written.
    Write,
    /// Read, then written back.
    Modify,
}
