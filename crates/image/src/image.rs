//! The image: what it is made of, and the answers that need no debug information.

use crate::btf::Btf;
use crate::census::NamedPlaces;
use crate::edges::HiddenEdge;
use crate::elf::{Elf, consts, u32_at};
use crate::function::{CodeRange, Function};
use crate::index::{Learned, Lent, Part, Shelf};
use crate::layout::{self, Layout};
use crate::patch_sites::Table;
use crate::rebase::rebase;
use crate::sharing::TypesUse;
use crate::symbols::Symbols;
use crate::types::{Type, TypeId};
use crate::units::{Debug, TypeTable};
use crate::{
    Global, ImageError, ImageKind, LineRow, PatchSite, Prototype, Relocation, SectionInfo, SourceFrame,
    Symbol, banner, modules,
};
use kwhy_base::{Arch, BuildId, ImageAddr};
use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Longest banner or string that is looked at.
const MAX_BANNER: usize = 1024;

/// One image.
pub struct Image<'d> {
    pub(crate) elf: Elf<'d>,
    pub(crate) layout: Layout,
    pub(crate) symbols: Symbols<'d>,
    kind: ImageKind,
    build_id: Option<BuildId>,
    /// Its place on a shelf, where one was lent.
    pub(crate) place: Option<Lent<'d>>,
    pub(crate) problems: RefCell<Vec<String>>,
    debug: OnceCell<Option<Debug<'d>>>,
    btf: OnceCell<Option<Rc<Btf<'d>>>>,
    base_types: OnceCell<Rc<Btf<'d>>>,
    /// BTF of this image that was kept apart from it.
    other_types: OnceCell<&'d [u8]>,
    pub(crate) lent: Cell<TypesUse>,
    own_records: OnceCell<Rc<[TypeId]>>,
    shared_records: OnceCell<Rc<[TypeId]>>,
    pub(crate) described: RefCell<BTreeMap<u64, Option<Rc<Function>>>>,
    pub(crate) frame_index: OnceCell<Vec<(u64, u64)>>,
    pub(crate) patch_tables: OnceCell<Vec<Table<'d>>>,
    /// What the tables of patched places list, by place.
    pub(crate) patched: Learned,
    pub(crate) hidden_edges: OnceCell<Vec<HiddenEdge>>,
    pub(crate) types: TypeTable,
    pub(crate) named_places: RefCell<BTreeMap<String, NamedPlaces>>,
}

