//! Which other module may have done it: where the victim of a corruption is not its author, every
//! module of the log is looked at for what ties it to the crash.
//!
//! The log alone rarely proves more than that a module was there. Images show more: what a module
//! hooks into, whose symbols it is bound to, whether it writes the member that was bad, which
//! size class its objects share, and whether it was built against other headers. Each is a reason
//! with a weight; the weights rank, and no sum of them is called proof.

use crate::context::Facts;
use crate::expression::Expressed;
use crate::images::Images;
use crate::layout::{self, Layout};
use crate::origin::{Trail, What};
use crate::{modules, writers};
use kwhy_base::catalogue::suspects as say;
use kwhy_base::{Arch, Prose, prose};
use kwhy_flow::insn::Flow;
use kwhy_flow::scene::Scene;
use kwhy_image::Image;
use kwhy_report::model::{self, Grade, Hypothesis};
use std::collections::BTreeSet;

/// Causes that code other than the one that tripped can bring about.
const AT_A_DISTANCE: &[&str] = &[
    "memory-corruption",
    "wild-pointer",
    "list-corruption",
    "list-poison",
    "use-after-free",
    "buffer-overrun",
    "out-of-bounds",
    "double-free",
    "refcount",
    "bad-call-target",
    "stack-corruption",
    "null-pointer",
];

/// Causes to whose evidence a layout mismatch and the suspects belong.
const CORRUPTIONS: &[&str] =
    &["memory-corruption", "wild-pointer", "list-corruption", "buffer-overrun", "bad-call-target"];

/// What weighs how much. A reason that the images give outweighs what the log shows of everybody.
const STRONG: u32 = 8;
const MEDIUM: u32 = 3;
const WEAK: u32 = 1;

/// What the crash is about, as far as suspicion needs it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subject {
    /// The module whose data was bad; `None` for the kernel.
    pub victim: Option<String>,
    /// The struct and the member that held the bad value.
    pub member: Option<(String, String)>,
    /// Modules whose code the value's trail leads to, and where in it.
    pub stores: Vec<(String, String)>,
}

impl Subject {
    /// What the trace and the value's trail say.
    pub fn of(facts: &Facts<'_>, trail: &Trail) -> Subject {
        let stores = trail.candidates.iter().filter(|candidate| candidate.what == What::MemberStore);
        let stores = stores.filter_map(|candidate| {
            let spot = &candidate.spot;
            let place = match (&spot.function, &spot.file, spot.line) {
                (Some(function), Some(file), Some(line)) => format!("{function} ({file}:{line})"),
                (Some(function), ..) => function.clone(),
                _ => return None,
            };
            Some((spot.module.clone()?, place))
        });
        Subject { victim: victim(facts), member: trail.member.clone(), stores: stores.collect() }
    }
}

/// The module whose data was bad, as far as the trace tells: that of the first function that is no
/// core helper; `None` for the kernel.
pub fn victim(facts: &Facts<'_>) -> Option<String> {
    let helps = |place: &&&crate::location::Place| {
        let symbol = place.at.symbol.as_deref();
        place.at.module.is_none() && symbol.is_some_and(|symbol| crate::helpers::helper(symbol).is_some())
    };
    let chain = facts.places.chain();
    chain.iter().find(|place| !helps(place)).and_then(|place| place.at.module.clone())
}

/// One module's case.
struct Suspect {
    weight: u32,
    strong: bool,
    reasons: Vec<Prose>,
    layout: Option<Layout>,
}

