//! Sending: timeouts, repeats, logins.

use std::time::Duration;

use fleetgate_sdk::prelude::*;

use super::{READS, refusal};
use crate::job::DeviceJob;
use crate::settings;

/// How often a request is repeated that did not reach the server.
const REPEATS: u32 = 3;
/// The pause before the first repeat; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(250);

/// The API of the granted server.
pub(super) struct Api {
    upstream: http::Upstream,
    timeout: Duration,
}

impl Api {
    /// What every request needs to know. The mode says that the server was granted.
    pub(super) fn connect() -> Result<Self, Fault> {
        Ok(Self { upstream: http::upstream("api"), timeout: settings::request_timeout()? })
    }

    /// The same server, with another login.
    pub(super) fn through(&self, upstream: &str) -> Self {
        Self { upstream: http::upstream(upstream), ..*self }
    }

    pub(super) fn get<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> http::Request {
        self.prepared(self.upstream.get(path))
    }

    pub(super) fn post<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> http::Request {
        self.prepared(self.upstream.post(path))
    }

    pub(super) fn delete<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> http::Request {
        self.prepared(self.upstream.delete(path))
    }

    fn prepared(&self, request: http::Request) -> http::Request {
        request.header("accept", "application/json").timeout(self.timeout)
    }

    /// Sends what may arrive twice without harm: it looks, or carries an idempotency key. What did not reach the server
    /// is repeated; what was answered, or not answered in time, is not.
    pub(super) fn send(&self, request: http::Request) -> Result<http::Response, Fault> {
        let mut pause = PAUSE;
        for _ in 0..REPEATS {
            match request.clone().send() {
                Err(fault) if fault.is("unavailable") => call::sleep(pause)?,
                answered => return answered,
            }
            pause *= 2;
        }
        request.send()
    }
}

/// Whose login a job is looked at with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Login {
    /// The granted one.
    Granted,
    /// The device's own, out of the call: it is what the server's owner check was made of.
    Device,
    /// The one granted for reading.
    Reads,
}

/// Looks at one job, with the first login that is let in.
pub(super) struct Looks<'a> {
    api: &'a Api,
    job: Option<&'a DeviceJob>,
    login: Login,
}

impl<'a> Looks<'a> {
    /// `job`: where its login is at hand.
    pub(super) fn at(api: &'a Api, job: Option<&'a DeviceJob>) -> Self {
        Self { api, job, login: Login::Granted }
    }

    /// The job as it stands. `path`: `send-command` or `send-config`.
    pub(super) fn look(&mut self, path: &str, id: &str) -> Result<http::Response, Fault> {
        self.admitted(|api| api.get(["v2", path]).segment_named("/job_id", id))
    }

    /// Stops it.
    pub(super) fn cancel(&mut self, id: &str) -> Result<http::Response, Fault> {
        self.admitted(|api| api.delete(["v2", "jobs"]).segment_named("/job_id", id))
    }

    /// Whether the job was made with the device's login of the call, which servers compare before they let somebody read
    /// it. None: there is no such login, it is not granted that it be used here, or the server takes none.
    pub(super) fn knows_the_login(&mut self, path: &str, id: &str) -> Result<Option<bool>, Fault> {
        if !self.has(Login::Device) {
            return Ok(None);
        }
        self.login = Login::Device;
        let answered = self.send(&|api: &Api| api.get(["v2", path]).segment_named("/job_id", id));
        self.login = Login::Granted;
        match answered {
            Ok(response) if response.is_ok() => Ok(Some(true)),
            Ok(response) if response.status() == 403 => Ok(Some(false)),
            Ok(response) if response.status() == 401 => Ok(None),
            Ok(response) => Err(refusal::of_a_job(&response, id)),
            Err(fault) if fault.is("denied") => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// After a 403 the next login is tried, and the one that was let in is kept. If none is, the server's answer to the
    /// granted login stands: it is the one that the operator can act on.
    fn admitted(&mut self, request: impl Fn(&Api) -> http::Request) -> Result<http::Response, Fault> {
        let began = self.login;
        let first = self.send(&request)?;
        if first.status() != 403 || began != Login::Granted {
            return Ok(first);
        }
        for login in [Login::Device, Login::Reads] {
            if !self.has(login) {
                continue;
            }
            self.login = login;
            match self.send(&request) {
                Ok(response) if response.status() != 403 && response.status() != 401 => return Ok(response),
                // Not granted that the call's own login may be used here.
                Err(fault) if !fault.is("denied") => return Err(fault),
                Ok(_) | Err(_) => {}
            }
        }
        self.login = Login::Granted;
        Ok(first)
    }

    fn has(&self, login: Login) -> bool {
        match login {
            Login::Granted => true,
            Login::Device => self.job.is_some_and(|job| job.username.is_some() && job.password.is_some()),
            Login::Reads => granted(READS),
        }
    }

    fn send(&self, request: &impl Fn(&Api) -> http::Request) -> Result<http::Response, Fault> {
        match (self.login, self.job) {
            (Login::Reads, _) => {
                let reads = self.api.through("reads");
                reads.send(request(&reads))
            }
            (Login::Device, Some(DeviceJob { username: Some(user), password: Some(password), .. })) => {
                self.api.send(request(self.api).basic_from_call(user, password))
            }
            _ => self.api.send(request(self.api)),
        }
    }
}
