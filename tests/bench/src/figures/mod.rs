//! The figures, one file each.

mod cold_start;
mod cores;
mod hostile;
mod latency;
mod messages;
mod sandbox;
mod throughput;

use std::fmt;

use anyhow::Result;
use clap::ValueEnum;

use crate::figure::Figure;
use crate::rounds::Effort;

/// The figures that this bench measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum Which {
    /// Calls a second over HTTP, 64 clients
    P1,
    /// Latency over HTTP, one client
    P2,
    /// What a fresh sandbox costs
    P3,
    /// What a second core brings
    P4,
    /// From starting the program to the list of tools, on stdio
    P7,
    /// What honest callers notice of a hostile plugin
    P10,
    /// What callers notice of a thousand devices that talk
    P11,
}

impl Which {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [Self::P1, Self::P2, Self::P3, Self::P4, Self::P7, Self::P10, Self::P11];

    /// In words, for who waits.
    pub fn what(self) -> &'static str {
        match self {
            Self::P1 => "calls a second over HTTP, 64 clients",
            Self::P2 => "latency over HTTP, one client",
            Self::P3 => "what a fresh sandbox costs",
            Self::P4 => "what a second core brings",
            Self::P7 => "from starting the program to the list of tools, on stdio",
            Self::P10 => "what honest callers notice of a hostile plugin",
            Self::P11 => "what callers notice of a thousand devices that talk",
        }
    }

    /// Measures it. The first figure is the one with the bar; what follows explains it.
    pub async fn measure(self, effort: Effort) -> Result<Vec<Figure>> {
        match self {
            Self::P1 => throughput::measure(effort).await,
            Self::P2 => latency::measure(effort).await,
            Self::P3 => sandbox::measure(effort).await,
            Self::P4 => cores::measure(effort).await,
            Self::P7 => cold_start::measure(effort).await,
            Self::P10 => hostile::measure(effort).await,
            Self::P11 => messages::measure(effort).await,
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
