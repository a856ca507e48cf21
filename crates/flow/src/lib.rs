//! From instructions to the C expression behind them.

pub mod code;
pub mod insn;
pub mod interp;
pub mod reloc;
pub mod value;
