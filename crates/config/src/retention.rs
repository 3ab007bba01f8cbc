//! `[retention]`: how long is kept what nobody may ask for again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{errors::Findings, value::Duration};

/// How long is kept what nobody may ask for again. A clean-up once a day deletes the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    /// Sessions, after the end of their life.
    pub expired_sessions: Duration,
    /// Codes of mails and the like, after their use or the end of their life.
    pub one_time_codes: Duration,
    /// Mails, after they were sent, skipped or given up.
    pub outbox: Duration,
    /// Events of the audit log. Without it they are kept for ever.
    pub audit_events: Option<Duration>,
    /// Webhook messages with the log of their deliveries.
    pub webhook_log: Duration,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            expired_sessions: Duration::from_days(7),
            one_time_codes: Duration::from_days(1),
            outbox: Duration::from_days(30),
            audit_events: None,
            webhook_log: Duration::from_days(30),
        }
    }
}

impl RetentionConfig {
    pub(crate) fn validate(&self, found: &mut Findings) {
        if self.audit_events.is_some_and(|kept| kept < Duration::from_days(1)) {
            found.error("retention.audit_events", "must be at least 1d");
        }
        if self.webhook_log < Duration::from_days(2) {
            found.error(
                "retention.webhook_log",
                "must be at least 2d: a message is tried for more than a day before it is given up",
            );
        }
    }
}