/// The modules of the log with the reasons to suspect them, ranked where the cause allows it;
/// what is found goes into the evidence of the hypotheses concerned.
pub fn investigate(
    facts: &Facts<'_>,
    images: &Images<'_, '_>,
    expressed: &Expressed,
    subject: &Subject,
    hypotheses: &mut [Hypothesis],
) -> Vec<model::Module> {
    let record = facts.record;
    let mut described = modules::describe(record, &facts.contexts);
    let distant = hypotheses.iter().any(|hypothesis| AT_A_DISTANCE.contains(&hypothesis.cause.as_str()));
    let mut concerned: Vec<String> = subject.member.iter().map(|(record, _)| record.clone()).collect();
    concerned.extend(expressed.expression.as_ref().and_then(|expression| expression.record.clone()));
    let kernel = images.used_for(None).map(|(_, image)| image);
    let victim_image = subject.victim.as_deref().and_then(|name| images.used_for(Some(name)));
    let mut suspects: Vec<Suspect> = Vec::new();
    for module in &described {
        let mut suspect = by_log(module);
        if let Some((_, image)) = images.used_for(Some(&module.name)) {
            by_image(&mut suspect, image, kernel, facts, &concerned);
            let is_victim = subject.victim.as_deref() == Some(module.name.as_str());
            if distant && !is_victim {
                if let Some((_, victim)) = victim_image {
                    bound(&mut suspect, image, victim, subject.victim.as_deref().unwrap_or_default());
                }
                writes(&mut suspect, image, &module.name, subject);
                let described_by = victim_image.map(|(_, image)| image).or(kernel);
                if let Some((size, name)) = described_by.and_then(|image| object(image, &concerned)) {
                    neighbour(&mut suspect, image, size, &name, facts.arch());
                }
            }
        }
        suspects.push(suspect);
    }
    for (module, suspect) in described.iter_mut().zip(&suspects) {
        module.suspicion.extend(suspect.reasons.iter().cloned().map(Into::into));
        module.layout = suspect.layout.as_ref().map(Layout::to_model);
    }
    for (module, suspect) in described.iter().zip(&suspects) {
        let Some(layout) = suspect.layout.as_ref().filter(|layout| layout.differs()) else { continue };
        let Some(what) = layout.suspicions(&concerned).into_iter().next() else { continue };
        let evidence = prose!(say::LAYOUT_EVIDENCE, module = &module.name, what = what);
        for hypothesis in hypotheses.iter_mut().filter(|found| CORRUPTIONS.contains(&found.cause.as_str())) {
            hypothesis.for_.push(evidence.clone().into());
        }
    }
    if distant {
        rank(&mut described, &suspects, subject, hypotheses);
    }
    described
}

/// What the log itself shows, weighed; the sentences are [`modules::describe`]'s.
fn by_log(module: &model::Module) -> Suspect {
    let mut suspect = Suspect { weight: 0, strong: false, reasons: Vec::new(), layout: None };
    let has = |letter: char| module.taints.contains(letter);
    for text in &module.suspicion {
        if let Prose::Message(message, _) = &text.0 {
            suspect.weight += match message.key {
                "SUSPECT_IN_TRACE" | "SUSPECT_GOING" | "SUSPECT_UNLOADED" => MEDIUM,
                "SUSPECT_FORCED" => STRONG,
                _ => WEAK,
            };
        }
    }
    if has('E') {
        suspect.reasons.push(prose!(say::UNSIGNED));
        suspect.weight += WEAK;
    }
    suspect
}

impl Suspect {
    fn add(&mut self, weight: u32, reason: Prose) {
        self.weight = self.weight.saturating_add(weight);
        self.strong |= weight >= STRONG;
        self.reasons.push(reason);
    }
}

/// What imports say of a module that has them: (beginnings or whole names, weight, sentence).
type Hook = (&'static [&'static str], u32, &'static kwhy_base::Message);

