//! Sections, entries and settings, and which of them there are.

use std::collections::BTreeMap;

/// Whether a section has entries, and which settings there are, with their values.
type Section = (bool, Vec<(&'static str, &'static str)>);

/// What may be set.
#[derive(Debug)]
pub(super) struct Schema {
    sections: BTreeMap<&'static str, Section>,
}

impl Schema {
    /// Reads it from lines of `section | + | setting:values …`.
    pub(super) fn read(text: &'static str) -> Self {
        let mut sections = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut parts = line.split('|').map(str::trim);
            let (Some(name), Some(lists), Some(settings)) = (parts.next(), parts.next(), parts.next()) else {
                continue;
            };
            let settings =
                settings.split_whitespace().filter_map(|setting| setting.split_once(':')).collect();
            sections.insert(name, (lists == "+", settings));
        }
        Self { sections }
    }

    /// A section by its words. An error is the word that leads nowhere.
    pub(super) fn section(&self, text: &str) -> Result<String, String> {
        match self.sections.contains_key(text) {
            true => Ok(text.to_owned()),
            false => self.beginning(text).and(Err("end".to_owned())),
        }
    }

    /// Words that begin some section. An error is the word that leads nowhere.
    pub(super) fn beginning(&self, text: &str) -> Result<String, String> {
        let mut begin = String::new();
        for word in text.split_whitespace() {
            let longer = if begin.is_empty() { word.to_owned() } else { format!("{begin} {word}") };
            let begins = format!("{longer} ");
            if !self.sections.keys().any(|name| *name == longer || name.starts_with(&begins)) {
                return Err(word.to_owned());
            }
            begin = longer;
        }
        Ok(begin)
    }

    /// Whether a section has entries.
    pub(super) fn lists(&self, section: &str) -> bool {
        self.sections.get(section).is_some_and(|(lists, _)| *lists)
    }

    /// Whether a section has a setting.
    pub(super) fn knows(&self, section: &str, name: &str) -> bool {
        self.sections.get(section).is_some_and(|(_, settings)| settings.iter().any(|(own, _)| *own == name))
    }

    /// Whether a setting takes these values. An error is what the firewall says.
    pub(super) fn check(&self, section: &str, name: &str, values: &[String]) -> Result<(), String> {
        let setting = self
            .sections
            .get(section)
            .and_then(|(_, settings)| settings.iter().find(|(own, _)| *own == name).map(|(_, takes)| *takes));
        let Some(takes) = setting else {
            return Err(format!("\ncommand parse error before '{name}'\nCommand fail. Return code -61\n"));
        };
        let Some(first) = values.first() else {
            return Err("\nincomplete command in the end\nCommand fail. Return code -160\n".to_owned());
        };
        let wrong = |value: &str| {
            Err(format!("\nvalue parse error before '{value}'\nCommand fail. Return code -651\n"))
        };
        match takes {
            "1" if values.len() > 1 => {
                Err(format!("\ncommand parse error before '{}'\nCommand fail. Return code -61\n", values[1]))
            }
            "1" | "*" => Ok(()),
            "n" if first.parse::<u32>().is_ok() => Ok(()),
            "n" => Err(format!(
                "\ninvalid unsigned integer value: {first}\n\nvalue parse error before '{first}'\nCommand fail. Return \
                 code -651\n"
            )),
            "a" => {
                let address = |value: &String| {
                    let bare = value.split('/').next().unwrap_or_default();
                    bare.parse::<std::net::Ipv4Addr>().is_ok()
                };
                match values.iter().find(|value| !address(value)) {
                    Some(value) => Err(format!(
                        "\ninvalid ip address\n\nvalue parse error before '{value}'\nCommand fail. Return code -8\n"
                    )),
                    None => Ok(()),
                }
            }
            choices if choices.split(',').any(|choice| choice == first) => Ok(()),
            _ => wrong(first),
        }
    }
}

type Settings = Vec<(String, String)>;
type Entries = Vec<(String, Settings)>;

/// The settings of all sections, and of their entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Store {
    sections: Vec<(String, Settings, Entries)>,
}

