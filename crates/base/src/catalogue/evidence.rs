//! Checks, evidence for and against.

messages! {}
