//! Users: the signed-in one under `/users/me`, and, for servers, each by its id.

use latchkey_api_types::ErrorCode::{
    CannotGetOwnUserWithoutUser, TeamMembershipNotFound, UserEmailAlreadyExists, UserNotFound,
};
use latchkey_api_types::list::List;
use latchkey_api_types::user::{
    AffectedUsers, AffectedUsersQuery, AffectedUsersRequest, ClientUser, ClientUserUpdate, ServerUser,
    UserCreate, UserPath, UserUpdate, UsersQuery,
};
use latchkey_identity::{Failure, users};

use crate::call::Call;
use crate::extract::{Body, Path, Query};
use crate::reply::{Created, Json, Success};
use crate::route::{ADMIN, ANY, CLIENT, RateClass, Route, SERVER};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/users/me", "Read the signed-in user")
            .errors(&[CannotGetOwnUserWithoutUser])
            .on(CLIENT, get_me_as_client)
            .on(SERVER, get_me),
        Route::patch("/users/me", "Change the signed-in user")
            .errors(&[CannotGetOwnUserWithoutUser, UserEmailAlreadyExists, TeamMembershipNotFound])
            .on(CLIENT, update_me_as_client)
            .on(SERVER, update_me),
        Route::delete("/users/me", "Delete the signed-in user")
            .errors(&[CannotGetOwnUserWithoutUser])
            .on(ANY, delete_me),
        Route::get("/users", "List users").on(SERVER, list),
        Route::post("/users", "Create a user").errors(&[UserEmailAlreadyExists]).on(SERVER, create),
        Route::get("/users/{user_id}", "Read a user").errors(&[UserNotFound]).on(SERVER, get),
        Route::patch("/users/{user_id}", "Change a user")
            .errors(&[UserNotFound, UserEmailAlreadyExists, TeamMembershipNotFound])
            .on(SERVER, update),
        Route::delete("/users/{user_id}", "Delete a user").errors(&[UserNotFound]).on(SERVER, delete),
        Route::post("/internal/onboarding/preview-affected-users", "Ask whom a setting would restrict")
            .rate(RateClass::Read)
            .on(ADMIN, preview_affected),
    ]
}

async fn get_me(call: Call, Query(_): Query<UsersQuery>) -> Result<Json<ServerUser>, Failure> {
    users::get_me(&call.app, call.auth).await.map(Json)
}

async fn get_me_as_client(call: Call, Query(_): Query<UsersQuery>) -> Result<Json<ClientUser>, Failure> {
    users::get_me(&call.app, call.auth).await.map(ClientUser::from).map(Json)
}

async fn update_me(
    call: Call,
    Query(_): Query<UsersQuery>,
    Body(request): Body<UserUpdate>,
) -> Result<Json<ServerUser>, Failure> {
    users::update_me(&call.app, &call.auth, request).await.map(Json)
}

async fn update_me_as_client(
    call: Call,
    Query(_): Query<UsersQuery>,
    Body(request): Body<ClientUserUpdate>,
) -> Result<Json<ClientUser>, Failure> {
    users::update_me(&call.app, &call.auth, request.into()).await.map(ClientUser::from).map(Json)
}

async fn delete_me(call: Call, Query(_): Query<UsersQuery>) -> Result<Success, Failure> {
    users::delete_me(&call.app, &call.auth).await.map(|()| Success)
}

async fn list(call: Call, Query(query): Query<UsersQuery>) -> Result<Json<List<ServerUser>>, Failure> {
    users::list(&call.app, &call.auth, query).await.map(Json)
}

async fn create(
    call: Call,
    Query(_): Query<UsersQuery>,
    Body(request): Body<UserCreate>,
) -> Result<Created<ServerUser>, Failure> {
    users::create(&call.app, &call.auth, request).await.map(Created)
}

async fn get(
    call: Call,
    Path(path): Path<UserPath>,
    Query(_): Query<UsersQuery>,
) -> Result<Json<ServerUser>, Failure> {
    let id = call.auth.user_or_me(path.user_id)?;
    users::get(&call.app, &call.auth, id).await.map(Json)
}

async fn update(
    call: Call,
    Path(path): Path<UserPath>,
    Query(_): Query<UsersQuery>,
    Body(request): Body<UserUpdate>,
) -> Result<Json<ServerUser>, Failure> {
    let id = call.auth.user_or_me(path.user_id)?;
    users::update(&call.app, &call.auth, id, request).await.map(Json)
}

async fn delete(
    call: Call,
    Path(path): Path<UserPath>,
    Query(_): Query<UsersQuery>,
) -> Result<Success, Failure> {
    let id = call.auth.user_or_me(path.user_id)?;
    users::delete(&call.app, &call.auth, id).await.map(|()| Success)
}

async fn preview_affected(
    call: Call,
    Query(query): Query<AffectedUsersQuery>,
    Body(request): Body<AffectedUsersRequest>,
) -> Result<Json<AffectedUsers>, Failure> {
    let required = request.onboarding.require_email_verification.unwrap_or(false);
    let limit = query.limit.map_or(10, |limit| limit.0);
    users::preview_affected(&call.app, &call.auth, required, limit).await.map(Json)
}
