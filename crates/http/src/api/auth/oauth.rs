//! The OAuth token endpoint (RFC 6749 section 3.2), as far as the SDKs use it to refresh.

use latchkey_api_types::ErrorCode::{
    InvalidOauthClientIdOrSecret, PublishableClientKeyRequiredForProject, RefreshTokenNotFoundOrExpired,
};
use latchkey_api_types::auth::{GrantType, OauthRefreshAnswer, OauthTokenRequest};
use latchkey_identity::Failure;
use latchkey_identity::oauth_token::{self, RefreshRequest};

use crate::call::OpenCall;
use crate::extract::Body;
use crate::reply::OauthJson;
use crate::route::{RateClass, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/auth/oauth/token", "Exchange a refresh token for an access token")
            .rate(RateClass::Credential)
            .errors(&[
                InvalidOauthClientIdOrSecret,
                PublishableClientKeyRequiredForProject,
                RefreshTokenNotFoundOrExpired,
            ])
            .open(token),
    ]
}

async fn token(
    call: OpenCall,
    Body(body): Body<OauthTokenRequest>,
) -> Result<OauthJson<OauthRefreshAnswer>, Failure> {
    if body.grant_type == GrantType::AuthorizationCode {
        return Err(Failure::Oauth {
            error: "unsupported_grant_type",
            description: "This server does not issue authorization codes yet.".into(),
        });
    }
    let request = RefreshRequest {
        client_id: body.client_id.as_deref(),
        client_secret: body.client_secret.as_ref().map(latchkey_api_types::input::SecretText::as_str),
        refresh_token: body.refresh_token.as_ref().map(latchkey_api_types::input::SecretText::as_str),
        end_user_ip: call.request.end_user(),
    };
    let tokens = oauth_token::refresh(&call.app, request).await?;
    Ok(OauthJson(OauthRefreshAnswer::new(tokens.access_token, tokens.refresh_token)))
}
