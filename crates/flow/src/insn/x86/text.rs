//! The text of an instruction as `objdump -d` writes it.
//!
//! iced's formatter for gas does most of it; the rest is binutils' own ways: which prefixes it
//! names, when it writes a displacement of zero, and which suffixes it leaves out.

use super::instruction;
use iced_x86::{Code, Formatter, GasFormatter, Instruction, Mnemonic, OpKind, Register};
use kwhy_base::ImageAddr;

pub(crate) fn text(bytes: &[u8], address: ImageAddr) -> String {
    let Some(insn) = instruction(bytes, address) else { return "(bad)".to_owned() };
    let mut formatter = GasFormatter::new();
    let options = formatter.options_mut();
    options.set_uppercase_hex(false);
    options.set_branch_leading_zeros(false);
    options.set_small_hex_numbers_in_decimal(false);
    options.set_space_after_operand_separator(false);
    options.set_rip_relative_addresses(true);
    options.set_signed_immediate_operands(false);
    options.set_always_show_scale(insn.memory_index() != Register::None);
    // A displacement is written when it is encoded, zero or not.
    options.set_show_zero_displacements(insn.memory_displ_size() != 0);
    options.set_always_show_segment_register(insn.is_string_instruction());
    let mut out = String::new();
    formatter.format(&insn, &mut out);
    let (prefixes, body) = split_prefixes(&out);
    let body = mend(&insn, body);
    let mut words = unused_prefixes(&insn, bytes, &prefixes);
    words.push(body);
    words.join(" ")
}

/// iced's prefixes, and the rest.
fn split_prefixes(text: &str) -> (Vec<&str>, &str) {
    let mut prefixes = Vec::new();
    let mut rest = text;
    while let Some((word, tail)) = rest.split_once(' ') {
        let prefix = matches!(
            word,
            "rep"
                | "repe"
                | "repz"
                | "repne"
                | "repnz"
                | "lock"
                | "notrack"
                | "bnd"
                | "xacquire"
                | "xrelease"
                | "data16"
        );
        if !prefix {
            break;
        }
        prefixes.push(word);
        rest = tail;
    }
    (prefixes, rest)
}

/// The legacy and REX prefixes in `bytes`, in order.
fn legacy_prefixes(bytes: &[u8]) -> &[u8] {
    let count = bytes
        .iter()
        .take_while(|b| {
            matches!(b, 0x66 | 0x67 | 0x2e | 0x36 | 0x3e | 0x26 | 0x64 | 0x65 | 0xf0 | 0xf2 | 0xf3)
        })
        .count();
    bytes.get(..count).unwrap_or_default()
}

/// The prefixes to write before the mnemonic: those that change it, and those without effect.
fn unused_prefixes(insn: &Instruction, bytes: &[u8], named: &[&str]) -> Vec<String> {
    let prefixes = legacy_prefixes(bytes);
    let mut words = Vec::new();
    let last_data_size = prefixes.iter().rposition(|b| *b == 0x66);
    let used_data_size = last_data_size.filter(|_| uses_data_size(insn, bytes, prefixes.len()));
    for (i, byte) in prefixes.iter().enumerate() {
        match byte {
            // The last one counts, if the instruction has another form without it.
            0x66 if used_data_size == Some(i) => {}
            0x66 => words.push("data16".to_owned()),
            0x2e if insn.is_jcc_short_or_near() => {}
            0x3e if insn.is_jcc_short_or_near() => {}
            0x3e if named.contains(&"notrack") => words.push("notrack".to_owned()),
            0x2e if !insn.is_string_instruction() => words.push("cs".to_owned()),
            0x3e if !insn.is_string_instruction() => words.push("ds".to_owned()),
            0x26 if !insn.is_string_instruction() => words.push("es".to_owned()),
            0x36 if !insn.is_string_instruction() => words.push("ss".to_owned()),
            0xf0 => words.push("lock".to_owned()),
            0xf3 | 0xf2 if named.contains(&"bnd") => words.push("bnd".to_owned()),
            0xf3 if insn.is_string_instruction() => {
                let compares = named.iter().any(|n| matches!(*n, "repe" | "repz"));
                words.push(if compares { "repz" } else { "rep" }.to_owned());
            }
            0xf2 if insn.is_string_instruction() => words.push("repnz".to_owned()),
            0xf3 if insn.mnemonic() == Mnemonic::Ret => words.push("repz".to_owned()),
            0xf2 if named.contains(&"xacquire") => words.push("xacquire".to_owned()),
            0xf3 if named.contains(&"xrelease") => words.push("xrelease".to_owned()),
            _ => {}
        }
    }
    words
}

