//! The simulated NervesHub keeps the contract: each row of the error table, the roles, the lists and their
//! quirks, the side effects of the writes, and the faults that tests can switch on.

mod access;
mod addresses;
mod client;
mod errors;
mod faults;
mod filters;
mod fleet;
mod lists;
mod program;
mod scripts;
mod shapes;
mod tags;
mod writes;
