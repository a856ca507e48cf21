//! `kwhy decode KIND VALUE`: one-off decoders.

use crate::args::{DecodeArgs, KindArg};
use crate::command_error::CommandError;
use crate::output::Output;
use kwhy_arch::{DecodeError, DecodeKind, Decoded, decode};
use kwhy_base::catalogue::{cli as c, faces as f};
use kwhy_base::{Arch, prose};
use kwhy_flow::insn::plausible_code;
use kwhy_report::doc::{Block, Inline, Table, Tone};
use kwhy_report::document::words::say;
use kwhy_report::{Format, Hex, Syndrome, SyndromeField};
use std::process::ExitCode;

/// Decodes one value.
pub fn run(args: &DecodeArgs) -> Result<ExitCode, CommandError> {
    let output = Output::new(&args.output);
    let kind = match args.kind {
        KindArg::Esr => DecodeKind::Esr,
        KindArg::Pf => DecodeKind::Pf,
        KindArg::Taint => DecodeKind::Taint,
        KindArg::Pstate => DecodeKind::Pstate,
        KindArg::Eflags => DecodeKind::Eflags,
        KindArg::Addr => DecodeKind::Addr,
    };
    let arch = args.arch.as_deref().map(architecture).transpose()?;
    let decoded = decode(kind, &args.value, arch).map_err(|error| refusal(&error, kind, &args.value))?;
    let mut shown: Vec<Syndrome> = decoded.iter().map(syndrome).collect();
    if kind == DecodeKind::Addr {
        for (syndrome, decoded) in shown.iter_mut().zip(&decoded) {
            syndrome.fields.extend(arch.into_iter().filter_map(|arch| as_code(arch, decoded.value)));
        }
    }
    output.write(&match output.format {
        Format::Json => json(kind, &shown),
        format => {
            let blocks = document(&shown, &output);
            kwhy_report::render_document(&blocks, format, output.lang, &output.options).unwrap_or_default()
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A number that is instructions of the CPU is said to be that as well.
fn as_code(arch: Arch, value: u64) -> Option<SyndromeField> {
    let code = plausible_code(arch, value)?;
    Some(SyndromeField {
        name: "machine-code".to_owned(),
        bits: "63:0".to_owned(),
        value: Hex(value),
        meaning: prose!(c::IS_CODE, instructions = code.instructions.join("; ")).into(),
    })
}

fn architecture(name: &str) -> Result<Arch, CommandError> {
    Arch::from_name(name).ok_or_else(|| {
        CommandError::unusable(prose!(c::UNKNOWN_ARCH, arch = name))
            .hint(prose!(c::HINT_ARCH, names = "arm64, x86_64"))
    })
}

fn refusal(error: &DecodeError, kind: DecodeKind, value: &str) -> CommandError {
    CommandError::unusable(match error {
        DecodeError::NotANumber => {
            return CommandError::unusable(prose!(c::NOT_A_NUMBER, value = value))
                .hint(prose!(c::HINT_NUMBER));
        }
        DecodeError::TooLarge => prose!(c::TOO_LARGE, value = value),
        DecodeError::OtherArch(arch) => prose!(c::OTHER_ARCH, kind = kind.word(), arch = arch.name()),
    })
}

fn syndrome(decoded: &Decoded) -> Syndrome {
    Syndrome {
        name: decoded.name.to_owned(),
        value: Some(Hex(decoded.value)),
        fields: decoded
            .fields
            .iter()
            .map(|field| SyndromeField {
                name: field.name.to_owned(),
                bits: field.bits(),
                value: Hex(field.value),
                meaning: field.meaning.clone().into(),
            })
            .collect(),
    }
}

fn json(kind: DecodeKind, shown: &[Syndrome]) -> String {
    let value = serde_json::json!({ "schema": "kwhy-decode/1", "kind": kind.word(), "decoded": shown });
    format!("{value:#}\n")
}

fn document(shown: &[Syndrome], output: &Output) -> Vec<Block> {
    let mut blocks = Vec::new();
    for decoded in shown {
        let value = decoded.value.map(|value| format!(" = {:#x}", value.0)).unwrap_or_default();
        blocks.push(Block::Title(Inline::of(&format!("{}{value}", decoded.name), Tone::Strong)));
        let header = [&f::BITS, &f::FIELD, &f::VALUE, &f::MEANING];
        blocks.push(Block::Table(Table {
            header: header.iter().map(|message| say(output.lang, message).to_owned()).collect(),
            rows: decoded
                .fields
                .iter()
                .map(|field| {
                    vec![
                        Inline::of(&field.bits, Tone::Weak),
                        Inline::of(&field.name, Tone::Code),
                        Inline::of(&format!("{:#x}", field.value.0), Tone::Code),
                        Inline::sentence(&field.meaning.0.render(output.lang)),
                    ]
                })
                .collect(),
        }));
    }
    blocks
}
