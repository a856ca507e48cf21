//! Forms within forms, and what all forms must hold to.

use super::*;

const LOG: &str = include_str!("../../tests/shapes/x86-gpf.log");

fn only(bytes: &[u8]) -> Document<'_> {
    let mut opened = open(bytes);
    assert_eq!(opened.documents.len(), 1, "{:?}", opened.foreign);
    opened.documents.remove(0)
}

#[test]
fn an_ordinary_log_passes_untouched() {
    for log in [LOG, include_str!("../../tests/shapes/mixed.log")] {
        let document = only(log.as_bytes());
        assert!(matches!(document.text, Cow::Borrowed(_)), "{:?}", document.remarks);
        assert_eq!((document.numbers, document.remarks.len()), (LineMap::Same, 0));
        assert!(is_plain(log.as_bytes()));
    }
}
