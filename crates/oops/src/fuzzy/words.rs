//! The words that kernel symbols consist of.
//!
//! The kernel names its functions out of some nine thousand words, joined by underscores. A name in
//! which one is no such word, but looks like one, is mended to it: the image's symbol table knows
//! better, but not everybody has it at hand.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::shape::{Shape, bag};

/// The words of the names of the functions of Linux 6.1 (x86-64, arm64) and 5.10 (arm64), the most
/// frequent first.
const WORDS: &str = include_str!("words.txt");

static KNOWN: LazyLock<BTreeMap<&'static str, usize>> =
    LazyLock::new(|| WORDS.split_ascii_whitespace().enumerate().map(|(rank, word)| (word, rank)).collect());

static SHAPES: LazyLock<Vec<(&'static str, Shape)>> =
    LazyLock::new(|| WORDS.split_ascii_whitespace().map(|word| (word, Shape::new("word", word))).collect());

/// The most that a word may differ from a known one: one arbitrary slip, or two of look-alikes.
const LIMIT: u32 = 5;

fn is_word(word: &str) -> bool {
    KNOWN.contains_key(word) || word.len() == 1 || word.bytes().all(|b| b.is_ascii_digit())
}

/// Whether characters that no symbol has are in `name`.
pub(super) fn is_legal(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.$".contains(&b))
}

/// Whether all words of `name` are known.
pub(super) fn is_known(name: &str) -> bool {
    let body = name.trim_start_matches('_').trim_end_matches('_');
    is_legal(name) && !body.is_empty() && body.split(['_', '.']).all(|word| !word.is_empty() && is_word(word))
}

/// What it costs to read `meant` as `printed`, up to `limit`.
pub(super) fn cost(meant: &str, printed: &str, limit: u32) -> Option<u32> {
    if meant.len().abs_diff(printed.len()) > 3 {
        return None;
    }
    Shape::new("name", meant).lay(printed, limit).map(|(cost, _)| cost)
}

/// `name` of known words, where it takes little to get there.
pub(super) fn mended(name: &str) -> Option<String> {
    let plain = name.replace('-', "_").replace(',', ".").replace('|', "l");
    let spellings = [plain.replace(' ', "_"), plain.replace(' ', "")];
    let exact = spellings.iter().find(|spelling| is_known(spelling));
    if let Some(exact) = exact {
        return Some(exact.clone());
    }
    if let Some(other) = spellings.iter().find_map(|spelling| moved(spelling)) {
        return Some(other);
    }
    spellings
        .iter()
        .filter_map(|spelling| by_words(spelling))
        .min_by_key(|(cost, _)| *cost)
        .map(|(_, name)| name)
}

/// An underscore exchanged with its neighbour, written twice, or lost.
fn moved(name: &str) -> Option<String> {
    let chars: Vec<char> = name.chars().collect();
    let swapped = (0..chars.len().saturating_sub(1)).filter_map(|at| {
        let mut other = chars.clone();
        let beside =
            matches!((chars.get(at), chars.get(at + 1)), (Some('_'), Some(_)) | (Some(_), Some('_')));
        other.swap(at, at + 1);
        beside.then(|| other.into_iter().collect::<String>())
    });
    let doubled = name
        .match_indices("__")
        .filter(|(at, _)| *at > 0)
        .filter_map(|(at, _)| Some(format!("{}{}", name.get(..at)?, name.get(at + 1..)?)));
    doubled.chain(swapped).find(|other| is_known(other))
}

/// Each unknown word replaced by the known one that it differs from least.
fn by_words(name: &str) -> Option<(u32, String)> {
    let mut total = 0;
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    loop {
        let end = rest.find(['_', '.']).unwrap_or(rest.len());
        let (word, tail) = rest.split_at_checked(end)?;
        if word.is_empty() || is_word(word) {
            out.push_str(word);
        } else {
            let (cost, better) = nearest(word)?;
            total += cost;
            out.push_str(&better);
        }
        let Some(separator) = tail.chars().next() else { break };
        out.push(separator);
        rest = tail.get(1..)?;
    }
    // Each word may have its slip, but a name of slips is no name.
    (total <= 2 * LIMIT).then_some((total, out))
}

fn nearest(word: &str) -> Option<(u32, String)> {
    // An underscore that was lost between two words.
    const SHORTEST: usize = 3;
    let parted = (SHORTEST..word.len().saturating_sub(SHORTEST - 1)).find_map(|at| {
        let (a, b) = word.split_at_checked(at)?;
        (KNOWN.contains_key(a) && KNOWN.contains_key(b)).then(|| (3, format!("{a}_{b}")))
    });
    // A number of which a digit became a letter.
    let number: Option<String> = word.chars().map(super::shape::decimal_for).collect();
    if let Some(number) = number.filter(|_| word.bytes().any(|b| b.is_ascii_digit())) {
        return Some((2, number));
    }
    let own = bag(word);
    let mut best: Option<(u32, String)> = parted;
    for (known, shape) in SHAPES.iter() {
        if known.len().abs_diff(word.len()) > 1 || !shape.may_hold(&own) {
            continue;
        }
        let limit = best.as_ref().map_or(LIMIT, |best| best.0.saturating_sub(1));
        if let Some((cost, _)) = shape.lay(word, limit) {
            best = Some((cost, (*known).to_owned()));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_words() {
        for name in ["do_syscall_64", "__handle_mm_fault", "entry_SYSCALL_64_after_hwframe", "el0t_64_sync"] {
            assert!(is_known(name), "{name}");
        }
        for (printed, meant) in [
            ("do_sysca1l_64", "do_syscall_64"),
            ("exit to_user_mode_prepare", "exit_to_user_mode_prepare"),
            ("exit-to_user_mode_prepare", "exit_to_user_mode_prepare"),
            ("exit_to_user_mod_eprepare", "exit_to_user_mode_prepare"),
            ("exit_to_user_mode__prepare", "exit_to_user_mode_prepare"),
            ("exit_to_user_mode_pr epare", "exit_to_user_mode_prepare"),
            ("entry_SYSCALL_64_after_hvvframe", "entry_SYSCALL_64_after_hwframe"),
            ("entry_SYSCALL_64_afterhwframe", "entry_SYSCALL_64_after_hwframe"),
            ("__rnod_memcg_lruvec_state", "__mod_memcg_lruvec_state"),
            ("vfs_rite", "vfs_write"),
            ("do set_pte", "do_set_pte"),
            ("do_syscall_b4", "do_syscall_64"),
            ("clo_user_addr_fault", "do_user_addr_fault"),
            ("el0_svc_common.constprop,0", "el0_svc_common.constprop.0"),
        ] {
            assert_eq!(mended(printed).as_deref(), Some(meant), "{printed}");
        }
        assert_eq!(mended("qqqzx_wvut"), None);
    }
}
