//! The promises of the README, kept by the real binary.

mod hello;
mod limits;
mod loading;
mod reach;
mod reload;
