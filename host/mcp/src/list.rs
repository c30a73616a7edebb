//! `tools/list`: filtered by role, sorted, in pages.
//!
//! The items of an endpoint are built once per catalog; a request clones those that its caller may see. Which those
//! are, the catalog decides, with the function that also decides calls.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use fleetgate_core::catalog::Scope;
use fleetgate_core::principal::Principal;
use rmcp::ErrorData;
use rmcp::model::{CacheScope, ListToolsResult, Tool};

use crate::annotations;
use crate::caller::Era;
use crate::cursor::Cursors;
use crate::view::View;

/// How long a client may use a list without asking again. Short, since a plugin may arrive at any moment and not
/// every client listens.
pub(crate) const FRESH: Duration = Duration::from_secs(5);

/// The items of one endpoint, as of the catalog that was last asked for.
#[derive(Default)]
pub(crate) struct Lists(ArcSwapOption<Items>);

struct Items {
    revision: u64,
    tools: BTreeMap<String, Tool>,
}

impl Lists {
    /// A tool's item.
    pub(crate) fn tool(&self, view: &dyn View, scope: &Scope, name: &str) -> Option<Tool> {
        self.items(view, scope).tools.get(name).cloned()
    }

    /// One page.
    pub(crate) fn page(&self, view: &dyn View, asked: &Asked<'_>) -> Result<ListToolsResult, ErrorData> {
        let after = asked.cursor.map(|cursor| asked.cursors.read(cursor)).transpose()?;
        let items = self.items(view, asked.scope);
        let mut tools = Vec::new();
        let mut more = false;
        view.visible(asked.scope, asked.principal, &mut |name| {
            if after.as_deref().is_some_and(|after| name <= after) {
                return;
            }
            if tools.len() == asked.page_size.get() {
                more = true;
            } else if let Some(tool) = items.tools.get(name) {
                tools.push(for_era(tool, asked.era));
            }
        });
        let next = tools.last().filter(|_| more).map(|last: &Tool| asked.cursors.after(&last.name));
        // Roles filter the list, so nobody may cache it for somebody else.
        let mut page = ListToolsResult::with_all_items(tools);
        page.next_cursor = next;
        if asked.era == Era::Modern {
            page = page.with_ttl_ms(FRESH.as_millis() as u64).with_cache_scope(CacheScope::Private);
        }
        Ok(page)
    }

    fn items(&self, view: &dyn View, scope: &Scope) -> Arc<Items> {
        let revision = view.revision();
        if let Some(items) = self.0.load_full()
            && items.revision == revision
        {
            return items;
        }
        let tools = view
            .definitions(scope)
            .iter()
            .map(|definition| (definition.name.clone(), annotations::tool(scope, definition)))
            .collect();
        let items = Arc::new(Items { revision, tools });
        self.0.store(Some(items.clone()));
        items
    }
}

/// What one request for a page is about.
pub(crate) struct Asked<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) principal: &'a Principal,
    pub(crate) era: Era,
    pub(crate) cursor: Option<&'a str>,
    pub(crate) cursors: &'a Cursors,
    pub(crate) page_size: NonZeroUsize,
}

fn for_era(tool: &Tool, era: Era) -> Tool {
    let mut tool = tool.clone();
    if era == Era::Legacy && !annotations::legacy_output(&tool) {
        tool.output_schema = None;
    }
    tool
}
