//! vmlinux and module images: symbols, code, lines, inlined calls, types and variables.
//!
//! [`Image`] is made of bytes that the caller mapped; opening reads headers only, and every
//! question touches just the pages and the unit it needs.

mod banner;
mod boot;
mod btf;
mod builder;
mod census;
mod cfa;
mod described;
mod dwarf_types;
mod edges;
mod elf;
mod extable;
pub mod function;
mod image;
pub mod index;
mod joined;
mod kallsyms;
mod layout;
mod lines;
mod linkage;
mod locations;
mod modules;
pub mod orc;
mod outlines;
mod patch_sites;
mod paths;
mod queries;
mod reader;
mod rebase;
mod relocs;
mod sharing;
mod symbols;
mod type_names;
pub mod types;
mod units;
mod variables;

pub use boot::{boot_release, unpack};
pub use census::UnitId;
pub use edges::{HiddenEdge, HiddenEdgeKind};
pub use extable::{Fixup, FixupAt, FixupMeaning};
pub use function::{CodeRange, Function, Place, Scope, ScopeKind, Variable, VariableLocation};
pub use image::Image;
pub use joined::join_split;
pub use outlines::{Outline, OutlineMember};
pub use sharing::{TypesUse, share_types};
pub use types::{Member, Record, Type, TypeId};
pub use variables::StaticVariable;

use kwhy_base::ImageAddr;
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
    /// The same as a path in the kernel's tree where it is one (`include/linux/list.h`), or in the module's.
    pub shown: Rc<str>,
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
