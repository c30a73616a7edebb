//! A plugin that lists its tools wrongly, in the way that its config says. Written against the interface itself,
//! since the SDK would not let it.

#[cfg(target_arch = "wasm32")]
mod lies;

#[cfg(target_arch = "wasm32")]
mod bindings {
    use crate::lies::Liar;

    wit_bindgen::generate!({ path: "../../../wit/fleetgate-plugin", world: "with-tools", generate_all });
    export!(Liar);
}
