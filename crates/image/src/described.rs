//! What is known of functions and variables without DWARF: by the symbols, BTF's prototypes and
//! the calling convention.
//!
//! A prototype says what is in the argument registers when a function begins, under the names of
//! the source. Everything else about a body (locals, inlined calls, lines) only DWARF has.

use crate::Prototype;
use crate::btf::{Btf, BtfFunction};
use crate::function::{CodeRange, Function, Place, Scope, ScopeKind, Variable, VariableLocation};
use crate::image::Image;
use crate::types::{Type, TypeId};
use kwhy_base::{Arch, ImageAddr, Reg};
use std::rc::Rc;

/// Functions that are kept.
const MAX_KEPT: usize = 4096;

/// The registers of integer arguments, by DWARF number: System V psABI for AMD64, 3.2.3; AAPCS64,
/// 6.8.2; RISC-V ELF psABI, integer calling convention.
fn arguments(arch: Arch) -> &'static [u16] {
    match arch {
        Arch::X86_64 => &[5, 4, 1, 2, 8, 9],
        Arch::Arm64 => &[0, 1, 2, 3, 4, 5, 6, 7],
        Arch::Riscv64 => &[10, 11, 12, 13, 14, 15, 16, 17],
        _ => &[],
    }
}

/// A symbol's name in the source, and whether its parameters are those of its prototype: the
/// compiler drops or splits those of its clones (`.isra.0`, `.constprop.0`, `.part.0`).
fn source_name(symbol: &str) -> (&str, bool) {
    match symbol.split_once('.') {
        None => (symbol, true),
        // `.cold` is the same function; a mere number is a static one of a common name (clang: `.llvm.…`).
        Some((plain, rest)) => {
            let same = rest == "cold"
                || rest.starts_with("cold.")
                || rest.starts_with("llvm.")
                || rest.bytes().all(|byte| byte.is_ascii_digit());
            (plain, same)
        }
    }
}

impl<'d> Image<'d> {
    /// The function around `address`, by its symbol and its prototype in BTF.
    pub(crate) fn described_function(&self, address: ImageAddr) -> Option<Rc<Function>> {
        let symbol = self.symbol_at(address).filter(|symbol| symbol.function)?;
        if let Some(known) = self.described.borrow().get(&symbol.address.0) {
            return known.clone();
        }
        let built = self.describe_function(&symbol).map(Rc::new);
        let mut kept = self.described.borrow_mut();
        if kept.len() < MAX_KEPT {
            kept.insert(symbol.address.0, built.clone());
        }
        built
    }

    fn describe_function(&self, symbol: &crate::Symbol) -> Option<Function> {
        // Sizes of symbols reach to the next symbol, and may lead over a gap.
        const MOST: u64 = 1 << 16;
        let range = |symbol: &crate::Symbol| -> CodeRange {
            let size = if symbol.elf_size > 0 { symbol.elf_size } else { symbol.size };
            symbol.address..ImageAddr(symbol.address.0.saturating_add(size.clamp(1, MOST)))
        };
        let only = |name: &str| match self.symbols_named(name).as_slice() {
            [one] if one.function => Some(one.clone()),
            _ => None,
        };
        // A part that was moved out of the way belongs to the function that it was moved out of.
        let (hot, cold) = match symbol.name.split_once(".cold") {
            Some((hot, _)) => (only(hot)?, Some(symbol.clone())),
            None => (symbol.clone(), only(&format!("{}.cold", symbol.name))),
        };
        let mut ranges = vec![range(&hot)];
        ranges.extend(cold.as_ref().map(range));
        let (name, whole) = source_name(&hot.name);
        let described = self.btf().and_then(|btf| self.one_function(btf, name));
        let variables = match &described {
            Some(function) if whole => self.entry_variables(function, hot.address),
            _ => Vec::new(),
        };
        let returns = described.as_ref().and_then(|function| {
            let btf = self.btf()?;
            Some(self.btf_id(btf, function.returns)).filter(|id| id.0 != 0)
        });
        let body =
            Scope { kind: ScopeKind::Function, ranges: ranges.clone(), variables, children: Vec::new() };
        Some(Function { name: Rc::from(name), entry: hot.address, returns, declared: None, body, ranges })
    }

    /// The function of this name, where all of that name look the same: static functions of
    /// different files may differ.
    fn one_function(&self, btf: &Btf<'d>, name: &str) -> Option<BtfFunction> {
        let mut all = btf.functions(name).into_iter();
        let first = all.next()?;
        let same = |other: &BtfFunction| {
            let types = |one: &BtfFunction| -> Vec<TypeId> {
                one.parameters.iter().map(|(_, ty)| self.btf_id(btf, *ty)).collect()
            };
            types(other) == types(&first)
        };
        all.all(|other| same(&other)).then_some(first)
    }

    /// The parameters with where they are when the function begins.
    fn entry_variables(&self, function: &BtfFunction, entry: ImageAddr) -> Vec<Variable> {
        let Some(btf) = self.btf() else { return Vec::new() };
        let mut registers = arguments(self.arch()).iter().copied().map(Reg);
        let mut found = Vec::new();
        for (name, ty) in &function.parameters {
            let ty = self.btf_id(btf, *ty);
            let record = matches!(self.strip(ty), Type::Record(_));
            let size = self.size_of(ty).unwrap_or(8);
            let locations = if record && size > 16 {
                // In memory: on AMD64 on the stack, else behind a pointer.
                if self.arch() != Arch::X86_64 && registers.next().is_none() {
                    break;
                }
                Vec::new()
            } else if record {
                let count = size.div_ceil(8);
                let held: Vec<Reg> = registers.by_ref().take(usize::try_from(count).unwrap_or(0)).collect();
                let parts = held
                    .iter()
                    .zip(0u64..)
                    .map(|(register, index)| (index * 8, size.saturating_sub(index * 8).min(8), *register));
                let place = Place::Pieces(parts.collect());
                let range = Some(entry..ImageAddr(entry.0.saturating_add(1)));
                vec![VariableLocation { range, place }]
            } else {
                let Some(register) = registers.next() else { break };
                vec![VariableLocation { range: None, place: Place::Entry(register, 0) }]
            };
            let Some(name) = name else { continue };
            found.push(Variable {
                name: Rc::clone(name),
                ty: Some(ty),
                parameter: true,
                declared: None,
                locations,
            });
        }
        found
    }

    /// A function's declaration, by BTF.
    pub(crate) fn described_prototype(&self, name: &str) -> Option<Prototype> {
        let btf = self.btf()?;
        let function = self.one_function(btf, name)?;
        let id = |number: u32| Some(self.btf_id(btf, number));
        Some(Prototype {
            name: Rc::clone(&function.name),
            parameters: function.parameters.iter().map(|(name, ty)| (name.clone(), id(*ty))).collect(),
            returns: id(function.returns).filter(|id| id.0 != 0),
        })
    }

    /// A variable's name and type, by BTF, which describes those of each CPU.
    pub(crate) fn described_variable(&self, name: &str) -> Option<(Rc<str>, Option<TypeId>)> {
        let btf = self.btf()?;
        let ty = btf.variable(name)?;
        Some((Rc::from(name), Some(self.btf_id(btf, ty))))
    }
}
