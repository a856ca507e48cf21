//! Instructions in plain words.
//!
//! What an instruction does is read from its effects, so that the words and the data flow cannot
//! disagree; only instructions without effects are told apart by their mnemonic. C names come
//! from a [`Naming`], which knows the function around the instruction.

use crate::insn::{Condition, Effect, Flow, Insn, MemOperand, Operator, Target, Value};
use kwhy_base::catalogue::listing as say;
use kwhy_base::{Arch, ImageAddr, Prose, Reg, prose};

/// C names for what an instruction works on, as they stand before it.
pub trait Naming {
    /// The C expression whose value the register holds.
    fn register(&self, register: Reg) -> Option<String>;
    /// The C expression of the object of `width` bytes at a memory operand.
    fn memory(&self, memory: &MemOperand, width: u8) -> Option<String>;
    /// The C expression of a memory operand's address, where nothing is accessed.
    fn address_of(&self, memory: &MemOperand) -> Option<String> {
        self.memory(memory, 0).map(|name| format!("&{name}"))
    }
    /// The symbol at an address, with the offset into it where that is not 0.
    fn address(&self, address: ImageAddr) -> Option<String>;
}

/// Names nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNames;

impl Naming for NoNames {
    fn register(&self, _: Reg) -> Option<String> {
        None
    }

    fn memory(&self, _: &MemOperand, _: u8) -> Option<String> {
        None
    }

    fn address(&self, _: ImageAddr) -> Option<String> {
        None
    }
}

/// What `insn` does.
#[must_use]
pub fn explain(insn: &Insn, naming: &dyn Naming) -> Prose {
    let words = Words { arch: insn.arch, naming };
    let clauses = match &insn.flow {
        Flow::Next => words.effects(insn),
        Flow::Jump(target) => vec![prose!(say::GO, target = words.place(*target))],
        Flow::Branch(target) => vec![words.branch(insn, *target)],
        Flow::Call(target) => vec![prose!(say::CALL, target = words.place(*target))],
        Flow::CallIndirect(target) => vec![words.indirect(say_call, target)],
        Flow::JumpIndirect(target) => vec![words.indirect(say_jump, target)],
        Flow::Return => vec![prose!(say::RETURN)],
        Flow::Stop => vec![trap(insn)],
    };
    join(clauses).unwrap_or_else(|| by_mnemonic(insn))
}

fn say_call(place: String) -> Prose {
    prose!(say::CALL_INDIRECT, place = place)
}

fn say_jump(place: String) -> Prose {
    prose!(say::GO_INDIRECT, place = place)
}

/// The clauses one after another; `None` where there are none.
fn join(clauses: Vec<Prose>) -> Option<Prose> {
    let mut clauses = clauses.into_iter().rev();
    let last = clauses.next()?;
    Some(clauses.fold(last, |rest, first| prose!(say::THEN, first = first, rest = rest)))
}

fn trap(insn: &Insn) -> Prose {
    let bytes = insn.bytes();
    match (insn.arch, bytes) {
        (Arch::X86_64, [0xcc]) => prose!(say::TRAP_BREAKPOINT),
        (Arch::X86_64, [0x0f, 0x0b]) => prose!(say::TRAP_BUG),
        // brk #0x800: BUG_BRK_IMM of the kernel's asm/brk-imm.h.
        (Arch::Arm64, [0x00, 0x00, 0x21, 0xd4]) => prose!(say::TRAP_BUG),
        (Arch::Arm64, [_, _, 0, 0]) => prose!(say::TRAP_UNDEFINED),
        _ => prose!(say::TRAP_CODE, instruction = insn.text()),
    }
}

