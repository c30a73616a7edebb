//! Walks the sections of a module or component, without looking into what is nested.
//!
//! wasmparser's own walk descends into nested modules, which for 64 MiB of a stranger's bytes is work that the
//! host leaves to the compiling child process; and packing needs the exact bytes of each section.

use std::ops::Range;

use wasmparser::{BinaryReader, Parser};

use super::Broken;

pub(super) const CUSTOM: u8 = 0;
pub(super) const CORE_MODULE: u8 = 1;
pub(super) const COMPONENT: u8 = 4;
pub(super) const IMPORT: u8 = 10;
pub(super) const EXPORT: u8 = 11;

/// Magic number, version and layer.
const HEADER: usize = 8;

/// One section.
pub(super) struct Section<'a> {
    pub(super) id: u8,
    /// With its id and length.
    pub(super) whole: Range<usize>,
    /// Without.
    pub(super) content: &'a [u8],
}

impl<'a> Section<'a> {
    /// Name and data of a custom section.
    pub(super) fn custom(&self) -> Result<Option<(&'a str, &'a [u8])>, Broken> {
        if self.id != CUSTOM {
            return Ok(None);
        }
        let mut reader = BinaryReader::new(self.content, 0);
        let name = reader.read_string().map_err(|_| Broken::Malformed { at: self.whole.start })?;
        Ok(Some((name, &self.content[reader.original_position()..])))
    }
}

/// The sections, until the first that is broken.
pub(super) struct Sections<'a> {
    bytes: &'a [u8],
    reader: BinaryReader<'a>,
}

/// The sections of a component.
pub(super) fn of_component(bytes: &[u8]) -> Result<Sections<'_>, Broken> {
    if Parser::is_component(bytes) {
        return Ok(after_header(bytes));
    }
    Err(match bytes {
        _ if Parser::is_core_wasm(bytes) => Broken::CoreModule,
        [] => Broken::Empty,
        _ if bytes.len() < HEADER && b"\0asm\x0d\0\x01\0".starts_with(bytes) => {
            Broken::Truncated { at: bytes.len() }
        }
        _ if bytes.starts_with(b"\0asm") => Broken::OtherVersion,
        _ => Broken::NotWasm,
    })
}

/// The sections of a core module or a component.
pub(super) fn of_either(bytes: &[u8]) -> Result<(bool, Sections<'_>), Broken> {
    if Parser::is_core_wasm(bytes) {
        return Ok((false, after_header(bytes)));
    }
    Ok((true, of_component(bytes)?))
}

/// The header's bytes.
pub(super) fn header(bytes: &[u8]) -> &[u8] {
    &bytes[..HEADER.min(bytes.len())]
}

fn after_header(bytes: &[u8]) -> Sections<'_> {
    Sections { bytes, reader: BinaryReader::new(&bytes[HEADER..], HEADER) }
}

impl<'a> Iterator for Sections<'a> {
    type Item = Result<Section<'a>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.eof() {
            return None;
        }
        let start = self.reader.original_position();
        let section = read(&mut self.reader);
        if section.is_err() {
            // Nothing after it can be trusted.
            self.reader = BinaryReader::new(&[], self.bytes.len());
        }
        let section = section.map(|(id, content)| Section {
            id,
            whole: start..self.reader.original_position(),
            content,
        });
        Some(section.map_err(|truncated| {
            if truncated { Broken::Truncated { at: start } } else { Broken::Malformed { at: start } }
        }))
    }
}

/// Id and content. The error says whether bytes are missing.
fn read<'a>(reader: &mut BinaryReader<'a>) -> Result<(u8, &'a [u8]), bool> {
    let id = reader.read_u8().map_err(|_| true)?;
    let size = match reader.read_var_u32() {
        Ok(size) => size as usize,
        Err(_) => return Err(reader.eof()),
    };
    let content = reader.read_bytes(size).map_err(|_| true)?;
    Ok((id, content))
}
