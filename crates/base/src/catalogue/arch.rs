//! What the CPU knowledge says: syndrome fields, address classes, taints, value classes.

messages! {}
