//! `[mail]`: who mails come from. How they leave is not configurable yet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::errors::Findings;

/// Outgoing mail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// The address that mails come from.
    pub sender_address: String,
    /// The name beside it. When empty, the display name of the project is used.
    pub sender_name: String,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self { sender_address: "noreply@localhost".into(), sender_name: String::new() }
    }
}

impl MailConfig {
    pub(crate) fn validate(&self, found: &mut Findings) {
        let address = &self.sender_address;
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';' | '"');
        let sound = address.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty() && !host.is_empty() && !host.contains('@') && !address.contains(odd)
        });
        if !sound {
            found.error("mail.sender_address", "must be a mail address such as \"noreply@example.com\"");
        }
        if self.sender_name.contains(char::is_control) {
            found.error("mail.sender_name", "must be one line without control characters");
        }
    }
}
