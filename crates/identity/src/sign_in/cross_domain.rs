//! Taking a session along to another domain of the same application (contract 04 §8.5).

use latchkey_api_types::KnownError;
use latchkey_oauth::pkce::Challenge;
use latchkey_oauth::redirect;

use super::targets::{has_targets, trusted};
use crate::app::App;
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::oauth_codes::{self, Grant, Holder};
use crate::refresh_tokens::RefreshToken;
use crate::sessions::{Proven, Standing, find_family, standing};

/// A request for a code that carries the session of the caller.
pub struct HandOver<'a> {
    /// Where the browser goes.
    pub redirect_uri: &'a str,
    /// Goes with it.
    pub state: &'a str,
    /// RFC 7636, by S256.
    pub code_challenge: &'a str,
    /// What the token endpoint gives back.
    pub after_callback_redirect_url: Option<&'a str>,
    /// The refresh token of the caller's own session: an access token alone is not enough.
    pub refresh_token: Option<&'a str>,
}

/// Issues the code; returns the address that the browser is sent to.
///
/// # Errors
/// `USER_AUTHENTICATION_REQUIRED`; 400 without refresh token, 401 for one that is not that of the caller's session;
/// `INVALID_OAUTH_CLIENT_ID_OR_SECRET` in a project that trusts no address; `REDIRECT_URL_NOT_WHITELISTED`.
pub async fn authorize(app: &App, auth: &Auth, request: HandOver<'_>) -> Result<String, Failure> {
    let caller = auth.user.as_ref().ok_or_else(KnownError::user_authentication_required)?;
    let text = request
        .refresh_token
        .ok_or_else(|| Failure::text(400, "The header x-stack-refresh-token is missing."))?;
    let project = &auth.project;
    let foreign = || Failure::text(401, "The refresh token is not that of the caller's session.");
    let token = RefreshToken::parse(text).ok_or_else(foreign)?;
    let found = find_family(app, &project.id, &token).await?.ok_or_else(foreign)?;
    let now = app.now();
    let is_good = found.session.id == caller.session
        && found.user.id == caller.row.id
        && found.session.expires_at.is_none_or(|end| end > now)
        && matches!(standing(app, &found.session, &token, now), Standing::Current | Standing::Replaced);
    if !is_good {
        return Err(foreign());
    }
    if !has_targets(project) {
        return Err(KnownError::invalid_oauth_client_id_or_secret(None).into());
    }
    let redirect_uri = trusted(project, request.redirect_uri)?;
    if let Some(address) = request.after_callback_redirect_url {
        trusted(project, address)?;
    }
    let challenge = Challenge::parse("S256", request.code_challenge)
        .map_err(|error| Failure::text(400, format!("The request is not valid: {error}.")))?;
    let grant = Grant {
        redirect_uri: request.redirect_uri,
        challenge: &challenge,
        after_callback_redirect_url: request.after_callback_redirect_url,
    };
    // Two domains with one token would look like a thief to a project whose tokens rotate: there the code begins a
    // session of its own.
    let code = if project.settings.latchkey.require_refresh_rotation {
        let holder = Holder { proven: Some(Proven::by(&found.session)), ..Holder::of(caller.row.id, false) };
        oauth_codes::issue(app, &project.id, &grant, holder)
    } else {
        oauth_codes::hand_over(app, &project.id, &grant, &found.session, text)
    };
    app.store.batch(vec![code.statement]).await?;
    Ok(redirect::with_code(&redirect_uri, &code.code, request.state).into())
}
