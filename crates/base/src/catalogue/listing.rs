//! The annotated listing: instructions in plain words.

messages! {}
