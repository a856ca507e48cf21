//! A function's instructions and the graph of its blocks.

use crate::insn::{self, Effect, Flow, Insn, Target};
use crate::path::{self, Spot};
use crate::reloc::{self, Imports};
use kwhy_base::{Arch, ImageAddr, Reg};
use kwhy_image::{HiddenEdgeKind, Image};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The instructions of one function, with relocations applied, and its blocks.
pub struct Code {
    /// The CPU.
    pub arch: Arch,
    /// Instructions in address order.
    pub insns: Vec<Insn>,
    /// Names of imported symbols, by the addresses that relocation gave them.
    pub imports: Imports,
    /// Blocks in address order.
    pub blocks: Vec<Block>,
    /// The entry point.
    pub entry: ImageAddr,
    ranges: Vec<Range<ImageAddr>>,
}

/// A run of instructions entered only at its first and left only at its last.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Indices into [`Code::insns`].
    pub insns: Range<usize>,
    /// Blocks that may run next, by index.
    pub successors: Vec<usize>,
    /// Blocks that may have run before, by index.
    pub predecessors: Vec<usize>,
}

/// Functions that do not return although nothing in their callers' code says so: what follows
/// the call is not reached from it. From the `__noreturn` declarations of the kernel's headers.
const NORETURN: &[&str] = &[
    "__stack_chk_fail",
    "panic",
    "nmi_panic",
    "fortify_panic",
    "__fortify_panic",
    "do_exit",
    "make_task_dead",
    "do_group_exit",
    "kthread_exit",
    "kthread_complete_and_exit",
    "complete_and_exit",
    "module_put_and_kthread_exit",
    "__module_put_and_exit",
    "__module_put_and_kthread_exit",
    "usercopy_abort",
    "__invalid_creds",
    "rewind_stack_do_exit",
    "rewind_stack_and_make_dead",
    "machine_real_restart",
    "cpu_startup_entry",
    "arm64_serror_panic",
    "die_kernel_fault",
    "__ubsan_handle_builtin_unreachable",
];

/// Functions with more indirect jumps than this have no switches but a dispatcher's table.
const MAX_SWITCHES: usize = 24;

/// What `-pg` and `-mfentry` call at every function's start.
const PROFILING: &[&str] = &["__fentry__", "mcount", "_mcount", "__gnu_mcount_nc"];

impl Code {
    /// Decodes `ranges` of an image. What does not decode is left out, byte by byte on x86.
    #[must_use]
    pub fn read(image: &Image<'_>, entry: ImageAddr, ranges: &[Range<ImageAddr>]) -> Code {
        let arch = image.arch();
        let mut imports = Imports::default();
        let mut insns: Vec<Insn> = Vec::new();
        for range in ranges {
            let code = reloc::relocated_code(image, range.clone(), &mut imports);
            let mut at = 0;
            while let Some(rest) = code.get(at..)
                && !rest.is_empty()
            {
                let address = range.start.offset(at as i64);
                match insn::decode(arch, rest, address) {
                    Some(insn) => {
                        at += usize::from(insn.len).max(1);
                        insns.push(insn);
                    }
                    None => at += if arch == Arch::Arm64 { 4 } else { 1 },
                }
            }
        }
        insns.sort_by_key(|insn| insn.address);
        insns.dedup_by_key(|insn| insn.address);
        for insn in &mut insns {
            through_thunk(image, &imports, insn);
            paravirt(image, &imports, insn);
        }
        let mut code = Code { arch, insns, imports, blocks: Vec::new(), entry, ranges: ranges.to_vec() };
        code.find_blocks(image);
        code
    }

    /// The index of the instruction that covers `address`.
    #[must_use]
    pub fn index_of(&self, address: ImageAddr) -> Option<usize> {
        let after = self.insns.partition_point(|insn| insn.address <= address);
        let index = after.checked_sub(1)?;
        let insn = self.insns.get(index)?;
        (address.0.wrapping_sub(insn.address.0) < u64::from(insn.len)).then_some(index)
    }

    /// The block that holds an instruction.
    #[must_use]
    pub fn block_of(&self, insn: usize) -> Option<usize> {
        let after = self.blocks.partition_point(|block| block.insns.start <= insn);
        let index = after.checked_sub(1)?;
        self.blocks.get(index).filter(|block| block.insns.contains(&insn)).map(|_| index)
    }

