//! The export `completions`.

use super::convert::fault;
use super::imports::fleetgate::plugin::types;
use super::with_completions::exports::fleetgate::plugin::completions::{Completion, Guest};
use crate::plugin::{Plugin, complete};

impl<P: Plugin> Guest for P {
    fn complete(
        reference: String,
        argument: String,
        value: String,
        context: String,
    ) -> Result<Completion, types::Fault> {
        let completion = complete::<P>(&reference, &argument, &value, &context).map_err(fault)?;
        Ok(Completion { values: completion.values, total: completion.total, has_more: completion.has_more })
    }
}
