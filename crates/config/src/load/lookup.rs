//! Finding the place that a written key means, and reading a value as that place wants it.

use serde_json::{Map, Value};
use toml::de::DeValue;

use super::{Given, file::plain};
use crate::schema::{Key, Kind, file_key, snake_case, written};

/// The place that a key means.
pub(super) struct Place {
    /// The segments in their stored form.
    pub path: Vec<String>,
    pub key: Key<'static>,
    /// Whether the key was `…_file` and the value is the name of a file.
    pub by_file: bool,
}

/// Finds the place of a written key. The error is the rest of a sentence that starts with the key.
pub(super) fn look_up(segments: &[String]) -> Result<Place, String> {
    let mut place = Place { path: Vec::new(), key: Key::root(), by_file: false };
    for (depth, segment) in segments.iter().enumerate() {
        if place.by_file {
            return Err("is not a table".into());
        }
        if let Some(item) = place.key.item() {
            if segment.parse::<usize>().is_err() {
                return Err(format!("needs the number of an item after {:?}", segments[..depth].join(".")));
            }
            place.key = item;
        } else if let Some(entry) = place.key.entry() {
            place.key = entry;
        } else if place.key.properties().next().is_none() {
            return Err(format!("is unknown: {:?} is not a table", segments[..depth].join(".")));
        } else {
            let (name, inner, by_file) =
                find(place.key, segment).ok_or_else(|| unknown(place.key, &segments[..depth], segment))?;
            place.path.push(name.to_owned());
            place.key = inner;
            place.by_file = by_file;
            continue;
        }
        place.path.push(segment.clone());
    }
    Ok(place)
}

/// A fixed key by its stored name, its `snake_case`, or either with `_file` behind it when it is a secret.
fn find(table: Key<'static>, segment: &str) -> Option<(&'static str, Key<'static>, bool)> {
    table.properties().find_map(|(name, inner)| {
        let snake = snake_case(name);
        if segment == name || segment == snake {
            Some((name, inner, false))
        } else if inner.is_secret() && (segment == file_key(&snake) || segment == format!("{name}File")) {
            Some((name, inner, true))
        } else {
            None
        }
    })
}

/// Says that a key is unknown and which one was probably meant: the nearest one here, else one of that name anywhere
/// else.
fn unknown(table: Key<'static>, around: &[String], segment: &str) -> String {
    let near = |known: &str| strsim::damerau_levenshtein(known, segment);
    let dotted = |name: &str| around.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join(".");
    let here = table
        .properties()
        .flat_map(|(name, inner)| {
            let snake = snake_case(name);
            let file = inner.is_secret().then(|| file_key(&snake));
            [Some(snake), file].into_iter().flatten()
        })
        .map(|known| (near(&known), known))
        .min();
    if let Some((distance, known)) = &here
        && *distance <= 1.max(known.len() / 3)
    {
        return format!("is unknown; did you mean {:?}?", dotted(known));
    }
    let elsewhere = Key::root()
        .properties()
        .flat_map(|(section, inner)| inner.properties().map(move |(name, _)| (section, snake_case(name))))
        .find(|(_, name)| name == segment)
        .map(|(section, name)| format!("{section}.{name}"));
    match (elsewhere, here) {
        (Some(key), _) => format!("is unknown; did you mean {key:?}?"),
        (None, Some((_, known))) => format!("is unknown; the nearest key is {:?}", dotted(&known)),
        (None, None) => "is unknown".into(),
    }
}

impl Place {
    /// The key as people write it.
    pub fn written(&self) -> String {
        written(&self.path.join("."))
    }

    /// The value that this place wants: text is read by the type of the place, a `…_file` is read from disk.
    pub fn value(&self, given: Given) -> Result<Value, String> {
        if self.by_file {
            return match given {
                Given::Text(name) | Given::Typed(Value::String(name)) => read_secret(&name),
                Given::Typed(_) => Err("must be the name of a file".into()),
            };
        }
        match given {
            Given::Typed(value) => Ok(value),
            Given::Text(text) => match self.key.kind() {
                Kind::Text => Ok(Value::String(text)),
                Kind::Integer => {
                    text.trim().parse::<i64>().map(Value::from).map_err(|_| "must be a whole number".into())
                }
                Kind::Boolean => match text.trim() {
                    "true" | "1" => Ok(Value::Bool(true)),
                    "false" | "0" => Ok(Value::Bool(false)),
                    _ => Err("must be true or false".into()),
                },
                Kind::List | Kind::Table => structured(&text),
            },
        }
    }
}

/// The secret in a file, without the line end that editors and `echo` leave.
fn read_secret(name: &str) -> Result<Value, String> {
    let text = std::fs::read_to_string(name).map_err(|error| format!("names the file {name:?}: {error}"))?;
    Ok(Value::String(text.trim_end_matches(['\n', '\r']).to_owned()))
}

/// A list or table written as JSON or as the right-hand side of TOML.
fn structured(text: &str) -> Result<Value, String> {
    if let Ok(value @ (Value::Array(_) | Value::Object(_))) = serde_json::from_str(text) {
        return Ok(value);
    }
    match DeValue::parse(text) {
        Ok(value) if value.get_ref().is_array() || value.get_ref().is_table() => Ok(plain(value.get_ref())),
        _ => {
            Err("must be a list or table in the form of TOML or JSON, such as [\"a\", \"b\"] or { a = 1 }"
                .into())
        }
    }
}

/// Sets a value in the tree, making tables and lists on the way; an item may be set behind the last one. `false` when
/// the way leads past the end of a list or through a value.
pub(super) fn put(tree: &mut Value, path: &[String], value: Value) -> bool {
    let mut at = tree;
    let mut key = Some(Key::root());
    for segment in path {
        let is_list = key.is_some_and(|key| key.kind() == Kind::List);
        key = key.and_then(|key| key.property(segment).or_else(|| key.entry()).or_else(|| key.item()));
        if at.is_null() {
            *at = if is_list { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
        }
        at = match at {
            Value::Object(table) => table.entry(segment.clone()).or_insert(Value::Null),
            Value::Array(items) => {
                let Ok(index) = segment.parse::<usize>() else { return false };
                if index == items.len() {
                    items.push(Value::Null);
                }
                match items.get_mut(index) {
                    Some(item) => item,
                    None => return false,
                }
            }
            _ => return false,
        };
    }
    *at = value;
    true
}
