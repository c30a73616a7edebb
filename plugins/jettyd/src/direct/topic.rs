//! Topics: which device one belongs to, and where a device is talked to.
//!
//! A device's topics begin with a prefix of three levels, `jettyd/{tenant_id}/{device_id}` unless the operator says
//! otherwise. Each level is a word, or stands for something; one of them stands for the device.

use fleetgate_sdk::prelude::*;

use crate::reading::shown;
use crate::settings;

/// Levels of a prefix; the manifest's filters have as many.
const LEVELS: usize = 3;
/// The longest topic that a device takes, in bytes.
const LONGEST: usize = 128;

/// What a device says, and what is said to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Telemetry,
    Status,
    Report,
    Alert,
    Command,
    Response,
    Config,
    ConfigAck,
    Desired,
}

impl Channel {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Telemetry, "telemetry"),
        (Self::Status, "status"),
        (Self::Report, "shadow/report"),
        (Self::Alert, "alert"),
        (Self::Command, "command"),
        (Self::Response, "command/response"),
        (Self::Config, "config"),
        (Self::ConfigAck, "config/ack"),
        (Self::Desired, "shadow/desired"),
    ];

    /// What stands behind the prefix.
    pub fn suffix(self) -> &'static str {
        Self::ALL.iter().find(|(channel, _)| *channel == self).map_or("", |(_, suffix)| suffix)
    }

    /// Its topic below a device's prefix.
    pub fn below(self, prefix: &str) -> String {
        format!("{prefix}/{}", self.suffix())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Level {
    Word(String),
    Device,
    /// Something else; the operator may have said what.
    Other {
        name: String,
        is: Option<String>,
    },
}

/// How topics of devices begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    levels: Vec<Level>,
}

/// A topic of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The device.
    pub device: &'a str,
    /// What its topics begin with.
    pub prefix: &'a str,
    /// Which of them it is.
    pub channel: Channel,
}

impl Prefix {
    /// The operator's.
    pub fn chosen() -> Result<Self, Fault> {
        Self::parse(&settings::topic_prefix(), settings::tenant_id())
    }

    fn parse(text: &str, tenant: Option<String>) -> Result<Self, Fault> {
        let wrong = |why: &str| {
            Err(Fault::internal(format!(
                "The setting `topic_prefix` is {text:?}: {why}. Write {LEVELS} levels with {{device_id}} as one of them, like \
                 \"jettyd/{{tenant_id}}/{{device_id}}\"."
            )))
        };
        let mut levels = Vec::new();
        for level in text.trim().trim_end_matches('/').split('/') {
            levels.push(match level.strip_prefix('{').map(|rest| rest.strip_suffix('}')) {
                Some(Some("device_id")) => Level::Device,
                Some(Some(name))
                    if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') =>
                {
                    let is = tenant.clone().filter(|_| name == "tenant_id");
                    Level::Other { name: name.to_owned(), is }
                }
                None if !level.is_empty() && !level.contains(['+', '#', '{', '}']) => {
                    Level::Word(level.to_owned())
                }
                _ => return wrong(&format!("the level {level:?} is neither a word nor a name in braces")),
            });
        }
        if levels.len() != LEVELS {
            return wrong(&format!("it has {} levels", levels.len()));
        }
        if levels.iter().filter(|level| **level == Level::Device).count() != 1 {
            return wrong("no level, or more than one, is {device_id}");
        }
        Ok(Self { levels })
    }

    /// The device and channel of a topic. None: it is none of these.
    pub fn place<'a>(&self, topic: &'a str) -> Option<Place<'a>> {
        let mut device = None;
        let mut rest = topic;
        let mut length = 0;
        for level in &self.levels {
            let (this, behind) = rest.split_once('/')?;
            match level {
                Level::Word(word) if word != this => return None,
                Level::Other { is: Some(is), .. } if is != this => return None,
                Level::Device => device = Some(this),
                Level::Word(_) | Level::Other { .. } => {}
            }
            length += this.len() + 1;
            rest = behind;
        }
        let (channel, _) = Channel::ALL.iter().find(|(_, suffix)| *suffix == rest)?;
        let device = device.filter(|device| !device.is_empty() && !device.chars().any(char::is_control))?;
        Some(Place { device, prefix: &topic[..length - 1], channel: *channel })
    }

    /// What the topics of a device begin with that was never heard. None: that depends on something that nobody said.
    pub fn of(&self, device: &str) -> Option<String> {
        let levels = self.levels.iter().map(|level| match level {
            Level::Word(word) => Some(word.as_str()),
            Level::Device => Some(device),
            Level::Other { is, .. } => is.as_deref(),
        });
        Some(levels.collect::<Option<Vec<_>>>()?.join("/"))
    }

    /// The levels that nobody said anything about.
    pub fn unknown(&self) -> Vec<String> {
        let unknown = |level: &Level| match level {
            Level::Other { name, is: None } => Some(format!("{{{name}}}")),
            _ => None,
        };
        self.levels.iter().filter_map(unknown).collect()
    }
}

