//! What a worker makes of a job: how long it takes, and how it ends. The rows of section 5's table of error codes.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::clock::signed;
use super::gear::{self, configure};
use super::model::{Device, End, Failure, Func, Manner, Request, Run};
use super::seed::Seed;

/// The run of a job that a worker takes now, against the device if there is one.
pub(crate) fn run(
    seed: &Seed,
    device: Option<&Device>,
    breaker_open: bool,
    request: &Request,
    now: Timestamp,
) -> Run {
    let mut work = Work { request, takes: seed.running, detected_platform: None, applied: Vec::new() };
    let mut end = work.end(device, breaker_open);
    if work.takes > seed.job_timeout {
        work.takes = seed.job_timeout;
        work.applied.clear();
        let seconds = seed.job_timeout.as_secs();
        let what = format!("Task exceeded maximum timeout value ({seconds} seconds)");
        end = crashed("rq/timeouts.py", "rq.timeouts.JobTimeoutException", &what);
    }
    Run {
        ends_at: now + signed(work.takes),
        end,
        detected_platform: work.detected_platform,
        applied: work.applied,
    }
}

struct Work<'a> {
    request: &'a Request,
    takes: Duration,
    detected_platform: Option<String>,
    applied: Vec<String>,
}

impl Work<'_> {
    fn end(&mut self, device: Option<&Device>, breaker_open: bool) -> End {
        let Request { host, port, platform, .. } = self.request;
        if breaker_open {
            let text = format!("Circuit breaker open for device {host} - too many recent failures");
            return refused("CIRCUIT_OPEN", true, text);
        }
        let settings = format!("Device settings: {platform} {host}:{port}");
        let Some(device) = device.filter(|device| device.manner != Manner::Unreachable) else {
            return refused("CONNECTION_TIMEOUT", true, unreachable(&settings));
        };
        if device.manner == Manner::Silent {
            self.takes += self.request.conn_timeout;
            let text = "Paramiko: 'No existing session' error: try increasing 'conn_timeout' to 15 seconds or larger.";
            return refused("CONNECTION_TIMEOUT", true, text.to_owned());
        }
        if device.login != (self.request.username.clone(), self.request.password.clone()) {
            return refused("AUTH_FAILURE", false, bad_login(&settings));
        }
        if device.manner == Manner::Broken {
            let text = format!("Unknown SSH error connecting to device {host}: Socket is closed");
            return refused("SSH_ERROR", true, text);
        }
        if platform == "autodetect" {
            if device.manner == Manner::Mystery {
                let text = "Platform autodetect failed: no known device type matches this device".to_owned();
                return refused("AUTODETECT_FAILED", false, text);
            }
            self.detected_platform = Some(device.platform.name().to_owned());
        }
        self.converse(device)
    }

    /// The session, once it is open.
    fn converse(&mut self, device: &Device) -> End {
        let each = match device.manner {
            Manner::Slow(each) => each,
            // Its prompt looks like none, so the end of an output is never found.
            Manner::Mystery => Duration::MAX,
            _ => Duration::ZERO,
        };
        if each > self.request.read_timeout {
            self.takes += self.request.read_timeout;
            let what = format!(
                "Pattern not detected: '{}' in output.",
                gear::hostname(device).chars().take(16).collect::<String>()
            );
            return crashed("netmiko/base_connection.py", "netmiko.exceptions.ReadTimeout", &what);
        }
        self.takes += each.saturating_mul(u32::try_from(self.request.commands.len()).unwrap_or(u32::MAX));
        if device.manner == Manner::Crashes {
            return crashed("naas/library/netmiko_lib.py", "KeyError", "'output'");
        }
        match self.request.func {
            Func::Command => self.results(|command| gear::print(device, command).into()),
            Func::Structured => self.results(|command| {
                gear::parsed(device, command).unwrap_or_else(|| gear::print(device, command).into())
            }),
            Func::Config => self.configure(device),
        }
    }

    fn results(&self, one: impl Fn(&str) -> Value) -> End {
        let results = self.request.commands.iter().map(|command| (command.clone(), one(command)));
        End::Results(Value::Object(results.collect::<Map<_, _>>()))
    }

    /// The worker never asks for more privilege: a login in user mode ends here.
    fn configure(&mut self, device: &Device) -> End {
        if device.manner == Manner::Unprivileged {
            let host = &self.request.host;
            let text =
                format!("Unknown SSH error connecting to device {host}: Failed to enter configuration mode.");
            return refused("SSH_ERROR", true, text);
        }
        let session = configure(device, &self.request.commands);
        self.applied = session.applied;
        match session.rejected {
            None => End::Results(json!({"config_set_output": session.transcript})),
            Some((line, found)) => {
                let text = format!("Invalid input detected at command: {line}, matched error: {found}");
                refused("CONFIG_REJECTED", false, text)
            }
        }
    }
}

fn refused(code: &'static str, retryable: bool, text: String) -> End {
    End::Refused(Failure { code, retryable, text })
}

fn crashed(file: &str, exception: &str, what: &str) -> End {
    let text = format!(
        "Traceback (most recent call last):\n  \
         File \"/usr/local/lib/python3.11/site-packages/rq/worker.py\", line 1430, in perform_job\n    \
         rv = job.perform()\n         ^^^^^^^^^^^^^\n  \
         File \"/usr/local/lib/python3.11/site-packages/{file}\", line 312, in run\n    \
         raise error\n{exception}: {what}\n"
    );
    End::Crashed(Failure { code: "UNKNOWN", retryable: false, text })
}

fn unreachable(settings: &str) -> String {
    format!(
        "TCP connection to device failed.\n\nCommon causes of this problem are:\n\
         1. Incorrect hostname or IP address.\n2. Wrong TCP port.\n\
         3. Intermediate firewall blocking access.\n\n{settings}\n\n"
    )
}

fn bad_login(settings: &str) -> String {
    format!(
        "Authentication to device failed.\n\nCommon causes of this problem are:\n\
         1. Invalid username and password\n2. Incorrect SSH-key file\n\
         3. Connecting to the wrong device\n\n{settings}\n\n\nAuthentication failed."
    )
}
