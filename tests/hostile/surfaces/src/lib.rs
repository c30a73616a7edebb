//! A plugin that shows resources, prompts, completions and skills wrongly, in the way that its config says. Written
//! against the interface itself, since the SDK would not let it.

#[cfg(target_arch = "wasm32")]
mod completions;
#[cfg(target_arch = "wasm32")]
mod prompts;
#[cfg(target_arch = "wasm32")]
mod resources;
#[cfg(target_arch = "wasm32")]
mod skills;

#[cfg(target_arch = "wasm32")]
mod bindings {
    use crate::Liar;

    wit_bindgen::generate!({
        path: "../../../wit/fleetgate-plugin",
        inline: r#"
            package hostile:surfaces;
            world surfaces {
                include fleetgate:plugin/with-resources@0.1.0;
                include fleetgate:plugin/with-prompts@0.1.0;
                include fleetgate:plugin/with-completions@0.1.0;
                include fleetgate:plugin/with-skills@0.1.0;
            }
        "#,
        world: "hostile:surfaces/surfaces",
        generate_all
    });
    export!(Liar);
}

/// The plugin.
#[cfg(target_arch = "wasm32")]
struct Liar;

/// How to lie: `config.lie`.
#[cfg(target_arch = "wasm32")]
fn lie() -> String {
    bindings::fleetgate::plugin::config::get("lie").unwrap_or_default()
}

/// Another text at each look.
#[cfg(target_arch = "wasm32")]
fn changing() -> String {
    format!("One of {}.", wasip2::random::random::get_random_u64())
}
