//! A unit's line table, decoded once when it is first asked for.

use crate::reader::Bytes;
use crate::units::{Debug, Unit};
use std::ops::Range;

/// Far above any unit of a kernel.
const MAX_ROWS: usize = 4_000_000;

/// A row: the code from `address` to the next row's belongs to this line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub address: u64,
    pub file: u32,
    pub line: u32,
    pub column: u32,
    pub is_stmt: bool,
}

struct Sequence {
    start: u64,
    end: u64,
    rows: Range<usize>,
}

/// All rows of a unit, by sequence.
#[derive(Default)]
pub(crate) struct Lines {
    rows: Vec<Row>,
    sequences: Vec<Sequence>,
}

impl Lines {
    fn read(program: gimli::IncompleteLineProgram<Bytes<'_>>) -> (Lines, Option<gimli::Error>) {
        let mut lines = Lines::default();
        let mut first = 0;
        let mut rows = program.rows();
        let error = loop {
            let row = match rows.next_row() {
                Ok(Some((_, row))) => row,
                Ok(None) => break None,
                Err(error) => break Some(error),
            };
            if row.end_sequence() {
                lines.close(first, row.address());
                first = lines.rows.len();
                continue;
            }
            let new = Row {
                address: row.address(),
                file: u32::try_from(row.file_index()).unwrap_or(u32::MAX),
                line: row.line().map_or(0, |line| u32::try_from(line.get()).unwrap_or(0)),
                column: match row.column() {
                    gimli::ColumnType::LeftEdge => 0,
                    gimli::ColumnType::Column(column) => u32::try_from(column.get()).unwrap_or(0),
                },
                is_stmt: row.is_stmt(),
            };
            // Of several rows at one address the last one counts, as for addr2line.
            match lines.rows.get_mut(first..).and_then(|rows| rows.last_mut()) {
                Some(last) if last.address == new.address => *last = new,
                _ => lines.rows.push(new),
            }
            if lines.rows.len() >= MAX_ROWS {
                break None;
            }
        };
        lines.sequences.sort_by_key(|sequence| (sequence.start, sequence.end));
        (lines, error)
    }

    fn close(&mut self, first: usize, end: u64) {
        let Some(rows) = self.rows.get_mut(first..) else { return };
        rows.sort_by_key(|row| row.address);
        if let Some(start) = rows.first().map(|row| row.address)
            && start < end
        {
            self.sequences.push(Sequence { start, end, rows: first..self.rows.len() });
        }
    }

    fn sequence_at(&self, address: u64) -> Option<&Sequence> {
        let next = self.sequences.partition_point(|sequence| sequence.start <= address);
        self.sequences.get(..next)?.iter().rev().take(16).find(|sequence| address < sequence.end)
    }

    /// The row that covers `address`.
    pub(crate) fn at(&self, address: u64) -> Option<Row> {
        let rows = self.rows.get(self.sequence_at(address)?.rows.clone())?;
        let next = rows.partition_point(|row| row.address <= address);
        rows.get(next.checked_sub(1)?).copied()
    }

    /// The rows that cover `range`, in order.
    pub(crate) fn within(&self, range: Range<u64>) -> Vec<Row> {
        let mut found = Vec::new();
        for sequence in &self.sequences {
            if sequence.start >= range.end || sequence.end <= range.start {
                continue;
            }
            let Some(rows) = self.rows.get(sequence.rows.clone()) else { continue };
            let first = rows.partition_point(|row| row.address <= range.start).saturating_sub(1);
            let last = rows.partition_point(|row| row.address < range.end);
            found.extend_from_slice(rows.get(first..last).unwrap_or(&[]));
        }
        found.sort_by_key(|row| row.address);
        found
    }
}

impl<'d> Debug<'d> {
    pub(crate) fn lines<'u>(&self, unit: &'u Unit<'d>) -> &'u Lines {
        unit.lines.get_or_init(|| {
            let Some(program) = unit.unit.line_program.clone() else { return Lines::default() };
            let (lines, error) = Lines::read(program);
            if let Some(error) = error {
                self.problem(format!("the line table of the unit at {:#x} is damaged: {error}", unit.offset));
            }
            lines
        })
    }
}
