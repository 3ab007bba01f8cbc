//! `auth`: ways to sign in.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OAuthProviderSettings, SignUpDefault, SignUpRule, is_entry_id, oauth_providers};
use crate::errors::Findings;

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

impl AuthSettings {
    /// That nothing is missing.
    pub(super) fn validate(&self, at: &str, found: &mut Findings) {
        for (id, provider) in &self.oauth.providers {
            provider.validate(&format!("{at}.oauth.providers.{id}"), found);
        }
    }

    pub(super) fn validate_form(&self, at: &str, found: &mut Findings) {
        oauth_providers::validate_form(&self.oauth.providers, &format!("{at}.oauth.providers"), found);
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
