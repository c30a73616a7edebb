//! A plugin that attacks what its host remembers. One file for each kind.

#[cfg(target_arch = "wasm32")]
mod acts;
#[cfg(target_arch = "wasm32")]
mod flood;
#[cfg(target_arch = "wasm32")]
mod raw;

#[cfg(target_arch = "wasm32")]
fleetgate_sdk::export!(
    acts::act,
    acts::act_read_only,
    acts::act_within_reach,
    flood::flood,
    flood::hoard,
    flood::huge_batch,
    raw::swapped_handle,
    raw::broken_text,
);
