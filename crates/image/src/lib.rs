//! vmlinux and module images: symbols, code, lines, inlined calls, types and variables.
//!
//! [`Image`] is made of bytes that the caller mapped; opening reads headers only, and every
//! question touches just the pages and the unit it needs.

pub mod function;
pub mod types;

pub use function::{CodeRange, Function, Place, Scope, ScopeKind, Variable, VariableLocation};
pub use types::{Member, Record, Type, TypeId};

use kwhy_base::{Arch, BuildId, ImageAddr};
use std::borrow::Cow;
use std::rc::Rc;

/// Why an image could not be read. Says what and where; the caller knows the file's name.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// Not an ELF file.
    #[error("not an ELF file ({0})")]
    NotElf(String),
    /// An ELF file that breaks its own format.
    #[error("damaged ELF: {0}")]
    Damaged(String),
    /// An ELF file for a CPU, or of a kind, that kwhy does not read.
    #[error("unsupported: {0}")]
    Unsupported(String),
}

/// Whether an image is the kernel or a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageKind {
    /// vmlinux.
    Kernel,
    /// A module; its name as the kernel knows it (`nf_nat`, from `.modinfo` or `.gnu.linkonce.this_module`), `None` where it does not say.
    Module(Option<String>),
}

/// A symbol of the ELF symbol table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// The name, suffixes included.
    pub name: String,
    /// Where it is.
    pub address: ImageAddr,
    /// Bytes, as the *kernel* would print it in `+off/size` (distance to the next symbol, as kallsyms computes it).
    pub size: u64,
    /// Bytes by `st_size`; 0 for many assembler symbols.
    pub elf_size: u64,
    /// A function (`STT_FUNC`, or `STT_NOTYPE` in code).
    pub function: bool,
    /// `STB_GLOBAL` or `STB_WEAK`.
    pub global: bool,
}

/// One row of the line table, for code from `address` up to the next row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineRow {
    /// First address.
    pub address: ImageAddr,
    /// The source file's path as recorded (relative for Debian's C units).
    pub file: Rc<str>,
    /// The compilation directory of the unit.
    pub comp_dir: Option<Rc<str>>,
    /// 1-based line; 0 where the code belongs to no line.
    pub line: u32,
    /// 1-based column, 0 unknown.
    pub column: u32,
    /// Recommended breakpoint location.
    pub is_stmt: bool,
}

/// One level of the source at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFrame {
    /// The (inlined or out-of-line) function's source name.
    pub function: Rc<str>,
    /// File.
    pub file: Option<Rc<str>>,
    /// Line.
    pub line: Option<u32>,
}

/// What a relocation of a module puts at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relocation {
    /// The symbol's name (a section's name for a section symbol).
    pub symbol: String,
    /// In this image, where the symbol is defined here; `None` for an import.
    pub address: Option<ImageAddr>,
    /// Added to the symbol's address.
    pub addend: i64,
    /// `R_AARCH64_…`/`R_X86_64_…` number.
    pub kind: u32,
}

/// A variable at a fixed address.
#[derive(Clone, Debug, PartialEq)]
pub struct Global {
    /// The name.
    pub name: Rc<str>,
    /// Its type.
    pub ty: Option<TypeId>,
    /// Where it starts.
    pub address: ImageAddr,
    /// Whether it lies in a per-cpu section (its address is then an offset from each CPU's base).
    pub per_cpu: bool,
}

/// Why code bytes may differ from the image at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatchKind {
    /// `.altinstructions`, `.parainstructions`, retpoline and return sites.
    Alternative,
    /// `__mcount_loc`, patchable function entry.
    Ftrace,
    /// `__jump_table`: static keys.
    JumpLabel,
    /// `.static_call_sites`.
    StaticCall,
    /// `.smp_locks`.
    SmpLock,
    /// Any other table of patched places, or a place relocated at load time.
    Other,
}

/// A stretch of code that the kernel rewrites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchSite {
    /// Where.
    pub range: CodeRange,
    /// Why.
    pub kind: PatchKind,
}

/// One image.
pub struct Image<'d> {
    data: &'d [u8],
}

