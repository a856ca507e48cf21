use super::*;
use crate::layout::awkward_values;
use kwhy_base::Lang;

const ARM: Arch = Arch::Arm64;
const X86: Arch = Arch::X86_64;

fn word(arch: Arch, addr: u64, context: &AddressContext) -> (&'static str, Grade) {
    let found = classify_address(arch, addr, context);
    (found.word(), found.grade)
}

/// What a 6.1 arm64 log shows: stack, page-table line; code through `Kernel Offset`.
fn arm64_log() -> AddressContext {
    AddressContext {
        stack_pointer: Some(0xffff_8000_0824_bb30),
        va_bits: Some(48),
        page_size: Some(4096),
        ..AddressContext::default()
    }
}

fn arm64_kaslr() -> AddressContext {
    AddressContext {
        kernel_offset: Some(0x578f_2920_0000),
        kernel_base: Some(0xffff_8000_0800_0000),
        ..arm64_log()
    }
}

/// What a 6.1 amd64 log with KASLR shows.
fn x86_log() -> AddressContext {
    AddressContext {
        stack_pointer: Some(0xffff_cf33_805b_3c08),
        linear_samples: vec![0xffff_889e_1f40_0000],
        va_bits: Some(va_bits_of_cr4(0x75_0eb0)),
        ..AddressContext::default()
    }
}

#[test]
fn special_values_on_both() {
    let none = AddressContext::default();
    for arch in [ARM, X86] {
        assert_eq!(word(arch, 0, &none), ("null", Grade::Proved));
        assert_eq!(word(arch, 0x24, &none), ("near-null", Grade::Proved));
        assert_eq!(word(arch, 0xfff, &none).0, "near-null");
        assert_eq!(word(arch, 0x1000, &none).0, "user");
        assert_eq!(word(arch, 0xffff_ffff_ffff_fff4, &none), ("error-pointer", Grade::Proved));
        assert_eq!(word(arch, 0xdead_0000_0000_0108, &none), ("poison", Grade::Proved));
        assert_eq!(word(arch, 0x6b6b_6b6b_6b6b_6b7b, &none), ("poison", Grade::Proved));
    }
    assert_eq!(classify_address(X86, 0x24, &none).offset, Some(0x24));
    assert_eq!(classify_address(X86, 0xffff_ffff_ffff_fff4, &none).offset, Some(-12));
}

#[test]
fn arm64_prints_poison_untagged() {
    let none = AddressContext::default();
    assert_eq!(word(ARM, 0x00ad_0000_0000_0108, &none), ("poison", Grade::Likely));
    assert_eq!(word(X86, 0x00ad_0000_0000_0108, &none).0, "non-canonical");
}

#[test]
fn arm64_regions_of_a_real_log() {
    let log = arm64_log();
    assert_eq!(word(ARM, 0xffff_136f_828d_b0c0, &log), ("linear-map", Grade::Likely));
    assert_eq!(word(ARM, 0xffff_8000_0824_bb64, &log).0, "vmalloc");
    let stack = classify_address(ARM, 0xffff_8000_0824_bb64, &log);
    assert!(stack.name.render(Lang::En).contains("stack"), "{stack:?}");
    // `[000323bfa8c17cc5] address between user and kernel address ranges`
    assert_eq!(word(ARM, 0x0003_23bf_a8c1_7cc5, &log), ("non-canonical", Grade::Proved));
    assert_eq!(word(ARM, 0xd503_23bf_a8c1_7cc5, &log), ("non-canonical", Grade::Proved));
    assert_eq!(word(ARM, 0xfffe_8000_0000_0000, &log), ("non-canonical", Grade::Proved));
    assert_eq!(word(ARM, 0x0000_ffff_ffff_f000, &log), ("user", Grade::Proved));
    assert_eq!(word(ARM, 0xb400_7f12_3456_7890, &log), ("user", Grade::Proved));
    assert_eq!(word(ARM, 0xffff_fc00_0123_4000, &log).0, "vmemmap");
}

