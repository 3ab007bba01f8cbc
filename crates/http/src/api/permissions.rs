//! Permissions: their definitions, and who holds them in teams and in the project.

use latchkey_api_types::ErrorCode::{
    CannotGetOwnUserWithoutUser, ContainedPermissionNotFound, PermissionIdAlreadyExists, PermissionNotFound,
    TeamMembershipNotFound, TeamPermissionNotFound, UserNotFound, WrongPermissionScope,
};
use latchkey_api_types::list::List;
use latchkey_api_types::permission::{
    PermissionDefinition, PermissionDefinitionCreate, PermissionDefinitionUpdate, PermissionPath,
    ProjectPermission, ProjectPermissionPath, ProjectPermissionsQuery, TeamPermission, TeamPermissionPath,
    TeamPermissionsQuery,
};
use latchkey_config::settings::PermissionScope;
use latchkey_identity::Failure;
use latchkey_identity::permissions::{definitions, grants};

use crate::call::Call;
use crate::extract::{Body, Path, Query};
use crate::reply::{Created, Json, Success};
use crate::route::{ADMIN, ANY, Route, SERVER};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::get("/team-permissions", "List who has which permission in which team")
            .errors(&[CannotGetOwnUserWithoutUser])
            .on(ANY, list_in_teams),
        Route::post("/team-permissions/{team_id}/{user_id}/{permission_id}", "Give a member a permission")
            .errors(&[UserNotFound, TeamMembershipNotFound, PermissionNotFound, WrongPermissionScope])
            .on(SERVER, grant_in_team),
        Route::delete(
            "/team-permissions/{team_id}/{user_id}/{permission_id}",
            "Take a permission from a member",
        )
        .errors(&[UserNotFound, TeamMembershipNotFound, TeamPermissionNotFound])
        .on(SERVER, revoke_in_team),
        Route::get("/project-permissions", "List who has which permission in the project")
            .errors(&[CannotGetOwnUserWithoutUser])
            .on(ANY, list_in_project),
        Route::post("/project-permissions/{user_id}/{permission_id}", "Give a user a permission")
            .errors(&[UserNotFound, PermissionNotFound, WrongPermissionScope])
            .on(SERVER, grant_in_project),
        Route::delete("/project-permissions/{user_id}/{permission_id}", "Take a permission from a user")
            .errors(&[UserNotFound, PermissionNotFound])
            .on(SERVER, revoke_in_project),
    ];
    routes.extend(definition_routes(
        PermissionScope::Team,
        ["/team-permission-definitions", "/team-permission-definitions/{permission_id}"],
        ["List the permissions that are held in teams", "Define a permission that is held in teams"],
    ));
    routes.extend(definition_routes(
        PermissionScope::Project,
        ["/project-permission-definitions", "/project-permission-definitions/{permission_id}"],
        [
            "List the permissions that are held in the project",
            "Define a permission that is held in the project",
        ],
    ));
    routes
}

const CREATE_ERRORS: &[latchkey_api_types::ErrorCode] =
    &[PermissionIdAlreadyExists, ContainedPermissionNotFound];
const UPDATE_ERRORS: &[latchkey_api_types::ErrorCode] =
    &[PermissionNotFound, PermissionIdAlreadyExists, ContainedPermissionNotFound];

