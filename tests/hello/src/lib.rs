//! Greets people.

use fleetgate_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Greet {
    /// Whom to greet.
    name: String,
}

/// Greets somebody by name.
#[tool(requires = "any", read_only)]
fn greet(args: Greet) -> Result<String, Fault> {
    Ok(format!("Hello, {}!", args.name))
}

fleetgate_sdk::export!(greet);
