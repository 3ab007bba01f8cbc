//! `[log]`: what is written to standard error, and how.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::errors::Findings;

/// Logging. Lines go to standard error; none of them ever holds a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// How a line looks.
    pub format: LogFormat,
    /// What is logged: `error`, `warn`, `info`, `debug` or `trace`, and finer per module after commas, such as
    /// `info,latchkey_storage=debug`.
    pub level: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people: coloured on a terminal.
    Human,
    /// For machines: one JSON object a line.
    Json,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Human, level: "info".into() }
    }
}

impl LogConfig {
    pub(crate) fn validate(&self, found: &mut Findings) {
        let known = |level: &str| {
            ["off", "error", "warn", "info", "debug", "trace"].contains(&level.to_ascii_lowercase().as_str())
        };
        for part in self.level.split(',') {
            let level = part.rsplit_once('=').map_or(part, |(_, level)| level).trim();
            if !known(level) {
                found.error(
                    "log.level",
                    format!("has the unknown level {level:?}; say error, warn, info, debug or trace"),
                );
                return;
            }
        }
    }
}
