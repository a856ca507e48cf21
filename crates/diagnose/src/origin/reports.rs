//! Who did it, as the report itself tells: the stacks that KASAN, KFENCE, KMSAN and SLUB had
//! recorded, the frame whose canary was found overwritten, the other place that frees what is
//! freed twice. Works from the log alone; images add lines and inlined functions.

use super::memory::{Asked, Held, Survey, plain_spot, producers};
use super::{Candidate, Ctx, Explains, Spot, What};
use crate::helpers::{Helper, helper};
use crate::location::{self, Place};
use crate::names::base_name;
use kwhy_base::catalogue::reports as say;
use kwhy_base::{ImageAddr, Prose, prose};
use kwhy_flow::scene::Scene;
use kwhy_flow::value::{Node, Value};
use kwhy_oops::details::StackRef;
use kwhy_oops::{CodeRef, Family, Frame};

/// How many frames of a recorded stack are looked at.
const MAX_FRAMES: usize = 32;
/// How many candidates of one sort are told.
const MAX_OF_A_SORT: usize = 4;

/// What a recorded stack is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The object was freed.
    Freed,
    /// `call_rcu()`, `kfree_rcu()`, `queue_work()` on it.
    Queued,
    /// It was allocated.
    Allocated,
    /// Memory without a value was made.
    Created,
    /// It was copied on.
    Stored,
}

/// A recorded stack: its functions that answer for themselves, innermost first.
#[derive(Clone, Debug)]
pub struct Past {
    /// What happened there.
    pub event: Event,
    /// 1-based line of the log.
    pub line: u32,
    /// The functions; inlined ones too, where an image tells them.
    pub levels: Vec<Spot>,
}

/// Functions that make, give back or put an object for whoever calls them: the beginnings of their
/// names. Their frames say nothing of whose object it is.
const AGENTS: &[&str] = &[
    "save_stack",
    "set_track",
    "stack_trace_",
    "stack_depot_",
    "kfree_skb",
    "consume_skb",
    "skb_release_",
    "skb_free_",
    "alloc_skb",
    "netdev_alloc_skb",
    "napi_alloc_",
    "build_skb",
    "sk_prot_",
    "slab_",
    "kvfree",
    "kvmalloc",
    "kfree",
    "kmalloc",
    "kmemdup",
    "kstrdup",
    "memdup_user",
    "kasprintf",
    "cache_",
    "kmem_cache_",
    "vmalloc",
    "vfree",
    "krealloc",
    "free_large_kmalloc",
    "free_slab",
    "do_slab_free",
    "qlink_free",
    "qlist_free_all",
    "quarantine_",
    "poison_",
    "mempool_",
    "devm_k",
    "dma_pool_",
    "free_pages",
    "alloc_pages",
    "call_rcu",
    "kvfree_call_rcu",
    "queue_work",
    "insert_work",
    "queue_delayed_work",
    "rcu_",
    "kcalloc",
    "kzalloc",
    "kzfree",
    "asm_",
    "sysvec_",
    "print_",
    "sk_destruct",
    "sk_free",
    "sk_alloc",
    "sock_put",
    "usb_free_urb",
    "usb_alloc_urb",
    "urb_destroy",
    "device_release",
    "release_nodes",
    "devres_",
    "put_task_struct",
    "delayed_put_task_struct",
    "allocate_slab",
    "new_slab",
    "folio_alloc",
    "filemap_alloc_folio",
    "security_",
    "kref_put",
    "dst_destroy",
    "i_callback",
    "destroy_inode",
    "kthread",
    "ret_from_fork",
];

