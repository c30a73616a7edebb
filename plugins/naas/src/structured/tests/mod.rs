//! Outputs as the vendors' devices write them, and what they become; and which template is for which command.

mod choice;
#[cfg(ntc_templates)]
mod commands;
mod joining;
#[cfg(ntc_templates)]
mod large;
#[cfg(ntc_templates)]
mod samples;
