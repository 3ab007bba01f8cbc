//! Projects: what clients may know of theirs, what administrators do with them, and the keys that verify their users'
//! tokens.

use latchkey_api_types::ErrorCode::{
    ExpectedInternalProject, InvalidSharedOauthProviderId, ProjectNotFound, TeamMembershipNotFound,
    TeamPermissionRequired, UserAuthenticationRequired,
};
use latchkey_api_types::list::List;
use latchkey_api_types::project::{
    AdminProject, ClientProject, JwksQuery, ProjectCreate, ProjectPath, ProjectTransfer, ProjectUpdate,
};
use latchkey_identity::claims::UserKind;
use latchkey_identity::{Failure, project_deletion, projects, signing_keys};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::call::{Call, OpenCall};
use crate::extract::{Body, Path, Query, SignedIn};
use crate::reply::{Cached, Created, Json, Redirect, Success};
use crate::route::{ADMIN, ANY, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::get("/projects/current", "Read the settings that clients may know").on(ANY, current),
        Route::get("/internal/projects/current", "Read the project").on(ADMIN, get),
        Route::patch("/internal/projects/current", "Change the project")
            .errors(&[InvalidSharedOauthProviderId])
            .on(ADMIN, update),
        Route::delete("/internal/projects/current", "Delete the project").on(ADMIN, delete),
        Route::get("/internal/projects", "List the projects that the signed-in administrator owns")
            .errors(&[UserAuthenticationRequired, ExpectedInternalProject])
            .on(ANY, list_owned),
        Route::post("/internal/projects", "Make a project")
            .errors(&[
                UserAuthenticationRequired,
                ExpectedInternalProject,
                TeamMembershipNotFound,
                InvalidSharedOauthProviderId,
            ])
            .on(ANY, create),
        Route::post("/internal/projects/transfer", "Give a project to another team")
            .errors(&[ProjectNotFound, TeamPermissionRequired, TeamMembershipNotFound])
            .on(ANY, transfer),
        Route::get("/projects/{project_id}/.well-known/jwks.json", "Read the keys that verify access tokens")
            .open(key_set),
    ];
    // The issuers of restricted and anonymous users have no key sets of their own.
    for redirect in [Route::get, Route::post, Route::put, Route::patch, Route::delete] {
        let summary = "Find the keys behind an issuer";
        routes.push(
            redirect("/projects-anonymous-users/{project_id}/.well-known/{*rest}", summary).open(anonymous),
        );
        routes.push(
            redirect("/projects-restricted-users/{project_id}/.well-known/{*rest}", summary).open(restricted),
        );
    }
    routes
}

async fn current(call: Call, Query(()): Query<()>) -> Result<Json<ClientProject>, Failure> {
    Ok(Json(projects::client_view(&call.auth.project)))
}

async fn get(call: Call, Query(()): Query<()>) -> Result<Json<AdminProject>, Failure> {
    projects::get(&call.app, &call.auth).await.map(Json)
}

async fn update(
    call: Call,
    Query(()): Query<()>,
    Body(request): Body<ProjectUpdate>,
) -> Result<Json<AdminProject>, Failure> {
    projects::update(&call.app, &call.auth, request).await.map(Json)
}

async fn delete(call: Call, Query(()): Query<()>) -> Result<Success, Failure> {
    project_deletion::delete(&call.app, &call.auth).await.map(|()| Success)
}

async fn list_owned(call: Call, Query(()): Query<()>) -> Result<Json<List<AdminProject>>, Failure> {
    projects::list_owned(&call.app, &call.auth).await.map(List::whole).map(Json)
}

async fn create(
    call: Call,
    Query(()): Query<()>,
    Body(request): Body<ProjectCreate>,
) -> Result<Created<AdminProject>, Failure> {
    projects::create(&call.app, &call.auth, request).await.map(Created)
}

/// `success` is a text here, as in the API that this one follows.
#[derive(Serialize, JsonSchema)]
struct Transferred {
    /// Always `"true"`.
    success: &'static str,
}

async fn transfer(
    call: Call,
    _: SignedIn,
    Body(request): Body<ProjectTransfer>,
) -> Result<Json<Transferred>, Failure> {
    projects::transfer(&call.app, &call.auth, request).await?;
    Ok(Json(Transferred { success: "true" }))
}

async fn key_set(
    call: OpenCall,
    Path(path): Path<ProjectPath>,
    Query(query): Query<JwksQuery>,
) -> Result<Cached<Json<Value>, 3600>, Failure> {
    let wants = |flag: Option<latchkey_api_types::input::QueryBool>| flag.is_some_and(|flag| flag.0);
    let mut kinds = vec![UserKind::Normal];
    if wants(query.include_restricted) || wants(query.include_anonymous) {
        kinds.push(UserKind::Restricted);
    }
    if wants(query.include_anonymous) {
        kinds.push(UserKind::Anonymous);
    }
    let keys = signing_keys::published(&call.app, &path.project_id, &kinds).await?;
    Ok(Cached(Json(keys)))
}

async fn anonymous(call: OpenCall) -> Result<Redirect, Failure> {
    Ok(to_projects(&call, "/projects-anonymous-users/", "include_anonymous=true"))
}

async fn restricted(call: OpenCall) -> Result<Redirect, Failure> {
    Ok(to_projects(&call, "/projects-restricted-users/", "include_restricted=true"))
}

/// The same path below `/projects/`, its query kept and one parameter added.
fn to_projects(call: &OpenCall, segment: &str, parameter: &str) -> Redirect {
    let uri = &call.request.uri;
    let path = uri.path().replacen(segment, "/projects/", 1);
    Redirect(match uri.query().filter(|query| !query.is_empty()) {
        Some(query) => format!("{path}?{query}&{parameter}"),
        None => format!("{path}?{parameter}"),
    })
}
