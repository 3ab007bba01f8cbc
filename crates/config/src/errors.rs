//! What is wrong with a configuration: findings while checking, errors with their place when told.

use std::fmt;

use crate::{
    origin::{Origin, Origins},
    schema::written,
};

/// One thing that is wrong, with the place where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Where the value stands.
    pub origin: Origin,
    /// The dotted key, such as `tokens.access_token_lifetime`; empty when the error concerns a whole file.
    pub key: String,
    /// What is wrong, without any secret.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if !self.key.is_empty() {
            write!(f, "{} ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with a configuration, never empty. Displays one error a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Something to change although the configuration is valid: a warning, or a reason not to serve production.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The dotted key.
    pub key: String,
    /// Where its value stands.
    pub origin: Origin,
    /// One sentence that says what to change.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {})", self.message, self.key, self.origin)
    }
}

/// Collects what the sections find. Keys are dotted; the place of each is looked up at the end.
#[derive(Default)]
pub(crate) struct Findings {
    errors: Vec<(String, String)>,
    warnings: Vec<(String, String)>,
}

impl Findings {
    /// The value at `key` cannot be used.
    pub fn error(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.errors.push((key.into(), message.into()));
    }

    /// The value at `key` can be used and surprises.
    pub fn warning(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.warnings.push((key.into(), message.into()));
    }

    /// The errors with their keys in the stored form.
    pub fn into_sentences(self) -> Vec<String> {
        self.errors.into_iter().map(|(key, message)| format!("{key} {message}")).collect()
    }

    /// The errors with their places.
    pub fn into_errors(self, origins: &Origins) -> Vec<ConfigError> {
        let place = |(key, message): (String, String)| ConfigError {
            origin: origins.nearest(&key),
            key: written(&key),
            message,
        };
        self.errors.into_iter().map(place).collect()
    }

    /// The warnings with their places.
    pub fn into_warnings(self, origins: &Origins) -> Vec<Problem> {
        let place = |(key, message): (String, String)| Problem {
            origin: origins.nearest(&key),
            key: written(&key),
            message,
        };
        self.warnings.into_iter().map(place).collect()
    }
}
