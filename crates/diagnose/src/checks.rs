//! The next check: for each hypothesis the one cheapest thing that would tell it from the next,
//! as a command that is ready to be run, filled in with this crash's symbols, offsets and types.
//!
//! Kprobe events are Documentation/trace/kprobetrace.rst's: `p[:EVENT] [MOD:]SYM[+offs] [ARGS]`.
//! All commands are for `sh`.

use crate::context::Facts;
use crate::expression::Expressed;
use crate::origin::{Candidate, Ctx, Trail, What};
use crate::verdict::cause_word;
use kwhy_arch::{Region, ValueKind};
use kwhy_base::catalogue::checks as say;
use kwhy_base::{Arch, ImageAddr, Prose, Reg, prose};
use kwhy_flow::insn::{Effect, Flow, MemOperand, Value as Operand};
use kwhy_image::Image;
use kwhy_report::model::{Grade, Hypothesis, NextCheck, ToolCommand};

/// Boot options that make the slab allocator catch the culprit in the act.
pub const SLUB_DEBUG: &str = "slub_debug=FZPU   # kernel command line; or a kernel built with CONFIG_KASAN=y";

/// A test of the machine's memory, and what the hardware has recorded.
pub const MEMTEST: &str = "memtester 75% 3; rasdaemon --record; ras-mc-ctl --errors; dmidecode -t memory   # or \
                           boot memtest86+, or the kernel with memtest=17";

/// A kprobe on the faulting instruction that prints the register it went through.
pub fn kprobe(facts: &Facts<'_>) -> Option<String> {
    let place = Place { module: facts.site_module().map(str::to_owned), site: facts.site()? };
    let register = facts.followed.as_ref().and_then(|followed| followed.register);
    let fetch: Vec<String> =
        register.map(|register| fetched("value", facts.arch(), &facts.name(register))).into_iter().collect();
    event('p', &place, &fetch)
}

/// The annotated listing of the function in question.
pub fn disasm(facts: &Facts<'_>) -> Option<String> {
    let site = facts.site()?;
    Some(match facts.site_module() {
        Some(module) => format!("kwhy disasm {site} -i {module}.ko"),
        None => format!("kwhy disasm {site} -i /usr/lib/debug/boot/vmlinux-{}", facts.release()),
    })
}

/// Where a probe goes.
struct Place {
    module: Option<String>,
    /// `symbol+0x10`.
    site: String,
}

/// The commands that define a probe, have it print the stack, and switch it on; `None` for a symbol
/// that the kernel's parser would not take.
fn event(sort: char, place: &Place, fetch: &[String]) -> Option<String> {
    let spelled = |text: &str| {
        let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        starts && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'+'))
    };
    if !spelled(&place.site) || !place.module.as_deref().is_none_or(spelled) {
        return None;
    }
    let module = place.module.as_ref().map(|module| format!("{module}:")).unwrap_or_default();
    let mut definition = format!("{sort}:kwhy {module}{}", place.site);
    for argument in fetch {
        definition.push(' ');
        definition.push_str(argument);
    }
    Some(format!(
        "echo '{definition}' > /sys/kernel/tracing/kprobe_events && echo stacktrace > \
         /sys/kernel/tracing/events/kprobes/kwhy/trigger && echo 1 > /sys/kernel/tracing/events/kprobes/kwhy/enable"
    ))
}

/// `value=%ax:x64`.
fn fetched(name: &str, arch: Option<Arch>, register: &str) -> String {
    format!("{name}=%{}:x64", kprobe_register(arch, register))
}

/// Kprobe fetch arguments name registers as `regs_query_register_offset()` does: x86-64 without the
/// `r` of the old ones (`%ax`; arch/x86/kernel/ptrace.c), ARM64 as the manual does.
fn kprobe_register(arch: Option<Arch>, name: &str) -> &str {
    match name.strip_prefix('r') {
        Some(rest)
            if arch != Some(Arch::Arm64)
                && rest.len() == 2
                && rest.bytes().all(|b| b.is_ascii_lowercase()) =>
        {
            rest
        }
        _ => name,
    }
}

