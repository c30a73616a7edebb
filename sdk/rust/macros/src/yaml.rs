//! Front matter: YAML as JSON.

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Number, Value};

/// The one document of a text. What JSON cannot say is refused. Errors are sentences.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let documents = Yaml::load_from_str(text).map_err(|error| error.to_string())?;
    match documents.as_slice() {
        [] => Ok(Value::Null),
        [one] => json(one),
        _ => Err("more than one document".to_owned()),
    }
}

fn json(yaml: &Yaml<'_>) -> Result<Value, String> {
    match yaml {
        Yaml::Value(scalar) => self::scalar(scalar),
        Yaml::Sequence(items) => items.iter().map(json).collect::<Result<_, _>>().map(Value::Array),
        Yaml::Mapping(pairs) => {
            let mut object = Map::new();
            for (key, value) in pairs {
                let Yaml::Value(Scalar::String(key)) = key else {
                    return Err("a key that is not text".to_owned());
                };
                object.insert(key.clone().into_owned(), json(value)?);
            }
            Ok(Value::Object(object))
        }
        _ => Err("a tag or something else that JSON does not have".to_owned()),
    }
}

fn scalar(scalar: &Scalar<'_>) -> Result<Value, String> {
    Ok(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(flag) => Value::from(*flag),
        Scalar::Integer(number) => Value::from(*number),
        Scalar::FloatingPoint(number) => Number::from_f64(number.into_inner())
            .map(Value::Number)
            .ok_or_else(|| "a number that JSON does not have".to_owned())?,
        Scalar::String(text) => Value::from(text.as_ref()),
    })
}
