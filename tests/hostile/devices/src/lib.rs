//! A plugin that attacks devices, and its host by way of them. One file for each kind.

#[cfg(target_arch = "wasm32")]
mod commands;
#[cfg(target_arch = "wasm32")]
mod leave;
#[cfg(target_arch = "wasm32")]
mod sessions;
#[cfg(target_arch = "wasm32")]
mod target;
#[cfg(target_arch = "wasm32")]
mod terminals;

#[cfg(target_arch = "wasm32")]
fleetgate_sdk::export!(
    commands::exec,
    commands::exec_read_only,
    commands::exec_within_reach,
    terminals::talk,
    leave::leave,
    leave::leave_late,
    sessions::flood,
    sessions::leak,
);
