//! The nearest word that would have been right.

/// The known word that was probably meant: within a third of its length in edits, so that a wild guess is not
/// offered as advice.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A word as long as a page is nobody's typing error, and edits are counted in quadratic time.
    if wanted.len() > 128 {
        return None;
    }
    let lower = wanted.to_lowercase();
    known
        .into_iter()
        .filter(|word| !word.is_empty() && word.len() <= 128 && *word != wanted)
        .map(|word| (strsim::damerau_levenshtein(&lower, &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= (word.chars().count().max(3)).div_ceil(3))
        .min_by_key(|(distance, word)| (*distance, *word))
        .map(|(_, word)| word)
}

/// Advice for a word that is not known: the nearest one, else all of them (at most 12), else nothing.
pub fn did_you_mean<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.into_iter().collect();
    if let Some(word) = nearest(wanted, known.iter().copied()) {
        return format!("did you mean {}?", quoted(word));
    }
    known.sort_unstable();
    known.dedup();
    match known.len() {
        0 => String::new(),
        1 => format!("the only one known here is {}", quoted(known[0])),
        2..=12 => format!("known here: {}", known.join(", ")),
        more => format!("known here: {}, and {} more", known[..12].join(", "), more - 12),
    }
}

/// Somebody's text in quotes, with control and bidi characters made visible and cut to 80 characters.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(80) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}
