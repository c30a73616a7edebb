//! What no library would do.

use fleetgate_sdk::bindings::keyvalue::fleetgate::keyvalue::keyvalue::Bucket;
use fleetgate_sdk::prelude::*;

/// Uses a handle that it never got.
#[tool(requires = "any")]
pub fn swapped_handle() -> Result<String, Fault> {
    // SAFETY: none is needed; the host must find out.
    let guessed = unsafe { Bucket::from_handle(7) };
    let found = guessed.get("a");
    Ok(format!("{found:?}"))
}

/// Sends a key that is no text.
#[tool(requires = "any")]
pub fn broken_text() -> Result<String, Fault> {
    let bucket = Bucket::open("keyvalue.shared").map_err(|failure| Fault::internal(failure.message))?;
    // SAFETY: nothing here looks at it as text.
    let broken = unsafe { String::from_utf8_unchecked(vec![0xff, 0xfe, b'a']) };
    Ok(format!("{:?}", bucket.set(&broken, b"x", None)))
}
