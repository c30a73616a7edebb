//! What one call uses brokers with, from the decision to the acknowledgement.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fleetgate_core::address::Unreached;
use fleetgate_core::capability::{Refusal, Refusals};
use fleetgate_core::diagnostic::quoted;
use fleetgate_core::sandbox::{CallInfo, CutShort, UsedEntry};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::calls::Reader;
use crate::connect::ConnectFailed;
use crate::failure::Failure;
use crate::filter::{Filter, check_topic};
use crate::guard::{Asker, Permit, shortened};
use crate::inbox::Heard;
use crate::message::Publication;
use crate::options::{Opening, Publishing};
use crate::qos::Qos;
use crate::route::{Route, Routes};
use crate::wire::Broke;

/// Subscriptions that a call may have open at once.
pub const MOST_AT_ONCE: usize = 16;

/// Filters of one subscription.
const MOST_FILTERS: usize = 16;
/// Publications and subscriptions of one call. What its record has no room for stands in the log.
const MOST_USED: usize = 10_000;

/// What one call uses brokers with. Cheap to clone.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    routes: Arc<Routes>,
    call: Arc<CallInfo>,
    open: Arc<Semaphore>,
    refusals: Refusals,
    used: AtomicUsize,
}

/// Filters that a call listens to.
pub struct Subscription {
    session: Session,
    reader: Reader,
    _room: OwnedSemaphorePermit,
}

impl Session {
    pub(crate) fn new(routes: Arc<Routes>, call: Arc<CallInfo>) -> Self {
        let open = Arc::new(Semaphore::new(MOST_AT_ONCE));
        Self(Arc::new(Inner {
            routes,
            call,
            open,
            refusals: Refusals::default(),
            used: AtomicUsize::default(),
        }))
    }

    /// Publishes, and waits until the broker has it.
    pub async fn publish(
        &self,
        capability: &str,
        topic: &str,
        payload: Vec<u8>,
        options: Option<&str>,
    ) -> Result<(), Failure> {
        let done = self.published(capability, topic, payload, options).await;
        done.inspect_err(|failure| self.note(capability, failure))
    }

    async fn published(
        &self,
        capability: &str,
        topic: &str,
        payload: Vec<u8>,
        options: Option<&str>,
    ) -> Result<(), Failure> {
        let permit = self.permit(capability)?;
        check_topic(topic).map_err(|error| Failure::Invalid(said("topic", topic, &error)))?;
        let Publishing { qos, retain, timeout, properties } = Publishing::parse(options)?;
        self.no_placeholder(topic.as_bytes())?;
        self.no_placeholder(&payload)?;
        self.no_placeholder(options.unwrap_or_default().as_bytes())?;
        let publication =
            Publication { topic: topic.to_owned(), payload: payload.into(), qos, retain, properties };
        permit.publication(&publication)?;
        let route = &permit.route;
        let (rate, limiter) = &route.rate;
        if limiter.check().is_err() {
            return Err(Failure::TooMuch(format!("more than {rate} is published")));
        }
        let kept = if retain { ", retained" } else { "" };
        let entry =
            self.uses(format!("{} publish {} (QoS {qos}{kept})", route.capability, shortened(topic)))?;
        let mut sent = false;
        let done = self.0.call.in_time(Some(timeout), route.calls.publish(publication, &mut sent)).await;
        let done = done.unwrap_or_else(|cut| Err(Failure::cut_short(cut, "publishing", sent)));
        match &done {
            Ok(()) if qos == Qos::AtMostOnce => entry.end("written"),
            Ok(()) => entry.end("acknowledged"),
            Err(failure) => end(entry, failure),
        }
        done
    }

    /// Listens, and answers when the broker has acknowledged all of the filters.
    pub async fn open(
        &self,
        capability: &str,
        filters: &[String],
        options: Option<&str>,
    ) -> Result<Subscription, Failure> {
        let done = self.opened(capability, filters, options).await;
        done.inspect_err(|failure| self.note(capability, failure))
    }

    async fn opened(
        &self,
        capability: &str,
        filters: &[String],
        options: Option<&str>,
    ) -> Result<Subscription, Failure> {
        let permit = self.permit(capability)?;
        if !(1..=MOST_FILTERS).contains(&filters.len()) {
            return Err(Failure::Invalid(format!(
                "a subscription has 1 to {MOST_FILTERS} filters, and this one has {}",
                filters.len()
            )));
        }
        let parse = |text: &String| {
            self.no_placeholder(text.as_bytes())?;
            Filter::parse(text).map_err(|error| Failure::Invalid(said("filter", text, &error)))
        };
        let filters: BTreeSet<_> = filters.iter().map(parse).collect::<Result<_, _>>()?;
        let how = Opening::parse(options)?;
        filters.iter().try_for_each(|filter| permit.filter(filter, how.qos))?;
        let room = Arc::clone(&self.0.open).try_acquire_owned().map_err(|_| {
            Failure::TooMuch(format!(
                "{MOST_AT_ONCE} subscriptions of this call are open, and it may have no more"
            ))
        })?;
        let route: &Route = &permit.route;
        let texts: Vec<_> = filters.iter().map(|filter| shortened(&filter.to_string())).collect();
        let entry = self.uses(format!("{} subscribe {}", route.capability, texts.join(", ")))?;
        let opening = route.calls.open(filters.into_iter().collect(), how);
        let done = self.0.call.in_time(Some(how.timeout), opening).await;
        match done.unwrap_or_else(|cut| Err(Failure::cut_short(cut, "subscribing", false))) {
            Ok(reader) => {
                entry.end("subscribed");
                Ok(Subscription { session: self.clone(), reader, _room: room })
            }
            Err(failure) => {
                end(entry, &failure);
                Err(failure)
            }
        }
    }

