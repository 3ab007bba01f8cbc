//! What a project's settings are made of: overrides at three levels over the defaults (contract 07 §5).
//!
//! An override is a JSON object whose top-level keys may be dotted. Later levels win, key by key: a key takes the place
//! of the same key of an earlier level and of everything below it. Owns merging, rendering, and what may be written
//! where; which keys there are is said by the types of [`ProjectSettings`] alone.

mod check;
mod render;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::ProjectSettings;
use crate::schema::Key;

/// Where an override stands. Later ones win.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What belongs to the project whatever branch is deployed.
    Project,
    /// What is pushed with the application's source.
    Branch,
    /// What belongs to one deployment: credentials, domains.
    Environment,
}

impl Level {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Branch => "branch",
            Self::Environment => "environment",
        }
    }
}

/// The overrides of one level. They may hold secrets, so `Debug` shows the keys only.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Override(Map<String, Value>);

/// The overrides of a project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Overrides {
    /// Of the project.
    pub project: Override,
    /// Of the branch.
    pub branch: Override,
    /// Of the environment.
    pub environment: Override,
}

impl fmt::Debug for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Override {
    /// Reads the JSON text of an override for a level.
    ///
    /// # Errors
    /// A sentence that says what is wrong: no JSON object, an unknown key, one of another level, a wrong type.
    pub fn parse(text: &str, level: Level) -> Result<Self, String> {
        match serde_json::from_str(text) {
            Ok(Value::Object(keys)) => {
                check::keys(&keys, level)?;
                Ok(Self(keys))
            }
            Ok(_) => Err("A configuration override is a JSON object.".to_owned()),
            Err(error) => Err(format!("The configuration override is no JSON: {error}.")),
        }
    }

    /// Sets a dotted key in place of what it and the keys below it were.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        let key = key.into();
        self.0.retain(|other, _| !is_at_or_below(other, &key));
        self.0.insert(key, value.into());
    }

    /// Lays a later override over this one.
    pub fn merge(&mut self, later: &Self) {
        self.0.retain(|key, _| !later.0.keys().any(|above| is_at_or_below(key, above)));
        self.0.extend(later.0.iter().map(|(key, value)| (key.clone(), value.clone())));
    }

    /// Takes keys out with everything below them, also where they stand inside the value of a key above them.
    pub fn reset(&mut self, keys: &[String]) {
        for key in keys {
            self.0.retain(|other, _| !is_at_or_below(other, key));
            for (above, value) in &mut self.0 {
                if let Some(rest) = key.strip_prefix(above.as_str()).and_then(|rest| rest.strip_prefix('.')) {
                    take_out(value, rest);
                }
            }
        }
    }

    /// Whether a key, or one above or below it, stands here.
    pub fn mentions(&self, key: &str) -> bool {
        self.0.keys().any(|other| is_at_or_below(other, key) || is_at_or_below(key, other))
    }

    /// The JSON text.
    pub fn to_json(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    /// What every new project starts with (contract 07 §3.1).
    fn of_new_project() -> Self {
        let permissions = &ProjectSettings::for_new_project().rbac.permissions;
        let mut keys = Self::default();
        for (id, definition) in permissions {
            keys.set(format!("rbac.permissions.{id}"), serde_json::to_value(definition).unwrap_or_default());
        }
        keys.set("rbac.defaultPermissions.teamCreator", json!({ "team_admin": true }));
        keys.set("rbac.defaultPermissions.teamMember", json!({ "team_member": true }));
        keys.set("auth.password.allowSignIn", true);
        keys.set("apps.installed.authentication.enabled", true);
        keys.set("apps.installed.emails.enabled", true);
        keys.set("domains.allowLocalhost", true);
        keys
    }
}

impl Overrides {
    /// What a new project starts with.
    pub fn for_new_project() -> Self {
        Self { environment: Override::of_new_project(), ..Self::default() }
    }

    /// What the built-in project `internal` starts with.
    pub fn internal() -> Self {
        let mut overrides = Self::for_new_project();
        overrides.change(&ProjectSettings::for_new_project(), &ProjectSettings::internal());
        overrides
    }

    /// The override of a level.
    pub fn at(&self, level: Level) -> &Override {
        match level {
            Level::Project => &self.project,
            Level::Branch => &self.branch,
            Level::Environment => &self.environment,
        }
    }

    /// The same to be changed.
    pub fn at_mut(&mut self, level: Level) -> &mut Override {
        match level {
            Level::Project => &mut self.project,
            Level::Branch => &mut self.branch,
            Level::Environment => &mut self.environment,
        }
    }

    /// The settings: the defaults under all levels.
    ///
    /// # Errors
    /// A sentence, if an override holds what this version does not know. Nothing that was checked when it was written
    /// fails.
    pub fn render(&self) -> Result<ProjectSettings, String> {
        render::render(self)
    }

    /// Writes what differs between two states of the settings: records as a whole, everything else key by key, at the
    /// level of the environment, except what belongs to the project.
    pub fn change(&mut self, before: &ProjectSettings, after: &ProjectSettings) {
        let tree = |settings| serde_json::to_value(settings).unwrap_or_default();
        self.write_difference(&mut Vec::new(), Key::settings(), &tree(before), &tree(after));
    }

    fn write_difference(&mut self, path: &mut Vec<String>, at: Key<'static>, before: &Value, after: &Value) {
        if before == after {
            return;
        }
        if at.properties().next().is_none() {
            self.put(path, after.clone());
            return;
        }
        for (name, inside) in at.properties() {
            path.push(name.to_owned());
            let none = Value::Null;
            let side = |tree: &'_ Value| tree.get(name).cloned().unwrap_or(none.clone());
            self.write_difference(path, inside, &side(before), &side(after));
            path.pop();
        }
    }

    /// Writes settings that somebody has stated, such as those of the configuration file: what is not stated stays as
    /// it is. Of a record, each stated entry is written as a whole.
    pub fn state(&mut self, stated: &Value) {
        self.state_below(&mut Vec::new(), Key::settings(), stated);
    }

    fn state_below(&mut self, path: &mut Vec<String>, at: Key<'static>, stated: &Value) {
        let is_table = at.properties().next().is_some();
        let Some(entries) = stated.as_object().filter(|_| is_table || at.entry().is_some()) else {
            self.put(path, stated.clone());
            return;
        };
        for (name, value) in entries {
            path.push(name.clone());
            match at.property(name) {
                Some(inside) if is_table => self.state_below(path, inside, value),
                _ => self.put(path, value.clone()),
            }
            path.pop();
        }
    }

    fn put(&mut self, path: &[String], value: Value) {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let level = match check::home(&names) {
            Level::Project => Level::Project,
            Level::Branch | Level::Environment => Level::Environment,
        };
        self.at_mut(level).set(path.join("."), value);
    }
}

/// Whether a dotted key is another one or stands below it.
fn is_at_or_below(key: &str, above: &str) -> bool {
    key.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn take_out(value: &mut Value, path: &str) {
    let Value::Object(keys) = value else { return };
    match path.split_once('.') {
        None => {
            keys.remove(path);
        }
        Some((first, rest)) => {
            if let Some(inner) = keys.get_mut(first) {
                take_out(inner, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests;
