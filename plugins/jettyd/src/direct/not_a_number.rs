//! `nan` and `inf`, which firmware writes for a broken sensor (`%g` of C) and JSON does not have.

/// The same with null in their places, outside of texts. None: there are none.
pub fn without_nan(data: &[u8]) -> Option<Vec<u8>> {
    let mut fixed = Vec::with_capacity(data.len() + 16);
    let (mut at, mut in_text, mut found) = (0, false, false);
    while at < data.len() {
        let byte = data[at];
        if in_text {
            fixed.push(byte);
            if byte == b'\\' && at + 1 < data.len() {
                at += 1;
                fixed.push(data[at]);
            } else if byte == b'"' {
                in_text = false;
            }
            at += 1;
            continue;
        }
        let rest = &data[at..];
        let signed = rest.strip_prefix(b"-").unwrap_or(rest);
        let word = signed.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let no_number = ["nan", "inf", "infinity"]
            .iter()
            .any(|known| signed[..word].eq_ignore_ascii_case(known.as_bytes()));
        if no_number {
            fixed.extend(b"null");
            at += rest.len() - signed.len() + word;
            found = true;
        } else if word > 0 && signed.len() == rest.len() {
            fixed.extend(&rest[..word]);
            at += word;
        } else {
            in_text = byte == b'"';
            fixed.push(byte);
            at += 1;
        }
    }
    found.then_some(fixed)
}
