//! Who a device is: files of host keys as OpenSSH has them (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
//!
//! A device is taken for itself when its key stands beside its name in the operator's file. With
//! `trust_on_first_use` a device that stands nowhere is remembered the first time, in a file of the host's own state
//! directory. A key that differs from what is known is refused in either case; so is one under `@revoked`. Lines with
//! `@cert-authority` vouch for certificates, which are not asked for: they make no host known, and a host that stands
//! there is not taken on first use either.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use fleetgate_core::address::Host;
use fleetgate_core::ownership::{self, Rules};
use hmac::{Hmac, KeyInit, Mac};
use russh::keys::ssh_key::known_hosts::{Entry, HostPatterns, Marker};
use russh::keys::{HashAlg, PublicKey};
use sha1::Sha1;

/// A file with ten thousand hosts has a few MiB.
const MAX_BYTES: u64 = 8 << 20;

/// The file of remembered hosts, in the state directory.
pub(crate) const REMEMBERED: &str = "ssh_known_hosts";

/// Where a grant's host keys are known from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostKeys {
    /// The operator's file.
    pub(crate) file: Option<PathBuf>,
    /// Where hosts are remembered at their first use. None: they are not.
    pub(crate) remembered: Option<PathBuf>,
    /// The jump hosts on the way, the nearest to the host first: `10.0.0.1` behind two of them is two machines. The
    /// operator's file says who a host is in any case, what is remembered holds for one way.
    pub(crate) by_way_of: Vec<String>,
}

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
}

impl HostKeys {
    /// What is known of a host now. `Err` in words for the operator.
    pub(crate) fn of(&self, host: &Host, port: u16) -> Result<Known, String> {
        let mut known = Known::default();
        let name = name(host, port);
        if let Some(path) = &self.file {
            let rules =
                Rules { follow_links: true, public: true, sticky_directory: true, max_bytes: MAX_BYTES };
            let bytes =
                ownership::read(path, &rules).map_err(|refused| format!("{refused} ({})", refused.help()))?;
            read(&String::from_utf8_lossy(&bytes), path, &name, &mut known)?;
        }
        if let Some(path) = &self.remembered
            && path.exists()
        {
            let rules =
                Rules { follow_links: false, public: true, sticky_directory: false, max_bytes: MAX_BYTES };
            let bytes =
                ownership::read(path, &rules).map_err(|refused| format!("{refused} ({})", refused.help()))?;
            read(&String::from_utf8_lossy(&bytes), path, &self.remembered_name(host, port), &mut known)?;
        }
        Ok(known)
    }

    /// A host as it is remembered: `10.0.0.1%bastion.example.com`.
    fn remembered_name(&self, host: &Host, port: u16) -> String {
        let way = self.by_way_of.iter().flat_map(|jump| ["%", jump]);
        name(host, port) + &way.collect::<String>()
    }

    /// Remembers a host's key, unless somebody else remembered another one meanwhile.
    pub(crate) fn remember(&self, host: &Host, port: u16, key: &PublicKey) -> Result<Verdict, String> {
        let Some(path) = &self.remembered else { return Ok(Verdict::Unknown) };
        let at = |error: std::io::Error| format!("{}: {error}", path.display());
        if let Some(directory) = path.parent() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(at)?;
        }
        let name = self.remembered_name(host, port);
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32)
            .open(path)
            .map_err(at)?;
        // Another host on the same state directory, or another connection of this one. Given back with the file.
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)
            .map_err(|error| at(error.into()))?;
        let text = whole(&mut file).map_err(at)?;
        let mut known = Known::default();
        read(&text, path, &name, &mut known)?;
        match known.judge(key) {
            Verdict::Unknown => {
                let (kind, key) = (key.algorithm(), key.key_data().clone());
                let key = PublicKey::new(key, "").to_openssh().map_err(|error| format!("{kind}: {error}"))?;
                let begin = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
                file.write_all(format!("{begin}{name} {key}\n").as_bytes()).map_err(at)?;
                file.sync_data().map_err(at)?;
                Ok(Verdict::Known)
            }
            verdict => Ok(verdict),
        }
    }
}

