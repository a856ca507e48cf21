//! The readers of memory on a small object for each CPU: what a store, a store that is not there,
//! a copy without an end or too wide a write say of a value that was found.

use super::{Asked, Held, producers};
use crate::context::Facts;
use crate::images::{Images, open};
use crate::origin::{Candidate, Ctx, Explains, Mishap, What};
use crate::scenes::Scenes;
use crate::testing::{access_fault, module};
use kwhy_base::Arch;

const SOURCE: &str = include_str!("../../../tests/data/memory.c");
const X86: &[u8] = include_bytes!("../../../tests/data/memory-x86_64.o");
const ARM: &[u8] = include_bytes!("../../../tests/data/memory-arm64.o");

/// The line that a marker stands on.
fn line(marker: &str) -> Option<u32> {
    let wanted = format!("@{marker} ");
    let at = SOURCE.lines().position(|line| line.contains(&wanted)).unwrap();
    u32::try_from(at).ok().map(|at| at + 1)
}

/// What an 8-byte member of a struct held, and what its reader is.
struct Found {
    reader: &'static str,
    record: &'static str,
    member: &'static str,
    offset: u64,
    value: u64,
}

/// Asks on both CPUs who put the value there.
fn ask(found: &Found, check: impl Fn(Arch, &[Candidate])) {
    for (arch, data) in [(Arch::X86_64, X86), (Arch::Arm64, ARM)] {
        let mut record = access_fault(arch, found.value);
        record.modules.push(module("memory", "OE", None));
        let opened = open(&[crate::ImageInput { name: "memory.ko".into(), data }]);
        let images = Images::check(&opened, &record);
        let records = [record];
        let facts = Facts::new(&records, 0, &images).unwrap();
        let scenes = Scenes::new(&images);
        let ctx = Ctx { facts: &facts, images: &images, scenes: &scenes };
        let (index, image) = images.used_for(Some("memory")).unwrap();
        let reader = image.symbols_named(found.reader).remove(0).address;
        let asked = Asked {
            held: Held::Member {
                record: found.record.into(),
                member: found.member.into(),
                offset: found.offset,
            },
            size: 8,
            indexed: false,
            value: Some(found.value),
            load: (index, reader),
            text: format!("p->{}", found.member),
            at_best: Explains::Exactly,
        };
        check(arch, &producers(&ctx, &asked));
    }
}

fn at<'c>(told: &'c [Candidate], marker: &str) -> Option<&'c Candidate> {
    told.iter().find(|candidate| candidate.spot.line == line(marker))
}

const TAG: Found = Found { reader: "tag_read", record: "struct tag", member: "sink", offset: 16, value: 0 };

#[test]
fn the_store_of_the_very_value_comes_before_one_of_any_value() {
    ask(&TAG, |arch, told| {
        assert_eq!(told[0].spot.line, line("dropped"), "{arch:?}");
        assert_eq!((told[0].what, told[0].explains), (What::MemberStore, Explains::Exactly));
        // Bytes that run over leave no clean NULL.
        assert!(at(told, "renamed").is_none());
    });
}

#[test]
fn text_in_a_pointer_is_what_ran_out_of_the_array_before_it() {
    ask(&Found { value: 0xffff_8858_6563_6976, ..TAG }, |arch, told| {
        let renamed = at(told, "renamed").unwrap_or_else(|| panic!("{arch:?}: {told:#?}"));
        assert_eq!((renamed.what, renamed.mishap), (What::MemberStore, Some(Mishap::RunsOver)));
        assert!(at(told, "dropped").is_none());
    });
}

#[test]
fn what_nothing_stores_was_left_out_where_the_object_is_made() {
    let out = Found { reader: "job_read", record: "struct job", member: "out", offset: 8, value: 0 };
    ask(&out, |arch, told| {
        assert_eq!(told[0].spot.line, line("made"), "{arch:?}");
        assert_eq!((told[0].what, told[0].explains), (What::MissingStore, Explains::Exactly));
    });
    // An object that was zeroed holds no other value for that.
    ask(&Found { value: 0xdead_beef_0000_1234, ..out }, |_, told| assert!(at(told, "made").is_none()));
}

