//! Keeps a credential out of the header and trailer fields that a guest reads. Bodies are masked as they stream, by
//! the core's [`Masker`](fleetgate_core::mask::Masker).

use fleetgate_core::mask::Mask;
use http::{HeaderMap, HeaderValue};

/// Masks the values of a section. A field whose name holds a value goes as a whole.
pub(crate) fn clean(mask: &Mask, fields: &mut HeaderMap) {
    let telling = |name: &&http::HeaderName| mask.replace_any_case(name.as_str().as_bytes()).is_some();
    let telling: Vec<_> = fields.keys().filter(telling).cloned().collect();
    for name in telling {
        fields.remove(name);
    }
    for value in fields.values_mut() {
        if let Some(masked) = mask.replace_any_case(value.as_bytes()) {
            *value = HeaderValue::from_bytes(&masked).unwrap_or(HeaderValue::from_static("[masked]"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_values_and_names_are_masked_in_any_case() {
        let mask = Mask::new(["S3cr3t-T0k3n"]).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-echo", HeaderValue::from_static("got S3cr3t-T0k3n!"));
        headers.insert("x-lower", HeaderValue::from_static("s3cr3t-t0k3n"));
        headers.insert("x-s3cr3t-t0k3n", HeaderValue::from_static("1"));
        headers.insert("x-other", HeaderValue::from_static("fine"));
        clean(&mask, &mut headers);
        assert_eq!(headers["x-echo"], "got [masked]!");
        assert_eq!(headers["x-lower"], "[masked]");
        assert_eq!(headers["x-other"], "fine");
        assert_eq!(headers.len(), 3);
    }
}
