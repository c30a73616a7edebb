//! What a form must not ask for. A client shows what is typed into a form, keeps it, and may hand it to a model; MCP
//! forbids asking for secrets that way (specification 2026-07-28, `client/elicitation`, "Security Considerations").
//!
//! The words are English, and a plugin that wants to deceive finds others: this stops carelessness. Against deceit
//! stands the name of the binding before each message.

/// Long enough to mean the same within any longer word: `newpassword`, `apikey2`.
const WITHIN: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "apikey",
    "privatekey",
    "secretkey",
    "accesskey",
    "credential",
    "accesstoken",
    "authtoken",
    "bearertoken",
];
/// Words of their own.
const WORDS: [&str; 20] = [
    "pwd",
    "passkey",
    "pin",
    "pins",
    "secret",
    "secrets",
    "token",
    "tokens",
    "otp",
    "totp",
    "mfa",
    "2fa",
    "cvv",
    "cvc",
    "jwt",
    "bearer",
    "psk",
    "passwort",
    "kennwort",
    "keyphrase",
];
/// Words beside each other.
const PAIRS: [(&str, &str); 24] = [
    ("pass", "word"),
    ("pass", "phrase"),
    ("pass", "code"),
    ("api", "key"),
    ("api", "keys"),
    ("private", "key"),
    ("private", "keys"),
    ("secret", "key"),
    ("access", "key"),
    ("ssh", "key"),
    ("signing", "key"),
    ("encryption", "key"),
    ("license", "key"),
    ("shared", "key"),
    ("recovery", "code"),
    ("security", "code"),
    ("verification", "code"),
    ("authentication", "code"),
    ("auth", "code"),
    ("one", "time"),
    ("card", "number"),
    ("credit", "card"),
    ("debit", "card"),
    ("session", "cookie"),
];

/// The words that ask for a secret, if there are any.
pub(super) fn asked_for(text: &str) -> Option<String> {
    let words = words(text);
    let single = words
        .iter()
        .find(|word| WORDS.contains(&word.as_str()) || WITHIN.iter().any(|within| word.contains(within)));
    if let Some(word) = single {
        return Some(word.clone());
    }
    let pair = words.windows(2).find(|two| PAIRS.contains(&(two[0].as_str(), two[1].as_str())))?;
    Some(pair.join(" "))
}

/// The words of a text or of an identifier, in lower case: `userPIN`, `user_pin` and `User PIN` are two words each.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_was_lower = false;
    for c in text.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && before_was_lower) {
            words.push(String::new());
        }
        before_was_lower = c.is_lowercase();
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_asks_for_a_secret_is_found() {
        for text in [
            "password",
            "Password:",
            "newPassword",
            "NEWPASSWORD",
            "admin_passwd",
            "Your pass phrase",
            "pass-word",
            "apiKey",
            "API key of the device",
            "api_keys",
            "privateKey",
            "SSH key",
            "userPIN",
            "PIN",
            "The secret",
            "token",
            "access tokens",
            "Credentials for the router",
            "2FA code",
            "One-time code",
            "Verification code from your phone",
            "CVV",
            "Credit card",
            "enable secret",
            "WLAN-PSK",
            "Kennwort",
        ] {
            assert!(asked_for(text).is_some(), "{text}");
        }
    }

    #[test]
    fn other_words_are_left_alone() {
        for text in [
            "name",
            "user_name",
            "Shipping address",
            "opinion",
            "spinning",
            "Tokyo",
            "key",
            "Primary key of the table",
            "code",
            "postal code",
            "compass",
            "secretary",
            "tokenizer",
            "passenger",
            "favorite color",
            "What is your name?",
            "",
        ] {
            assert_eq!(asked_for(text), None, "{text}");
        }
    }
}
