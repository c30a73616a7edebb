//! A plugin that attacks brokers, and its host by way of them. One file for each kind.

#[cfg(target_arch = "wasm32")]
mod flood;
#[cfg(target_arch = "wasm32")]
mod leave;
#[cfg(target_arch = "wasm32")]
mod listening;
#[cfg(target_arch = "wasm32")]
mod publishing;

#[cfg(target_arch = "wasm32")]
fleetgate_sdk::export!(
    publishing::publish,
    publishing::publish_read_only,
    publishing::publish_within_reach,
    publishing::publish_broken_text,
    listening::listen,
    listening::listen_read_only,
    listening::listen_within_reach,
    listening::ask,
    flood::flood,
    flood::hoard,
    leave::leave,
);
