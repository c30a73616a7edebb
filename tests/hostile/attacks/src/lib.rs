//! A plugin whose every tool is an attack on its host. One file for each kind.

#[cfg(target_arch = "wasm32")]
mod compute;
#[cfg(target_arch = "wasm32")]
mod crash;
#[cfg(target_arch = "wasm32")]
mod flood;
#[cfg(target_arch = "wasm32")]
mod handles;
#[cfg(target_arch = "wasm32")]
mod memory;
#[cfg(target_arch = "wasm32")]
mod reach;
#[cfg(target_arch = "wasm32")]
mod remember;
#[cfg(target_arch = "wasm32")]
mod results;
#[cfg(target_arch = "wasm32")]
mod secrets;
#[cfg(target_arch = "wasm32")]
mod world;

#[cfg(target_arch = "wasm32")]
fleetgate_sdk::export!(
    compute::spin,
    compute::recurse,
    compute::ask_forever,
    compute::sleep,
    crash::panic,
    crash::exit,
    crash::unreachable,
    flood::log_flood,
    flood::long_line,
    flood::forged_line,
    flood::huge_argument_to_host,
    flood::progress_flood,
    handles::leak_fields,
    handles::leak_pollables,
    handles::much_random,
    memory::grow_forever,
    memory::hold,
    reach::request,
    reach::request_read_only,
    reach::request_within_reach,
    reach::many_requests,
    remember::canary,
    results::bytes,
    results::many_blocks,
    results::unpromised,
    results::bidi,
    results::plain,
    secrets::login,
    secrets::login_later,
    world::look_around,
);
