//! The files of the server, as they can be read and written.

use std::collections::BTreeMap;

/// Files by their paths.
#[derive(Debug, Clone)]
pub(super) struct Files(BTreeMap<String, String>);

impl Files {
    pub(super) fn new(hostname: &str, user: &str) -> Self {
        let mut files = BTreeMap::new();
        let mut file = |path: &str, text: &str| files.insert(path.to_owned(), text.to_owned());
        file("/etc/hostname", &format!("{hostname}\n"));
        file("/etc/hosts", &format!("127.0.0.1\tlocalhost\n127.0.1.1\t{hostname}\n"));
        file("/etc/os-release", include_str!("os-release.txt"));
        file("/etc/resolv.conf", "nameserver 192.0.2.53\nsearch example.net\n");
        file("/etc/motd", "");
        file(
            &format!("/home/{user}/.profile"),
            "# ~/.profile: executed by the command interpreter for login shells.\n",
        );
        file(&format!("/home/{user}/notes.txt"), "call the data centre about rack 4\n");
        file(
            "/var/log/syslog",
            &format!("Nov 19 08:02:55 {hostname} systemd[1]: Started Session 41 of user {user}.\n"),
        );
        Self(files)
    }

    pub(super) fn read(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    pub(super) fn is_directory(&self, path: &str) -> bool {
        let begin = format!("{}/", path.trim_end_matches('/'));
        matches!(path, "/" | "/root" | "/tmp") || self.0.keys().any(|file| file.starts_with(&begin))
    }

    /// The names in a directory.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let begin = format!("{}/", path.trim_end_matches('/'));
        let below = self.0.keys().filter_map(|file| file.strip_prefix(&begin));
        let mut names: Vec<String> =
            below.map(|rest| rest.split('/').next().unwrap_or(rest).to_owned()).collect();
        names.dedup();
        names
    }

    /// Whether a user may change a file.
    fn may(user: &str, path: &str) -> bool {
        user == "root" || path.starts_with("/tmp/") || path.starts_with(&format!("/home/{user}/"))
    }

    /// Writes a file. An error is what the system says.
    pub(super) fn write(
        &mut self,
        user: &str,
        path: &str,
        text: &str,
        append: bool,
    ) -> Result<(), &'static str> {
        if path == "/dev/null" {
            return Ok(());
        }
        if self.is_directory(path) {
            return Err("Is a directory");
        }
        if !Self::may(user, path) {
            return Err("Permission denied");
        }
        let directory = path.rsplit_once('/').map_or("/", |(directory, _)| directory);
        if !directory.is_empty() && !self.is_directory(directory) {
            return Err("No such file or directory");
        }
        let file = self.0.entry(path.to_owned()).or_default();
        if !append {
            file.clear();
        }
        file.push_str(text);
        Ok(())
    }

    /// Takes a file away. An error is what the system says.
    pub(super) fn remove(&mut self, user: &str, path: &str) -> Result<(), &'static str> {
        match self.0.contains_key(path) {
            false => Err("No such file or directory"),
            true if !Self::may(user, path) => Err("Permission denied"),
            true => {
                self.0.remove(path);
                Ok(())
            }
        }
    }

    /// All files with what is in them.
    pub(super) fn list(&self) -> String {
        self.0.iter().map(|(path, text)| format!("==> {path} <==\n{text}\n")).collect()
    }
}

/// A path from the root, without `.` and `..`.
pub(super) fn absolute(directory: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{directory}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
