//! Teams, their members and what members are called there.

use latchkey_api_types::ErrorCode::{
    CannotGetOwnUserWithoutUser, TeamMembershipAlreadyExists, TeamMembershipNotFound, TeamNotFound,
    TeamPermissionRequired, UserAuthenticationRequired, UserNotFound,
};
use latchkey_api_types::list::List;
use latchkey_api_types::team::{
    ClientMemberProfile, ClientTeam, ClientTeamCreate, ClientTeamUpdate, MemberPath, MemberProfileUpdate,
    MemberProfilesQuery, ServerMemberProfile, ServerTeam, TeamCreate, TeamMembership, TeamPath, TeamUpdate,
    TeamsQuery,
};
use latchkey_identity::teams::{members, profiles};
use latchkey_identity::{Failure, teams};

use crate::call::Call;
use crate::extract::{Body, Path, Query};
use crate::reply::{Created, Json, Success};
use crate::route::{ANY, CLIENT, Route, SERVER};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/teams", "List teams")
            .errors(&[CannotGetOwnUserWithoutUser])
            .on(CLIENT, list_as_client)
            .on(SERVER, list),
        Route::post("/teams", "Create a team")
            .errors(&[UserAuthenticationRequired, CannotGetOwnUserWithoutUser, UserNotFound])
            .on(CLIENT, create_as_client)
            .on(SERVER, create),
        Route::get("/teams/{team_id}", "Read a team")
            .errors(&[UserAuthenticationRequired, TeamMembershipNotFound, TeamNotFound])
            .on(CLIENT, get_as_client)
            .on(SERVER, get),
        Route::patch("/teams/{team_id}", "Change a team")
            .errors(&[
                UserAuthenticationRequired,
                TeamMembershipNotFound,
                TeamPermissionRequired,
                TeamNotFound,
            ])
            .on(CLIENT, update_as_client)
            .on(SERVER, update),
        Route::delete("/teams/{team_id}", "Delete a team")
            .errors(&[
                UserAuthenticationRequired,
                TeamMembershipNotFound,
                TeamPermissionRequired,
                TeamNotFound,
            ])
            .on(ANY, delete),
        Route::post("/team-memberships/{team_id}/{user_id}", "Put a user into a team")
            .errors(&[UserNotFound, TeamNotFound, TeamMembershipAlreadyExists])
            .on(SERVER, add),
        Route::delete("/team-memberships/{team_id}/{user_id}", "Leave a team, or take somebody out of it")
            .errors(&[
                CannotGetOwnUserWithoutUser,
                UserNotFound,
                TeamMembershipNotFound,
                TeamPermissionRequired,
            ])
            .on(ANY, remove),
        Route::get("/team-member-profiles", "List members")
            .errors(&[
                CannotGetOwnUserWithoutUser,
                UserNotFound,
                TeamNotFound,
                TeamMembershipNotFound,
                TeamPermissionRequired,
            ])
            .on(CLIENT, list_profiles_as_client)
            .on(SERVER, list_profiles),
        Route::get("/team-member-profiles/{team_id}/{user_id}", "Read what a member is called")
            .errors(&[
                CannotGetOwnUserWithoutUser,
                UserNotFound,
                TeamMembershipNotFound,
                TeamPermissionRequired,
            ])
            .on(CLIENT, get_profile_as_client)
            .on(SERVER, get_profile),
        Route::patch("/team-member-profiles/{team_id}/{user_id}", "Change what a member is called")
            .errors(&[CannotGetOwnUserWithoutUser, UserNotFound, TeamMembershipNotFound])
            .on(CLIENT, update_profile_as_client)
            .on(SERVER, update_profile),
    ]
}

async fn list(call: Call, Query(query): Query<TeamsQuery>) -> Result<Json<List<ServerTeam>>, Failure> {
    teams::list(&call.app, &call.auth, query).await.map(Json)
}

async fn list_as_client(
    call: Call,
    Query(query): Query<TeamsQuery>,
) -> Result<Json<List<ClientTeam>>, Failure> {
    teams::list(&call.app, &call.auth, query).await.map(|list| Json(list.map(ClientTeam::from)))
}

async fn create(
    call: Call,
    Query(query): Query<TeamsQuery>,
    Body(request): Body<TeamCreate>,
) -> Result<Created<ServerTeam>, Failure> {
    let add = query.add_current_user.map(|add| add.0);
    teams::create(&call.app, &call.auth, add, request).await.map(Created)
}

async fn create_as_client(
    call: Call,
    Query(query): Query<TeamsQuery>,
    Body(request): Body<ClientTeamCreate>,
) -> Result<Created<ClientTeam>, Failure> {
    let add = query.add_current_user.map(|add| add.0);
    let team = teams::create(&call.app, &call.auth, add, request.into()).await?;
    Ok(Created(team.into()))
}

