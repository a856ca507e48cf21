//! Memory that ran out: OOM kills and failed allocations (mm/oom_kill.c, mm/page_alloc.c).

use super::scan::{begins, keyed, scan};
use super::{Row, Task, View, details};
use crate::record::PrintedHex;
use crate::words::Words;

details! {
    /// An OOM kill, or the panic instead of one.
    Oom = "oom" {
        /// Who needed the memory.
        invoker: String,
        /// The allocation's flags, as a number.
        gfp: PrintedHex,
        /// The same in words.
        gfp_names: String,
        /// Order of the allocation: 2^order pages; -1 when asked for by SysRq.
        order: i64,
        /// `CONSTRAINT_NONE`, `CONSTRAINT_MEMCG`, `CONSTRAINT_CPUSET`, `CONSTRAINT_MEMORY_POLICY`.
        constraint: String,
        /// The memory cgroup that was full.
        memcg: String,
        /// The one of the victim.
        victim_memcg: String,
        /// The cgroup's usage, in kB.
        memcg_usage: u64,
        /// The cgroup's limit, in kB.
        memcg_limit: u64,
        /// The task killed.
        victim: Task,
        /// Its address space, in kB.
        total_vm: u64,
        /// Its anonymous memory, in kB.
        anon_rss: u64,
        /// Its file-backed memory, in kB.
        file_rss: u64,
        /// Its shared memory, in kB.
        shmem_rss: u64,
        /// Its user.
        uid: u32,
        /// Nobody was left to kill.
        no_victim: bool,
        /// Pages of RAM.
        ram: u64,
        /// Pages free.
        free: u64,
        /// Pages of active anonymous memory.
        active_anon: u64,
        /// Pages of inactive anonymous memory.
        inactive_anon: u64,
        /// Pages of slabs that can be reclaimed.
        slab_reclaimable: u64,
        /// Pages of slabs that cannot.
        slab_unreclaimable: u64,
        /// Free swap, in kB.
        free_swap: u64,
        /// All swap, in kB.
        total_swap: u64,
    }
}

/// The words by which an OOM report is known.
const OOM: &[&str] =
    &["invoked oom-killer", "Out of memory", "Memory cgroup out of memory", "oom-kill:constraint"];

pub(super) fn oom(view: &View<'_>) -> Option<Oom> {
    view.may_have_any(OOM).then_some(())?;
    view.rows.iter().find(|row| OOM.iter().any(|words| row.text.contains(words)))?;
    let mut oom = Oom::default();
    for row in &view.rows {
        let text = row.text;
        if let Some([invoker, rest]) = scan(text, "{} invoked oom-killer: {}") {
            oom.invoker = row.words(invoker);
            let flags = rest.cut("gfp_mask=").map_or("", |(_, flags)| flags);
            (oom.gfp, oom.gfp_names) = gfp(row, flags);
            oom.order = keyed(rest, "order=").and_then(|order| row.number(order));
        } else if let Some([rest]) = begins(text, "oom-kill:constraint={}") {
            oom.constraint = row.words(rest.split(',').next().unwrap_or_default());
            oom.memcg = keyed(rest, "oom_memcg=").and_then(|memcg| row.words(memcg));
            oom.victim_memcg = keyed(rest, "task_memcg=").and_then(|memcg| row.words(memcg));
        } else if let Some([pid, comm, rest]) =
            scan(text, "Killed process {} ({}) {}").or_else(|| scan(text, "Kill process {} ({}) {}"))
        {
            // `pid, UID 0,` since 5.19 or so in some trees.
            let pid = pid.split(',').next().and_then(super::scan::number);
            oom.victim = row.at(Task { comm: comm.to_owned(), pid });
            let set = |key: &str, slot: &mut Option<_>| {
                if let Some(found) = keyed(rest, key).and_then(|kb| row.number(kb)) {
                    *slot = Some(found);
                }
            };
            set("total-vm:", &mut oom.total_vm);
            set("anon-rss:", &mut oom.anon_rss);
            set("file-rss:", &mut oom.file_rss);
            set("shmem-rss:", &mut oom.shmem_rss);
            oom.uid = keyed(text, "UID:").and_then(|uid| row.number(uid));
        } else if text.contains("no killable processes") {
            oom.no_victim = row.at(true);
        } else if let Some([usage, limit]) = begins(text, "memory: usage {}kB, limit {}kB") {
            (oom.memcg_usage, oom.memcg_limit) = (row.number(usage), row.number(limit));
        } else if let Some(pages) = text.strip_suffix(" pages RAM") {
            oom.ram = row.number(pages);
        } else if let Some([free]) = begins(text, "Free swap{}= {}kB").map(|[_, kb]: [&str; 2]| [kb]) {
            oom.free_swap = row.number(free);
        } else if let Some([total]) = begins(text, "Total swap{}= {}kB").map(|[_, kb]: [&str; 2]| [kb]) {
            oom.total_swap = row.number(total);
        } else {
            counters(row, &mut oom);
        }
    }
    Some(oom)
}

/// The first block of `Mem-Info:`, in pages; those of nodes and zones are in kB and come later.
fn counters(row: &Row<'_>, oom: &mut Oom) {
    if row.text.contains("kB") {
        return;
    }
    let slots = [
        ("free:", &mut oom.free),
        ("active_anon:", &mut oom.active_anon),
        ("inactive_anon:", &mut oom.inactive_anon),
        ("slab_reclaimable:", &mut oom.slab_reclaimable),
        ("slab_unreclaimable:", &mut oom.slab_unreclaimable),
    ];
    for (key, slot) in slots {
        if slot.is_none() {
            *slot = keyed(row.text, key).and_then(|pages| row.number(pages));
        }
    }
}

/// `0xcc0(GFP_KERNEL)`.
fn gfp(row: &Row<'_>, text: &str) -> (super::Field<PrintedHex>, super::Field<String>) {
    let names = scan(text, "({})").and_then(|[names]: [&str; 1]| row.words(names));
    (row.hex(text), names)
}

details! {
    /// `page allocation failure`, and vmalloc's and SLUB's.
    AllocationFailure = "allocation" {
        /// The task.
        comm: String,
        /// What failed, as printed.
        message: String,
        /// Order of the allocation: 2^order pages.
        order: u32,
        /// The allocation's flags, as a number.
        gfp: PrintedHex,
        /// The same in words.
        gfp_names: String,
        /// The NUMA nodes allowed.
        nodes: String,
        /// The cpuset.
        cpuset: String,
    }
}

pub(super) fn allocation(view: &View<'_>) -> Option<AllocationFailure> {
    let (row, [comm, message]) = view
        .find("{}: page allocation failure: {}")
        .or_else(|| view.find("{}: vmalloc: allocation failure: {}"))
        .or_else(|| view.find("{}: vmalloc error: {}"))
        .or_else(|| view.find("{}: vmalloc size {}"))
        .or_else(|| view.find("{}: Unable to allocate memory on node {}"))?;
    let (gfp, gfp_names) = match row.text.cut("mode:").or_else(|| row.text.cut("gfp=")) {
        Some((_, flags)) => gfp(&row, flags),
        None => (None, None),
    };
    Some(AllocationFailure {
        comm: row.words(comm),
        message: row.words(message.split(", mode:").next().unwrap_or(message)),
        order: keyed(message, "order:").and_then(|order| row.number(order)),
        gfp,
        gfp_names,
        nodes: scan(row.text, "nodemask={},").and_then(|[nodes]: [&str; 1]| row.words(nodes)),
        cpuset: keyed(row.text, "cpuset=").and_then(|cpuset| row.words(cpuset)),
    })
}