#[test]
fn an_object_that_was_not_zeroed_holds_what_was_there() {
    let slip = Found {
        reader: "slip_read",
        record: "struct slip",
        member: "out",
        offset: 8,
        value: 0x6b6b_6b6b_6b6b_6b6b,
    };
    ask(&slip, |arch, told| {
        let made = at(told, "unclean").unwrap_or_else(|| panic!("{arch:?}: {told:#?}"));
        assert_eq!((made.what, made.explains), (What::MissingStore, Explains::Perhaps));
    });
}

const RING: Found = Found {
    reader: "ring_read",
    record: "struct ring",
    member: "hw",
    offset: 8,
    value: 0xffff_8a27_ffff_fff0,
};

#[test]
fn half_a_pointer_is_what_a_write_left_that_was_too_wide_for_the_member_before_it() {
    ask(&RING, |arch, told| {
        for marker in ["spilt", "forced"] {
            let spilt = at(told, marker).unwrap_or_else(|| panic!("{arch:?} {marker}: {told:#?}"));
            assert_eq!((spilt.what, spilt.mishap), (What::MemberStore, Some(Mishap::RunsOver)));
        }
        // Two members that are cleared with one store are cleared rightly.
        let ran_over = told.iter().filter(|one| one.mishap == Some(Mishap::RunsOver));
        assert_eq!(ran_over.count(), 2, "{arch:?}");
    });
    // NULL has no half that was left.
    ask(&Found { value: 0, ..RING }, |_, told| assert!(told.iter().all(|one| one.mishap.is_none())));
}

#[test]
fn text_from_nowhere_may_be_a_neighbours_where_its_copy_has_no_end() {
    let alarm = Found {
        reader: "channel_read",
        record: "struct channel",
        member: "alarm",
        offset: 0,
        value: 0x3532_3032_2065_7564,
    };
    ask(&alarm, |arch, told| {
        let endless = at(told, "endless").unwrap_or_else(|| panic!("{arch:?}: {told:#?}"));
        assert_eq!((endless.explains, endless.mishap), (Explains::Perhaps, Some(Mishap::RunsOver)));
        // A length that is compared first, and an object of another cache.
        assert!(at(told, "ended").is_none(), "{arch:?}");
        assert!(at(told, "elsewhere").is_none(), "{arch:?}");
    });
    ask(&Found { value: 0xffff_8880_0123_4500, ..alarm }, |_, told| assert!(at(told, "endless").is_none()));
}

#[test]
fn a_value_of_another_struct_is_the_doing_of_who_handed_that_over() {
    let cal = Found {
        reader: "gauge_read",
        record: "struct gauge",
        member: "cal",
        offset: 8,
        value: 0x0020_2308_1411_3007,
    };
    ask(&cal, |arch, told| {
        assert_eq!(told[0].spot.line, line("wrong"), "{arch:?}: {told:#?}");
        assert_eq!(told[0].mishap, Some(Mishap::TakesForOther));
        assert!(at(told, "right").is_none());
    });
    ask(&Found { value: 0x0020_2308_1411_3008, ..cal }, |_, told| assert!(at(told, "wrong").is_none()));
}

#[test]
fn an_address_kept_in_half_its_bits_is_found_where_it_is_kept() {
    for (arch, data) in [(Arch::X86_64, X86), (Arch::Arm64, ARM)] {
        let mut record = access_fault(arch, 0x5ff2_b1c8);
        record.modules.push(module("memory", "OE", None));
        let opened = open(&[crate::ImageInput { name: "memory.ko".into(), data }]);
        let images = Images::check(&opened, &record);
        let records = [record];
        let facts = Facts::new(&records, 0, &images).unwrap();
        let scenes = Scenes::new(&images);
        let ctx = Ctx { facts: &facts, images: &images, scenes: &scenes };
        let (index, image) = images.used_for(Some("memory")).unwrap();
        let scene = scenes.of(index, image.symbols_named("desc_post").remove(0).address).unwrap();
        let made = scene.objects_made().remove(0).at;
        let kept = crate::origin::cut::keepers(&ctx, index, &scene, made);
        let lines: Vec<_> = kept.iter().map(|one| one.spot.line).collect();
        assert_eq!(lines, [line("cut")], "{arch:?}");
        assert_eq!(kept[0].mishap, Some(Mishap::CutsOff));
    }
}
