//! Who a device is: where its host keys are known from, and where they are remembered.
//!
//! A device is taken for itself when its key stands beside its name in the operator's file. With
//! `trust_on_first_use` a device that stands nowhere is remembered the first time, in a file of the host's own state
//! directory. A key that differs from what is known is refused in either case; so is one under `@revoked`. What the
//! lines say: [`crate::host_lines`].

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use fleetgate_core::address::Host;
use fleetgate_core::ownership::{self, Rules};
use russh::keys::{HashAlg, PublicKey};

use crate::host_lines::{Known, Verdict, name};

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
            known.read(&String::from_utf8_lossy(&bytes), path, &name)?;
        }
        if let Some(path) = &self.remembered
            && path.exists()
        {
            let rules =
                Rules { follow_links: false, public: true, sticky_directory: false, max_bytes: MAX_BYTES };
            let bytes =
                ownership::read(path, &rules).map_err(|refused| format!("{refused} ({})", refused.help()))?;
            known.read(&String::from_utf8_lossy(&bytes), path, &self.remembered_name(host, port))?;
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
        known.read(&text, path, &name)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const TWO: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILIG2T/B0l0gaqj3puu510tu9N1OkQ4znY3LYuEm5zCF";

    fn host(text: &str) -> Host {
        crate::target::parse_host(text).unwrap()
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
