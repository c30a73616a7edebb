//! What a broker takes topics for. Most read them as MQTT writes them. Some keep them as AMQP does (RabbitMQ, LavinMQ):
//! levels lie between dots there, and the wildcard of one level is a star. They turn each `/` into a dot and each `+`
//! into a star, and back when they deliver. A dot or a star that was there before comes out as a slash or a plus: what
//! is published to `site/a.b` arrives as `site/a/b`, and who subscribes to `site/*` hears all of `site/+`.
//!
//! What the host decides about such a text is about another one than the broker acts upon, so at these brokers there is
//! none with a dot or a star. A broker does not say which it is; its operator does.

use std::fmt;

use fleetgate_core::diagnostic::{Spanned, TableReader};

use crate::filter::Filter;

/// As what a broker keeps topics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Topics {
    /// As they are.
    #[default]
    Mqtt,
    /// As routing keys of AMQP.
    Amqp,
}

/// A text that the broker takes for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the broker takes . for / and * for +")]
pub(crate) struct Misread;

impl Topics {
    pub(crate) fn read(table: &mut TableReader<'_>) -> Option<Self> {
        table.enumeration("topics", &[("mqtt", Self::Mqtt), ("amqp", Self::Amqp)])
    }

    /// Whether the broker takes this topic or filter for what it is.
    pub(crate) fn check(self, text: &str) -> Result<(), Misread> {
        if self == Self::Amqp && text.contains(['.', '*']) { Err(Misread) } else { Ok(()) }
    }

    /// Says which of a grant's filters the broker takes for another one.
    pub(crate) fn check_granted(self, table: &mut TableReader<'_>, filters: &[Spanned<Filter>]) {
        for filter in filters {
            let text = filter.get_ref().to_string();
            if let Err(misread) = self.check(&text) {
                table.error_at(
                    filter,
                    format!("{text} cannot be granted with topics = \"{self}\": {misread}"),
                    "write it with / and +, or leave topics out if this broker is none of RabbitMQ's kind",
                );
            }
        }
    }
}

impl fmt::Display for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mqtt => "mqtt",
            Self::Amqp => "amqp",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_broker_of_amqp_takes_for_another_topic_is_none_there() {
        for text in ["site/a.b", ".", "site/*", "*/x", "site/a*b", "a.#", "spBv1.0/acme"] {
            assert_eq!(Topics::Amqp.check(text), Err(Misread), "{text}");
            assert_eq!(Topics::Mqtt.check(text), Ok(()), "{text}");
        }
        for text in ["site/a/b", "site/+/#", "#", "/", "site/a-b_c:d", "$SYS/#"] {
            assert_eq!(Topics::Amqp.check(text), Ok(()), "{text}");
        }
    }
}
