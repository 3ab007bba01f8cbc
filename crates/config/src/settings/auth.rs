//! `auth`: ways to sign in.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SignUpDefault, SignUpRule, is_entry_id};
use crate::{errors::Findings, value::SecretText};

/// Ways to sign in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct AuthSettings {
    /// Whether new users may sign up by themselves.
    pub allow_sign_up: bool,
    /// Email and password.
    pub password: SignInSwitch,
    /// A code or link by email.
    pub otp: SignInSwitch,
    /// Passkeys.
    pub passkey: SignInSwitch,
    /// Accounts elsewhere.
    pub oauth: OAuthSettings,
    /// Rules about who may sign up, by an id of your choice.
    pub sign_up_rules: BTreeMap<String, SignUpRule>,
    /// What happens to a sign-up about which no rule decides.
    pub sign_up_rules_default_action: SignUpDefault,
}

/// A way to sign in that has no settings of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct SignInSwitch {
    /// Whether users may sign in this way.
    pub allow_sign_in: bool,
}

/// Accounts elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct OAuthSettings {
    /// What happens when somebody signs in through a provider with the email of an existing user.
    pub account_merge_strategy: AccountMergeStrategy,
    /// The providers by their id in this project, usually that of their type.
    pub providers: BTreeMap<String, OAuthProviderSettings>,
}

/// What happens when somebody signs in through a provider with the email of an existing user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountMergeStrategy {
    /// The account is linked to the user, if the provider has verified the email.
    #[default]
    LinkMethod,
    /// The sign-in is refused.
    RaiseError,
    /// A second user is created.
    AllowDuplicates,
}

/// One provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct OAuthProviderSettings {
    /// Whose provider it is. An entry without type does not exist.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub provider_type: Option<ProviderType>,
    /// Whether users may sign in through it.
    pub allow_sign_in: bool,
    /// Whether users may connect an account for use by the application.
    pub allow_connected_accounts: bool,
    /// Whether the server's own development credentials are used.
    pub is_shared: bool,
    /// The client id at the provider; required unless shared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The client secret at the provider; required unless shared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<SecretText>,
    /// Facebook only: the configuration id of Facebook Login for Business.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facebook_config_id: Option<String>,
    /// Microsoft only: the tenant whose accounts may sign in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub microsoft_tenant_id: Option<String>,
    /// Apple only: bundles of native apps that sign in.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub apple_bundles: BTreeMap<String, AppleBundle>,
}

/// A native app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct AppleBundle {
    /// Its bundle id, such as `com.example.app`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle_id: Option<String>,
}

/// The providers that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each variant is the name of a company's sign-in")]
pub enum ProviderType {
    Google,
    GitHub,
    Microsoft,
    Spotify,
    Facebook,
    Discord,
    GitLab,
    Bitbucket,
    LinkedIn,
    Apple,
    X,
    Twitch,
}

impl ProviderType {
    /// Whether the server may bring credentials of its own for development.
    pub const fn can_be_shared(self) -> bool {
        matches!(self, Self::Google | Self::GitHub | Self::Microsoft | Self::Spotify)
    }

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::GitHub => "github",
            Self::Microsoft => "microsoft",
            Self::Spotify => "spotify",
            Self::Facebook => "facebook",
            Self::Discord => "discord",
            Self::GitLab => "gitlab",
            Self::Bitbucket => "bitbucket",
            Self::LinkedIn => "linkedin",
            Self::Apple => "apple",
            Self::X => "x",
            Self::Twitch => "twitch",
        }
    }
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self {
            allow_sign_up: true,
            password: SignInSwitch::default(),
            otp: SignInSwitch::default(),
            passkey: SignInSwitch::default(),
            oauth: OAuthSettings::default(),
            sign_up_rules: BTreeMap::new(),
            sign_up_rules_default_action: SignUpDefault::Allow,
        }
    }
}

impl Default for OAuthProviderSettings {
    fn default() -> Self {
        Self {
            provider_type: None,
            allow_sign_in: false,
            allow_connected_accounts: false,
            is_shared: true,
            client_id: None,
            client_secret: None,
            facebook_config_id: None,
            microsoft_tenant_id: None,
            apple_bundles: BTreeMap::new(),
        }
    }
}

impl AuthSettings {
    /// That nothing is missing.
    pub(super) fn validate(&self, at: &str, found: &mut Findings) {
        for (id, provider) in &self.oauth.providers {
            provider.validate(&format!("{at}.oauth.providers.{id}"), found);
        }
    }

    pub(super) fn validate_form(&self, at: &str, found: &mut Findings) {
        let mut named = |at: String, id: &str| {
            if !is_entry_id(id) {
                found.error(at, "must be named by letters, digits, \"_\" and \"-\", 63 at most");
            }
        };
        for (id, provider) in &self.oauth.providers {
            let at = format!("{at}.oauth.providers.{id}");
            named(at.clone(), id);
            for bundle in provider.apple_bundles.keys() {
                named(format!("{at}.appleBundles.{bundle}"), bundle);
            }
        }
        for id in self.sign_up_rules.keys() {
            named(format!("{at}.signUpRules.{id}"), id);
        }
    }
}

impl OAuthProviderSettings {
    fn validate(&self, at: &str, found: &mut Findings) {
        let Some(provider_type) = self.provider_type else { return };
        if self.is_shared {
            if !provider_type.can_be_shared() {
                let message = format!(
                    "must be false: the server has no shared credentials for {}, give client_id and client_secret",
                    provider_type.as_str()
                );
                found.error(format!("{at}.isShared"), message);
            }
            return;
        }
        if self.client_id.as_deref().unwrap_or_default().is_empty() {
            found.error(format!("{at}.clientId"), "is required unless is_shared = true");
        }
        if self.client_secret.as_ref().is_none_or(SecretText::is_empty) {
            found.error(format!("{at}.clientSecret"), "is required unless is_shared = true");
        }
    }
}
