//! The engine, feature by feature.