/// What the report recorded of the past, in its own order.
pub fn pasts(ctx: &Ctx<'_, '_, '_>) -> Vec<Past> {
    let details = &ctx.facts.record.details;
    let mut found = Vec::new();
    let tracks = details.kasan.iter().flat_map(|kasan| &kasan.tracks);
    let tracks = tracks.chain(details.kfence.iter().flat_map(|kfence| &kfence.tracks));
    let tracks = tracks.chain(details.kmsan.iter().flat_map(|kmsan| &kmsan.tracks));
    for track in tracks {
        let Some(name) = &track.event else { continue };
        let Some(event) = event(&name.value) else { continue };
        found.push(Past { event, line: name.line, levels: levels(ctx, stack(ctx, track.stack)) });
    }
    for track in details.slab.iter().flat_map(|slab| &slab.tracks) {
        let Some(name) = &track.event else { continue };
        let Some(event) = event(&name.value) else { continue };
        let mut all = levels(ctx, stack(ctx, track.stack));
        if all.is_empty()
            && let Some(at) = track.function.as_ref().and_then(|function| printed(&function.value))
        {
            all = spots(ctx, &at).into_iter().filter(own).collect();
        }
        found.push(Past { event, line: name.line, levels: all });
    }
    found
}

fn event(name: &str) -> Option<Event> {
    Some(match name {
        "freed" => Event::Freed,
        "allocated" => Event::Allocated,
        "work-creation" | "earlier-work-creation" => Event::Queued,
        "created" => Event::Created,
        "stored" => Event::Stored,
        _ => return None,
    })
}

fn stack<'c>(ctx: &Ctx<'c, '_, '_>, stack: Option<StackRef>) -> &'c [Frame] {
    let record = ctx.facts.record;
    match stack {
        Some(StackRef::Own) => &record.frames,
        Some(StackRef::Other(index)) => {
            record.other_stacks.get(index).map(|(_, frames)| frames.as_slice()).unwrap_or_default()
        }
        None => &[],
    }
}

/// The functions of a stack that answer for themselves, innermost first.
fn levels(ctx: &Ctx<'_, '_, '_>, stack: &[Frame]) -> Vec<Spot> {
    let frames = stack.iter().filter(|frame| frame.reliable).take(MAX_FRAMES);
    frames.flat_map(|frame| spots(ctx, &frame.at)).filter(own).collect()
}

/// Whether a function answers for itself: no header's, no helper of the core's.
fn own(spot: &Spot) -> bool {
    let Some(function) = spot.function.as_deref() else { return false };
    if spot.file.as_deref().is_some_and(|file| file.ends_with(".h")) {
        return false;
    }
    let plain = base_name(function).trim_start_matches('_');
    spot.module.is_some()
        || (helper(function).is_none()
            && !AGENTS.iter().any(|agent| plain.starts_with(agent))
            && !spot.file.as_deref().is_some_and(kwhy_oops::is_helper_file))
}

/// A return address of the log in the source, innermost inlined function first.
fn spots(ctx: &Ctx<'_, '_, '_>, at: &CodeRef) -> Vec<Spot> {
    if let Some((index, image)) = ctx.images.used_for(at.module.as_deref())
        && let Some(address) = location::image_address(image, at)
    {
        let found = inlined(ctx, index, address.offset(-1));
        if !found.is_empty() {
            return found;
        }
    }
    let function = at.symbol.as_deref().map(|symbol| base_name(symbol).to_owned());
    vec![Spot {
        code: None,
        function,
        file: at.source.as_ref().map(|(file, _)| file.clone()),
        line: at.source.as_ref().map(|(_, line)| *line),
        module: at.module.clone(),
    }]
}

fn inlined(ctx: &Ctx<'_, '_, '_>, index: usize, address: ImageAddr) -> Vec<Spot> {
    let Some(image) = ctx.images.image(index) else { return Vec::new() };
    let module = ctx.images.module(index);
    let frames = image.source_at(address).into_iter().map(|frame| Spot {
        code: Some((index, address)),
        function: Some(frame.function.to_string()),
        file: frame.file.as_ref().map(ToString::to_string),
        line: frame.line,
        module: module.clone(),
    });
    frames.collect()
}

