//! `[cache]`: what several servers share beside the database.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{errors::Findings, value::ConnectionUrl};

/// The cache. Nothing in it is lost for good when it goes away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CacheConfig {
    /// `memory:`, the memory of this process.
    pub url: ConnectionUrl,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self { url: "memory:".parse().unwrap_or_else(|never| match never {}) }
    }
}

impl CacheConfig {
    pub(crate) fn validate(&self, found: &mut Findings) {
        match self.url.scheme() {
            "memory" => {}
            "redis" | "rediss" | "valkey" => {
                found.error(
                    "cache.url",
                    "names a Redis server, which this version cannot use yet; write \"memory:\"",
                );
            }
            _ => found.error("cache.url", "must be \"memory:\""),
        }
    }
}
