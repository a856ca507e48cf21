//! From instructions to the C expression behind them.

pub mod assembler;
mod bits;
pub mod calls;
mod clones;
pub mod code;
pub mod describe;
mod enclosing;
mod entry;
pub mod explain;
pub mod expr;
pub mod glance;
pub mod guards;
mod indexed;
pub mod insn;
pub mod interp;
pub mod lvalue;
pub mod names;
pub mod naming;
pub mod path;
pub mod reloc;
pub mod returns;
pub mod scene;
pub mod sources;
pub mod stores;
pub mod trap;
pub mod value;
pub mod writes;
