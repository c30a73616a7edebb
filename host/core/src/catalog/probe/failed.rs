//! What can be wrong with what a component lists.

use std::fmt;

use super::super::parts::PartRefused;
use super::front_matter::FrontMatterRefused;
use super::{MAX_SKILL_BYTES, MAX_TOOLS};
use crate::sandbox::RunFailed;
use crate::secret_arguments::SecretMisplaced;
use crate::text::clean;
use crate::units::format_size;
use crate::uri::TemplateRefused;
use crate::validate::SchemaRefused;

/// One of the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum List {
    Tools,
    Prompts,
    Templates,
    Skills,
}

impl List {
    /// One of it.
    pub(super) fn one(self) -> &'static str {
        match self {
            Self::Tools => "tool",
            Self::Prompts => "prompt",
            Self::Templates => "template",
            Self::Skills => "skill",
        }
    }

    pub(super) fn item(self, name: &str) -> Item {
        Item { list: self, name: short(name) }
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.one())
    }
}

/// Something that a component lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// In which list.
    pub list: List,
    /// Its name, URI template or path, made harmless.
    pub name: String,
}

impl Item {
    /// The table of the manifest that it needs.
    fn entry(&self) -> String {
        let name = &self.name;
        match self.list {
            List::Tools => format!("[tools.{name}]"),
            List::Prompts => format!("[prompts.{name}]"),
            List::Templates => format!("[resources.\"{name}\"] or a pattern that covers it"),
            List::Skills => format!("[resources.\"skill://{name}/**\"]"),
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\"", self.list.one(), self.name)
    }
}

/// A plugin that does not say what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeFailed {
    /// No export that this host knows.
    #[error(
        "it exports nothing of fleetgate:plugin: no tools, resources, prompts, completions, skills or events; build it \
         for one of the package's worlds"
    )]
    NothingExported,
    /// Entries that nothing can be for.
    #[error("the manifest has [resources], and the component exports neither resources nor skills")]
    NoResources,
    /// Events that nothing handles.
    #[error(
        "the manifest has [capabilities.events], and the component exports no events: give it a function that handles \
         them"
    )]
    NoHandler,
    /// A handler that nothing is for.
    #[error(
        "the component exports events, and the manifest asks for none: add [capabilities.events.<name>] with from or \
         every"
    )]
    NoEvents,
    /// The guest was ended while it listed.
    #[error("listing its {list} was ended: {why}{}", detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default())]
    Ended {
        /// Which list.
        list: List,
        /// Which limit, or that it crashed.
        why: RunFailed,
        /// For the operator, made harmless.
        detail: Option<String>,
    },
    /// It answered with a fault.
    #[error("it does not list its {list}: {message}")]
    Fault {
        /// Which list.
        list: List,
        /// What it said, made harmless.
        message: String,
    },
    /// All instances were busy.
    #[error(
        "all {} of waiting, the host had no room to probe it: it runs at its limit of calls",
        crate::units::format_duration(super::TURN)
    )]
    NoRoom,
    /// Two listings differ.
    #[error("it lists other {list} at each look: {difference}")]
    Unstable {
        /// Which list.
        list: List,
        /// How.
        difference: String,
    },
    /// Too many.
    #[error("it lists {0} tools; at most {MAX_TOOLS} are allowed")]
    TooMany(usize),
    /// A name that clients would not accept.
    #[error("it lists a {} named \"{}\": {help}", .item.list.one(), .item.name)]
    BadName {
        /// Which.
        item: Item,
        /// How it is spelled.
        help: &'static str,
    },
    /// Two of one name.
    #[error("it lists two {} named \"{}\"", .0.list, .0.name)]
    Twice(Item),
    /// A title, description, `meta` or `extra` that is too long or no object.
    #[error("{} of its {item} {}", .refused.part, .refused.wrong)]
    Part {
        /// Whose.
        item: Item,
        /// Which, and what is wrong.
        refused: PartRefused,
    },
    /// A schema that cannot be enforced.
    #[error("the {which} schema of its tool \"{tool}\" {why}")]
    Schema {
        /// Which tool.
        tool: String,
        /// `input` or `output`.
        which: &'static str,
        /// What is wrong.
        why: SchemaRefused,
    },
    /// It lists what the manifest does not have.
    #[error("its {0} has no entry in the manifest: add {entry} with requires, and pack it again", entry = .0.entry())]
    NoEntry(Item),
    /// The manifest has what it does not list.
    #[error("the manifest has {entry}, and the component lists no such {}", .0.list.one(), entry = .0.entry())]
    NotListed(Item),
    /// It contradicts the manifest.
    #[error("its tool \"{tool}\" says {hint} = {said}, and the manifest says {expected}")]
    Contradiction {
        /// Which tool.
        tool: String,
        /// `readOnlyHint` and the like.
        hint: &'static str,
        /// The component.
        said: bool,
        /// The manifest.
        expected: bool,
    },
    /// What the manifest calls secret cannot be that.
    #[error("the manifest says that its tool \"{tool}\" takes a secret at {why}")]
    Secret {
        /// Which tool.
        tool: String,
        /// What is wrong.
        why: SecretMisplaced,
    },
    /// A prompt's arguments cannot be asked for.
    #[error("its prompt \"{prompt}\" {why}")]
    Arguments {
        /// Which prompt.
        prompt: String,
        /// What is wrong with them.
        why: String,
    },
    /// A template that expands to no URI.
    #[error("its template \"{template}\" {why}")]
    Template {
        /// Which.
        template: String,
        /// What is wrong.
        why: TemplateRefused,
    },
    /// A skill that cannot be shown.
    #[error("its skill \"{skill}\" {why}")]
    Skill {
        /// Its path.
        skill: String,
        /// What is wrong.
        why: SkillRefused,
    },
}

/// What is wrong with a skill.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SkillRefused {
    /// The grammar of paths.
    #[error(
        "has no path of a skill: write segments of 1 to 64 lower-case letters, digits and hyphens, no two of them in a \
         row, with / between"
    )]
    Path,
    /// It says another name than its path.
    #[error("has a front matter whose name is not \"{0}\", the last segment of its path")]
    Name(String),
    /// Nobody knows what it is for.
    #[error("has a front matter without a description")]
    Description,
    /// Not an object.
    #[error("has a front matter that is no object")]
    Frontmatter,
    /// The file that it is about.
    #[error("has no SKILL.md")]
    NoSkillFile,
    /// Its front matter cannot be compared.
    #[error("has a SKILL.md that cannot be compared with what is listed: its front matter {0}")]
    FrontMatter(#[from] FrontMatterRefused),
    /// SEP-2640: what is listed is what the file says.
    #[error("is listed with another {0} than stands in the front matter of its SKILL.md")]
    Differs(&'static str),
    /// SEP-2640.
    #[error("has a SKILL.md of another media type than text/markdown")]
    MediaType,
    /// The way to a file.
    #[error(
        "has a file \"{0}\": write a path within the skill's directory, with / between its segments, without dot \
         segments, backslashes and what hides text"
    )]
    File(String),
    /// Two files at one path.
    #[error("has two files \"{0}\"")]
    FileTwice(String),
    /// All skills together.
    #[error("makes the files of all skills {0} bytes long; at most {limit} are allowed", limit = format_size(MAX_SKILL_BYTES as u64))]
    TooLarge(usize),
}

/// Text of a plugin, bounded and harmless.
pub(super) fn short(text: &str) -> String {
    clean(&text[..text.floor_char_boundary(1 << 10)]).into_owned()
}
