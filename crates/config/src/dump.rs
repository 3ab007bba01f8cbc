//! The effective configuration as TOML, secrets masked, each key with its origin.

use serde_json::{Map, Value};

use crate::{
    Config,
    schema::{Key, snake_case},
};

impl Config {
    /// The effective values as a TOML file. Each line ends in a comment that says where the value came from. Secrets
    /// appear as `"***"`, connection strings without their password; keys without a value as comments.
    pub fn dump(&self) -> String {
        let Ok(Value::Object(values)) = serde_json::to_value(self) else { return String::new() };
        let mut dump = Dump { config: self, out: String::new() };
        dump.table(Key::root(), &values, &[], &[]);
        dump.out.trim_start().to_owned()
    }

    /// The effective values as JSON, secrets masked, in the shape of the file; for `--json`.
    pub fn dump_json(&self) -> Value {
        let mut values = serde_json::to_value(self).unwrap_or_default();
        mask(Key::root(), &mut values);
        values
    }
}

/// What stands in place of a secret.
pub(crate) const MASK: &str = "***";

fn mask(at: Key<'_>, value: &mut Value) {
    match value {
        Value::String(text) if at.is_secret() && !at.is_connection() => MASK.clone_into(text),
        Value::Object(table) => {
            for (name, mut inner) in std::mem::take(table) {
                let (name, place) = match at.property(&name) {
                    Some(place) => (snake_case(&name), Some(place)),
                    None => (name, at.entry()),
                };
                if let Some(place) = place {
                    mask(place, &mut inner);
                }
                table.insert(name, inner);
            }
        }
        Value::Array(items) => {
            if let Some(place) = at.item() {
                for item in items {
                    mask(place, item);
                }
            }
        }
        _ => {}
    }
}

struct Dump<'a> {
    config: &'a Config,
    out: String,
}

impl Dump<'_> {
    /// Writes the values of a table, then the tables inside it. `stored` is the path in the tree, `written` the
    /// header in the file.
    fn table(&mut self, at: Key<'_>, values: &Map<String, Value>, stored: &[String], written: &[String]) {
        let inside = |path: &[String], name: &str| [path, &[name.to_owned()]].concat();
        // Free tables have no properties: there the entries themselves are the names.
        let names: Vec<(String, Key<'_>)> = match at.entry() {
            Some(entry) => values.keys().map(|name| (name.clone(), entry)).collect(),
            None => at.properties().map(|(name, place)| (name.to_owned(), place)).collect(),
        };
        let mut later = Vec::new();
        for (name, place) in names {
            let shown = if at.entry().is_some() { quoted(&name) } else { snake_case(&name) };
            let path = inside(stored, &name);
            match values.get(&name) {
                Some(Value::Object(table)) => later.push((place, Value::Object(table.clone()), path, shown)),
                Some(Value::Array(items)) if items.iter().any(Value::is_object) => {
                    later.push((place, Value::Array(items.clone()), path, shown));
                }
                Some(Value::Array(items))
                    if place.item().is_some_and(|item| item.properties().next().is_some()) =>
                {
                    debug_assert!(items.is_empty());
                }
                None | Some(Value::Null) => self.line(&format!("# {shown} is not set")),
                Some(value) => {
                    let text = if place.is_secret() && !place.is_connection() {
                        format!("{MASK:?}")
                    } else {
                        toml_text(value)
                    };
                    self.line(&format!("{shown} = {text}  # {}", self.config.origin(&path.join("."))));
                }
            }
        }
        for (place, value, path, shown) in later {
            let header = inside(written, &shown);
            match value {
                Value::Object(table) => {
                    if table.values().any(|inner| !inner.is_object()) {
                        self.line(&format!("\n[{}]", header.join(".")));
                    }
                    self.table(place, &table, &path, &header);
                }
                Value::Array(items) => {
                    for (index, item) in items.iter().enumerate() {
                        self.line(&format!("\n[[{}]]", header.join(".")));
                        if let (Some(place), Some(table)) = (place.item(), item.as_object()) {
                            self.table(place, table, &inside(&path, &index.to_string()), &header);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }
}

/// A key of a free table, in quotes where TOML wants them.
fn quoted(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        toml::Value::String(name.to_owned()).to_string()
    }
}

/// A value as the right-hand side of TOML, on one line.
pub(crate) fn toml_text(value: &Value) -> String {
    match value {
        Value::String(text) => serde_json::Value::String(text.clone()).to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(toml_text).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}
