//! Files of host keys as OpenSSH has them (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): what their lines say of one host.
//!
//! Lines with `@cert-authority` vouch for certificates, which are not asked for: they make no host known, and a host that
//! stands there is not taken on first use either.

use std::path::Path;

use fleetgate_core::address::Host;
use hmac::{Hmac, KeyInit, Mac};
use russh::keys::PublicKey;
use russh::keys::ssh_key::known_hosts::{Entry, HostPatterns, Marker};
use sha1::Sha1;

/// What is known of one host.
#[derive(Debug, Default)]
pub(crate) struct Known {
    trusted: Vec<Line>,
    revoked: Vec<PublicKey>,
    /// The first line about the host that says nothing of a key: one of a kind that is not known here, or of an
    /// authority for certificates. Somebody vouches for the host, only not so that it can be checked.
    unusable: Option<String>,
}

#[derive(Debug)]
struct Line {
    key: PublicKey,
    /// `known_hosts:12`
    place: String,
}

/// What is to be thought of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the host's.
    Known,
    /// Nothing is known of the host.
    Unknown,
    /// What is known of the host, here, cannot be used.
    Unusable { place: String },
    /// The host had another one, which stands here.
    Changed { place: String },
    /// It must not be trusted any more.
    Revoked,
}

impl Known {
    /// The host's keys.
    pub(crate) fn keys(&self) -> Vec<PublicKey> {
        self.trusted.iter().map(|line| line.key.clone()).collect()
    }

    /// Judges a key.
    pub(crate) fn judge(&self, key: &PublicKey) -> Verdict {
        let is = |known: &PublicKey| known.key_data() == key.key_data();
        if self.revoked.iter().any(is) {
            return Verdict::Revoked;
        }
        match self.trusted.first() {
            None => match &self.unusable {
                Some(place) => Verdict::Unusable { place: place.clone() },
                None => Verdict::Unknown,
            },
            Some(_) if self.trusted.iter().any(|line| is(&line.key)) => Verdict::Known,
            Some(first) => Verdict::Changed { place: first.place.clone() },
        }
    }

    /// Takes the lines about `name` from a file. A line that cannot be read says nothing about anybody; but a revoked key
    /// that cannot be read must not be trusted by mistake.
    pub(crate) fn read(&mut self, text: &str, path: &Path, name: &str) -> Result<(), String> {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = || format!("{}:{}", path.display(), number + 1);
            let Ok(entry) = line.parse::<Entry>() else {
                if line.starts_with("@revoked") {
                    return Err(format!("{} revokes a key that cannot be read", place()));
                }
                let mut fields = line.split_ascii_whitespace().skip_while(|field| field.starts_with('@'));
                let patterns = fields.next().and_then(|field| field.parse::<HostPatterns>().ok());
                if patterns.is_some_and(|patterns| names(&patterns, name)) {
                    self.unusable.get_or_insert_with(place);
                }
                continue;
            };
            if !names(entry.host_patterns(), name) {
                continue;
            }
            match entry.marker() {
                Some(Marker::Revoked) => self.revoked.push(entry.public_key().clone()),
                Some(Marker::CertAuthority) => {
                    self.unusable.get_or_insert_with(place);
                }
                None => self.trusted.push(Line { key: entry.public_key().clone(), place: place() }),
            }
        }
        Ok(())
    }
}

/// A host as it stands in the file: with its port where that is not 22.
pub(crate) fn name(host: &Host, port: u16) -> String {
    let host = match host {
        Host::Name(name) => name.clone(),
        Host::Address(address) => address.to_string(),
    };
    if port == crate::target::PORT { host } else { format!("[{host}]:{port}") }
}

fn names(patterns: &HostPatterns, name: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => Hmac::<Sha1>::new_from_slice(salt)
            .is_ok_and(|mac| mac.chain_update(name.as_bytes()).verify_slice(hash).is_ok()),
        HostPatterns::Patterns(patterns) => {
            let matches = |pattern: &str| glob(pattern.to_ascii_lowercase().as_bytes(), name.as_bytes());
            let named = |pattern: &String| match pattern.strip_prefix('!') {
                Some(not) => (matches(not), true),
                None => (matches(pattern), false),
            };
            let mut found = false;
            for (matches, negated) in patterns.iter().map(named) {
                if matches && negated {
                    return false;
                }
                found |= matches;
            }
            found
        }
    }
}