/// `load_set+0x43/0x1000 [certbox]`.
fn printed(text: &str) -> Option<CodeRef> {
    let (place, module) = match text.split_once(" [") {
        Some((place, module)) => (place, Some(module.trim_end_matches(']').to_owned())),
        None => (text, None),
    };
    let hex = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok();
    let (symbol, numbers) = place.trim().split_once('+').unwrap_or((place.trim(), ""));
    let (offset, size) = numbers.split_once('/').unwrap_or((numbers, ""));
    (!symbol.is_empty()).then(|| CodeRef {
        symbol: Some(symbol.to_owned()),
        offset: hex(offset),
        size: hex(size),
        module,
        ..CodeRef::default()
    })
}

/// What goes wrong, as far as it matters which of the recorded stacks is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    /// Used, or freed, after it was freed.
    Late,
    /// Used beyond its ends.
    Beyond,
    /// Used without a value.
    Unset,
}

fn sort(ctx: &Ctx<'_, '_, '_>) -> Option<Sort> {
    let details = &ctx.facts.record.details;
    let words = [
        details.kasan.as_ref().and_then(|kasan| kasan.sort.as_ref()),
        details.kfence.as_ref().and_then(|kfence| kfence.sort.as_ref()),
        details.slab.as_ref().and_then(|slab| slab.sort.as_ref()),
    ];
    if details.kmsan.is_some() {
        return Some(Sort::Unset);
    }
    let words = words.into_iter().flatten().next()?.value.to_ascii_lowercase();
    let has = |list: &[&str]| list.iter().any(|word| words.contains(word));
    if has(&[
        "use-after-free",
        "double-free",
        "invalid-free",
        "invalid free",
        "already free",
        "poison overwritten",
    ]) {
        Some(Sort::Late)
    } else if has(&["out-of-bounds", "redzone", "padding", "memory corruption"]) {
        Some(Sort::Beyond)
    } else {
        None
    }
}

/// Whether the report is of a sort that comes with recorded stacks: nothing in it was followed.
pub fn speaks(ctx: &Ctx<'_, '_, '_>) -> bool {
    sort(ctx).is_some()
}

/// The functions of the crash's own trace that answer for themselves.
fn trace(ctx: &Ctx<'_, '_, '_>) -> Vec<Spot> {
    levels(ctx, &ctx.facts.record.frames)
}

/// The level of a past free that tells it from the present one: a helper of the module that both
/// go through frees for whoever calls it.
fn differing(past: &[Spot], present: &[Spot]) -> Option<Spot> {
    let same = past.iter().zip(present).take_while(|(a, b)| a.function == b.function && a.module == b.module);
    past.get(same.count()).or(past.first()).cloned()
}

/// The recorded free; of a later work item or RCU callback, who asked for it.
fn freed(ctx: &Ctx<'_, '_, '_>, pasts: &[Past]) -> Option<(Event, u32, Spot)> {
    let twice = ctx.facts.says("ouble-free").or_else(|| ctx.facts.says("already free")).is_some();
    let present = if twice { trace(ctx) } else { Vec::new() };
    let of = |event: Event| {
        let past = pasts.iter().find(|past| past.event == event && !past.levels.is_empty())?;
        Some((event, past.line, differing(&past.levels, &present)?))
    };
    of(Event::Freed).or_else(|| of(Event::Queued))
}

