//! Projects: what clients may know of theirs, and the keys that verify its users' tokens.

use latchkey_api_types::project::{ClientProject, JwksQuery, ProjectPath};
use latchkey_identity::claims::UserKind;
use latchkey_identity::{Failure, projects, signing_keys};
use serde_json::Value;

use crate::call::{Call, OpenCall};
use crate::extract::{Path, Query};
use crate::reply::{Cached, Json, Redirect};
use crate::route::{ANY, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::get("/projects/current", "Read the settings that clients may know").on(ANY, current),
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