impl Store {
    /// Reads a configuration.
    pub(super) fn read(text: &str) -> Self {
        let mut store = Self::default();
        let (mut section, mut entry) = (String::new(), None);
        for line in text.lines() {
            let words = words(line);
            match words.first().map(String::as_str) {
                Some("config") => section = words[1..].join(" "),
                Some("edit") => entry = Some(store.edit(&section, &words[1])),
                Some("set") => store.set(&section, entry.as_deref(), &words[1], &words[2..].join(" ")),
                Some("next") => entry = None,
                _ => {}
            }
        }
        store
    }

    fn section_mut(&mut self, name: &str) -> &mut (String, Settings, Vec<(String, Settings)>) {
        let at = self.sections.iter().position(|(own, _, _)| own == name).unwrap_or_else(|| {
            self.sections.push((name.to_owned(), Vec::new(), Vec::new()));
            self.sections.len() - 1
        });
        &mut self.sections[at]
    }

    fn settings_mut(&mut self, section: &str, entry: Option<&str>) -> &mut Settings {
        let (_, own, entries) = self.section_mut(section);
        match entry.and_then(|entry| entries.iter().position(|(name, _)| name == entry)) {
            Some(at) => &mut entries[at].1,
            None => own,
        }
    }

    /// Opens an entry, which is made if there is none, and gives its name as it is shown.
    pub(super) fn edit(&mut self, section: &str, name: &str) -> String {
        let bare = name.trim_matches('"');
        let shown = if bare.parse::<u32>().is_ok() { bare.to_owned() } else { format!("\"{bare}\"") };
        let (_, _, entries) = self.section_mut(section);
        if !entries.iter().any(|(own, _)| *own == shown) {
            entries.push((shown.clone(), Vec::new()));
        }
        shown
    }

    /// Takes an entry out. False: there is none.
    pub(super) fn delete(&mut self, section: &str, name: &str) -> bool {
        let (_, _, entries) = self.section_mut(section);
        let before = entries.len();
        entries.retain(|(own, _)| own.trim_matches('"') != name.trim_matches('"'));
        entries.len() < before
    }

    pub(super) fn set(&mut self, section: &str, entry: Option<&str>, name: &str, value: &str) {
        let settings = self.settings_mut(section, entry);
        match settings.iter_mut().find(|(own, _)| own == name) {
            Some((_, own)) => value.clone_into(own),
            None => settings.push((name.to_owned(), value.to_owned())),
        }
    }

    pub(super) fn unset(&mut self, section: &str, entry: Option<&str>, name: &str) {
        self.settings_mut(section, entry).retain(|(own, _)| own != name);
    }

    /// The value of a setting.
    pub(super) fn value(&self, section: &str, entry: Option<&str>, name: &str) -> Option<String> {
        let (_, own, entries) = self.sections.iter().find(|(own, _, _)| own == section)?;
        let settings = match entry {
            Some(entry) => &entries.iter().find(|(name, _)| name == entry)?.1,
            None => own,
        };
        settings.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone())
    }

    /// The configuration, or one section of it, or one entry.
    pub(super) fn show(&self, below: Option<&str>, only: Option<&str>) -> String {
        let mut text = String::new();
        for (name, own, entries) in &self.sections {
            let wanted = below.is_none_or(|below| name == below || name.starts_with(&format!("{below} ")));
            if !wanted {
                continue;
            }
            text.push_str(&format!("config {name}\n"));
            own.iter().for_each(|(name, value)| text.push_str(&format!("    set {name} {value}\n")));
            for (entry, settings) in entries.iter().filter(|(entry, _)| only.is_none_or(|only| entry == only))
            {
                text.push_str(&format!("    edit {entry}\n"));
                settings
                    .iter()
                    .for_each(|(name, value)| text.push_str(&format!("        set {name} {value}\n")));
                text.push_str("    next\n");
            }
            text.push_str("end\n");
        }
        text
    }
}

/// Words, with what stands in quotes as one of them.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut quoted, mut inside) = (false, false);
    for letter in line.trim().chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => {
                inside = false;
                continue;
            }
            _ => {}
        }
        match words.last_mut().filter(|_| inside) {
            Some(word) => word.push(letter),
            None => words.push(letter.to_string()),
        }
        inside = true;
    }
    words
}
