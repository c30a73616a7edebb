//! TLS for outgoing connections: the machine's authorities, the operator's own, a client certificate. One library, one
//! provider and one set of tables for every kind of reach that encrypts.

mod handshake;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use crate::address::Host;
use crate::diagnostic::TableReader;
use crate::ownership::{self, Rules};
use crate::settings::Secrets;

pub use handshake::NoTls;

/// Bundles of certificates are some hundred KiB.
const MAX_PEM: u64 = 2 << 20;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file without one.
    #[error("it holds no certificate in PEM form")]
    NoCertificate,
    /// One that is malformed.
    #[error("a certificate in it cannot be read: {0}")]
    Certificate(String),
    /// A text without one.
    #[error("it holds no private key in PEM form")]
    Key,
    /// They belong to different pairs.
    #[error("certificate and key do not fit: {0}")]
    Pair(rustls::Error),
    /// The library refuses its own provider.
    #[error("TLS is not available: {0}")]
    Provider(rustls::Error),
    /// Nothing would ever be trusted.
    #[error(
        "this machine trusts no certificate authority; install ca-certificates, or name your own with ca = …"
    )]
    NoAuthorities,
}

/// A certificate and its key, to show to the other side.
pub type ClientIdentity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The certificates of a PEM text, each of which an authority store takes.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| TlsError::Certificate(error.to_string()))?;
    let mut store = RootCertStore::empty();
    for certificate in &found {
        store.add(certificate.clone()).map_err(|error| TlsError::Certificate(error.to_string()))?;
    }
    if found.is_empty() { Err(TlsError::NoCertificate) } else { Ok(found) }
}

/// The private key of a PEM text.
pub fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| TlsError::Key)
}

/// A client certificate of a grant: what is shown, and the secret that holds its key.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate, and those that vouch for it.
    pub chain: Vec<CertificateDer<'static>>,
    /// The name of the secret.
    pub key: String,
}

impl Identity {
    /// Reads `client_cert` and `client_key` of a grant. Errors are said into the reader.
    pub fn read(table: &mut TableReader<'_>, secrets: &Secrets) -> Option<Self> {
        let chain = read_pem(table, "client_cert", secrets.directory());
        let key = secrets.take(table, "client_key");
        match (table.has("client_cert"), table.has("client_key")) {
            (true, false) => {
                table.error_at("client_cert", "its key is missing", "add client_key = the name of a secret")
            }
            (false, true) => {
                table.error_at("client_key", "its certificate is missing", "add client_cert = a PEM file")
            }
            _ => {}
        }
        Some(Self { chain: chain?, key: key? })
    }

    /// Certificate and key, read now. `Err`: what is wrong and what to do, without a value.
    pub fn current(&self, secrets: &Secrets) -> Result<ClientIdentity, (String, String)> {
        let pem = secrets.read(&self.key).map_err(|error| (error.to_string(), error.help))?;
        let key = private_key(pem.expose().as_bytes())
            .map_err(|error| (format!("the secret {}: {error}", self.key), String::new()))?;
        Ok((self.chain.clone(), key))
    }
}

/// Reads `ca` of a grant, a file of authorities beside those of the machine. Errors are said into the reader.
pub fn read_authorities(table: &mut TableReader<'_>, secrets: &Secrets) -> Vec<CertificateDer<'static>> {
    read_pem(table, "ca", secrets.directory()).unwrap_or_default()
}

fn read_pem(
    table: &mut TableReader<'_>,
    key: &str,
    directory: &Path,
) -> Option<Vec<CertificateDer<'static>>> {
    let name = table.spanned_string(key)?;
    let path = directory.join(name.get_ref());
    let rules = Rules { follow_links: true, public: true, sticky_directory: true, max_bytes: MAX_PEM };
    let bytes = match ownership::read(&path, &rules) {
        Ok(bytes) => bytes,
        Err(refused) => {
            table.error_at(&name, refused.to_string(), refused.help());
            return None;
        }
    };
    match certificates(&bytes) {
        Ok(certificates) => Some(certificates),
        Err(error) => {
            table.error_at(
                &name,
                format!("{}: {error}", path.display()),
                "name a file with certificates in PEM form",
            );
            None
        }
    }
}

/// One configuration per grant, so that sessions are resumed within it and never across bindings. `protocols` are
/// offered by ALPN (RFC 7301), the preferred one first.
pub fn client(
    own: &[CertificateDer<'static>],
    identity: Option<ClientIdentity>,
    protocols: &[&[u8]],
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
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}

/// The name that the certificate of the other side must bear.
pub fn server_name(host: &Host) -> Option<ServerName<'static>> {
    match host {
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