// The methods below are the face that the other crates are written against.
#[allow(unused_variables, clippy::todo, missing_docs)]
impl<'d> Image<'d> {
    /// Reads the headers of an ELF file.
    pub fn parse(data: &'d [u8]) -> Result<Image<'d>, ImageError> {
        todo!()
    }
    pub fn arch(&self) -> Arch {
        todo!()
    }
    pub fn kind(&self) -> &ImageKind {
        todo!()
    }
    pub fn build_id(&self) -> Option<&BuildId> {
        todo!()
    }
    /// Kernel release: from `linux_banner` for vmlinux, from `vermagic` for a module.
    pub fn release(&self) -> Option<String> {
        todo!()
    }
    /// The whole `Linux version …` banner of a vmlinux.
    pub fn banner(&self) -> Option<String> {
        todo!()
    }
    pub fn has_dwarf(&self) -> bool {
        todo!()
    }
    /// Problems met so far (damaged sections, bad units), for the report's notes.
    pub fn problems(&self) -> Vec<String> {
        todo!()
    }

    // Symbols and bytes
    /// All symbols of exactly this name (static functions may share one).
    pub fn symbols_named(&self, name: &str) -> Vec<Symbol> {
        todo!()
    }
    /// The function or object symbol that covers `address`.
    pub fn symbol_at(&self, address: ImageAddr) -> Option<Symbol> {
        todo!()
    }
    /// Bytes as linked (modules: before relocation); fewer than `len` where the section ends; `None` where nothing is there.
    pub fn bytes(&self, address: ImageAddr, len: usize) -> Option<Cow<'d, [u8]>> {
        todo!()
    }
    /// Name of the section that holds `address` and whether it is executable / writable.
    pub fn section_at(&self, address: ImageAddr) -> Option<SectionInfo> {
        todo!()
    }
    /// The relocations of a module that patch bytes in `range`, in address order. Empty for vmlinux.
    pub fn relocations(&self, range: CodeRange) -> Vec<(ImageAddr, Relocation)> {
        todo!()
    }
    /// Places in `range` that the kernel rewrites at boot or run time.
    pub fn patch_sites(&self, range: CodeRange) -> Vec<PatchSite> {
        todo!()
    }
    /// A NUL-terminated string at `address`, if printable and shorter than `max`.
    pub fn string_at(&self, address: ImageAddr, max: usize) -> Option<String> {
        todo!()
    }

    // DWARF
    /// The out-of-line function whose code (any of its ranges) covers `address`.
    pub fn function_at(&self, address: ImageAddr) -> Option<Rc<Function>> {
        todo!()
    }
    /// The source at `address`: innermost inlined call first, the out-of-line function last. From the line table and the inline tree; for assembler units the symbol's name stands for the function.
    pub fn source_at(&self, address: ImageAddr) -> Vec<SourceFrame> {
        todo!()
    }
    /// Line rows that cover `range`, in address order, the first starting at or before its start.
    pub fn lines(&self, range: CodeRange) -> Vec<LineRow> {
        todo!()
    }
    /// The variable that covers `address`, with its type; searches the unit of `near` first, then (through the symbol table's name) the unit that defines it.
    pub fn global_at(&self, address: ImageAddr, near: ImageAddr) -> Option<Global> {
        todo!()
    }
    /// A declaration of the function `name` (its parameters' names and types, its return type) as visible in the unit of `near`; for calls to other units' functions.
    pub fn prototype(&self, name: &str, near: ImageAddr) -> Option<Prototype> {
        todo!()
    }
    /// For a frame whose code is at `address`: CFA as register + offset, from .debug_frame/.eh_frame or ORC; `None` when unknown.
    pub fn cfa_at(&self, address: ImageAddr) -> Option<(kwhy_base::Reg, i64)> {
        todo!()
    }

    // Types
    pub fn type_of(&self, id: TypeId) -> Type {
        todo!()
    }
    /// Follows typedefs.
    pub fn strip(&self, id: TypeId) -> Type {
        todo!()
    }
    /// Size in bytes; `None` for void, functions and incomplete types.
    pub fn size_of(&self, id: TypeId) -> Option<u64> {
        todo!()
    }
    /// As in C, for an abstract declarator: `struct module *`, `char[16]`, `int (*)(struct file *)`.
    pub fn type_name(&self, id: TypeId) -> String {
        todo!()
    }
    /// `struct module`, `union u`, `enum e` or a typedef's name; the whole image is searched, BTF first where it is there.
    pub fn find_type(&self, name: &str) -> Option<TypeId> {
        todo!()
    }
    /// The same, but only in the unit that covers `near` (cheap).
    pub fn find_type_near(&self, name: &str, near: ImageAddr) -> Option<TypeId> {
        todo!()
    }
}

/// A function's declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Prototype {
    /// The name.
    pub name: Rc<str>,
    /// (name, type) of each parameter.
    pub parameters: Vec<(Option<Rc<str>>, Option<TypeId>)>,
    /// `None` for void.
    pub returns: Option<TypeId>,
}

/// A section, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionInfo {
    /// `.text`, `.init.text`, `.data..percpu`…
    pub name: String,
    /// SHF_EXECINSTR.
    pub executable: bool,
    /// SHF_WRITE.
    pub writable: bool,
}
