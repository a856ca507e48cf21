//! What is ranked how, and what the tables say.

use super::*;
use kwhy_base::Prose;

fn lead(line: u32, explains: Explains, order: u8, distance: u8) -> Lead {
    let spot = Spot { file: Some("drv.c".to_owned()), line: Some(line), ..Spot::default() };
    let candidate = Candidate::new(What::MemberStore, spot, explains, Prose::verbatim("…"));
    Lead { candidate, order, distance, on_stack: false }
}

fn lines(told: &[Candidate]) -> Vec<Option<u32>> {
    told.iter().map(|candidate| candidate.spot.line).collect()
}

#[test]
fn what_gives_the_very_value_comes_first_and_each_line_is_told_once() {
    let leads = vec![
        lead(10, Explains::Perhaps, 0, 0),
        lead(20, Explains::Exactly, 3, 1),
        lead(30, Explains::Exactly, 3, 0),
        lead(10, Explains::Exactly, 1, 0),
    ];
    let told = rank(leads, Explains::Exactly);
    assert_eq!(lines(&told), [Some(10), Some(30), Some(20)]);
    assert_eq!(told[0].explains, Explains::Exactly);
}

#[test]
fn what_would_take_another_mishap_is_told_only_where_nothing_else_is() {
    let weak = || lead(1, Explains::Hardly, 0, 0);
    assert_eq!(lines(&rank(vec![weak()], Explains::Exactly)), [Some(1)]);
    let told = rank(vec![weak(), lead(2, Explains::Perhaps, 9, 2)], Explains::Exactly);
    assert_eq!(lines(&told), [Some(2)]);
}

#[test]
fn nothing_is_told_surer_than_the_question_allows() {
    let told = rank(vec![lead(1, Explains::Exactly, 0, 0)], Explains::Perhaps);
    assert_eq!(told[0].explains, Explains::Perhaps);
}

#[test]
fn no_more_are_told_than_anybody_reads() {
    let leads = (1..40).map(|line| lead(line, Explains::Perhaps, 0, 0)).collect();
    assert_eq!(rank(leads, Explains::Exactly).len(), MAX_TOLD);
}
