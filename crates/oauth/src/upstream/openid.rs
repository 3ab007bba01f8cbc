//! Any provider of OpenID Connect, by its discovery document and some choices.

use super::{ClientAuthentication, IdTokenUse, Upstream, call, texts, userinfo};
use crate::discovery::Metadata;
use crate::error::UpstreamError;
use crate::issuer::Issuer;
use crate::profile::{EmailRule, EmailVerified, ID_TOKEN, ProfileRules, USERINFO};

/// What a configuration says about such a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenId {
    /// Its name in logs.
    pub name: String,
    /// Scopes that are always asked for; `openid` is among them, said or not.
    pub scopes: Vec<String>,
    /// How clients authenticate, if not as the provider announces.
    pub client_authentication: Option<ClientAuthentication>,
    /// Audiences that may stand beside us in ID tokens.
    pub trusted_audiences: Vec<String>,
    /// How to read the profile.
    pub profile: ProfileRules,
    /// Whether the userinfo endpoint is asked, if there is one.
    pub asks_userinfo: bool,
}

impl OpenId {
    /// The usual choices: scopes `openid email profile`, and the userinfo endpoint is asked.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            scopes: texts(&["openid", "email", "profile"]),
            client_authentication: None,
            trusted_audiences: Vec::new(),
            profile: ProfileRules::openid(),
            asks_userinfo: true,
        }
    }

    /// The choices for the stand-in of shared providers, in development: scopes `openid offline_access`, and the
    /// subject is account id and address, always verified.
    pub fn stand_in(name: impl Into<String>) -> Self {
        let subject = format!("{{{ID_TOKEN}/sub}}");
        let email = EmailRule { address: subject.clone(), verified: EmailVerified::Always };
        Self {
            scopes: texts(&["openid", "offline_access"]),
            profile: ProfileRules {
                account_id: subject,
                email: vec![email],
                display_name: vec![format!("{{{ID_TOKEN}/name}}")],
                picture: vec![format!("{{{ID_TOKEN}/picture}}")],
                requires_email: false,
            },
            asks_userinfo: false,
            ..Self::new(name)
        }
    }

    /// The description. PKCE is always used: servers that do not know it ignore it (RFC 7636 §5).
    ///
    /// # Errors
    /// [`UpstreamError::Misconfigured`] if an endpoint is no URL.
    pub fn describe(self, metadata: &Metadata) -> Result<Upstream, UpstreamError> {
        let mut scopes = self.scopes;
        if !scopes.iter().any(|scope| scope == "openid") {
            scopes.insert(0, "openid".to_owned());
        }
        let known = metadata.userinfo_endpoint.as_deref();
        let endpoint = known.filter(|_| self.asks_userinfo);
        let upstream = Upstream {
            name: self.name,
            issuers: vec![Issuer::exactly(&metadata.issuer)],
            announces_issuer: metadata.authorization_response_iss_parameter_supported,
            authorization_endpoint: metadata.authorization_endpoint.clone(),
            token_endpoint: metadata.token_endpoint.clone(),
            jwks_uri: Some(metadata.jwks_uri.clone()),
            id_token: IdTokenUse::Required,
            trusted_audiences: self.trusted_audiences,
            has_pkce: true,
            scopes,
            client_authentication: self
                .client_authentication
                .unwrap_or_else(|| metadata.client_authentication()),
            documents: endpoint.map(userinfo).unwrap_or_default(),
            token_check: known.map(|url| call(USERINFO, url)),
            profile: self.profile,
            ..Upstream::default()
        };
        upstream.check()?;
        Ok(upstream)
    }
}
