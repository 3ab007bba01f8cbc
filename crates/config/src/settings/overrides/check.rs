//! What may be written where: the grammar of keys, which keys there are, their types, and their levels.

use serde_json::{Map, Value};

use super::super::ProjectSettings;
use super::Level;
use crate::schema::Key;

/// Checks the keys of an override for a level. The error is a sentence.
pub(super) fn keys(keys: &Map<String, Value>, level: Level) -> Result<(), String> {
    for (key, value) in keys {
        let path: Vec<&str> = key.split('.').collect();
        let at = known(&path, key)?;
        check(&path, at, value, level)?;
        // A key that is null says nothing, and so has no type to check.
        if let Some(value) = without_nulls(value.clone()) {
            let nest =
                |inner: Value, name: &&str| Value::Object(Map::from_iter([((*name).to_owned(), inner)]));
            typed(path.iter().rev().fold(value, nest))?;
        }
    }
    Ok(())
}

/// The level at which a key is at home. What is at home on a branch may also be written for the environment.
pub(super) fn home(path: &[&str]) -> Level {
    let is_switch =
        matches!(path, [_, _, "providers", _, "type" | "allowSignIn" | "allowConnectedAccounts", ..]);
    match path {
        ["project", ..] => Level::Project,
        ["domains" | "latchkey", ..]
        | ["emails", "server", ..]
        | ["auth", "oauth", "providers", _, _, ..]
            if !is_switch =>
        {
            Level::Environment
        }
        _ => Level::Branch,
    }
}

/// The place that a path means.
fn known(path: &[&str], key: &str) -> Result<Key<'static>, String> {
    let mut at = Key::settings();
    for name in path {
        if !is_name(name) {
            return Err(format!("The key {key:?} is malformed."));
        }
        at = inside(at, name).ok_or_else(|| format!("The key {key:?} is unknown."))?;
    }
    Ok(at)
}

pub(super) fn inside(at: Key<'static>, name: &str) -> Option<Key<'static>> {
    at.property(name).or_else(|| at.entry())
}

/// One segment of a key.
fn is_name(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '$');
    name.starts_with(first) && name.chars().all(|c| first(c) || c == '-')
}

/// Checks what stands inside a key: grammar, known names, levels of the values.
fn check(path: &[&str], at: Key<'static>, value: &Value, level: Level) -> Result<(), String> {
    if let Value::Object(entries) = value
        && !entries.is_empty()
    {
        for (name, value) in entries {
            let path: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
            if !is_name(name) {
                return Err(format!(
                    "The key {:?} inside {:?} is malformed.",
                    name,
                    path[..path.len() - 1].join(".")
                ));
            }
            let at = inside(at, name).ok_or_else(|| format!("The key {:?} is unknown.", path.join(".")))?;
            check(&path, at, value, level)?;
        }
        return Ok(());
    }
    // Tables would also be read from lists, by position.
    if value.is_array() && at.item().is_none() {
        return Err(format!("The key {:?} has a value that does not fit: it is no list.", path.join(".")));
    }
    let home = home(path);
    if home == level || (home, level) == (Level::Branch, Level::Environment) {
        return Ok(());
    }
    Err(format!("The key {:?} cannot be set at the level {:?}.", path.join("."), level.as_str()))
}

/// The value without what is null at any depth; `None` if it is null itself.
pub(super) fn without_nulls(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(entries) => {
            let kept = entries.into_iter().filter_map(|(name, value)| Some((name, without_nulls(value)?)));
            Some(Value::Object(kept.collect()))
        }
        other => Some(other),
    }
}

/// Whether the types of the settings take a tree.
pub(super) fn typed(tree: Value) -> Result<ProjectSettings, String> {
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let (path, error) = (error.path().to_string(), error.into_inner());
        format!("The key {path:?} has a value that does not fit: {error}.")
    })
}
