//! Tests of the tools against a played host.