#[test]
fn arm64_with_kaslr() {
    let log = arm64_kaslr();
    // The image starts at 0xffffd78f31200000; modules are within 2 GiB of it.
    assert_eq!(word(ARM, 0xffff_d78f_314e_fc70, &log).0, "kernel-text");
    assert_eq!(word(ARM, 0xffff_d78e_bfdd_4000, &log), ("module", Grade::Likely));
    assert_eq!(word(ARM, 0xffff_136f_828d_b0c0, &log), ("linear-map", Grade::Proved));
}

#[test]
fn arm64_without_kaslr() {
    let log =
        AddressContext { kernel_offset: Some(0), kernel_base: Some(0xffff_8000_0800_0000), ..arm64_log() };
    assert_eq!(word(ARM, 0xffff_8000_00be_1044, &log), ("module", Grade::Likely));
    assert_eq!(word(ARM, 0xffff_8000_08a9_1044, &log).0, "kernel-data");
}

#[test]
fn arm64_module_area_by_where_stacks_are() {
    // A kernel whose stacks are just above 256 MiB keeps its modules below them, and BPF code below those.
    let log = AddressContext { stack_pointer: Some(0xffff_8000_1052_3b60), ..arm64_log() };
    assert_eq!(word(ARM, 0xffff_8000_08a9_1044, &log), ("module", Grade::Likely));
    let newer = AddressContext { stack_pointer: Some(0xffff_8000_8052_3b60), ..arm64_log() };
    assert_eq!(word(ARM, 0xffff_8000_7a00_0000, &newer), ("module", Grade::Likely));
    assert_eq!(word(ARM, 0xffff_8000_08a9_1044, &arm64_log()).0, "vmalloc");
}

#[test]
fn arm64_image_and_modules_stand_out_under_kaslr() {
    let found = classify_address(ARM, 0xffff_d78f_314e_fc70, &arm64_log());
    assert_eq!(found.word(), "kernel-other");
    assert!(found.name.render(Lang::En).contains("moved by KASLR"));
}

#[test]
fn arm64_widths_are_inferred_from_code() {
    let of = |sample: u64| {
        let layout =
            arm64_layout(&AddressContext { text_samples: vec![sample], ..AddressContext::default() });
        (layout.bits, layout.linear_high)
    };
    assert_eq!(of(0xffff_8000_0801_0000), (48, false));
    assert_eq!(of(0xffff_8000_8001_0000), (48, false));
    assert_eq!(of(0xffff_d78f_314e_fc70), (48, false));
    assert_eq!(of(0xffff_0000_0808_0000), (48, true));
    assert_eq!(of(0xffff_ffc0_0808_0000), (39, false));
    assert_eq!(of(0xffff_ff80_0808_0000), (39, true));
    let old = AddressContext { text_samples: vec![0xffff_0000_0808_1000], ..AddressContext::default() };
    assert_eq!(word(ARM, 0xffff_8000_1234_5678, &old).0, "linear-map");
    assert_eq!(word(ARM, 0xffff_0000_00be_1044, &old).0, "module");
    let small = AddressContext { text_samples: vec![0xffff_ffc0_0808_0000], ..AddressContext::default() };
    assert_eq!(word(ARM, 0xffff_ff80_1234_5678, &small).0, "linear-map");
    assert_eq!(word(ARM, 0xffff_1234_1234_5678, &small), ("non-canonical", Grade::Proved));
}

#[test]
fn arm64_52_bits() {
    let unknown = AddressContext::default();
    assert_eq!(word(ARM, 0xfff1_2345_0000_0000, &unknown), ("non-canonical", Grade::Likely));
    let wide = AddressContext { va_bits: Some(52), ..AddressContext::default() };
    assert_eq!(word(ARM, 0xfff1_2345_0000_0000, &wide), ("linear-map", Grade::Proved));
    assert_eq!(word(ARM, 0xffff_8000_9000_0000, &wide).0, "vmalloc");
    assert_eq!(word(ARM, 0x000f_0000_0000_1000, &wide).0, "user");
    assert_eq!(word(ARM, 0xffe1_2345_0000_0000, &wide), ("non-canonical", Grade::Proved));
}

