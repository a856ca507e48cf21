//! The report: what kwhy found, as one plain value that every face renders.
//!
//! The field names are a contract with other programs; they may be added to, never renamed.

pub mod model;

pub use model::*;
