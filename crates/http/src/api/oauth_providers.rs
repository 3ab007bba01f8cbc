//! Accounts of users with OAuth providers, as records.

use latchkey_api_types::ErrorCode::{
    CannotGetOwnUserWithoutUser, OauthProviderAccountIdAlreadyUsedForSignIn, UserNotFound,
};
use latchkey_api_types::list::List;
use latchkey_api_types::oauth_account::{
    ClientOauthProvider, ClientOauthProviderUpdate, OauthProvider, OauthProviderCreate, OauthProviderPath,
    OauthProviderUpdate, OauthProvidersQuery,
};
use latchkey_identity::{Failure, oauth_accounts};

use crate::call::Call;
use crate::extract::{Body, Path, Query};
use crate::reply::{Created, Json, Success};
use crate::route::{ANY, CLIENT, Route, SERVER};

const ONE: &str = "/oauth-providers/{user_id}/{provider_id}";

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/oauth-providers", "List OAuth accounts of users")
            .errors(&[CannotGetOwnUserWithoutUser, UserNotFound])
            .on(CLIENT, list_as_client)
            .on(SERVER, list),
        Route::post("/oauth-providers", "Link an OAuth account to a user")
            .errors(&[UserNotFound, OauthProviderAccountIdAlreadyUsedForSignIn])
            .on(SERVER, create),
        Route::get(ONE, "Read an OAuth account of a user")
            .errors(&[CannotGetOwnUserWithoutUser, UserNotFound])
            .on(CLIENT, get_as_client)
            .on(SERVER, get),
        Route::patch(ONE, "Change an OAuth account of a user")
            .errors(&[CannotGetOwnUserWithoutUser, UserNotFound, OauthProviderAccountIdAlreadyUsedForSignIn])
            .on(CLIENT, update_as_client)
            .on(SERVER, update),
        Route::delete(ONE, "Unlink an OAuth account from a user")
            .errors(&[CannotGetOwnUserWithoutUser, UserNotFound])
            .on(ANY, delete),
    ]
}

async fn list(
    call: Call,
    Query(query): Query<OauthProvidersQuery>,
) -> Result<Json<List<OauthProvider>>, Failure> {
    let with_generic = query.include.is_some();
    oauth_accounts::list(&call.app, &call.auth, query.user_id, with_generic).await.map(List::whole).map(Json)
}

async fn list_as_client(
    call: Call,
    Query(query): Query<OauthProvidersQuery>,
) -> Result<Json<List<ClientOauthProvider>>, Failure> {
    let with_generic = query.include.is_some();
    let items = oauth_accounts::list(&call.app, &call.auth, query.user_id, with_generic).await?;
    Ok(Json(List::whole(items.into_iter().map(ClientOauthProvider::from).collect())))
}

async fn create(
    call: Call,
    Query(_): Query<OauthProvidersQuery>,
    Body(request): Body<OauthProviderCreate>,
) -> Result<Created<OauthProvider>, Failure> {
    oauth_accounts::create(&call.app, &call.auth, request).await.map(Created)
}

async fn get(
    call: Call,
    Path(path): Path<OauthProviderPath>,
    Query(_): Query<OauthProvidersQuery>,
) -> Result<Json<OauthProvider>, Failure> {
    oauth_accounts::get(&call.app, &call.auth, path.user_id, path.provider_id).await.map(Json)
}

async fn get_as_client(
    call: Call,
    Path(path): Path<OauthProviderPath>,
    Query(_): Query<OauthProvidersQuery>,
) -> Result<Json<ClientOauthProvider>, Failure> {
    let account = oauth_accounts::get(&call.app, &call.auth, path.user_id, path.provider_id).await?;
    Ok(Json(account.into()))
}

async fn update(
    call: Call,
    Path(path): Path<OauthProviderPath>,
    Query(_): Query<OauthProvidersQuery>,
    Body(request): Body<OauthProviderUpdate>,
) -> Result<Json<OauthProvider>, Failure> {
    let (user, id) = (path.user_id, path.provider_id);
    oauth_accounts::update(&call.app, &call.auth, user, id, request).await.map(Json)
}

async fn update_as_client(
    call: Call,
    Path(path): Path<OauthProviderPath>,
    Query(_): Query<OauthProvidersQuery>,
    Body(request): Body<ClientOauthProviderUpdate>,
) -> Result<Json<ClientOauthProvider>, Failure> {
    let (user, id) = (path.user_id, path.provider_id);
    let account = oauth_accounts::update(&call.app, &call.auth, user, id, request.into()).await?;
    Ok(Json(account.into()))
}

async fn delete(
    call: Call,
    Path(path): Path<OauthProviderPath>,
    Query(_): Query<OauthProvidersQuery>,
) -> Result<Success, Failure> {
    oauth_accounts::delete(&call.app, &call.auth, path.user_id, path.provider_id).await.map(|()| Success)
}