/// Sections whose code takes no probe, or is gone by the time one is set (`.init.text` of the
/// kernel): include/linux/kprobes.h, kernel/kprobes.c.
fn takes_probes(image: &Image<'_>, at: ImageAddr, module: bool) -> bool {
    image.section_at(at).is_some_and(|section| {
        let name = section.name.as_str();
        let gone = !module && name.starts_with(".init");
        !gone && !["noinstr", "kprobes.text", "entry.text"].iter().any(|taboo| name.contains(taboo))
    })
}

/// Gives each hypothesis what the images add to its check, and each without one the usual.
pub fn refine(ctx: &Ctx<'_, '_, '_>, expressed: &Expressed, trail: &Trail, hypotheses: &mut [Hypothesis]) {
    let facts = ctx.facts;
    let probe = trail.candidates.iter().take(4).find_map(|candidate| at_candidate(ctx, candidate));
    let causes: Vec<String> = hypotheses.iter().map(|hypothesis| hypothesis.cause.clone()).collect();
    let tools = tools(ctx, expressed, trail);
    // A pointer altered in place was altered by an instruction, and that one may be known.
    let altered = facts.class().is_some_and(|class| class.kind == ValueKind::BitFlip);
    for (index, hypothesis) in hypotheses.iter_mut().enumerate() {
        let by_value = VALUE_CAUSES.contains(&hypothesis.cause.as_str());
        let by_memory = MEMORY_CAUSES.contains(&hypothesis.cause.as_str());
        let replaced = match &probe {
            // What is stored where the value came from is asked at that store.
            Some(probe) if by_value || (index == 0 && altered) => Some(probe.clone()),
            _ if by_memory => cache_check(ctx, trail),
            _ => None,
        };
        if let Some((why, command)) = replaced {
            hypothesis.next_check = Some(made(why, command));
        }
        let Some(check) = &mut hypothesis.next_check else { continue };
        // The rival is the next in rank, and for the last the one before.
        let rival = causes.get(index + 1).or_else(|| causes.get(index.checked_sub(1)?));
        if index == 0
            && hypothesis.grade != Grade::Proved
            && let Some(rival) = rival
        {
            let decides =
                prose!(say::DECIDES, cause = cause_word(&hypothesis.cause), next = cause_word(rival));
            check.why = Prose::Sequence(vec![check.why.0.clone(), decides]).into();
        }
        if check.command.contains("kprobe_events") {
            check.more.push(tool("trace-cmd", "trace-cmd record -T -e kprobes:kwhy".to_owned()));
        }
        if index == 0 && facts.is_access_fault() {
            check.more.extend(tools.iter().cloned());
        }
    }
}

/// Causes that are about a value that somebody stored or returned.
const VALUE_CAUSES: &[&str] =
    &["null-pointer", "error-pointer", "wild-pointer", "bad-call-target", "user-access", "list-poison"];

/// Causes that red zones and poison catch in the act.
const MEMORY_CAUSES: &[&str] =
    &["use-after-free", "memory-corruption", "buffer-overrun", "double-free", "list-corruption"];

fn made(why: Prose, command: String) -> NextCheck {
    NextCheck { why: why.into(), command, more: Vec::new() }
}

fn tool(tool: &str, command: String) -> ToolCommand {
    ToolCommand { tool: tool.to_owned(), command }
}

