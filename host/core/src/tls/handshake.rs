//! Why a handshake came to nothing, for the operator: a certificate that is not trusted is mostly a file that was
//! forgotten, a date that has passed, or another name than the one in the grant, and each of them is settled elsewhere.

use std::fmt;
use std::io;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{CertificateError, Error};

use crate::diagnostic::quoted;

/// Of the names in a certificate, which are the other side's to choose.
const NAMES_SHOWN: usize = 3;

/// A handshake that came to nothing. What it says is for the operator alone.
#[derive(Debug, thiserror::Error)]
pub struct NoTls(#[from] io::Error);

impl NoTls {
    /// What the library has against it. None: the connection broke.
    pub fn error(&self) -> Option<&Error> {
        self.0.get_ref()?.downcast_ref()
    }

    /// What is wrong with the other side's certificate, if that is the reason.
    pub fn certificate(&self) -> Option<&CertificateError> {
        match self.error()? {
            Error::InvalidCertificate(error) => Some(error),
            _ => None,
        }
    }

    /// Whether another `ca` in the grant could settle it.
    pub fn is_unknown_authority(&self) -> bool {
        matches!(self.certificate(), Some(CertificateError::UnknownIssuer | CertificateError::BadSignature))
    }
}

impl fmt::Display for NoTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(error) = self.certificate() else { return self.0.fmt(f) };
        f.write_str("its certificate ")?;
        match error {
            CertificateError::UnknownIssuer => {
                f.write_str("is signed by no authority that this machine or the grant's key ca knows")
            }
            CertificateError::BadSignature => f.write_str(
                "is not signed by the authority that it names: this machine or the grant's key ca knows another one of \
                 that name",
            ),
            CertificateError::ExpiredContext { not_after, .. } => write!(f, "expired at {}", moment(*not_after)),
            CertificateError::Expired => f.write_str("has expired"),
            CertificateError::NotValidYetContext { not_before, .. } => {
                write!(f, "is not valid before {}; is this machine's clock right?", moment(*not_before))
            }
            CertificateError::NotValidYet => {
                f.write_str("is not valid yet; is this machine's clock right?")
            }
            CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
                f.write_str("names no host: what stands in its subjectAltName counts, and its common name does not")
            }
            CertificateError::NotValidForNameContext { expected, presented } => {
                let shown: Vec<_> = presented.iter().take(NAMES_SHOWN).map(|name| quoted(bare(name))).collect();
                let more = if presented.len() > NAMES_SHOWN { " and others" } else { "" };
                write!(f, "is for {}{more}, and not for {}", shown.join(", "), expected.to_str())
            }
            CertificateError::NotValidForName => f.write_str("is for another name"),
            other => write!(f, "is not accepted: {other}"),
        }
    }
}

fn moment(time: UnixTime) -> String {
    let moment = i64::try_from(time.as_secs()).ok().and_then(|second| Timestamp::from_second(second).ok());
    moment.map_or_else(|| format!("the second {}", time.as_secs()), |moment| moment.to_string())
}

/// `localhost` of `DnsName("localhost")`, as the library writes it.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, inner)| inner.strip_suffix(')'));
    inner.map_or(name, |inner| inner.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::pki_types::ServerName;

    use super::*;

    fn of(error: CertificateError) -> NoTls {
        NoTls(io::Error::new(io::ErrorKind::InvalidData, Error::InvalidCertificate(error)))
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_with_what_settles_it() {
        let at = |second| UnixTime::since_unix_epoch(Duration::from_secs(second));
        let name = |presented: &[&str]| CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("broker.example.com").unwrap(),
            presented: presented.iter().map(|name| (*name).to_owned()).collect(),
        };
        for (error, said) in [
            (
                CertificateError::UnknownIssuer,
                "its certificate is signed by no authority that this machine or the grant's key ca knows",
            ),
            (
                CertificateError::BadSignature,
                "its certificate is not signed by the authority that it names: this machine or the grant's key ca knows another one of that name",
            ),
            (
                CertificateError::ExpiredContext { time: at(86_401), not_after: at(86_400) },
                "its certificate expired at 1970-01-02T00:00:00Z",
            ),
            (
                CertificateError::NotValidYetContext { time: at(0), not_before: at(u64::MAX) },
                "its certificate is not valid before the second 18446744073709551615; is this machine's clock right?",
            ),
            (
                name(&["DnsName(\"a\")", "IpAddress(10.0.0.1)", "DnsName(\"b\")", "DnsName(\"c\")"]),
                "its certificate is for \"a\", \"10.0.0.1\", \"b\" and others, and not for broker.example.com",
            ),
            (name(&["\u{1b}[2J"]), "its certificate is for \"\\u{1b}[2J\", and not for broker.example.com"),
            (
                name(&[]),
                "its certificate names no host: what stands in its subjectAltName counts, and its common name does not",
            ),
            (CertificateError::Revoked, "its certificate is not accepted: Revoked"),
        ] {
            assert_eq!(of(error).to_string(), said);
        }
    }

    #[test]
    fn what_is_no_certificate_s_fault_is_said_as_it_is() {
        let broke = NoTls(io::Error::new(io::ErrorKind::UnexpectedEof, "tls handshake eof"));
        assert_eq!((broke.to_string().as_str(), broke.error().is_none()), ("tls handshake eof", true));
        let alert = NoTls(io::Error::other(Error::HandshakeNotComplete));
        assert!(alert.certificate().is_none() && alert.error().is_some() && !alert.is_unknown_authority());
    }
}