/// Functions by which one module reaches into the memory or the flow of others.
const HOOKS: &[Hook] = &[
    (
        &[
            "set_memory_",
            "set_pages_",
            "text_poke",
            "aarch64_insn_patch_text",
            "aarch64_insn_write",
            "patch_text",
            "stop_machine",
            "native_write_cr0",
            "apply_to_page_range",
            "apply_to_existing_page_range",
            "__flush_icache_range",
            "caches_clean_inval_pou",
            "module_alloc",
            "copy_to_kernel_nofault",
            "execmem_",
        ],
        MEDIUM,
        &say::HOOK_PATCHES,
    ),
    (
        &["kallsyms_", "find_module", "sprint_symbol", "module_mutex", "__symbol_get", "symbol_get"],
        MEDIUM,
        &say::HOOK_LOOKUP,
    ),
    (
        &[
            "register_kprobe",
            "register_kretprobe",
            "register_ftrace_function",
            "ftrace_set_filter",
            "klp_enable_patch",
            "nf_register_",
            "security_add_hooks",
            "tracepoint_probe_register",
            "register_die_notifier",
            "perf_event_create_kernel_counter",
        ],
        MEDIUM,
        &say::HOOK_PROBES,
    ),
    (
        &[
            "register_module_notifier",
            "register_reboot_notifier",
            "register_netdevice_notifier",
            "register_inetaddr_notifier",
            "register_keyboard_notifier",
            "register_pm_notifier",
            "register_cpu_notifier",
            "__cpuhp_setup_state",
            "bus_register_notifier",
            "atomic_notifier_chain_register",
            "blocking_notifier_chain_register",
            "raw_notifier_chain_register",
            "srcu_notifier_chain_register",
            "dev_add_pack",
            "proto_register",
        ],
        WEAK,
        &say::HOOK_NOTIFIERS,
    ),
    (
        &[
            "ioremap",
            "__ioremap",
            "memremap",
            "vmap",
            "phys_mem_access",
            "remap_pfn_range",
            "memory_add_physaddr",
        ],
        WEAK,
        &say::HOOK_MAPS,
    ),
];

/// So many symbols are named in a sentence.
const NAMED: usize = 4;

fn named(symbols: &[String]) -> String {
    let mut text = symbols.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if symbols.len() > NAMED {
        text.push_str(", …");
    }
    text
}

/// How it was built, and what it hooks into.
fn by_image(
    suspect: &mut Suspect,
    image: &Image<'_>,
    kernel: Option<&Image<'_>>,
    facts: &Facts<'_>,
    concerned: &[String],
) {
    if let Some(kernel) = kernel {
        let layout = layout::compare(image, kernel, facts.record);
        for reason in layout.suspicions(concerned) {
            suspect.reasons.push(reason);
        }
        if layout.differs() {
            suspect.weight += STRONG;
            suspect.strong = true;
        }
        suspect.layout = Some(layout);
    }
    let imports = image.imports();
    for (names, weight, sentence) in HOOKS {
        let found: Vec<String> = imports
            .iter()
            .filter(|import| names.iter().any(|name| import.starts_with(name)))
            .cloned()
            .collect();
        if !found.is_empty() {
            let reason = kwhy_base::prose::filled(
                sentence,
                vec![("symbols", kwhy_base::prose::Arg::Plain(named(&found)))],
            );
            // A module notifier runs in the very loading that tripped.
            let loading = facts.subject.is_some() && found.iter().any(|s| s == "register_module_notifier");
            suspect.add(if loading { MEDIUM } else { *weight }, reason);
        }
    }
}

/// Symbols that tie it to the victim, in either direction.
fn bound(suspect: &mut Suspect, image: &Image<'_>, victim: &Image<'_>, name: &str) {
    let shared = |user: &Image<'_>, owner: &Image<'_>| -> Vec<String> {
        let exports: BTreeSet<String> = owner.exports();
        user.imports().into_iter().filter(|import| exports.contains(import)).collect()
    };
    let uses = shared(image, victim);
    if !uses.is_empty() {
        suspect.add(MEDIUM, prose!(say::BOUND_TO_VICTIM, victim = name, symbols = named(&uses)));
    }
    let used = shared(victim, image);
    if !used.is_empty() {
        suspect.add(MEDIUM, prose!(say::BOUND_BY_VICTIM, victim = name, symbols = named(&used)));
    }
}

