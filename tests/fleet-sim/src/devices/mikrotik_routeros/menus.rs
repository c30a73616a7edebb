//! The tree of menus, and what stands in each: lists of items with properties, and menus that are one item.

use std::collections::BTreeMap;

/// What a menu may hold.
#[derive(Debug, Clone)]
struct Kind {
    needed: Vec<&'static str>,
    others: Vec<&'static str>,
    single: bool,
}

/// One item: its properties in the order in which they were set.
pub(super) type Item = Vec<(String, String)>;

/// All menus with their items.
#[derive(Debug, Clone)]
pub(super) struct Menus {
    kinds: BTreeMap<&'static str, Kind>,
    items: BTreeMap<&'static str, Vec<Item>>,
}

impl Menus {
    /// The menus with what an export puts into them.
    pub(super) fn new(export: &str) -> Self {
        let mut kinds = BTreeMap::new();
        let lines = include_str!("menus.txt").lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            let mut parts = line.split('|');
            let path = parts.next().unwrap_or_default().trim();
            let words = |part: Option<&'static str>| part.unwrap_or_default().split_whitespace().collect();
            let kind = Kind {
                needed: words(parts.next()),
                others: words(parts.next()),
                single: path.ends_with('!'),
            };
            kinds.insert(path.trim_end_matches([' ', '!']), kind);
        }
        let mut menus = Self { kinds, items: BTreeMap::new() };
        let mut menu = String::new();
        for line in export.lines() {
            match line.split_once(' ') {
                None => menu = line.to_owned(),
                Some((verb, rest)) => {
                    let done = match verb {
                        "add" => menus.add(&menu, properties(rest)),
                        _ => menus.set(&menu, &Which::All, properties(rest)),
                    };
                    debug_assert!(done.is_ok(), "{line}: {done:?}");
                }
            }
        }
        menus
    }

    /// Whether a path is a menu or leads to one.
    pub(super) fn leads_on(&self, path: &str, more: &[&'static str]) -> bool {
        let begin = format!("{path}/");
        path.is_empty() || self.kinds.keys().chain(more).any(|menu| *menu == path || menu.starts_with(&begin))
    }

    pub(super) fn is_menu(&self, path: &str) -> bool {
        self.kinds.contains_key(path)
    }

    pub(super) fn is_single(&self, path: &str) -> bool {
        self.kinds.get(path).is_some_and(|kind| kind.single)
    }

    pub(super) fn items(&self, path: &str) -> &[Item] {
        self.items.get(path).map(Vec::as_slice).unwrap_or_default()
    }

    fn check(&self, path: &str, given: &Item) -> Result<(&'static str, &Kind), String> {
        let Some((path, kind)) = self.kinds.get_key_value(path) else {
            return Err("no such menu".to_owned());
        };
        for (name, value) in given {
            if !kind.needed.contains(&name.as_str()) && !kind.others.contains(&name.as_str()) {
                return Err(format!("expected end of command ({name})"));
            }
            let names = self.items("/interface/ethernet").iter();
            let mut names = names.chain(self.items("/interface/bridge")).chain(self.items("/interface/vlan"));
            if name == "interface" && !names.any(|item| property(item, "name") == Some(value)) {
                return Err("input does not match any value of interface".to_owned());
            }
            if matches!(name.as_str(), "address" | "dst-address") && *path != "/user" && !is_prefix(value) {
                return Err(format!("value of {name} expects IP address/mask"));
            }
            if name == "vlan-id" && !value.parse().is_ok_and(|id: u16| (1..=4094).contains(&id)) {
                return Err("value of vlan-id out of range (1..4094)".to_owned());
            }
        }
        Ok((*path, kind))
    }

    /// Adds an item. An error is what the router says.
    pub(super) fn add(&mut self, path: &str, given: Item) -> Result<(), String> {
        let (path, kind) = self.check(path, &given)?;
        if let Some(missing) = kind.needed.iter().find(|name| property(&given, name).is_none()) {
            return Err(format!("missing value(s) of argument(s) {missing}"));
        }
        let same = |item: &Item, name: &str| property(item, name) == property(&given, name);
        if path == "/ip/address"
            && self.items(path).iter().any(|item| same(item, "address") && same(item, "interface"))
        {
            return Err("failure: already have such address".to_owned());
        }
        let named = property(&given, "name").is_some();
        if named && self.items(path).iter().any(|item| same(item, "name")) {
            return Err("failure: already have item with such name".to_owned());
        }
        self.items.entry(path).or_default().push(given);
        Ok(())
    }

    /// Sets properties of items. An error is what the router says.
    pub(super) fn set(&mut self, path: &str, which: &Which, given: Item) -> Result<(), String> {
        let (path, kind) = self.check(path, &given)?;
        let single = kind.single;
        let items = self.items.entry(path).or_default();
        if single && items.is_empty() {
            items.push(Item::new());
        }
        let chosen = if single { vec![0] } else { which.choose(items)? };
        for at in chosen {
            for (name, value) in &given {
                match items[at].iter_mut().find(|(own, _)| own == name) {
                    Some((_, own)) => own.clone_from(value),
                    None => items[at].push((name.clone(), value.clone())),
                }
            }
        }
        Ok(())
    }

    /// Takes items away. An error is what the router says.
    pub(super) fn remove(&mut self, path: &str, which: &Which) -> Result<(), String> {
        let (path, _) = self.check(path, &Item::new())?;
        let items = self.items.entry(path).or_default();
        let mut chosen = which.choose(items)?;
        chosen.sort_unstable();
        for at in chosen.into_iter().rev() {
            items.remove(at);
        }
        Ok(())
    }

    /// The configuration below a path, as `export` says it.
    pub(super) fn export(&self, below: &str) -> String {
        let mut text = String::new();
        for (path, items) in &self.items {
            if items.is_empty()
                || !(below.is_empty() || *path == below || path.starts_with(&format!("{below}/")))
            {
                continue;
            }
            text.push_str(&format!("/{}\n", path[1..].replace('/', " ")));
            let verb = if self.is_single(path) { "set" } else { "add" };
            for item in items {
                let mut sorted = item.clone();
                sorted.sort();
                let shown = sorted.iter().filter(|(name, _)| name != "password");
                let shown: Vec<String> =
                    shown.map(|(name, value)| format!("{name}={}", quoted(value))).collect();
                text.push_str(&format!("{verb} {}\n", shown.join(" ")));
            }
        }
        text
    }
}

