//! Pages: `pagination[page]` (from 1) and `pagination[page_size]`, and the object of section 2 in the answer.
//! There is no upper limit, and what is not an integer is a 500.

use serde_json::{Value, json};

use super::errors::ApiError;
use super::params::Params;

/// The page a client asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    number: usize,
    size: usize,
}

impl Page {
    /// `size` is the resource's default. A parameter that is not a map, and unknown keys in it, are ignored.
    pub(crate) fn parse(params: &Params, size: usize) -> Result<Self, ApiError> {
        let asked = params.get("pagination").and_then(Value::as_object);
        let read = |key: &str, default: usize| match asked.and_then(|asked| asked.get(key)) {
            Some(Value::String(text)) => positive(text.parse().ok()),
            Some(Value::Number(number)) => positive(number.as_i64()),
            _ => Ok(default),
        };
        Ok(Self { number: read("page", 1)?, size: read("page_size", size)? })
    }

    /// The rows of this page, and the object that goes with them.
    pub(crate) fn cut<T>(self, rows: Vec<T>) -> (Vec<T>, Value) {
        let total = rows.len();
        let meta = json!({
            "page_number": self.number,
            "page_size": self.size,
            "total_entries": total,
            "total_pages": total.div_ceil(self.size),
        });
        let skipped = (self.number - 1).saturating_mul(self.size);
        (rows.into_iter().skip(skipped).take(self.size).collect(), meta)
    }
}

/// Zero and below fail in the database, as a negative offset or a division by zero.
fn positive(value: Option<i64>) -> Result<usize, ApiError> {
    value.filter(|value| *value > 0).and_then(|value| value.try_into().ok()).ok_or(ApiError::Fault)
}
