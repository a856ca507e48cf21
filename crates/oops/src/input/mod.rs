//! From whatever file people hold to plain log text, with the numbers of its lines in that file.

mod lines;

pub use lines::LineMap;
