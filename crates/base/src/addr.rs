//! Addresses, one type per space, so that a value of one space cannot be used in another.

use std::fmt;

/// An address as the crashed machine used it: what a log prints.
///
/// It includes the KASLR offset, and on ARM64 may have lost its top byte (the kernel
/// prints fault addresses untagged) or carry a tag or a PAC. Subtracting the kernel
/// offset gives an [`ImageAddr`]; `symbol+offset` is the safer way there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogAddr(pub u64);

/// An address as linked into one image.
///
/// For a vmlinux it is the ELF virtual address (no KASLR). A module (`.ko`) is a relocatable
/// file whose sections all start at 0; its addresses here are in a layout that the image
/// reader makes up, and mean something only together with that image.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageAddr(pub u64);

impl ImageAddr {
    /// This address moved by `delta` bytes, wrapping like the machine's own arithmetic.
    #[must_use]
    pub fn offset(self, delta: i64) -> ImageAddr {
        ImageAddr(self.0.wrapping_add_signed(delta))
    }
}

impl fmt::Debug for LogAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogAddr({:#x})", self.0)
    }
}

impl fmt::Debug for ImageAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImageAddr({:#x})", self.0)
    }
}
