//! The capability without a guest: tables as people write them, and brokers as a guest uses them. The brokers are a real
//! Mosquitto, and for what it does not do (refusing a subscription, nonsense, floods) one of our own.

mod addresses;
mod decisions;
mod encrypted;
mod leaks;
mod listening;
mod mosquitto;
mod publishing;
mod rogue;
mod standing;
mod tables;
mod trouble;
mod world;
