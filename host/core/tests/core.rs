//! The core as its neighbours see it, in one binary: linking wasmtime takes long.

mod core {
    mod addresses;
    mod approval;
    mod artifact;
    mod asking;
    mod asking_tables;
    mod bindings;
    mod cache;
    mod compile;
    mod damage;
    mod fake;
    mod grants;
    mod guest;
    mod host;
    mod jobs;
    mod jobs_guest;
    mod lock;
    mod manifest;
    mod memory;
    mod ownership;
    mod pack;
    mod probe;
    mod reload;
    mod said;
    mod schema;
    mod seal;
    mod secrets;
    mod settings;
    mod spellings;
    mod units;
    mod watch;
    mod widening;
}
