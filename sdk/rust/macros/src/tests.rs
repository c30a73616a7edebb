//! Expansion, looked at without a compiler.
