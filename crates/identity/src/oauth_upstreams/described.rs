//! What a provider of a project is like: as it is known by name, as it says itself, or as the settings say.

use latchkey_config::settings::{OAuthProviderSettings, ProviderType, TokenEndpointAuth};
use latchkey_oauth::profile::ProfileRules;
use latchkey_oauth::upstream::{ClientAuthentication, GenericOauth, OpenId, Options, Provider as Known};
use latchkey_oauth::{Upstream, UpstreamError};

use super::metadata;
use crate::app::App;

/// The description.
///
/// # Errors
/// [`UpstreamError::Misconfigured`] for settings that lack something, and whatever stops a discovery document.
pub(crate) async fn describe(
    app: &App,
    settings: &OAuthProviderSettings,
    kind: ProviderType,
) -> Result<Upstream, UpstreamError> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let authentication = settings.token_endpoint_auth.map(|method| match method {
        TokenEndpointAuth::ClientSecretBasic => ClientAuthentication::Basic,
        TokenEndpointAuth::ClientSecretPost => ClientAuthentication::Post,
    });
    match kind {
        ProviderType::Oidc => {
            let metadata = metadata(app, &text(&settings.issuer)).await?;
            let usual = OpenId::new(kind.as_str());
            let rules = ProfileRules::openid();
            let provider = OpenId {
                scopes: if settings.scopes.is_empty() { usual.scopes } else { settings.scopes.clone() },
                client_authentication: authentication,
                profile: if settings.trust_email_verified {
                    rules
                } else {
                    rules.without_verified_addresses()
                },
                ..usual
            };
            provider.describe(&metadata)
        }
        ProviderType::Oauth2 => GenericOauth {
            name: kind.as_str().to_owned(),
            authorization_endpoint: text(&settings.authorization_endpoint),
            token_endpoint: text(&settings.token_endpoint),
            userinfo_endpoint: text(&settings.userinfo_endpoint),
            scopes: settings.scopes.clone(),
            without_pkce: settings.pkce == Some(false),
            client_authentication: authentication.unwrap_or_default(),
            account_id: text(&settings.profile.account_id),
            email: settings.profile.email.clone(),
            email_verified: settings.profile.email_verified.clone(),
            display_name: settings.profile.name.clone(),
            picture: settings.profile.picture.clone(),
        }
        .describe(),
        named => {
            let known = Known::by_name(named.as_str());
            known.ok_or(UpstreamError::Misconfigured("it is not known"))?.describe(&Options {
                microsoft_tenant: settings.microsoft_tenant_id.as_deref(),
                facebook_config_id: settings.facebook_config_id.as_deref(),
                base_url: settings.base_url.as_deref(),
                trusts_email_verified: settings.trust_email_verified,
            })
        }
    }
}
