//! `resources/list`: what the caller may see at this moment, taken from each binding's guest.
//!
//! The bindings follow each other by name, each with its skills first. On the shared endpoint a few guests are asked
//! at once, ahead of where the page has come, and none of them can spoil the list of the others: one that fails, or
//! takes long, is left out, which the result says ([`meta::UNAVAILABLE`]) and the log says why. One that never ends is
//! left behind. On a binding's own endpoint the same is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fleetgate_core::call::{Answered, End, Kind, Refused, ResourceList};
use fleetgate_core::catalog::Scope;
use fleetgate_core::domain::{Fault, ResourcePage};
use futures_util::stream::{self, StreamExt};
use rmcp::model::{ListResourcesRequestMethod, ListResourcesResult, PaginatedRequestParams, Resource};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde::{Deserialize, Serialize};

use crate::cursor::Of;
use crate::list::{FRESH, cache_hints};
use crate::request::Incoming;
use crate::server::Server;
use crate::skills::{self, Shown};
use crate::{fault, meta, observer, resources};

/// Guests that are asked at the same time for one list.
const AT_ONCE: usize = 8;
/// How long a guest may take where others wait for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// After this, a page of the shared list ends where it has come.
const LONG: Duration = Duration::from_secs(10);
/// Pages of guests that go into one page.
const MOST_TURNS: usize = 32;
/// Pages of one guest in one list.
const MOST_PAGES: u32 = 1000;
/// The longest cursor of a guest, in bytes; ours holds it.
const LONGEST_CURSOR: usize = 4096;

/// Where a page ended.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    binding: String,
    stage: Stage,
}

#[derive(Debug, Serialize, Deserialize)]
enum Stage {
    /// Behind the skill at this path; none: at the beginning.
    Skills { after: Option<String> },
    /// In the guest's page.
    Guest(GuestPage),
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct GuestPage {
    /// The guest's own cursor.
    cursor: Option<String>,
    /// Its items that were shown already.
    shown: usize,
    /// Pages before it.
    before: u32,
}

impl Place {
    fn start(binding: &str) -> Self {
        Self { binding: binding.to_owned(), stage: Stage::Skills { after: None } }
    }
}

/// Why a binding's part of the list is missing.
enum Missing {
    Fault(Fault, Arc<str>),
    Refused(Refused),
    Late,
    Error(ErrorData),
}

impl Missing {
    fn endless() -> Self {
        Self::Fault(fault::silent("The plugin's list of resources does not come to an end."), "".into())
    }

    fn into_error(self) -> ErrorData {
        match self {
            Self::Fault(fault, reference) => fault::error(&fault, &reference, None),
            Self::Refused(refused) => fault::refusal(&refused, None),
            Self::Late => ErrorData::internal_error("the plugin took too long", None),
            Self::Error(error) => error,
        }
    }

    fn reason(&self) -> (String, &str) {
        match self {
            Self::Fault(fault, reference) => (fault.to_string(), reference),
            Self::Refused(refused) => (refused.to_string(), refused.reference()),
            Self::Late => (format!("it did not answer within {} s", PATIENCE.as_secs()), ""),
            Self::Error(error) => (error.message.to_string(), ""),
        }
    }
}

impl Server {
    /// One page.
    pub(crate) async fn resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let serving = &self.serving;
        let incoming =
            self.incoming_for::<ListResourcesRequestMethod>(&context, |features| features.resources)?;
        let of = Of { list: "resources/list", principal: incoming.principal.name() };
        let from: Option<Place> = request
            .and_then(|request| request.cursor)
            .map(|cursor| serving.cursors.read(of, &cursor))
            .transpose()?;
        let source = Source::new(self, &incoming, &context);
        let mut page = Page::new(serving.limits.page_size);
        let next = source.fill(&mut page, from).await?;

