//! What kwhy knows of each CPU, one file a CPU: registers, calling convention, fault-syndrome
//! decode, address-space map, poison values.

pub mod cpu;

pub use cpu::{Cpu, cpu};
