//! `[bot_challenge]`: the check that whoever signs up is no machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    errors::Findings,
    value::{Duration, PublicUrl, SecretText},
};

/// A challenge against bots in the style of Cloudflare Turnstile: a widget on your page gives a token, which the client
/// sends along and this server has verified. While it is off, such tokens are accepted and ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BotChallengeConfig {
    /// Whether tokens are verified.
    pub enabled: bool,
    /// The public key of the widget, for your pages. The server asks for it so that both keys stand in one place.
    pub site_key: String,
    /// The key by which the service knows this server.
    pub secret_key: Option<SecretText>,
    /// Where tokens are verified.
    pub verify_url: PublicUrl,
    /// How long to wait for the service.
    pub timeout: Duration,
    /// Whether new accounts may be made without a challenge where it could not be shown, or where the service does not
    /// answer.
    pub allow_unavailable: bool,
}

impl Default for BotChallengeConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            site_key: String::new(),
            secret_key: None,
            verify_url: "https://challenges.cloudflare.com/turnstile/v0/siteverify"
                .parse()
                .expect("the default URL is well formed"),
            timeout: Duration::from_secs(3),
            allow_unavailable: false,
        }
    }
}

impl BotChallengeConfig {
    pub(crate) fn validate(&self, found: &mut Findings) {
        if !(Duration::from_millis(50)..=Duration::from_secs(30)).contains(&self.timeout) {
            found.error("bot_challenge.timeout", "must be from 50ms to 30s");
        }
        if !self.enabled {
            return;
        }
        if self.site_key.is_empty() {
            found.error("bot_challenge.site_key", "must be set while the challenge is enabled");
        }
        if self.secret_key.as_ref().is_none_or(SecretText::is_empty) {
            found.error("bot_challenge.secret_key", "must be set while the challenge is enabled");
        }
    }
}
