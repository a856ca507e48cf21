use super::*;
use crate::layout::awkward_values;
use kwhy_base::Lang;

const ARM: Arch = Arch::Arm64;
const X86: Arch = Arch::X86_64;

fn arm64_log() -> AddressContext {
    AddressContext {
        stack_pointer: Some(0xffff_8000_0824_bb30),
        va_bits: Some(48),
        page_size: Some(4096),
        good_pointers: vec![0xffff_136f_828d_b0c0, 0xffff_136f_828b_7480],
        text_samples: vec![0xffff_d78f_314e_fc70],
        ..AddressContext::default()
    }
}

fn x86_log() -> AddressContext {
    AddressContext {
        stack_pointer: Some(0xffff_cf33_805b_3c08),
        linear_samples: vec![0xffff_889e_1f40_0000],
        good_pointers: vec![0xffff_889e_1ff8_8740],
        va_bits: Some(48),
        ..AddressContext::default()
    }
}

fn no_code(_: u64) -> Option<String> {
    None
}

fn of(arch: Arch, value: u64) -> (&'static str, Grade, String) {
    let context = if arch == ARM { arm64_log() } else { x86_log() };
    let found = classify_value(arch, value, &context, &no_code);
    (found.word(), found.grade, found.detail.render(Lang::En))
}

#[test]
fn plain_values() {
    assert_eq!(of(X86, 0).0, "null");
    assert_eq!(of(X86, 2).0, "small-integer");
    assert_eq!(of(X86, 0xffff_fff4).0, "small-integer");
    let (word, grade, detail) = of(X86, 0xffff_ffff_ffff_fff4);
    assert_eq!((word, grade), ("error-pointer", Grade::Likely));
    assert!(detail.contains("ENOMEM") && detail.contains("-12"));
    assert!(of(X86, 0xffff_ffff_ffff_f002).2.contains("no errno"));
    assert_eq!(
        of(X86, 0xdead_0000_0000_0122),
        ("list-poison", Grade::Proved, of(X86, 0xdead_0000_0000_0122).2)
    );
    assert_eq!(of(ARM, 0x6b6b_6b6b_6b6b_6b6b).0, "slab-poison");
    assert_eq!(of(ARM, 0xdead_4ead).0, "integer");
    assert_eq!(of(X86, 0x289a_7980).0, "integer");
    // What the string functions keep in registers is no poison, a tag needs an address under it.
    assert_eq!(of(ARM, 0xfefe_fefe_fefe_feff).0, "integer");
    assert_eq!(of(ARM, 0xc000_0000_ffff_efff).0, "integer");
}

#[test]
fn pointers_of_real_logs() {
    assert_eq!(of(ARM, 0xffff_136f_828b_7700).0, "kernel-pointer");
    assert_eq!(of(ARM, 0xffff_d78f_314e_fc70).0, "kernel-text");
    assert_eq!(of(ARM, 0xffff_8000_0824_bb64).0, "kernel-pointer");
    assert_eq!(of(X86, 0xffff_889e_01ca_5300).0, "kernel-pointer");
    assert_eq!(of(X86, 0xffff_cf33_805b_3d28).0, "kernel-pointer");
    assert_eq!(of(X86, 0x0000_7ffc_b23f_d978).0, "user-pointer");
    assert_eq!(of(X86, 0xffff_ffff_ff60_0400).0, "user-pointer");
    // A position-independent program's address: six printable bytes, and no text.
    assert_eq!(of(X86, 0x0000_5555_5555_4040).0, "user-pointer");
}

#[test]
fn text_is_shown_in_memory_order() {
    let (word, grade, detail) = of(ARM, u64::from_le_bytes(*b"/sys/mod"));
    assert_eq!((word, grade), ("ascii-text", Grade::Likely));
    assert!(detail.contains("\"/sys/mod\""));
    assert_eq!(of(X86, u64::from_le_bytes(*b"eth0\0\0\0\0")).0, "ascii-text");
}

#[test]
fn machine_code_is_asked_of_whoever_can_disassemble() {
    let decodes = |value: u64| {
        (value == 0xd503_23bf_a8c1_7bfd).then(|| "ldp x29, x30, [sp], #0x10; autiasp".to_owned())
    };
    let found = classify_value(ARM, 0xd503_23bf_a8c1_7bfd, &arm64_log(), &decodes);
    assert_eq!(found.word(), "machine-code");
    assert!(found.detail.render(Lang::Zh).contains("autiasp"));
    assert_eq!(found.address.map(|a| a.word()), Some("non-canonical"));
    assert_eq!(of(ARM, 0xd503_23bf_a8c1_7bfd).0, "integer");
    // What is plainly a pointer is never put to it.
    let everything = |_: u64| Some("nop".to_owned());
    let pointer = classify_value(ARM, 0xffff_136f_828b_7700, &arm64_log(), &everything);
    assert_eq!(pointer.word(), "kernel-pointer");
}

#[test]
fn pac_and_tags_are_stripped() {
    let context = arm64_log();
    // A return address signed with 48-bit addresses: bits 63:56 and 54:48 are the code, bit 55 stays.
    let signed = 0x2bb5_d78f_314e_fd00;
    let found = classify_value(ARM, signed, &context, &no_code);
    assert_eq!(
        (found.word(), found.grade, found.better),
        ("tagged-pointer", Grade::Likely, Some(0xffff_d78f_314e_fd00))
    );
    let tagged = classify_value(ARM, 0xf4ff_136f_8000_0000, &context, &no_code);
    assert_eq!((tagged.word(), tagged.better), ("tagged-pointer", Some(0xffff_136f_8000_0000)));
    // The same bits far from everything known are nothing.
    assert_eq!(of(ARM, 0x2bb5_4444_314e_fd00).0, "integer");
    assert_eq!(of(X86, 0x2bb5_889e_1f40_0000).0, "integer");
}

