//! From the tree of values to the typed configuration.

use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};

use crate::{
    Config,
    errors::ConfigError,
    origin::Origins,
    project::{ProjectDeclaration, StatedSettings},
    schema::written,
};

/// Decodes the tree. A value that does not fit goes to `errors` and is taken out, so that its default takes its
/// place and the next fault is found as well.
pub(super) fn decode(
    tree: &mut Map<String, Value>,
    origins: &Origins,
    errors: &mut Vec<ConfigError>,
) -> Config {
    loop {
        let mut whole = tree.clone();
        lay_over_base_settings(&mut whole);
        match serde_path_to_error::deserialize::<_, Config>(Value::Object(whole)) {
            Ok(mut config) => {
                config.projects.iter_mut().for_each(ProjectDeclaration::complete);
                keep_what_was_stated(&mut config, tree);
                return config;
            }
            Err(error) => {
                let path = segments(error.path());
                let key = path.join(".");
                errors.push(ConfigError {
                    origin: origins.nearest(&key),
                    key: written(&key),
                    message: said(&error.into_inner().to_string()),
                });
                if !take_out(tree, &path) {
                    return Config::default();
                }
            }
        }
    }
}

/// Lays the declared settings of each project over those that such a project starts with.
fn lay_over_base_settings(tree: &mut Map<String, Value>) {
    let Some(Value::Array(projects)) = tree.get_mut("project") else { return };
    for project in projects.iter_mut().filter_map(Value::as_object_mut) {
        let id = project.get("id").and_then(Value::as_str).unwrap_or_default();
        let Ok(mut base) = serde_json::to_value(ProjectDeclaration::base_settings(id)) else { continue };
        match project.remove("settings") {
            Some(declared @ Value::Object(_)) => lay_over(&mut base, declared),
            Some(other) => base = other,
            None => {}
        }
        project.insert("settings".into(), base);
    }
}

/// Tells each project which of its settings were declared, and which it only starts with.
fn keep_what_was_stated(config: &mut Config, tree: &Map<String, Value>) {
    let declared = tree.get("project").and_then(Value::as_array).into_iter().flatten();
    for (project, declared) in config.projects.iter_mut().zip(declared) {
        let settings = declared.get("settings").cloned();
        project.stated = Some(StatedSettings(settings.unwrap_or_else(|| Value::Object(Map::new()))));
    }
}

fn lay_over(base: &mut Value, above: Value) {
    match (base, above) {
        (Value::Object(base), Value::Object(above)) => {
            for (key, value) in above {
                lay_over(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, above) => *base = above,
    }
}

fn segments(path: &Path) -> Vec<String> {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Map { key } => Some(key.clone()),
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

/// The library's message without its capital-less jargon prefixes, as the rest of a sentence after the key.
fn said(message: &str) -> String {
    for (prefix, ours) in
        [("invalid type: ", "has the wrong type: "), ("invalid value: ", "has the wrong value: ")]
    {
        if let Some(rest) = message.strip_prefix(prefix) {
            return format!("{ours}{rest}");
        }
    }
    message
        .strip_prefix("unknown variant ")
        .map_or_else(|| message.to_owned(), |rest| format!("cannot be {rest}"))
}

/// Removes the value at `path`, or the closest thing around it that is the value of a key (an item cannot go without
/// the others changing their numbers). `false` when there is none.
fn take_out(tree: &mut Map<String, Value>, path: &[String]) -> bool {
    for length in (1..=path.len()).rev() {
        let (last, way) = (&path[length - 1], &path[..length - 1]);
        let mut table = Some(&mut *tree);
        let mut item: Option<&mut Value> = None;
        for segment in way {
            let next = match (table.take(), item.take()) {
                (Some(table), _) => table.get_mut(segment),
                (None, Some(Value::Array(items))) => {
                    segment.parse().ok().and_then(|index: usize| items.get_mut(index))
                }
                _ => None,
            };
            match next {
                Some(Value::Object(inner)) => table = Some(inner),
                other => item = other,
            }
        }
        if table.is_some_and(|table| table.remove(last).is_some()) {
            return true;
        }
    }
    false
}
