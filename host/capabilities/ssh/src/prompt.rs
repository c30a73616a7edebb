//! Whether a device asks for a password, and whether it took it.

/// The words for it that devices use.
const WORDS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "passwort",
    "kennwort",
    "mot de passe",
    "contraseña",
    "senha",
    "пароль",
    "密码",
    "パスワード",
    "secret",
];

/// The longest line that is taken for a question, in characters.
const LONGEST: usize = 200;

/// Whether a line asks for a password: `Password:`, `[sudo] password for netops: `, `enable password:`.
pub(crate) fn asks_for_password(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    // `Destination filename [password]?` asks for something else.
    let ends = line.ends_with([':', '：']);
    ends && line.chars().count() <= LONGEST && WORDS.iter().any(|word| line.contains(word))
}

/// What devices ask for a user's name with, at the end of a line.
const NAMES: [&str; 6] = ["username:", "user name:", "user:", "login:", "login name:", "login as:"];

/// Whether a line asks for a user's name, as some devices do before they ask for the password of `enable`.
fn asks_for_name(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    line.chars().count() <= LONGEST && NAMES.iter().any(|name| line.ends_with(name))
}

/// Whether what a device said ends with such a line, that is: it waits in it.
pub(crate) fn waits_for_password(said: &[u8]) -> bool {
    waits(said, asks_for_password)
}

/// The same with a question for a user's name.
pub(crate) fn waits_for_name(said: &[u8]) -> bool {
    waits(said, asks_for_name)
}

fn waits(said: &[u8], asks: fn(&str) -> bool) -> bool {
    let said = plain(said);
    let said = String::from_utf8_lossy(&said);
    said.rsplit(['\n', '\r']).next().is_some_and(asks)
}

/// What devices say to a wrong password, in small letters.
const REFUSALS: [&str; 12] = [
    "denied",
    "bad secret",
    "bad password",
    "invalid password",
    "incorrect",
    "wrong password",
    "password error",
    "password is wrong",
    "authentication fail",
    "authentication error",
    "error in authentication",
    "try again",
];

/// Whether what a device said to a password is a refusal, or the question once more.
pub(crate) fn refuses(said: &[u8]) -> bool {
    let words = String::from_utf8_lossy(&plain(said)).to_lowercase();
    waits_for_password(said) || REFUSALS.iter().any(|refusal| words.contains(refusal))
}

/// Without the escape sequences that colour and place text (ECMA-48).
pub(crate) fn plain(said: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(said.len());
    let mut bytes = said.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            0x1b if bytes.peek() == Some(&b'[') => {
                bytes.next();
                while bytes.next().is_some_and(|byte| !(0x40..=0x7e).contains(&byte)) {}
            }
            0x1b => {
                bytes.next();
            }
            0x00 | 0x07 => {}
            byte => plain.push(byte),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_devices_ask_with_is_a_question_for_a_password() {
        for said in [
            "Password: ",
            "R1>enable\r\nPassword: ",
            "[sudo] password for netops: ",
            "Enter passphrase for key '/home/x/.ssh/id': ",
            "\u{1b}[1mPassword:\u{1b}[0m ",
            "enable\r\n\r\nEnable password:",
            "admin@10.0.0.1's password:",
            "Mot de passe : ",
            "Passwort:",
            "PIN/passcode:",
            "\u{7}Password:",
        ] {
            assert!(waits_for_password(said.as_bytes()), "{said:?}");
        }
    }

    #[test]
    fn what_devices_ask_for_a_name_with_is_a_question_for_one() {
        for said in
            ["Username: ", "enable\r\nUsername:", "login as: ", "r1 login: ", "Please Enter Login Name: "]
        {
            assert!(waits_for_name(said.as_bytes()) && !waits_for_password(said.as_bytes()), "{said:?}");
        }
        for said in ["", "Username: \r\n", "Username: netops", "Password:", "R1#", "name server"] {
            assert!(!waits_for_name(said.as_bytes()), "{said:?}");
        }
    }

    #[test]
    fn what_devices_say_to_a_wrong_password_is_known() {
        for said in [
            "\r\nPassword: ",
            "\r\n% Access denied\r\n\r\nR1>",
            "\r\n% Bad secrets\r\n\r\nR1>",
            "\r\nError in authentication.\r\nR1>",
            "\r\nInvalid password\r\nswitch>",
            "\r\nsu: Authentication failure\r\n$ ",
            "\r\nSorry, try again.\r\n[sudo] password for netops: ",
        ] {
            assert!(refuses(said.as_bytes()), "{said:?}");
        }
        for said in ["", "\r\n", "\r\nR1#", "\r\n\u{1b}[1mroot@r1\u{1b}[0m:~# ", "\r\nLast login: Sat\r\n$ "]
        {
            assert!(!refuses(said.as_bytes()), "{said:?}");
        }
    }

    #[test]
    fn escape_sequences_are_taken_out_and_nothing_else_is() {
        for (said, left) in [
            ("\u{1b}[1;31mR1\u{1b}[0m#", "R1#"),
            ("\u{1b}7R1\u{1b}8#\u{7}\0", "R1#"),
            ("a\u{1b}[", "a"),
            ("a\u{1b}", "a"),
            ("a\tb\r\n", "a\tb\r\n"),
        ] {
            assert_eq!(plain(said.as_bytes()), left.as_bytes(), "{said:?}");
        }
    }

    #[test]
    fn what_only_speaks_of_passwords_is_none() {
        for said in [
            "",
            "R1#",
            "Password: \r\n",
            "Password:\r\nR1#",
            "% Password required, but none set",
            "username admin password 0 cisco",
            "R1(config)#enable secret: \r\nR1(config)#",
            "login: ",
            "Username:",
            "Continue? [yes/no]:",
            "Destination filename [password]? ",
            "Show password?",
        ] {
            assert!(!waits_for_password(said.as_bytes()), "{said:?}");
        }
        assert!(waits_for_password(format!("{}password:", "x".repeat(100)).as_bytes()));
        let long = format!("{} password:", "x".repeat(300));
        assert!(!waits_for_password(long.as_bytes()));
    }
}
