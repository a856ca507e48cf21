//! From instructions to the C expression behind them.

pub mod insn;