/// A device's id becomes a level of a topic, and of nothing else.
pub fn check_device(device: &str) -> Result<(), Fault> {
    if device.is_empty() || device.contains(['/', '+', '#']) || device.chars().any(char::is_control) {
        let message = format!(
            "`{}` cannot be the id of a device: it would be another topic. Give it as list_devices does.",
            shown(device)
        );
        return Err(Fault::invalid("/device_id", message));
    }
    Ok(())
}

/// A device cuts topics and messages that are longer, so they are not sent.
pub fn check_message(topic: &str, payload: &[u8], field: &str) -> Result<(), Fault> {
    if topic.len() > LONGEST {
        let message =
            format!("Its topic would have {} bytes, and devices take {LONGEST} at most.", topic.len());
        return Err(Fault::invalid("/device_id", message));
    }
    let most = settings::max_payload()?;
    if payload.len() > most {
        let message =
            format!("The message would have {} bytes, and devices take {most} at most.", payload.len());
        return Err(Fault::invalid(field, message).detail("bytes", payload.len()).detail("most", most));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        Prefix::parse(text, None).expect("it is a prefix")
    }

    #[test]
    fn a_topic_leads_to_its_device_and_channel() {
        let usual = prefix("jettyd/{tenant_id}/{device_id}");
        let place = usual.place("jettyd/acme/d1/command/response").expect("a device's topic");
        assert_eq!((place.device, place.prefix, place.channel), ("d1", "jettyd/acme/d1", Channel::Response));
        for other in [
            "jettyd/acme/d1",
            "jettyd/acme/d1/",
            "jettyd/acme/d1/firmware",
            "other/acme/d1/telemetry",
            "jettyd/acme//telemetry",
            "jettyd/provision/response/key",
            "jettyd/acme/d1/telemetry/x",
            "",
        ] {
            assert_eq!(usual.place(other), None, "{other}");
        }
        let other = prefix("{site}/{device_id}/iot");
        assert_eq!(
            other.place("berlin/d1/iot/alert").map(|place| (place.device, place.prefix)),
            Some(("d1", "berlin/d1/iot"))
        );
    }

    #[test]
    fn a_tenant_that_the_operator_names_is_the_only_one() {
        let ours = Prefix::parse("jettyd/{tenant_id}/{device_id}", Some("acme".into())).expect("a prefix");
        assert!(ours.place("jettyd/acme/d1/status").is_some());
        assert_eq!(ours.place("jettyd/other/d1/status"), None);
        assert_eq!(ours.of("d1").as_deref(), Some("jettyd/acme/d1"));
        assert_eq!(prefix("jettyd/{tenant_id}/{device_id}").of("d1"), None);
        assert_eq!(prefix("jettyd/{tenant_id}/{device_id}").unknown(), ["{tenant_id}"]);
        assert_eq!(prefix("jettyd/acme/{device_id}").of("d1").as_deref(), Some("jettyd/acme/d1"));
    }

    #[test]
    fn what_is_no_prefix_is_told_to_the_operator() {
        for wrong in [
            "",
            "jettyd",
            "jettyd/{device_id}",
            "jettyd/{tenant_id}/x",
            "a/{device_id}/{device_id}",
            "a/+/{device_id}",
            "a//{device_id}",
            "a/{}/{device_id}",
            "a/b{x}/{device_id}",
            "a/b/c/{device_id}",
            "a/#/{device_id}",
        ] {
            assert!(Prefix::parse(wrong, None).is_err_and(|fault| fault.is("internal")), "{wrong}");
        }
    }

    #[test]
    fn an_id_that_would_be_another_topic_is_refused() {
        for wrong in ["", "a/b", "+", "#", "a\n"] {
            assert_eq!(
                check_device(wrong).expect_err("it is refused").field.as_deref(),
                Some("/device_id"),
                "{wrong:?}"
            );
        }
        assert!(check_device("dev 1 é").is_ok());
    }
}
