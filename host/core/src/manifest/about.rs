//! Reads `[plugin]`.

use super::{About, grammar};
use crate::diagnostic::{TableReader, quoted};

/// The versions of the plugin interface that this host speaks.
const INTERFACES: [&str; 1] = ["0.1"];

pub(super) fn about(root: &mut TableReader<'_>) -> Option<About> {
    let mut table = root.required_table("plugin")?;
    let id = id(&mut table);
    let version = version(&mut table);
    let interface = interface(&mut table);
    let title = required_line(&mut table, "title", 128);
    let description = required_line(&mut table, "description", 1024);
    let license = line(&mut table, "license", 128);
    let homepage = homepage(&mut table);
    table.finish();
    Some(About {
        id: id?,
        version: version?,
        interface: interface?,
        title: title?,
        description: description?,
        license,
        homepage,
    })
}

fn id(table: &mut TableReader<'_>) -> Option<String> {
    let id = table.required_string("id")?;
    if !grammar::is_id(&id) {
        table.error_at("id", format!("{} is not an id", quoted(&id)), grammar::ID);
        return None;
    }
    Some(id)
}

fn version(table: &mut TableReader<'_>) -> Option<String> {
    let version = table.required_string("version")?;
    if let Err(wrong) = semver::Version::parse(&version) {
        let message = format!("{} is not a version: {wrong}", quoted(&version));
        table.error_at("version", message, "write major.minor.patch, like \"0.1.0\" (semver.org)");
        return None;
    }
    Some(version)
}

fn interface(table: &mut TableReader<'_>) -> Option<String> {
    let interface = table.required_string("interface")?;
    if !INTERFACES.contains(&interface.as_str()) {
        let message = format!("this host does not speak the plugin interface {}", quoted(&interface));
        let help =
            format!("it speaks {}: build the plugin against that, or update the host", INTERFACES.join(", "));
        table.error_at("interface", message, help);
        return None;
    }
    Some(interface)
}

fn homepage(table: &mut TableReader<'_>) -> Option<String> {
    let homepage = line(table, "homepage", 256)?;
    if !homepage.starts_with("https://") && !homepage.starts_with("http://") {
        table.error_at("homepage", "not a web address", "write https://…");
        return None;
    }
    Some(homepage)
}

/// Takes one line of text for people.
pub(crate) fn required_line(table: &mut TableReader<'_>, key: &str, most: usize) -> Option<String> {
    table.present(key)?;
    line(table, key, most)
}

fn line(table: &mut TableReader<'_>, key: &str, most: usize) -> Option<String> {
    let text = table.string(key)?;
    if !grammar::is_line(&text, most) {
        let help = format!("write 1 to {most} characters on one line, none of them invisible");
        table.error_at(key, format!("{} is no line of text for people", quoted(&text)), help);
        return None;
    }
    Some(text)
}
