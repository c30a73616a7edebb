//! Outputs as the vendors' devices write them, and what they become.

#[cfg(ntc_templates)]
mod commands;
mod samples;
