//! Version 0.1 of the plugin interface: [`imports`] and [`jobs`] are what the host offers, the rest is one module for
//! each export. Whatever a guest returns is bounded before it is parsed ([`convert`]).

use wasmtime::component::{HasSelf, InstancePre, Linker};

use crate::sandbox::CallState;

mod completions;
mod convert;
mod events;
mod imports;
mod jobs;
mod prompts;
mod resources;
mod skills;
mod tools;

mod generated {
    #![allow(missing_docs)]
    wasmtime::component::bindgen!({
        path: "../../wit/fleetgate-plugin",
        world: "every-export",
        // Facts are at hand, and reports go into a channel; only what is kept for jobs is waited for.
        imports: {
            "fleetgate:plugin/jobs.submit": async | trappable,
            "fleetgate:plugin/jobs.outcome": async | trappable,
            default: trappable,
        },
        exports: { default: async },
    });
}

use generated::exports::fleetgate::plugin as exports;
use generated::fleetgate::plugin as offered;

/// Adds the host's side of the interface.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    type Host = HasSelf<CallState>;
    offered::types::add_to_linker::<_, Host>(linker, |state| state)?;
    offered::call::add_to_linker::<_, Host>(linker, |state| state)?;
    offered::config::add_to_linker::<_, Host>(linker, |state| state)?;
    offered::capabilities::add_to_linker::<_, Host>(linker, |state| state)?;
    offered::jobs::add_to_linker::<_, Host>(linker, |state| state)
}

/// The indices of what a component exports, looked up once. None: not exported.
#[derive(Clone)]
pub(crate) struct Exports {
    tools: Option<exports::tools::GuestIndices>,
    resources: Option<exports::resources::GuestIndices>,
    prompts: Option<exports::prompts::GuestIndices>,
    completions: Option<exports::completions::GuestIndices>,
    skills: Option<exports::skills::GuestIndices>,
    events: Option<exports::events::GuestIndices>,
}

/// Which interfaces a component exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct Exported {
    pub tools: bool,
    pub resources: bool,
    pub prompts: bool,
    pub completions: bool,
    pub skills: bool,
    pub events: bool,
}

impl Exported {
    /// It has nothing that this host looks for.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Exports {
    /// Looks each interface up by itself: the generated `EveryExportPre` fails when any export is absent.
    pub(crate) fn of(pre: &InstancePre<CallState>) -> Self {
        Self {
            tools: exports::tools::GuestIndices::new(pre).ok(),
            resources: exports::resources::GuestIndices::new(pre).ok(),
            prompts: exports::prompts::GuestIndices::new(pre).ok(),
            completions: exports::completions::GuestIndices::new(pre).ok(),
            skills: exports::skills::GuestIndices::new(pre).ok(),
            events: exports::events::GuestIndices::new(pre).ok(),
        }
    }

    /// Which there are.
    pub(crate) fn which(&self) -> Exported {
        Exported {
            tools: self.tools.is_some(),
            resources: self.resources.is_some(),
            prompts: self.prompts.is_some(),
            completions: self.completions.is_some(),
            skills: self.skills.is_some(),
            events: self.events.is_some(),
        }
    }
}
