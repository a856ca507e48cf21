//! What the command itself says: errors, hints, progress.

messages! {}
