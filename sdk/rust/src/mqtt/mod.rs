//! MQTT at the broker that the operator granted: publishing, and listening for the length of a call.
//!
//! A plugin names the request of its manifest (`[capabilities.mqtt.broker]` is `mqtt.broker`) and a topic; it sees
//! neither the broker's address nor a credential. Which topics may be published to and listened to stands in the
//! operator's grant; what is not allowed is an [`MqttError`] with the code `denied`, and why is told to the operator
//! alone. What should be heard when nobody calls is asked for as events; see [`events`](macro@crate::events).
//!
//! ```
//! # use fleetgate_sdk::prelude::*;
//! use std::time::Duration;
//! use fleetgate_sdk::mqtt::{Heard, Subscription, topic};
//!
//! # fn shadow(tenant: &str, device: &str) -> Result<Option<Value>, Fault> {
//! let shadow = topic(["jettyd", tenant, device, "shadow"])?;
//! let heard = Subscription::open("mqtt.broker", &[shadow])?.read(Duration::from_secs(2))?;
//! # Ok(
//! match heard {
//!     Heard::Message(message) => Some(message.json()?),
//!     Heard::TimedOut | Heard::Missed(_) => None,
//! }
//! # )
//! # }
//! # use fleetgate_sdk::testing::{Broker, Harness};
//! # let broker = Broker::new().retains("jettyd/acme/d1/shadow", r#"{"on":true}"#);
//! # let host = Harness::new().granted("mqtt.broker").broker("mqtt.broker", broker);
//! # assert_eq!(host.run(|| shadow("acme", "d1")), Ok(Some(json!({ "on": true }))));
//! ```
//!
//! Everything that is heard is what a stranger says: check it, and bound it. `testing::Broker` plays brokers in native
//! tests.

mod error;
mod message;
mod publication;
mod subscription;
pub(crate) mod topic;

#[cfg(target_arch = "wasm32")]
mod guest;
#[cfg(target_arch = "wasm32")]
use guest as host;

#[cfg(not(target_arch = "wasm32"))]
use crate::testing::listening as host;

pub use error::MqttError;
pub use message::Message;
pub use publication::{Publication, publish};
pub use subscription::{Heard, SubscribeOptions, Subscription};
pub use topic::{matches, topic};
