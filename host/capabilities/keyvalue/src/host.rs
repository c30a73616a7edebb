//! The guest's side: `fleetgate:keyvalue/keyvalue`.

use fleetgate_core::capability::{Of, Slot};
use fleetgate_core::sandbox::CallState;
use fleetgate_core::store::Condition;
use wasmtime::component::{Linker, Resource};

use crate::bucket::{Bucket, Found, Listing, Write};
use crate::failure::Failure;
use crate::session::Session;

mod generated {
    #![allow(missing_docs)]
    wasmtime::component::bindgen!({
        path: "../../../wit/fleetgate-keyvalue",
        world: "imports",
        imports: { default: async | trappable },
        with: { "fleetgate:keyvalue/keyvalue.bucket": crate::bucket::Bucket },
    });
}

use generated::fleetgate::keyvalue::keyvalue;

/// What a call keeps.
pub(crate) struct State(pub(crate) Session);

/// Adds the host functions.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    keyvalue::add_to_linker::<_, Of<State>>(linker, CallState::slot::<State>)
}

type Answer<T> = wasmtime::Result<Result<T, keyvalue::Failure>>;

fn failure(failure: &Failure) -> keyvalue::Failure {
    let guest = failure.guest();
    keyvalue::Failure {
        code: guest.code.to_owned(),
        message: guest.message,
        retryable: guest.retryable,
        details: guest.details.map(|details| details.to_string()),
    }
}

fn answer<T>(done: Result<T, Failure>) -> Answer<T> {
    Ok(done.map_err(|failed| failure(&failed)))
}

fn entry(found: Found) -> keyvalue::Entry {
    let Found { key, value, revision, expires_ms } = found;
    keyvalue::Entry { key, value, revision, expires_ms }
}

fn write(write: keyvalue::Write) -> Write {
    Write {
        key: write.key,
        when: match write.when {
            keyvalue::Condition::Always => Condition::Any,
            keyvalue::Condition::Absent => Condition::Absent,
            keyvalue::Condition::Revision(revision) => Condition::Revision(revision),
        },
        value: match write.change {
            keyvalue::Change::Set(value) => Some(value),
            keyvalue::Change::Delete => None,
        },
    }
}

fn page(listed: Listing) -> keyvalue::Page {
    keyvalue::Page { entries: listed.entries.into_iter().map(entry).collect(), more: listed.more }
}

impl keyvalue::Host for Slot<'_, State> {}

impl keyvalue::HostBucket for Slot<'_, State> {
    async fn open(&mut self, capability: String) -> Answer<Resource<Bucket>> {
        match self.state.0.open(&capability) {
            Ok(bucket) => Ok(Ok(self.table.push(bucket)?)),
            Err(failed) => Ok(Err(failure(&failed))),
        }
    }

    async fn get(&mut self, bucket: Resource<Bucket>, key: String) -> Answer<Option<keyvalue::Entry>> {
        let found = self.table.get(&bucket)?.get(&key).await;
        answer(found.map(|found| found.map(entry)))
    }

    async fn set(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> Answer<u64> {
        answer(self.table.get(&bucket)?.set(key, value, ttl_ms).await)
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Answer<bool> {
        answer(self.table.get(&bucket)?.delete(key).await)
    }

    async fn list(
        &mut self,
        bucket: Resource<Bucket>,
        prefix: String,
        after: Option<String>,
        limit: u32,
    ) -> Answer<keyvalue::Page> {
        answer(self.table.get(&bucket)?.list(&prefix, after.as_deref(), limit, false).await.map(page))
    }

    async fn list_back(
        &mut self,
        bucket: Resource<Bucket>,
        prefix: String,
        before: Option<String>,
        limit: u32,
    ) -> Answer<keyvalue::Page> {
        answer(self.table.get(&bucket)?.list(&prefix, before.as_deref(), limit, true).await.map(page))
    }

    async fn compare_and_swap(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        expected: Option<u64>,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> Answer<u64> {
        answer(self.table.get(&bucket)?.compare_and_swap(key, expected, value, ttl_ms).await)
    }

    async fn increment(&mut self, bucket: Resource<Bucket>, key: String, by: i64) -> Answer<i64> {
        answer(self.table.get(&bucket)?.increment(&key, by).await)
    }

    async fn batch(&mut self, bucket: Resource<Bucket>, writes: Vec<keyvalue::Write>) -> Answer<Vec<u64>> {
        let writes = writes.into_iter().map(write).collect();
        answer(self.table.get(&bucket)?.batch(writes).await)
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}
