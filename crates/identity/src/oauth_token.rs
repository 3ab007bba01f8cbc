//! The OAuth 2.0 token endpoint (RFC 6749 §3.2), as the SDKs use it. Credentials come in the body; the client is the
//! project, its secret the publishable key.

use std::sync::Arc;

use latchkey_api_types::ids::ProjectId;
use latchkey_api_types::session::EndUserIpInfo;
use latchkey_api_types::{ErrorCode, KnownError};

use crate::app::App;
use crate::authenticate::client_key;
use crate::failure::Failure;
use crate::oauth_codes::{self, Presented, Redeemed};
use crate::projects::{self, Project};
use crate::sessions::{self, RefreshStyle, Tokens};
use crate::sign_in::Origin;

/// Who asks for tokens.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    /// Project id, perhaps with `#branch`.
    pub id: Option<&'a str>,
    /// Publishable key, or the sentinel of public clients.
    pub secret: Option<&'a str>,
}

/// A token request with `grant_type=authorization_code`.
pub struct CodeRequest<'a> {
    /// Who asks.
    pub client: Client<'a>,
    /// The code.
    pub code: Option<&'a str>,
    /// Exactly as in the authorization request.
    pub redirect_uri: Option<&'a str>,
    /// RFC 7636 §4.1.
    pub code_verifier: Option<&'a str>,
    /// From where.
    pub origin: Origin,
}

/// A token request with `grant_type=refresh_token`.
pub struct RefreshRequest<'a> {
    /// Who asks.
    pub client: Client<'a>,
    /// Refresh token.
    pub refresh_token: Option<&'a str>,
    /// Where the end user is.
    pub end_user_ip: Option<EndUserIpInfo>,
}

/// The project of a client that has proven to be one. `needs_secret` is for grants without a proof of their own.
async fn project(app: &App, client: Client<'_>, needs_secret: bool) -> Result<Arc<Project>, Failure> {
    let unknown = || Failure::from(KnownError::invalid_oauth_client_id_or_secret(None));
    let (id, branch) = match client.id {
        Some(client_id) => client_id.split_once('#').unwrap_or((client_id, "main")),
        None => return Err(unknown()),
    };
    let id: ProjectId = id.parse().map_err(|_| unknown())?;
    let project = projects::find(app, &id).await?.ok_or_else(unknown)?;
    if branch != "main" {
        return Err(unknown());
    }
    if client.secret.is_none() && needs_secret && !project.settings.project.require_publishable_client_key {
        return Err(unknown());
    }
    client_key(app, &project, client.secret).map_err(|failure| match failure {
        Failure::Known(error) if error.code == ErrorCode::InvalidPublishableClientKey => unknown(),
        other => other,
    })?;
    Ok(project)
}

fn missing(name: &str) -> Failure {
    Failure::Oauth { error: "invalid_request", description: format!("{name} is missing").into() }
}

/// Exchanges an authorization code (RFC 6749 §4.1.3).
///
/// # Errors
/// `INVALID_OAUTH_CLIENT_ID_OR_SECRET`, `PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT`, `invalid_request` without a code,
/// `INVALID_AUTHORIZATION_CODE`, 400 for another `redirect_uri`, `MULTI_FACTOR_AUTHENTICATION_REQUIRED`.
pub async fn redeem(app: &App, request: CodeRequest<'_>) -> Result<Redeemed, Failure> {
    let project = project(app, request.client, request.code_verifier.is_none()).await?;
    let presented = Presented {
        code: request.code.ok_or_else(|| missing("code"))?,
        redirect_uri: request.redirect_uri,
        code_verifier: request.code_verifier,
        origin: request.origin,
    };
    oauth_codes::redeem(app, &project, presented).await
}

/// Mints an access token (RFC 6749 §6).
///
/// # Errors
/// `INVALID_OAUTH_CLIENT_ID_OR_SECRET`, `PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT`, `invalid_request` without a
/// refresh token, `REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED`.
pub async fn refresh(app: &App, request: RefreshRequest<'_>) -> Result<Tokens, Failure> {
    let project = project(app, request.client, true).await?;
    let refresh_token = request.refresh_token.ok_or_else(|| missing("refresh_token"))?;
    sessions::refresh(app, &project, refresh_token, RefreshStyle::Keep, request.end_user_ip).await
}