        let mut result = ListResourcesResult::with_all_items(page.items);
        result.next_cursor = next.map(|place| serving.cursors.at(of, &place)).transpose()?;
        if !page.missing.is_empty() {
            let names: Vec<&str> = page.missing.iter().map(|name| &**name).collect();
            result.meta.get_or_insert_default().insert(meta::UNAVAILABLE.to_owned(), names.into());
        }
        (result.ttl_ms, result.cache_scope) = cache_hints(incoming.era, FRESH);
        meta::stamp(incoming.era, &mut result.meta);
        Ok(result)
    }
}

/// What is filled.
struct Page {
    items: Vec<Resource>,
    size: NonZeroUsize,
    turns: usize,
    since: Instant,
    missing: BTreeSet<Arc<str>>,
}

impl Page {
    fn new(size: NonZeroUsize) -> Self {
        let since = Instant::now();
        Self { items: Vec::new(), size, turns: 0, since, missing: BTreeSet::new() }
    }

    fn full(&self) -> bool {
        self.items.len() >= self.size.get()
    }
}

type Taken = Result<ResourcePage, Missing>;

/// What it is filled from.
struct Source<'a> {
    server: &'a Server,
    incoming: &'a Incoming,
    context: &'a RequestContext<RoleServer>,
    /// Whether others are on this list as well.
    shared: bool,
    /// Those whose guests have resources.
    with_guest: BTreeSet<Arc<str>>,
    skills: BTreeMap<Arc<str>, Vec<Shown>>,
}

impl<'a> Source<'a> {
    fn new(server: &'a Server, incoming: &'a Incoming, context: &'a RequestContext<RoleServer>) -> Self {
        let scope = &server.serving.scope;
        let mut skills: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for shown in skills::shown(&*incoming.view, scope, &incoming.principal) {
            skills.entry(shown.binding.clone()).or_default().push(shown);
        }
        let with_guest = incoming.view.resource_bindings(scope, &incoming.principal).into_iter().collect();
        Self { server, incoming, context, shared: *scope == Scope::Shared, with_guest, skills }
    }

    /// Fills a page from a place on. Returns where the next one begins.
    async fn fill(&self, page: &mut Page, from: Option<Place>) -> Result<Option<Place>, ErrorData> {
        let all: BTreeSet<_> = self.with_guest.iter().chain(self.skills.keys()).cloned().collect();
        let behind = |name: &Arc<str>| from.as_ref().is_none_or(|place| **name > *place.binding);
        let rest: Vec<_> = all.iter().filter(|name| behind(name)).cloned().collect();
        if let Some(place) = from
            && let Some(binding) = all.get(&*place.binding)
            && let Some(next) = self.of_binding(page, binding, place.stage, None).await?
        {
            return Ok(Some(next));
        }
        let mut ahead = stream::iter(rest.clone()).map(|name| self.first(name)).buffered(AT_ONCE);
        for binding in &rest {
            if page.full() || (self.shared && page.since.elapsed() >= LONG) {
                return Ok(Some(Place::start(binding)));
            }
            let first = ahead.next().await.flatten();
            let stage = Stage::Skills { after: None };
            if let Some(next) = self.of_binding(page, binding, stage, first).await? {
                return Ok(Some(next));
            }
        }
        Ok(None)
    }

    /// A guest's first page, if it has resources at all.
    async fn first(&self, binding: Arc<str>) -> Option<Taken> {
        if !self.with_guest.contains(&binding) {
            return None;
        }
        Some(self.take(&binding, None).await)
    }