/// Whether its code stores into the member that held the bad value.
fn writes(suspect: &mut Suspect, image: &Image<'_>, module: &str, subject: &Subject) {
    let Some((record, member)) = &subject.member else { return };
    let found = writers::writers(&[image], record, member, false).ok();
    let writers = found.map(|found| found.writers).unwrap_or_default();
    let mut places: Vec<String> = writers
        .iter()
        .filter(|writer| {
            use kwhy_flow::stores::StoreKind::{Assigned, Filled, Modified};
            matches!(writer.store.kind, Assigned | Filled | Modified)
        })
        .map(|writer| match (&writer.file, writer.line) {
            (Some(file), Some(line)) => format!("{} ({file}:{line})", writer.function),
            _ => format!("{}+{:#x}", writer.symbol, writer.offset),
        })
        .collect();
    // The trail knows stores that no type shows.
    for (_, place) in
        subject.stores.iter().filter(|(of, _)| crate::images::normal(of) == crate::images::normal(module))
    {
        if !places.contains(place) {
            places.push(place.clone());
        }
    }
    if !places.is_empty() {
        suspect.add(
            STRONG,
            prose!(say::WRITES_MEMBER, record = record, member = member, places = named(&places)),
        );
    }
}

/// Size and name of the first of the structs that the image describes.
fn object(image: &Image<'_>, concerned: &[String]) -> Option<(u64, String)> {
    concerned.iter().find_map(|name| {
        let id = match image.kind() {
            kwhy_image::ImageKind::Kernel => None,
            kwhy_image::ImageKind::Module(_) => image.find_type(name),
        }?;
        Some((image.size_of(id).filter(|size| *size > 0)?, name.clone()))
    })
}

/// Allocators that take a size: which argument it is. include/linux/slab.h; later kernels append
/// `_noprof`, earlier ones call `kmem_cache_alloc_trace()`.
const SIZED: &[(&str, usize)] = &[
    ("__kmalloc", 0),
    ("kmalloc_trace", 2),
    ("kmem_cache_alloc_trace", 2),
    ("__kmalloc_cache", 2),
    ("__kmalloc_node", 0),
    ("kmalloc_node_trace", 3),
];

/// So many functions of a module are read for its allocations.
const MAX_FUNCTIONS: usize = 48;

/// Whether it allocates objects that lie in the same slabs as the victim's.
fn neighbour(suspect: &mut Suspect, image: &Image<'_>, size: u64, record: &str, arch: Option<Arch>) {
    let Some(class) = size_class(size, arch) else { return };
    let plain = |name: &str| name.strip_suffix("_noprof").unwrap_or(name).to_owned();
    if !image.imports().iter().any(|import| SIZED.iter().any(|(name, _)| plain(import) == *name)) {
        return;
    }
    for entry in image.function_addresses().into_iter().take(MAX_FUNCTIONS) {
        let Some(scene) = Scene::new(image, entry) else { continue };
        let Some(cpu) = kwhy_arch::cpu(scene.arch()) else { continue };
        for insn in &scene.code.insns {
            if !matches!(insn.flow, Flow::Call(_)) {
                continue;
            }
            let Some(callee) = scene.callee_name(insn.address) else { continue };
            let Some((_, index)) = SIZED.iter().find(|(name, _)| plain(&callee) == *name) else { continue };
            let value =
                cpu.arguments.get(*index).and_then(|register| scene.register(insn.address, *register));
            let Some(theirs) = value.and_then(kwhy_flow::value::Value::as_constant) else { continue };
            if size_class(theirs, arch) == Some(class) {
                suspect.add(
                    MEDIUM,
                    prose!(
                        say::SIZE_NEIGHBOUR,
                        size = theirs,
                        function = crate::names::base_name(&scene.symbol),
                        cache = format!("kmalloc-{class}"),
                        record = record,
                        record_size = size
                    ),
                );
                return;
            }
        }
    }
}

/// The kmalloc cache that an object of `size` bytes comes from (`kmalloc_index()`,
/// include/linux/slab.h). On ARM64 the smallest has 128 bytes where ARCH_DMA_MINALIGN is that
/// large; larger kernels' ones of 8 to 96 bytes are not told apart there.
pub fn size_class(size: u64, arch: Option<Arch>) -> Option<u64> {
    const CLASSES: &[u64] = &[8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192];
    let least = if arch == Some(Arch::Arm64) { 128 } else { 8 };
    let class = CLASSES.iter().copied().find(|class| size <= *class)?;
    (size > 0).then_some(class.max(least))
}

