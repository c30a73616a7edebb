//! Resources and templates in the table: found by URI, listed page by page.

use super::{Plugin, asked, check_completions};
use crate::resource::{List, Part, Variables};
use crate::{Answers, Content, Fault, Outcome, Resource, ResourceInfo, ResourcePage, host};

/// One resource or template in the table.
#[derive(Clone, Copy)]
pub struct ResourceEntry {
    /// A URI or a template, unique within the plugin.
    pub uri: &'static str,
    /// For programs.
    pub name: &'static str,
    /// For people.
    pub title: Option<&'static str>,
    /// For the model.
    pub description: &'static str,
    /// Its media type.
    pub mime_type: Option<&'static str>,
    /// Its bytes, where they are known.
    pub size: Option<u64>,
    /// `_meta`, as JSON.
    pub meta: Option<&'static str>,
    /// Annotations and icons, as JSON.
    pub extra: Option<&'static str>,
    /// The manifest entry: one line of JSON and a line feed.
    pub manifest: &'static str,
    pub(super) parts: &'static [Part],
    list: Option<List>,
    check: fn() -> Result<(), Fault>,
    read: fn(&Variables) -> Result<Outcome<Vec<Content>>, Fault>,
}

impl ResourceEntry {
    /// The entry of a resource or template.
    #[must_use]
    pub const fn of<R: Resource>() -> Self {
        Self {
            uri: R::URI,
            name: R::NAME,
            title: R::TITLE,
            description: R::DESCRIPTION,
            mime_type: R::MIME_TYPE,
            size: R::SIZE,
            meta: R::META,
            extra: R::EXTRA,
            manifest: R::MANIFEST,
            parts: R::PARTS,
            list: R::LIST,
            check: R::check,
            read: R::read,
        }
    }

    /// Whether its URI has variables.
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.parts.iter().any(|part| !matches!(part, Part::Literal(_)))
    }

    fn info(&self) -> ResourceInfo {
        let object = |json: Option<&str>| json.and_then(|json| serde_json::from_str(json).ok());
        ResourceInfo {
            uri: self.uri.to_owned(),
            name: self.name.to_owned(),
            title: self.title.map(str::to_owned),
            description: Some(self.description.to_owned()),
            mime_type: self.mime_type.map(str::to_owned),
            size: self.size,
            meta: object(self.meta),
            extra: object(self.extra),
        }
    }

    /// Reads what lies at a URI that this entry covers.
    fn read(&self, uri: &str, variables: &Variables) -> Result<Outcome<Vec<Content>>, Fault> {
        match asked(self.uri, (self.read)(variables)?)? {
            Outcome::Done(contents) if contents.is_empty() => Err(nothing_at(uri)),
            Outcome::Done(contents) => {
                Ok(Outcome::Done(contents.into_iter().map(|content| self.complete(uri, content)).collect()))
            }
            ask => Ok(ask),
        }
    }

    /// What the function left out: where the content lies and of what type it is.
    fn complete(&self, uri: &str, mut content: Content) -> Content {
        content.kind = "resource".to_owned();
        content.uri.get_or_insert_with(|| uri.to_owned());
        if let Some(declared) = self.mime_type {
            content.mime_type.get_or_insert_with(|| declared.to_owned());
        }
        let plain = if content.data.is_some() { "application/octet-stream" } else { "text/plain" };
        content.mime_type.get_or_insert_with(|| plain.to_owned());
        content
    }
}

/// `unknown`, with the URI: clients expect it there.
fn nothing_at(uri: &str) -> Fault {
    Fault::unknown("There is nothing at this URI.").detail("uri", uri)
}

/// Reads a resource as the host does: the one that lies at the URI, or the first template that covers it.
///
/// # Errors
/// `unknown` when there is nothing at the URI, and whatever the resource answers.
pub fn read_resource<P: Plugin>(uri: &str, answers: Answers) -> Result<Outcome<Vec<Content>>, Fault> {
    let _answers = host::answers::provide(answers);
    let mut entries: Vec<&ResourceEntry> = P::RESOURCES.iter().collect();
    entries.sort_by_key(|entry| entry.is_template());
    for entry in entries {
        if let Some(variables) = Variables::of(entry.parts, uri) {
            return entry.read(uri, &variables);
        }
    }
    Err(nothing_at(uri))
}

/// One page of what there is: first everything that has one URI, then what the templates' functions list.
///
/// # Errors
/// `invalid-arguments` when the cursor is not one of this function's, and whatever a listing function answers.
pub fn list_resources<P: Plugin>(cursor: Option<&str>) -> Result<ResourcePage, Fault> {
    let mut page = ResourcePage::default();
    let lists = || P::RESOURCES.iter().filter_map(|entry| entry.list);
    let (mut at, mut inner) = match cursor {
        None => {
            page.resources
                .extend(P::RESOURCES.iter().filter(|entry| !entry.is_template()).map(ResourceEntry::info));
            (0, None)
        }
        Some(cursor) => {
            let wrong = || Fault::invalid("/cursor", "This is not a cursor of this list.");
            let (list, inner) = cursor.split_once(':').ok_or_else(wrong)?;
            (list.parse().map_err(|_| wrong())?, Some(inner))
        }
    };
    while let Some(list) = lists().nth(at) {
        let listed = list(inner)?;
        page.resources.extend(listed.resources);
        if let Some(next) = listed.next {
            page.next = Some(format!("{at}:{next}"));
            break;
        }
        (at, inner) = (at + 1, None);
    }
    Ok(page)
}

/// Whether each variable of each template has its field, and each completion its variable.
///
/// # Errors
/// `internal`: a mistake of the plugin's own.
pub fn check_templates<P: Plugin>() -> Result<(), Fault> {
    P::RESOURCES.iter().try_for_each(|entry| (entry.check)())?;
    check_completions::<P>()
}