#[test]
fn a_failed_authentication_is_no_flipped_bit() {
    let found = classify_value(ARM, 0xbfff_d78f_314e_fd00, &arm64_log(), &no_code);
    assert_eq!((found.word(), found.better), ("tagged-pointer", Some(0xffff_d78f_314e_fd00)));
    assert!(found.detail.render(Lang::En).contains("authentication failed (key A)"));
    let address = classify_address(ARM, 0xbfff_d78f_314e_fd00, &arm64_log());
    assert_eq!(address.word(), "non-canonical");
    assert!(address.reason.render(Lang::En).contains("no FPAC"));
}

#[test]
fn flipped_bits() {
    let found = classify_value(X86, 0xffff_889e_1ff8_8740 ^ 1 << 58, &x86_log(), &no_code);
    assert_eq!((found.word(), found.better), ("bit-flip", Some(0xffff_889e_1ff8_8740)));
    assert_eq!(found.grade, Grade::Possible);
    let two = bit_flips(X86, 0xffff_889e_1ff8_8740 ^ (1 << 58 | 1 << 49), &x86_log());
    assert_eq!(two.first().map(|flip| flip.bits.clone()), Some(vec![49, 58]));
    assert!(
        bit_flips(X86, 0xffff_889e_1ff8_8748, &x86_log()).is_empty(),
        "a good pointer needs no correction"
    );
    assert!(
        bit_flips(X86, 0xffff_089e_1ff8_8740, &AddressContext::default()).is_empty(),
        "nothing to compare with"
    );
}

#[test]
fn a_bit_that_carried_a_pointer_out_of_memory() {
    let good = 0xffff_889e_1ff8_8740u64;
    let bad = good ^ 1 << 44;
    let mut context = x86_log();
    context.unmapped = Some(bad + 0x10);
    let found = classify_value(X86, bad, &context, &no_code);
    assert_eq!((found.word(), found.better), ("bit-flip", Some(good)));
    // Without proof that nothing is there, it stands as the pointer it looks like.
    assert_eq!(of(X86, bad).0, "kernel-pointer");
    // A place beyond memory but in the same part of the map may be just that.
    let far = good ^ 1 << 35;
    context.unmapped = Some(far);
    assert_ne!(classify_value(X86, far, &context, &no_code).word(), "bit-flip");
    // A copy of the bad pointer in another register vouches for nothing.
    let only_itself = AddressContext { unmapped: Some(bad), seen: vec![bad], ..AddressContext::default() };
    assert_eq!(classify_value(X86, bad, &only_itself, &no_code).word(), "kernel-pointer");
    // Neither does a stale pointer near good ones become a flipped one.
    context.unmapped = Some(good + 0x1000);
    assert_eq!(classify_value(X86, good + 0x1000, &context, &no_code).word(), "kernel-pointer");
}

#[test]
fn flips_and_tags_are_rarely_found_where_there_are_none() {
    let by_chance = awkward_values()
        .skip(256)
        .filter(|value| {
            matches!(
                classify_value(X86, *value, &x86_log(), &no_code).kind,
                ValueKind::BitFlip | ValueKind::TaggedPointer
            )
        })
        .count();
    assert_eq!(by_chance, 0);
    let on_arm64 = awkward_values()
        .skip(256)
        .filter(|value| {
            let found = classify_value(ARM, *value, &arm64_log(), &no_code);
            found.grade != Grade::Possible
                && matches!(found.kind, ValueKind::BitFlip | ValueKind::TaggedPointer)
        })
        .count();
    assert!(on_arm64 <= 2, "{on_arm64}");
}

#[test]
fn shifted_and_cut_pointers() {
    let pointer = 0xffff_889e_1ff8_8740u64;
    let how = |value: u64| {
        let found = reshaped(X86, value, &x86_log());
        found.iter().map(|r| r.how.render(Lang::En)).collect::<Vec<_>>().join("; ")
    };
    assert!(how(pointer << 8).contains("left by 8"));
    assert!(how(pointer >> 16).contains("right by 16"));
    assert!(how(pointer >> 8 | 0x41 << 56).contains("1 bytes off"));
    assert!(how(pointer & 0xffff_ffff).contains("cut to 32 bits"));
    assert!(how(pointer & 0xffff_ffff | 5 << 32).contains("high half overwritten"));
    assert!(how(pointer).is_empty());
    assert!(how(5).is_empty());
    // A stack pointer's upper half over a small number, too far from the pointer itself to be a good one.
    assert!(how(0xffff_cf33_0000_0005).contains("low half overwritten"));
}

#[test]
fn nothing_panics_and_every_answer_is_in_both_languages() {
    let contexts = [AddressContext::default(), arm64_log(), x86_log()];
    for context in &contexts {
        for arch in [ARM, X86, Arch::Mips] {
            for value in awkward_values().step_by(5) {
                let found = classify_value(arch, value, context, &no_code);
                assert!(!found.detail.render(Lang::En).is_empty());
                assert!(!found.detail.render(Lang::Zh).is_empty());
                let _ = reshaped(arch, value, context);
            }
        }
    }
}
