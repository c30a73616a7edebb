//! TLS by an authority that only those trust who are given it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use fleet_sim::broker::{Broker, Identity, Setup, Tls};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// CONNECT of MQTT 3.1.1: a clean session, no keep-alive, the client id `t` (section 3.1).
const CONNECT: [u8; 15] = [0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, 1, b't'];
/// CONNACK: accepted (section 3.2).
const ACCEPTED: [u8; 4] = [0x20, 2, 0, 0];

/// Whether somebody who trusts this authority, and shows this certificate, is let in.
fn accepted(broker: &Broker, trusted: &Broker, identity: Option<&Identity>) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    let pem = fs::read(trusted.ca()).unwrap();
    roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots);
    let config = match identity {
        None => config.with_no_client_auth(),
        Some(Identity { certificate, key }) => {
            let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            config.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    };
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(client, TcpStream::connect(broker.address()).unwrap());
    let mut answer = [0; 4];
    stream.write_all(&CONNECT).map_err(|error| error.to_string())?;
    stream.read_exact(&mut answer).map_err(|error| error.to_string())?;
    assert_eq!(answer, ACCEPTED);
    Ok(())
}

#[test]
fn only_who_trusts_its_authority_talks_to_it() {
    let broker = Broker::start(Setup { tls: Tls::Server, ..Setup::default() }).unwrap();
    let other = Broker::start(Setup { tls: Tls::Server, ..Setup::default() }).unwrap();
    assert!(broker.url().starts_with("mqtts://127.0.0.1:"));
    accepted(&broker, &broker, None).unwrap();
    let error = accepted(&broker, &other, None).unwrap_err();
    assert!(error.contains("invalid peer certificate"), "{error}");
}

#[test]
fn a_mutual_one_wants_a_certificate_of_its_authority() {
    let broker = Broker::start(Setup { tls: Tls::Mutual, ..Setup::default() }).unwrap();
    let other = Broker::start(Setup { tls: Tls::Mutual, ..Setup::default() }).unwrap();
    accepted(&broker, &broker, Some(&broker.identity("a client"))).unwrap();
    accepted(&broker, &broker, None).unwrap_err();
    accepted(&broker, &broker, Some(&other.identity("a stranger"))).unwrap_err();
}