impl<'d> Image<'d> {
    /// Reads the headers of an ELF file.
    ///
    /// # Errors
    ///
    /// When the file is no ELF file, is one for a machine that is not read, or is so damaged
    /// that its sections cannot be found.
    pub fn parse(data: &'d [u8]) -> Result<Image<'d>, ImageError> {
        let mut problems = Vec::new();
        let elf = Elf::parse(data, &mut problems)?;
        Ok(Image::of(elf, problems))
    }

    /// What is made of the headers.
    pub(crate) fn of(mut elf: Elf<'d>, mut problems: Vec<String>) -> Image<'d> {
        let layout = layout::lay_out(&mut elf, &mut problems);
        let symbols = Symbols::new(&elf, &mut problems);
        let named = elf.sections.iter().any(|section| section.kind == consts::SHT_SYMTAB);
        if elf.relocatable && !named {
            problems.push(
                "no symbol table: it was stripped of what even the kernel needs to load it, so none of its code has a \
                 name. Give the module as it is installed (strip --strip-debug leaves the table)"
                    .into(),
            );
        }
        let kind = if elf.relocatable { ImageKind::Module(modules::name(&elf)) } else { ImageKind::Kernel };
        let build_id = banner::build_id(&elf);
        let image = Image {
            elf,
            layout,
            symbols,
            kind,
            build_id,
            place: None,
            problems: RefCell::new(problems),
            debug: OnceCell::new(),
            btf: OnceCell::new(),
            base_types: OnceCell::new(),
            other_types: OnceCell::new(),
            lent: Cell::new(TypesUse::Unneeded),
            own_records: OnceCell::new(),
            shared_records: OnceCell::new(),
            described: RefCell::default(),
            frame_index: OnceCell::new(),
            patch_tables: OnceCell::new(),
            patched: Learned::default(),
            hidden_edges: OnceCell::new(),
            types: TypeTable::default(),
            named_places: RefCell::default(),
        };
        // The first type is void.
        image.intern(crate::dwarf_types::Key::Void);
        image
    }

    /// Lends the image a shelf, where an earlier run may have left what it learned. To be called
    /// before anything is asked; an image without a build-id has no use for it.
    #[must_use]
    pub fn with_shelf(mut self, shelf: Option<&'d dyn Shelf>) -> Image<'d> {
        self.place = shelf.zip(self.build_id.as_ref()).map(|(shelf, id)| Lent::new(shelf, &self.elf, id));
        self.symbols.lent = self.table_shelf();
        self
    }

    /// The shelf for tables: a module's are made sooner than looked for, unless it is huge.
    fn table_shelf(&self) -> Option<Lent<'d>> {
        const HUGE: usize = 16 << 20;
        self.place.clone().filter(|_| !self.elf.relocatable || self.elf.data.len() >= HUGE)
    }

    /// The shelf that was lent.
    pub fn shelf(&self) -> Option<&'d dyn Shelf> {
        self.place.as_ref().map(|lent| lent.shelf)
    }

    /// Puts `question` to a table over the whole image: one that was kept under `name`, or one
    /// that is made now and kept. The question answers `None` where the table makes no sense; such
    /// a table is made anew.
    pub fn learned<'l, R>(
        &self,
        table: &'l Learned,
        name: &str,
        make: impl FnOnce() -> Vec<u8>,
        question: impl Fn(&'l Part) -> Option<R>,
    ) -> Option<R> {
        table.ask(self.place.as_ref(), name, || make().into(), question)
    }

    /// What [`Image::keep_answer`] kept of this image under the same question.
    pub fn kept_answer(&self, question: &str) -> Option<Vec<u8>> {
        Some(self.place.as_ref()?.get(question)?.all()?.to_vec())
    }

    /// Keeps the answer to a question about the image, where there is a shelf.
    pub fn keep_answer(&self, question: &str, answer: impl FnOnce() -> Vec<u8>) {
        if let Some(lent) = &self.place {
            lent.put(question, &answer());
        }
    }

    /// The CPU that the code is for.
    pub fn arch(&self) -> Arch {
        self.elf.arch
    }

    /// Kernel or module.
    pub fn kind(&self) -> &ImageKind {
        &self.kind
    }

    /// The GNU build-id.
    pub fn build_id(&self) -> Option<&BuildId> {
        self.build_id.as_ref()
    }

    /// Kernel release: from `linux_banner` for vmlinux, from `vermagic` for a module.
    pub fn release(&self) -> Option<String> {
        match &self.kind {
            ImageKind::Kernel => banner::release_of(&self.banner()?),
            ImageKind::Module(_) => {
                modules::modinfo(&self.elf, "vermagic")?.split_whitespace().next().map(str::to_owned)
            }
        }
    }

    /// The whole `Linux version …` banner of a vmlinux.
    pub fn banner(&self) -> Option<String> {
        if self.kind != ImageKind::Kernel {
            return None;
        }
        let symbol = self.symbols_named("linux_banner").into_iter().next()?;
        self.string_at(symbol.address, MAX_BANNER).map(|banner| banner.trim_end().to_owned())
    }

    /// Whether there is debug information (it may still be damaged).
    pub fn has_dwarf(&self) -> bool {
        self.elf.section(".debug_info").is_some_and(|(_, section)| section.size > 0)
    }

    /// Problems met so far (damaged sections, bad units), for the report's notes.
    pub fn problems(&self) -> Vec<String> {
        let mut all = self.problems.borrow().clone();
        if let Some(Some(debug)) = self.debug.get() {
            all.extend(debug.problems.borrow().iter().cloned());
        }
        all
    }

    pub(crate) fn debug(&self) -> Option<&Debug<'d>> {
        self.debug
            .get_or_init(|| {
                Debug::load(&self.elf, &self.symbols, &mut self.problems.borrow_mut())
                    .map(|debug| debug.with_shelf(self.table_shelf()))
            })
            .as_ref()
    }