/// Instructions that neither touch memory nor change a register.
fn by_mnemonic(insn: &Insn) -> Prose {
    let text = insn.text();
    let mnemonic =
        text.split(' ').find(|word| !matches!(*word, "data16" | "cs" | "ds" | "rep" | "repz" | "lock"));
    let name = mnemonic.unwrap_or_default().to_owned();
    match name.as_str() {
        name if name.starts_with("nop") || name == "xchg" => prose!(say::NOTHING),
        "endbr64" | "bti" => prose!(say::LANDING_PAD),
        "paciasp" | "pacibsp" | "paciaz" | "pacibz" => prose!(say::SIGN_RETURN),
        "autiasp" | "autibsp" | "autiaz" | "autibz" | "xpaclri" => prose!(say::CHECK_RETURN),
        "dmb" | "dsb" | "isb" | "sb" | "csdb" | "esb" | "psb" | "tsb" | "lfence" | "mfence" | "sfence"
        | "serialize" | "clearbhb" => prose!(say::BARRIER),
        name if name.starts_with("prf") || name.starts_with("prefetch") => prose!(say::PREFETCH),
        "yield" | "wfe" | "wfi" | "sev" | "sevl" | "wfet" | "wfit" | "hint" | "pause" | "hlt" | "dgh"
        | "mwait" | "monitor" | "mwaitx" | "monitorx" => prose!(say::HINT),
        "cli" | "sti" => prose!(say::INTERRUPTS, mnemonic = name),
        "msr" if text.contains("daif") => prose!(say::INTERRUPTS, mnemonic = text),
        "tlbi" | "dc" | "ic" | "at" | "invlpg" | "wbinvd" | "invpcid" => {
            prose!(say::MAINTENANCE, mnemonic = text)
        }
        "msr" | "sys" | "wrmsr" | "swapgs" | "stac" | "clac" | "lidt" | "lgdt" | "ltr" | "lldt"
        | "xsetbv" => {
            prose!(say::SYSTEM_WRITE, mnemonic = text)
        }
        "wrfsbase" | "wrgsbase" | "wrpkru" => prose!(say::SYSTEM_WRITE, mnemonic = text),
        "out" | "outb" | "outw" | "outl" => prose!(say::PORT_WRITE, mnemonic = text),
        "cld" | "std" => prose!(say::FLAGS),
        "vmcall" | "vmmcall" | "vmgexit" | "stgi" | "clgi" | "vmlaunch" | "vmresume" | "vmrun" => {
            prose!(say::HYPERVISOR, mnemonic = name)
        }
        "mov" if insn.arch == Arch::X86_64 => prose!(say::SYSTEM_WRITE, mnemonic = text),
        _ if is_vector(insn, &text) => prose!(say::VECTOR, mnemonic = name),
        _ => prose!(say::OTHER, mnemonic = name),
    }
}

fn is_vector(insn: &Insn, text: &str) -> bool {
    match insn.arch {
        Arch::X86_64 => {
            let registers = ["%xmm", "%ymm", "%zmm", "%mm", "%st", "%k"];
            // The x87's mnemonics, and only they, begin with f.
            text.starts_with('f')
                || matches!(text, "emms" | "vzeroupper" | "vzeroall" | "tilerelease")
                || registers.iter().any(|name| text.contains(name))
        }
        // Bits 28:25 of the word: x111 is SIMD and floating point, 0010 SVE.
        _ => insn.bytes().get(3).is_some_and(|top| matches!((top >> 1) & 15, 7 | 15 | 2)),
    }
}

/// One instruction being put into words.
struct Words<'a> {
    arch: Arch,
    naming: &'a dyn Naming,
}