#[test]
fn the_kernels_own_word_wins() {
    let context =
        AddressContext { noted: Some((0x0002_32bf_a8c1_7cc5, KernelNote::Gap)), ..AddressContext::default() };
    assert_eq!(word(ARM, 0x0002_32bf_a8c1_7cc5, &context), ("non-canonical", Grade::Proved));
    assert_eq!(word(ARM, 0x0002_32bf_a8c1_7cc6, &context), ("non-canonical", Grade::Likely));
}

#[test]
fn page_table_lines() {
    let line = "user pgtable: 4k pages, 48-bit VAs, pgdp=000000004807f000";
    assert_eq!(parse_pgtable_line(line), Some((4096, 48)));
    assert_eq!(parse_pgtable_line("swapper pgtable: 64k pages, 52-bit VAs, pgdp=0"), Some((65536, 52)));
    assert_eq!(parse_pgtable_line("pages, -bit VAs"), None);
    assert_eq!(parse_pgtable_line("9k pages, 99-bit VAs"), None);
}

#[test]
fn tags_and_printing() {
    assert_eq!(untag_for_print(0xd503_23bf_a8c1_7cc5), 0x0003_23bf_a8c1_7cc5);
    assert_eq!(untag_for_print(0xffff_8000_0824_bb30), 0xffff_8000_0824_bb30);
    assert!(may_have_lost_top_byte(0x0003_23bf_a8c1_7cc5));
    assert!(!may_have_lost_top_byte(0xffff_8000_0824_bb30));
    assert!(prints_as(ARM, 0xd503_23bf_a8c1_7cc5, 0x0003_23bf_a8c1_7cc5));
    assert!(!prints_as(X86, 0xd503_23bf_a8c1_7cc5, 0x0003_23bf_a8c1_7cc5));
}

#[test]
fn x86_regions_of_a_real_log_with_kaslr() {
    let log = x86_log();
    assert_eq!(word(X86, 0xffff_889e_1ff8_8740, &log), ("linear-map", Grade::Likely));
    assert_eq!(word(X86, 0xffff_889e_01ca_5300, &log), ("linear-map", Grade::Likely));
    assert_eq!(word(X86, 0xffff_cf33_805b_3d28, &log), ("vmalloc", Grade::Likely));
    assert_eq!(word(X86, 0xffff_ffff_c035_9fec, &log), ("module", Grade::Likely));
    assert_eq!(word(X86, 0xffff_f112_3456_7890, &log), ("vmemmap", Grade::Likely));
    assert_eq!(word(X86, 0xccc3_5d5b_ec83_491d, &log), ("non-canonical", Grade::Proved));
    assert_eq!(word(X86, 0x0000_7ffc_b23f_d978, &log), ("user", Grade::Proved));
    assert_eq!(word(X86, 0xffff_fe00_0000_1000, &log), ("kernel-other", Grade::Proved));
    assert_eq!(word(X86, 0xffff_ffff_ff60_0000, &log).0, "user");
    assert!(word(X86, 0xffff_ffff_8123_4567, &log).0.starts_with("kernel-"));
}

#[test]
fn x86_without_kaslr() {
    let log = AddressContext {
        stack_pointer: Some(0xffff_c900_005b_3d98),
        linear_samples: vec![0xffff_8880_1f40_0000],
        ..AddressContext::default()
    };
    assert_eq!(word(X86, 0xffff_8880_0123_4000, &log), ("linear-map", Grade::Likely));
    assert_eq!(word(X86, 0xffff_ea00_0001_0000, &log), ("vmemmap", Grade::Likely));
    let said = AddressContext { kernel_offset: Some(0), va_bits: Some(48), ..AddressContext::default() };
    assert_eq!(word(X86, 0xffff_c912_3456_7000, &said), ("vmalloc", Grade::Proved));
}

