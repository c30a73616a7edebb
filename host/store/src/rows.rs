//! What stands in the file: entries by space and key, their expiries by time, the last revision of each space.

use std::ops::Bound;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fleetgate_core::store::{
    Batch, Change, Condition, Entry, Key, Listed, MAX_PAGE, MAX_PAGE_BYTES, Page, Space, StoreError,
};
use redb::{
    ReadTransaction, ReadableDatabase, ReadableTable, Table, TableDefinition, TableError, WriteTransaction,
};

/// The value begins with its revision and its expiry (Unix milliseconds, 0 for none), 8 bytes each.
const ENTRIES: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("entries");
const EXPIRIES: TableDefinition<(u64, &str, &str), ()> = TableDefinition::new("expiries");
const REVISIONS: TableDefinition<&str, u64> = TableDefinition::new("revisions");
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");

/// What this program writes and reads.
const FORMAT: u64 = 1;
const HEADER: usize = 16;

/// Makes a fresh file ours. The error is the format of one that is not.
pub(super) fn prepare(database: &redb::Database) -> Result<Result<(), u64>, redb::Error> {
    if let Ok(meta) = database.begin_read()?.open_table(META) {
        let format = meta.get("format")?.map_or(0, |format| format.value());
        return Ok(if format == FORMAT { Ok(()) } else { Err(format) });
    }
    let transaction = database.begin_write()?;
    transaction.open_table(META)?.insert("format", FORMAT)?;
    transaction.open_table(ENTRIES)?;
    transaction.open_table(EXPIRIES)?;
    transaction.open_table(REVISIONS)?;
    transaction.commit()?;
    Ok(Ok(()))
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
    let limit = page.limit.min(MAX_PAGE);
    let start = match &page.after {
        Some(after) if **after >= *page.prefix => Bound::Excluded((space.name(), &**after)),
        _ => Bound::Included((space.name(), page.prefix.as_str())),
    };
    let now = now_ms();
    let (mut listed, mut bytes) = (Listed::default(), 0);
    for row in entries.range::<(&str, &str)>((start, Bound::Unbounded))? {
        let (key, value) = row?;
        let (of, key) = key.value();
        if of != space.name() || !key.starts_with(&page.prefix) {
            break;
        }
        // Only keys are ever written.
        let Some(entry) = Key::new(key).ok().and_then(|key| entry(key, value.value(), now)) else { continue };
        if listed.entries.len() == limit || bytes > MAX_PAGE_BYTES {
            listed.more = true;
            break;
        }
        bytes += entry.value.len();
        listed.entries.push(entry);
    }
    Ok(listed)
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
}

impl<'t> Rows<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        Ok(Self {
            entries: transaction.open_table(ENTRIES)?,
            expiries: transaction.open_table(EXPIRIES)?,
            revisions: transaction.open_table(REVISIONS)?,
        })
    }

    /// A batch. The inner error is its condition's: then nothing was changed.
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
        let mut revision = self.revisions.get(space.name())?.map_or(0, |revision| revision.value());
        let mut revisions = Vec::new();
        for write in batch.writes() {
            self.remove(space.name(), &write.key)?;
            if let Change::Put { value, expires } = &write.change {
                revision += 1;
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
        if !revisions.is_empty() {
            self.revisions.insert(space.name(), revision)?;
        }
        Ok(Ok(revisions))
    }

    fn remove(&mut self, space: &str, key: &str) -> Result<(), redb::Error> {
        let old = self.entries.remove((space, key))?.and_then(|row| header(row.value()));
        if let Some((_, expires)) = old
            && expires != 0
        {
            self.expiries.remove((expires, space, key))?;
        }
        Ok(())
    }

    /// Deletes what has expired, so many entries at most.
    pub(super) fn sweep(&mut self, most: usize) -> Result<(), redb::Error> {
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
        for (space, key) in gone {
            self.remove(&space, &key)?;
        }
        Ok(())
    }
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
