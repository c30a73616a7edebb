//! What there is to read.

use serde_json::{Map, Value};

/// One resource in a list.
///
/// ```
/// # use fleetgate_sdk::prelude::*;
/// let info = ResourceInfo::new("naas://jobs/7", "Job 7").mime_type("application/json").description("Finished.");
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResourceInfo {
    /// In the plugin's own scheme. An entry of the manifest must cover it, which those of templates do.
    pub uri: String,
    /// For programs.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// For the model.
    pub description: Option<String>,
    /// Media type.
    pub mime_type: Option<String>,
    /// In bytes.
    pub size: Option<u64>,
    /// Passed on as `_meta`.
    pub meta: Option<Map<String, Value>>,
    /// `annotations`, `icons`.
    pub extra: Option<Map<String, Value>>,
}

impl ResourceInfo {
    /// What is needed.
    #[must_use]
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> Self {
        Self { uri: uri.into(), name: name.into(), ..Self::default() }
    }

    /// For people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// For the model.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Media type.
    #[must_use]
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// In bytes.
    #[must_use]
    pub fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// One key of `_meta`.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.meta.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    /// One key of what else is said about it: `annotations`, `icons`.
    #[must_use]
    pub fn extra(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.get_or_insert_default().insert(key.into(), value.into());
        self
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResourcePage {
    /// What there is.
    pub resources: Vec<ResourceInfo>,
    /// Given back for the next page. None: this is the last. Clients never see it as it is.
    pub next: Option<String>,
}

impl ResourcePage {
    /// A page, and what to give back for the next one.
    #[must_use]
    pub fn new(resources: Vec<ResourceInfo>, next: Option<String>) -> Self {
        Self { resources, next }
    }
}

/// What a listing function may return: a page, or everything at once.
pub trait IntoPage {
    /// As a page.
    fn into_page(self) -> ResourcePage;
}

impl IntoPage for ResourcePage {
    fn into_page(self) -> ResourcePage {
        self
    }
}

impl IntoPage for Vec<ResourceInfo> {
    fn into_page(self) -> ResourcePage {
        ResourcePage { resources: self, next: None }
    }
}
