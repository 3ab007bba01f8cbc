//! `[database]`: where the data lives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    errors::Findings,
    value::{ConnectionUrl, Duration},
};

/// The database. Migrations run at start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite:PATH` (one machine, no other process needed) or `postgres://user:password@host/name`.
    pub url: ConnectionUrl,
    /// How many connections are kept: to PostgreSQL all of them, to SQLite the readers (there is always one writer).
    pub pool_size: u32,
    /// Whether a pooler in transaction mode (such as PgBouncer) stands before PostgreSQL. Statements are then not
    /// prepared on the connection.
    pub behind_pooler: bool,
    /// How long one statement may take before it is given up.
    pub statement_timeout: Duration,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: "sqlite:latchkey-data/latchkey.db".parse().unwrap_or_else(|never| match never {}),
            pool_size: 8,
            behind_pooler: false,
            statement_timeout: Duration::from_secs(10),
        }
    }
}

impl DatabaseConfig {
    /// The path of the SQLite file, when it is SQLite.
    pub fn sqlite_path(&self) -> Option<&str> {
        (self.url.scheme() == "sqlite").then(|| self.url.rest())
    }

    pub(crate) fn validate(&self, found: &mut Findings) {
        match self.url.scheme() {
            "sqlite" if self.url.rest().is_empty() => {
                found.error("database.url", "must name a file after \"sqlite:\"");
            }
            "sqlite" | "postgres" | "postgresql" => {}
            _ => found.error("database.url", "must start with \"sqlite:\" or \"postgres://\""),
        }
        if !(1..=1000).contains(&self.pool_size) {
            found.error("database.pool_size", "must be between 1 and 1000");
        }
        if self.statement_timeout < Duration::from_millis(100) {
            found.error("database.statement_timeout", "must be at least 100ms");
        }
    }
}