#[test]
fn x86_five_levels() {
    let log = AddressContext {
        stack_pointer: Some(0xffa0_0000_000c_3e90),
        linear_samples: vec![0xff11_0000_1f20_0000],
        ..AddressContext::default()
    };
    assert_eq!(word(X86, 0xff11_0000_0123_4000, &log).0, "linear-map");
    assert_eq!(word(X86, 0xffa0_0000_000c_3f00, &log).0, "vmalloc");
    assert_eq!(word(X86, 0x00ff_0000_0000_1000, &log), ("user", Grade::Proved));
    assert_eq!(word(X86, 0x01ff_0000_0000_1000, &log), ("non-canonical", Grade::Proved));
    let none = AddressContext::default();
    assert_eq!(word(X86, 0xff11_0000_0123_4000, &none), ("non-canonical", Grade::Likely));
    assert_eq!(va_bits_of_cr4(0x75_1ef0), 57);
    assert_eq!(va_bits_of_cr4(0x35_06e0), 48);
}

#[test]
fn known_ranges_and_samples_win() {
    let context = AddressContext {
        kernel_text: Some(0xffff_ffff_8100_0000..0xffff_ffff_81e0_0000),
        kernel_image: Some(0xffff_ffff_8100_0000..0xffff_ffff_8300_0000),
        module_ranges: vec![("connreq".to_owned(), 0xffff_ffff_c020_0000..0xffff_ffff_c020_4000)],
        ..x86_log()
    };
    assert_eq!(word(X86, 0xffff_ffff_8123_4567, &context), ("kernel-text", Grade::Proved));
    assert_eq!(word(X86, 0xffff_ffff_8212_3456, &context), ("kernel-data", Grade::Proved));
    assert_eq!(word(X86, 0xffff_ffff_c020_21e4, &context), ("module", Grade::Proved));
    let samples = AddressContext {
        text_samples: vec![0xffff_d78f_3120_1000, 0xffff_d78f_31ff_0000],
        module_samples: vec![("connreq".to_owned(), 0xffff_d78e_bfdd_20fc)],
        ..arm64_log()
    };
    assert_eq!(word(ARM, 0xffff_d78f_314e_fc70, &samples), ("kernel-text", Grade::Likely));
    assert_eq!(word(ARM, 0xffff_d78e_bfdd_4000, &samples), ("module", Grade::Likely));
}

#[test]
fn kasan_shadow_of_null() {
    let none = AddressContext::default();
    let found = classify_address(X86, 0xdfff_fc00_0000_0003, &none);
    assert_eq!(found.word(), "non-canonical");
    assert!(found.name.render(Lang::En).contains("0x18"));
    assert_eq!(found.grade, Grade::Likely);
    let user = classify_address(ARM, 0xdfff_8000_0000_0000 + (0xffff_8765_4321 >> 3), &none);
    assert!(user.name.render(Lang::En).contains("0xffff87654320"), "{user:?}");
    assert_eq!(user.grade, Grade::Possible);
}

#[test]
fn nothing_panics_and_every_answer_is_in_both_languages() {
    let contexts = [
        AddressContext::default(),
        arm64_log(),
        arm64_kaslr(),
        x86_log(),
        AddressContext { va_bits: Some(255), page_size: Some(3), stack_pointer: Some(u64::MAX), ..x86_log() },
        AddressContext {
            kernel_offset: Some(u64::MAX),
            kernel_base: Some(u64::MAX),
            text_samples: vec![0, u64::MAX],
            module_samples: vec![(String::new(), u64::MAX)],
            linear_samples: vec![0, u64::MAX],
            va_bits: Some(39),
            page_size: Some(65536),
            ..AddressContext::default()
        },
    ];
    for context in &contexts {
        for arch in [ARM, X86, Arch::Riscv64, Arch::I386, Arch::S390x] {
            for value in awkward_values().step_by(3) {
                let found = classify_address(arch, value, context);
                assert!(!found.reason.render(Lang::Zh).is_empty());
                assert!(!found.name.render(Lang::En).is_empty());
            }
        }
    }
}
