//! Topics and topic filters, by MQTT's own rules (MQTT 3.1.1 and 5, section 4.7).
//!
//! A topic is levels between slashes, any of which may be empty. In a filter, `+` stands for exactly one level and `#`,
//! at the end, for any number of them, none too: `a/#` takes `a`. Neither, as the first level, takes a topic that
//! begins with `$`: those are the broker's own.
//!
//! Two questions are asked of a set of filters. Does it take this topic? And does it cover this filter, that is: does
//! it take every topic that the filter takes? The second is the first, asked of topics whose levels at the filter's
//! wildcards are ones that nobody has named: what takes such a topic has a wildcard there, and takes every other. Only
//! the number of levels remains, and behind the longest filter of the set there are no more differences.
//!
//! Shared subscriptions (`$share/…`, and what brokers have of the same kind) hand each message to one of several
//! readers, so one plugin could take away what another waits for: there are none.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use fleetgate_core::diagnostic::{Misspelt, Spanned, TableReader};

use crate::topics::Topics;

/// The longest topic or filter, in bytes. MQTT has room for 65,535.
const LONGEST: usize = 4096;
/// The most levels. Brokers end a connection that uses more than some 200, and with it everybody's calls.
const MOST_LEVELS: usize = 128;
/// Prefixes of filters that mean something else than a topic: shared by MQTT 5, section 4.8.2, the others by brokers.
const SPECIAL: [&str; 3] = ["$share", "$queue", "$exclusive"];

/// Why a text is no topic, or no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotATopic {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// Too much.
    #[error("it is longer than {LONGEST} bytes, or has more than {MOST_LEVELS} levels")]
    TooLong,
    /// Brokers end connections on these (MQTT 5, section 1.5.4).
    #[error("it holds a control character, or one that Unicode gives to nobody")]
    Character,
    /// A topic is one place.
    #[error("a topic that is published to has no wildcard")]
    Wildcard,
    /// `a+`, `a#`
    #[error("+ and # stand for whole levels")]
    PartOfLevel,
    /// `a/#/b`
    #[error("# stands at the end alone")]
    NotLast,
    /// `$share/…`
    #[error("shared and exclusive subscriptions take messages away from others")]
    Special,
}

impl NotATopic {
    /// What to write instead.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Wildcard => "name the topic itself, like \"site/7/command\"",
            Self::Special => "name the filter behind it: each reader hears every message",
            _ => "write it like \"site/+/state\" or \"site/7/#\"",
        }
    }
}

/// Splits a text into levels where it can be a topic or a filter.
fn levels(text: &str) -> Result<Vec<&str>, NotATopic> {
    if text.is_empty() {
        return Err(NotATopic::Empty);
    }
    let levels: Vec<_> = text.split('/').collect();
    if text.len() > LONGEST || levels.len() > MOST_LEVELS {
        return Err(NotATopic::TooLong);
    }
    if text.contains(ends_connections) {
        return Err(NotATopic::Character);
    }
    Ok(levels)
}

/// Whether brokers may end a connection on this character, wherever it stands in a text of MQTT, and with it everybody's
/// calls: controls, and what Unicode gives to nobody (MQTT 5, section 1.5.4).
pub(crate) fn ends_connections(c: char) -> bool {
    c.is_control() || matches!(u32::from(c), 0xfdd0..=0xfdef) || u32::from(c) & 0xfffe == 0xfffe
}

/// A topic that may be published to.
pub fn check_topic(text: &str) -> Result<(), NotATopic> {
    levels(text)?;
    if text.contains(['+', '#']) { Err(NotATopic::Wildcard) } else { Ok(()) }
}

/// One level of a filter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Level {
    Named(String),
    /// `+`
    One,
    /// `#`, the last.
    Rest,
}

/// A topic filter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Filter(Vec<Level>);

impl Filter {
    /// Reads a filter.
    pub fn parse(text: &str) -> Result<Self, NotATopic> {
        let levels = levels(text)?;
        if SPECIAL.contains(&levels[0]) {
            return Err(NotATopic::Special);
        }
        let last = levels.len() - 1;
        let level = |(at, level): (usize, &&str)| match *level {
            "+" => Ok(Level::One),
            "#" if at == last => Ok(Level::Rest),
            "#" => Err(NotATopic::NotLast),
            name if name.contains(['+', '#']) => Err(NotATopic::PartOfLevel),
            name => Ok(Level::Named(name.to_owned())),
        };
        Ok(Self(levels.iter().enumerate().map(level).collect::<Result<_, _>>()?))
    }

