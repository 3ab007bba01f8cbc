//! Sessions: creating, refreshing, listing and ending them.

use latchkey_api_types::ErrorCode::{
    AccessTokenExpired, CannotDeleteCurrentSession, CannotGetOwnUserWithoutUser,
    RefreshTokenNotFoundOrExpired, UserIdDoesNotExist,
};
use latchkey_api_types::auth::{RefreshAnswer, SessionTokens};
use latchkey_api_types::list::List;
use latchkey_api_types::session::{Session, SessionCreate, SessionDeleteQuery, SessionPath, SessionsQuery};
use latchkey_identity::Failure;
use latchkey_identity::sessions::{self, RefreshStyle};

use crate::call::Call;
use crate::extract::{Body, Path, Query, RefreshToken};
use crate::reply::{Json, Success};
use crate::route::{ANY, CLIENT, RateClass, Route, SERVER};

/// The life of a session that a server opens and says nothing about: 365 days, milliseconds.
const DEFAULT_LIFETIME: i64 = 31_536_000_000;

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/auth/sessions", "Open a session for a user")
            .errors(&[UserIdDoesNotExist])
            .on(SERVER, create),
        Route::get("/auth/sessions", "List the sessions of a user")
            .errors(&[CannotGetOwnUserWithoutUser])
            .on(ANY, list),
        Route::delete("/auth/sessions/current", "Sign out")
            .errors(&[AccessTokenExpired, RefreshTokenNotFoundOrExpired])
            .on(ANY, end_current),
        Route::delete("/auth/sessions/{id}", "End a session")
            .errors(&[CannotDeleteCurrentSession])
            .on(CLIENT, end_as_client)
            .on(SERVER, end),
        Route::post("/auth/sessions/current/refresh", "Get a new access token")
            .rate(RateClass::Credential)
            .errors(&[RefreshTokenNotFoundOrExpired])
            .on(ANY, refresh),
    ]
}

async fn create(call: Call, Body(body): Body<SessionCreate>) -> Result<Json<SessionTokens>, Failure> {
    let user = call.auth.user_or_me(body.user_id)?;
    let lifetime = body.expires_in_millis.map_or(DEFAULT_LIFETIME, |lifetime| lifetime.0);
    let impersonation = body.is_impersonation.unwrap_or(false);
    let tokens = sessions::create(&call.app, &call.auth, user, lifetime, impersonation).await?;
    Ok(Json(SessionTokens {
        refresh_token: tokens.refresh_token.unwrap_or_default(),
        access_token: tokens.access_token,
    }))
}

async fn list(call: Call, Query(query): Query<SessionsQuery>) -> Result<Json<List<Session>>, Failure> {
    let user = call.auth.user_or_me(query.user_id)?;
    sessions::list(&call.app, &call.auth, user).await.map(|items| Json(List::whole(items)))
}

async fn end_current(call: Call) -> Result<Success, Failure> {
    sessions::end_current(&call.app, &call.auth).await.map(|()| Success)
}

async fn end_as_client(
    call: Call,
    Path(path): Path<SessionPath>,
    Query(_): Query<SessionsQuery>,
) -> Result<Success, Failure> {
    sessions::end(&call.app, &call.auth, path.id).await.map(|()| Success)
}

async fn end(
    call: Call,
    Path(path): Path<SessionPath>,
    Query(_): Query<SessionDeleteQuery>,
) -> Result<Success, Failure> {
    sessions::end(&call.app, &call.auth, path.id).await.map(|()| Success)
}

async fn refresh(call: Call, token: RefreshToken) -> Result<Json<RefreshAnswer>, Failure> {
    let (token, style) = match token {
        RefreshToken::Header(token) => (token, RefreshStyle::Keep),
        RefreshToken::Body(token) => (token, RefreshStyle::Rotate),
    };
    let end_user = call.request.end_user();
    let tokens = sessions::refresh(&call.app, &call.auth.project, &token, style, end_user).await?;
    Ok(Json(RefreshAnswer { access_token: tokens.access_token, refresh_token: tokens.refresh_token }))
}
