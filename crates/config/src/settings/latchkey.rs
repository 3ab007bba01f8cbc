//! `latchkey`: what Latchkey has beyond the Stack Auth contract, per project.

use latchkey_api_types::Locale;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::errors::Findings;

/// What Latchkey has beyond the Stack Auth contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct LatchkeySettings {
    /// Whether every refresh replaces the refresh token. Off, only a refresh by JSON body does.
    pub require_refresh_rotation: bool,
    /// Whether tokens of anonymous users carry the plain project id as audience, so that a plain verifier accepts
    /// them and must look at the claim `role` itself.
    pub anonymous_tokens_use_project_audience: bool,
    /// Claims to add to access tokens.
    pub extra_claims: Vec<ExtraClaim>,
    /// The language of mails where neither the recipient nor the request says another one; that of the deployment
    /// when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_locale: Option<Locale>,
    /// Which passwords are accepted.
    pub password: PasswordRules,
    /// How passkeys are used.
    pub passkeys: PasskeyRules,
    /// Where a recent proof of who somebody is is asked for.
    pub reauthentication: ReauthenticationRules,
}

/// A claim that access tokens carry only on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExtraClaim {
    /// An id of the token, by which it alone can be revoked.
    Jti,
    /// How the user signed in (RFC 8176).
    Amr,
    /// When the user signed in.
    AuthTime,
    /// The user's permissions in the project.
    Permissions,
}

/// Which passwords are accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct PasswordRules {
    /// The fewest characters.
    pub min_length: u32,
    /// The most characters, 256 at most.
    pub max_length: u32,
    /// Whether a password needs at least 12 characters, lower- and upper-case letters, a digit and a symbol.
    pub require_classes: bool,
    /// Whether passwords on the built-in list of common ones are refused.
    pub refuse_common: bool,
    /// Whether passwords are checked against breaches; needs `passwords.breach_check.enabled`.
    pub breach_check: bool,
}

/// How passkeys are used, where `auth.passkey` allows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct PasskeyRules {
    /// Whether authenticators must verify their user by PIN or biometric. Off, they do where they can.
    pub require_user_verification: bool,
    /// Whether a passkey whose authenticator verified its user is two factors, so that no code is asked for beside it.
    pub verified_passkeys_are_two_factors: bool,
    /// A domain whose passkeys are accepted on every trusted domain, beside those of the page's own host name. Pages
    /// below it may use them at once, pages elsewhere once it serves the list of related origins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_rp_id: Option<String>,
}

impl Default for PasskeyRules {
    fn default() -> Self {
        Self { require_user_verification: false, verified_passkeys_are_two_factors: true, shared_rp_id: None }
    }
}

/// Whether the text is a host name as the URL parser writes it, with a dot in it and no address.
fn is_domain(text: &str) -> bool {
    url::Url::parse(&format!("https://{text}/")).is_ok_and(|url| url.domain() == Some(text))
        && text.contains('.')
        && text.split('.').all(|label| !label.is_empty())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self {
            min_length: 8,
            max_length: 70,
            require_classes: false,
            refuse_common: true,
            breach_check: true,
        }
    }
}

/// Where a recent proof of who somebody is is asked for, and how recent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ReauthenticationRules {
    /// How old a sign-in, or a proof given since, may be: seconds, 60 at least.
    pub max_age_seconds: u32,
    /// Which changes of credentials ask for one.
    pub enforce_on: EnforceReauthentication,
}

impl Default for ReauthenticationRules {
    fn default() -> Self {
        Self { max_age_seconds: 600, enforce_on: EnforceReauthentication::default() }
    }
}

/// Which changes of credentials ask for a recent proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnforceReauthentication {
    /// Those by Latchkey's own endpoints; unmodified SDKs work.
    #[default]
    LatchkeyEndpoints,
    /// Also those by the endpoints of the SDKs, whose applications must then know the error.
    AllEndpoints,
    /// None.
    Nothing,
}

impl LatchkeySettings {
    pub(super) fn validate(&self, at: &str, found: &mut Findings) {
        let rules = &self.password;
        if rules.min_length == 0 {
            found.error(format!("{at}.password.minLength"), "must be at least 1");
        }
        if rules.max_length > 256 {
            found.error(format!("{at}.password.maxLength"), "must be at most 256");
        }
        if rules.max_length < rules.min_length {
            found.error(format!("{at}.password.maxLength"), "must not be below min_length");
        }
        if self.passkeys.shared_rp_id.as_deref().is_some_and(|id| !is_domain(id)) {
            found.error(
                format!("{at}.passkeys.sharedRpId"),
                "must be a domain in lower case, such as \"example.com\"",
            );
        }
        if self.reauthentication.max_age_seconds < 60 {
            found.error(format!("{at}.reauthentication.maxAgeSeconds"), "must be at least 60");
        }
        let mut seen = Vec::new();
        for claim in &self.extra_claims {
            if seen.contains(claim) {
                found.error(format!("{at}.extraClaims"), "names a claim twice");
            }
            seen.push(*claim);
        }
    }
}
