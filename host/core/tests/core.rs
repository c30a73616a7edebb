//! The core as its neighbours see it, in one binary: linking wasmtime takes long.

mod core {
    mod addresses;
    mod approval;
    mod artifact;
    mod asking;
    mod asking_calls;
    mod asking_for;
    mod asking_tables;
    mod bindings;
    mod cache;
    mod compile;
    mod completions;
    mod damage;
    mod fake;
    mod grants;
    mod guest;
    mod host;
    mod jobs;
    mod jobs_guest;
    mod jobs_limits;
    mod jobs_world;
    mod lock;
    mod manifest;
    mod memory;
    mod nulls;
    mod ownership;
    mod pack;
    mod probe;
    mod prompts;
    mod relist;
    mod reload;
    mod resources;
    mod said;
    mod schema;
    mod seal;
    mod secret_arguments;
    mod secrets;
    mod settings;
    mod skills;
    mod spellings;
    mod units;
    mod watch;
    mod widening;
    mod written;
}
