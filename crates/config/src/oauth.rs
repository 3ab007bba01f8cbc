//! `[oauth]`: signing in through other services, as far as it is the deployment's business.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    errors::Findings,
    value::{Duration, SecretText},
};

/// Signing in through other services. Providers with credentials of their own stand in the settings of projects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OauthConfig {
    /// How long a provider may take for one answer, and for all its answers while somebody comes back from it.
    pub provider_timeout: Duration,
    /// What stands behind providers that projects configure as shared.
    pub shared: SharedOauthConfig,
}

/// What stands behind providers that projects configure as shared: one OpenID Connect issuer in place of all of them,
/// whose users are believed to have the address that their subject is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SharedOauthConfig {
    /// The issuer, as its discovery document says it. Without it `dev` uses its built-in one, and `serve` none.
    pub issuer: Option<String>,
    /// Our client ids there by the type of the provider; the type itself where none is given.
    pub client_ids: BTreeMap<String, String>,
    /// Our secret there.
    pub client_secret: Option<SecretText>,
    /// Whether users and servers of projects get the access tokens that were made there with our client id. `dev` says
    /// yes, as the tokens of its built-in issuer open nothing.
    pub hands_out_access_tokens: bool,
}

impl Default for OauthConfig {
    fn default() -> Self {
        Self { provider_timeout: Duration::from_secs(10), shared: SharedOauthConfig::default() }
    }
}

impl OauthConfig {
    pub(crate) fn validate(&self, found: &mut Findings) {
        if !(Duration::from_millis(100)..=Duration::from_mins(1)).contains(&self.provider_timeout) {
            found.error("oauth.provider_timeout", "must be from 100ms to 1m");
        }
        let is_issuer = |text: &str| {
            let url = url::Url::parse(text).ok();
            url.is_some_and(|url| {
                matches!(url.scheme(), "https" | "http") && url.query().is_none() && url.fragment().is_none()
            })
        };
        if self.shared.issuer.as_deref().is_some_and(|issuer| !is_issuer(issuer)) {
            found.error("oauth.shared.issuer", "must be an http or https URL without query");
        }
    }
}