/// Ranks them, and tells the corruption's hypotheses who is suspected.
fn rank(
    described: &mut [model::Module],
    suspects: &[Suspect],
    subject: &Subject,
    hypotheses: &mut [Hypothesis],
) {
    let mut order: Vec<usize> =
        (0..described.len()).filter(|index| suspects.get(*index).is_some_and(|s| s.weight > 0)).collect();
    order.sort_by_key(|index| {
        (std::cmp::Reverse(suspects.get(*index).map_or(0, |suspect| suspect.weight)), *index)
    });
    let mut named: Vec<Prose> = Vec::new();
    for (rank, index) in (1u32..).zip(&order) {
        let (Some(module), Some(suspect)) = (described.get_mut(*index), suspects.get(*index)) else {
            continue;
        };
        // Likely takes a tie that only this module has, and that it was near as well.
        let likely = suspect.strong && suspect.weight >= STRONG + MEDIUM;
        let grade = if likely { Grade::Likely } else { Grade::Possible };
        module.rank = Some(rank);
        module.grade = Some(grade);
        if subject.victim.as_deref() != Some(module.name.as_str()) && named.len() < NAMED {
            named.push(prose!(
                say::SUSPECT,
                module = &module.name,
                grade = crate::verdict::grade_word(grade),
                reasons = module.suspicion.len()
            ));
        }
    }
    if named.is_empty() {
        return;
    }
    let victim = match &subject.victim {
        Some(victim) => Prose::verbatim(victim.as_str()),
        None => prose!(say::THE_KERNEL),
    };
    let told = prose!(say::SUSPECTS, victim = victim, suspects = named);
    let corruption = hypotheses.iter_mut().find(|found| found.cause == "memory-corruption");
    if let Some(corruption) = corruption {
        corruption.for_.push(told.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{module, record_with_frames};

    fn ranked(cause: &str) -> Vec<model::Module> {
        let mut record = record_with_frames(&["touch [victim]", "load_module"]);
        record.modules =
            vec![module("newest", "OE", None), module("victim", "", None), module("old", "", None)];
        let images = Images::none();
        let log = [record];
        let facts = Facts::new(&log, 0, &images).unwrap();
        let mut hypotheses = vec![Hypothesis {
            cause: cause.to_owned(),
            grade: Grade::Possible,
            statement: prose!(say::THE_KERNEL).into(),
            for_: Vec::new(),
            against: Vec::new(),
            next_check: None,
        }];
        let subject = Subject { victim: Some("victim".into()), ..Subject::default() };
        let found = investigate(&facts, &images, &Expressed::default(), &subject, &mut hypotheses);
        assert_eq!(hypotheses[0].for_.len(), usize::from(cause == "memory-corruption"));
        found
    }

    #[test]
    fn a_corruption_has_suspects_in_the_order_of_their_reasons_and_none_is_proved() {
        let found = ranked("memory-corruption");
        let ranks: Vec<_> = found.iter().map(|module| (module.name.as_str(), module.rank)).collect();
        assert_eq!(ranks[2], ("old", None));
        assert!(ranks[0].1.is_some() && ranks[1].1.is_some());
        assert!(found.iter().all(|module| module.grade.is_none_or(|grade| grade == Grade::Possible)));
    }

    #[test]
    fn a_division_by_zero_has_no_suspects() {
        assert!(ranked("divide-by-zero").iter().all(|module| module.rank.is_none()));
    }

    #[test]
    fn size_classes_are_the_kernels() {
        assert_eq!(size_class(1, Some(Arch::X86_64)), Some(8));
        assert_eq!(size_class(65, Some(Arch::X86_64)), Some(96));
        assert_eq!(size_class(97, Some(Arch::X86_64)), Some(128));
        assert_eq!(size_class(24, Some(Arch::Arm64)), Some(128));
        assert_eq!(size_class(9000, Some(Arch::X86_64)), None);
        assert_eq!(size_class(0, Some(Arch::X86_64)), None);
    }
}
