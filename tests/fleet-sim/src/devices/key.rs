//! Host keys, and the algorithms that a device offers.

use std::borrow::Cow;
use std::convert::Infallible;
use std::io;
use std::sync::OnceLock;

use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData, RsaKeypair};
use russh::keys::ssh_key::rand_core::{TryCryptoRng, TryRng};
use russh::keys::{Algorithm, PrivateKey};
use russh::{Preferred, cipher, compression, kex, mac};

/// A new key: every device has one of its own.
pub(crate) fn fresh() -> io::Result<PrivateKey> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| io::Error::other(error.to_string()))?;
    let pair = KeypairData::Ed25519(Ed25519Keypair::from_seed(&seed));
    PrivateKey::new(pair, "").map_err(io::Error::other)
}

/// The key of devices that know nothing but RSA. It takes a while to make one, so they share it.
pub(crate) fn rsa() -> io::Result<PrivateKey> {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    if let Some(key) = KEY.get() {
        return Ok(key.clone());
    }
    let pair = RsaKeypair::random(&mut System, 2048).map_err(io::Error::other)?;
    let key = PrivateKey::new(KeypairData::Rsa(pair), "").map_err(io::Error::other)?;
    Ok(KEY.get_or_init(|| key).clone())
}

/// What firmware of 2010 offers.
pub(crate) fn old_algorithms() -> Preferred {
    Preferred {
        kex: Cow::Borrowed(&[kex::DH_G14_SHA1, kex::DH_G1_SHA1]),
        key: Cow::Owned(vec![Algorithm::Rsa { hash: None }]),
        cipher: Cow::Borrowed(&[cipher::AES_128_CBC, cipher::AES_256_CBC, cipher::TRIPLE_DES_CBC]),
        mac: Cow::Borrowed(&[mac::HMAC_SHA1]),
        compression: Cow::Borrowed(&[compression::NONE]),
        ..Preferred::default()
    }
}

/// The system's random numbers.
struct System;

impl TryRng for System {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_ne_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        getrandom::fill(bytes).expect("the system has random numbers");
        Ok(())
    }
}

impl TryCryptoRng for System {}