impl Words<'_> {
    fn effects(&self, insn: &Insn) -> Vec<Prose> {
        let mut clauses = Vec::new();
        let mut clobbered = Vec::new();
        let only_flags = insn.effects.len() == 1;
        for effect in &insn.effects {
            match effect {
                // Most ALU instructions set flags on the way; it is worth words only when it is their purpose.
                Effect::Compare(..) | Effect::Test(..) if !only_flags => {}
                Effect::Compare(Value::Opaque, Value::Opaque) => clauses.push(prose!(say::FLAGS)),
                Effect::Compare(a, b) => {
                    clauses.push(prose!(say::COMPARE, a = self.known(a), b = self.known(b)));
                }
                Effect::Test(a, b) if a == b => clauses.push(prose!(say::TEST_SELF, a = self.known(a))),
                Effect::Test(a, b) => {
                    clauses.push(prose!(say::TEST, a = self.known(a), b = self.known(b)));
                }
                Effect::Clobber(register) => clobbered.push(Prose::verbatim(self.register(*register, 8))),
                Effect::Set { register, width, value } => {
                    clauses.push(self.set(insn, *register, *width, value));
                }
                Effect::Load { register, memory, width, signed, ordered } => {
                    clauses.push(self.load(*register, memory, *width, *signed, *ordered));
                }
                Effect::Store { value, memory, width } => clauses.push(self.store(value, memory, *width)),
                Effect::Modify { memory, width, operator, operand, old } => {
                    clauses.push(self.modify(insn, memory, *width, operator, operand.as_ref(), *old));
                }
            }
        }
        if !clobbered.is_empty() {
            let mnemonic = mnemonic(insn);
            clauses.push(prose!(say::CLOBBERS, registers = clobbered, mnemonic = mnemonic));
        }
        clauses
    }

    fn branch(&self, insn: &Insn, target: ImageAddr) -> Prose {
        let target = self.place(target);
        let equal = insn.condition == Some(Condition::Equal);
        match insn.effects.last() {
            Some(Effect::Compare(a, Value::Constant(0))) => {
                let a = self.known(a);
                if equal {
                    prose!(say::IF_ZERO, a = a, target = target)
                } else {
                    prose!(say::IF_NOT_ZERO, a = a, target = target)
                }
            }
            Some(Effect::Test(a, Value::Constant(mask))) if mask.is_power_of_two() => {
                let (a, bit) = (self.known(a), mask.trailing_zeros());
                if equal {
                    prose!(say::IF_BIT_CLEAR, a = a, bit = bit, target = target)
                } else {
                    prose!(say::IF_BIT_SET, a = a, bit = bit, target = target)
                }
            }
            _ => prose!(say::IF, condition = condition(insn.condition), target = target),
        }
    }

    fn indirect(&self, say: fn(String) -> Prose, target: &Target) -> Prose {
        match target {
            Target::Register(register) => {
                named(say(self.register(*register, 8)), self.naming.register(*register))
            }
            Target::Memory(memory) => {
                named(say(format!("[{}]", self.formula(memory))), self.naming.memory(memory, 8))
            }
        }
    }

    fn set(&self, insn: &Insn, register: Reg, width: u8, value: &Value) -> Prose {
        let to = self.register(register, width);
        match value {
            Value::Binary(Operator::Either, first, second) => prose!(
                say::EITHER,
                to = to,
                first = self.known(first),
                second = self.known(second),
                condition = condition(insn.condition)
            ),
            Value::Address(MemOperand { base: Some(base), index: None, displacement, segment: None })
                if *base == register =>
            {
                let amount = displacement.unsigned_abs();
                let is_stack = kwhy_arch::cpu::cpu(self.arch).is_some_and(|cpu| cpu.sp == register);
                match (is_stack, *displacement < 0) {
                    (true, true) => prose!(say::STACK_GROWS, amount = amount),
                    (true, false) => prose!(say::STACK_SHRINKS, amount = amount),
                    (false, true) => prose!(say::SUBTRACT_FROM, to = to, amount = amount),
                    (false, false) => prose!(say::ADD_TO, to = to, amount = amount),
                }
            }
            Value::Register(from, 8) if *from == register => prose!(say::AUTHENTICATE, to = to),
            Value::Register(from, from_width) => {
                let from_name = self.register(*from, *from_width);
                named(prose!(say::COPY, from = from_name, to = to), self.naming.register(*from))
            }
            Value::System("sp_el0") => prose!(say::CURRENT, to = to, system = "sp_el0"),
            Value::System(system @ ("tpidr_el1" | "tpidr_el2")) => {
                prose!(say::PER_CPU, to = to, system = *system)
            }
            Value::System(system) => prose!(say::SET_SYSTEM, to = to, system = *system),
            Value::Opaque => prose!(say::COMPUTED, to = to, mnemonic = mnemonic(insn)),
            Value::Memory(memory, bytes_read) => {
                let clause = prose!(
                    say::LOAD_NARROW,
                    to = to,
                    place = self.formula(memory),
                    bytes = bytes(*bytes_read)
                );
                named(clause, self.naming.memory(memory, *bytes_read))
            }
            Value::Address(memory) => {
                let clause = prose!(say::SET, to = to, value = self.formula(memory));
                named(clause, self.naming.address_of(memory))
            }
            other => prose!(say::SET, to = to, value = self.value(other, false)),
        }
    }

    fn load(
        &self,
        register: Option<Reg>,
        memory: &MemOperand,
        width: u8,
        signed: bool,
        ordered: bool,
    ) -> Prose {
        let place = self.formula(memory);
        let name = self.naming.memory(memory, width);
        let Some(register) = register else {
            return named(prose!(say::READ, bytes = bytes(width), place = place), name);
        };
        let shown_width = if width == 4 && !signed { 4 } else { 8 };
        let to = self.register(register, shown_width);
        let clause = if ordered {
            prose!(say::LOAD_ORDERED, to = to, place = place, bytes = bytes(width))
        } else if signed {
            prose!(say::LOAD_SIGNED, to = to, place = place, bytes = bytes(width))
        } else if name.is_none() && self.is_saved(register, memory) {
            prose!(say::RESTORE, to = to, place = place)
        } else if width == 8 {
            prose!(say::LOAD, to = to, place = place)
        } else {
            prose!(say::LOAD_NARROW, to = to, place = place, bytes = bytes(width))
        };
        named(clause, name)
    }

    /// Whether a register at a place on the stack is there for the caller's sake.
    fn is_saved(&self, register: Reg, memory: &MemOperand) -> bool {
        kwhy_arch::cpu::cpu(self.arch).is_some_and(|cpu| {
            memory.base == Some(cpu.sp) && (cpu.callee_saved.contains(&register) || cpu.lr == Some(register))
        })
    }

    fn store(&self, value: &Value, memory: &MemOperand, width: u8) -> Prose {
        let place = self.formula(memory);
        let name = self.naming.memory(memory, width);
        let clause = match value {
            Value::Opaque => prose!(say::STORE_UNKNOWN, bytes = bytes(width), place = place),
            Value::Register(register, 8) if name.is_none() && self.is_saved(*register, memory) => {
                prose!(say::SAVE, value = self.register(*register, 8), place = place)
            }
            other => prose!(say::STORE, value = self.known(other), bytes = bytes(width), place = place),
        };
        named(clause, name)
    }

    fn modify(
        &self,
        insn: &Insn,
        memory: &MemOperand,
        width: u8,
        operator: &str,
        operand: Option<&Value>,
        old: Option<Reg>,
    ) -> Prose {
        let place = self.formula(memory);
        let name = self.naming.memory(memory, width);
        let bytes = bytes(width);
        let clause = match (operator, operand) {
            ("=", Some(operand)) => {
                let value = self.known(operand);
                // `cas` and `cmpxchg` write only on a match.
                if mnemonic(insn).starts_with('c') {
                    prose!(say::COMPARE_EXCHANGE, value = value, bytes = bytes, place = place)
                } else {
                    prose!(say::EXCHANGE, value = value, bytes = bytes, place = place)
                }
            }
            (_, Some(operand)) if operator != "?" => {
                let object = name.clone().unwrap_or_else(|| format!("[{place}]"));
                let operand = self.value(operand, true);
                let operation = match operator.strip_suffix('~') {
                    Some(plain) => format!("{object} {plain}~{operand}"),
                    None => format!("{object} {operator} {operand}"),
                };
                prose!(say::MODIFY, bytes = bytes, place = place, operation = operation)
            }
            _ => named(prose!(say::MODIFY_UNKNOWN, bytes = bytes, place = place), name.clone()),
        };
        let clause = if operator == "=" { named(clause, name) } else { clause };
        match old {
            Some(old) => prose!(say::OLD_VALUE, what = clause, old = self.register(old, width.max(4))),
            None => clause,
        }
    }

    /// A branch target: its symbol, or its number.
    fn place(&self, address: ImageAddr) -> String {
        self.naming.address(address).map_or_else(|| format!("{:#x}", address.0), |name| format!("`{name}`"))
    }

    /// The name that `width` bytes of a register go by in assembly.
    fn register(&self, register: Reg, width: u8) -> String {
        let whole = kwhy_arch::cpu::cpu(self.arch).and_then(|cpu| cpu.name(register));
        let Some(whole) = whole else { return format!("register {}", register.0) };
        match (self.arch, width) {
            (Arch::Arm64, 1..=4) => whole.strip_prefix('x').map_or(whole.to_owned(), |n| format!("w{n}")),
            (Arch::X86_64, 1 | 2 | 4) => x86_part(whole, width),
            _ => whole.to_owned(),
        }
    }

    /// A value with the C name of its register beside it.
    fn known(&self, value: &Value) -> String {
        let text = self.value(value, false);
        let name = match value {
            Value::Register(register, _) => self.naming.register(*register),
            Value::Memory(memory, width) => self.naming.memory(memory, *width),
            _ => None,
        };
        match name {
            Some(name) => format!("{text} (`{name}`)"),
            None => text,
        }
    }

    /// A value as a formula of registers; in brackets where `inner` and it is made of several.
    fn value(&self, value: &Value, inner: bool) -> String {
        let made = match value {
            Value::Register(register, width) => return self.register(*register, *width),
            Value::Constant(number) => return self.number(*number),
            Value::System(name) => return (*name).to_owned(),
            Value::Opaque => return "…".to_owned(),
            Value::Memory(memory, _) => return format!("[{}]", self.formula(memory)),
            Value::Address(memory) => self.formula(memory),
            Value::Extract { value, lsb, bits, signed } => {
                let of = self.value(value, true);
                return match (*lsb, *bits) {
                    (0, 8 | 16 | 32) => format!("({}{bits}){of}", if *signed { 's' } else { 'u' }),
                    (lsb, bits) => {
                        format!(
                            "{of}[{}:{lsb}]",
                            u32::from(lsb).saturating_add(u32::from(bits)).saturating_sub(1)
                        )
                    }
                };
            }
            Value::Binary(operator, a, b) => {
                // `~b` is told from other exclusive ors by its all-ones operand.
                if let (Operator::Xor, Value::Constant(u64::MAX | 0xffff_ffff)) = (operator, &**b) {
                    return format!("~{}", self.value(a, true));
                }
                let (a, b) = (self.value(a, true), self.value(b, true));
                match operator {
                    Operator::Add => format!("{a} + {b}"),
                    Operator::Sub => format!("{a} - {b}"),
                    Operator::Mul => format!("{a} * {b}"),
                    Operator::And => format!("{a} & {b}"),
                    Operator::Or => format!("{a} | {b}"),
                    Operator::Xor => format!("{a} ^ {b}"),
                    Operator::Shl => format!("{a} << {b}"),
                    Operator::Shr | Operator::Sar => format!("{a} >> {b}"),
                    Operator::Either => format!("? {a} : {b}"),
                }
            }
        };
        if inner && made.contains(' ') { format!("({made})") } else { made }
    }

    fn number(&self, number: u64) -> String {
        /// -1023 in 32 bits.
        const SMALL_NEGATIVE: u64 = 0xffff_fc01;
        // Small numbers are never addresses, whatever lies there.
        let symbol = if number >= 0x1_0000 { self.naming.address(ImageAddr(number)) } else { None };
        match symbol {
            Some(symbol) => format!("`{symbol}`"),
            None if number < 1024 => number.to_string(),
            None if number.cast_signed() < 0 && number.cast_signed() > -1024 => {
                number.cast_signed().to_string()
            }
            // A small negative number in half a register: `-EINVAL`.
            None if (SMALL_NEGATIVE..=u64::from(u32::MAX)).contains(&number) => {
                format!("{number:#x} (-{})", (1u64 << 32).wrapping_sub(number))
            }
            None => format!("{number:#x}"),
        }
    }

    /// `x0 + x1 * 8 + 40`.
    fn formula(&self, memory: &MemOperand) -> String {
        let mut parts = Vec::new();
        if let Some(base) = memory.base {
            parts.push(self.register(base, 8));
        }
        if let Some(index) = &memory.index {
            let register = self.register(index.register, if index.narrow { 4 } else { 8 });
            let register = if index.signed { format!("(s32){register}") } else { register };
            parts.push(if index.scale > 1 { format!("{register} * {}", index.scale) } else { register });
        }
        let mut out = parts.join(" + ");
        let displacement = memory.displacement;
        if out.is_empty() {
            out = self.number(displacement.cast_unsigned());
        } else if displacement != 0 {
            let sign = if displacement < 0 { '-' } else { '+' };
            let amount = displacement.unsigned_abs();
            out = if amount < 1 << 20 {
                format!("{out} {sign} {amount}")
            } else {
                // A table's address as displacement, or a bias past counting.
                format!("{out} + {}", self.number(displacement.cast_unsigned()))
            };
        }
        match memory.segment {
            Some(Reg(58)) => format!("fs:{out}"),
            Some(_) => format!("gs:{out}"),
            None => out,
        }
    }
}