async fn get(
    call: Call,
    Path(path): Path<TeamPath>,
    Query(_): Query<TeamsQuery>,
) -> Result<Json<ServerTeam>, Failure> {
    teams::get(&call.app, &call.auth, path.team_id).await.map(Json)
}

async fn get_as_client(
    call: Call,
    Path(path): Path<TeamPath>,
    Query(_): Query<TeamsQuery>,
) -> Result<Json<ClientTeam>, Failure> {
    teams::get(&call.app, &call.auth, path.team_id).await.map(|team| Json(team.into()))
}

async fn update(
    call: Call,
    Path(path): Path<TeamPath>,
    Query(_): Query<TeamsQuery>,
    Body(request): Body<TeamUpdate>,
) -> Result<Json<ServerTeam>, Failure> {
    teams::update(&call.app, &call.auth, path.team_id, request).await.map(Json)
}

async fn update_as_client(
    call: Call,
    Path(path): Path<TeamPath>,
    Query(_): Query<TeamsQuery>,
    Body(request): Body<ClientTeamUpdate>,
) -> Result<Json<ClientTeam>, Failure> {
    let team = teams::update(&call.app, &call.auth, path.team_id, request.into()).await?;
    Ok(Json(team.into()))
}

async fn delete(
    call: Call,
    Path(path): Path<TeamPath>,
    Query(_): Query<TeamsQuery>,
) -> Result<Success, Failure> {
    teams::delete(&call.app, &call.auth, path.team_id).await.map(|()| Success)
}

async fn add(
    call: Call,
    Path(path): Path<MemberPath>,
    Query(()): Query<()>,
    Body(()): Body<()>,
) -> Result<Created<TeamMembership>, Failure> {
    let user = call.auth.user_or_me(path.user_id)?;
    members::add(&call.app, &call.auth, path.team_id, user).await.map(Created)
}

async fn remove(call: Call, Path(path): Path<MemberPath>, Query(()): Query<()>) -> Result<Success, Failure> {
    let user = call.auth.user_or_me(path.user_id)?;
    members::remove(&call.app, &call.auth, path.team_id, user).await.map(|()| Success)
}

async fn list_profiles(
    call: Call,
    Query(query): Query<MemberProfilesQuery>,
) -> Result<Json<List<ServerMemberProfile>>, Failure> {
    let user = query.user_id.map(|user| call.auth.user_or_me(user)).transpose()?;
    let profiles = profiles::list(&call.app, &call.auth, query.team_id, user).await?;
    Ok(Json(List::whole(profiles)))
}

async fn list_profiles_as_client(
    call: Call,
    Query(query): Query<MemberProfilesQuery>,
) -> Result<Json<List<ClientMemberProfile>>, Failure> {
    let user = query.user_id.map(|user| call.auth.user_or_me(user)).transpose()?;
    let profiles = profiles::list_as_client(&call.app, &call.auth, query.team_id, user).await?;
    Ok(Json(List::whole(profiles)))
}

async fn get_profile(
    call: Call,
    Path(path): Path<MemberPath>,
    Query(_): Query<MemberProfilesQuery>,
) -> Result<Json<ServerMemberProfile>, Failure> {
    let user = call.auth.user_or_me(path.user_id)?;
    profiles::get(&call.app, &call.auth, path.team_id, user).await.map(Json)
}

async fn get_profile_as_client(
    call: Call,
    Path(path): Path<MemberPath>,
    Query(_): Query<MemberProfilesQuery>,
) -> Result<Json<ClientMemberProfile>, Failure> {
    let user = call.auth.user_or_me(path.user_id)?;
    profiles::get(&call.app, &call.auth, path.team_id, user).await.map(|profile| Json(profile.into()))
}

async fn update_profile(
    call: Call,
    Path(path): Path<MemberPath>,
    Query(_): Query<MemberProfilesQuery>,
    Body(request): Body<MemberProfileUpdate>,
) -> Result<Json<ServerMemberProfile>, Failure> {
    let user = call.auth.user_or_me(path.user_id)?;
    profiles::update(&call.app, &call.auth, path.team_id, user, request).await.map(Json)
}

async fn update_profile_as_client(
    call: Call,
    Path(path): Path<MemberPath>,
    Query(_): Query<MemberProfilesQuery>,
    Body(request): Body<MemberProfileUpdate>,
) -> Result<Json<ClientMemberProfile>, Failure> {
    let user = call.auth.user_or_me(path.user_id)?;
    let profile = profiles::update(&call.app, &call.auth, path.team_id, user, request).await?;
    Ok(Json(profile.into()))
}
