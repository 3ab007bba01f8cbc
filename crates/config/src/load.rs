//! Loading: layers of values laid over each other, then one typed configuration or all errors at once.
//!
//! Each layer becomes a list of entries (path, value, origin), each path is looked up in the schema, and the entries
//! are applied in the order of precedence: presets, file, environment, overrides. Decoding takes out a value that
//! does not fit, remembers why, and goes on.

mod decode;
mod environment;
mod file;
mod lookup;

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::{
    Config,
    errors::{ConfigError, ConfigErrors, Findings},
    origin::{Origin, Origins},
};
pub use environment::process_environment;
use lookup::{Place, look_up};

/// Where a configuration comes from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Values below the file, as dotted keys with text: what a verb presets, such as the listener of `dev`.
    pub presets: Vec<(String, String)>,
    /// The configuration file. Without it, the variable `LATCHKEY_CONFIG` may name one.
    pub file: Option<PathBuf>,
    /// Environment variables, names and values; see [`process_environment`].
    pub environment: Vec<(String, String)>,
    /// Values above everything, as dotted keys with text in the form of an environment variable's value.
    pub overrides: Vec<(String, String)>,
}

/// One value of one layer.
pub(crate) struct Entry {
    /// The segments of the key as they were written.
    pub path: Vec<String>,
    pub value: Given,
    pub origin: Origin,
}

/// A value as the layer knows it.
pub(crate) enum Given {
    /// Typed, from TOML.
    Typed(Value),
    /// Text whose type the schema decides.
    Text(String),
}

impl Config {
    /// Reads all sources and lays them over each other: overrides win over the environment, that over the file, that
    /// over the presets, those over the defaults.
    ///
    /// Errors are all that is wrong, each with file and line or the name of the variable: files that cannot be read
    /// or parsed, unknown keys, values of the wrong type or form, values that do not go together.
    pub fn load(sources: Sources) -> Result<Self, ConfigErrors> {
        let mut layers = Layers::default();
        let environment = environment::read(sources.environment, &mut layers.errors);

        for (key, text) in sources.presets {
            layers.apply(Entry::dotted(&key, text, Origin::Preset));
        }
        if let Some(path) = sources.file.or(environment.file) {
            for entry in file::read(&path, &mut layers.errors) {
                layers.apply(entry);
            }
        }
        for entry in environment.entries {
            layers.apply(entry);
        }
        for (key, text) in sources.overrides {
            let origin = Origin::Override(key.clone());
            layers.apply(Entry::dotted(&key, text, origin));
        }

        let Layers { tree, origins, mut errors, .. } = layers;
        let mut tree = if let Value::Object(tree) = tree { tree } else { Map::new() };
        let mut config = decode::decode(&mut tree, &origins, &mut errors);
        config.origins = origins;
        let mut findings = Findings::default();
        config.validate(&mut findings);
        // A value that did not fit was replaced by its default, which may break a rule that the real one keeps.
        if errors.is_empty() {
            errors = findings.into_errors(&config.origins);
        }
        if errors.is_empty() { Ok(config) } else { Err(ConfigErrors(errors)) }
    }
}

impl Entry {
    fn dotted(key: &str, text: String, origin: Origin) -> Self {
        Self { path: key.split('.').map(str::to_owned).collect(), value: Given::Text(text), origin }
    }
}

/// The layers applied so far.
#[derive(Default)]
struct Layers {
    tree: Value,
    origins: Origins,
    errors: Vec<ConfigError>,
    /// Secrets given as such or by file, with the origin, to find both in one layer.
    secrets: Vec<(String, bool, Origin)>,
}

impl Layers {
    fn apply(&mut self, entry: Entry) {
        let place = match look_up(&entry.path) {
            Ok(place) => place,
            Err(message) => {
                self.errors.push(ConfigError { origin: entry.origin, key: entry.path.join("."), message });
                return;
            }
        };
        let dotted = place.path.join(".");
        let value = match place.value(entry.value) {
            Ok(value) => value,
            Err(message) => {
                self.errors.push(ConfigError { origin: entry.origin, key: place.written(), message });
                return;
            }
        };
        if place.key.is_secret() && self.is_given_twice(&place, &dotted, &entry.origin) {
            return;
        }
        // A table given as a whole (by a variable) is laid over key by key, like a table of the file.
        if let Value::Object(table) = &value
            && (!table.is_empty() || self.at(&place.path).is_some())
        {
            for (name, inner) in table {
                let path = place.path.iter().cloned().chain([name.clone()]).collect();
                self.apply(Entry { path, value: Given::Typed(inner.clone()), origin: entry.origin.clone() });
            }
            return;
        }
        if let Value::Array(items) = &value
            && place.key.item().is_some_and(|item| item.kind() == crate::schema::Kind::Table)
            && items.iter().any(Value::is_object)
        {
            self.put(
                &place,
                &dotted,
                Value::Array(vec![Value::Object(Map::new()); items.len()]),
                &entry.origin,
            );
            for (index, item) in items.iter().enumerate() {
                let path = place.path.iter().cloned().chain([index.to_string()]).collect();
                self.apply(Entry { path, value: Given::Typed(item.clone()), origin: entry.origin.clone() });
            }
            return;
        }
        self.put(&place, &dotted, value, &entry.origin);
    }

    /// Sets a value and its origin.
    fn put(&mut self, place: &Place, dotted: &str, value: Value, origin: &Origin) {
        if lookup::put(&mut self.tree, &place.path, value) {
            self.origins.set(dotted.to_owned(), origin.clone());
        } else {
            self.errors.push(ConfigError {
                origin: origin.clone(),
                key: place.written(),
                message: "leads past the end of a list or into a value".into(),
            });
        }
    }

    fn at(&self, path: &[String]) -> Option<&Value> {
        let mut at = &self.tree;
        for segment in path {
            at = match at {
                Value::Array(items) => items.get(segment.parse::<usize>().ok()?)?,
                other => other.get(segment)?,
            };
        }
        Some(at)
    }

    /// Whether the secret was already given in the same layer in the other form, which is an error.
    fn is_given_twice(&mut self, place: &Place, dotted: &str, origin: &Origin) -> bool {
        let same_layer = |other: &Origin| std::mem::discriminant(other) == std::mem::discriminant(origin);
        let twice = self
            .secrets
            .iter()
            .any(|(key, by_file, other)| key == dotted && *by_file != place.by_file && same_layer(other));
        if twice {
            let key = place.written();
            let message = "is given both itself and as a file; keep one of them".into();
            self.errors.push(ConfigError { origin: origin.clone(), key, message });
        }
        self.secrets.push((dotted.to_owned(), place.by_file, origin.clone()));
        twice
    }
}