    /// Whether it takes this topic.
    pub fn takes(&self, topic: &str) -> bool {
        self.takes_levels(topic.split('/').map(Some))
    }

    /// The same for levels, of which None is one that nobody has named.
    fn takes_levels<'a>(&self, topic: impl Iterator<Item = Option<&'a str>>) -> bool {
        let mut own = self.0.iter();
        for (at, level) in topic.enumerate() {
            let brokers = at == 0 && level.is_some_and(|name| name.starts_with('$'));
            match own.next() {
                Some(Level::Named(name)) if level == Some(name.as_str()) => {}
                Some(Level::One) if !brokers => {}
                Some(Level::Rest) => return !brokers,
                _ => return false,
            }
        }
        matches!(own.next(), None | Some(Level::Rest))
    }

    /// What both take, which is a filter again. None: nothing.
    pub fn and(&self, other: &Self) -> Option<Self> {
        let mut both = Vec::new();
        for at in 0.. {
            let level = match (self.0.get(at), other.0.get(at)) {
                (Some(Level::Rest), _) if at > 0 || !other.is_brokers() => {
                    both.extend_from_slice(other.0.get(at..).unwrap_or_default());
                    return Some(Self(both));
                }
                (_, Some(Level::Rest)) if at > 0 || !self.is_brokers() => {
                    both.extend_from_slice(self.0.get(at..).unwrap_or_default());
                    return Some(Self(both));
                }
                (Some(Level::Named(name)), Some(Level::Named(same))) if name == same => {
                    Level::Named(name.clone())
                }
                (Some(Level::One), Some(Level::Named(name)))
                | (Some(Level::Named(name)), Some(Level::One))
                    if at > 0 || !name.starts_with('$') =>
                {
                    Level::Named(name.clone())
                }
                (Some(Level::One), Some(Level::One)) => Level::One,
                (None, None) => return Some(Self(both)),
                _ => return None,
            };
            both.push(level);
        }
        None
    }

    /// Whether it alone takes every topic that the other takes, looked at level by level.
    fn covers(&self, other: &Self) -> bool {
        let any = [Level::One, Level::Rest];
        // `+/#` and `#` are the same, since a topic has a first level.
        let other_levels: &[Level] = if other.0 == [Level::Rest] { &any } else { &other.0 };
        for at in 0.. {
            match (self.0.get(at), other_levels.get(at)) {
                (Some(Level::Rest), _) => return at > 0 || !other.is_brokers(),
                (None, None) => return true,
                (Some(Level::One), Some(Level::One)) => {}
                (Some(Level::One), Some(Level::Named(name))) if at > 0 || !name.starts_with('$') => {}
                (Some(Level::Named(name)), Some(Level::Named(same))) if name == same => {}
                _ => return false,
            }
        }
        false
    }

    /// Whether its first level is one of the broker's.
    fn is_brokers(&self) -> bool {
        matches!(self.0.first(), Some(Level::Named(name)) if name.starts_with('$'))
    }

    /// Whether nothing in it is a wildcard.
    pub fn is_topic(&self) -> bool {
        self.0.iter().all(|level| matches!(level, Level::Named(_)))
    }

    /// The levels of a topic at this filter's wildcards: `acme/d1` of `site/acme/d1/state` for `site/+/+/state`. What
    /// has no wildcard has the topic as it is. The topic is one that it takes.
    pub fn wild_levels<'a>(&self, topic: &'a str) -> Cow<'a, str> {
        if self.is_topic() {
            return topic.into();
        }
        let mut wild = Vec::new();
        let mut levels = topic.splitn(self.0.len(), '/');
        for (level, name) in self.0.iter().zip(levels.by_ref()) {
            if !matches!(level, Level::Named(_)) {
                wild.push(name);
            }
        }
        wild.join("/").into()
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, level) in self.0.iter().enumerate() {
            f.write_str(if at > 0 { "/" } else { "" })?;
            f.write_str(match level {
                Level::Named(name) => name,
                Level::One => "+",
                Level::Rest => "#",
            })?;
        }
        Ok(())
    }
}

/// Some filters: what is asked for, granted or reached. In no order that matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters(Vec<Filter>);

impl Filters {
    /// More than this an operator had better sum up.
    pub const MOST: usize = 256;
    /// The same for an author, who does not name devices.
    pub const MOST_ASKED: usize = 64;
    /// The most filters that an intersection is made of.
    const MOST_BOTH: usize = 1024;