fn whole(file: &mut File) -> std::io::Result<String> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(std::io::Error::other("it is full"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A key's fingerprint, as OpenSSH shows it.
pub(crate) fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// A host as it stands in the file: with its port where that is not 22.
pub(crate) fn name(host: &Host, port: u16) -> String {
    let host = match host {
        Host::Name(name) => name.clone(),
        Host::Address(address) => address.to_string(),
    };
    if port == crate::target::PORT { host } else { format!("[{host}]:{port}") }
}

/// Takes the lines about `name` from a file. A line that cannot be read says nothing about anybody; but a revoked key
/// that cannot be read must not be trusted by mistake.
fn read(text: &str, path: &Path, name: &str, known: &mut Known) -> Result<(), String> {
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
                known.unusable.get_or_insert_with(place);
            }
            continue;
        };
        if !names(entry.host_patterns(), name) {
            continue;
        }
        match entry.marker() {
            Some(Marker::Revoked) => known.revoked.push(entry.public_key().clone()),
            Some(Marker::CertAuthority) => {
                known.unusable.get_or_insert_with(place);
            }
            None => known.trusted.push(Line { key: entry.public_key().clone(), place: place() }),
        }
    }
    Ok(())
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
        read(file, Path::new("known_hosts"), &name(&host(at), port), &mut known).unwrap();
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
    fn what_is_remembered_holds_for_one_way() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ssh_known_hosts");
        let by = |way: &[&str]| HostKeys {
            file: None,
            remembered: Some(path.clone()),
            by_way_of: way.iter().map(|jump| (*jump).to_owned()).collect(),
        };
        let (one, two) = (ONE.parse().unwrap(), TWO.parse().unwrap());
        let r1 = host("10.0.0.1");
        for (way, key) in [(vec![], &one), (vec!["b1"], &two), (vec!["b2"], &one), (vec!["b2", "b1"], &two)] {
            assert_eq!(by(&way).of(&r1, 22).unwrap().judge(key), Verdict::Unknown, "{way:?}");
            assert_eq!(by(&way).remember(&r1, 22, key).unwrap(), Verdict::Known, "{way:?}");
        }
        assert_eq!(by(&["b2"]).of(&r1, 22).unwrap().judge(&one), Verdict::Known);
        assert!(matches!(by(&["b1"]).of(&r1, 22).unwrap().judge(&one), Verdict::Changed { .. }));
    }

    #[test]
    fn one_of_several_keys_is_enough_and_a_revoked_one_never_is() {
        let both = format!("r1 {TWO}\nr1 {ONE}\n");
        assert_eq!(judge(&both, "r1", 22, ONE), Verdict::Known);
        assert_eq!(judge(&format!("{both}@revoked * {ONE}\n"), "r1", 22, ONE), Verdict::Revoked);
        let mut known = Known::default();
        let unreadable = read("@revoked * ssh-new AAAA\n", Path::new("known_hosts"), "r1", &mut known);
        assert!(unreadable.unwrap_err().contains("known_hosts:1"));
    }

    #[test]
    fn a_host_is_remembered_once_and_a_changed_key_is_not_taken() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state/ssh_known_hosts");
        let keys = HostKeys { file: None, remembered: Some(path.clone()), by_way_of: Vec::new() };
        let (one, two) = (ONE.parse().unwrap(), TWO.parse().unwrap());
        let r1 = host("r1");
        assert_eq!(keys.of(&r1, 2222).unwrap().judge(&one), Verdict::Unknown);
        assert_eq!(keys.remember(&r1, 2222, &one).unwrap(), Verdict::Known);
        assert_eq!(keys.remember(&r1, 2222, &one).unwrap(), Verdict::Known);
        assert!(matches!(keys.remember(&r1, 2222, &two).unwrap(), Verdict::Changed { .. }));
        assert!(matches!(keys.of(&r1, 2222).unwrap().judge(&two), Verdict::Changed { .. }));
        assert_eq!(keys.of(&r1, 22).unwrap().judge(&two), Verdict::Unknown, "another port is another device");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("[r1]:2222 {ONE}\n"));
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn of_two_first_uses_at_once_with_different_keys_one_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let remembered = Some(directory.path().join("ssh_known_hosts"));
        let keys = HostKeys { file: None, remembered, by_way_of: Vec::new() };
        for round in 0..50 {
            let r1 = host(&format!("r{round}"));
            let verdicts: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = [ONE, TWO]
                    .map(|key| scope.spawn(|| keys.remember(&r1, 22, &key.parse().unwrap()).unwrap()))
                    .into();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Known).count(), 1);
        }
    }
}
