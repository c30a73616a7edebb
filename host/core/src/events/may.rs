//! What a handler of events may change, as an operator grants it: `may = ["mqtt.broker:publish", "ssh.devices"]`.

use std::collections::BTreeMap;
use std::fmt;

use crate::diagnostic::{Misspelt, did_you_mean, quoted};

/// By which words each capability that a plugin asks for changes something. None: it changes nothing beyond the host.
pub(crate) type Acts = BTreeMap<String, Option<&'static [&'static str]>>;

/// One entry: `<capability>`, or `<capability>:<act>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct May {
    capability: String,
    /// None: in every way.
    act: Option<&'static str>,
}

impl May {
    pub(super) fn parse(text: &str, acts: &Acts) -> Result<Self, Misspelt> {
        let (capability, act) = match text.split_once(':') {
            Some((capability, act)) => (capability, Some(act)),
            None => (text, None),
        };
        let acting = acts.iter().filter(|(_, acts)| acts.is_some()).map(|(name, _)| name.as_str());
        let words = match acts.get(capability) {
            Some(Some(words)) => *words,
            Some(None) => {
                return Err(Misspelt {
                    message: format!("{} changes nothing beyond the host", quoted(capability)),
                    help: "a handler may use it without being told so: remove this".into(),
                });
            }
            None => {
                let mut help = did_you_mean(capability, acting);
                if help.is_empty() {
                    help = "it asks for nothing by which it could change something: remove this".into();
                }
                let message = format!("the plugin does not ask for {}", quoted(capability));
                return Err(Misspelt { message, help });
            }
        };
        let Some(act) = act else { return Ok(Self { capability: capability.to_owned(), act: None }) };
        match words.iter().find(|word| **word == act) {
            Some(word) => Ok(Self { capability: capability.to_owned(), act: Some(word) }),
            None => Err(Misspelt {
                message: format!("{} is nothing that is done through {capability}", quoted(act)),
                help: match did_you_mean(act, words.iter().copied()) {
                    help if help.is_empty() => format!("write \"{capability}\" alone"),
                    help => help,
                },
            }),
        }
    }

    /// Whether it allows this.
    pub fn covers(&self, capability: &str, act: &str) -> bool {
        self.capability == capability && self.act.is_none_or(|word| word == act)
    }
}

/// How it is written.
impl fmt::Display for May {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.act {
            Some(act) => write!(f, "{}:{act}", self.capability),
            None => f.write_str(&self.capability),
        }
    }
}
