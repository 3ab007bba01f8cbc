//! Any provider of plain OAuth 2.0, by configuration: with a call for the profile, and no ID token.

use super::{ClientAuthentication, Upstream, userinfo};
use crate::error::UpstreamError;
use crate::profile::{EmailRule, EmailVerified, ProfileRules, USERINFO};

/// What a configuration says about such a provider. The places of the profile are members of the answer of the
/// userinfo endpoint, deeper ones by `/`: `data/0/id`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GenericOauth {
    /// Its name in logs.
    pub name: String,
    /// Where the browser is sent.
    pub authorization_endpoint: String,
    /// Where codes are redeemed.
    pub token_endpoint: String,
    /// Where the profile is.
    pub userinfo_endpoint: String,
    /// Scopes that are always asked for.
    pub scopes: Vec<String>,
    /// For servers that refuse PKCE.
    pub without_pkce: bool,
    /// How clients authenticate.
    pub client_authentication: ClientAuthentication,
    /// Where the account id stands.
    pub account_id: String,
    /// Where the address stands.
    pub email: Option<String>,
    /// Where it stands that the address is verified. Without it, addresses are taken as unverified.
    pub email_verified: Option<String>,
    /// Where the name stands.
    pub display_name: Option<String>,
    /// Where the address of a picture stands.
    pub picture: Option<String>,
}

impl GenericOauth {
    /// The description.
    ///
    /// # Errors
    /// [`UpstreamError::Misconfigured`] if an endpoint is no URL, or the account id has no place.
    pub fn describe(self) -> Result<Upstream, UpstreamError> {
        if self.account_id.is_empty() {
            return Err(UpstreamError::Misconfigured("it is not said where the account id stands"));
        }
        let place = |place: &str| format!("{USERINFO}/{place}");
        let rule = |member: &str| format!("{{{}}}", place(member));
        let verified =
            self.email_verified.map_or(EmailVerified::Never, |flag| EmailVerified::If(place(&flag)));
        let email = self.email.map(|email| EmailRule { address: rule(&email), verified });
        let upstream = Upstream {
            name: self.name,
            authorization_endpoint: self.authorization_endpoint,
            token_endpoint: self.token_endpoint,
            has_pkce: !self.without_pkce,
            scopes: self.scopes,
            client_authentication: self.client_authentication,
            documents: userinfo(&self.userinfo_endpoint),
            profile: ProfileRules {
                account_id: rule(&self.account_id),
                email: email.into_iter().collect(),
                requires_email: false,
                display_name: self.display_name.as_deref().map(rule).into_iter().collect(),
                picture: self.picture.as_deref().map(rule).into_iter().collect(),
            },
            ..Upstream::default()
        };
        upstream.check()?;
        Ok(upstream)
    }
}
