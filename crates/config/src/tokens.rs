//! `[tokens]`: how long tokens live.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{errors::Findings, value::Duration};

/// Lifetimes of tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TokensConfig {
    /// How long an access token lives. Below a minute the official client libraries keep refreshing. The environment
    /// variable `STACK_ACCESS_TOKEN_EXPIRATION_TIME` sets it as well.
    pub access_token_lifetime: Duration,
    /// How long a session can be refreshed, from its creation on.
    pub refresh_token_lifetime: Duration,
    /// After a refresh that rotates: how long the old refresh token is still answered, with the same successor, so
    /// that requests which raced each other do not sign the user out. Later use ends the session.
    pub rotation_overlap: Duration,
}

impl Default for TokensConfig {
    fn default() -> Self {
        Self {
            access_token_lifetime: Duration::from_mins(10),
            refresh_token_lifetime: Duration::from_days(365),
            rotation_overlap: Duration::from_secs(30),
        }
    }
}

impl TokensConfig {
    pub(crate) fn validate(&self, found: &mut Findings) {
        if self.access_token_lifetime < Duration::from_secs(1) {
            found.error("tokens.access_token_lifetime", "must be at least 1s");
        } else if self.access_token_lifetime < Duration::from_secs(60) {
            found.warning(
                "tokens.access_token_lifetime",
                "is below 1m, at which the official client libraries refresh before almost every request",
            );
        }
        if self.access_token_lifetime > Duration::from_days(1) {
            found.error(
                "tokens.access_token_lifetime",
                "must be at most 1d: verifiers elsewhere cannot see that a session has ended; lengthen \
                 tokens.refresh_token_lifetime instead",
            );
        }
        if self.refresh_token_lifetime < self.access_token_lifetime {
            found.error(
                "tokens.refresh_token_lifetime",
                "must not be shorter than tokens.access_token_lifetime",
            );
        }
        if self.rotation_overlap > Duration::from_mins(10) {
            found.error("tokens.rotation_overlap", "must be at most 10m");
        }
    }
}
