//! Where each effective value came from.

use std::{collections::BTreeMap, fmt};

/// The place where a value was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: the built-in default.
    #[default]
    Default,
    /// What the verb presets, below the file.
    Preset,
    /// A line of the configuration file.
    File {
        /// The file as it was named.
        path: String,
        /// The line, counted from 1.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A flag or another override of the caller, by name.
    Override(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Preset => f.write_str("preset"),
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::Override(name) => write!(f, "given as {name}"),
        }
    }
}

/// The origin of every key that is not at its default.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// Where the value at exactly `key` came from.
    pub fn exact(&self, key: &str) -> Origin {
        self.0.get(key).cloned().unwrap_or_default()
    }

    /// The best place to point at for an error about `key`: its own, else that of the list it is an item of, else the
    /// first line of the table it is missing from, else the default.
    pub fn nearest(&self, key: &str) -> Origin {
        let mut around = Some(key);
        while let Some(key) = around {
            if let Some(origin) = self.0.get(key) {
                return origin.clone();
            }
            // A whole section says nothing about a key that is missing from it.
            if key.contains('.')
                && let Some(origin) = self.first_inside(key)
            {
                return origin;
            }
            around = key.rsplit_once('.').map(|(shorter, _)| shorter);
        }
        Origin::Default
    }

    fn first_inside(&self, key: &str) -> Option<Origin> {
        let inside = format!("{key}.");
        let line = |origin: &&Origin| match origin {
            Origin::File { line, .. } => *line,
            _ => usize::MAX,
        };
        let origins = self.0.range(inside.clone()..).take_while(|(known, _)| known.starts_with(&inside));
        origins.map(|(_, origin)| origin).min_by_key(line).cloned()
    }

    /// Records that `key` and everything inside it now comes from `origin`.
    pub fn set(&mut self, key: String, origin: Origin) {
        let inside = format!("{key}.");
        self.0.retain(|known, _| !known.starts_with(&inside));
        self.0.insert(key, origin);
    }
}
