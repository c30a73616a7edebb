//! What stands in the file: entries by space and key, their expiries by time, the last revision of each part of a space,
//! and how much each space and each of its parts holds.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fleetgate_core::store::{
    Batch, Change, Condition, Entry, Key, Listed, MAX_PAGE, MAX_PAGE_BYTES, Page, Space, StoreError, Usage,
};
use redb::{
    ReadTransaction, ReadableDatabase, ReadableTable, Table, TableDefinition, TableError, WriteTransaction,
};

/// The value begins with its revision and its expiry (Unix milliseconds, 0 for none), 8 bytes each.
const ENTRIES: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("entries");
const EXPIRIES: TableDefinition<(u64, &str, &str), ()> = TableDefinition::new("expiries");
/// By space: the last revision of all of its parts, from when they counted together. No part begins below it, so that
/// none is used again. What began since has none.
const REVISIONS: TableDefinition<&str, u64> = TableDefinition::new("revisions");
/// By space and part. It stays when the part is empty, and what is made anew there is not what was there before.
const PARTS: TableDefinition<(&str, &str), u64> = TableDefinition::new("part-revisions");
/// By space and part, the empty part being the whole space: how many entries, and the bytes of their keys and values.
const SIZES: TableDefinition<(&str, &str), (u64, u64)> = TableDefinition::new("sizes");
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");

/// What this program writes and reads.
const FORMAT: u64 = 3;
/// The same where all parts of a space have one last revision.
const TOGETHER: u64 = 2;
/// The same without sizes: they are counted when it is opened.
const UNCOUNTED: u64 = 1;
const HEADER: usize = 16;
/// In [`META`]: how many commits there were.
const COMMITS: &str = "commits";
/// Where the answers to writes with a name are kept, and for how long.
const ONCE: &str = "once";
pub(super) const REPEATED: Duration = Duration::from_secs(120);
/// How much of what has expired is deleted at once.
pub(super) const SWEPT: usize = 1_000;

/// Makes a fresh file ours. The error is the format of one that is not.
pub(super) fn prepare(database: &redb::Database) -> Result<Result<(), u64>, redb::Error> {
    if let Ok(meta) = database.begin_read()?.open_table(META) {
        let format = meta.get("format")?.map_or(0, |format| format.value());
        return match format {
            FORMAT => Ok(Ok(())),
            TOGETHER | UNCOUNTED => renew(database, format).map(Ok),
            other => Ok(Err(other)),
        };
    }
    let transaction = database.begin_write()?;
    transaction.open_table(META)?.insert("format", FORMAT)?;
    transaction.open_table(SIZES)?;
    transaction.open_table(ENTRIES)?;
    transaction.open_table(EXPIRIES)?;
    transaction.open_table(REVISIONS)?;
    transaction.open_table(PARTS)?;
    transaction.commit()?;
    Ok(Ok(()))
}

/// Makes a file of an earlier version one of this: all of it or nothing.
fn renew(database: &redb::Database, format: u64) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    if format == UNCOUNTED {
        count(&transaction)?;
    }
    transaction.open_table(PARTS)?;
    transaction.open_table(META)?.insert("format", FORMAT)?;
    transaction.commit()?;
    Ok(())
}

fn count(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    let entries = transaction.open_table(ENTRIES)?;
    let mut sizes = transaction.open_table(SIZES)?;
    let mut counted: BTreeMap<(String, String), Usage> = BTreeMap::new();
    for row in entries.iter()? {
        let (key, value) = row?;
        let (space, key) = key.value();
        for part in parts(key) {
            let size = counted.entry((space.to_owned(), part.to_owned())).or_default();
            *size = size.changed(size_of(key, value.value().len()), Usage::default());
        }
    }
    for ((space, part), size) in counted {
        sizes.insert((&*space, &*part), (size.entries, size.bytes))?;
    }
    Ok(())
}

pub(super) fn usage(transaction: &ReadTransaction, space: &Space, part: &str) -> Result<Usage, redb::Error> {
    let sizes = transaction.open_table(SIZES)?;
    let size = sizes.get((space.name(), part))?;
    Ok(size.map_or_else(Usage::default, |size| to_usage(size.value())))
}