    /// Adds what one binding has. Returns the place that is left, if there was not room for all of it.
    async fn of_binding(
        &self,
        page: &mut Page,
        binding: &Arc<str>,
        stage: Stage,
        mut first: Option<Taken>,
    ) -> Result<Option<Place>, ErrorData> {
        let place = |stage| Ok(Some(Place { binding: binding.to_string(), stage }));
        let own = self.skills.get(binding).map_or(&[][..], Vec::as_slice);
        let mut guest = match stage {
            Stage::Guest(guest) => guest,
            Stage::Skills { after } => {
                let mut behind = after.clone();
                let left = own.iter().filter(|one| after.as_deref().is_none_or(|after| one.path() > after));
                for shown in left {
                    if page.full() {
                        return place(Stage::Skills { after: behind });
                    }
                    page.items.push(shown.item(&self.server.serving.scope));
                    behind = Some(shown.path().to_owned());
                }
                GuestPage::default()
            }
        };
        if !self.with_guest.contains(binding) {
            return Ok(None);
        }
        loop {
            let first = first.take();
            if first.is_none() && (page.turns >= MOST_TURNS || self.is_late(page)) {
                return place(Stage::Guest(guest));
            }
            page.turns += 1;
            let taken = match first {
                Some(taken) => taken,
                None => self.take(binding, guest.cursor.clone()).await,
            };
            let taken = match taken {
                Ok(taken) => taken,
                Err(missing) => return self.without(page, binding, missing),
            };
            let known = |uri: &str| own.iter().any(|shown| shown.manifest_uri() == Some(uri));
            for (position, info) in taken.resources.iter().enumerate().skip(guest.shown) {
                if page.full() {
                    return place(Stage::Guest(GuestPage { shown: position, ..guest }));
                }
                if !known(&info.uri) {
                    page.items.push(resources::item(&self.server.serving.scope, binding, info));
                }
            }
            let Some(cursor) = taken.next else { return Ok(None) };
            let stuck = guest.cursor.as_deref() == Some(&*cursor);
            if stuck || guest.before >= MOST_PAGES || cursor.len() > LONGEST_CURSOR {
                return self.without(page, binding, Missing::endless());
            }
            guest = GuestPage { cursor: Some(cursor), shown: 0, before: guest.before + 1 };
        }
    }

    /// Whether a page of many has taken long enough. One that has asked nobody yet has not.
    fn is_late(&self, page: &Page) -> bool {
        self.shared && page.turns > 0 && page.since.elapsed() >= LONG
    }

    /// The list goes on without the rest of this binding, if it has others.
    fn without(
        &self,
        page: &mut Page,
        binding: &Arc<str>,
        missing: Missing,
    ) -> Result<Option<Place>, ErrorData> {
        if !self.shared {
            return Err(missing.into_error());
        }
        // It is not there for this caller, which is no failure.
        if !matches!(missing, Missing::Refused(Refused::Unknown { kind: Kind::Resource, .. })) {
            let (reason, reference) = missing.reason();
            tracing::warn!(%binding, call = reference, %reason, "the list of resources goes without a binding");
            page.missing.insert(binding.clone());
        }
        Ok(None)
    }

    /// Asks the guest for a page.
    async fn take(&self, binding: &Arc<str>, cursor: Option<String>) -> Taken {
        let (server, incoming) = (self.server, self.incoming);
        let hub = server.serving.hub.clone();
        let (voice, listening) = match self.shared {
            true => observer::pair_among_many(self.context, binding.clone(), incoming.level, hub),
            false => observer::pair(self.context, binding.clone(), incoming.level, hub),
        };
        let mut context =
            server.call_context(incoming, self.context, binding, voice).map_err(Missing::Error)?;
        // When nobody waits any more, the guest is told to stop, and ends by itself.
        context.cancel = context.cancel.child_token();
        let _stop = context.cancel.clone().drop_guard();
        let list = ResourceList { context, binding: binding.clone(), cursor };
        let asking = listening.during(tokio::spawn(incoming.view.clone().list_resources(list)));
        let answered = match self.shared {
            true => tokio::time::timeout(PATIENCE, asking).await.map_err(|_| Missing::Late)?,
            false => asking.await,
        };
        let answered = answered
            .map_err(|error| Missing::Error(ErrorData::internal_error(error.to_string(), None)))?
            .map_err(Missing::Refused)?;
        let Answered { reference, end, .. } = answered;
        match end {
            End::Done(page) => Ok(page),
            End::Fault(fault) => Err(Missing::Fault(fault, reference)),
            End::Ask(question) => Err(Missing::Fault(fault::unaskable(&question), reference)),
        }
    }
}
