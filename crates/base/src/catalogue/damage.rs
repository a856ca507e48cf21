//! Where a log contradicts itself.

messages! {}