pub(super) fn spaces(
    transaction: &ReadTransaction,
    after: Option<&Space>,
) -> Result<Vec<Space>, redb::Error> {
    let sizes = transaction.open_table(SIZES)?;
    let mut spaces = Vec::new();
    let mut last = after.map(|after| after.name().to_owned());
    while spaces.len() < MAX_PAGE {
        // Behind all parts of the last one: no name of a space has a character that is less than these.
        let start = last.map_or_else(String::new, |last| format!("{last}\0"));
        let Some(row) = sizes.range::<(&str, &str)>((&*start, "")..)?.next() else { break };
        let (key, _) = row?;
        let name = key.value().0.to_owned();
        spaces.extend(Space::new(&*name));
        last = Some(name);
    }
    Ok(spaces)
}

pub(super) fn get(
    transaction: &ReadTransaction,
    space: &Space,
    key: &Key,
) -> Result<Option<Entry>, redb::Error> {
    let entries = transaction.open_table(ENTRIES)?;
    let found = entries.get((space.name(), &**key))?;
    Ok(found.and_then(|row| entry(key.clone(), row.value(), now_ms())))
}

pub(super) fn list(transaction: &ReadTransaction, space: &Space, page: &Page) -> Result<Listed, redb::Error> {
    let entries = transaction.open_table(ENTRIES)?;
    let (limit, most) = (page.limit.min(MAX_PAGE), page.bytes.min(MAX_PAGE_BYTES));
    let (name, next, behind) = (space.name(), format!("{}\0", space.name()), page.end());
    let mut start = Bound::Included((name, page.prefix.as_str()));
    // Nothing stands between a space and the name that is longer by the least character.
    let mut end = Bound::Excluded(behind.as_ref().map_or((&*next, ""), |behind| (name, &**behind)));
    match &page.after {
        Some(after) if page.back => {
            if **after <= *page.prefix {
                return Ok(Listed::default());
            }
            if behind.as_ref().is_none_or(|behind| **after < **behind) {
                end = Bound::Excluded((name, &**after));
            }
        }
        Some(after) if behind.as_ref().is_some_and(|behind| **after >= **behind) => {
            return Ok(Listed::default());
        }
        Some(after) if **after >= *page.prefix => start = Bound::Excluded((name, &**after)),
        _ => {}
    }
    let now = now_ms();
    let (mut listed, mut bytes) = (Listed::default(), 0);
    let mut rows = entries.range::<(&str, &str)>((start, end))?;
    while let Some(row) = if page.back { rows.next_back() } else { rows.next() } {
        let (key, value) = row?;
        let (of, key) = key.value();
        if of != space.name() || !key.starts_with(&page.prefix) {
            break;
        }
        // Only keys are ever written.
        let Some(entry) = Key::new(key).ok().and_then(|key| entry(key, value.value(), now)) else { continue };
        if listed.entries.len() == limit || bytes > most {
            listed.more = true;
            break;
        }
        bytes += entry.value.len();
        listed.entries.push(entry);
    }
    Ok(listed)
}

/// The number of the last commit that took effect.
pub(super) fn commits(transaction: &ReadTransaction) -> Result<u64, redb::Error> {
    Ok(transaction.open_table(META)?.get(COMMITS)?.map_or(0, |number| number.value()))
}

/// Whether anything has expired that is still there.
pub(super) fn has_expired(transaction: &ReadTransaction) -> Result<bool, redb::Error> {
    let expiries = transaction.open_table(EXPIRIES)?;
    let first = expiries.first()?;
    Ok(first.is_some_and(|(key, _)| key.value().0 <= now_ms()))
}

/// The tables of one write transaction.
pub(super) struct Rows<'t> {
    entries: Table<'t, (&'static str, &'static str), &'static [u8]>,
    expiries: Table<'t, (u64, &'static str, &'static str), ()>,
    revisions: Table<'t, &'static str, u64>,
    parts: Table<'t, (&'static str, &'static str), u64>,
    sizes: Table<'t, (&'static str, &'static str), (u64, u64)>,
    meta: Table<'t, &'static str, u64>,
    /// What was deleted because it had expired.
    swept: usize,
}

