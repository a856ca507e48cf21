//! What a family of reports says beyond registers and a trace: part of the JSON contract.
//!
//! One shape for every family, so that a program can walk what it does not know: a struct is
//! known by `what`, a field by its `name`; both stay as they are once published.

use crate::model::{Frame, Hex, Text};
use schemars::JsonSchema;
use serde::Serialize;

/// One struct of details: a KASAN report, a lock, a stalled CPU…
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Detail {
    /// Which struct: `kasan`, `track`, `lockdep`, `lock`, `link`, `task_locks`, `rcu_stall`, `hung_task`, `slab`, `oom`, `machine_check`…
    pub what: String,
    /// Its name in words.
    pub title: Text,
    /// Its fields, as far as the log prints them.
    pub facts: Vec<DetailFact>,
    /// Its stack, top first; empty where it has none, or where it is the crash's own.
    pub stack: Vec<Frame>,
    /// Its stack is the crash's own call trace (`frames`).
    pub own_stack: bool,
    /// What it is made of.
    pub parts: Vec<Detail>,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DetailFact {
    /// Its name: `sort`, `address`, `cache`, `class`…
    pub name: String,
    /// Its name in words.
    pub label: Text,
    /// What the log prints.
    pub value: DetailValue,
    /// 1-based line of the log.
    pub line: u32,
}

/// A field's value.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum DetailValue {
    /// Yes or no.
    Flag(bool),
    /// A count, size or id.
    Number(i64),
    /// An address or raw value.
    Hex(Hex),
    /// Words of the log.
    Text(String),
}
