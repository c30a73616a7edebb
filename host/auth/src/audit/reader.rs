//! All records in the order in which they were written, file by file, one line in memory at a time.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::AuditError;
use super::line::{Line, START};
use super::log::FILE;
use super::segment::rotated_files;

/// A line that cannot be read: a host died or a disk was full while it was written, or somebody edited the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// The file.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: u64,
}

/// A file of the log, opened.
pub(super) struct LogFile {
    pub(super) path: PathBuf,
    pub(super) file: File,
    /// When it was last written to.
    pub(super) modified: Option<Timestamp>,
}

/// Opens all files, oldest first. What is rotated meanwhile is neither missed nor read twice: the current file is
/// opened before the others are listed, and a file counts once, whatever it is named by then.
pub(super) fn open_all(directory: &Path) -> Result<Vec<LogFile>, AuditError> {
    let current = directory.join(FILE);
    let newest = open(&current)?;
    let rotated = match rotated_files(&current) {
        Ok(rotated) => rotated,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(AuditError::io("read", directory)(error)),
    };
    let mut seen = HashSet::new();
    let mut files = Vec::new();
    for (_, path) in rotated {
        files.extend(open(&path)?);
    }
    files.extend(newest);
    files.retain(|log| log.file.metadata().is_ok_and(|data| seen.insert((data.dev(), data.ino()))));
    Ok(files)
}

fn open(path: &Path) -> Result<Option<LogFile>, AuditError> {
    match File::open(path) {
        Ok(file) => {
            let modified = file.metadata().ok().and_then(|data| data.modified().ok());
            let modified = modified.and_then(|at| Timestamp::try_from(at).ok());
            Ok(Some(LogFile { path: path.to_owned(), file, modified }))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AuditError::io("read", path)(error)),
    }
}

/// Hands each record of one file to `each`; `worth` sees the text before it is parsed. Returns the offset behind the
/// last line that was dealt with: a line that is being written right now is not, unless it is whole already.
pub(super) fn read_lines(
    log: LogFile,
    damaged: &mut Vec<Damaged>,
    worth: impl Fn(&str) -> bool,
    mut each: impl FnMut(Line),
) -> Result<u64, AuditError> {
    let mut reader = BufReader::with_capacity(256 << 10, log.file);
    let mut bytes = Vec::new();
    let (mut number, mut offset) = (0, 0);
    loop {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes).map_err(AuditError::io("read", &log.path))? == 0 {
            return Ok(offset);
        }
        number += 1;
        let whole = bytes.ends_with(b"\n");
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_ascii();
        if whole && (text.is_empty() || !worth(text)) {
            offset += bytes.len() as u64;
            continue;
        }
        let (line, torn) = parse_torn(text);
        if whole || !torn {
            offset += bytes.len() as u64;
        }
        if torn {
            damaged.push(Damaged { file: log.path.clone(), line: number });
        }
        if let Some(line) = line {
            each(line);
        }
    }
}

/// A record, and whether something on its line is damaged. A host that died in the middle of a line may have been
/// followed by another one's record on that same line: what is whole at its end counts.
pub(super) fn parse_torn(text: &str) -> (Option<Line>, bool) {
    if let Some(line) = Line::parse(text) {
        return (Some(line), false);
    }
    let later = text.match_indices(START).skip_while(|(at, _)| *at == 0);
    (later.into_iter().find_map(|(at, _)| Line::parse(&text[at..])), true)
}
