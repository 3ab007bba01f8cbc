//! `[webhooks]`: how events are delivered. The endpoints belong to projects.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{errors::Findings, value::Duration};

/// Deliveries of events to the endpoints of projects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebhooksConfig {
    /// How long an endpoint may take to answer.
    pub timeout: Duration,
    /// How long every attempt must have failed before an endpoint is switched off.
    pub disable_after: Duration,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(15), disable_after: Duration::from_days(5) }
    }
}

impl WebhooksConfig {
    pub(crate) fn validate(&self, found: &mut Findings) {
        if !(Duration::from_millis(100)..=Duration::from_mins(1)).contains(&self.timeout) {
            found.error("webhooks.timeout", "must be from 100ms to 1m");
        }
        if self.disable_after < Duration::from_mins(60) {
            found.error("webhooks.disable_after", "must be at least 1h");
        }
    }
}