/// Which items a command is about.
#[derive(Debug)]
pub(super) enum Which {
    All,
    /// By number or name.
    Named(Vec<String>),
    /// `[find name=value]`.
    Find(Item),
}

impl Which {
    fn choose(&self, items: &[Item]) -> Result<Vec<usize>, String> {
        match self {
            Self::All => Ok((0..items.len()).collect()),
            Self::Find(wanted) => {
                let fits =
                    |item: &Item| wanted.iter().all(|(name, value)| property(item, name) == Some(value));
                Ok((0..items.len()).filter(|at| fits(&items[*at])).collect())
            }
            Self::Named(names) => names
                .iter()
                .map(|name| match name.parse::<usize>() {
                    Ok(number) if number < items.len() => Ok(number),
                    _ => items
                        .iter()
                        .position(|item| property(item, "name") == Some(name))
                        .ok_or_else(|| "no such item".to_owned()),
                })
                .collect(),
        }
    }
}

pub(super) fn property<'a>(item: &'a Item, name: &str) -> Option<&'a String> {
    item.iter().find(|(own, _)| own == name).map(|(_, value)| value)
}

/// `name=value` pairs; a value with blanks stands in quotes.
pub(super) fn properties(text: &str) -> Item {
    words(text)
        .into_iter()
        .filter_map(|(_, word)| {
            let (name, value) = word.split_once('=')?;
            Some((name.to_owned(), value.trim_matches('"').to_owned()))
        })
        .collect()
}

/// Words with where they begin; quotes and brackets keep blanks together.
pub(super) fn words(text: &str) -> Vec<(usize, String)> {
    let mut words: Vec<(usize, String)> = Vec::new();
    let (mut quoted, mut depth, mut inside) = (false, 0_usize, false);
    for (at, letter) in text.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            ' ' if !quoted && depth == 0 => {
                inside = false;
                continue;
            }
            _ => {}
        }
        match words.last_mut().filter(|_| inside) {
            Some((_, word)) => word.push(letter),
            None => words.push((at, letter.to_string())),
        }
        inside = true;
    }
    words
}

fn quoted(value: &str) -> String {
    match value.contains([' ', '=', ';']) {
        true => format!("\"{value}\""),
        false => value.to_owned(),
    }
}

fn is_prefix(value: &str) -> bool {
    let (address, length) = value.split_once('/').unwrap_or((value, "32"));
    address.parse::<std::net::Ipv4Addr>().is_ok() && length.parse::<u8>().is_ok_and(|length| length <= 32)
}
