//! TLS for outgoing connections: the machine's authorities, the operator's own, a client certificate.

use std::sync::{Arc, OnceLock};

use fleetgate_core::address::Host;
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use crate::origin::Origin;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("it holds no certificate in PEM form")]
    NoCertificate,
    #[error("a certificate in it cannot be read: {0}")]
    Certificate(String),
    #[error("it holds no private key in PEM form")]
    Key,
    #[error("certificate and key do not fit: {0}")]
    Pair(rustls::Error),
    #[error("TLS is not available: {0}")]
    Provider(rustls::Error),
    #[error(
        "this machine trusts no certificate authority; install ca-certificates, or name your own with ca = …"
    )]
    NoAuthorities,
}

/// A certificate and its key, to show to the upstream.
pub(crate) type ClientIdentity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The certificates of a PEM text, each of which an authority store takes.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| TlsError::Certificate(error.to_string()))?;
    let mut store = RootCertStore::empty();
    for certificate in &found {
        store.add(certificate.clone()).map_err(|error| TlsError::Certificate(error.to_string()))?;
    }
    if found.is_empty() { Err(TlsError::NoCertificate) } else { Ok(found) }
}

/// The private key of a PEM text.
pub(crate) fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| TlsError::Key)
}

/// One configuration per grant, so that sessions are resumed within it and never across bindings.
pub(crate) fn client(
    own: &[CertificateDer<'static>],
    identity: Option<ClientIdentity>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = native();
    if !own.is_empty() {
        let mut more = RootCertStore { roots: roots.roots.clone() };
        for certificate in own {
            more.add(certificate.clone()).map_err(|error| TlsError::Certificate(error.to_string()))?;
        }
        roots = Arc::new(more);
    }
    if roots.is_empty() {
        return Err(TlsError::NoAuthorities);
    }
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Provider)?
        .with_root_certificates(roots);
    let mut config = match identity {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(TlsError::Pair)?,
        None => builder.with_no_client_auth(),
    };
    // A grant has few hosts, and the default makes room for hundreds at once.
    config.resumption = Resumption::in_memory_sessions(16);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The name that the upstream's certificate must bear.
pub(crate) fn server_name(origin: &Origin) -> Option<ServerName<'static>> {
    match &origin.host {
        Host::Name(name) => ServerName::try_from(name.clone()).ok(),
        Host::Address(address) => Some(ServerName::from(*address)),
    }
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(rustls::crypto::ring::default_provider())))
}

/// The machine's authorities, read once and shared: there are some hundred, and reading them takes tens of
/// milliseconds.
fn native() -> Arc<RootCertStore> {
    static NATIVE: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let read = || {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "certificate authorities of this machine");
        }
        let mut store = RootCertStore::empty();
        let (_, ignored) = store.add_parsable_certificates(found.certs);
        if ignored > 0 {
            tracing::debug!(ignored, "certificate authorities that cannot be read");
        }
        Arc::new(store)
    };
    Arc::clone(NATIVE.get_or_init(read))
}
