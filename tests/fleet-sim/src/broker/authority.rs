//! The authority behind a broker with TLS, made for this broker alone.

use std::path::{Path, PathBuf};
use std::{fs, io};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// A certificate and its key, both PEM.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its key (PKCS #8).
    pub key: String,
}

#[derive(Debug)]
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    path: PathBuf,
}

impl Authority {
    /// Writes `ca.pem`, `server.pem` and `server.key` into the folder.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let mut params = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "the authority of a test");
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)?;
        let this = Self { issuer, path: folder.join("ca.pem") };
        fs::write(&this.path, this.issuer.pem())?;
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let server = this.issue(names.to_vec(), "the broker of a test").map_err(io::Error::other)?;
        fs::write(folder.join("server.pem"), server.certificate)?;
        fs::write(folder.join("server.key"), server.key)?;
        Ok(this)
    }

    pub(super) fn certificate_path(&self) -> PathBuf {
        self.path.clone()
    }

    pub(super) fn identify(&self, name: &str) -> Identity {
        self.issue(Vec::new(), name).expect("an authority issues")
    }

    fn issue(&self, names: Vec<String>, common: &str) -> Result<Identity, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, common);
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}
