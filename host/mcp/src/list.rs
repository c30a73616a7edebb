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
use rmcp::ErrorData;
use rmcp::model::{CacheScope, ListToolsResult, Tool};

use crate::caller::Era;
use crate::cursor::{Cursors, Of};
use crate::request::Incoming;
use crate::view::View;
use crate::{annotations, meta};

/// How long a client may use a list without asking again. Short, since a plugin may arrive at any moment and not
/// every client listens.
pub(crate) const FRESH: Duration = Duration::from_secs(5);

/// How long and for whom an answer is good, in the era that asks. Never for anybody else: an answer depends on its
/// caller's roles, and the least that any of them needs is that its caller was authenticated, which a shared cache
/// would not look at.
pub(crate) fn cache_hints(era: Era, fresh: Duration) -> (Option<u64>, Option<CacheScope>) {
    match era {
        Era::Modern => (Some(fresh.as_millis() as u64), Some(CacheScope::Private)),
        Era::Legacy => (None, None),
    }
}

/// What follows a name in a list that is sorted by name, up to a page; and the last name on it, if more follow.
pub(crate) fn cut<K: Ord, T>(
    items: impl IntoIterator<Item = (K, T)>,
    after: Option<&K>,
    size: NonZeroUsize,
) -> (Vec<T>, Option<K>) {
    let mut items = items.into_iter().skip_while(|(name, _)| after.is_some_and(|after| name <= after));
    let (mut page, mut last) = (Vec::new(), None);
    for (name, item) in items.by_ref().take(size.get()) {
        page.push(item);
        last = Some(name);
    }
    let more = items.next().is_some();
    (page, last.filter(|_| more))
}

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
    pub(crate) fn page(
        &self,
        incoming: &Incoming,
        scope: &Scope,
        cursor: Option<&str>,
        cursors: &Cursors,
        size: NonZeroUsize,
    ) -> Result<ListToolsResult, ErrorData> {
        let list = Of::named("tools/list");
        let after: Option<String> = cursor.map(|cursor| cursors.read(list, cursor)).transpose()?;
        let items = self.items(&*incoming.view, scope);
        let mut tools = Vec::new();
        let mut more = false;
        incoming.view.visible(scope, &incoming.principal, &mut |name| {
            if after.as_deref().is_some_and(|after| name <= after) {
                return;
            }
            if tools.len() == size.get() {
                more = true;
            } else if let Some(tool) = items.tools.get(name) {
                tools.push(for_era(tool, incoming.era));
            }
        });
        let next = tools.last().filter(|_| more).map(|last: &Tool| cursors.at(list, &last.name));
        let mut page = ListToolsResult::with_all_items(tools);
        page.next_cursor = next.transpose()?;
        (page.ttl_ms, page.cache_scope) = cache_hints(incoming.era, FRESH);
        meta::stamp(incoming.era, &mut page.meta);
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

fn for_era(tool: &Tool, era: Era) -> Tool {
    let mut tool = tool.clone();
    if era == Era::Legacy && !annotations::legacy_output(&tool) {
        tool.output_schema = None;
    }
    tool
}
