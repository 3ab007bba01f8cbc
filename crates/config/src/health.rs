//! `[health]`: what operators can ask of the server beyond whether it lives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::errors::Findings;
use crate::value::SecretText;

/// Whoever knows this secret can make the server send mail.
const SHORTEST_TOKEN: usize = 16;

/// What operators can ask of the server beyond whether it lives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HealthConfig {
    /// The bearer token of `POST /health/email`, which makes an account in the project `internal`, waits until a mail to it
    /// has left, and removes it. Without a token there is no such probe.
    pub email_token: Option<SecretText>,
    /// The address that those mails go to; required beside the token.
    pub email_address: Option<String>,
}

impl HealthConfig {
    pub(crate) fn validate(&self, found: &mut Findings) {
        if self.email_token.as_ref().is_some_and(|token| token.expose().len() < SHORTEST_TOKEN) {
            found.error("health.email_token", "must have at least 16 characters");
        }
        match &self.email_address {
            None if self.email_token.is_some() => {
                found.error("health.email_address", "is required beside health.email_token");
            }
            Some(address) if !is_address(address) => {
                found.error("health.email_address", "must be a mail address such as \"probe@example.com\"");
            }
            _ => {}
        }
    }
}

fn is_address(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || r#"<>()[]",;:\"#.contains(c);
    !text.contains(odd)
        && text
            .split_once('@')
            .is_some_and(|(local, host)| !local.is_empty() && !host.is_empty() && !host.contains('@'))
}
