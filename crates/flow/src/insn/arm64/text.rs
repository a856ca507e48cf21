//! The text of an instruction as `objdump -d` writes it.
//!
//! disarm64 writes the architectural form of every instruction; binutils prefers the alias that
//! the Arm ARM prefers. Those rules ("preferred disassembly" in each instruction's page), and a
//! few matters of taste in which binutils writes numbers, are here.

use super::bits::Word;
use super::{names, word};
use disarm64::{InsnDisplay, decoder};
use kwhy_base::ImageAddr;

/// Whether `word` is an instruction that binutils knows.
pub(super) fn is_instruction(word: u32) -> bool {
    let w = Word(word);
    // Shifted-register forms of 32 bits with a shift past 31 are reserved; the tables let them by.
    let shifted = w.field(28, 24) == 0b0_1010 || (w.field(28, 24) == 0b0_1011 && !w.bit(21));
    // So are scalar vector shifts without an element size.
    let sizeless =
        w.field(31, 30) == 0b01 && w.field(28, 23) == 0b11_1110 && w.bit(10) && w.field(22, 19) == 0;
    let reserved = sizeless || (shifted && !w.bit(31) && w.bit(15));
    !reserved && decoder::decode(word).is_some()
}

pub(crate) fn text(bytes: &[u8], address: ImageAddr) -> String {
    let Some(word) = word(bytes) else { return String::new() };
    let Some(insn) = decoder::decode(word).filter(|_| is_instruction(word)) else {
        return format!(".inst 0x{word:08x} ; undefined");
    };
    let plain = insn.display_at(address.0).to_string();
    let mut text = Text::parse(&plain);
    alias(Word(word), &mut text);
    if text.operands.iter().any(|operand| operand.contains("<undefined>") || operand.starts_with(':')) {
        // A reserved encoding, or an operand that disarm64 cannot write yet (SVE, SME).
        return format!(".inst 0x{word:08x} // {}", text.mnemonic);
    }
    text.numbers();
    text.join()
}

/// Mnemonic and operands.
pub(super) struct Text {
    pub(super) mnemonic: String,
    pub(super) operands: Vec<String>,
}

impl Text {
    fn parse(plain: &str) -> Text {
        let plain = plain.trim();
        let (mnemonic, rest) = plain.split_once(char::is_whitespace).unwrap_or((plain, ""));
        let mut operands = Vec::new();
        let mut depth = 0_u32;
        let mut operand = String::new();
        for c in rest.trim().chars() {
            match c {
                '[' | '{' => depth = depth.saturating_add(1),
                ']' | '}' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    operands.push(std::mem::take(&mut operand).trim().to_owned());
                    continue;
                }
                _ => {}
            }
            operand.push(c);
        }
        if !operand.trim().is_empty() {
            operands.push(operand.trim().to_owned());
        }
        Text { mnemonic: mnemonic.to_owned(), operands }
    }

    fn join(&self) -> String {
        if self.operands.is_empty() {
            return self.mnemonic.clone();
        }
        format!("{} {}", self.mnemonic, self.operands.join(", "))
    }

    pub(super) fn rename(&mut self, mnemonic: &str) {
        mnemonic.clone_into(&mut self.mnemonic);
    }

    /// Takes operand `n` away.
    fn drop(&mut self, n: usize) {
        if n < self.operands.len() {
            self.operands.remove(n);
        }
    }

    /// Replaces operand `n` and all after it.
    pub(super) fn end_with(&mut self, n: usize, operands: impl IntoIterator<Item = String>) {
        self.operands.truncate(n);
        self.operands.extend(operands);
    }

    /// Branch targets are bare hexadecimal; offsets in memory operands and shift amounts decimal.
    fn numbers(&mut self) {
        for operand in &mut self.operands {
            if let Some(bare) = operand.strip_prefix("0x") {
                *operand = bare.to_owned();
            } else if operand.starts_with('[') || operand.starts_with("lsl #0x") || self.mnemonic == "udf" {
                *operand = decimal(operand);
            }
        }
    }
}

