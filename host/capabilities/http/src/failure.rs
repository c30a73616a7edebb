//! Why a request came to nothing: in words for the operator, and as the code that a guest gets.
//!
//! A refusal tells the guest that it was refused and nothing else; which rule it was, what address a name led to and
//! what line would allow it goes to the log and to `fleetgate why`. No message here holds a query, a header or a
//! body.

use std::error::Error as _;
use std::io;

use fleetgate_core::address::Unreached;
use fleetgate_core::capability::Refusal;
use wasmtime_wasi_http::Error;

use crate::body::Progress;
use crate::connect::ConnectFailed;
use crate::pool::SendFailed;

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may not be sent.
    #[error("{0}")]
    Refused(Refusal),
    /// The call has too many requests under way.
    #[error("{0} requests of this call are under way, and it may have no more at once")]
    TooManyAtOnce(usize),
    /// The call was cancelled.
    #[error("the call was cancelled")]
    Cancelled,
    /// The response did not begin in time.
    #[error("the upstream did not answer in time")]
    Timeout,
    /// There is no connection.
    #[error(transparent)]
    Connect(ConnectFailed),
    /// The other side did not speak HTTP as it should, or went away.
    #[error("{0}")]
    Http(hyper::Error),
    /// The credential cannot be had.
    #[error("{0}")]
    Credential(String),
    /// The guest's body is too large, in bytes.
    #[error("the request body is larger than {0} bytes")]
    RequestTooLarge(u64),
    /// Anything else, as the guest gets it.
    #[error("{0}")]
    Other(Error),
}

impl From<SendFailed> for Failure {
    fn from(failed: SendFailed) -> Self {
        match failed {
            SendFailed::Connect(failed) => Self::Connect(failed),
            SendFailed::Http(error) => Self::Http(error),
        }
    }
}

impl Failure {
    /// What the guest gets.
    pub fn into_guest(self) -> Error {
        match self {
            Self::Refused(_) => Error::HttpRequestDenied,
            Self::TooManyAtOnce(_) => Error::ConnectionLimitReached,
            Self::Cancelled => Error::InternalError(Some("the call was cancelled".into())),
            Self::Timeout => Error::HttpResponseTimeout,
            Self::Connect(failed) => connecting(&failed),
            Self::Http(error) => sending(&error),
            Self::Credential(_) => Error::ConfigurationError,
            Self::RequestTooLarge(limit) => Error::HttpRequestBodySize(Some(limit)),
            Self::Other(error) => error,
        }
    }
}

fn connecting(failed: &ConnectFailed) -> Error {
    match failed {
        ConnectFailed::Unreached(Unreached::Resolve { .. } | Unreached::NoAddress(_)) => {
            Error::DnsError { rcode: Some("address not available".into()), info_code: None }
        }
        ConnectFailed::Unreached(Unreached::Blocked { .. }) | ConnectFailed::Plaintext { .. } => {
            Error::HttpRequestDenied
        }
        ConnectFailed::Unreached(Unreached::Dial { error, .. }) => match error.kind() {
            io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
            io::ErrorKind::TimedOut => Error::ConnectionTimeout,
            _ => Error::DestinationUnavailable,
        },
        ConnectFailed::Tls { error, .. } => match error.error() {
            Some(rustls::Error::InvalidCertificate(_)) => Error::TlsCertificateError,
            Some(rustls::Error::AlertReceived(alert)) => Error::TlsAlertReceived {
                alert_id: Some(u8::from(*alert)),
                alert_message: Some(format!("{alert:?}")),
            },
            _ => Error::TlsProtocolError,
        },
        ConnectFailed::Handshake { .. } => Error::HttpProtocolError,
        ConnectFailed::Timeout(_) => Error::ConnectionTimeout,
    }
}

/// What went wrong before the response's head was there.
fn sending(error: &hyper::Error) -> Error {
    if error.is_parse_too_large() {
        return Error::HttpResponseHeaderSectionSize(Some(crate::pool::HEADER_BYTES as u32));
    }
    if error.is_parse() {
        return Error::HttpProtocolError;
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return Error::ConnectionTerminated;
    }
    gone(error).unwrap_or(Error::HttpProtocolError)
}

/// What went wrong while a response's body arrived.
pub(crate) fn arriving(error: &hyper::Error, request: &Progress) -> Error {
    if let Some(limit) = request.too_large() {
        return Error::HttpRequestBodySize(Some(limit));
    }
    match gone(error) {
        Some(_) => Error::HttpResponseIncomplete,
        None if error.is_incomplete_message() || error.is_canceled() || error.is_closed() => {
            Error::HttpResponseIncomplete
        }
        None => Error::HttpProtocolError,
    }
}

/// An input or output error below.
fn gone(error: &hyper::Error) -> Option<Error> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(match error.kind() {
                io::ErrorKind::TimedOut => Error::ConnectionReadTimeout,
                _ => Error::ConnectionTerminated,
            });
        }
        source = error.source();
    }
    None
}
