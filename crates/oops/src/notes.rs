//! What is to be said about an input as a whole.

use kwhy_base::catalogue::damage as say;
use kwhy_base::{Prose, prose};

use crate::record::{CrashRecord, Note};
use crate::text::Line;

fn note(text: Prose) -> Note {
    Note { line: None, text }
}

/// Files that are no text, by their first bytes: (magic, name, command that unpacks).
const PACKED: &[(&[u8], &str, &str)] = &[
    (b"\x1f\x8b", "gzip", "gzip -dc FILE | kwhy -"),
    (b"\xfd7zXZ\0", "xz", "xz -dc FILE | kwhy -"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd -dc FILE | kwhy -"),
    (b"BZh", "bzip2", "bzip2 -dc FILE | kwhy -"),
];

/// Why `text` can be no log at all.
pub(crate) fn not_a_log(text: &[u8]) -> Option<Note> {
    if text.is_empty() {
        return Some(note(prose!(say::NOTE_EMPTY)));
    }
    if text.starts_with(b"\x7fELF") {
        return Some(note(prose!(say::NOTE_ELF)));
    }
    if let Some((_, format, command)) = PACKED.iter().find(|(magic, _, _)| text.starts_with(magic)) {
        return Some(note(prose!(say::NOTE_COMPRESSED, format = *format, command = *command)));
    }
    if text.iter().all(u8::is_ascii_whitespace) {
        return Some(note(prose!(say::NOTE_BLANK)));
    }
    None
}

/// What an input without a report is instead.
pub(crate) fn no_crash(text: &[u8]) -> Option<Note> {
    // Consoles add stray bytes; what is mostly not text is something else.
    const SAMPLE: usize = 64 * 1024;
    let sample = text.get(..SAMPLE).unwrap_or(text);
    let strange =
        sample.iter().filter(|b| **b < 0x20 && !matches!(**b, b'\n' | b'\r' | b'\t' | 0x1b)).count();
    if strange > sample.len() / 10 {
        return Some(note(prose!(say::NOTE_BINARY)));
    }
    let lines = memchr::memchr_iter(b'\n', text).count() + usize::from(text.last() != Some(&b'\n'));
    Some(note(prose!(say::NOTE_NO_CRASH, lines = lines)))
}

/// The limit on reports was reached.
pub(crate) fn too_many(limit: usize) -> Note {
    note(prose!(say::NOTE_MANY, limit = limit))
}

/// The last report was still being printed when the log ends: an oops that is announced, but whose
/// trace or end never comes.
pub(crate) fn cut_short(last: &CrashRecord, lines: &[Line<'_>]) -> Option<Note> {
    let end = lines.iter().rev().find(|line| !line.text.trim().is_empty())?;
    let oops = last.oops_count.is_some() || last.esr.is_some() || !last.pf_lines.is_empty();
    let finished = lines
        .iter()
        .skip_while(|line| line.number < last.first_line)
        .any(|line| line.text.contains("---[ end") || line.text.contains("Kernel panic"));
    // Something printed after the report shows that the kernel (and the log) went on.
    (oops && !finished && end.number == last.last_line)
        .then(|| Note { line: Some(end.number), text: prose!(say::NOTE_TRUNCATED) })
}

#[cfg(test)]
mod tests {
    use crate::parse;
    use kwhy_base::Lang;

    fn notes(text: &[u8]) -> Vec<String> {
        parse(text).notes.iter().map(|note| note.text.render(Lang::En)).collect()
    }

    #[test]
    fn what_is_no_log_is_named() {
        assert!(notes(b"")[0].contains("empty"));
        assert!(notes(b" \n\n")[0].contains("blanks"));
        assert!(notes(b"\x7fELF\x02\x01\x01\0")[0].contains("ELF"));
        assert!(notes(b"\x1f\x8b\x08")[0].contains("gzip"));
        assert!(notes(&[0u8, 1, 2, 3, 4, 5, 6])[0].contains("binary"));
        assert!(notes(b"[    1.000000] all is well\nyes\n")[0].contains("none of its 2 lines"));
    }

    #[test]
    fn a_report_that_breaks_off() {
        let log = crate::damage::tests::ARM64;
        assert!(notes(log.as_bytes()).is_empty());
        let (head, _) = log.split_once("x20:").unwrap();
        assert!(notes(head.as_bytes())[0].contains("in the middle"));
    }
}