    /// Appends the blocks that are reached from `root` and were not seen, each behind all that it
    /// leads to (but for what leads back).
    pub(crate) fn postorder(&self, root: usize, seen: &mut [bool], order: &mut Vec<usize>) {
        let mut stack = vec![(root, 0usize)];
        if let Some(seen) = seen.get_mut(root) {
            *seen = true;
        }
        while let Some((block, next)) = stack.last_mut() {
            let successor = self.blocks.get(*block).and_then(|b| b.successors.get(*next)).copied();
            *next += 1;
            match successor {
                Some(to) => {
                    if let Some(seen) = seen.get_mut(to).filter(|seen| !**seen) {
                        *seen = true;
                        stack.push((to, 0));
                    }
                }
                None => {
                    order.push(*block);
                    stack.pop();
                }
            }
        }
    }

    /// The address of a block's first instruction.
    #[must_use]
    pub fn block_start(&self, block: usize) -> Option<ImageAddr> {
        let first = self.blocks.get(block)?.insns.start;
        self.insns.get(first).map(|insn| insn.address)
    }

    /// The name of the function or object at `address`: imported, or a symbol's start.
    #[must_use]
    pub fn symbol_name(&self, image: &Image<'_>, address: ImageAddr) -> Option<String> {
        if let Some(name) = self.imports.name(address) {
            return Some(name.to_owned());
        }
        image.symbol_at(address).filter(|symbol| symbol.address == address).map(|symbol| symbol.name)
    }

    /// The ranges it was read from.
    #[must_use]
    pub fn ranges(&self) -> &[Range<ImageAddr>] {
        &self.ranges
    }

    fn inside(&self, address: ImageAddr) -> bool {
        self.ranges.iter().any(|range| range.contains(&address))
    }

