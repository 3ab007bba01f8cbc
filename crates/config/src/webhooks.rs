//! `[webhooks]`: how events are delivered. The endpoints belong to projects.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    errors::Findings,
    value::{Duration, PublicUrl, SecretText},
};

/// Deliveries of events to the endpoints of projects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebhooksConfig {
    /// How long an endpoint may take to answer.
    pub timeout: Duration,
    /// How long every attempt must have failed before an endpoint is switched off.
    pub disable_after: Duration,
    /// A Svix server that messages are handed to instead of being delivered from here, such as `https://api.svix.com`.
    /// Endpoints, signatures, retries and the log are its business then; the id of a project is the uid of its
    /// application. One at a private address must be named in `outgoing.allow_private_addresses` as well.
    pub svix_url: Option<PublicUrl>,
    /// The token for its API.
    pub svix_token: Option<SecretText>,
}

/// A Svix server, and the token for its API.
#[derive(Clone, Copy)]
pub struct SvixServer<'a> {
    /// Its address, without a slash at the end.
    pub url: &'a str,
    /// The bearer token.
    pub token: &'a str,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(15),
            disable_after: Duration::from_days(5),
            svix_url: None,
            svix_token: None,
        }
    }
}

impl WebhooksConfig {
    /// The Svix server that messages are handed to, if there is one.
    pub fn svix(&self) -> Option<SvixServer<'_>> {
        Some(SvixServer { url: self.svix_url.as_ref()?.as_str(), token: self.svix_token.as_ref()?.expose() })
    }

    pub(crate) fn validate(&self, found: &mut Findings) {
        if !(Duration::from_millis(100)..=Duration::from_mins(1)).contains(&self.timeout) {
            found.error("webhooks.timeout", "must be from 100ms to 1m");
        }
        if self.disable_after < Duration::from_mins(60) {
            found.error("webhooks.disable_after", "must be at least 1h");
        }
        match (&self.svix_url, &self.svix_token) {
            (Some(_), None) => found.error("webhooks.svix_token", "is required beside webhooks.svix_url"),
            (None, Some(_)) => found.error("webhooks.svix_url", "is required beside webhooks.svix_token"),
            (_, Some(token)) if !token.expose().chars().all(|c| c.is_ascii_graphic()) || token.is_empty() => {
                found.error(
                    "webhooks.svix_token",
                    "must be a token without spaces, as it travels in a header",
                );
            }
            _ => {}
        }
    }
}