    pub(crate) fn btf(&self) -> Option<&Rc<Btf<'d>>> {
        self.btf
            .get_or_init(|| {
                let base = self.base_types.get().cloned();
                let section = |name: &str| {
                    self.elf
                        .section(name)
                        .map(|(_, section)| self.elf.raw(section))
                        .filter(|bytes| !bytes.is_empty())
                };
                let Some(own) = section(".BTF").or_else(|| self.other_types.get().copied()) else {
                    return base;
                };
                // A base that a module brings along says what it means by itself, if little.
                let brought = section(".BTF.base").filter(|_| self.elf.relocatable);
                let parsed = match (brought, &base) {
                    (Some(brought), Some(base)) => rebase(own, brought, base),
                    (Some(brought), None) => {
                        Btf::parse(brought, None).and_then(|brought| Btf::parse(own, Some(Rc::new(brought))))
                    }
                    // Without its kernel's, a module's means nothing; without its own, the kernel's
                    // types are those of the kernel's objects that it handles.
                    (None, None) if self.elf.relocatable || self.splits_types() => return None,
                    (None, base) => Btf::parse(own, base.clone()),
                };
                if parsed.is_none() {
                    self.problems.borrow_mut().push("section .BTF is damaged".into());
                }
                // What another file says is not kept with this one.
                let lent = self.table_shelf().filter(|_| base.is_none() && section(".BTF").is_some());
                parsed.map(|btf| Rc::new(btf.with_shelf(lent))).or(base)
            })
            .as_ref()
    }

    /// Whether there is nothing in it but types: BTF that was kept by itself, see [`crate::unpack`].
    pub fn is_types_only(&self) -> bool {
        let described = |section: &crate::elf::Section<'_>| {
            matches!(section.name, "" | ".BTF" | ".symtab" | ".strtab" | ".shstrtab")
        };
        !self.elf.relocatable && self.elf.section(".BTF").is_some() && self.elf.sections.iter().all(described)
    }

    /// Whether its BTF counts on from another's: strings begin with the empty one, but those of
    /// split BTF (`btf_new_empty()`, tools/lib/bpf/btf.c).
    pub(crate) fn splits_types(&self) -> bool {
        let strings = self.raw_types().and_then(|bytes| {
            let start = u32_at(bytes, 4)?.checked_add(u32_at(bytes, 16)?)?;
            let length = u32_at(bytes, 20)?;
            Some(length == 0 || bytes.get(start as usize) != Some(&0))
        });
        strings.unwrap_or(false)
    }

    /// The bytes of its own BTF section.
    pub(crate) fn raw_types(&self) -> Option<&'d [u8]> {
        self.elf.section(".BTF").map(|(_, section)| self.elf.raw(section)).filter(|bytes| !bytes.is_empty())
    }

    /// Whether types are known at all, be it from debug information or from BTF.
    pub fn has_types(&self) -> bool {
        self.has_dwarf() || self.btf().is_some()
    }

    /// The named structs and unions of a module's own BTF: what it shares with its kernel is not
    /// among them. Of a kernel, none.
    pub fn own_records(&self) -> Rc<[TypeId]> {
        Rc::clone(self.own_records.get_or_init(|| {
            let own = self.btf().filter(|_| self.base_types.get().is_some());
            own.filter(|btf| btf.is_split()).map_or_else(|| Rc::from([]), |btf| self.records_of(btf, true))
        }))
    }

    /// The named structs and unions of the kernel's BTF.
    pub fn shared_records(&self) -> Rc<[TypeId]> {
        Rc::clone(self.shared_records.get_or_init(|| {
            let btf = self.base_types.get().or_else(|| self.btf());
            btf.map_or_else(|| Rc::from([]), |btf| self.records_of(btf, false))
        }))
    }

    fn records_of(&self, btf: &Btf<'d>, own: bool) -> Rc<[TypeId]> {
        btf.records(own).into_iter().map(|number| self.btf_id(btf, number)).collect()
    }

    /// Gives a module the types of the kernel that it belongs to, on which its own BTF builds; or
    /// a kernel that has none those that were kept apart from it.
    /// To be called before anything is asked of the image; one with debug information keeps to that.
    pub fn use_types_of(&self, kernel: &Image<'d>) {
        let wanted = self.elf.relocatable || self.splits_types() || self.raw_types().is_none();
        if wanted
            && !self.has_dwarf()
            && let Some(types) = kernel.btf()
        {
            let _ = self.base_types.set(Rc::clone(types));
        }
    }

    /// Gives a module without BTF the one that was kept apart from it.
    pub(crate) fn use_own_types(&self, types: &Image<'d>) {
        if let Some(bytes) = types.raw_types().filter(|_| self.raw_types().is_none() && !self.has_dwarf()) {
            let _ = self.other_types.set(bytes);
        }
    }

    /// What became of the types of an image that has nothing else, once [`crate::share_types`] was called.
    pub fn types_use(&self) -> TypesUse {
        self.lent.get()
    }

    /// All symbols of exactly this name (static functions may share one).
    pub fn symbols_named(&self, name: &str) -> Vec<Symbol> {
        self.symbols.named(&self.elf, &self.layout, name)
    }

    /// All symbols whose names `wanted` accepts, in the order of the table. Every name of the
    /// table is looked at: this is for names that no symbol has.
    pub fn symbols_where(&self, wanted: &dyn Fn(&str) -> bool) -> Vec<Symbol> {
        self.symbols.accepted(&self.elf, &self.layout, wanted)
    }

    /// The first `most` places in executable sections where these very bytes stand (modules:
    /// before relocation).
    pub fn find_code(&self, bytes: &[u8], most: usize) -> Vec<ImageAddr> {
        if bytes.is_empty() {
            return Vec::new();
        }
        let finder = memchr::memmem::Finder::new(bytes);
        self.elf
            .sections
            .iter()
            .filter(|section| section.loaded() && section.executable())
            .flat_map(|section| {
                let at = |place: usize| ImageAddr(section.address.wrapping_add(place as u64));
                finder.find_iter(self.elf.raw(section)).map(at).take(most).collect::<Vec<_>>()
            })
            .take(most)
            .collect()
    }

    /// The function or object symbol that covers `address`, by the name that the kernel would print.
    pub fn symbol_at(&self, address: ImageAddr) -> Option<Symbol> {
        self.symbols.at(&self.elf, &self.layout, address.0)
    }

    /// Bytes as linked (modules: before relocation); fewer than `len` where the section ends; `None` where nothing is there.
    pub fn bytes(&self, address: ImageAddr, len: usize) -> Option<Cow<'d, [u8]>> {
        self.mapped(address, len).map(Cow::Borrowed)
    }

    pub(crate) fn mapped(&self, address: ImageAddr, len: usize) -> Option<&'d [u8]> {
        let section = self.section_of(address)?;
        let start = usize::try_from(address.0.checked_sub(section.address)?).ok()?;
        let rest = self.elf.raw(section).get(start..).filter(|rest| !rest.is_empty())?;
        Some(rest.get(..len).unwrap_or(rest))
    }

    pub(crate) fn section_of(&self, address: ImageAddr) -> Option<&crate::elf::Section<'d>> {
        self.elf.sections.iter().find(|section| section.loaded() && section.contains(address.0))
    }

    pub(crate) fn note(&self, problem: &str) {
        let mut problems = self.problems.borrow_mut();
        if !problems.iter().any(|known| known == problem) {
            problems.push(problem.to_owned());
        }
    }

    /// Name of the section that holds `address` and whether it is executable / writable.
    pub fn section_at(&self, address: ImageAddr) -> Option<SectionInfo> {
        self.section_of(address).map(|section| SectionInfo {
            name: section.name.to_owned(),
            executable: section.executable(),
            writable: section.has(crate::elf::consts::SHF_WRITE),
        })
    }

    /// The relocations of a module that patch bytes in `range`, in address order. Empty for vmlinux.
    pub fn relocations(&self, range: CodeRange) -> Vec<(ImageAddr, Relocation)> {
        modules::relocations(&self.elf, &self.symbols, range.start.0..range.end.0)
    }

    /// Places in `range` that the kernel rewrites at boot or run time.
    pub fn patch_sites(&self, range: CodeRange) -> Vec<PatchSite> {
        self.find_patch_sites(range)
    }

    /// Control flow out of `range` and within it that its instructions do not show, by where it starts.
    pub fn hidden_edges(&self, range: CodeRange) -> &[HiddenEdge] {
        self.find_hidden_edges(range)
    }

    /// A NUL-terminated string at `address`, if printable and shorter than `max`.
    pub fn string_at(&self, address: ImageAddr, max: usize) -> Option<String> {
        let bytes = self.bytes(address, max)?;
        let text = bytes.get(..memchr::memchr(0, &bytes)?)?;
        let printable =
            |byte: &u8| (0x20..0x7f).contains(byte) || matches!(byte, b'\n' | b'\t' | b'\r' | 0x1b | 1);
        let whole = std::str::from_utf8(text).ok()?;
        (text.iter().all(|byte| printable(byte) || *byte >= 0x80)).then(|| whole.to_owned())
    }

    /// The out-of-line function whose code (any of its ranges) covers `address`.
    pub fn function_at(&self, address: ImageAddr) -> Option<Rc<Function>> {
        let Some(debug) = self.debug() else { return self.described_function(address) };
        let (unit, die) = self.function_place(debug, address)?;
        let key = unit.offset.checked_add(die)?;
        if let Some(built) = debug.built.borrow().get(&key) {
            return built.clone();
        }
        let built = self.build_function(debug, &unit, die).map(Rc::new);
        debug.built.borrow_mut().insert(key, built.clone());
        built
    }

    /// The source at `address`: innermost inlined call first, the out-of-line function last. From the line table and the inline tree; for assembler units the symbol's name stands for the function.
    ///
    /// A return address belongs to the call before it: pass it less one.
    pub fn source_at(&self, address: ImageAddr) -> Vec<SourceFrame> {
        self.find_source(address)
    }

    /// Line rows that cover `range`, in address order, the first starting at or before its start.
    pub fn lines(&self, range: CodeRange) -> Vec<LineRow> {
        self.find_lines(range)
    }

    /// The variable that covers `address`, with its type; searches the unit of `near` first, then (through the symbol table's name) the unit that defines it.
    pub fn global_at(&self, address: ImageAddr, near: ImageAddr) -> Option<Global> {
        self.find_global(address, near)
    }

    /// The variable `name` as declared or defined in the unit of `near`; its address is known
    /// only where this image defines it, so a module's imports have `None`.
    pub fn global_named(&self, name: &str, near: ImageAddr) -> Option<(Rc<str>, Option<TypeId>)> {
        let Some(debug) = self.debug() else { return self.described_variable(name) };
        let unit = debug.unit_at(near.0)?;
        self.declared_variable(debug, &unit, name)
    }

    /// A declaration of the function `name` (its parameters' names and types, its return type) as visible in the unit of `near`; for calls to other units' functions.
    pub fn prototype(&self, name: &str, near: ImageAddr) -> Option<Prototype> {
        self.find_prototype(name, near)
    }

    /// For a frame whose code is at `address`: CFA as register + offset, from .debug_frame/.eh_frame or ORC; `None` when unknown.
    pub fn cfa_at(&self, address: ImageAddr) -> Option<(kwhy_base::Reg, i64)> {
        self.find_cfa(address)
    }

    /// What a type is. Qualifiers are dropped; a struct or union that its unit only declares is
    /// completed from elsewhere in the image where that is possible.
    pub fn type_of(&self, id: TypeId) -> Type {
        self.read_type(id)
    }

    /// Follows typedefs.
    pub fn strip(&self, id: TypeId) -> Type {
        self.stripped(id).1
    }

    /// Size in bytes; `None` for void, functions and incomplete types.
    pub fn size_of(&self, id: TypeId) -> Option<u64> {
        self.type_size(id, 0)
    }

    /// As in C, for an abstract declarator: `struct module *`, `char[16]`, `int (*)(struct file *)`.
    pub fn type_name(&self, id: TypeId) -> String {
        self.spelled(id)
    }

    /// `struct module`, `union u`, `enum e` or a typedef's name; the whole image is searched, BTF first where it is there.
    pub fn find_type(&self, name: &str) -> Option<TypeId> {
        self.type_named(name)
    }

    /// The same, but only in the unit that covers `near` (cheap).
    pub fn find_type_near(&self, name: &str, near: ImageAddr) -> Option<TypeId> {
        self.type_named_near(name, near)
    }
}
