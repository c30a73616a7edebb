//! What a component imports and exports, by name.

use wasmparser::{BinaryReader, ComponentExportSectionReader, ComponentImportSectionReader};

use super::Broken;
use super::sections::{self, EXPORT, IMPORT};

/// The names that a component imports, in its own order: `wasi:http/outgoing-handler@0.2.4`.
pub fn imports(bytes: &[u8]) -> Result<Vec<String>, Broken> {
    let mut names = Vec::new();
    for section in sections::of_component(bytes)? {
        let section = section?;
        let broken = |_| Broken::Malformed { at: section.whole.start };
        if section.id == IMPORT {
            let reader = BinaryReader::new(section.content, section.whole.start);
            for import in ComponentImportSectionReader::new(reader).map_err(broken)? {
                names.push(import.map_err(broken)?.name.name.to_owned());
            }
        }
    }
    Ok(names)
}

/// The names that a component exports, in its own order: `fleetgate:plugin/tools@0.1.0`.
pub fn exports(bytes: &[u8]) -> Result<Vec<String>, Broken> {
    let mut names = Vec::new();
    for section in sections::of_component(bytes)? {
        let section = section?;
        let broken = |_| Broken::Malformed { at: section.whole.start };
        if section.id == EXPORT {
            let reader = BinaryReader::new(section.content, section.whole.start);
            for export in ComponentExportSectionReader::new(reader).map_err(broken)? {
                names.push(export.map_err(broken)?.name.name.to_owned());
            }
        }
    }
    Ok(names)
}
