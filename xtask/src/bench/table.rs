//! The figures as tables.

use super::Board;
use super::measure::{Figures, Spread};
use std::fmt::Write as _;
use std::fs;

/// The machine, in words that name nobody's.
pub struct Machine {
    cores: usize,
    /// Bytes.
    memory: Option<f64>,
    /// Processes that wanted to run when it began.
    load: Option<f64>,
}

impl Machine {
    /// This one.
    pub fn here() -> Machine {
        let number = |path: &str, word: usize| -> Option<f64> {
            fs::read_to_string(path).ok()?.split_whitespace().nth(word)?.parse().ok()
        };
        Machine {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory: number("/proc/meminfo", 1).map(|kilobytes| kilobytes * 1024.0),
            load: number("/proc/loadavg", 0),
        }
    }

    /// What the figures were measured with.
    pub fn sentence(&self, runs: usize) -> String {
        let memory = self.memory.map_or_else(String::new, |m| format!(", {:.0} GB of memory", m / 1e9));
        let mut text = format!(
            "Medians of {runs} rounds in one run (least–most), files in the page cache unless said otherwise; {} cores ({}){memory}.",
            self.cores,
            std::env::consts::ARCH
        );
        if let Some(load) = self.load.filter(|load| *load >= 1.0) {
            let _ = write!(
                text,
                " The machine had other work (a load of {load:.0}): processor time says more than wall time."
            );
        }
        text
    }
}

/// A time.
pub fn seconds(value: f64) -> String {
    if value < 1.0 { format!("{:.0} ms", value * 1e3) } else { format!("{value:.2} s") }
}

/// A time with its ends.
pub fn range(spread: &Spread) -> String {
    format!("{} ({}–{})", seconds(spread.median), seconds(spread.least), seconds(spread.most))
}

/// How many times the other's.
pub fn times(spread: &Spread, base: Option<&Spread>) -> String {
    base.map_or_else(|| "–".to_owned(), |base| format!("{:.1}×", spread.over(base)))
}

const HEAD: [&str; 8] =
    ["", "asked for", "time", "processor time", "memory", "× time", "× processor", "× memory"];

fn cells(board: &Board) -> Vec<[String; 8]> {
    let base: Option<&Figures> = board.rows.first().and_then(|row| row.figures.as_ref().ok());
    let line = |row: &super::Row| {
        let head = |rest: [String; 6]| {
            let [a, b, c, d, e, f] = rest;
            [row.name.to_owned(), row.asked.clone(), a, b, c, d, e, f]
        };
        match &row.figures {
            Ok(figures) => head([
                range(&figures.wall),
                seconds(figures.cpu.median),
                format!("{:.0} MB", figures.peak.median / 1e6),
                times(&figures.wall, base.map(|base| &base.wall)),
                times(&figures.cpu, base.map(|base| &base.cpu)),
                times(&figures.peak, base.map(|base| &base.peak)),
            ]),
            Err(why) => {
                let why = why.lines().map(str::trim).collect::<Vec<_>>().join(" ");
                head([
                    format!("not measured: {why}"),
                    "–".into(),
                    "–".into(),
                    "–".into(),
                    "–".into(),
                    "–".into(),
                ])
            }
        }
    };
    board.rows.iter().map(line).collect()
}

fn title(board: &Board) -> String {
    let bytes = fs::metadata(&board.crash.vmlinux).map_or(0.0, |meta| meta.len() as f64);
    format!(
        "{}, a vmlinux of {:.0} MB, crash {}, {} frames",
        board.kernel,
        bytes / 1e6,
        board.crash.case,
        board.crash.frames.len()
    )
}

/// For the terminal.
pub fn plain(board: &Board) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(cells(board));
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max();
    let widths: Vec<usize> = (0..HEAD.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = format!("{}\n", title(board));
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "  {cell:<width$}");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// For the README.
pub fn markdown(boards: &[Board], machine: &Machine, runs: usize) -> String {
    let mut text = String::new();
    for board in boards {
        let _ = writeln!(text, "**{}**\n", title(board));
        let _ = writeln!(text, "| {} |", HEAD.join(" | "));
        let _ = writeln!(text, "|{}", "---|---|".to_owned() + &"--:|".repeat(HEAD.len() - 2));
        for row in cells(board) {
            let row = row.map(|cell| cell.replace('|', "\\|"));
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        text.push('\n');
    }
    text + &machine.sentence(runs) + "\n"
}

/// The text with what stands between the markers called `name` replaced; `None` where it has none.
pub fn replaced(text: &str, name: &str, table: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name}:begin -->"), format!("<!-- {name}:end -->"));
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{table}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marked_part_is_replaced() {
        let text = "<!-- other:begin -->\n<!-- x:begin -->\nold\n<!-- x:end -->\nb\n";
        let new = "<!-- other:begin -->\n<!-- x:begin -->\nnew\n<!-- x:end -->\nb\n";
        assert_eq!(replaced(text, "x", "new\n").as_deref(), Some(new));
        assert_eq!(replaced("no markers", "x", "new\n"), None);
    }
}
