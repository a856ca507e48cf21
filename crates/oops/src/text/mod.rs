//! From bytes to clean lines: everything about how a log reached us, nothing about what it says.

mod clean;
mod clock;
mod lead;
mod lines;
mod prefix;
mod stamp;
mod syslog;

pub use lines::{Caller, Line, split};
pub(crate) use lines::{LONGEST_LINE, push};
pub(crate) use syslog::{Kmsg, kmsg, sender, source};

/// Whether the known prefixes of `line` lead to the kernel's own time.
pub(crate) fn is_stamped(line: &str) -> bool {
    prefix::strip(line).time.is_some()
}
