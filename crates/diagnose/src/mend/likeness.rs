//! How far a printed word is from the one that may have been meant, counted in the slips of
//! people and machines that copy from a screen.

/// What one slip costs that leaves a look-alike: the unit of all costs.
pub const SLIP: u32 = 10;
/// A letter or digit left out, written twice, or exchanged with its neighbour.
const MOVED: u32 = 12;
/// A character where another belongs that it does not look like.
const OTHER: u32 = 22;
/// More than this is never looked for.
pub const FAR: u32 = 60;

/// Characters taken for one another in console fonts: each group's members for each other.
const GROUPS: &[&str] = &[
    "0OoDQ8", "0dD", "0c", "06", "09", "1lIi|!t", "17t", "1]", "2Zz", "27", "38B", "35", "4A9", "4a", "5Ss6",
    "5$", "6bG8", "7T", "8B", "86", "89", "80", "9gq", "ao", "ae", "ceo", "c(", "d0o", "ft", "ftr", "hbn",
    "ijl", "kh", "mn", "nur", "uv", "vy", "wv", "xX", "yg", "pq", "_-", "_ ", "._,", ":;", "B8", "gq", "sS",
    "bh", "e6",
];
/// Pairs of characters that look like one.
const PAIRS: &[(&str, char)] =
    &[("rn", 'm'), ("vv", 'w'), ("cl", 'd'), ("nn", 'm'), ("li", 'h'), ("ii", 'u')];

/// Whether one may be taken for the other.
pub fn alike(a: char, b: char) -> bool {
    a.eq_ignore_ascii_case(&b) || GROUPS.iter().any(|group| group.contains(a) && group.contains(b))
}

/// The cost of writing `printed` for `meant`; [`FAR`] where it is that or more.
pub fn cost(printed: &str, meant: &str) -> u32 {
    if printed == meant {
        return 0;
    }
    let (p, m): (Vec<char>, Vec<char>) = (printed.chars().collect(), meant.chars().collect());
    if p.len().abs_diff(m.len()) > 3 || p.len() > 256 || m.len() > 256 {
        return FAR;
    }
    // Rows by characters of `printed`; the last two are needed for exchanges and pairs.
    let mut rows: Vec<Vec<u32>> = Vec::with_capacity(p.len() + 1);
    rows.push((0..=m.len()).map(|j| (j as u32).saturating_mul(MOVED)).collect());
    for i in 1..=p.len() {
        let mut row = Vec::with_capacity(m.len() + 1);
        let mut least = u32::MAX;
        for j in 0..=m.len() {
            let best = step(&rows, &row, &p, &m, i, j);
            least = least.min(best);
            row.push(best);
        }
        // Each later row is at least the lesser of the last two.
        let before = rows.last().and_then(|row| row.iter().min().copied()).unwrap_or(0);
        if least >= FAR && before >= FAR {
            return FAR;
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(FAR).min(FAR)
}

fn step(rows: &[Vec<u32>], row: &[u32], p: &[char], m: &[char], i: usize, j: usize) -> u32 {
    let at = |i: usize, j: usize| rows.get(i).and_then(|row| row.get(j)).copied().unwrap_or(FAR);
    let (pc, mc) = (|k: usize| p.get(k).copied(), |k: usize| m.get(k).copied());
    let mut best = u32::MAX;
    // A character too many; one written twice is the likelier.
    let here = pc(i - 1);
    let twice = here == i.checked_sub(2).and_then(pc) || here == mc(j);
    best = best.min(at(i - 1, j).saturating_add(if twice { MOVED } else { MOVED + 4 }));
    if j == 0 {
        return best;
    }
    let meant = mc(j - 1);
    best = best.min(row.get(j - 1).copied().unwrap_or(FAR).saturating_add(MOVED));
    let changed = match (here, meant) {
        (Some(a), Some(b)) if a == b => 0,
        (Some(a), Some(b)) if alike(a, b) => SLIP,
        _ => OTHER,
    };
    best = best.min(at(i - 1, j - 1).saturating_add(changed));
    if i >= 2 && j >= 2 && here == mc(j - 2) && pc(i - 2) == meant {
        best = best.min(at(i - 2, j - 2).saturating_add(MOVED));
    }
    for (two, one) in PAIRS {
        let mut two = two.chars();
        let (first, second) = (two.next(), two.next());
        if here == Some(*one) && j >= 2 && mc(j - 2) == first && meant == second {
            best = best.min(at(i - 1, j - 2).saturating_add(SLIP));
        }
        if meant == Some(*one) && i >= 2 && pc(i - 2) == first && here == second {
            best = best.min(at(i - 2, j - 1).saturating_add(SLIP));
        }
    }
    best
}

/// The cost of printing the hexadecimal digits `printed` for `meant`, as `%x` prints it.
pub fn hex_cost(printed: &str, meant: u64) -> u32 {
    cost(printed, &format!("{meant:x}"))
}

/// The same for a number of 16 digits, as `%016lx` prints it.
pub fn wide_cost(printed: &str, meant: u64) -> u32 {
    cost(printed, &format!("{meant:016x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_cost_what_they_are() {
        assert_eq!(cost("sysfs_create_dir", "sysfs_create_dir"), 0);
        assert_eq!(cost("sysfs_creale_dir", "sysfs_create_dir"), SLIP);
        assert_eq!(cost("sysfs_creaxe_dir", "sysfs_create_dir"), OTHER);
        assert_eq!(cost("sysfs_crcate_dir", "sysfs_create_dir"), SLIP);
        assert_eq!(cost("sysfs_create_dlr", "sysfs_create_dir"), SLIP);
        assert_eq!(cost("kmern_cache", "kmem_cache"), SLIP);
        assert_eq!(cost("sysfs_cerate_dir", "sysfs_create_dir"), MOVED);
        assert_eq!(cost("sysfs_creat_dir", "sysfs_create_dir"), MOVED);
        assert_eq!(cost("sysfs_createe_dir", "sysfs_create_dir"), MOVED);
        assert_eq!(cost("do_one_initcall", "el0t_64_sync"), FAR);
    }

    #[test]
    fn digits() {
        assert_eq!(hex_cost("2O0", 0x200), SLIP);
        assert_eq!(hex_cost("1b4", 0x1b4), 0);
        assert_eq!(hex_cost("164", 0x1b4), SLIP);
        assert_eq!(hex_cost("14", 0x1b4), MOVED);
        assert_eq!(wide_cost("ffff80000859b96O", 0xffff_8000_0859_b960), SLIP);
    }
}