/// The candidates that the report itself names, the likeliest first.
pub fn told(ctx: &Ctx<'_, '_, '_>) -> Vec<Candidate> {
    let mut found = Vec::new();
    if let Some(sort) = sort(ctx) {
        let pasts = pasts(ctx);
        let named = |event: Event| {
            pasts
                .iter()
                .filter(move |past| past.event == event)
                .find_map(|past| Some((past.line, past.levels.first()?.clone())))
        };
        match sort {
            Sort::Late => {
                if let Some((event, line, spot)) = freed(ctx, &pasts) {
                    let mut by = one(spot, |function| match event {
                        Event::Queued => prose!(say::QUEUED_BY, function = function, line = line),
                        _ => prose!(say::FREED_BY, function = function, line = line),
                    });
                    by.frees = true;
                    found.push(by);
                }
                found.extend(written_late(ctx, &pasts));
                if let Some((line, spot)) = named(Event::Queued) {
                    found.push(one(spot, |f| prose!(say::QUEUED_BY, function = f, line = line)));
                }
            }
            Sort::Beyond => {
                // Red zones and canaries are looked at long after; KASAN and a guard page at once.
                let at_once = ctx.facts.is(Family::Kasan) || ctx.facts.says("out-of-bounds").is_some();
                if at_once && let Some(spot) = trace(ctx).into_iter().next() {
                    found.push(one(spot, |f| prose!(say::OVERRAN, function = f)));
                }
            }
            Sort::Unset => {}
        }
        for (event, message) in [
            (Event::Created, &say::UNINIT_CREATED),
            (Event::Stored, &say::UNINIT_STORED),
            (Event::Allocated, &say::ALLOCATED_BY),
        ] {
            if let Some((line, spot)) = named(event) {
                found.push(one(spot, |function| prose!(*message, function = function, line = line)));
            }
        }
    }
    if ctx.facts.says("stack-protector:").is_some() {
        found.extend(canary(ctx));
    }
    if found.is_empty() {
        found.extend(freed_elsewhere(ctx));
        found.extend(small_buffer(ctx));
    }
    let mut told: Vec<Candidate> = Vec::new();
    for candidate in found {
        let key = |c: &Candidate| (c.spot.function.clone(), c.spot.line, c.spot.module.clone());
        if !told.iter().any(|other| key(other) == key(&candidate)) {
            told.push(candidate);
        }
    }
    told
}

fn one(spot: Spot, detail: impl Fn(&str) -> Prose) -> Candidate {
    let detail = detail(spot.function.as_deref().map(base_name).unwrap_or("?"));
    Candidate::new(What::Code, spot, Explains::Perhaps, detail)
}

/// Whether a call writes to what its first argument points to.
fn fills(callee: &str) -> bool {
    let plain = base_name(callee).trim_start_matches('_').trim_start_matches("pi_");
    let writes = [
        "memcpy",
        "memmove",
        "memset",
        "strcpy",
        "strncpy",
        "strscpy",
        "strlcpy",
        "strcat",
        "strncat",
        "strlcat",
        "sprintf",
        "snprintf",
        "scnprintf",
        "vsprintf",
        "vsnprintf",
        "copy_from_user",
        "arch_copy_from_user",
        "strncpy_from_user",
        "hex2bin",
        "raw_copy_from_user",
        "sized_strscpy",
    ];
    writes.contains(&plain)
}

/// Whether an address is `base` plus what changes from one write to the next.
fn moves(scene: &Scene<'_, '_>, address: Value, base: &dyn Fn(Value) -> bool) -> bool {
    match address.node.and_then(|id| scene.node(id)) {
        Some(Node::Binary(_, a, b)) => {
            let constant = |value: Value| value.node.is_none();
            (base(a) && !constant(b)) || (base(b) && !constant(a))
        }
        Some(Node::Phi { .. }) => {
            let choices = scene.choices(address);
            choices.len() > 1 && choices.iter().any(|choice| base(choice.value))
        }
        _ => false,
    }
}

