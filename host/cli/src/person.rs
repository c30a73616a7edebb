//! Who sits at the terminal, for the lock's record of who approved what. Not proof of anything: whoever may write
//! the lock may write any name.

/// `ann (user 1000)`
pub fn at_the_terminal() -> String {
    let name = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let user = rustix::process::getuid().as_raw();
    match name.filter(|name| !name.is_empty()) {
        Some(name) => format!("{} (user {user})", crate::output::one_line(&name)),
        None => format!("user {user}"),
    }
}
