//! API keys of users and teams: the same routes for both kinds, and the revocation of leaked keys.

use latchkey_api_types::ErrorCode::{
    ApiKeyExpired, ApiKeyNotFound, ApiKeyRevoked, CannotGetOwnUserWithoutUser, PublicApiKeyCannotBeRevoked,
    TeamNotFound, UserAuthenticationRequired, UserIdDoesNotExist, WrongApiKeyType,
};
use latchkey_api_types::api_key::{
    ApiKey, ApiKeyCheck, ApiKeyCheckQuery, ApiKeyPath, ApiKeyType, ApiKeyUpdate, ServerApiKeyUpdate,
    ServerTeamApiKeyCreate, ServerTeamApiKeyQuery, ServerTeamApiKeysQuery, ServerUserApiKeyCreate,
    ServerUserApiKeyQuery, ServerUserApiKeysQuery, TeamApiKeyCreate, TeamApiKeyQuery, TeamApiKeysQuery,
    UserApiKeyCreate, UserApiKeyQuery, UserApiKeysQuery,
};
use latchkey_api_types::input::{NonEmptyText, Nullable, UserIdOrMe};
use latchkey_api_types::list::List;
use latchkey_identity::Failure;
use latchkey_identity::api_keys::{self, ApiKeyChange, NewApiKey, Owner};

use crate::call::{Call, OpenCall};
use crate::extract::{Body, Path, Query};
use crate::reply::{Json, Success};
use crate::route::{CLIENT, RateClass, Route, SERVER};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/user-api-keys", "Create an API key for a user")
            .errors(&[UserAuthenticationRequired, CannotGetOwnUserWithoutUser, UserIdDoesNotExist])
            .on(CLIENT, create_of_user_as_client)
            .on(SERVER, create_of_user),
        Route::get("/user-api-keys", "List the API keys of a user")
            .errors(&[UserAuthenticationRequired, CannotGetOwnUserWithoutUser])
            .on(CLIENT, list_of_user_as_client)
            .on(SERVER, list_of_user),
        Route::get("/user-api-keys/{api_key_id}", "Read an API key of a user")
            .errors(&[UserAuthenticationRequired, ApiKeyNotFound])
            .on(CLIENT, get_of_user_as_client)
            .on(SERVER, get_of_user),
        Route::patch("/user-api-keys/{api_key_id}", "Change or revoke an API key of a user")
            .errors(&[UserAuthenticationRequired, ApiKeyNotFound])
            .on(CLIENT, update_of_user_as_client)
            .on(SERVER, update_of_user),
        Route::post("/user-api-keys/check", "Check an API key of a user")
            .rate(RateClass::Credential)
            .errors(&[ApiKeyNotFound, WrongApiKeyType, ApiKeyRevoked, ApiKeyExpired])
            .on(SERVER, check_of_user),
        Route::post("/team-api-keys", "Create an API key for a team")
            .errors(&[UserAuthenticationRequired, ApiKeyNotFound, TeamNotFound])
            .on(CLIENT, create_of_team_as_client)
            .on(SERVER, create_of_team),
        Route::get("/team-api-keys", "List the API keys of a team")
            .errors(&[UserAuthenticationRequired, ApiKeyNotFound])
            .on(CLIENT, list_of_team_as_client)
            .on(SERVER, list_of_team),
        Route::get("/team-api-keys/{api_key_id}", "Read an API key of a team")
            .errors(&[UserAuthenticationRequired, ApiKeyNotFound])
            .on(CLIENT, get_of_team_as_client)
            .on(SERVER, get_of_team),
        Route::patch("/team-api-keys/{api_key_id}", "Change or revoke an API key of a team")
            .errors(&[UserAuthenticationRequired, ApiKeyNotFound])
            .on(CLIENT, update_of_team_as_client)
            .on(SERVER, update_of_team),
        Route::post("/team-api-keys/check", "Check an API key of a team")
            .rate(RateClass::Credential)
            .errors(&[ApiKeyNotFound, WrongApiKeyType, ApiKeyRevoked, ApiKeyExpired])
            .on(SERVER, check_of_team),
        Route::post("/integrations/credential-scanning/revoke", "Revoke an API key that was found in public")
            .rate(RateClass::Credential)
            .errors(&[ApiKeyNotFound, PublicApiKeyCannotBeRevoked, ApiKeyExpired])
            .open(revoke_leaked),
    ]
}

