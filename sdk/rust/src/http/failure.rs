//! Why there is no answer.

use crate::Fault;
use crate::http::Method;

/// What went wrong with a request that got no whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The host did not let it out: not granted, or not for this tool.
    Denied,
    /// No answer in time.
    Timeout,
    /// The upstream cannot be reached. The text says what happened, for people.
    Unreachable(String),
    /// The answer is over a limit. The text says which.
    TooLarge(String),
    /// The answer is not proper HTTP, or the connection is not proper TLS.
    Malformed(String),
    /// The request itself cannot be sent.
    Unsendable(String),
}

impl Failure {
    pub(crate) fn into_fault(self, label: &str, method: Method, path: &str) -> Fault {
        let path = if path.is_empty() { "/" } else { path };
        match self {
            Self::Denied => {
                Fault::denied(format!("{method} {path} at `{label}` is not granted to this tool."))
            }
            Self::Timeout => Fault::timeout(format!("`{label}` did not answer {method} {path} in time.")),
            Self::Unreachable(why) => Fault::unavailable(format!("`{label}` cannot be reached: {why}.")),
            Self::TooLarge(what) => {
                Fault::upstream(format!("The answer of `{label}` to {method} {path} is too large: {what}."))
            }
            Self::Malformed(why) => {
                Fault::upstream(format!("The answer of `{label}` to {method} {path} cannot be read: {why}."))
            }
            Self::Unsendable(why) => {
                Fault::internal(format!("{method} {path} cannot be sent to `{label}`: {why}."))
            }
        }
    }
}
