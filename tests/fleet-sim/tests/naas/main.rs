//! The simulated NAAS keeps the contract: who may do what, each row of the error tables, the life of a job, the
//! lists and their quirks, and both servers where documents and source differ.

mod access;
mod cancel;
mod client;
mod gear;
mod guards;
mod keys;
mod lifecycle;
mod lists;
mod outcomes;
mod program;
mod repeats;
mod submits;
mod validation;
