//! A simulated jettyd: devices with the public firmware's behaviour ([`firmware`]), the platform's REST API in front
//! of them ([`api`]), and the same devices on a real MQTT broker ([`fleet`]).
//!
//! "The contract" in these modules is the description of jettyd which Fleetgate's plugin was written against too,
//! "the firmware" is the public one (github.com/jettydiot/jettyd-firmware). The platform itself is closed: where
//! nothing public says what it does, [`api::Seed`] has a switch, and a client must live with either position.

pub mod api;
pub mod firmware;
pub mod fleet;
pub mod known;