/// Who writes into the frame whose canary was found overwritten.
fn canary(ctx: &Ctx<'_, '_, '_>) -> Vec<Candidate> {
    let details = ctx.facts.record.details.stack_overflow.as_ref();
    let Some(function) = details.and_then(|stack| stack.function.as_ref()) else { return Vec::new() };
    let name = base_name(function.value.split(['+', ' ']).next().unwrap_or_default());
    let victim = |place: &&Place| place.at.symbol.as_deref().map(base_name) == Some(name);
    let chain = ctx.facts.places.chain();
    let Some(place) = chain.into_iter().find(victim) else { return Vec::new() };
    let (Some((scene, _)), Some(index)) = (ctx.scenes.at(place), place.image) else { return Vec::new() };
    let count = kwhy_arch::cpu(scene.arch()).map_or(0, |cpu| cpu.arguments.len());
    let (mut found, mut copies) = (Vec::new(), Vec::new());
    for (call, target) in scene.calls() {
        for argument in 0..count {
            let handed = scene.argument(call, argument).is_some_and(|value| scene.is_stack_address(value));
            if !handed {
                continue;
            }
            let callee = scene.callee_name(call).unwrap_or_default();
            if argument == 0 && fills(&callee) {
                copies.push(one(plain_spot(scene.image, index, call), |function| {
                    prose!(say::CANARY_COPY, function = function, callee = base_name(&callee))
                }));
            } else if helper(&callee).is_none()
                && let Some(of) = target.and_then(|target| ctx.scenes.of(index, target))
            {
                let base =
                    |value: Value| of.parameter_index(Value { node: value.node, plus: 0 }) == Some(argument);
                let write = of.writes().into_iter().find(|write| moves(&of, write.address, &base));
                found.extend(write.map(|write| {
                    one(plain_spot(of.image, index, write.at), |function| {
                        prose!(say::CANARY_CALLEE, function = function, caller = name)
                    })
                }));
            }
        }
    }
    let base = |value: Value| scene.is_stack_address(value);
    for write in scene.writes().into_iter().filter(|write| moves(&scene, write.address, &base)) {
        found.push(one(plain_spot(scene.image, index, write.at), |function| {
            prose!(say::CANARY_OWN, function = function)
        }));
    }
    found.extend(copies);
    found.truncate(MAX_OF_A_SORT);
    found
}

/// Who writes, in an object that the allocator found written to after it was freed, the first byte
/// that was changed.
fn written_late(ctx: &Ctx<'_, '_, '_>, pasts: &[Past]) -> Vec<Candidate> {
    let found = || {
        let slab = ctx.facts.record.details.slab.as_ref()?;
        let offset = slab.from.as_ref()?.value.value?.checked_sub(slab.object.as_ref()?.value.value?)?;
        let made = pasts.iter().find(|past| past.event == Event::Allocated)?.levels.first()?;
        let (index, address) = made.code?;
        let scene = ctx.scenes.of(index, address)?;
        let call = scene.insn(address)?.address;
        let within = scene.objects_of(call, scene.result_of(call)?);
        let record = within.iter().find(|within| within.offset == 0)?.record;
        let record = scene.image.type_name(record);
        let asked = Asked {
            text: record.clone(),
            held: Held::Member { record, member: String::new(), offset },
            size: 1,
            indexed: false,
            value: None,
            load: (index, call),
            at_best: Explains::Perhaps,
        };
        let mut stores = producers(ctx, &asked);
        stores.retain(|store| store.what == What::MemberStore);
        stores.truncate(MAX_OF_A_SORT);
        Some(stores)
    };
    found().unwrap_or_default()
}

