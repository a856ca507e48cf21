//! Verdicts, hypotheses, causes and next checks.

messages! {}
