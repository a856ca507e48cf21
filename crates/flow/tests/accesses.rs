//! Expression recovery on a small object for each CPU: every access of a function in C.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kwhy_base::Reg;
use kwhy_flow::describe::Footing;
use kwhy_flow::insn::{Flow, Target};
use kwhy_flow::path::Fit;
use kwhy_flow::scene::Scene;
use kwhy_image::Image;
use std::collections::BTreeSet;

const X86: &[u8] = include_bytes!("data/accesses-x86_64.o");
const ARM: &[u8] = include_bytes!("data/accesses-arm64.o");

/// What the accesses of a function are, the stack's aside; `?` behind those that are inferred.
fn accesses(image: &Image<'_>, function: &str) -> BTreeSet<String> {
    let entry = image.symbols_named(function).remove(0).address;
    let scene = Scene::new(image, entry).unwrap();
    let stack = kwhy_arch::cpu(image.arch()).unwrap().sp;
    let mut found = BTreeSet::new();
    for insn in &scene.code.insns {
        if matches!(insn.flow, Flow::CallIndirect(Target::Memory(_))) {
            found.extend(scene.call_target(insn.address).map(|terms| terms.text));
            continue;
        }
        let Some(access) = insn.accesses().into_iter().next() else { continue };
        if access.memory.base == Some(stack) {
            continue;
        }
        let recovered = scene.recover(insn.address, None, &|_: Reg| None);
        found.insert(recovered.map_or_else(
            || format!("nothing for {}", insn.text()),
            |recovered| {
                let main = recovered.main;
                let sure =
                    main.fit >= Some(Fit::Narrower) && !main.ambiguous && main.footing >= Footing::Earlier;
                if sure { main.text } else { format!("{} ?", main.text) }
            },
        ));
    }
    found
}

/// Both CPUs' code for a function touches just these.
fn check(function: &str, expected: &[&str]) {
    for image in [X86, ARM].map(|data| Image::parse(data).unwrap()) {
        let mut found = accesses(&image, function);
        // A switch's table is the compiler's.
        found.retain(|text| !text.starts_with("nothing for ldrb") && !text.contains("(kind * "));
        let expected: BTreeSet<String> = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(found, expected, "{function} on {:?}", image.arch());
    }
}

macro_rules! shapes {
    ($($name:ident: $($text:literal),+;)*) => {
        $(#[test] fn $name() { check(stringify!($name), &[$($text),+]); })*
    };
}

shapes! {
    embedded: "item->in.b";
    chain: "item->parent", "item->parent->parent", "item->parent->parent->key";
    kept: "item->flags";
    result: "found->in.b";
    indexed: "item->table[slot]";
    in_table: "table[slot]";
    element: "items[slot].in.a";
    global: "the_one", "the_one->key";
    bits: "item->middle";
    twice: "*where", "(*where)->key";
    call: "item->ops", "item->ops->run";
    around: "item->key", "item->in.a";
    walk: "head->next", "item->flags", "at->next";
    test: "item->flags";
    store: "item->in.a";
    rounds: "item->parent", "item->parent->key";
    chosen: "item->in.a", "item->number ?", "item->in.b";
    // What only an inlined accessor's type tells is an inference; without one there is none to
    // make, and what lies behind a struct is not an array's next element.
    hidden: "item->key", "item->priv", "((struct private *)item->priv)->count ?";
    enclosed: "device->id", "to_chip(device)->state ?";
    // A row that is indexed again has a name of its own in the source; what a store set may have
    // been set again.
    row: "rows[nr].cells[variant].clock ?";
    moved: "reader->cursor", "reader->count", "reader->cursor->flags", "reader->cursor->node.next",
        "reader->cursor->key ?";
    beside: "*(u64 *)((char *)device + 0x18) ?";
}