/// Who made the buffer that `skb_put()` and its kin find too small.
fn small_buffer(ctx: &Ctx<'_, '_, '_>) -> Vec<Candidate> {
    let chain = ctx.facts.places.chain();
    let full = ["skb_panic", "skb_over_panic", "skb_under_panic"];
    let tripped = chain.iter().filter_map(|place| place.at.symbol.as_deref()).map(base_name);
    if !tripped.into_iter().any(|symbol| full.contains(&symbol)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for place in chain.iter().filter(|place| place.at.module.is_some()) {
        let (Some((scene, address)), Some(index)) = (ctx.scenes.at(place), place.image) else { continue };
        for (call, _) in scene.calls().into_iter().filter(|(call, _)| *call < address) {
            let Some(callee) = scene.callee_name(call) else { continue };
            if base_name(&callee).contains("alloc_skb") {
                found.push(one(plain_spot(scene.image, index, call), |function| {
                    prose!(say::MADE_BUFFER, function = function, callee = base_name(&callee))
                }));
            }
        }
    }
    found.truncate(MAX_OF_A_SORT);
    found
}

/// The other places of the module that free what is freed twice.
fn freed_elsewhere(ctx: &Ctx<'_, '_, '_>) -> Vec<Candidate> {
    if !frees_twice(ctx) {
        return Vec::new();
    }
    let chain = ctx.facts.places.chain();
    let Some(place) = chain.into_iter().find(|place| place.at.module.is_some()) else { return Vec::new() };
    let (Some((scene, address)), Some(index)) = (ctx.scenes.at(place), place.image) else {
        return Vec::new();
    };
    let Some(site) = scene.insn(address).map(|insn| insn.address) else { return Vec::new() };
    let records = |scene: &Scene<'_, '_>, call: ImageAddr| -> Option<(Vec<String>, String)> {
        let callee = scene.callee_name(call)?;
        let object = scene.argument(call, kwhy_flow::stores::freed_argument(&callee)?)?;
        let within = scene.objects_of(call, object);
        let whole = within.iter().filter(|within| within.offset == 0);
        let names: Vec<String> = whole.map(|within| scene.image.type_name(within.record)).collect();
        Some((names, scene.in_words(call, object).unwrap_or_default()))
    };
    let Some((wanted, _)) = records(&scene, site).filter(|(names, _)| !names.is_empty()) else {
        return Vec::new();
    };
    let present: Vec<Spot> = inlined(ctx, index, site).into_iter().filter(own).collect();
    let mut found: Vec<(bool, Candidate)> = Vec::new();
    for known in Survey::of(ctx).functions.iter().filter(|known| known.image == index) {
        for (call, _) in known.scene.calls() {
            let Some((names, text)) = records(&known.scene, call).filter(|_| call != site) else { continue };
            if !names.iter().any(|name| wanted.contains(name)) {
                continue;
            }
            let past: Vec<Spot> = inlined(ctx, index, call).into_iter().filter(own).collect();
            let Some(spot) = differing(&past, &present) else { continue };
            let mut by = one(spot, |f| prose!(say::FREED_ELSEWHERE, function = f, text = &text));
            by.frees = true;
            // What ran on the way to the second free is the likelier first one.
            let before = known.scene.code.entry == scene.code.entry && call < site;
            found.push((!before, by));
        }
    }
    found.sort_by_key(|(other, _)| *other);
    found.truncate(MAX_OF_A_SORT);
    found.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Whether the allocator found that a free object was freed.
pub fn frees_twice(ctx: &Ctx<'_, '_, '_>) -> bool {
    let facts = ctx.facts;
    let said = ["double-free", "already free"].iter().any(|words| facts.says(words).is_some());
    let asserted =
        facts.is(Family::Bug) && facts.record.assertion.as_ref().is_some_and(|at| at.value.0 == "mm/slub.c");
    said || asserted
}

/// The trace's first function outside the core that asked a core function for what it checks.
pub fn asked_core<'f>(ctx: &Ctx<'f, '_, '_>) -> Option<(&'f Place, &'f Place)> {
    /// The core may pass a request on a few times before it looks at it.
    const MAX_BETWEEN: usize = 4;
    let chain = ctx.facts.places.chain();
    let named = |place: &&'f Place| {
        place.at.module.is_none()
            && place.at.symbol.as_deref().is_some_and(|symbol| helper(symbol) != Some(Helper::Report))
    };
    let first = chain.iter().position(named)?;
    let core = chain.get(first)?;
    let rest = chain.iter().skip(first.saturating_add(1)).take(MAX_BETWEEN);
    let asker = rest.into_iter().find(|place| place.at.module.is_some())?;
    // A module further up did the reporting itself.
    let before = chain.iter().take(first).any(|place| place.at.module.is_some());
    (!before).then_some((*core, *asker))
}

/// Where a function's own stack or the trace names `spot` as having freed the object.
pub fn line_of(ctx: &Ctx<'_, '_, '_>, event: Event) -> Option<(u32, Spot)> {
    let pasts = pasts(ctx);
    match event {
        Event::Freed => freed(ctx, &pasts).map(|(_, line, spot)| (line, spot)),
        _ => pasts
            .iter()
            .filter(|past| past.event == event)
            .find_map(|past| Some((past.line, past.levels.first()?.clone()))),
    }
}
