//! A plugin whose handler of events does what the event says. What came of it stands in its log.

#[cfg(target_arch = "wasm32")]
mod handler;
#[cfg(target_arch = "wasm32")]
mod orders;
#[cfg(target_arch = "wasm32")]
mod tools;

#[cfg(target_arch = "wasm32")]
fleetgate_sdk::export! {
    tools: tools::log, tools::clear, tools::work;
    events: handler::handle;
}
