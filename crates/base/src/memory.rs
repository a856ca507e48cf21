//! Reading bytes of a crashed kernel's memory, wherever they are kept.

use crate::addr::LogAddr;

/// Memory of the crashed machine, by its own virtual addresses.
pub trait Memory {
    /// Fills `buffer` from `address`; `false` where any byte of it is not to be had.
    fn read(&self, address: LogAddr, buffer: &mut [u8]) -> bool;
}