impl<'t> Rows<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        Ok(Self {
            entries: transaction.open_table(ENTRIES)?,
            expiries: transaction.open_table(EXPIRIES)?,
            revisions: transaction.open_table(REVISIONS)?,
            parts: transaction.open_table(PARTS)?,
            sizes: transaction.open_table(SIZES)?,
            meta: transaction.open_table(META)?,
            swept: 0,
        })
    }

    /// A batch that is done once by its name, and answered as the first time. Without a name, any time.
    pub(super) fn apply_once(
        &mut self,
        space: &Space,
        batch: &Batch,
        name: Option<&Key>,
    ) -> Result<Result<Vec<u64>, StoreError>, redb::Error> {
        let Some(name) = name else { return self.apply(space, batch) };
        let done = self.entries.get((ONCE, &**name))?;
        let done = done.and_then(|row| entry(name.clone(), row.value(), now_ms()));
        if let Some(done) = done {
            let numbers = done.value.as_chunks::<8>().0.iter().map(|number| u64::from_le_bytes(*number));
            return Ok(Ok(numbers.collect()));
        }
        let written = self.apply(space, batch)?;
        if let Ok(revisions) = &written {
            let once = Space::new(ONCE).expect("a short word");
            let answer: Vec<u8> = revisions.iter().flat_map(|revision| revision.to_le_bytes()).collect();
            let noted = Batch::new().put(name.clone(), answer, Some(SystemTime::now() + REPEATED));
            // It has neither condition nor quota.
            let _ = self.apply(&once, &noted)?;
        }
        Ok(written)
    }

    /// A batch. The inner error is its condition's or its quota's: then nothing was changed.
    pub(super) fn apply(
        &mut self,
        space: &Space,
        batch: &Batch,
    ) -> Result<Result<Vec<u64>, StoreError>, redb::Error> {
        let now = now_ms();
        for write in batch.writes() {
            let found = self.entries.get((space.name(), &*write.key))?;
            let found =
                found.and_then(|row| header(row.value())).filter(|(_, expires)| is_live(*expires, now));
            let holds = match write.when {
                Condition::Any => true,
                Condition::Absent => found.is_none(),
                Condition::Revision(revision) => found.is_some_and(|(found, _)| found == revision),
            };
            if !holds {
                return Ok(Err(StoreError::Conflict { space: space.clone(), key: write.key.clone() }));
            }
        }
        let mut growth = self.growth(space, batch)?;
        if let Some(over) = self.over(space, batch, &growth)? {
            // What has expired takes no room.
            if self.sweep(SWEPT)? == 0 {
                return Ok(Err(over));
            }
            while self.sweep(SWEPT)? > 0 {}
            growth = self.growth(space, batch)?;
            if let Some(over) = self.over(space, batch, &growth)? {
                return Ok(Err(over));
            }
        }
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        let mut revisions = Vec::new();
        for write in batch.writes() {
            self.remove(space.name(), &write.key)?;
            if let Change::Put { value, expires } = &write.change {
                let part = write.key.part();
                let revision = match last.get(part) {
                    Some(last) => *last,
                    None => self.last_revision(space.name(), part)?,
                } + 1;
                last.insert(part, revision);
                revisions.push(revision);
                let expires = expires.map_or(0, |expires| to_ms(expires).max(1));
                let mut row = Vec::with_capacity(HEADER + value.len());
                row.extend_from_slice(&revision.to_le_bytes());
                row.extend_from_slice(&expires.to_le_bytes());
                row.extend_from_slice(value);
                self.entries.insert((space.name(), &*write.key), &*row)?;
                if expires != 0 {
                    self.expiries.insert((expires, space.name(), &*write.key), ())?;
                }
            }
        }
        for (part, revision) in last {
            self.parts.insert((space.name(), part), revision)?;
        }
        for (part, (more, fewer)) in growth {
            self.resize(space.name(), part, more, fewer)?;
        }
        Ok(Ok(revisions))
    }

    /// What a batch adds to each part and takes away from it.
    fn growth<'b>(
        &self,
        space: &Space,
        batch: &'b Batch,
    ) -> Result<BTreeMap<&'b str, (Usage, Usage)>, redb::Error> {
        let mut growth: BTreeMap<&str, (Usage, Usage)> = BTreeMap::new();
        for write in batch.writes() {
            let new = match &write.change {
                Change::Put { value, .. } => size_of(&write.key, HEADER + value.len()),
                Change::Delete => Usage::default(),
            };
            let old = self.entries.get((space.name(), &*write.key))?;
            let old = old.map_or_else(Usage::default, |row| size_of(&write.key, row.value().len()));
            for part in parts(&write.key) {
                let (more, fewer) = growth.entry(part).or_default();
                *more = more.changed(new, Usage::default());
                *fewer = fewer.changed(old, Usage::default());
            }
        }
        Ok(growth)
    }

    /// The first quota that would not be kept.
    fn over(
        &self,
        space: &Space,
        batch: &Batch,
        growth: &BTreeMap<&str, (Usage, Usage)>,
    ) -> Result<Option<StoreError>, redb::Error> {
        for quota in batch.quotas() {
            let used = self.size(space.name(), &quota.part)?;
            let (more, fewer) = growth.get(&*quota.part).copied().unwrap_or_default();
            if used.is_over(used.changed(more, fewer), quota.most) {
                let (space, part, most) = (space.clone(), quota.part.clone(), quota.most);
                return Ok(Some(StoreError::OverQuota { space, part, used, most }));
            }
        }
        Ok(None)
    }

    fn last_revision(&self, space: &str, part: &str) -> Result<u64, redb::Error> {
        if let Some(last) = self.parts.get((space, part))? {
            return Ok(last.value());
        }
        Ok(self.revisions.get(space)?.map_or(0, |last| last.value()))
    }

    fn size(&self, space: &str, part: &str) -> Result<Usage, redb::Error> {
        let size = self.sizes.get((space, part))?;
        Ok(size.map_or_else(Usage::default, |size| to_usage(size.value())))
    }

    fn resize(&mut self, space: &str, part: &str, more: Usage, fewer: Usage) -> Result<(), redb::Error> {
        let size = self.size(space, part)?.changed(more, fewer);
        if size == Usage::default() {
            self.sizes.remove((space, part))?;
        } else {
            self.sizes.insert((space, part), (size.entries, size.bytes))?;
        }
        Ok(())
    }

    /// How large it was.
    fn remove(&mut self, space: &str, key: &str) -> Result<Usage, redb::Error> {
        let old = self.entries.remove((space, key))?.map(|row| (header(row.value()), row.value().len()));
        let Some((header, length)) = old else { return Ok(Usage::default()) };
        if let Some((_, expires)) = header
            && expires != 0
        {
            self.expiries.remove((expires, space, key))?;
        }
        Ok(size_of(key, length))
    }

    /// Deletes what has expired, so many entries at most, and says how many they were.
    pub(super) fn sweep(&mut self, most: usize) -> Result<usize, redb::Error> {
        let now = now_ms();
        let mut gone = Vec::new();
        for row in self.expiries.iter()?.take(most) {
            let (key, _) = row?;
            let (at, space, key) = key.value();
            if at > now {
                break;
            }
            gone.push((space.to_owned(), key.to_owned()));
        }
        for (space, key) in &gone {
            let size = self.remove(space, key)?;
            for part in parts(key) {
                self.resize(space, part, Usage::default(), size)?;
            }
        }
        self.swept += gone.len();
        Ok(gone.len())
    }

    /// Whether anything was deleted because it had expired, for whatever reason.
    pub(super) fn has_swept(&self) -> bool {
        self.swept > 0
    }

    /// Counts this commit, and says which one it is.
    pub(super) fn number(&mut self) -> Result<u64, redb::Error> {
        let number = self.meta.get(COMMITS)?.map_or(0, |number| number.value()) + 1;
        self.meta.insert(COMMITS, number)?;
        Ok(number)
    }
}

