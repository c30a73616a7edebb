//! A job that the server did not take, since one like it is under way, whose id came back instead.
//!
//! The server compares host, platform, commands and the name of the device's user; neither the kind of job, nor the
//! port, nor what a configuration is to do, nor the password. So what comes back may be of another kind than what was
//! asked for, and may be somebody else's.
//!
//! # What a hostile caller could gain
//!
//! Somebody may guess what another caller runs, and send the same while it runs. An id that came back that way proves
//! nothing about who asks: it is noted for nobody who has no note of it already (see [`ownership`](super::ownership)).
//!
//! - *The job.* With a note it would be the guesser's to cancel, and to read for a day. Without one, the waiting that its
//!   own call began ends with the job's result, and nothing takes the id from it afterwards.
//! - *What the maker wrote to it.* Its tags are left out of that result.
//! - *The output, without the password.* It may have sent any password: nobody tried it. So the server is asked first
//!   whether it lets that login read the job, which servers compare with the maker's; who is not let in gets nothing
//!   ([`admit`]). Only where that cannot be asked (no `basic` in the grant's `from_call`; a server that takes no Basic)
//!   the output of these very commands on this very device is given to whoever named the right user at the right moment.
//! - *Another command's output.* What has not the caller's own commands for its keys is not given ([`compared`]).
//! - *That somebody runs this now.* The server says so by not taking the job, whatever is done here.
//!
//! The other way round, the maker chooses a port that the server does not compare, and may cancel: whoever waits is told
//! that the result is another job's and that its port may have been another.

use std::collections::BTreeSet;
use std::time::Duration;

use fleetgate_sdk::prelude::*;

use super::client::Looks;
use crate::job::{DeviceJob, JobResult, Kind};

/// Lets a caller wait for somebody else's job, unless the server says that it was made with another login.
pub(super) fn admit(looks: &mut Looks<'_>, job: &DeviceJob, id: &str) -> Result<(), Fault> {
    if looks.knows_the_login(job.kind.look(), id)? == Some(false) {
        return Err(conflict("Nothing was sent", id, "was made with another password for this user"));
    }
    Ok(())
}

/// What becomes of the result of the job that was under way. `anothers`: it was made by somebody else.
pub(super) fn compared(mut result: JobResult, job: &DeviceJob, anothers: bool) -> Result<JobResult, Fault> {
    let id = result.job_id.clone();
    let mut warning = format!(
        "NAAS did not take this job: job {id} for the same device and commands was under way, and this is its result. \
         Its port may have been another."
    );
    if anothers {
        result.tags = None;
        warning.push_str(
            " It counts as somebody else's: get_job_result and cancel_job do not take its id from you.",
        );
    }
    // A job that failed may have an empty table of results, which is of no kind.
    let failed = result.error.is_some() || result.status != "finished";
    let empty = |results: &Value| results.as_object().is_some_and(serde_json::Map::is_empty);
    let of = result.results.as_ref().filter(|results| !(failed && empty(results))).map(kind_of);
    match (job.kind, of) {
        (Kind::Config, Some(Kind::Command | Kind::Structured)) => {
            return Err(conflict("Nothing was configured", &id, "sent the same lines as commands"));
        }
        (Kind::Command | Kind::Structured, Some(Kind::Config)) => {
            return Err(conflict("There is no such output", &id, "sent the same lines as configuration"));
        }
        (Kind::Command | Kind::Structured, Some(_)) if !is_of(&result, &job.commands) => {
            return Err(conflict("There is no such output", &id, "sent other commands"));
        }
        (Kind::Structured, Some(Kind::Command)) => {
            warning.push_str(" It was perhaps one for plain text, so that tables are missing.");
        }
        (Kind::Command, Some(Kind::Structured)) => {
            warning.push_str(" It was one for tables, so that the text is missing.");
        }
        (Kind::Config, _) => warning.push_str(" So may have been `commit` and `save_config`."),
        _ => {}
    }
    result.warnings.push(warning);
    Ok(result)
}

/// The failure of a call that waited this long for somebody else's job, which goes on.
pub(super) fn too_long(most: Duration) -> Fault {
    Fault::timeout(format!(
        "NAAS did not take this job, because one of somebody else's for the same device and commands was under way, and \
         that did not complete within {}s. It goes on. Send this one again once it has ended.",
        most.as_secs_f64()
    ))
    .retryable()
    .detail("deduplicated", true)
    .detail("timeout_seconds", most.as_secs_f64())
}

fn conflict(what: &str, id: &str, why: &str) -> Fault {
    Fault::custom(
        "conflict",
        format!(
            "{what}: NAAS did not take this job, because job {id}, which {why}, was under way. Send it again once that \
             has ended."
        ),
    )
    .retryable()
    .detail("job_id", id)
    .detail("deduplicated", true)
}

/// Whether these are the outputs of these commands, in any order.
fn is_of(result: &JobResult, commands: &[String]) -> bool {
    let Some(results) = result.results.as_ref().and_then(Value::as_object) else { return false };
    let given: BTreeSet<_> = results.keys().map(|command| command.trim()).collect();
    given == commands.iter().map(|command| command.trim()).collect()
}

/// What kind of job has such results.
fn kind_of(results: &Value) -> Kind {
    let Some(results) = results.as_object() else { return Kind::Command };
    if results.keys().eq(["config_set_output"]) {
        Kind::Config
    } else if results.values().any(|value| !value.is_string()) {
        Kind::Structured
    } else {
        Kind::Command
    }
}