/// A probe on the instruction that a candidate is: what it stores and where, or what its callee
/// returns.
fn at_candidate(ctx: &Ctx<'_, '_, '_>, candidate: &Candidate) -> Option<(Prose, String)> {
    if !matches!(candidate.what, What::MemberStore | What::CallResult | What::Global | What::Code) {
        return None;
    }
    let (index, at) = candidate.spot.code?;
    let image = ctx.images.image(index)?;
    let function = candidate.spot.function.as_deref()?;
    let module = ctx.images.module(index);
    let scene = ctx.scenes.of(index, at)?;
    let insn = scene.insn(at)?;
    if let Flow::Call(target) = insn.flow {
        let callee = scene.callee_name(insn.address)?;
        // A callee of this image is named with its module, an import is the kernel's or another's.
        let own = image.symbol_at(target).is_some_and(|symbol| symbol.name == callee);
        let place = Place { module: module.filter(|_| own), site: callee.clone() };
        let command = event('r', &place, &["value=$retval:x64".to_owned()])?;
        return Some((prose!(say::WHY_PROBE_RESULT, callee = &callee, function = function), command));
    }
    if !takes_probes(image, insn.address, module.is_some()) {
        return None;
    }
    let symbol = image.symbol_at(insn.address)?;
    let offset = insn.address.0.checked_sub(symbol.address.0)?;
    let site = if offset == 0 { symbol.name.clone() } else { format!("{}+{offset:#x}", symbol.name) };
    let place = Place { module, site };
    let name = |register: Reg| ctx.facts.cpu.and_then(|cpu| cpu.name(register)).map(str::to_owned);
    let stored = insn.effects.iter().find_map(|effect| match effect {
        Effect::Store { value, memory, .. } => Some((value.clone(), memory.clone())),
        _ => None,
    });
    let Some((value, memory)) = stored else {
        let command = event('p', &place, &[])?;
        return Some((prose!(say::WHY_PROBE_PLACE, function = function), command));
    };
    let command = event('p', &place, &arguments(ctx.facts.arch(), &value, &memory, &name))?;
    Some((prose!(say::WHY_PROBE_STORE, function = function), command))
}

/// What a store's probe prints: the value, and the object that it goes into.
fn arguments(
    arch: Option<Arch>,
    value: &Operand,
    memory: &MemOperand,
    name: &dyn Fn(Reg) -> Option<String>,
) -> Vec<String> {
    let mut found = Vec::new();
    if let Operand::Register(register, _) = value
        && let Some(register) = name(*register).filter(|name| is_general(name))
    {
        found.push(fetched("value", arch, &register));
    }
    if let Some(register) = memory.base.and_then(name).filter(|name| is_general(name)) {
        found.push(fetched("object", arch, &register));
    }
    found
}

/// Whether kprobes know the register: not the zero register, segments or vectors.
fn is_general(name: &str) -> bool {
    !name.contains("zr") && !name.contains('.') && name != "rip" && !name.starts_with("xmm")
}

/// Red zones and poison for the slab cache of the object concerned, where its size is known.
fn cache_check(ctx: &Ctx<'_, '_, '_>, trail: &Trail) -> Option<(Prose, String)> {
    let (record, _) = trail.member.as_ref()?;
    let size = object_size(ctx, trail, record)?;
    let class = crate::suspects::size_class(size, ctx.facts.arch())?;
    let why = prose!(say::WHY_OBJECT_CACHE, record = record, size = size);
    let command = format!(
        "slub_debug=FZPU,kmalloc-{class}   # kernel command line, if it is made by kmalloc(); else slub_debug=FZPU, \
         or a kernel built with CONFIG_KASAN=y"
    );
    Some((why, command))
}

/// The struct's size by the image in which the value's way ends, else by the kernel's.
fn object_size(ctx: &Ctx<'_, '_, '_>, trail: &Trail, record: &str) -> Option<u64> {
    let near = trail.steps.iter().rev().find_map(|step| step.spot.code);
    let (index, at) = near?;
    let image = ctx.images.image(index)?;
    let found = image.find_type_near(record, at)?;
    image.size_of(found).filter(|size| *size > 0)
}