fn new_key(
    description: String,
    expires_at: Nullable<i64>,
    is_public: Option<bool>,
    scopes: Option<Vec<NonEmptyText>>,
) -> NewApiKey {
    NewApiKey {
        description,
        expires_at: expires_at.0,
        is_public: is_public.unwrap_or(false),
        scopes: scopes.unwrap_or_default(),
    }
}

async fn create_of_user_as_client(
    call: Call,
    Query(()): Query<()>,
    Body(body): Body<UserApiKeyCreate>,
) -> Result<Json<ApiKey>, Failure> {
    let owner = Owner::User(call.auth.user_or_me(body.user_id)?);
    let new = new_key(body.description, body.expires_at_millis, body.is_public, None);
    api_keys::create(&call.app, &call.auth, owner, new).await.map(Json)
}

async fn create_of_user(
    call: Call,
    Query(()): Query<()>,
    Body(body): Body<ServerUserApiKeyCreate>,
) -> Result<Json<ApiKey>, Failure> {
    let owner = Owner::User(call.auth.user_or_me(body.user_id)?);
    let new = new_key(body.description, body.expires_at_millis, body.is_public, body.scopes);
    api_keys::create(&call.app, &call.auth, owner, new).await.map(Json)
}

async fn create_of_team_as_client(
    call: Call,
    Query(()): Query<()>,
    Body(body): Body<TeamApiKeyCreate>,
) -> Result<Json<ApiKey>, Failure> {
    let new = new_key(body.description, body.expires_at_millis, body.is_public, None);
    api_keys::create(&call.app, &call.auth, Owner::Team(body.team_id), new).await.map(Json)
}

async fn create_of_team(
    call: Call,
    Query(()): Query<()>,
    Body(body): Body<ServerTeamApiKeyCreate>,
) -> Result<Json<ApiKey>, Failure> {
    let new = new_key(body.description, body.expires_at_millis, body.is_public, body.scopes);
    api_keys::create(&call.app, &call.auth, Owner::Team(body.team_id), new).await.map(Json)
}

async fn list(call: &Call, owner: Owner, with_usage: bool) -> Result<Json<List<ApiKey>>, Failure> {
    let keys = api_keys::list(&call.app, &call.auth, owner, with_usage).await?;
    Ok(Json(List::whole(keys)))
}

async fn list_of_user_as_client(
    call: Call,
    Query(query): Query<UserApiKeysQuery>,
) -> Result<Json<List<ApiKey>>, Failure> {
    let owner = Owner::User(call.auth.user_or_me(query.user_id)?);
    list(&call, owner, false).await
}

async fn list_of_user(
    call: Call,
    Query(query): Query<ServerUserApiKeysQuery>,
) -> Result<Json<List<ApiKey>>, Failure> {
    let owner = Owner::User(call.auth.user_or_me(query.user_id)?);
    list(&call, owner, query.include.is_some()).await
}

async fn list_of_team_as_client(
    call: Call,
    Query(query): Query<TeamApiKeysQuery>,
) -> Result<Json<List<ApiKey>>, Failure> {
    list(&call, Owner::Team(query.team_id), false).await
}

async fn list_of_team(
    call: Call,
    Query(query): Query<ServerTeamApiKeysQuery>,
) -> Result<Json<List<ApiKey>>, Failure> {
    list(&call, Owner::Team(query.team_id), query.include.is_some()).await
}

/// The owner that a query names, if it does.
fn named(call: &Call, user: Option<UserIdOrMe>) -> Result<Option<Owner>, Failure> {
    user.map(|user| call.auth.user_or_me(user).map(Owner::User)).transpose()
}

async fn get_of_user_as_client(
    call: Call,
    Path(path): Path<ApiKeyPath>,
    Query(query): Query<UserApiKeyQuery>,
) -> Result<Json<ApiKey>, Failure> {
    let (owner, kind) = (named(&call, query.user_id)?, ApiKeyType::User);
    api_keys::get(&call.app, &call.auth, kind, owner, path.api_key_id, false).await.map(Json)
}

async fn get_of_user(
    call: Call,
    Path(path): Path<ApiKeyPath>,
    Query(query): Query<ServerUserApiKeyQuery>,
) -> Result<Json<ApiKey>, Failure> {
    let (owner, with_usage) = (named(&call, query.user_id)?, query.include.is_some());
    let kind = ApiKeyType::User;
    api_keys::get(&call.app, &call.auth, kind, owner, path.api_key_id, with_usage).await.map(Json)
}

