//! Who may see a job: its owner, for as long as the owner may call its tool, where its binding is shown.

use std::sync::Arc;

use super::record::Record;
use crate::catalog::{Catalog, FoundTool, Guarded, LiveBinding, Scope};
use crate::principal::Principal;

/// Who asks for jobs, and where.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    /// Who.
    pub principal: &'a Principal,
    /// On which endpoint.
    pub scope: &'a Scope,
    /// What is live at this moment.
    pub tools: &'a dyn Tools,
}

/// What is live, as far as access to a job needs it.
pub trait Tools: Send + Sync {
    /// A tool by its own name.
    fn tool(&self, binding: &str, tool: &str) -> Option<FoundTool>;

    /// A caller with the roles that he holds at this moment: see [`Holders`](crate::holders::Holders).
    fn holding(&self, principal: &Principal) -> Principal {
        principal.clone()
    }
}

impl Tools for Catalog {
    fn tool(&self, binding: &str, tool: &str) -> Option<FoundTool> {
        self.binding(binding)?.tool(binding, tool)
    }
}

/// One binding alone, in the version that a running call has.
impl Tools for Arc<LiveBinding> {
    fn tool(&self, binding: &str, tool: &str) -> Option<FoundTool> {
        let found = self.tools.get(tool).filter(|_| *self.name == *binding)?;
        Some(FoundTool { binding: self.clone(), tool: found.clone() })
    }
}

impl Access<'_> {
    /// `began`: the tool in the version that the job runs. It counts while there is none of this name any more, so
    /// that a job can be stopped whose plugin was removed.
    pub(super) fn covers(&self, record: &Record, began: Option<&FoundTool>) -> bool {
        let here = match self.scope {
            Scope::Shared => true,
            Scope::Binding(name) => *name == record.binding,
        };
        let owned = *record.principal == *self.principal.name();
        if !here || !owned {
            return false;
        }
        match self.tools.tool(&record.binding, &record.tool) {
            Some(found) => found.allows(self.principal),
            None => began.is_some_and(|found| found.allows(self.principal)),
        }
    }
}
