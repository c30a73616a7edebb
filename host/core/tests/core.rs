//! The core as its neighbours see it, in one binary: linking wasmtime takes long.

mod core {
    mod artifact;
    mod damage;
    mod fake;
    mod grants;
    mod manifest;
    mod ownership;
    mod pack;
    mod said;
    mod schema;
    mod secrets;
    mod settings;
    mod units;
    mod widening;
}
