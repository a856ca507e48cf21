//! A report with something in every field, hostile names among it.

use kwhy_base::Prose;
use kwhy_report::*;

fn text(text: &str) -> Text {
    Text(Prose::verbatim(text))
}

fn check(name: &str, outcome: Outcome, detail: &str) -> Check {
    Check { name: name.into(), outcome, detail: text(detail) }
}

fn frame(symbol: &str, offset: u64, file: &str, line: u32, chain: &[(&str, &str, u32)]) -> Frame {
    Frame {
        location: Location {
            symbol: Some(symbol.into()),
            offset: Some(Hex(offset)),
            size: Some(Hex(0x3c0)),
            module: None,
            file: Some(file.into()),
            line: Some(line),
            inline_chain: chain
                .iter()
                .map(|(function, file, line)| SourceFrame {
                    function: (*function).into(),
                    file: Some((*file).into()),
                    line: Some(*line),
                })
                .collect(),
        },
        reliable: true,
        link: None,
        log_line: Some(28),
    }
}

fn register(name: &str, value: u64, class: &str) -> Register {
    Register {
        name: name.into(),
        printed: Some(format!("{value:016x}")),
        value: Some(Hex(value)),
        class: Some(class.into()),
        detail: None,
        holds: None,
    }
}

/// The sample.
pub fn report() -> Report {
    Report {
        schema: "kwhy-report/1",
        crashes: vec![crash()],
        notes: vec![
            Note { line: Some(40), text: text("A line with \x1b[31mred\x1b[0m in it.") },
            Note { line: None, text: text("The log ends in the middle of a line.") },
        ],
    }
}

