//! Which algorithms are offered, and which old ones a grant may add by name.
//!
//! The defaults are what OpenSSH offers today, as far as russh has it. What stands under [`OLD`] is broken or weak and
//! kept for devices that know nothing better; a grant names each, so that nobody is weakened by another's router.

use std::borrow::Cow;

use fleetgate_core::diagnostic::TableReader;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKey};
use russh::{Preferred, cipher, compression, kex, mac};

/// An old algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Old {
    Kex(kex::Name),
    Cipher(cipher::Name),
    Mac(mac::Name),
    /// Signatures of RSA keys over SHA-1 (`ssh-rsa`), the device's and the user's.
    RsaSha1,
}

/// All of them by name: the closed list of `legacy`.
pub(crate) const OLD: [(&str, Old); 10] = [
    ("diffie-hellman-group14-sha1", Old::Kex(kex::DH_G14_SHA1)),
    ("diffie-hellman-group-exchange-sha1", Old::Kex(kex::DH_GEX_SHA1)),
    ("diffie-hellman-group1-sha1", Old::Kex(kex::DH_G1_SHA1)),
    ("aes256-cbc", Old::Cipher(cipher::AES_256_CBC)),
    ("aes192-cbc", Old::Cipher(cipher::AES_192_CBC)),
    ("aes128-cbc", Old::Cipher(cipher::AES_128_CBC)),
    ("3des-cbc", Old::Cipher(cipher::TRIPLE_DES_CBC)),
    ("hmac-sha1", Old::Mac(mac::HMAC_SHA1)),
    ("hmac-sha1-etm@openssh.com", Old::Mac(mac::HMAC_SHA1_ETM)),
    ("ssh-rsa", Old::RsaSha1),
];

const KEX: [kex::Name; 16] = [
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_GEX_SHA256,
    kex::DH_G16_SHA512,
    kex::DH_G18_SHA512,
    kex::DH_G17_SHA512,
    kex::DH_G15_SHA512,
    kex::DH_G14_SHA256,
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_SUPPORT_AS_SERVER,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
];

const CIPHERS: [cipher::Name; 6] = [
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_GCM,
    cipher::AES_128_GCM,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];

const MACS: [mac::Name; 4] = [mac::HMAC_SHA512_ETM, mac::HMAC_SHA256_ETM, mac::HMAC_SHA512, mac::HMAC_SHA256];

const HOST_KEYS: [Algorithm; 6] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];

/// The old algorithms that a grant adds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Legacy(Vec<Old>);

impl Legacy {
    /// Reads `legacy`. Errors are said into the reader.
    pub(crate) fn read(table: &mut TableReader<'_>) -> Self {
        let named = table.enumerations("legacy", &OLD).unwrap_or_default();
        Self(named.into_iter().map(fleetgate_core::diagnostic::Spanned::into_inner).collect())
    }

    /// Their names.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        OLD.iter().filter(|(_, old)| self.0.contains(old)).map(|(name, _)| *name).collect()
    }

    /// Whether RSA signatures over SHA-1 are allowed.
    pub(crate) fn rsa_sha1(&self) -> bool {
        self.0.contains(&Old::RsaSha1)
    }

    /// What is offered to a device whose keys are known. Algorithms of known keys come first, so that the device
    /// proves itself with one of them; the old ones come last.
    pub(crate) fn offer(&self, known: &[PublicKey]) -> Preferred {
        let mut exchanges = KEX.to_vec();
        exchanges.extend(self.0.iter().filter_map(|old| match old {
            Old::Kex(name) => Some(*name),
            _ => None,
        }));
        let mut ciphers = CIPHERS.to_vec();
        ciphers.extend(self.0.iter().filter_map(|old| match old {
            Old::Cipher(name) => Some(*name),
            _ => None,
        }));
        let mut macs = MACS.to_vec();
        macs.extend(self.0.iter().filter_map(|old| match old {
            Old::Mac(name) => Some(*name),
            _ => None,
        }));
        let mut keys = HOST_KEYS.to_vec();
        if self.rsa_sha1() {
            keys.push(Algorithm::Rsa { hash: None });
        }
        let is_known = |algorithm: &Algorithm| known.iter().any(|key| same_kind(&key.algorithm(), algorithm));
        keys.sort_by_key(|algorithm| !is_known(algorithm));
        Preferred {
            kex: Cow::Owned(exchanges),
            key: Cow::Owned(keys),
            host_key_certificates: Cow::Borrowed(&[]),
            cipher: Cow::Owned(ciphers),
            mac: Cow::Owned(macs),
            // Compression before authentication is a way into a host's memory, and saves nothing here.
            compression: Cow::Borrowed(&[compression::NONE]),
        }
    }
}

/// One RSA key signs with several hashes.
fn same_kind(key: &Algorithm, offered: &Algorithm) -> bool {
    match (key, offered) {
        (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
        (key, offered) => key == offered,
    }
}

/// The first of these that a grant could add with `legacy`.
pub(crate) fn addable(offered: &[String]) -> Option<&'static str> {
    OLD.iter().map(|(name, _)| *name).find(|name| offered.iter().any(|offered| offered == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_old_is_offered_unless_it_is_named() {
        let offer = Legacy::default().offer(&[]);
        let mut names: Vec<String> = offer.kex.iter().map(|name| name.as_ref().to_owned()).collect();
        names.extend(offer.cipher.iter().map(|name| name.as_ref().to_owned()));
        names.extend(offer.mac.iter().map(|name| name.as_ref().to_owned()));
        names.extend(offer.key.iter().map(ToString::to_string));
        for name in &names {
            assert!(!OLD.iter().any(|(old, _)| old == name), "{name}");
            assert!(!name.contains("sha1") && !name.contains("cbc") && name != "none", "{name}");
        }
    }

    #[test]
    fn each_old_name_adds_itself_alone() {
        for (name, old) in OLD {
            let (plain, with) = (Legacy::default().offer(&[]), Legacy(vec![old]).offer(&[]));
            let count =
                |offer: &Preferred| offer.kex.len() + offer.cipher.len() + offer.mac.len() + offer.key.len();
            assert_eq!(count(&with), count(&plain) + 1, "{name}");
            assert_eq!(Legacy(vec![old]).names(), [name]);
        }
    }

    #[test]
    fn a_device_is_asked_for_the_kind_of_key_that_is_known() {
        let rsa = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
        let known: PublicKey = rsa.parse().unwrap();
        assert_eq!(Legacy::default().offer(&[known]).key[0], Algorithm::Ed25519);
        let offer = Legacy::default().offer(&[]);
        assert_eq!(offer.key.len(), HOST_KEYS.len());
    }
}
