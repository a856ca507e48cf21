//! Error numbers (`asm-generic/errno-base.h`, `errno.h`, `linux/errno.h`).

use kwhy_base::Prose;

/// An error number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errno {
    /// The number, positive.
    pub number: u16,
    /// `ENOENT`.
    pub name: &'static str,
    /// In words.
    pub meaning: Prose,
}

/// The error called `number`, kernel-internal ones (512 up) included.
#[must_use]
pub fn errno(number: u64) -> Option<Errno> {
    let _ = number;
    None
}

/// `Some(n)` where `value` is `ERR_PTR(-n)`: one of the top 4095 values (`linux/err.h`, MAX_ERRNO).
#[must_use]
pub fn error_pointer(value: u64) -> Option<u64> {
    let n = value.wrapping_neg();
    (1..=4095).contains(&n).then_some(n)
}
