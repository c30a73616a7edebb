//! Straight through a broker, without jettyd's platform.
//!
//! Devices speak when they like. So there are two halves: [`heard`] handles what they say when nobody calls, and puts it
//! into a bucket; [`fleet`], [`sensors`] and [`alerts`] read it there. [`commands`] and [`configuring`] talk to one device
//! for the length of a call.
//!
//! - [`topic`] says which device a topic belongs to, and where a device is talked to; [`message`] reads what is said, and
//!   [`clock`] decides what a device's own time is worth.
//! - [`record`] is what is known of a device, [`applying`] what a message makes of it; [`store`] is where it lies,
//!   [`keys`] under what, and [`room`] who makes some when that is full. [`matter`] is what the log says of them.
//!
//! Nothing but what was heard is known. That a device is offline, or that an alert is over, mostly follows from silence;
//! the plugin's guide says what is inferred, and from what.

pub mod alerts;
mod applying;
mod clock;
pub mod commands;
pub mod configuring;
pub mod fleet;
pub mod heard;
mod keys;
mod matter;
mod measured;
mod message;
mod not_a_number;
mod record;
mod room;
pub mod sensors;
mod store;
mod topic;

/// The manifest's request for the broker.
pub const BROKER: &str = "mqtt.broker";
/// The manifest's request for a place to remember in.
const BUCKET: &str = "keyvalue.history";
/// The manifest's request for what devices say when nobody calls.
const EVENTS: &str = "events.telemetry";
