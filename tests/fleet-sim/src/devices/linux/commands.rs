//! The commands that are there, each with what it prints and its exit status.

use std::sync::OnceLock;

use super::super::filter::Filter;
use super::super::machine::outputs;
use super::{Linux, Seat, files};

/// What a command left behind.
#[derive(Debug, Default)]
pub(super) struct Ran {
    pub(super) out: String,
    pub(super) err: String,
    pub(super) status: u32,
}

impl Ran {
    fn fine(out: impl Into<String>) -> Self {
        Self { out: out.into(), ..Self::default() }
    }

    fn failed(status: u32, err: impl Into<String>) -> Self {
        Self { err: err.into(), status, ..Self::default() }
    }
}

/// Runs one command.
pub(super) fn run(linux: &Linux, seat: &Seat, words: &[String], input: &str) -> Ran {
    let Some(name) = words.first() else { return Ran::default() };
    let arguments: Vec<&str> = words[1..].iter().map(String::as_str).collect();
    if let Some(output) = fixed(&words.join(" ")) {
        return Ran::fine(linux.machine.fill(output));
    }
    let path = |path: &str| files::absolute(&seat.directory, path);
    match name.as_str() {
        "true" | ":" | "export" | "stty" | "unset" | "set" => Ran::default(),
        "false" => Ran { status: 1, ..Ran::default() },
        "echo" if arguments.first() == Some(&"-n") => Ran::fine(arguments[1..].join(" ")),
        "echo" => Ran::fine(format!("{}\n", arguments.join(" "))),
        "printf" => Ran::fine(arguments.join(" ").replace("\\n", "\n")),
        "whoami" => Ran::fine(format!("{}\n", seat.who())),
        "hostname" => Ran::fine(format!("{}\n", linux.machine.hostname())),
        "pwd" => Ran::fine(format!("{}\n", seat.directory)),
        "id" if seat.who() == "root" => Ran::fine("uid=0(root) gid=0(root) groups=0(root)\n"),
        "id" if arguments == ["-u"] => Ran::fine("1000\n"),
        "id" => Ran::fine(format!("uid=1000({0}) gid=1000({0}) groups=1000({0}),27(sudo)\n", seat.who())),
        "cat" if arguments.is_empty() => Ran::fine(input),
        "cat" => {
            let mut ran = Ran::default();
            for file in arguments {
                match linux.files().read(&path(file)) {
                    Some(text) => ran.out.push_str(text),
                    None => {
                        ran.err.push_str(&format!("cat: {file}: No such file or directory\n"));
                        ran.status = 1;
                    }
                }
            }
            ran
        }
        "ls" => {
            let place = arguments.iter().find(|argument| !argument.starts_with('-')).copied().unwrap_or(".");
            let files = linux.files();
            match files.is_directory(&path(place)) {
                true => {
                    let names = files.names(&path(place)).into_iter().filter(|name| !name.starts_with('.'));
                    Ran::fine(names.map(|name| format!("{name}\n")).collect::<String>())
                }
                false if files.read(&path(place)).is_some() => Ran::fine(format!("{place}\n")),
                false => Ran::failed(2, format!("ls: cannot access '{place}': No such file or directory\n")),
            }
        }
        "rm" => {
            let mut ran = Ran::default();
            for file in arguments.iter().filter(|argument| !argument.starts_with('-')) {
                if let Err(said) = linux.files().remove(seat.who(), &path(file)) {
                    ran.err.push_str(&format!("rm: cannot remove '{file}': {said}\n"));
                    ran.status = 1;
                }
            }
            ran
        }
        "touch" | "tee" => {
            let mut ran = Ran::fine(if name == "tee" { input } else { "" });
            let append = name == "touch" || arguments.first() == Some(&"-a");
            for file in arguments.iter().filter(|argument| !argument.starts_with('-')) {
                if let Err(said) = linux.files().write(seat.who(), &path(file), input, append) {
                    ran.err.push_str(&format!("{name}: {file}: {said}\n"));
                    ran.status = 1;
                }
            }
            ran
        }
        "grep" => {
            let pattern = arguments.iter().find(|argument| !argument.starts_with('-')).copied();
            match pattern.and_then(Filter::pattern) {
                None => Ran::failed(2, "Usage: grep [OPTION]... PATTERNS [FILE]...\n"),
                Some(pattern) => {
                    let out = match arguments.contains(&"-v") {
                        true => Filter::Exclude(pattern).apply(input),
                        false => Filter::Include(pattern).apply(input),
                    };
                    Ran { status: u32::from(out.is_empty()), ..Ran::fine(out) }
                }
            }
        }
        "head" | "tail" => {
            let count = arguments.last().and_then(|count| count.trim_start_matches('-').parse().ok());
            let count: usize = count.unwrap_or(10);
            match name.as_str() {
                "tail" => Ran::fine(Filter::Last(count).apply(input)),
                _ => Ran::fine(input.lines().take(count).map(|line| format!("{line}\n")).collect::<String>()),
            }
        }
        "wc" => Ran::fine(format!("{}\n", input.lines().count())),
        "seq" => {
            let most: u64 = arguments.last().and_then(|most| most.parse().ok()).unwrap_or(0);
            Ran::fine((1..=most.min(10_000_000)).map(|number| format!("{number}\n")).collect::<String>())
        }
        "systemctl" => {
            let unit = arguments.last().copied().unwrap_or_default();
            Ran::failed(4, format!("Unit {unit}.service could not be found.\n"))
        }
        other if other.contains('/') => {
            Ran::failed(127, format!("bash: {other}: No such file or directory\n"))
        }
        other => Ran::failed(127, format!("bash: {other}: command not found\n")),
    }
}

/// The output of a command that always prints the same.
fn fixed(command: &str) -> Option<&'static str> {
    static OUTPUTS: OnceLock<Vec<(&str, &str)>> = OnceLock::new();
    let outputs = OUTPUTS.get_or_init(|| outputs(include_str!("outputs.txt")));
    let at = outputs.iter().position(|(name, _)| *name == command)?;
    // Commands above one another print the same.
    outputs[at..].iter().map(|(_, output)| *output).find(|output| !output.is_empty())
}