/// `#0x28` as `#40`, everywhere in `operand`.
fn decimal(operand: &str) -> String {
    let mut out = String::new();
    let mut rest = operand;
    while let Some((before, after)) = rest.split_once("#0x") {
        out.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(after.len());
        let (digits, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        match u64::from_str_radix(digits, 16) {
            Ok(number) => out.push_str(&format!("#{number}")),
            Err(_) => out.push_str(&format!("#0x{digits}")),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Rewrites `text` to the preferred alias.
fn alias(w: Word, text: &mut Text) {
    let zr = |low: u32| w.reg(low).is_none();
    match text.mnemonic.as_str() {
        "movz" | "movn" => wide_move(w, text),
        "sys" => names::alias(w, text),
        "clrbhb" => text.rename("clearbhb"),
        "orr"
            if text.operands.len() == 3
                && w.field(28, 24) == 0b0_1110
                && w.field(9, 5) == w.field(20, 16) =>
        {
            text.rename("mov");
            text.drop(2);
        }
        "pfalse" | "rdffr" => text.end_with(0, [format!("p{}.b", w.field(3, 0))]),
        "wrffr" => text.end_with(0, [format!("p{}.b", w.field(8, 5))]),
        "ldr" | "str" if w.field(28, 25) == 0b0010 => sve_fill_or_spill(w, text),
        "rdvl" => text.end_with(1, [format!("#{}", w.signed(10, 5))]),
        "movk" if w.field(22, 21) == 0 => text.drop(2),
        "orr" if w.field(28, 24) == 0b0_1010 && zr(5) && w.field(15, 10) == 0 && w.field(23, 22) == 0 => {
            text.rename("mov");
            text.drop(1);
        }
        "orr" if w.field(28, 23) == 0b10_0100 && zr(5) && !fits_wide_move(w) => {
            text.rename("mov");
            text.drop(1);
        }
        "orn" if w.field(28, 24) == 0b0_1010 && zr(5) => {
            text.rename("mvn");
            text.drop(1);
        }
        "ands" if zr(0) => {
            text.rename("tst");
            text.drop(0);
        }
        "subs" if w.field(28, 25) != 0b1101 && zr(0) => {
            text.rename("cmp");
            text.drop(0);
        }
        "adds" if zr(0) => {
            text.rename("cmn");
            text.drop(0);
        }
        "sub" | "subs" if w.field(28, 24) == 0b0_1011 && !w.bit(21) && zr(5) => {
            text.rename(if w.bit(29) { "negs" } else { "neg" });
            text.drop(1);
        }
        "sbc" | "sbcs" if zr(5) => {
            text.rename(if w.bit(29) { "ngcs" } else { "ngc" });
            text.drop(1);
        }
        "add"
            if w.field(28, 23) == 0b10_0010
                && w.field(22, 10) == 0
                && (w.field(4, 0) == 31 || w.field(9, 5) == 31) =>
        {
            text.rename("mov");
            text.drop(2);
        }
        "ubfm" | "sbfm" | "bfm" => bit_field(w, text),
        "extr" if w.field(9, 5) == w.field(20, 16) => {
            text.rename("ror");
            text.drop(2);
        }
        "lslv" | "lsrv" | "asrv" | "rorv" => {
            text.mnemonic.pop();
        }
        "madd" | "msub" | "smaddl" | "smsubl" | "umaddl" | "umsubl" if zr(10) => {
            let short = match text.mnemonic.as_str() {
                "madd" => "mul",
                "msub" => "mneg",
                "smaddl" => "smull",
                "smsubl" => "smnegl",
                "umaddl" => "umull",
                _ => "umnegl",
            };
            text.rename(short);
            text.drop(3);
        }
        "csinc" | "csinv" | "csneg" => conditional(w, text),
        "ret" if w.field(9, 5) == 30 => text.drop(0),
        // Atomics that drop the old value, unless they acquire.
        name if name.starts_with("ld")
            && w.field(29, 24) == 0b11_1000
            && w.bit(21)
            && zr(0)
            && w.field(11, 10) == 0
            && !w.bit(15)
            && !w.bit(23) =>
        {
            let name = format!("st{}", name.get(2..).unwrap_or_default());
            text.rename(&name);
            text.drop(1);
        }
        _ => {}
    }
}

/// `ldr` and `str` of a whole SVE register, as the kernel saves and restores them.
fn sve_fill_or_spill(w: Word, text: &mut Text) {
    let offset = w.signed(21, 16).wrapping_shl(3) | i64::from(w.field(12, 10));
    let register = if w.bit(14) { format!("z{}", w.field(4, 0)) } else { format!("p{}", w.field(3, 0)) };
    let base = match w.field(9, 5) {
        31 => "sp".to_owned(),
        n => format!("x{n}"),
    };
    let memory = if offset == 0 { format!("[{base}]") } else { format!("[{base}, #{offset}, mul vl]") };
    text.end_with(0, [register, memory]);
}

/// Whether a logical immediate could be a `movz` or `movn` as well: then `orr` keeps its name.
fn fits_wide_move(w: Word) -> bool {
    let width = w.width();
    let size: u32 = if width == 8 { 64 } else { 32 };
    let Some(mask) = super::alu::bit_mask(w) else { return false };
    let mask = super::bits::truncate(mask, width);
    let inverse = super::bits::truncate(!mask, width);
    let one_piece =
        |value: u64| (0..size / 16).any(|n| value & !(0xffff_u64.wrapping_shl(n.saturating_mul(16))) == 0);
    one_piece(mask) || one_piece(inverse)
}

fn wide_move(w: Word, text: &mut Text) {
    let (piece, shift) = (w.field(20, 5), w.field(22, 21));
    let inverted = text.mnemonic == "movn";
    // A shifted zero, or one that `movz` could make, is not the alias.
    let zero_shifted = piece == 0 && shift != 0;
    let same_as_movz = inverted && !w.bit(31) && piece == 0xffff;
    if !zero_shifted && !same_as_movz {
        let amount = shift.saturating_mul(16);
        let value = u64::from(piece).wrapping_shl(amount);
        let value = if inverted { !value } else { value };
        let value = super::bits::truncate(value, w.width());
        text.rename("mov");
        text.end_with(1, [format!("#{value:#x}")]);
    } else if shift == 0 {
        text.drop(2);
    }
}

fn bit_field(w: Word, text: &mut Text) {
    let size = u32::from(w.width()).saturating_mul(8);
    let top = size.saturating_sub(1);
    let (r, s) = (w.field(21, 16), w.field(15, 10));
    let number = |n: u32| format!("#{n}");
    let kind = w.field(30, 29);
    if kind == 0b01 {
        if s < r {
            let to = size.saturating_sub(r);
            text.end_with(2, [number(to), number(s.saturating_add(1))]);
            if w.reg(5).is_none() {
                text.rename("bfc");
                text.drop(1);
            } else {
                text.rename("bfi");
            }
        } else {
            text.rename("bfxil");
            text.end_with(2, [number(r), number(s.saturating_sub(r).saturating_add(1))]);
        }
        return;
    }
    let signed = kind == 0b00;
    let narrow_source = |text: &mut Text| {
        let source = text.operands.get(1).map(|name| name.replacen('x', "w", 1));
        let source = source.map(|name| if name == "wzr" || name == "zr" { "wzr".to_owned() } else { name });
        text.end_with(1, source);
    };
    if signed && s == top {
        text.rename("asr");
        text.end_with(2, [number(r)]);
    } else if !signed && s == top {
        text.rename("lsr");
        text.end_with(2, [number(r)]);
    } else if !signed && s.saturating_add(1) == r {
        text.rename("lsl");
        text.end_with(2, [number(size.saturating_sub(r))]);
    } else if s < r {
        text.rename(if signed { "sbfiz" } else { "ubfiz" });
        text.end_with(2, [number(size.saturating_sub(r)), number(s.saturating_add(1))]);
    } else if r == 0 && matches!(s, 7 | 15 | 31) && (signed || size == 32) && !(s == 31 && size == 32) {
        let name = match (signed, s) {
            (true, 7) => "sxtb",
            (true, 15) => "sxth",
            (true, _) => "sxtw",
            (false, 7) => "uxtb",
            (false, _) => "uxth",
        };
        text.rename(name);
        narrow_source(text);
    } else {
        text.rename(if signed { "sbfx" } else { "ubfx" });
        text.end_with(2, [number(r), number(s.saturating_sub(r).saturating_add(1))]);
    }
}

/// cset, csetm, cinc, cinv, cneg: with the condition turned round.
fn conditional(w: Word, text: &mut Text) {
    let (n, m, code) = (w.field(9, 5), w.field(20, 16), w.field(15, 12));
    if n != m || code >= 14 {
        return;
    }
    let turned = CONDITIONS.get((code ^ 1) as usize).copied().unwrap_or_default().to_owned();
    match (text.mnemonic.as_str(), n) {
        ("csinc", 31) => {
            text.rename("cset");
            text.end_with(1, [turned]);
        }
        ("csinv", 31) => {
            text.rename("csetm");
            text.end_with(1, [turned]);
        }
        (name, _) => {
            let short = match name {
                "csinc" => "cinc",
                "csinv" => "cinv",
                _ => "cneg",
            };
            text.rename(short);
            text.end_with(2, [turned]);
        }
    }
}

const CONDITIONS: [&str; 16] =
    ["eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv"];
