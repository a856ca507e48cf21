//! Taint letters of the kernel (`kernel/panic.c`, taint_flags) and of modules
//! (`kernel/module/main.c`, module_flags_taint and module_flags).

use crate::decoded::{Decoded, Field, bit};
use crate::layout::says;
use kwhy_base::catalogue::arch_taint as m;
use kwhy_base::prose::Message;
use kwhy_base::{Prose, prose};

/// One letter and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taint {
    /// The letter as printed.
    pub letter: char,
    /// Its bit in /proc/sys/kernel/tainted; `None` for a letter that is no bit (`G`, `+`) or unknown.
    pub bit: Option<u8>,
    /// What it means.
    pub meaning: Prose,
    /// Whether the table knows the letter.
    pub known: bool,
}

/// One taint of the kernel: its bit, letter and meaning, and its meaning on a module, where
/// modules can carry it.
struct Flag {
    bit: u8,
    letter: char,
    name: &'static str,
    kernel: &'static Message,
    module: Option<&'static Message>,
}

const fn taint(
    bit: u8,
    letter: char,
    name: &'static str,
    kernel: &'static Message,
    module: Option<&'static Message>,
) -> Flag {
    Flag { bit, letter, name, kernel, module }
}

static FLAGS: &[Flag] = &[
    taint(0, 'P', "P", &m::PROPRIETARY, Some(&m::MODULE_PROPRIETARY)),
    taint(1, 'F', "F", &m::FORCED_LOAD, Some(&m::MODULE_FORCED)),
    taint(2, 'S', "S", &m::CPU_OUT_OF_SPEC, None),
    taint(3, 'R', "R", &m::FORCED_UNLOAD, None),
    taint(4, 'M', "M", &m::MACHINE_CHECK, None),
    taint(5, 'B', "B", &m::BAD_PAGE, None),
    taint(6, 'U', "U", &m::USER, None),
    taint(7, 'D', "D", &m::DIE, None),
    taint(8, 'A', "A", &m::ACPI_OVERRIDE, None),
    taint(9, 'W', "W", &m::WARNED, None),
    taint(10, 'C', "C", &m::STAGING, Some(&m::MODULE_STAGING)),
    taint(11, 'I', "I", &m::FIRMWARE_WORKAROUND, None),
    taint(12, 'O', "O", &m::OUT_OF_TREE, Some(&m::MODULE_OUT_OF_TREE)),
    taint(13, 'E', "E", &m::UNSIGNED, Some(&m::MODULE_UNSIGNED)),
    taint(14, 'L', "L", &m::SOFT_LOCKUP, None),
    taint(15, 'K', "K", &m::LIVE_PATCH, Some(&m::MODULE_LIVE_PATCH)),
    taint(16, 'X', "X", &m::AUX, Some(&m::MODULE_EXTERNAL)),
    taint(17, 'T', "T", &m::RANDSTRUCT, Some(&m::MODULE_RANDSTRUCT)),
    taint(18, 'N', "N", &m::TEST, Some(&m::MODULE_UNSUPPORTED)),
    taint(19, 'J', "J", &m::FWCTL, Some(&m::FWCTL)),
];

/// The letters of a `Tainted:` line, blanks and commas ignored, in the order printed; unknown ones
/// are reported too. Newer kernels explain the letters in the line (`[W]=WARN, [O]=OOT_MODULE`):
/// from the first `[` on nothing is a letter any more.
#[must_use]
pub fn kernel_taints(letters: &str) -> Vec<Taint> {
    letters
        .chars()
        .take_while(|c| *c != '[')
        .filter(|c| !c.is_whitespace() && *c != ',')
        .map(|letter| match FLAGS.iter().find(|flag| flag.letter == letter) {
            Some(flag) => Taint { letter, bit: Some(flag.bit), meaning: says(flag.kernel), known: true },
            None if letter == 'G' => {
                Taint { letter, bit: None, meaning: says(&m::NO_PROPRIETARY), known: true }
            }
            None => Taint { letter, bit: None, meaning: says(&m::UNKNOWN), known: false },
        })
        .collect()
}

