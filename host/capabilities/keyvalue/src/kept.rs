//! What is kept in a store, as the operator sees it: every bucket, whether its binding is still there or not.

use fleetgate_core::store::{Batch, Entry, Key, Page, Space, Store, StoreError, Usage};
use serde::{Deserialize, Serialize};

use crate::part::{self, ABOUT, MOST_KEY, OWNERS, SHARED};
pub use crate::request::Scope;
pub use crate::room::Room;

/// Deleted in one step.
const AT_ONCE: usize = 500;

/// One bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Whose it is.
    pub binding: String,
    /// The request's name: `history`.
    pub bucket: String,
    /// Entries of plugins.
    pub entries: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// What held when it was last written to. None: that is not known.
    #[serde(rename = "granted")]
    pub about: Option<About>,
}

/// What the host notes of a bucket when it is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Who sees an entry.
    pub scope: Scope,
    /// What each part may hold.
    #[serde(flatten)]
    pub room: Room,
    /// What all parts may hold together. None: there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Room>,
}

/// One part of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Whose it is. None: all callers share it, or that is not known.
    pub principal: Option<String>,
    /// All callers share it.
    pub shared: bool,
    /// Entries.
    pub entries: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

impl About {
    pub(crate) fn write(self, batch: Batch) -> Batch {
        let text = serde_json::to_vec(&self).expect("plain data with text keys");
        batch.put(about(), text, None)
    }
}

fn about() -> Key {
    part::key(ABOUT, "grant").expect("a short word")
}

/// Every bucket that holds something, by its names.
pub async fn buckets(store: &dyn Store) -> Result<Vec<Kept>, StoreError> {
    let mut kept = Vec::new();
    for space in spaces(store).await? {
        let Some((binding, bucket)) = part::of_space(&space) else { continue };
        let used = used(store, &space).await?;
        // The host's own notes are nothing that a plugin remembers.
        if used == Usage::default() {
            continue;
        }
        let about = store.get(&space, &about()).await?;
        kept.push(Kept {
            binding: binding.to_owned(),
            bucket: bucket.to_owned(),
            entries: used.entries,
            bytes: used.bytes,
            about: about.and_then(|entry| serde_json::from_slice(&entry.value).ok()),
        });
    }
    Ok(kept)
}

/// The parts of a bucket that hold something.
pub async fn parts(store: &dyn Store, binding: &str, bucket: &str) -> Result<Vec<Part>, StoreError> {
    let space = part::space(binding, bucket);
    let (mut parts, mut after) = (Vec::new(), None);
    loop {
        // From part to part, by the first entry of each.
        let page = Page { after, limit: 1, ..Page::of("") };
        let Some(first) = store.list(&space, page).await?.entries.pop() else { return Ok(parts) };
        let of = first.key.part();
        if !matches!(of, ABOUT | OWNERS) {
            let Usage { entries, bytes } = store.usage(&space, of).await?;
            let owner = store.get(&space, &part::key(OWNERS, of)?).await?;
            let principal = owner.map(|owner| String::from_utf8_lossy(&owner.value).into_owned());
            parts.push(Part { principal, shared: of == SHARED, entries, bytes });
        }
        after = Some(part::key(of, &char::MAX.to_string().repeat(MOST_KEY / 4 + 1))?);
    }
}

/// A page of the entries of one part, by the keys that the plugin gave them, and whether there are more.
pub async fn entries(
    store: &dyn Store,
    binding: &str,
    bucket: &str,
    principal: Option<&str>,
    page: Page,
) -> Result<(Vec<(String, Entry)>, bool), StoreError> {
    let (space, of) = (part::space(binding, bucket), part_of(principal));
    let after = page.after.map(|after| part::key(&of, &after)).transpose()?;
    let listed = store.list(&space, Page { prefix: format!("{of}/{}", page.prefix), after, ..page }).await?;
    let named = listed.entries.into_iter().map(|entry| (part::name(&entry.key).to_owned(), entry));
    Ok((named.collect(), listed.more))
}

/// Deletes a bucket, or one principal's part of it, and says how many entries of plugins went.
pub async fn delete(
    store: &dyn Store,
    binding: &str,
    bucket: &str,
    principal: Option<&str>,
) -> Result<u64, StoreError> {
    let space = part::space(binding, bucket);
    let Some(principal) = principal else { return clear(store, &space, "").await };
    let of = part::of_principal(principal);
    let deleted = clear(store, &space, &format!("{of}/")).await?;
    store.write(&space, Batch::new().delete(part::key(OWNERS, &of)?)).await?;
    Ok(deleted)
}

async fn clear(store: &dyn Store, space: &Space, prefix: &str) -> Result<u64, StoreError> {
    let mut deleted = 0;
    loop {
        let listed = store.list(space, Page { limit: AT_ONCE, ..Page::of(prefix) }).await?;
        let ours = |key: &Key| matches!(key.part(), ABOUT | OWNERS);
        deleted += listed.entries.iter().filter(|entry| !ours(&entry.key)).count() as u64;
        let batch = listed.entries.into_iter().fold(Batch::new(), |batch, entry| batch.delete(entry.key));
        store.write(space, batch).await?;
        if !listed.more {
            return Ok(deleted);
        }
    }
}

fn part_of(principal: Option<&str>) -> String {
    principal.map_or_else(|| SHARED.to_owned(), part::of_principal)
}

async fn used(store: &dyn Store, space: &Space) -> Result<Usage, StoreError> {
    let mut used = store.usage(space, "").await?;
    for part in [ABOUT, OWNERS] {
        used = used.changed(Usage::default(), store.usage(space, part).await?);
    }
    Ok(used)
}

async fn spaces(store: &dyn Store) -> Result<Vec<Space>, StoreError> {
    let mut spaces = Vec::new();
    loop {
        let some = store.spaces(spaces.last()).await?;
        if some.is_empty() {
            return Ok(spaces);
        }
        spaces.extend(some);
    }
}
