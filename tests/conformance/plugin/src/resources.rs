//! What can be read: the `resources-*` scenarios, `sep-2164-resource-not-found` (whatever is not here, the host
//! refuses) and `caching`, which reads the first of the list.

use fleetgate_sdk::prelude::*;

use crate::content::PIXEL;

/// A text that never changes.
#[resource(uri = "test://static-text", requires = "any", mime_type = "text/plain")]
pub fn static_text() -> Result<&'static str, Fault> {
    Ok("This is the content of the static text resource.")
}

/// A picture that never changes.
#[resource(uri = "test://static-binary", requires = "any", mime_type = "image/png")]
pub fn static_binary() -> Result<Vec<u8>, Fault> {
    Ok(PIXEL.to_vec())
}

/// A text that clients subscribe to.
#[resource(uri = "test://watched-resource", requires = "any", mime_type = "text/plain")]
pub fn watched_resource() -> Result<&'static str, Fault> {
    Ok("Nothing has happened yet.")
}

#[derive(Deserialize, JsonSchema)]
pub struct Item {
    /// Which one.
    id: String,
}

/// One of very many.
#[template(uri = "test://template/{id}/data", requires = "any", mime_type = "application/json")]
pub fn template_data(item: Item) -> Result<Json<Value>, Fault> {
    let data = format!("Data for ID: {}", item.id);
    Ok(Json(json!({ "id": item.id, "templateTest": true, "data": data })))
}
