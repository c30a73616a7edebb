//! What running guests say of their lists: `call.tools-changed` and its like. It is kept until somebody looks, one
//! word for each list of each binding, so a guest may say it as often as it likes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Some of a binding's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lists {
    /// Tools.
    pub tools: bool,
    /// Prompts.
    pub prompts: bool,
    /// Resources, templates and skills.
    pub resources: bool,
}

impl Lists {
    /// Those of either.
    pub fn and(self, other: Self) -> Self {
        Self {
            tools: self.tools || other.tools,
            prompts: self.prompts || other.prompts,
            resources: self.resources || other.resources,
        }
    }
}

/// What was said and not looked at yet, by binding.
#[derive(Debug, Default)]
pub struct ListsChanged {
    said: Mutex<BTreeMap<Arc<str>, Lists>>,
    news: Notify,
}

impl ListsChanged {
    /// A guest of this binding says it.
    pub fn say(&self, binding: &Arc<str>, lists: Lists) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let all = said.entry(binding.clone()).or_default();
        *all = all.and(lists);
        drop(said);
        self.news.notify_one();
    }

    /// Waits until something is said.
    pub async fn heard(&self) {
        self.news.notified().await;
    }

    /// What was said since the last look.
    pub fn take(&self) -> BTreeMap<Arc<str>, Lists> {
        std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
