//! Words that kernel symbols consist of.