fn named(clause: Prose, name: Option<String>) -> Prose {
    match name {
        Some(name) => prose!(say::NAMED, what = clause, name = name),
        None => clause,
    }
}

fn bytes(width: u8) -> Prose {
    match width {
        0 | 255 => prose!(say::BYTES_UNKNOWN),
        1 => prose!(say::BYTE),
        n => prose!(say::BYTES, n = u32::from(n)),
    }
}

/// The instruction's mnemonic without prefixes.
fn mnemonic(insn: &Insn) -> String {
    let text = insn.text();
    let name = text
        .split(' ')
        .find(|word| !matches!(*word, "lock" | "rep" | "repz" | "repnz" | "data16" | "cs" | "ds"));
    name.unwrap_or_default().to_owned()
}

/// The name of the low `width` bytes of an x86-64 register.
fn x86_part(whole: &str, width: u8) -> String {
    if whole.starts_with('r') && whole.ends_with(|c: char| c.is_ascii_digit()) {
        let suffix = match width {
            4 => "d",
            2 => "w",
            _ => "b",
        };
        return format!("{whole}{suffix}");
    }
    let Some(stem) = whole.strip_prefix('r') else { return whole.to_owned() };
    match (width, stem.strip_suffix('x')) {
        (4, _) => format!("e{stem}"),
        (2, _) => stem.to_owned(),
        (_, Some(letter)) => format!("{letter}l"),
        (_, None) => format!("{stem}l"),
    }
}