    fn permit(&self, capability: &str) -> Result<Permit<'_>, Failure> {
        let asker = Asker { granted: &self.0.call.granted, policy: &self.0.call.policy };
        asker.route(&self.0.routes, capability).map_err(Failure::Refused)
    }

    /// Something is about to be asked of a broker: into the call's record, and where that has no room, into the log.
    fn uses(&self, what: String) -> Result<UsedEntry<'_>, Failure> {
        if self.0.used.fetch_add(1, Ordering::Relaxed) >= MOST_USED {
            return Err(Failure::TooMuch(format!(
                "one call publishes and subscribes at most {MOST_USED} times"
            )));
        }
        let call = &self.0.call;
        let entry = call.used.begin(what.as_str());
        if entry.is_beyond() {
            tracing::info!(
                call = %call.id, binding = %call.binding, principal = %call.principal,
                used = %call.secrets.hide(&what),
                "more than the record has room for"
            );
        }
        Ok(entry)
    }

    /// Refuses to publish what stands for a secret argument: everybody who listens would be told it, and it is good for
    /// nothing.
    fn no_placeholder(&self, bytes: &[u8]) -> Result<(), Failure> {
        if !self.0.call.secrets.finds(bytes) {
            return Ok(());
        }
        let why = "the placeholder of a secret argument in what is published or listened to";
        Err(Failure::Refused(Refusal::new("placeholder", why)))
    }

    /// Tells the operator how something failed, who alone learns which rule it was.
    fn note(&self, capability: &str, failure: &Failure) {
        let call = &self.0.call;
        let refusal = match failure {
            Failure::Refused(refusal) => refusal.clone(),
            Failure::Unconnected(failed) => match self.for_the_operator(capability, &failed.0) {
                Some(refusal) => refusal,
                None => {
                    tracing::info!(call = %call.id, binding = %call.binding, why = %failed, "no connection to a broker");
                    return;
                }
            },
            Failure::TooMuch(why) | Failure::TooLarge(why) => {
                Refusal::new("limit", format!("{capability}: {why}"))
            }
            Failure::Broker { .. } => Refusal::new("broker", format!("{capability}: {failure}")),
            _ => {
                let said = failure.to_string();
                let why = call.secrets.hide(&said);
                tracing::debug!(call = %call.id, binding = %call.binding, %why, "MQTT failed");
                return;
            }
        };
        self.0.refusals.note(call, &refusal, "MQTT refused");
    }

    /// The rule and the line for what an operator has to settle. None: the broker's own trouble.
    fn for_the_operator(&self, capability: &str, failed: &ConnectFailed) -> Option<Refusal> {
        let route = self.0.routes.granted.iter().find(|route| route.capability == capability)?;
        let refusal = |rule| Refusal::new(rule, format!("{capability}: {failed}"));
        Some(match failed {
            ConnectFailed::Unreached(Unreached::Blocked { blocked, .. }) => match blocked.opening() {
                Some(opening) => {
                    refusal("address").allowed_by(format!("[{}] networks = [… \"{opening}\"]", route.grant))
                }
                None => refusal("address"),
            },
            ConnectFailed::Plaintext { .. } => refusal("plaintext"),
            ConnectFailed::Tls { error, .. } if error.is_unknown_authority() => {
                let line = format!("[{}] ca = \"…\", the file with its authority's certificate", route.grant);
                refusal("tls").allowed_by(line)
            }
            ConnectFailed::Tls { .. } => refusal("tls"),
            ConnectFailed::Credential(_) => refusal("credential"),
            ConnectFailed::Mqtt { broke: Broke::Refused(_), .. } => refusal("login"),
            ConnectFailed::Mqtt { broke: Broke::TooLarge(_), .. } => {
                refusal("limit").allowed_by(format!("[{}] message = \"…\"", route.grant))
            }
            _ => return None,
        })
    }
}

impl Subscription {
    /// The next message, waiting no longer than this.
    pub async fn read(&self, timeout: Duration) -> Result<Heard, Failure> {
        match self.session.0.call.in_time(Some(timeout), self.reader.inbox.next()).await {
            Ok(heard) => heard,
            Err(CutShort::Time) => Ok(Heard::TimedOut),
            Err(cut) => Err(Failure::cut_short(cut, "listening", false)),
        }
    }
}

fn said(what: &str, text: &str, error: &crate::filter::NotATopic) -> String {
    format!("the {what} {}: {error}", quoted(&shortened(text)))
}

/// How it failed, into the record.
fn end(entry: UsedEntry<'_>, failure: &Failure) {
    let guest = failure.guest();
    let arrived = if guest.sent { ", and may have arrived" } else { "" };
    entry.end(format!("failed: {}{arrived}", guest.code));
}