/// The rows of the definitions of one scope: `all` and `one` are the paths, `list` and `create` say what they do.
fn definition_routes(
    scope: PermissionScope,
    [all, one]: [&'static str; 2],
    [list, create]: [&'static str; 2],
) -> Vec<Route> {
    vec![
        Route::get(all, list)
            .on(ADMIN, move |call: Call, Query(()): Query<()>| list_definitions(&call, scope)),
        Route::post(all, create).errors(CREATE_ERRORS).on(
            ADMIN,
            move |call: Call, query: Query<()>, body: Body<PermissionDefinitionCreate>| {
                define(call, query, body, scope)
            },
        ),
        Route::patch(one, "Replace the definition of a permission").errors(UPDATE_ERRORS).on(
            ADMIN,
            move |call: Call,
                  path: Path<PermissionPath>,
                  query: Query<()>,
                  body: Body<PermissionDefinitionUpdate>| {
                redefine(call, path, query, body, scope)
            },
        ),
        Route::delete(one, "Remove a permission, from everybody").errors(&[PermissionNotFound]).on(
            ADMIN,
            move |call: Call, path: Path<PermissionPath>, query: Query<()>| {
                undefine(call, path, query, scope)
            },
        ),
    ]
}

fn list_definitions(
    call: &Call,
    scope: PermissionScope,
) -> std::future::Ready<Result<Json<List<PermissionDefinition>>, Failure>> {
    std::future::ready(Ok(Json(List::whole(definitions::list(&call.auth.project.settings.rbac, scope)))))
}

async fn define(
    call: Call,
    Query(()): Query<()>,
    Body(request): Body<PermissionDefinitionCreate>,
    scope: PermissionScope,
) -> Result<Created<PermissionDefinition>, Failure> {
    definitions::create(&call.app, &call.auth, scope, request).await.map(Created)
}

async fn redefine(
    call: Call,
    Path(path): Path<PermissionPath>,
    Query(()): Query<()>,
    Body(request): Body<PermissionDefinitionUpdate>,
    scope: PermissionScope,
) -> Result<Json<PermissionDefinition>, Failure> {
    definitions::update(&call.app, &call.auth, scope, &path.permission_id, request).await.map(Json)
}

async fn undefine(
    call: Call,
    Path(path): Path<PermissionPath>,
    Query(()): Query<()>,
    scope: PermissionScope,
) -> Result<Success, Failure> {
    definitions::delete(&call.app, &call.auth, scope, &path.permission_id).await.map(|()| Success)
}

async fn list_in_teams(
    call: Call,
    Query(query): Query<TeamPermissionsQuery>,
) -> Result<Json<List<TeamPermission>>, Failure> {
    grants::list_in_teams(&call.app, &call.auth, query).await.map(|items| Json(List::whole(items)))
}

async fn grant_in_team(
    call: Call,
    Path(path): Path<TeamPermissionPath>,
    Query(_): Query<TeamPermissionsQuery>,
    Body(()): Body<()>,
) -> Result<Created<TeamPermission>, Failure> {
    let user = call.auth.user_or_me(path.user_id)?;
    grants::grant_in_team(&call.app, &call.auth, path.team_id, user, path.permission_id).await.map(Created)
}

async fn revoke_in_team(
    call: Call,
    Path(path): Path<TeamPermissionPath>,
    Query(_): Query<TeamPermissionsQuery>,
) -> Result<Success, Failure> {
    let user = call.auth.user_or_me(path.user_id)?;
    let revoked = grants::revoke_in_team(&call.app, &call.auth, path.team_id, user, path.permission_id);
    revoked.await.map(|()| Success)
}

async fn list_in_project(
    call: Call,
    Query(query): Query<ProjectPermissionsQuery>,
) -> Result<Json<List<ProjectPermission>>, Failure> {
    grants::list_in_project(&call.app, &call.auth, query).await.map(|items| Json(List::whole(items)))
}

async fn grant_in_project(
    call: Call,
    Path(path): Path<ProjectPermissionPath>,
    Query(_): Query<ProjectPermissionsQuery>,
    Body(()): Body<()>,
) -> Result<Created<ProjectPermission>, Failure> {
    let user = call.auth.user_or_me(path.user_id)?;
    grants::grant_in_project(&call.app, &call.auth, user, path.permission_id).await.map(Created)
}

async fn revoke_in_project(
    call: Call,
    Path(path): Path<ProjectPermissionPath>,
    Query(_): Query<ProjectPermissionsQuery>,
) -> Result<Success, Failure> {
    let user = call.auth.user_or_me(path.user_id)?;
    let revoked = grants::revoke_in_project(&call.app, &call.auth, user, path.permission_id);
    revoked.await.map(|()| Success)
}
