//! The words of a rule, and how what was typed fits them.

use super::Grammar;

#[derive(Debug, Clone)]
pub(super) enum Word {
    Keywords(Vec<&'static str>),
    Number(u64, u64),
    Ip,
    Prefix,
    Mac,
    Interface,
    Interfaces,
    Any,
    Line,
}

impl<T: Clone> Grammar<T> {
    pub(super) fn fit(&self, word: &Word, token: &str) -> Fit {
        let value = |fits: bool| if fits { Fit::Value(token.to_owned()) } else { Fit::None };
        match word {
            Word::Keywords(keywords) => {
                let lower = token.to_ascii_lowercase();
                if let Some(exact) = keywords.iter().find(|keyword| keyword.to_ascii_lowercase() == lower) {
                    return Fit::Exact((*exact).to_owned());
                }
                let mut short = keywords.iter().filter(|keyword| keyword.starts_with(&lower));
                match (short.next(), short.next()) {
                    (Some(full), None) => Fit::Short((*full).to_owned()),
                    (Some(_), Some(_)) => Fit::Several,
                    (None, _) => Fit::None,
                }
            }
            Word::Number(least, most) => {
                value(token.parse().is_ok_and(|number: u64| (*least..=*most).contains(&number)))
            }
            Word::Ip => value(token.parse::<std::net::IpAddr>().is_ok()),
            Word::Prefix => value(is_prefix(token)),
            Word::Mac => value(is_mac(token)),
            Word::Interface => self.interface(token).map_or(Fit::None, Fit::Value),
            Word::Interfaces => {
                match token.split(',').map(|one| self.interface(one)).collect::<Option<Vec<_>>>() {
                    Some(names) => Fit::Value(names.join(",")),
                    None => Fit::None,
                }
            }
            Word::Any => value(true),
            Word::Line => Fit::Line,
        }
    }

    /// The full name of an interface, if it is one: `gi0/1` is `GigabitEthernet0/1`.
    pub(crate) fn interface(&self, token: &str) -> Option<String> {
        let number = token.find(|letter: char| letter.is_ascii_digit())?;
        let (kind, number) = token.split_at(number);
        let kind = kind.to_ascii_lowercase();
        let fine = number.chars().all(|letter| letter.is_ascii_digit() || "/.:-".contains(letter));
        let mut fitting = self.kinds.iter().filter(|full| full.to_ascii_lowercase().starts_with(&kind));
        let full = fitting.next().filter(|_| fine && !kind.is_empty())?;
        Some(format!("{full}{number}"))
    }
}

/// How a word fits a token, best last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fit {
    None,
    Line,
    Value(String),
    Several,
    Short(String),
    Exact(String),
}

impl Fit {
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::None => 0,
            Self::Line => 1,
            Self::Value(_) => 2,
            Self::Several | Self::Short(_) => 3,
            Self::Exact(_) => 4,
        }
    }
}

pub(super) fn word(text: &'static str) -> Word {
    if let Some((least, most)) =
        text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).and_then(|text| text.split_once('-'))
    {
        let number = |text: &str| text.parse().expect("a rule's range is of numbers");
        return Word::Number(number(least), number(most));
    }
    match text {
        "WORD" => Word::Any,
        "LINE" => Word::Line,
        "IP" => Word::Ip,
        "PREFIX" => Word::Prefix,
        "MAC" => Word::Mac,
        "IFACE" => Word::Interface,
        "IFACES" => Word::Interfaces,
        keywords => Word::Keywords(keywords.split('|').collect()),
    }
}

/// A rule with and without what stands in brackets.
pub(super) fn variants(text: &'static str) -> Vec<Vec<&'static str>> {
    let mut variants = vec![Vec::new()];
    let mut rest = text;
    while let Some((before, (inside, after))) =
        rest.split_once('[').and_then(|(before, rest)| Some((before, rest.split_once(']')?)))
    {
        let with: Vec<Vec<&'static str>> = variants
            .iter()
            .map(|words| {
                words
                    .iter()
                    .copied()
                    .chain(before.split_whitespace())
                    .chain(inside.split_whitespace())
                    .collect()
            })
            .collect();
        variants.iter_mut().for_each(|words| words.extend(before.split_whitespace()));
        variants.extend(with);
        rest = after;
    }
    variants.iter_mut().for_each(|words| words.extend(rest.split_whitespace()));
    variants
}

pub(super) fn common(keyword: &str, token: &str) -> usize {
    keyword.bytes().zip(token.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
}

fn is_prefix(token: &str) -> bool {
    token.split_once('/').is_some_and(|(address, length)| {
        address.parse::<std::net::IpAddr>().is_ok_and(|address| {
            let most = if address.is_ipv4() { 32 } else { 128 };
            length.parse::<u8>().is_ok_and(|length| length <= most)
        })
    })
}

fn is_mac(token: &str) -> bool {
    let digits = token.chars().filter(char::is_ascii_hexdigit).count();
    digits == 12 && token.chars().all(|letter| letter.is_ascii_hexdigit() || ".:-".contains(letter))
}
