//! Small programs, in a reader's order; see `examples/README.md`.