    /// Of these.
    pub fn new(filters: impl IntoIterator<Item = Filter>) -> Self {
        let mut unique: Vec<_> = filters.into_iter().collect();
        unique.sort();
        unique.dedup();
        Self(unique)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Filter> {
        self.0.iter()
    }

    /// Whether nothing is taken.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them takes this topic.
    pub fn take(&self, topic: &str) -> bool {
        self.0.iter().any(|filter| filter.takes(topic))
    }

    /// Whether every topic that `filter` takes is taken by one of them.
    pub fn cover(&self, filter: &Filter) -> bool {
        if self.0.iter().any(|taking| taking.covers(filter)) {
            return true;
        }
        let own = &filter.0;
        let mut named: Vec<_> = own
            .iter()
            .map(|level| match level {
                Level::Named(name) => Some(name.as_str()),
                Level::One | Level::Rest => None,
            })
            .collect();
        // What matches one number of levels is taken by one filter or by none.
        if own.last() != Some(&Level::Rest) {
            return false;
        }
        named.pop();
        let longest = self.0.iter().map(|filter| filter.0.len()).max().unwrap_or(0);
        // Before the slash of `/#` there is no topic: an empty one is none.
        let least = if named == [Some("")] { 2 } else { named.len().max(1) };
        let most = longest.max(named.len()) + 1;
        (least..=most).all(|count| {
            named.resize(count, None);
            self.0.iter().any(|taking| taking.takes_levels(named.iter().copied()))
        })
    }

    /// Those of `other` that are not covered.
    pub fn beyond(&self, other: &Self) -> Vec<Filter> {
        other.0.iter().filter(|filter| !self.cover(filter)).cloned().collect()
    }

    /// What all sets take, without filters that the rest of them cover. This is the intersection of manifest, grant and
    /// reach wherever it has to be had as filters.
    /// None: it would be more filters than anybody means.
    pub fn within<'a>(self, sets: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut filters = self;
        for set in sets {
            let mut all = BTreeSet::new();
            for one in &filters.0 {
                all.extend(set.0.iter().filter_map(|other| one.and(other)));
                if all.len() > Self::MOST_BOTH {
                    return None;
                }
            }
            filters = Self(all.into_iter().collect());
        }
        let mut at = 0;
        while at < filters.0.len() {
            let filter = filters.0.remove(at);
            if !filters.0.iter().any(|other| other.covers(&filter)) {
                filters.0.insert(at, filter);
                at += 1;
            }
        }
        Some(filters)
    }

    /// As it stands in TOML.
    pub fn toml(&self) -> String {
        let quoted: Vec<_> = self.0.iter().map(|filter| format!("{:?}", filter.to_string())).collect();
        format!("[{}]", quoted.join(", "))
    }

    /// Reads a list of filters under this key, if it stands there and is right.
    pub(crate) fn read(table: &mut TableReader<'_>, key: &str, most: usize) -> Option<Vec<Spanned<Filter>>> {
        let filters = table.parsed_strings(key, |text| {
            Filter::parse(text).map_err(|error| Misspelt::new(text, &error, error.help()))
        })?;
        if filters.len() > most {
            table.error_at(key, format!("more than {most} filters"), "sum them up with + or #");
            return None;
        }
        Some(filters)
    }

    /// The same, where each must lie within those that the plugin asks for, and be one to the broker.
    pub(crate) fn read_narrower(
        table: &mut TableReader<'_>,
        key: &str,
        asked: &Self,
        most: usize,
        topics: Topics,
    ) -> Option<Self> {
        let filters = Self::read(table, key, most)?;
        topics.check_granted(table, &filters);
        for filter in filters.iter().filter(|filter: &&Spanned<Filter>| !asked.cover(filter.get_ref())) {
            let help = match asked.is_empty() {
                true => format!("it asks for no {key} at all"),
                false => format!("it asks for {asked}; less may be named here, not more"),
            };
            table.error_at(filter, format!("the plugin does not ask for all of {}", filter.get_ref()), help);
        }
        Some(Self::new(filters.into_iter().map(Spanned::into_inner)))
    }
}

impl fmt::Display for Filters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing");
        }
        let words: Vec<_> = self.0.iter().map(Filter::to_string).collect();
        f.write_str(&words.join(", "))
    }
}

#[cfg(test)]
mod tests;
