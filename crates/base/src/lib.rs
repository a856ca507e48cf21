//! What every part of kwhy shares: addresses by space, architectures, registers,
//! build-ids, the memory trait, and the catalogue of everything kwhy says in prose.
//!
//! This crate does no I/O and depends on nothing.

pub mod addr;
pub mod arch;
pub mod build_id;
pub mod catalogue;
pub mod distribution;
pub mod memory;
pub mod prose;
pub mod registers;
pub mod version;

pub use addr::{ImageAddr, LogAddr};
pub use arch::Arch;
pub use build_id::BuildId;
pub use distribution::Distribution;
pub use memory::Memory;
pub use prose::{Lang, Message, Prose};
pub use registers::{Reg, RegValue, Registers};
