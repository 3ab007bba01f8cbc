//! The schema of the configuration: the one table of keys that the loader, the dump, the published schema and the
//! reference page all read.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::Config;

/// The schema as the types give it, without references, settings keys in their stored form.
static KEYS: LazyLock<Value> = LazyLock::new(|| {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<Config>().into()
});

/// One place in the tree of keys: a table, a list or a value.
#[derive(Clone, Copy)]
pub(crate) struct Key<'a>(&'a Map<String, Value>);

/// What a place holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Table,
    List,
    Text,
    Integer,
    Boolean,
}

impl Key<'static> {
    /// The whole tree.
    pub fn root() -> Self {
        Self(KEYS.as_object().expect("the schema of a struct is an object"))
    }
}

impl<'a> Key<'a> {
    /// The settings of a project.
    pub fn settings() -> Self {
        static SETTINGS: LazyLock<Key<'static>> = LazyLock::new(|| {
            let project = Key::root().property("project").and_then(Key::item);
            project.and_then(|project| project.property("settings")).expect("projects have settings")
        });
        *SETTINGS
    }

    /// The names and places inside a table with fixed keys; empty for anything else.
    pub fn properties(self) -> impl Iterator<Item = (&'a str, Key<'a>)> {
        let properties = self.0.get("properties").and_then(Value::as_object);
        properties.into_iter().flatten().filter_map(|(name, at)| Some((name.as_str(), Key(at.as_object()?))))
    }

    /// The place of the fixed key `name`.
    pub fn property(self, name: &str) -> Option<Key<'a>> {
        self.0.get("properties")?.get(name)?.as_object().map(Key)
    }

    /// The place of any entry, in a table whose keys are free.
    pub fn entry(self) -> Option<Key<'a>> {
        self.0.get("additionalProperties")?.as_object().map(Key)
    }

    /// The place of any item of a list.
    pub fn item(self) -> Option<Key<'a>> {
        self.0.get("items")?.as_object().map(Key)
    }

    /// What the place holds. Something without a type is one of several words, and so text.
    pub fn kind(self) -> Kind {
        let named = match self.0.get("type") {
            Some(Value::Array(types)) => types.first().and_then(Value::as_str),
            Some(one) => one.as_str(),
            None => None,
        };
        match named {
            Some("object") => Kind::Table,
            Some("array") => Kind::List,
            Some("integer") => Kind::Integer,
            Some("boolean") => Kind::Boolean,
            _ => Kind::Text,
        }
    }

    /// Whether the value is a secret.
    pub fn is_secret(self) -> bool {
        self.branches().any(|at| at.get("writeOnly") == Some(&Value::Bool(true)))
    }

    /// Whether the value is a connection string, which masks its password itself.
    pub fn is_connection(self) -> bool {
        self.is_secret() && self.branches().any(|at| at.get("format").is_some_and(|format| format == "uri"))
    }

    /// What the key is for, from the doc comment, on one line.
    pub fn description(self) -> String {
        self.0.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ")
    }

    /// The default, unless there is none.
    pub fn default(self) -> Option<&'a Value> {
        self.0.get("default").filter(|value| !value.is_null())
    }

    /// The words that a choice allows, with what each means; empty when it is no choice.
    pub fn choices(self) -> Vec<(&'a str, String)> {
        let mut choices = Vec::new();
        for at in self.branches() {
            for word in
                at.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
            {
                choices.push((word, String::new()));
            }
            if let Some(word) = at.get("const").and_then(Value::as_str) {
                choices.push((word, Key(at).description()));
            }
        }
        choices
    }

    /// The place itself and its alternatives.
    fn branches(self) -> impl Iterator<Item = &'a Map<String, Value>> {
        let alternatives = ["anyOf", "oneOf"]
            .into_iter()
            .filter_map(move |word| self.0.get(word)?.as_array())
            .flatten()
            .filter_map(Value::as_object);
        std::iter::once(self.0).chain(alternatives)
    }
}

/// A dotted key of the stored form as it is written in the file: fixed keys in `snake_case`, entries as they are.
pub(crate) fn written(stored: &str) -> String {
    let mut at = Some(Key::root());
    let name = |segment: &str| {
        let property = at.and_then(|key| key.property(segment));
        let name = if property.is_some() { snake_case(segment) } else { segment.to_owned() };
        at = property.or_else(|| at.and_then(Key::entry)).or_else(|| at.and_then(Key::item));
        name
    };
    stored.split('.').map(name).collect::<Vec<_>>().join(".")
}

/// The key of a file that holds the secret `name`.
pub(crate) fn file_key(name: &str) -> String {
    format!("{name}_file")
}

/// `allowSignIn` → `allow_sign_in`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// The schema of the configuration file: every key in `snake_case`, and beside every secret its `…_file`.
pub(crate) fn published() -> Value {
    let mut schema = KEYS.clone();
    publish(&mut schema);
    schema["title"] = json!("Latchkey configuration");
    schema
}

fn publish(at: &mut Value) {
    let Some(table) = at.as_object_mut() else { return };
    if let Some(Value::Object(properties)) = table.get_mut("properties") {
        for (name, mut place) in std::mem::take(properties) {
            let name = snake_case(&name);
            if place.as_object().is_some_and(|place| Key(place).is_secret()) {
                let description =
                    format!("The name of a file that holds `{name}`, which is then not given itself.");
                properties.insert(file_key(&name), json!({ "type": "string", "description": description }));
            }
            publish(&mut place);
            if let Some(default) = place.get_mut("default") {
                snake_case_keys(default);
            }
            properties.insert(name, place);
        }
    }
    for word in ["items", "additionalProperties"] {
        if let Some(inner) = table.get_mut(word) {
            publish(inner);
        }
    }
}

/// Brings the keys of a default to the form of the file. Defaults hold no entries of free tables, so that every key
/// is one of ours.
fn snake_case_keys(value: &mut Value) {
    if let Value::Object(table) = value {
        for (name, mut inner) in std::mem::take(table) {
            snake_case_keys(&mut inner);
            table.insert(snake_case(&name), inner);
        }
    }
}
