//! Types without debug information: pointers that only what is done with them types, on a small
//! module for each CPU. What decides is said beside each shape in `data/untyped.c`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kwhy_base::Reg;
use kwhy_flow::describe::Footing;
use kwhy_flow::kin::{Kinship, Why};
use kwhy_flow::scene::Scene;
use kwhy_image::Image;
use std::collections::BTreeSet;

const X86: (&[u8], &[u8]) =
    (include_bytes!("data/untyped-kernel-x86_64"), include_bytes!("data/untyped-x86_64.o"));
const ARM: (&[u8], &[u8]) =
    (include_bytes!("data/untyped-kernel-arm64"), include_bytes!("data/untyped-arm64.o"));

/// Struct and member of every access of a function, the stack's aside, and why the type is that;
/// none is ever sure.
fn accesses(image: &Image<'_>, function: &str) -> BTreeSet<(String, String)> {
    let symbols = image.symbols_where(&|name| name.split('.').next() == Some(function));
    let scene = Scene::new(image, symbols.first().expect("the function").address).unwrap();
    scene.join(&Kinship::of(image));
    let stack = kwhy_arch::cpu(image.arch()).unwrap().sp;
    let mut found = BTreeSet::new();
    for insn in &scene.code.insns {
        let Some(access) = insn.accesses().into_iter().next() else { continue };
        if access.memory.base == Some(stack) || insn.flow == kwhy_flow::insn::Flow::Return {
            continue;
        }
        let Some(recovered) = scene.recover(insn.address, None, &|_: Reg| None) else { continue };
        let (Some(record), Some(member)) = (recovered.main.record, recovered.main.member) else { continue };
        let why = match recovered.base.and_then(|base| scene.why_typed(base)) {
            _ if recovered.main.footing >= Footing::Earlier => "declared".to_owned(),
            Some((other, why)) => {
                assert_eq!(other, record);
                match why {
                    Why::Allocated { size, .. } => format!("allocated {size}"),
                    Why::Member(member) => format!("read from {member}"),
                    Why::Stored => "stored".to_owned(),
                    Why::Sized(size) => format!("of size {size}"),
                    Why::Only(_) => "fits".to_owned(),
                    other => format!("{other:?}"),
                }
            }
            None => "?".to_owned(),
        };
        found.insert((format!("{record}.{member}"), why));
    }
    found
}

fn check(function: &str, expected: &[(&str, &str)]) {
    for (kernel, module) in [X86, ARM] {
        let (kernel, image) = (Image::parse(kernel).unwrap(), Image::parse(module).unwrap());
        assert!(!image.has_dwarf() && !kernel.has_dwarf());
        image.use_types_of(&kernel);
        let found = accesses(&image, function);
        let expected: BTreeSet<(String, String)> =
            expected.iter().map(|(what, why)| ((*what).to_owned(), (*why).to_owned())).collect();
        assert_eq!(found, expected, "{function} on {:?}", image.arch());
    }
}

#[test]
fn an_allocation_of_its_size_tells_a_struct_from_one_that_begins_alike() {
    check("by_size", &[("struct gauge.high", "allocated 24")]);
    check("by_other_size", &[("struct dial.high", "allocated 32")]);
}

#[test]
fn a_cursor_is_in_the_struct_whose_members_lead_on() {
    check(
        "by_list",
        &[
            ("struct unit.users.next", "declared"),
            ("struct user.users.next", "fits"),
            ("struct user.unit", "fits"),
            ("struct unit.dir", "read from struct user.unit"),
        ],
    );
}

#[test]
fn a_variable_is_of_its_size_and_an_element_of_its_stride() {
    check("by_variable", &[("struct limits.soft", "of size 12"), ("struct limits.hard", "of size 12")]);
    check("by_stride", &[("struct mode.rate", "of size 32"), ("struct mode.height", "of size 32")]);
}

#[test]
fn a_callback_gets_what_it_was_registered_with() {
    check(
        "by_callback",
        &[
            ("struct job.after", "allocated 16"),
            ("struct job.done", "allocated 16"),
            ("struct job.cost", "read from struct job.after"),
        ],
    );
}

#[test]
fn private_data_is_what_another_function_put_there() {
    check(
        "by_private_data",
        &[
            ("struct file.private_data", "declared"),
            ("struct dial.high", "allocated 32"),
            ("struct dial.turns", "allocated 32"),
        ],
    );
}

/// Alone, without the rest of its module, a function knows less, and does not guess.
#[test]
fn where_two_structs_fit_there_is_none() {
    let (kernel, image) = (Image::parse(X86.0).unwrap(), Image::parse(X86.1).unwrap());
    image.use_types_of(&kernel);
    let symbols = image.symbols_where(&|name| name.starts_with("by_size"));
    let scene = Scene::new(&image, symbols.first().unwrap().address).unwrap();
    let load = scene.code.insns.iter().filter(|insn| !insn.accesses().is_empty()).nth(1).unwrap();
    let recovered = scene.recover(load.address, None, &|_: Reg| None);
    assert_eq!(recovered.and_then(|recovered| recovered.main.record), None);
}
