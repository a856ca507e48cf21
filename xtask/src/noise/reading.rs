//! What is compared: the same few facts, out of a log's record or out of a whole report.

use kwhy_oops::{CodeRef, CrashRecord, Family, Grade};
use serde_json::Value;
use std::collections::BTreeMap;

/// A place in the code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Symbol, offset and size.
    pub symbol: Option<String>,
    pub offset: Option<u64>,
    pub size: Option<u64>,
    /// 1-based line of the log; 0 where the report does not say.
    pub line: u32,
}

impl Place {
    /// Whether both are the same `symbol+offset/size`.
    pub fn same(&self, other: &Place) -> bool {
        (&self.symbol, self.offset, self.size) == (&other.symbol, other.offset, other.size)
    }

    /// `symbol+0x1/0x2`.
    pub fn show(&self) -> String {
        let hex = |value: Option<u64>| value.map_or("?".to_owned(), |value| format!("{value:#x}"));
        let symbol = self.symbol.as_deref().unwrap_or("?");
        format!("{symbol}+{}/{}", hex(self.offset), hex(self.size))
    }

    /// Reads `symbol+0x1/0x2`, with whatever follows.
    fn parse(text: &str, line: u32) -> Option<Place> {
        let (symbol, rest) = text.trim().split_once('+')?;
        let word = rest.split_whitespace().next().unwrap_or_default();
        let (offset, size) = match word.split_once('/') {
            Some((offset, size)) => (offset, Some(size)),
            None => (word, None),
        };
        let offset = hex(offset)?;
        Some(Place { symbol: Some(symbol.to_owned()), offset: Some(offset), size: size.and_then(hex), line })
    }
}

/// A better value that is offered for a damaged one.
#[derive(Clone, Debug)]
pub struct Mend {
    /// 1-based line.
    pub line: u32,
    /// What it is about.
    pub field: String,
    /// As printed.
    pub printed: String,
    /// The better value.
    pub likely: String,
    /// Whether its grade is "proved".
    pub proved: bool,
}

impl Mend {
    /// The better value as a place.
    pub fn place(&self) -> Option<Place> {
        Place::parse(&self.likely, self.line)
    }

    /// The better value as a number.
    pub fn number(&self) -> Option<u64> {
        hex(&self.likely)
    }
}

/// What is known of one crash.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// 1-based lines of the report, first and last.
    pub lines: (u32, u32),
    pub pc: Option<Place>,
    pub address: Option<u64>,
    pub syndrome: Option<u64>,
    pub registers: BTreeMap<String, u64>,
    pub frames: Vec<Place>,
    pub mends: Vec<Mend>,
}

/// A hexadecimal number, with or without `0x` and brackets.
pub fn hex(text: &str) -> Option<u64> {
    let text = text.trim().trim_matches(['[', ']', '(', ')', '<', '>']);
    let digits = text.strip_prefix("0x").unwrap_or(text);
    (!digits.is_empty()).then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

fn place(at: &CodeRef, line: u32) -> Place {
    Place { symbol: at.symbol.clone(), offset: at.offset, size: at.size, line }
}

/// Out of the log alone.
pub fn of_record(record: &CrashRecord) -> Reading {
    let cpu = record.arch.and_then(kwhy_arch::cpu);
    let number = |value: &Option<kwhy_oops::Located<kwhy_oops::PrintedHex>>| {
        value.as_ref().and_then(|located| located.value.value)
    };
    let registers = record.registers.0.keys().filter_map(|reg| {
        Some((cpu.and_then(|cpu| cpu.name(*reg))?.to_owned(), record.registers.known(*reg)?))
    });
    let mends = record.damage.iter().filter_map(|damage| {
        Some(Mend {
            line: damage.line,
            field: damage.field.clone(),
            printed: damage.printed.clone(),
            likely: damage.likely.clone()?,
            proved: damage.grade == Grade::Proved,
        })
    });
    Reading {
        lines: (record.first_line, record.last_line),
        pc: record.pc.as_ref().map(|pc| place(&pc.value, pc.line)),
        address: number(&record.fault_address),
        // The code of a protection fault is a selector, mostly 0: the report calls only a page fault's
        // code a syndrome, and both readings are to count the same.
        syndrome: number(&record.esr)
            .or_else(|| number(&record.oops_code).filter(|_| record.family == Some(Family::PageFault))),
        registers: registers.collect(),
        frames: record
            .frames
            .iter()
            .filter(|frame| frame.at.symbol.is_some() && frame.at.offset.is_some())
            .map(|frame| place(&frame.at, frame.line))
            .collect(),
        mends: mends.collect(),
    }
}

/// Out of a crash of the JSON report.
pub fn of_report(crash: &Value) -> Reading {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let line = |value: &Value, name: &str| {
        value.get(name).and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok()).unwrap_or(0)
    };
    let number = |value: Option<&Value>| value.and_then(Value::as_str).and_then(hex);
    let place = |value: &Value| Place {
        symbol: text(value.get("symbol")),
        offset: number(value.get("offset")),
        size: number(value.get("size")),
        line: line(value, "log_line"),
    };
    let list = |name: &str| crash.get(name).and_then(Value::as_array).into_iter().flatten();
    let fault = crash.get("fault");
    let inside = |name: &str| fault.and_then(|fault| fault.get(name));
    let mends = list("damage").filter_map(|damage| {
        Some(Mend {
            line: line(damage, "line"),
            field: text(damage.get("field"))?,
            printed: text(damage.get("printed")).unwrap_or_default(),
            likely: text(damage.get("likely"))?,
            proved: damage.get("grade").and_then(Value::as_str) == Some("proved"),
        })
    });
    Reading {
        lines: (line(crash, "first_line"), line(crash, "last_line")),
        pc: crash.get("location").filter(|location| location.is_object()).map(place),
        address: number(inside("address")),
        syndrome: number(inside("syndrome").and_then(|syndrome| syndrome.get("value"))),
        registers: list("registers")
            .filter_map(|register| Some((text(register.get("name"))?, number(register.get("value"))?)))
            .collect(),
        frames: list("frames")
            .map(place)
            .filter(|place| place.symbol.is_some() && place.offset.is_some())
            .collect(),
        mends: mends.collect(),
    }
}