/// Whether a 66 prefix makes this the instruction it is: without it, it is another.
fn uses_data_size(insn: &Instruction, bytes: &[u8], prefixes: usize) -> bool {
    let mut plain = Vec::with_capacity(bytes.len());
    for (i, byte) in bytes.iter().enumerate() {
        if i >= prefixes || *byte != 0x66 {
            plain.push(*byte);
        }
    }
    instruction(&plain, ImageAddr(insn.ip())).is_none_or(|other| other.code() != insn.code())
}

/// What binutils writes otherwise than iced.
fn mend(insn: &Instruction, body: &str) -> String {
    let (mnemonic, operands) = body.split_once(' ').unwrap_or((body, ""));
    let mut mnemonic = mnemonic.to_owned();
    let mut operands = operands.to_owned();
    match insn.mnemonic() {
        Mnemonic::Call | Mnemonic::Jmp | Mnemonic::Push | Mnemonic::Pop | Mnemonic::Ret => {
            if let Some(bare) = mnemonic.strip_suffix('q') {
                mnemonic = bare.to_owned();
            }
        }
        Mnemonic::In
        | Mnemonic::Out
        | Mnemonic::Insb
        | Mnemonic::Insw
        | Mnemonic::Insd
        | Mnemonic::Outsb
        | Mnemonic::Outsw
        | Mnemonic::Outsd => operands = operands.replace("%dx", "(%dx)"),
        Mnemonic::Mov if operands.contains("%dr") => operands = operands.replace("%dr", "%db"),
        Mnemonic::Monitor | Mnemonic::Monitorx => "%rax,%ecx,%edx".clone_into(&mut operands),
        Mnemonic::Mwait => "%eax,%ecx".clone_into(&mut operands),
        Mnemonic::Mwaitx => "%eax,%ecx,%ebx".clone_into(&mut operands),
        Mnemonic::Imul if insn.op_count() == 3 && operands.matches(',').count() == 1 => {
            let last = operands.rsplit(',').next().unwrap_or_default().to_owned();
            operands = format!("{operands},{last}");
        }
        _ => {}
    }
    if operands.starts_with('*')
        && let Some(bare) = mnemonic.strip_suffix('l').filter(|bare| matches!(*bare, "ljmp" | "lcall"))
    {
        mnemonic = bare.to_owned();
    }
    if is_shift_by_one(insn)
        && let Some(rest) = operands.strip_prefix("$0x1,")
    {
        operands = rest.to_owned();
    }
    if matches!(insn.op0_kind(), OpKind::NearBranch64)
        && let Some(bare) = operands.strip_prefix("0x")
    {
        operands = bare.to_owned();
    }
    if operands.is_empty() { mnemonic } else { format!("{mnemonic} {operands}") }
}

fn is_shift_by_one(insn: &Instruction) -> bool {
    matches!(
        insn.code(),
        Code::Shl_rm8_1
            | Code::Shl_rm16_1
            | Code::Shl_rm32_1
            | Code::Shl_rm64_1
            | Code::Shr_rm8_1
            | Code::Shr_rm16_1
            | Code::Shr_rm32_1
            | Code::Shr_rm64_1
            | Code::Sar_rm8_1
            | Code::Sar_rm16_1
            | Code::Sar_rm32_1
            | Code::Sar_rm64_1
            | Code::Rol_rm8_1
            | Code::Rol_rm16_1
            | Code::Rol_rm32_1
            | Code::Rol_rm64_1
            | Code::Ror_rm8_1
            | Code::Ror_rm16_1
            | Code::Ror_rm32_1
            | Code::Ror_rm64_1
            | Code::Rcl_rm8_1
            | Code::Rcl_rm16_1
            | Code::Rcl_rm32_1
            | Code::Rcl_rm64_1
            | Code::Rcr_rm8_1
            | Code::Rcr_rm16_1
            | Code::Rcr_rm32_1
            | Code::Rcr_rm64_1
    )
}