    fn find_blocks(&mut self, image: &Image<'_>) {
        let mut leaders = BTreeSet::new();
        leaders.insert(self.entry);
        // What only the kernel's tables show: static keys, traps that resume.
        let mut hidden: BTreeMap<usize, Vec<ImageAddr>> = BTreeMap::new();
        let mut fixups: Vec<(usize, ImageAddr)> = Vec::new();
        for range in &self.ranges {
            for edge in image.hidden_edges(range.clone()) {
                let Some(from) = self.index_of(edge.from) else { continue };
                let Some(insn) = self.insns.get(from) else { continue };
                let next = insn.address.offset(i64::from(insn.len));
                let targets = match edge.kind {
                    HiddenEdgeKind::JumpLabel => [Some(edge.to), Some(next)],
                    HiddenEdgeKind::Warning => [Some(next), None],
                    HiddenEdgeKind::Fixup => {
                        fixups.push((from, edge.to));
                        continue;
                    }
                };
                for target in targets.into_iter().flatten().filter(|target| self.inside(*target)) {
                    leaders.insert(target);
                    hidden.entry(from).or_default().push(target);
                }
            }
        }
        let may_fault: BTreeSet<usize> = fixups.iter().map(|(from, _)| *from).collect();
        leaders.extend(fixups.iter().map(|(_, to)| *to).filter(|to| self.inside(*to)));
        for (i, insn) in self.insns.iter().enumerate() {
            let next = self.insns.get(i + 1);
            let contiguous = next.is_some_and(|n| n.address == insn.address.offset(i64::from(insn.len)));
            let ends_here = match &insn.flow {
                Flow::Next | Flow::CallIndirect(_) => !contiguous,
                Flow::Call(target) => !contiguous || self.never_returns(image, *target),
                Flow::Jump(target) | Flow::Branch(target) => {
                    if self.inside(*target) {
                        leaders.insert(*target);
                    }
                    true
                }
                Flow::JumpIndirect(_) | Flow::Return | Flow::Stop => true,
            };
            if (ends_here || hidden.contains_key(&i) || may_fault.contains(&i))
                && let Some(next) = next
            {
                leaders.insert(next.address);
            }
        }
        let mut blocks: Vec<Block> = Vec::new();
        let mut start = 0;
        for (i, insn) in self.insns.iter().enumerate() {
            if i > start && leaders.contains(&insn.address) {
                blocks.push(Block { insns: start..i, successors: vec![], predecessors: vec![] });
                start = i;
            }
        }
        if start < self.insns.len() {
            blocks.push(Block { insns: start..self.insns.len(), successors: vec![], predecessors: vec![] });
        }
        self.blocks = blocks;
        for b in 0..self.blocks.len() {
            let Some(last) = self.blocks.get(b).and_then(|block| block.insns.end.checked_sub(1)) else {
                continue;
            };
            let Some(insn) = self.insns.get(last) else { continue };
            let contiguous = self
                .insns
                .get(last + 1)
                .is_some_and(|n| n.address == insn.address.offset(i64::from(insn.len)));
            let mut targets = Vec::new();
            match &insn.flow {
                Flow::Jump(target) => targets.push(*target),
                Flow::Branch(target) => {
                    targets.push(*target);
                    if contiguous {
                        targets.push(insn.address.offset(i64::from(insn.len)));
                    }
                }
                Flow::Next | Flow::CallIndirect(_) | Flow::Call(_) => {
                    if contiguous && !matches!(&insn.flow, Flow::Call(t) if self.never_returns(image, *t)) {
                        targets.push(insn.address.offset(i64::from(insn.len)));
                    }
                }
                // A `WARN()` resumes behind its trap. Compilers move it out of the way and jump
                // back, so a lone jump behind a trap is the way back; anything else behind one
                // may be unrelated code.
                Flow::Stop => {
                    let next = self.insns.get(last + 1).filter(|_| contiguous);
                    if let Some(next) = next.filter(|next| matches!(next.flow, Flow::Jump(_))) {
                        targets.push(next.address);
                    }
                }
                Flow::JumpIndirect(_) | Flow::Return => {}
            }
            targets.extend(hidden.get(&last).into_iter().flatten());
            for target in targets {
                if let Some(to) = self.index_of(target).and_then(|i| self.block_of(i)) {
                    self.connect(b, to);
                }
            }
        }
        // A fixup that nothing else leads to knows what the access it is for knew. Where
        // something else does, the access itself leads there too, in all that matters.
        let mut fixed_up: BTreeSet<usize> = BTreeSet::new();
        for (from, to) in fixups {
            let (Some(b), Some(to)) =
                (self.block_of(from), self.index_of(to).and_then(|index| self.block_of(index)))
            else {
                continue;
            };
            if self.lost(to) || self.blocks.get(to).is_some_and(|block| fixed_up.contains(&block.insns.start))
            {
                if let Some(block) = self.blocks.get(to) {
                    fixed_up.insert(block.insns.start);
                }
                self.connect(b, to);
            }
        }
        self.connect_patched_jumps(image);
        self.connect_tables();
    }

    /// A jump that the kernel patches (an alternative for CPUs that need it, a static key) may be a
    /// NOP when the crash happens: what lies behind it and is reached no other way is then next.
    fn connect_patched_jumps(&mut self, image: &Image<'_>) {
        for next in 1..self.blocks.len() {
            if !self.lost(next) {
                continue;
            }
            let last = self.blocks.get(next - 1).and_then(|block| block.insns.end.checked_sub(1));
            let Some(jump) = last.and_then(|last| self.insns.get(last)) else { continue };
            let end = jump.address.offset(i64::from(jump.len));
            if matches!(jump.flow, Flow::Jump(_))
                && self.block_start(next) == Some(end)
                && !image.patch_sites(jump.address..end).is_empty()
            {
                self.connect(next - 1, next);
            }
        }
    }

    fn connect(&mut self, from: usize, to: usize) {
        if let Some(block) = self.blocks.get_mut(from)
            && !block.successors.contains(&to)
        {
            block.successors.push(to);
            if let Some(block) = self.blocks.get_mut(to) {
                block.predecessors.push(from);
            }
        }
    }

    /// Whether nothing is known to lead to a block.
    fn lost(&self, block: usize) -> bool {
        self.block_start(block) != Some(self.entry)
            && self.blocks.get(block).is_some_and(|block| block.predecessors.is_empty())
    }

