//! From bytes to clean lines: everything about how a log reached us, nothing about what it says.

mod lines;
mod prefix;

pub use lines::{Caller, Line, split};
pub(crate) use lines::{LONGEST_LINE, push};
