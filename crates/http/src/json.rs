//! JSON of requests, read within limits: depth, number of values, no NUL characters, no property twice.
//!
//! Lone surrogates and numbers beyond `f64` are refused by the parser itself (RFC 7493 sections 2.1 and 2.2).

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep arrays and objects may be nested.
const DEPTH: u32 = 64;
/// How many values a request may hold, at all levels together: bounds the memory that a small body can claim.
const VALUES: u32 = 50_000;

/// Reads one JSON text.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let mut left = VALUES;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Limited { depth: DEPTH, left: &mut left }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

struct Limited<'a> {
    depth: u32,
    left: &'a mut u32,
}

impl Limited<'_> {
    fn inner<E: Error>(&mut self) -> Result<Limited<'_>, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("it is nested too deeply"))?;
        Ok(Limited { depth, left: self.left })
    }
}

impl<'de> DeserializeSeed<'de> for Limited<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        *self.left = self.left.checked_sub(1).ok_or_else(|| D::Error::custom("it holds too many values"))?;
        deserializer.deserialize_any(self)
    }
}

fn text<E: Error>(text: &str) -> Result<&str, E> {
    if text.contains('\0') { Err(E::custom("it contains NUL characters")) } else { Ok(text) }
}

impl<'de> Visitor<'de> for Limited<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        text(value).map(|value| Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        text(&value)?;
        Ok(Value::String(value))
    }

    fn visit_seq<S: SeqAccess<'de>>(mut self, mut items: S) -> Result<Value, S::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self.inner()?)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut entries: M) -> Result<Value, M::Error> {
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            text(&name)?;
            let value = entries.next_value_seed(self.inner()?)?;
            if object.insert(name, value).is_some() {
                return Err(M::Error::custom("it names a property twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_read_is_what_was_written() {
        let text = r#" {"a":[1,-2,3.5,null,true,"x\u00e9\ud83d\ude00"],"b":{}} "#;
        let value = json!({ "a": [1, -2, 3.5, null, true, "xé😀"], "b": {} });
        assert_eq!(parse(text.as_bytes()).unwrap(), value);
    }

    #[test]
    fn hostile_json_is_refused_without_a_panic() {
        let deep = "[".repeat(10_000);
        let nested = format!("{}{}", "[".repeat(66), "]".repeat(66));
        let long = format!("[{}0]", "0,".repeat(60_000));
        let refused = [
            "",
            "{",
            "{} {}",
            "nul",
            r#""\ud800""#,
            r#"{"\udc00":1}"#,
            r#""a\u0000b""#,
            r#"{"a\u0000":1}"#,
            r#"{"a":1,"a":2}"#,
            "1e999",
            "\u{feff}{}",
            &deep,
            &nested,
            &long,
        ];
        for text in refused {
            assert!(parse(text.as_bytes()).is_err(), "{}", &text[..text.len().min(40)]);
        }
        assert!(parse(b"\"\xff\"").is_err());
        let allowed = format!("{}{}", "[".repeat(63), "]".repeat(63));
        assert!(parse(allowed.as_bytes()).is_ok());
    }
}
