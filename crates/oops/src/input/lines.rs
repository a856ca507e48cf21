//! Which line of the file a person holds each line of the text came from.

/// The numbers of a text's lines in the file that it was taken out of.
///
/// A JSON journal holds one line of kernel text in many bytes of record, a mail wraps one line
/// into three: the parser reads the plain text, the report speaks of the lines that an editor
/// shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LineMap {
    /// The text's lines are the file's.
    #[default]
    Same,
    /// The file's 1-based line for each line of the text, in order.
    Each(Vec<u32>),
}

impl LineMap {
    /// The file's line for 1-based `line` of the text. Beyond the map's end it is the last line
    /// known.
    #[must_use]
    pub fn line(&self, line: u32) -> u32 {
        let LineMap::Each(numbers) = self else { return line };
        let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        numbers.get(index).or(numbers.last()).copied().unwrap_or(line)
    }

    /// The map of a text that was taken out of another, which has a map of its own.
    #[must_use]
    pub fn of(self, outer: &LineMap) -> LineMap {
        match (self, outer) {
            (LineMap::Same, outer) => outer.clone(),
            (inner, LineMap::Same) => inner,
            (LineMap::Each(mut numbers), outer) => {
                for number in &mut numbers {
                    *number = outer.line(*number);
                }
                LineMap::Each(numbers)
            }
        }
    }
}

/// Builds a text line by line, each with its number in the file.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    text: Vec<u8>,
    numbers: Vec<u32>,
}

impl Rows {
    /// Adds a line (without its break). Breaks inside it make several lines of one number.
    pub(crate) fn push(&mut self, line: &[u8], number: u32) {
        for part in line.split(|b| *b == b'\n') {
            self.text.extend_from_slice(part);
            self.text.push(b'\n');
            self.numbers.push(number);
        }
    }

    /// Continues the last line.
    pub(crate) fn extend(&mut self, more: &[u8], number: u32) {
        if self.text.pop().is_none() {
            return self.push(more, number);
        }
        self.text.extend(more.iter().filter(|b| **b != b'\n'));
        self.text.push(b'\n');
    }

    /// The text so far.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// The text and its map.
    pub(crate) fn done(self) -> (Vec<u8>, LineMap) {
        (self.text, LineMap::Each(self.numbers))
    }
}

/// The lines of `bytes` with their 1-based numbers, without line breaks (LF or CRLF).
pub(crate) fn numbered(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes
        .split(|b| *b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .enumerate()
        .map(|(index, line)| (u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1), line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_compose() {
        let inner = LineMap::Each(vec![2, 2, 3]);
        let outer = LineMap::Each(vec![10, 20, 30]);
        assert_eq!(inner.clone().of(&outer), LineMap::Each(vec![20, 20, 30]));
        assert_eq!(inner.clone().of(&LineMap::Same), inner);
        assert_eq!(LineMap::Same.of(&outer), outer);
        assert_eq!((outer.line(1), outer.line(3), outer.line(9), outer.line(0)), (10, 30, 30, 10));
        assert_eq!(LineMap::Each(Vec::new()).line(4), 4);
    }

    #[test]
    fn rows_keep_numbers() {
        let mut rows = Rows::default();
        rows.extend(b"a", 1);
        rows.push(b"b\nc", 4);
        rows.extend(b"d", 5);
        assert_eq!(rows.done(), (b"a\nb\ncd\n".to_vec(), LineMap::Each(vec![1, 4, 4])));
        let lines: Vec<_> = numbered(b"x\r\n\ny").collect();
        assert_eq!(lines, [(1, &b"x"[..]), (2, b""), (3, b"y")]);
    }
}
