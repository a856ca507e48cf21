//! Headings and labels of the rendered report.

messages! {}