/// Where a key is counted: in its space and in its part of it.
fn parts(key: &str) -> BTreeSet<&str> {
    BTreeSet::from(["", key.split_once('/').map_or("", |(part, _)| part)])
}

/// Of an entry whose row is so long.
fn size_of(key: &str, row: usize) -> Usage {
    Usage { entries: 1, bytes: (key.len() + row.saturating_sub(HEADER)) as u64 }
}

fn to_usage((entries, bytes): (u64, u64)) -> Usage {
    Usage { entries, bytes }
}

fn header(row: &[u8]) -> Option<(u64, u64)> {
    let (revision, rest) = row.split_first_chunk::<8>()?;
    let (expires, _) = rest.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*revision), u64::from_le_bytes(*expires)))
}

fn entry(key: Key, row: &[u8], now: u64) -> Option<Entry> {
    let (revision, expires) = header(row)?;
    is_live(expires, now).then(|| Entry {
        key,
        value: row[HEADER..].to_vec(),
        revision,
        expires: (expires != 0).then(|| UNIX_EPOCH + Duration::from_millis(expires)),
    })
}

fn is_live(expires: u64, now: u64) -> bool {
    expires == 0 || expires > now
}

fn now_ms() -> u64 {
    to_ms(SystemTime::now())
}

fn to_ms(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis().try_into().unwrap_or(u64::MAX)
}