    /// What nothing else leads to is where a switch goes: each of a function's indirect jumps may
    /// go to each of those. That joins more than meets, so what agrees is sure.
    fn connect_tables(&mut self) {
        let jumps: Vec<usize> = (0..self.blocks.len())
            .filter(|b| {
                let last = self.blocks.get(*b).and_then(|block| block.insns.end.checked_sub(1));
                let insn = last.and_then(|last| self.insns.get(last));
                insn.is_some_and(|insn| matches!(insn.flow, Flow::JumpIndirect(_)))
            })
            .collect();
        // More than that is an interpreter's loop; joining all with all would say nothing.
        if jumps.is_empty() || jumps.len() > MAX_SWITCHES {
            return;
        }
        let lost: Vec<usize> = (0..self.blocks.len()).filter(|b| self.lost(*b)).collect();
        for to in lost {
            for from in &jumps {
                self.connect(*from, to);
            }
        }
    }

    fn never_returns(&self, image: &Image<'_>, target: ImageAddr) -> bool {
        self.symbol_name(image, target).is_some_and(|name| NORETURN.contains(&name.as_str()))
    }
}

/// A call or jump through a retpoline thunk is an indirect one through the thunk's register.
fn through_thunk(image: &Image<'_>, imports: &Imports, insn: &mut Insn) {
    let (Flow::Call(target) | Flow::Jump(target)) = insn.flow else { return };
    let imported = imports.name(target).map(str::to_owned);
    let name = imported.or_else(|| {
        image.symbol_at(target).filter(|symbol| symbol.address == target).map(|symbol| symbol.name)
    });
    let Some(name) = name else { return };
    if PROFILING.contains(&name.as_str()) {
        // It preserves every register, and is a NOP unless the function is being traced.
        insn.flow = Flow::Next;
        insn.effects.clear();
        return;
    }
    if name == "__x86_return_thunk" || name == "srso_return_thunk" || name == "retbleed_return_thunk" {
        insn.flow = Flow::Return;
        return;
    }
    let Some(register) = name.strip_prefix("__x86_indirect_thunk_").or_else(|| {
        name.strip_prefix("__x86_indirect_call_thunk_")
            .or_else(|| name.strip_prefix("__x86_indirect_jump_thunk_"))
    }) else {
        return;
    };
    // The thunks stand in an array in the order of arch/x86/include/asm/GEN-for-each-reg.h, and the
    // first one's address bears the array's name.
    let register = if register == "array" { "rax" } else { register };
    let found: Option<Reg> = kwhy_arch::cpu(Arch::X86_64).and_then(|cpu| cpu.register(register));
    if let Some(register) = found {
        insn.flow = match insn.flow {
            Flow::Call(_) => Flow::CallIndirect(Target::Register(register)),
            _ => Flow::JumpIndirect(Target::Register(register)),
        };
    }
}

/// A call through a `pv_ops` member of type `struct paravirt_callee_save` keeps every register
/// but the result (arch/x86/include/asm/paravirt_types.h, `PV_CALLEE_SAVE_REGS_THUNK`). On bare
/// metal the kernel replaces it by the one instruction it stands for, which keeps them as well.
fn paravirt(image: &Image<'_>, imports: &Imports, insn: &mut Insn) {
    let Flow::CallIndirect(Target::Memory(memory)) = &insn.flow else { return };
    if memory.base.is_some() || memory.index.is_some() || memory.segment.is_some() {
        return;
    }
    let at = ImageAddr(memory.displacement as u64);
    let (ty, offset) = match imports.within(at) {
        Some(("pv_ops", offset)) => {
            (image.global_named("pv_ops", insn.address).and_then(|(_, ty)| ty), offset)
        }
        Some(_) => return,
        None => match image.global_at(at, insn.address) {
            Some(global) if &*global.name == "pv_ops" => (global.ty, at.0.wrapping_sub(global.address.0)),
            _ => return,
        },
    };
    let Some(ty) = ty else { return };
    let spot = Spot { offset: offset as i64, width: 8, index: None };
    let found = path::paths(image, ty, spot);
    // The struct's one member is `func`; an ordinary hook is the pointer itself.
    let callee_saves = found.first().is_some_and(|path| path.text.ends_with(".func"));
    if callee_saves {
        insn.flow = Flow::Next;
        insn.effects =
            kwhy_arch::cpu(image.arch()).map(|cpu| Effect::Clobber(cpu.result)).into_iter().collect();
    }
}
