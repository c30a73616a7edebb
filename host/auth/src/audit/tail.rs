//! The newest records, as they come. Each line on its own: an intent shows before its call ends.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::AuditError;
use super::line::Line;
use super::log::FILE;
use super::reader::{open_all, parse_torn, read_lines};

/// Follows a log over its rotations.
pub struct Tail {
    path: PathBuf,
    open: Option<Followed>,
}

struct Followed {
    file: File,
    inode: u64,
    /// The start of a line whose end is not written yet.
    pending: Vec<u8>,
}

impl Tail {
    /// The last `count` records of a directory's log, oldest first, and what follows them. An absent log is an
    /// empty one, which may begin later.
    pub fn open(directory: &Path, count: usize) -> Result<(Vec<Line>, Self), AuditError> {
        let path = directory.join(FILE);
        let (mut newest, mut open) = (VecDeque::new(), None);
        for log in open_all(directory)? {
            let failed = || AuditError::io("read", &log.path);
            let mut file = log.file.try_clone().map_err(failed())?;
            let inode = file.metadata().map_err(failed())?.ino();
            let keep = |line| {
                newest.push_back(line);
                if newest.len() > count {
                    newest.pop_front();
                }
            };
            let from = log.path.clone();
            let end = read_lines(log, &mut Vec::new(), |_| true, keep)?;
            file.seek(SeekFrom::Start(end)).map_err(AuditError::io("read", &from))?;
            // The last file is the newest one, even where it was rotated while it was read.
            open = Some(Followed { file, inode, pending: Vec::new() });
        }
        Ok((newest.into(), Self { path, open }))
    }

    /// What was written since the last time. Returns at once.
    pub fn newer(&mut self) -> Result<Vec<Line>, AuditError> {
        let mut lines = Vec::new();
        self.read_on(&mut lines)?;
        let current = fs::metadata(&self.path).ok().map(|data| data.ino());
        if current.is_some() && current != self.open.as_ref().map(|open| open.inode) {
            // Rotated. What was written between the look above and the rotation is still in the old file.
            self.read_on(&mut lines)?;
            self.reopen()?;
            self.read_on(&mut lines)?;
        }
        Ok(lines)
    }

    fn reopen(&mut self) -> Result<(), AuditError> {
        self.open = match File::open(&self.path) {
            Ok(file) => {
                let inode = file.metadata().map_err(AuditError::io("read", &self.path))?.ino();
                Some(Followed { file, inode, pending: Vec::new() })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(AuditError::io("read", &self.path)(error)),
        };
        Ok(())
    }

    fn read_on(&mut self, lines: &mut Vec<Line>) -> Result<(), AuditError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.file.read_to_end(&mut open.pending).map_err(AuditError::io("read", &self.path))?;
        let Some(end) = open.pending.iter().rposition(|byte| *byte == b'\n') else { return Ok(()) };
        let rest = open.pending.split_off(end + 1);
        let text = String::from_utf8_lossy(&open.pending);
        lines.extend(text.lines().filter_map(|text| parse_torn(text).0));
        open.pending = rest;
        Ok(())
    }
}