fn crash() -> Crash {
    let chain = [
        ("del_usage_links", "kernel/module/sysfs.c", 233),
        ("mod_sysfs_setup", "kernel/module/sysfs.c", 391),
    ];
    let fault_frame = frame("mod_sysfs_setup", 0x240, "kernel/module/sysfs.c", 233, &chain);
    Crash {
        input: Some("console.log".into()),
        title: "BUG: unable to handle kernel paging request in mod_sysfs_setup".into(),
        alt_titles: vec!["bad-access in mod_sysfs_setup".into()],
        guilty_file: Some("kernel/module/sysfs.c".into()),
        kind: "page-fault".into(),
        corrupted: true,
        first_line: 1,
        last_line: 37,
        verdict: text(
            "While `insmod` loaded a module, `mod_sysfs_setup` followed `use->target`, which held two machine instructions instead of a pointer, and the kernel faulted reading `use->target->holders_dir`.",
        ),
        story: vec![
            text("The kernel was initialising a module."),
            text("It walked the list of modules it uses."),
        ],
        arch: Some("arm64".into()),
        kernel_release: Some("6.1.0-56-cloud-arm64".into()),
        kernel_version: Some("#1 Debian 6.1.192-2".into()),
        hardware: Some("linux,dummy-virt (DT)".into()),
        cpu: Some(0),
        pid: Some(92),
        comm: Some("in|s`mod\u{202e}\x1b]0;owned\x07".into()),
        kernel_offset: Some(Hex(0x2_8000_0000)),
        taints: Some(vec![
            Taint { letter: 'O', meaning: text("an out-of-tree module was loaded") },
            Taint { letter: 'E', meaning: text("an unsigned module was loaded") },
        ]),
        fault: Some(Fault {
            address: Some(Hex(0x0003_23bf_a8c1_7cc5)),
            address_likely: Some(Hex(0xd503_23bf_a8c1_7cc5)),
            address_class: Some("non-canonical".into()),
            address_reason: Some(text("bits 63:48 are neither all zero nor all one")),
            access: Some("read".into()),
            syndrome: Some(Syndrome {
                name: "ESR_EL1".into(),
                value: Some(Hex(0x9600_0004)),
                fields: vec![
                    SyndromeField {
                        name: "EC".into(),
                        bits: "31:26".into(),
                        value: Hex(0x25),
                        meaning: text("data abort from the current exception level"),
                    },
                    SyndromeField {
                        name: "DFSC".into(),
                        bits: "5:0".into(),
                        value: Hex(4),
                        meaning: text("translation fault, level 0"),
                    },
                ],
            }),
        }),
        flags: Some(Syndrome { name: "PSTATE".into(), value: None, fields: Vec::new() }),
        fixup: Some(Fixup {
            covered: true,
            instruction: Hex(0xffff_8000_0812_3450),
            entry: Some(Hex(0xffff_8000_0912_3450)),
            target: Some(Hex(0xffff_8000_0812_3460)),
            kind: Some("EX_TYPE_<b>".into()),
            reasons: vec![text("A fault there is expected.")],
        }),
        location: Some(fault_frame.location.clone()),
        frames: vec![
            fault_frame,
            Frame {
                reliable: false,
                link: Some("called".into()),
                ..frame("load_module", 0x9d8, "kernel/module/main.c", 2820, &[])
            },
            Frame { log_line: None, ..frame("<b>evil</b>", 0x14, "/m/|a|.c", 7, &[]) },
        ],
        details: details(),
        entry: Some(text("system call finit_module, module initialisation")),
        instruction: Some(Instruction {
            address: Some(Hex(0xffff_8000_0813_2240)),
            bytes: "006440f9".into(),
            text: "ldr x0, [x0, #200]".into(),
            explanation: Some(text("load x0 from x0 + 200: `use->target->holders_dir`")),
        }),
        listing: vec![
            ListingItem::Source {
                function: Some("del_usage_links".into()),
                file: "kernel/module/sysfs.c".into(),
                line: 233,
                text: Some("\t\tsysfs_remove_link(use->target->holders_dir, mod->name);".into()),
            },
            ListingItem::Instruction {
                address: Hex(0xffff_8000_0813_223c),
                offset: "mod_sysfs_setup+0x23c".into(),
                bytes: "a01640f9".into(),
                text: "ldr x0, [x21, #40]".into(),
                explanation: Some(text("load x0 from x21 + 40: `use->target`")),
                fault: false,
            },
            ListingItem::Instruction {
                address: Hex(0xffff_8000_0813_2240),
                offset: "mod_sysfs_setup+0x240".into(),
                bytes: "006440f9".into(),
                text: "ldr x0, [x0, #200]".into(),
                explanation: Some(text(
                    "load x0 from x0 + 200: `use->target->holders_dir`, the access that faulted because x0 is no pointer",
                )),
                fault: true,
            },
            ListingItem::Gap { count: 3 },
            ListingItem::Source { function: None, file: "a.c".into(), line: 1, text: None },
            ListingItem::Instruction {
                address: Hex(0xffff_8000_0813_2250),
                offset: "mod_sysfs_setup+0x250".into(),
                bytes: "1f2003d5".into(),
                text: "nop".into(),
                explanation: None,
                fault: false,
            },
        ],
        expression: Some(Expression {
            text: "use->target->holders_dir".into(),
            pointer: Some("use->target".into()),
            record: Some("struct module".into()),
            member: Some("holders_dir".into()),
            offset: Some(Hex(0xc8)),
            grade: Grade::Proved,
            also: vec![ExpressionIn {
                function: "add_usage_links".into(),
                text: "u->target->holders_dir".into(),
                pointer: Some("u->target".into()),
                record: Some("struct module".into()),
                member: Some("holders_dir".into()),
                offset: Some(Hex(0xc8)),
                file: Some("kernel/module/sysfs.c".into()),
                line: Some(250),
            }],
            checks: vec![
                check("address", Outcome::Agrees, "x0 + 0xc8 = 0xd50323bfa8c17cc5, untagged 0x323bfa8c17cc5"),
                check("access", Outcome::Disagrees, "the instruction reads, the syndrome says write"),
                check("code-bytes", Outcome::Unavailable, "the log has no `Code:` line"),
            ],
        }),
        bad_value: Some(BadValue {
            value: Hex(0xd503_23bf_a8c1_7bfd),
            class: "machine-code".into(),
            detail: text("ldp x29, x30, [sp], #0x10; autiasp"),
            readings: vec![],
            implies: vec![text("code was copied over the object")],
            rules_out: vec![text("a stale pointer")],
        }),
        registers: vec![
            Register {
                holds: Some("use->target".into()),
                detail: Some(text("`ldp x29, x30, [sp], #0x10`; `autiasp`")),
                ..register("x0", 0xd503_23bf_a8c1_7bfd, "machine-code")
            },
            register("x1", 0xffff_8000_0a5b_b000, "vmalloc"),
            register("x2", 7, "small-integer"),
            register("x3", 0, "null"),
            Register {
                printed: Some("ffff80089737000".into()),
                value: None,
                class: None,
                ..register("x26", 0, "")
            },
            Register { printed: None, value: None, class: None, ..register("x27", 0, "") },
        ],
        trail: vec![
            TrailStep {
                function: Some("mod_sysfs_setup".to_owned()),
                file: Some("kernel/module/sysfs.c".to_owned()),
                line: Some(263),
                module: None,
                text: "use->target".to_owned(),
                how: "followed".to_owned(),
                checked: false,
            },
            TrailStep {
                function: Some("add_usage_links".to_owned()),
                file: Some("kernel/module/sysfs.c".to_owned()),
                line: Some(262),
                module: None,
                text: "use->target".to_owned(),
                how: "loaded".to_owned(),
                checked: true,
            },
        ],
        origin: vec![Origin {
            what: "member-store".into(),
            function: Some("evil_notify".into()),
            file: Some("drivers/evil.c".into()),
            line: Some(40),
            module: Some("evil".into()),
            call_path: vec![
                "load_module".into(),
                "blocking_notifier_call_chain".into(),
                "evil_notify".into(),
            ],
            detail: Some(text("the only store of code bytes into `module_use.target`")),
        }],
        blame: Some(Blame {
            function: Some("evil_notify".into()),
            file: Some("drivers/evil.c".into()),
            line: Some(40),
            module: None,
            grade: Grade::Likely,
            reason: text("it wrote the value that was followed"),
        }),
        cause: "wild-pointer".into(),
        hypotheses: vec![
            Hypothesis {
                cause: "wild-pointer".into(),
                grade: Grade::Likely,
                statement: text("`use->target` holds instructions of the kernel."),
                for_: vec![
                    text("0xd50323bfa8c17bfd decodes as a function's epilogue"),
                    text("it is no address"),
                ],
                against: vec![text("nothing known")],
                next_check: Some(NextCheck {
                    why: text("see who writes the member"),
                    command: "gdb -batch -ex 'watch ((struct module_use *)0x0)->target' `vmlinux`".into(),
                    more: vec![ToolCommand {
                        tool: "crash".into(),
                        command: "crash -s vmlinux vmcore".into(),
                    }],
                }),
            },
            Hypothesis {
                cause: "a-cause-of-tomorrow".into(),
                grade: Grade::Possible,
                statement: text("Something else."),
                for_: vec![],
                against: vec![],
                next_check: None,
            },
        ],
        modules: vec![
            Module {
                name: "evil".into(),
                taints: "OE+".into(),
                meanings: vec![text("out-of-tree"), text("unsigned"), text("being loaded")],
                suspicion: vec![text("it was being loaded when the kernel died")],
                rank: Some(1),
                grade: Some(Grade::Possible),
                layout: None,
            },
            Module {
                name: "ext4".into(),
                taints: String::new(),
                meanings: vec![],
                suspicion: vec![],
                rank: None,
                grade: None,
                layout: None,
            },
            Module {
                name: "spl".into(),
                taints: "PO".into(),
                meanings: vec![text("proprietary"), text("out-of-tree")],
                suspicion: vec![],
                rank: None,
                grade: None,
                layout: None,
            },
        ],
        damage: vec![
            Damage {
                line: 3,
                field: "ESR".into(),
                printed: "00000004".into(),
                likely: Some("0x96000004".into()),
                grade: Grade::Proved,
                reason: text("`EC = 0x25` and `Oops: 96000004` are printed from it"),
            },
            Damage {
                line: 30,
                field: "Code".into(),
                printed: String::new(),
                likely: None,
                grade: Grade::Possible,
                reason: text("the line is missing"),
            },
        ],
        images: vec![
            ImageUse {
                name: "/boot/vmlinux".into(),
                kind: Some("vmlinux".into()),
                build_id: Some("8fd1".into()),
                release: Some("6.1.0-56-cloud-arm64".into()),
                used: true,
                grade: Some(Grade::Likely),
                checks: vec![check("release", Outcome::Agrees, "both 6.1.0-56-cloud-arm64")],
                reason: text("it is the kernel that crashed"),
            },
            ImageUse {
                name: "notes.txt".into(),
                kind: None,
                build_id: None,
                release: None,
                used: false,
                grade: None,
                checks: vec![],
                reason: text("it is no ELF file"),
            },
        ],
        missing: vec![
            Missing {
                what: text("The module's debug information"),
                why: text("it would name the line that stored the value"),
                command: Some("make -C /lib/modules/6.1.0-56-cloud-arm64/build M=$PWD".into()),
                fetch: Some("kwhy fetch LOG".into()),
                package: None,
            },
            Missing {
                what: text("The `Code:` line"),
                why: text("it would prove the image"),
                command: None,
                fetch: None,
                package: None,
            },
        ],
        notes: vec![Note { line: Some(2), text: text("The module list is cut.") }],
    }
}