fn condition(condition: Option<Condition>) -> Prose {
    match condition {
        Some(Condition::Equal) => prose!(say::EQUAL),
        Some(Condition::NotEqual) => prose!(say::NOT_EQUAL),
        Some(Condition::Below) => prose!(say::BELOW),
        Some(Condition::AboveOrEqual) => prose!(say::ABOVE_OR_EQUAL),
        Some(Condition::BelowOrEqual) => prose!(say::BELOW_OR_EQUAL),
        Some(Condition::Above) => prose!(say::ABOVE),
        Some(Condition::Less) => prose!(say::LESS),
        Some(Condition::GreaterOrEqual) => prose!(say::GREATER_OR_EQUAL),
        Some(Condition::LessOrEqual) => prose!(say::LESS_OR_EQUAL),
        Some(Condition::Greater) => prose!(say::GREATER),
        Some(Condition::Negative) => prose!(say::NEGATIVE),
        Some(Condition::NotNegative) => prose!(say::NOT_NEGATIVE),
        Some(Condition::Overflow) => prose!(say::OVERFLOW),
        Some(Condition::NoOverflow) => prose!(say::NO_OVERFLOW),
        Some(Condition::Parity) => prose!(say::PARITY),
        Some(Condition::NoParity) => prose!(say::NO_PARITY),
        None => prose!(say::THE_CONDITION),
    }
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
