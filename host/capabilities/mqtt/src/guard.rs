//! The decision: may this call publish this, and may it listen to that.
//!
//! [`Asker::route`] finds the grant; [`Permit::publication`] and [`Permit::filter`] are the places where it is taken, for
//! every message and every filter of every guest. It is the intersection of what the manifest asks for, what the
//! operator granted and what the tool may use. A topic must be taken by each of them; a filter must be *covered* by each,
//! so that no wildcard reaches beyond. And it must be to the broker what it is here.

use std::collections::BTreeSet;
use std::sync::Arc;

use fleetgate_core::capability::Refusal;
use fleetgate_core::diagnostic::quoted;
use fleetgate_core::sandbox::CallPolicy;
use fleetgate_core::units::format_size;

use crate::failure::Failure;
use crate::filter::{Filter, Filters};
use crate::message::Publication;
use crate::qos::Qos;
use crate::reach::MqttReach;
use crate::route::{Route, Routes};

/// What is shown of a topic or filter in the record, in characters.
const SHOWN: usize = 200;

/// Whose request it is.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) granted: &'a BTreeSet<String>,
    pub(crate) policy: &'a CallPolicy,
}

/// A grant that a call may use, and its tool's part.
pub(crate) struct Permit<'a> {
    pub(crate) route: Arc<Route>,
    policy: &'a CallPolicy,
    reach: Option<&'a MqttReach>,
}

impl<'a> Asker<'a> {
    /// The grant behind a name.
    pub(crate) fn route(self, routes: &Routes, capability: &str) -> Result<Permit<'a>, Refusal> {
        let tried = quoted(&shortened(capability));
        let Some(route) = routes.granted.iter().find(|route| route.capability == capability) else {
            return Err(match routes.missing.iter().find(|(name, _)| name == capability) {
                Some((_, key)) => Refusal::new("grant", format!("{tried}: asked for and not granted"))
                    .allowed_by(format!("[{key}] with a url, publish and subscribe")),
                None => Refusal::new("grant", format!("{tried}: the plugin does not ask for it")),
            });
        };
        if !self.granted.contains(capability) {
            return Err(Refusal::new("grant", format!("{tried}: not granted to this call")));
        }
        let reach = self.policy.reach.get(capability).and_then(|reach| MqttReach::of(&**reach));
        Ok(Permit { route: Arc::clone(route), policy: self.policy, reach })
    }
}

impl Permit<'_> {
    /// Whether the call may publish this.
    pub(crate) fn publication(&self, publication: &Publication) -> Result<(), Failure> {
        let Route { capability, grant, request, limits, .. } = &*self.route;
        let Publication { topic, payload, qos, retain, properties } = publication;
        let tried = format!("{capability}: publishing to {}", quoted(&shortened(topic)));
        let reach = self.reach.and_then(|reach| reach.publish.as_ref());
        if !self.policy.may_act(capability, "publish") && reach.is_none() {
            return Err(Failure::Refused(self.policy.cannot_act(&tried, capability, "publish")));
        }
        let takes = |filters: &Filters| filters.take(topic);
        self.intersection(&tried, takes, [&request.publish, &self.route.publish], reach, || {
            format!("[{grant}] publish = [… {topic:?}]")
        })?;
        self.as_it_stands(&tried, topic)?;
        self.qos(&tried, *qos)?;
        if *retain && !limits.retain {
            let refusal = Refusal::new("retain", format!("{tried}, to be kept by the broker"));
            return Err(Failure::Refused(refusal.allowed_by(format!("[{grant}] retain = true"))));
        }
        if payload.len() as u64 > limits.payload {
            return Err(Failure::TooLarge(format!(
                "the payload has {} bytes, and a publication at most {}",
                payload.len(),
                format_size(limits.payload)
            )));
        }
        // Whoever answers there is to be heard by this call, and by nobody else.
        if let Some(response) = &properties.response_topic {
            let tried = format!("{tried} with answers at {}", quoted(&shortened(response)));
            let reach = self.reach.and_then(|reach| reach.subscribe.as_ref());
            let takes = |filters: &Filters| filters.take(response);
            self.intersection(&tried, takes, [&request.subscribe, &self.route.subscribe], reach, || {
                format!("[{grant}] subscribe = [… {response:?}]")
            })?;
            self.as_it_stands(&tried, response)?;
        }
        Ok(())
    }

    /// Whether the call may listen to this.
    pub(crate) fn filter(&self, filter: &Filter, qos: Qos) -> Result<(), Failure> {
        let Route { capability, grant, request, .. } = &*self.route;
        let text = filter.to_string();
        let tried = format!("{capability}: listening to {}", quoted(&shortened(&text)));
        let reach = self.reach.and_then(|reach| reach.subscribe.as_ref());
        let covers = |filters: &Filters| filters.cover(filter);
        self.intersection(&tried, covers, [&request.subscribe, &self.route.subscribe], reach, || {
            format!("[{grant}] subscribe = [… {text:?}]")
        })?;
        self.as_it_stands(&tried, &text)?;
        self.qos(&tried, qos)
    }

    fn intersection(
        &self,
        tried: &str,
        within: impl Fn(&Filters) -> bool,
        [asked, granted]: [&Filters; 2],
        reach: Option<&Filters>,
        line: impl Fn() -> String,
    ) -> Result<(), Failure> {
        let refused = |rule, why: String| Refusal::new(rule, format!("{tried}: {why}"));
        let refusal = if !within(asked) {
            refused("manifest-topic", format!("the manifest asks for {asked} only"))
        } else if !within(granted) {
            refused("grant-topic", format!("the grant allows {granted} only")).allowed_by(line())
        } else if let Some(reach) = reach.filter(|reach| !within(reach)) {
            refused("reach-topic", format!("the tool's reach is {reach}"))
        } else {
            return Ok(());
        };
        Err(Failure::Refused(refusal))
    }

    /// Whether the broker acts upon the text that was judged, and on no other.
    fn as_it_stands(&self, tried: &str, text: &str) -> Result<(), Failure> {
        let Route { grant, limits, .. } = &*self.route;
        limits.topics.check(text).map_err(|misread| {
            let why = format!("{tried}: with topics = \"{}\" {misread}", limits.topics);
            let line = format!("[{grant}] topics = \"mqtt\", if this broker is none of RabbitMQ's kind");
            Failure::Refused(Refusal::new("broker-topic", why).allowed_by(line))
        })
    }

    fn qos(&self, tried: &str, qos: Qos) -> Result<(), Failure> {
        let Route { grant, limits, .. } = &*self.route;
        if qos > limits.qos {
            let refusal =
                Refusal::new("qos", format!("{tried} with QoS {qos}: the grant allows {}", limits.qos));
            return Err(Failure::Refused(refusal.allowed_by(format!("[{grant}] qos = {qos}"))));
        }
        match self.reach.filter(|reach| qos > reach.qos) {
            Some(reach) => {
                let why = format!("{tried} with QoS {qos}: the tool's reach is {}", reach.qos);
                Err(Failure::Refused(Refusal::new("reach-qos", why)))
            }
            None => Ok(()),
        }
    }
}

/// So much of a text as is shown.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
