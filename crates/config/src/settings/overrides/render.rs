//! From overrides to settings.

use serde_json::{Map, Value};

use super::super::{ProjectSettings, emails};
use super::{Override, Overrides, check};
use crate::schema::Key;

/// Lays the levels over each other, and the outcome over the defaults.
pub(super) fn render(overrides: &Overrides) -> Result<ProjectSettings, String> {
    let mut all = Override::default();
    for level in [&overrides.project, &overrides.branch, &overrides.environment] {
        all.merge(level);
    }
    let mut tree = Map::new();
    // In the order of the keys, in which each one comes before those that refine it.
    for (key, value) in all.0 {
        place(&mut tree, &key, value);
    }
    check::typed(Value::Object(tree))
}

/// Sets one key. Tables are made on the way; entries of records are not: a key that leads into an entry which does not
/// exist has no effect.
fn place(tree: &mut Map<String, Value>, key: &str, value: Value) {
    let (way, last) = key.rsplit_once('.').map_or((None, key), |(way, last)| (Some(way), last));
    let mut at = tree;
    let mut schema = Key::settings();
    let mut path = Vec::new();
    for name in way.into_iter().flat_map(|way| way.split('.')) {
        path.push(name);
        let Some(inside) = check::inside(schema, name) else { return };
        if !at.contains_key(name) && schema.property(name).is_none() && !always_exists(&path) {
            return;
        }
        let Value::Object(inner) = at.entry(name).or_insert_with(|| Value::Object(Map::new())) else {
            return;
        };
        at = inner;
        schema = inside;
    }
    match check::without_nulls(value) {
        Some(value) => at.insert(last.to_owned(), value),
        None => at.remove(last),
    };
}

/// Entries of records that need not be made: each app, and what is built in.
fn always_exists(path: &[&str]) -> bool {
    match path {
        ["apps", "installed", _] => true,
        ["emails", "themes", id] => emails::is_built_in_theme(id),
        ["emails", "templates", id] => emails::is_built_in_template(id),
        _ => false,
    }
}
