//! What the judged crashes add up to: on the terminal, and as docs/lab.md.

use super::case::Case;
use super::score::{Card, Field};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// So many right of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Share {
    right: usize,
    count: usize,
}

impl Share {
    fn add(&mut self, right: bool) {
        self.right += usize::from(right);
        self.count += 1;
    }
}

/// The sums.
pub struct Summary<'a> {
    fields: Vec<(Field, Share)>,
    /// By what was said, then by grade, the surest first.
    grades: BTreeMap<&'a str, BTreeMap<(usize, &'a str), Share>>,
    confusion: BTreeMap<(&'a str, &'a str), usize>,
    /// Right origins by their kind.
    kinds: BTreeMap<&'a str, Share>,
}

/// The grades, the surest first.
const GRADES: [&str; 3] = ["proved", "likely", "possible"];

impl<'a> Summary<'a> {
    /// Adds them up.
    pub fn of(cards: &'a [Card]) -> Summary<'a> {
        let mut fields: Vec<(Field, Share)> =
            Field::ALL.iter().map(|field| (*field, Share::default())).collect();
        let (mut grades, mut confusion, mut kinds) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for card in cards {
            for (field, share) in &mut fields {
                if let Some(right) = card.right(*field) {
                    share.add(right);
                }
            }
            for claim in &card.claims {
                let rank = GRADES.iter().position(|grade| *grade == claim.grade).unwrap_or(GRADES.len());
                let grades: &mut BTreeMap<(usize, &str), Share> = grades.entry(claim.what).or_default();
                grades.entry((rank, claim.grade.as_str())).or_default().add(claim.right);
            }
            if !card.cause.is_empty() {
                *confusion.entry((card.cause.as_str(), card.cause_got.as_str())).or_default() += 1;
            }
            if let (Some(kind), Some(right)) = (&card.origin_kind, card.right(Field::Origin)) {
                let share: &mut Share = kinds.entry(kind.as_str()).or_default();
                share.add(right);
            }
        }
        fields.retain(|(_, share)| share.count > 0);
        Summary { fields, grades, confusion, kinds }
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = writeln!(out, "{:<20} {:<10} right of", "what was said", "grade");
        for (what, grades) in &self.grades {
            for ((_, grade), share) in grades {
                let _ = writeln!(out, "{what:<20} {grade:<10} {:>5} {:>5}", share.right, share.count);
            }
        }
        let _ = writeln!(out, "\n{:<20} right of", "kind of origin");
        for (kind, share) in &self.kinds {
            let _ = writeln!(out, "{kind:<20} {:>5} {:>5}", share.right, share.count);
        }
        let _ = writeln!(out, "\n{:<20} {:<20} cases", "true cause", "reported");
        for ((want, got), count) in &self.confusion {
            let _ = writeln!(out, "{want:<20} {:<20} {count:>5}", or_nothing(got));
        }
        out
    }

    fn markdown(&self, out: &mut String) {
        out.push_str("## What was right\n\n| | right | of |\n|---|---:|---:|\n");
        for (field, share) in &self.fields {
            let _ = writeln!(out, "| {} | {} | {} |", field.words(), share.right, share.count);
        }
        out.push_str(
            "\n## What the grades are worth\n\nA statement is graded *proved*, *likely* or *possible*. So many \
             of the statements of each grade were right; a wrong one that is graded *proved* fails the tests.\n\n\
             | | grade | right | of |\n|---|---|---:|---:|\n",
        );
        for (what, grades) in &self.grades {
            for ((_, grade), share) in grades {
                let _ = writeln!(out, "| {what} | {grade} | {} | {} |", share.right, share.count);
            }
        }
        out.push_str(
            "\n## Origins by their kind\n\nWhere the bad value came from, by what kind of place that is, of the \
             cases whose truth tells the kind.\n\n| kind | right | of |\n|---|---:|---:|\n",
        );
        for (kind, share) in &self.kinds {
            let _ = writeln!(out, "| {kind} | {} | {} |", share.right, share.count);
        }
        out.push_str(
            "\n## Causes: what is true, and what was reported\n\nWhere two causes are both fair names for what \
             happened, either counts as right; the table shows the first.\n\n| true | reported | crashes |\n\
             |---|---|---:|\n",
        );
        for ((want, got), count) in &self.confusion {
            let _ = writeln!(out, "| {want} | {} | {count} |", or_nothing(got));
        }
    }
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

/// docs/lab.md.
pub fn page(cards: &[Card], cases: &[Case]) -> String {
    let kernels: BTreeSet<&str> = cards.iter().map(|card| card.kernel.as_str()).collect();
    let names: BTreeSet<&str> = cards.iter().map(|card| card.case.as_str()).collect();
    let mut out = format!(
        "<!-- Written by `cargo xtask lab --recorded --score --write`. -->\n\n# The lab\n\n\
         Real kernels, crashed on purpose: {} cases, {} recorded crashes on {} kernels ({}). Each case is one or \
         more small drivers with one planted bug, whose truth is written down in `lab/cases/CASE/truth.toml`; \
         what is compared here is kwhy's report on the recorded console log, given `vmlinux` and the modules \
         with their debug information.\n\n",
        names.len(),
        cards.len(),
        kernels.len(),
        kernels.iter().copied().collect::<Vec<_>>().join(", "),
    );
    Summary::of(cards).markdown(&mut out);
    out.push_str("\n## Case by case\n\n| case | what was planted |");
    for kernel in &kernels {
        let _ = write!(out, " {kernel} |");
    }
    out.push_str("\n|---|---|");
    for _ in &kernels {
        out.push_str("---|");
    }
    out.push('\n');
    for name in names {
        let note = cases.iter().find(|case| case.name == name).map_or("", |case| case.spec.note.as_str());
        let _ = write!(out, "| {name} | {} |", note.replace('|', "\\|"));
        for kernel in &kernels {
            let card = cards.iter().find(|card| card.case == name && card.kernel == *kernel);
            let _ = write!(out, " {} |", card.map_or_else(String::new, verdict));
        }
        out.push('\n');
    }
    out.push_str("\nWhat a column names was wrong or not found; `ok` is everything right.\n");
    out
}

/// `ok`, or what is wrong.
fn verdict(card: &Card) -> String {
    if card.broken.is_some() {
        return "not judged".to_owned();
    }
    let wrong: Vec<&str> =
        card.marks.iter().filter(|mark| !mark.right).map(|mark| mark.field.head()).collect();
    if wrong.is_empty() { "ok".to_owned() } else { wrong.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::super::score::judge;
    use super::*;
    use serde_json::json;

    #[test]
    fn grades_are_counted_apart_and_the_surest_comes_first() {
        let truth = json!({ "kernel": "k", "case": "c", "cause": "null-pointer" });
        let report = |cause: &str, grade: &str| json!({ "crashes": [ { "cause": cause, "hypotheses": [ { "grade": grade } ] } ] });
        let cards = [
            judge(&truth, &report("null-pointer", "possible")),
            judge(&truth, &report("wild-pointer", "possible")),
            judge(&truth, &report("null-pointer", "proved")),
        ];
        let summary = Summary::of(&cards);
        let grades: Vec<_> =
            summary.grades["cause"].iter().map(|((_, grade), share)| (*grade, *share)).collect();
        assert_eq!(
            grades,
            [("proved", Share { right: 1, count: 1 }), ("possible", Share { right: 1, count: 2 })]
        );
        assert_eq!(summary.confusion[&("null-pointer", "wild-pointer")], 1);
        let page = page(&cards, &[]);
        assert!(page.contains("| cause | possible | 1 | 2 |"), "{page}");
        assert!(page.contains("| null-pointer | wild-pointer | 1 |"), "{page}");
    }
}
