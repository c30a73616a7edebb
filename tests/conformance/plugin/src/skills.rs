//! A skill with files beside it, one of them in a folder: the scenarios `sep-2640-skills-*`.

use fleetgate_sdk::prelude::*;

/// How this plugin's fixtures are read. The directory of its name holds it.
#[skill("skills/read-fixtures", requires = "any")]
pub struct ReadFixtures;