/// The same crash in the debuggers, where the log shows where the object is.
fn tools(ctx: &Ctx<'_, '_, '_>, expressed: &Expressed, trail: &Trail) -> Vec<ToolCommand> {
    let Some((address, record)) = object(ctx.facts, expressed, trail) else { return Vec::new() };
    let vmlinux = format!("/usr/lib/debug/boot/vmlinux-{}", ctx.facts.release());
    let module = trail.steps.iter().rev().find_map(|step| step.spot.module.clone());
    let mut crash = String::new();
    if let Some(module) = module.as_deref().filter(|module| is_word(module)) {
        crash.push_str(&format!("mod -s {module}\\n"));
    }
    let Some((keyword, tag)) = record.as_deref().and_then(|record| record.split_once(' ')) else {
        crash.push_str(&format!("kmem {address:#x}\\nrd -s {address:#x} 16\\n"));
        return vec![tool("crash", format!("printf '{crash}' | crash -s {vmlinux} vmcore"))];
    };
    if !is_word(tag) || !matches!(keyword, "struct" | "union") {
        return Vec::new();
    }
    crash.push_str(&format!("{keyword} {tag} {address:#x}\\nkmem {address:#x}\\n"));
    let snippet = format!("print(Object(prog, \"{keyword} {tag}\", address={address:#x}))");
    vec![
        tool("drgn", format!("echo '{snippet}' | drgn -c vmcore -s {vmlinux} /dev/stdin")),
        tool("crash", format!("printf '{crash}' | crash -s {vmlinux} vmcore")),
    ]
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Where the object lies that held the bad pointer, and its type: the register that holds `use`
/// where `use->target` was bad.
fn object(facts: &Facts<'_>, expressed: &Expressed, trail: &Trail) -> Option<(u64, Option<String>)> {
    let pointer = expressed.expression.as_ref()?.pointer.as_deref()?;
    let (parent, _) = pointer.rsplit_once("->")?;
    let arch = facts.arch()?;
    let held = expressed.holds.iter().filter(|(_, text)| text.as_str() == parent);
    let mut values = held.filter_map(|(register, _)| facts.record.registers.known(*register));
    let address = values.find(|value| {
        let class = kwhy_arch::classify_address(arch, *value, &facts.space);
        class.region.is_kernel() && class.region != Region::KernelText
    })?;
    Some((address, trail.member.as_ref().map(|(record, _)| record.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(module: Option<&str>, site: &str) -> Place {
        Place { module: module.map(str::to_owned), site: site.to_owned() }
    }

    #[test]
    fn kprobes_name_registers_as_the_kernel_does() {
        let x86 = |name| kprobe_register(Some(Arch::X86_64), name);
        assert_eq!(x86("rax"), "ax");
        assert_eq!(x86("r12"), "r12");
        assert_eq!(x86("rsp"), "sp");
        assert_eq!(kprobe_register(Some(Arch::Arm64), "x0"), "x0");
        for odd in ["xzr", "wzr", "gs.base", "rip", "xmm0"] {
            assert!(!is_general(odd), "{odd}");
        }
    }

    #[test]
    fn a_stores_probe_prints_what_is_stored_and_into_what() {
        let (rdi, rsi) = (Reg(5), Reg(4));
        let name = |register: Reg| Some(if register == rdi { "rdi" } else { "rsi" }.to_owned());
        let memory = MemOperand { base: Some(rdi), ..MemOperand::default() };
        let found = arguments(Some(Arch::X86_64), &Operand::Register(rsi, 8), &memory, &name);
        assert_eq!(found, ["value=%si:x64", "object=%di:x64"]);
        // A constant is in no register.
        let found = arguments(Some(Arch::X86_64), &Operand::Constant(0), &memory, &name);
        assert_eq!(found, ["object=%di:x64"]);
        let command = event('p', &place(Some("pagemap"), "pm_pin+0x14"), &found).unwrap();
        assert!(command.starts_with(
            "echo 'p:kwhy pagemap:pm_pin+0x14 object=%di:x64' > /sys/kernel/tracing/kprobe_events && "
        ));
    }

    #[test]
    fn a_name_that_would_break_the_command_gives_none() {
        for hostile in ["f'; reboot; '", "", "f g", "0abc", "$(f)", "f`g`"] {
            assert_eq!(event('p', &place(None, hostile), &[]), None, "{hostile}");
            assert_eq!(event('p', &place(Some(hostile), "f"), &[]), None, "{hostile}");
        }
        assert!(event('r', &place(None, "cr_route.isra.0"), &["value=$retval:x64".into()]).is_some());
    }

    #[test]
    fn words_of_commands_are_words() {
        assert!(
            is_word("nf_nat") && is_word("snd-hda") && !is_word("a b") && !is_word("") && !is_word("a'b")
        );
    }
}
