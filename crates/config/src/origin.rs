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
    /// Where the value at `key` came from: its own entry, else that of the closest key around it (a list given as a
    /// whole), else that of the first key inside it (a table), else the default.
    pub fn of(&self, key: &str) -> Origin {
        let mut around = key;
        loop {
            if let Some(origin) = self.0.get(around) {
                return origin.clone();
            }
            match around.rsplit_once('.') {
                Some((shorter, _)) => around = shorter,
                None => break,
            }
        }
        let inside = format!("{key}.");
        self.0
            .iter()
            .find(|(known, _)| known.starts_with(&inside))
            .map(|(_, o)| o.clone())
            .unwrap_or_default()
    }

    /// Records that `key` and everything inside it now comes from `origin`.
    pub fn set(&mut self, key: String, origin: Origin) {
        let inside = format!("{key}.");
        self.0.retain(|known, _| !known.starts_with(&inside));
        self.0.insert(key, origin);
    }
}
