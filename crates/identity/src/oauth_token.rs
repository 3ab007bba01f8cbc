//! The OAuth 2.0 token endpoint (RFC 6749 §3.2), as far as the SDKs use it to refresh. Credentials come in the body;
//! the client is the project, its secret the publishable key.

use latchkey_api_types::KnownError;
use latchkey_api_types::ids::ProjectId;
use latchkey_api_types::session::EndUserIpInfo;

use crate::app::App;
use crate::authenticate::client_key;
use crate::failure::Failure;
use crate::projects;
use crate::sessions::{self, RefreshStyle, Tokens};

/// A token request with `grant_type=refresh_token`.
pub struct RefreshRequest<'a> {
    /// Project id, perhaps with `#branch`.
    pub client_id: Option<&'a str>,
    /// Publishable key, or the sentinel of public clients.
    pub client_secret: Option<&'a str>,
    /// Refresh token.
    pub refresh_token: Option<&'a str>,
    /// Where the end user is.
    pub end_user_ip: Option<EndUserIpInfo>,
}

/// Mints an access token (RFC 6749 §6).
///
/// # Errors
/// `INVALID_OAUTH_CLIENT_ID_OR_SECRET`, `PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT`, `invalid_request` without a
/// refresh token, `REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED`.
pub async fn refresh(app: &App, request: RefreshRequest<'_>) -> Result<Tokens, Failure> {
    let unknown_client = || Failure::from(KnownError::invalid_oauth_client_id_or_secret(None));
    let (id, branch) = match request.client_id {
        Some(client_id) => client_id.split_once('#').unwrap_or((client_id, "main")),
        None => return Err(unknown_client()),
    };
    let id: ProjectId = id.parse().map_err(|_| unknown_client())?;
    let project = projects::find(app, &id).await?.ok_or_else(unknown_client)?;
    if branch != "main" {
        return Err(unknown_client());
    }
    if request.client_secret.is_none() && !project.settings.project.require_publishable_client_key {
        return Err(unknown_client());
    }
    client_key(app, &project, request.client_secret).map_err(|failure| match failure {
        Failure::Known(error) if error.code == latchkey_api_types::ErrorCode::InvalidPublishableClientKey => {
            unknown_client()
        }
        other => other,
    })?;
    let Some(refresh_token) = request.refresh_token else {
        return Err(Failure::Oauth {
            error: "invalid_request",
            description: "refresh_token is missing".into(),
        });
    };
    sessions::refresh(app, &project, refresh_token, RefreshStyle::Keep, request.end_user_ip).await
}
