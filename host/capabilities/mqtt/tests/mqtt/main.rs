//! The capability without a guest: tables as people write them, and brokers as a guest uses them. The brokers are a real
//! Mosquitto, one of another make ([`another`]), and for what they do not do (nonsense, floods) one of our own.

mod a_second_broker;
mod addresses;
mod another;
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