/// A struct of every sort of field, with parts that make a table, a list and a list within.
fn details() -> Vec<Detail> {
    let fact = |name: &str, value| DetailFact { name: name.into(), label: text(name), value, line: 5 };
    let detail = |what: &str, facts| Detail {
        what: what.into(),
        title: text(what),
        facts,
        stack: Vec::new(),
        own_stack: false,
        parts: Vec::new(),
    };
    let lock = |class: &str, at: u64| {
        detail(
            "lock",
            vec![fact("class", DetailValue::Text(class.into())), fact("address", DetailValue::Hex(Hex(at)))],
        )
    };
    let track = |event: &str, depth: usize| Detail {
        stack: vec![frame("xyz_new", 0x20, "drivers/xyz.c", 7, &[]); depth],
        ..detail("track", vec![fact("event", DetailValue::Text(event.into()))])
    };
    vec![
        Detail {
            own_stack: true,
            parts: vec![track("allocated", 2), track("freed", 12)],
            ..detail(
                "kasan",
                vec![
                    fact("sort", DetailValue::Text("use-after-|free`".into())),
                    fact("size", DetailValue::Number(8)),
                    fact("interrupt", DetailValue::Flag(true)),
                    fact("expedited", DetailValue::Flag(false)),
                ],
            )
        },
        Detail { parts: vec![lock("&a", 16), lock("&b", 32)], ..detail("task_locks", Vec::new()) },
        Detail { parts: (0..20).map(|at| lock("&c", at)).collect(), ..detail("task_locks", Vec::new()) },
    ]
}