async fn get_of_team_as_client(
    call: Call,
    Path(path): Path<ApiKeyPath>,
    Query(query): Query<TeamApiKeyQuery>,
) -> Result<Json<ApiKey>, Failure> {
    let (owner, kind) = (Some(Owner::Team(query.team_id)), ApiKeyType::Team);
    api_keys::get(&call.app, &call.auth, kind, owner, path.api_key_id, false).await.map(Json)
}

async fn get_of_team(
    call: Call,
    Path(path): Path<ApiKeyPath>,
    Query(query): Query<ServerTeamApiKeyQuery>,
) -> Result<Json<ApiKey>, Failure> {
    let (owner, with_usage) = (Some(Owner::Team(query.team_id)), query.include.is_some());
    let kind = ApiKeyType::Team;
    api_keys::get(&call.app, &call.auth, kind, owner, path.api_key_id, with_usage).await.map(Json)
}

fn client_change(body: ApiKeyUpdate) -> ApiKeyChange {
    ApiKeyChange { description: body.description, scopes: None, revoke: body.revoked.is_some() }
}

fn change(body: ServerApiKeyUpdate) -> ApiKeyChange {
    ApiKeyChange { description: body.description, scopes: body.scopes, revoke: body.revoked.is_some() }
}

async fn update_of_user_as_client(
    call: Call,
    Path(path): Path<ApiKeyPath>,
    Query(query): Query<UserApiKeyQuery>,
    Body(body): Body<ApiKeyUpdate>,
) -> Result<Json<ApiKey>, Failure> {
    let (owner, kind) = (named(&call, query.user_id)?, ApiKeyType::User);
    let change = client_change(body);
    api_keys::update(&call.app, &call.auth, kind, owner, path.api_key_id, change).await.map(Json)
}

async fn update_of_user(
    call: Call,
    Path(path): Path<ApiKeyPath>,
    Query(query): Query<UserApiKeyQuery>,
    Body(body): Body<ServerApiKeyUpdate>,
) -> Result<Json<ApiKey>, Failure> {
    let (owner, kind) = (named(&call, query.user_id)?, ApiKeyType::User);
    api_keys::update(&call.app, &call.auth, kind, owner, path.api_key_id, change(body)).await.map(Json)
}

async fn update_of_team_as_client(
    call: Call,
    Path(path): Path<ApiKeyPath>,
    Query(query): Query<TeamApiKeyQuery>,
    Body(body): Body<ApiKeyUpdate>,
) -> Result<Json<ApiKey>, Failure> {
    let (owner, kind) = (Some(Owner::Team(query.team_id)), ApiKeyType::Team);
    let change = client_change(body);
    api_keys::update(&call.app, &call.auth, kind, owner, path.api_key_id, change).await.map(Json)
}

async fn update_of_team(
    call: Call,
    Path(path): Path<ApiKeyPath>,
    Query(query): Query<TeamApiKeyQuery>,
    Body(body): Body<ServerApiKeyUpdate>,
) -> Result<Json<ApiKey>, Failure> {
    let (owner, kind) = (Some(Owner::Team(query.team_id)), ApiKeyType::Team);
    api_keys::update(&call.app, &call.auth, kind, owner, path.api_key_id, change(body)).await.map(Json)
}

async fn check_of_user(
    call: Call,
    Query(query): Query<ApiKeyCheckQuery>,
    Body(body): Body<ApiKeyCheck>,
) -> Result<Json<ApiKey>, Failure> {
    let (key, with_usage) = (body.api_key.as_str(), query.include.is_some());
    api_keys::check(&call.app, &call.auth, ApiKeyType::User, key, with_usage).await.map(Json)
}

async fn check_of_team(
    call: Call,
    Query(query): Query<ApiKeyCheckQuery>,
    Body(body): Body<ApiKeyCheck>,
) -> Result<Json<ApiKey>, Failure> {
    let (key, with_usage) = (body.api_key.as_str(), query.include.is_some());
    api_keys::check(&call.app, &call.auth, ApiKeyType::Team, key, with_usage).await.map(Json)
}

async fn revoke_leaked(
    call: OpenCall,
    Query(()): Query<()>,
    Body(body): Body<ApiKeyCheck>,
) -> Result<Success, Failure> {
    api_keys::revoke_leaked(&call.app, body.api_key.as_str()).await.map(|()| Success)
}