/// `*` is any number of characters, `?` one.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut here) = (0, 0);
    let mut last_star = None;
    while here < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                last_star = Some((at, here));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[here] => (at, here) = (at + 1, here + 1),
            _ => match last_star {
                Some((star, taken)) => {
                    last_star = Some((star, taken + 1));
                    (at, here) = (star + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const TWO: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILIG2T/B0l0gaqj3puu510tu9N1OkQ4znY3LYuEm5zCF";

    fn host(text: &str) -> Host {
        crate::target::parse_host(text).unwrap()
    }

    fn judge(file: &str, at: &str, port: u16, key: &str) -> Verdict {
        let mut known = Known::default();
        known.read(file, Path::new("known_hosts"), &name(&host(at), port)).unwrap();
        known.judge(&key.parse().unwrap())
    }

    #[test]
    fn a_host_is_known_by_name_pattern_port_and_hash() {
        let hashed = hash("r1.lab.example.com");
        for (names, at, port) in [
            ("r1.lab.example.com", "r1.lab.example.com", 22),
            ("r1.lab.example.com,10.0.0.1", "10.0.0.1", 22),
            ("*.lab.example.com", "r1.lab.example.com", 22),
            ("R1.Lab.example.com", "r1.LAB.example.com", 22),
            ("r?.lab.example.com", "r1.lab.example.com", 22),
            ("[r1.lab.example.com]:2222", "r1.lab.example.com", 2222),
            ("[*.lab.example.com]:*", "r1.lab.example.com", 2222),
            ("2001:db8::1", "2001:db8::1", 22),
            ("[2001:db8::1]:830", "[2001:db8::1]", 830),
            (hashed.as_str(), "r1.lab.example.com", 22),
        ] {
            let file = format!("# a comment\n\n{names} {ONE} somebody@somewhere\n");
            assert_eq!(judge(&file, at, port, ONE), Verdict::Known, "{names}");
            assert_eq!(
                judge(&file, at, port, TWO),
                Verdict::Changed { place: "known_hosts:3".into() },
                "{names}"
            );
        }
    }

    fn hash(name: &str) -> String {
        let mac = Hmac::<Sha1>::new_from_slice(b"0123456789abcdefghij").unwrap().chain_update(name);
        let (salt, hash) =
            (STANDARD.encode(b"0123456789abcdefghij"), STANDARD.encode(mac.finalize().into_bytes()));
        format!("|1|{salt}|{hash}")
    }

    #[test]
    fn a_host_that_stands_nowhere_is_unknown() {
        for names in [
            "r2.lab.example.com",
            "*.lab.example.com,!r1.lab.example.com",
            "[r1.lab.example.com]:2222",
            "r1.lab.example.com.",
            "@cert-authority *.other.example.com",
            "r1",
        ] {
            assert_eq!(
                judge(&format!("{names} {ONE}\n"), "r1.lab.example.com", 22, ONE),
                Verdict::Unknown,
                "{names}"
            );
        }
    }

    #[test]
    fn a_line_that_cannot_be_used_makes_its_host_neither_known_nor_unknown() {
        let hashed = format!("{} ssh-dss AAAAB3NzaC1kc3MAAACB", hash("r1"));
        for line in [
            "r1 nonsense",
            "r1,10.0.0.1 ssh-dss AAAAB3NzaC1kc3MAAACB",
            "*\tsk-ssh-new@example.com AAAA",
            hashed.as_str(),
            &format!("@cert-authority * {ONE}"),
            "@cert-authority r1 ssh-dss AAAAB3NzaC1kc3MAAACB",
            "@new r1 ssh-dss AAAAB3NzaC1kc3MAAACB",
        ] {
            let unusable = Verdict::Unusable { place: "known_hosts:1".into() };
            assert_eq!(judge(&format!("{line}\n"), "r1", 22, ONE), unusable, "{line}");
            assert_eq!(judge(&format!("{line}\nr1 {ONE}\n"), "r1", 22, ONE), Verdict::Known, "{line}");
        }
        assert_eq!(judge("r2 nonsense\n", "r1", 22, ONE), Verdict::Unknown);
    }

    #[test]
    fn one_of_several_keys_is_enough_and_a_revoked_one_never_is() {
        let both = format!("r1 {TWO}\nr1 {ONE}\n");
        assert_eq!(judge(&both, "r1", 22, ONE), Verdict::Known);
        assert_eq!(judge(&format!("{both}@revoked * {ONE}\n"), "r1", 22, ONE), Verdict::Revoked);
        let mut known = Known::default();
        let unreadable = known.read("@revoked * ssh-new AAAA\n", Path::new("known_hosts"), "r1");
        assert!(unreadable.unwrap_err().contains("known_hosts:1"));
    }
}
