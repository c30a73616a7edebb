//! What an author asks for: `[capabilities.mqtt.<name>]`.

use std::any::Any;
use std::collections::BTreeSet;

use fleetgate_core::address::PRIVATE;
use fleetgate_core::capability::Request;
use fleetgate_core::diagnostic::{Spanned, TableReader};

use crate::filter::Filters;

/// A parsed request. The most that may be granted; `#` is whatever the operator grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MqttRequest {
    pub(crate) publish: Filters,
    pub(crate) subscribe: Filters,
}

impl MqttRequest {
    pub(crate) fn read(table: &mut TableReader<'_>) -> Option<Self> {
        let mut filters = |key: &str| {
            let filters = Filters::read(table, key, Filters::MOST_ASKED).unwrap_or_default();
            Filters::new(filters.into_iter().map(Spanned::into_inner))
        };
        let (publish, subscribe) = (filters("publish"), filters("subscribe"));
        if publish.is_empty() && subscribe.is_empty() && !table.failed() {
            table.error(
                "nothing is asked for",
                "say what is published to and listened to: publish = [\"site/+/command\"], subscribe = [\"site/+/state\"]",
            );
        }
        (!table.failed()).then_some(Self { publish, subscribe })
    }
}

impl MqttRequest {
    /// All that it asks for, as lines of a grant.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = [("publish", &self.publish), ("subscribe", &self.subscribe)];
        let lines = lines.into_iter().filter(|(_, filters)| !filters.is_empty());
        lines.map(|(key, filters)| format!("{key} = {}", filters.toml())).collect()
    }
}

impl Request for MqttRequest {
    fn widens(&self, old: &dyn Request) -> Vec<String> {
        let Some(old) = (old as &dyn Any).downcast_ref::<Self>() else {
            return self.describe();
        };
        let publish =
            old.publish.beyond(&self.publish).into_iter().map(|filter| format!("publishing to {filter}"));
        let subscribe = old.subscribe.beyond(&self.subscribe);
        publish.chain(subscribe.into_iter().map(|filter| format!("listening to {filter}"))).collect()
    }

    fn describe(&self) -> Vec<String> {
        vec![format!("publishing to {}, listening to {}", self.publish, self.subscribe)]
    }

    fn granted_alone(&self, from_variables: &BTreeSet<&str>) -> String {
        // Whoever names the broker grants what the plugin asks of it.
        if !from_variables.contains("url") {
            return String::new();
        }
        let mut lines = self.lines();
        lines.push("plaintext = true".to_owned());
        lines.push(format!("networks = {PRIVATE:?}"));
        lines.join("\n")
    }

    fn grant_template(&self) -> String {
        let lines = [
            "url = \"mqtts://broker.example.com:8883\"  # or mqtt, ws, wss".to_owned(),
            "# version = \"5\"  # by default 3.1.1".to_owned(),
            "# networks = [\"10.0.0.0/8\"]  # private addresses that the name may lead to".to_owned(),
            "# ca = \"ca.pem\"  # authorities beside those of the machine".to_owned(),
            "credential = { user = \"…\", password = \"…\" }  # password: the name of a secret from [secrets]".to_owned(),
            format!("publish = {}  # fewer, if you like: your tenant, your site", self.publish.toml()),
            format!("subscribe = {}  # fewer, if you like", self.subscribe.toml()),
            "# topics = \"amqp\"  # RabbitMQ and its kind, who take . for / and * for +: topics with one are refused"
                .to_owned(),
            "# qos = 1  # the most".to_owned(),
            "# retain = true  # publications that the broker keeps".to_owned(),
            "# payload = \"64KiB\"  # the largest publication".to_owned(),
            "# rate = \"50/s\"  # publications".to_owned(),
        ];
        lines.join("\n") + "\n"
    }
}
