//! Whose a job is.
//!
//! The server knows one identity for everybody who calls through this binding, so it would show everybody everything.
//! What was handed to whom is therefore noted here, and an id is taken from whom it was handed to. Callers with the role
//! `admin` see every job, as does everybody where the operator sets `shared_jobs`.
//!
//! A note is a job of the host: it belongs to the caller, survives a restart, and carries the server's id as an
//! attribute. It runs get_job_result, which does nothing in a job and ends at once; it is kept for as long as the server
//! keeps a result that succeeded.
//!
//! What came back in the place of a job that the server did not take is noted for nobody: it was handed to its maker, and
//! that somebody asked for the same proves nothing (see [`deduplicated`](super::deduplicated)).

use std::collections::BTreeSet;
use std::time::Duration;

use fleetgate_sdk::jobs;
use fleetgate_sdk::prelude::*;

use super::submit::Submitted;
use crate::settings;

/// The attribute that holds the server's id.
const ATTRIBUTE: &str = "naas_job_id";
/// As long as NAAS keeps the result of a job (its `JOB_TTL_SUCCESS`).
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// Pages of notes that are looked through.
const PAGES: usize = 20;

/// What the caller may see.
#[derive(Debug)]
pub(super) enum Ownership {
    /// Every job.
    All,
    /// The caller's own.
    Own,
}

impl Ownership {
    pub(super) fn of_caller() -> Result<Self, Fault> {
        let all = call::has_role("admin") || settings::shared_jobs()?;
        Ok(if all { Self::All } else { Self::Own })
    }

    /// The same answer whether there is no such job or it is somebody else's.
    pub(super) fn check(&self, id: &str) -> Result<(), Fault> {
        if matches!(self, Self::All) || noted(|noted| noted == id)? {
            return Ok(());
        }
        Err(Fault::unknown(format!(
            "No job {id} was handed to you in the last 24 hours. Callers see the jobs that they submitted themselves."
        ))
        .field("/job_id"))
    }

    /// Whether the caller has this job already. A host that keeps no notes knows of none.
    fn holds(&self, id: &str) -> Result<bool, Fault> {
        match self {
            Self::All => Ok(true),
            Self::Own => noted(|noted| noted == id).or_else(|fault| match fault.is("unavailable") {
                true => Ok(false),
                false => Err(fault),
            }),
        }
    }

    /// The caller's own ids. None: all.
    pub(super) fn ids(&self) -> Result<Option<BTreeSet<String>>, Fault> {
        if matches!(self, Self::All) {
            return Ok(None);
        }
        let mut ids = BTreeSet::new();
        noted(|id| {
            ids.insert(id.to_owned());
            false
        })?;
        Ok(Some(ids))
    }
}

/// Whether one of the notes is the one that is looked for.
fn noted(mut is_it: impl FnMut(&str) -> bool) -> Result<bool, Fault> {
    let mut cursor = None;
    for _ in 0..PAGES {
        let (jobs, next) = jobs::list(cursor.as_deref()).map_err(unnoted)?;
        for job in &jobs {
            let attributes = job.extra.as_ref().and_then(|extra| extra.get("attributes"));
            if let Some(id) = attributes.and_then(|attributes| attributes.get(ATTRIBUTE)?.as_str())
                && is_it(id)
            {
                return Ok(true);
            }
        }
        match next {
            Some(_) => cursor = next,
            None => break,
        }
    }
    Ok(false)
}

/// `fleetgate call` keeps no jobs, for example.
fn unnoted(fault: Fault) -> Fault {
    if !fault.is("unavailable") {
        return fault;
    }
    let message = "This host keeps no jobs, so it is not known which jobs of the server are yours. Who holds the role \
                   admin sees all of them, and so does everybody where the operator sets shared_jobs.";
    fault.message(message).not_retryable()
}

/// The note that a job was handed to this caller. It is made again and again until it could be made: there may be a
/// crowd at this moment.
pub(super) struct Note<'a> {
    id: &'a str,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is to be made.
    Owed,
    /// It is there, or the caller sees all jobs.
    Made,
    /// Somebody else made the job: none is made.
    Anothers,
}

impl<'a> Note<'a> {
    /// Nothing is to be noted for who sees all jobs, and nothing for who did not make this one.
    pub(super) fn of(submitted: &'a Submitted) -> Result<Self, Fault> {
        let (id, ownership) = (submitted.job_id.as_str(), Ownership::of_caller()?);
        let state = match ownership {
            Ownership::All => State::Made,
            Ownership::Own if !submitted.deduplicated => State::Owed,
            Ownership::Own if ownership.holds(id)? => State::Made,
            Ownership::Own => State::Anothers,
        };
        Ok(Self { id, state })
    }

    /// Whether the job was made by somebody else, whose it stays.
    pub(super) fn is_anothers(&self) -> bool {
        self.state == State::Anothers
    }

    pub(super) fn make(&mut self) {
        if self.state != State::Owed {
            return;
        }
        let note = jobs::submit("get_job_result", &json!({ "job_id": self.id }));
        let made = note.and_then(|note| note.keep_for(KEPT).attributes(json!({ ATTRIBUTE: self.id })).send());
        match made {
            Ok(_) => self.state = State::Made,
            Err(fault) => log::debug(format!("A job's id cannot be noted: {fault}")),
        }
    }

    /// For who gets a result that cannot be asked for again.
    pub(super) fn warning(&self) -> Option<String> {
        (self.state == State::Owed).then(|| {
            format!("The host could not note that job {} is yours: get_job_result will not find it.", self.id)
        })
    }
}
