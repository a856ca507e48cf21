//! The names of cache, address-translation and TLB operations: aliases of `sys` (Arm ARM C5.3–C5.5).

use super::bits::Word;
use super::text::Text;

/// (op1, CRm, op2, name) of the operations with CRn = 7 and a name in `dc`.
const DC: &[(u32, u32, u32, &str)] = &[
    (0, 6, 1, "ivac"),
    (0, 6, 2, "isw"),
    (0, 6, 3, "igvac"),
    (0, 6, 4, "igsw"),
    (0, 6, 5, "igdvac"),
    (0, 6, 6, "igdsw"),
    (0, 10, 2, "csw"),
    (0, 10, 4, "cgsw"),
    (0, 10, 6, "cgdsw"),
    (0, 14, 2, "cisw"),
    (0, 14, 4, "cigsw"),
    (0, 14, 6, "cigdsw"),
    (3, 4, 1, "zva"),
    (3, 4, 3, "gva"),
    (3, 4, 4, "gzva"),
    (3, 10, 1, "cvac"),
    (3, 10, 3, "cgvac"),
    (3, 10, 5, "cgdvac"),
    (3, 11, 1, "cvau"),
    (3, 12, 1, "cvap"),
    (3, 12, 3, "cgvap"),
    (3, 12, 5, "cgdvap"),
    (3, 13, 1, "cvadp"),
    (3, 13, 3, "cgvadp"),
    (3, 13, 5, "cgdvadp"),
    (3, 14, 1, "civac"),
    (3, 14, 3, "cigvac"),
    (3, 14, 5, "cigdvac"),
];

/// The same for `ic`.
const IC: &[(u32, u32, u32, &str)] = &[(0, 1, 0, "ialluis"), (0, 5, 0, "iallu"), (3, 5, 1, "ivau")];

/// The same for `at`.
const AT: &[(u32, u32, u32, &str)] = &[
    (0, 8, 0, "s1e1r"),
    (0, 8, 1, "s1e1w"),
    (0, 8, 2, "s1e0r"),
    (0, 8, 3, "s1e0w"),
    (0, 9, 0, "s1e1rp"),
    (0, 9, 1, "s1e1wp"),
    (4, 8, 0, "s1e2r"),
    (4, 8, 1, "s1e2w"),
    (4, 8, 4, "s12e1r"),
    (4, 8, 5, "s12e1w"),
    (4, 8, 6, "s12e0r"),
    (4, 8, 7, "s12e0w"),
    (6, 8, 0, "s1e3r"),
    (6, 8, 1, "s1e3w"),
];

/// The same for the prediction restrictions.
const RESTRICTIONS: &[(u32, u32, u32, &str)] = &[(3, 3, 4, "cfp"), (3, 3, 5, "dvp"), (3, 3, 7, "cpp")];

/// Turns `sys #op1, cN, cM, #op2, xT` into the operation's own mnemonic, where it has one.
pub(super) fn alias(w: Word, text: &mut Text) {
    let (op1, crn, crm, op2) = (w.field(18, 16), w.field(15, 12), w.field(11, 8), w.field(7, 5));
    let find = |table: &[(u32, u32, u32, &'static str)]| {
        table.iter().find(|(a, b, c, _)| (*a, *b, *c) == (op1, crm, op2)).map(|(.., name)| *name)
    };
    let register = match w.field(4, 0) {
        31 => "xzr".to_owned(),
        n => format!("x{n}"),
    };
    let (mnemonic, name, takes_register) = if crn == 8 {
        let Some(name) = tlbi(op1, crm, op2) else { return };
        let all = name.contains("all");
        ("tlbi", name, !all)
    } else if crn == 7 {
        if let Some(name) = find(DC) {
            ("dc", name.to_owned(), true)
        } else if let Some(name) = find(IC) {
            ("ic", name.to_owned(), name == "ivau")
        } else if let Some(name) = find(AT) {
            ("at", name.to_owned(), true)
        } else if let Some(name) = find(RESTRICTIONS) {
            (name, "rctx".to_owned(), true)
        } else {
            return;
        }
    } else {
        return;
    };
    text.rename(mnemonic);
    text.end_with(0, [name]);
    if takes_register || register != "xzr" {
        text.operands.push(register);
    }
}

/// The name of a TLB invalidation: what it invalidates, at which level, for whom.
fn tlbi(op1: u32, crm: u32, op2: u32) -> Option<String> {
    let level = match op1 {
        0 => "1",
        4 => "2",
        6 => "3",
        _ => return None,
    };
    // Stage-2 operations sit apart, in CRm 0 and 4 of EL2.
    if op1 == 4 && (crm == 0 || crm == 4) {
        let name = match (crm, op2) {
            (0, 1) => "ipas2e1is",
            (0, 2) => "ripas2e1is",
            (0, 5) => "ipas2le1is",
            (0, 6) => "ripas2le1is",
            (4, 0) => "ipas2e1os",
            (4, 1) => "ipas2e1",
            (4, 2) => "ripas2e1",
            (4, 3) => "ripas2e1os",
            (4, 4) => "ipas2le1os",
            (4, 5) => "ipas2le1",
            (4, 6) => "ripas2le1",
            (4, 7) => "ripas2le1os",
            _ => return None,
        };
        return Some(name.to_owned());
    }
    let (range, shared) = match crm {
        1 => (false, "os"),
        2 => (true, "is"),
        3 => (false, "is"),
        5 => (true, "os"),
        6 => (true, ""),
        7 => (false, ""),
        _ => return None,
    };
    let what = match (op1, range, op2) {
        (0, false, 0) => "vmalle",
        (4 | 6, false, 0) => "alle",
        (_, _, 1) => "vae",
        (0, false, 2) => "aside",
        (0, _, 3) => "vaae",
        (_, _, 5) => "vale",
        (0, _, 7) => "vaale",
        (4, false, 4) => return Some(format!("alle1{shared}")),
        (4, false, 6) => return Some(format!("vmalls12e1{shared}")),
        _ => return None,
    };
    Some(format!("{}{what}{level}{shared}", if range { "r" } else { "" }))
}

#[cfg(test)]
mod tests {
    use super::tlbi;

    #[test]
    fn tlb_operations_have_the_manuals_names() {
        assert_eq!(tlbi(0, 7, 0).as_deref(), Some("vmalle1"));
        assert_eq!(tlbi(0, 3, 5).as_deref(), Some("vale1is"));
        assert_eq!(tlbi(0, 2, 1).as_deref(), Some("rvae1is"));
        assert_eq!(tlbi(4, 3, 6).as_deref(), Some("vmalls12e1is"));
        assert_eq!(tlbi(4, 4, 1).as_deref(), Some("ipas2e1"));
        assert_eq!(tlbi(3, 7, 0), None);
    }
}