/// The mask of /proc/sys/kernel/tainted, decoded: one field for every bit that is set, and for
/// bit 0 in any case (`P` or `G`), high bits first.
#[must_use]
pub fn decode_taint_mask(mask: u64) -> Decoded {
    let mut fields = Vec::new();
    for n in (0..64u8).rev() {
        let flag = FLAGS.iter().find(|flag| flag.bit == n);
        let (name, meaning) = match flag {
            Some(flag) if bit(mask, n) => (flag.name, says(flag.kernel)),
            None if bit(mask, n) => ("?", prose!(m::UNKNOWN_BIT, bit = n)),
            _ if n == 0 && mask != 0 => ("G", says(&m::NO_PROPRIETARY)),
            _ => continue,
        };
        fields.push(Field::new(name, n, n, mask, meaning));
    }
    Decoded { name: "taint", value: mask, fields }
}

/// The letters of a `Tainted:` line or of a module, decoded as a mask; letters that no table knows come
/// last, under the name `?`, and stand for no bit.
#[must_use]
pub fn decode_taint_letters(letters: &str) -> Decoded {
    let mut mask = 0;
    let mut unknown = Vec::new();
    for taint in kernel_taints(letters) {
        match taint.bit {
            Some(n) => mask |= 1 << n,
            None if taint.known || matches!(taint.letter, '(' | ')' | '+' | '-') => {}
            None => unknown.push(prose!(m::UNKNOWN_LETTER, letter = taint.letter)),
        }
    }
    let mut decoded = decode_taint_mask(mask);
    decoded.fields.extend(unknown.into_iter().map(|meaning| Field {
        name: "?",
        hi: 0,
        lo: 0,
        value: 0,
        meaning,
    }));
    decoded
}

/// The letters in parentheses after a module's name, `+` and `-` included.
#[must_use]
pub fn module_flags(letters: &str) -> Vec<Taint> {
    letters
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '(' | ')'))
        .map(|letter| {
            let flag = FLAGS.iter().find(|flag| flag.letter == letter);
            let bit = flag.map(|flag| flag.bit);
            let meaning = match (letter, flag) {
                ('+', _) => Some(&m::MODULE_COMING),
                ('-', _) => Some(&m::MODULE_GOING),
                (_, Some(Flag { module: Some(message), .. })) => Some(*message),
                _ => None,
            };
            match meaning {
                Some(message) => Taint { letter, bit, meaning: says(message), known: true },
                None => Taint { letter, bit, meaning: says(&m::UNKNOWN), known: false },
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{decode_taint_mask, kernel_taints, module_flags};
    use crate::layout::{awkward_values, covers};
    use kwhy_base::Lang;

    #[test]
    fn every_letter_of_the_kernel_is_known_and_in_order() {
        let taints = kernel_taints("PFSRMBUDAWCIOELKXTNJ");
        assert!(taints.iter().all(|t| t.known));
        assert_eq!(taints.iter().map(|t| t.bit).collect::<Vec<_>>(), (0..20).map(Some).collect::<Vec<_>>());
    }

    #[test]
    fn out_of_tree_and_unsigned_say_nothing_of_the_licence() {
        let text: Vec<String> =
            kernel_taints("G        OE").iter().map(|t| t.meaning.render(Lang::En)).collect();
        assert!(text[0].contains("GPL-compatible"));
        assert!(text[1].contains("nothing of its licence"));
        assert!(text[2].contains("nothing of its licence"));
        let module: Vec<String> = module_flags("(OE+)").iter().map(|t| t.meaning.render(Lang::En)).collect();
        assert!(module[0].starts_with("out-of-tree"));
        assert!(module[1].starts_with("unsigned"));
        assert!(module[2].starts_with("being loaded"));
        assert!(!module.iter().any(|m| m.contains("proprietary")));
    }

    #[test]
    fn unknown_letters_are_reported() {
        let taints = kernel_taints("GZ");
        assert_eq!((taints[1].letter, taints[1].known), ('Z', false));
        assert!(!module_flags("Q")[0].known);
    }

    #[test]
    fn a_line_with_explanations() {
        let letters: String =
            kernel_taints("G    B   W  OE      [B]=BAD_PAGE, [W]=WARN").iter().map(|t| t.letter).collect();
        assert_eq!(letters, "GBWOE");
    }

    #[test]
    fn masks() {
        let names = |mask| decode_taint_mask(mask).fields.iter().map(|f| f.name).collect::<Vec<_>>();
        assert_eq!(names(0), Vec::<&str>::new());
        assert_eq!(names(12288), ["E", "O", "G"]);
        assert_eq!(names(1 | 1 << 40), ["?", "P"]);
        for value in awkward_values() {
            assert!(covers(&decode_taint_mask(value)));
        }
    }
}
