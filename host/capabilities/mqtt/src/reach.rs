//! A tool's part of what its plugin was granted: `reach = { "mqtt.broker" = { … } }`, and what an event listens to.

use std::any::Any;

use fleetgate_core::capability::Reach;
use fleetgate_core::diagnostic::TableReader;

use crate::filter::Filters;
use crate::qos::Qos;
use crate::request::MqttRequest;
use crate::topics::Topics;

/// A parsed entry. What is not named is not narrowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MqttReach {
    /// Named here, they are also what a read-only tool may publish to.
    pub(crate) publish: Option<Filters>,
    pub(crate) subscribe: Option<Filters>,
    /// The most. 1 where it is not named, as in a grant.
    pub(crate) qos: Qos,
}

impl MqttReach {
    pub(crate) fn read(table: &mut TableReader<'_>, request: &MqttRequest) -> Option<Self> {
        // Which broker it will be is not known here; what its grant says of it counts when something is done.
        let narrower = |table: &mut TableReader<'_>, key: &str, asked: &Filters| {
            Filters::read_narrower(table, key, asked, Filters::MOST_ASKED, Topics::Mqtt)
        };
        let publish = narrower(table, "publish", &request.publish);
        let subscribe = narrower(table, "subscribe", &request.subscribe);
        let qos = Qos::read(table).unwrap_or_default();
        (!table.failed()).then_some(Self { publish, subscribe, qos })
    }

    /// The same as the core hands it back.
    pub(crate) fn of(reach: &dyn Reach) -> Option<&Self> {
        (reach as &dyn Any).downcast_ref()
    }
}

impl Reach for MqttReach {
    fn widens(&self, old: &dyn Reach) -> Vec<String> {
        let Some(old) = Self::of(old) else {
            return vec![self.describe()];
        };
        let mut more = Vec::new();
        match (&self.publish, &old.publish) {
            (None, Some(_)) => more.push("publishing to every topic that is granted".to_owned()),
            // A read-only tool could publish nothing before.
            (Some(new), None) => more.push(format!("publishing to {new}, where the tool is read-only")),
            (Some(new), Some(old)) => {
                more.extend(old.beyond(new).into_iter().map(|filter| format!("publishing to {filter}")));
            }
            (None, None) => {}
        }
        match (&self.subscribe, &old.subscribe) {
            (None, Some(_)) => more.push("listening to every topic that is granted".to_owned()),
            (Some(new), Some(old)) => {
                more.extend(old.beyond(new).into_iter().map(|filter| format!("listening to {filter}")));
            }
            (_, None) => {}
        }
        if self.qos > old.qos {
            more.push(format!("QoS {}", self.qos));
        }
        more
    }

    fn describe(&self) -> String {
        let words = |filters: &Option<Filters>| {
            filters.as_ref().map_or_else(|| "what is granted".to_owned(), Filters::to_string)
        };
        format!(
            "publishing to {}, listening to {}, QoS {} at most",
            words(&self.publish),
            words(&self.subscribe),
            self.qos
        )
    }
}
