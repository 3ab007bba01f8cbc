//! The passkeys of users, as things to look at, name and remove.

use latchkey_api_types::ErrorCode::{CannotGetOwnUserWithoutUser, ReauthenticationRequired};
use latchkey_api_types::list::List;
use latchkey_api_types::passkey::{Passkey, PasskeyPath, PasskeyUpdate, PasskeysQuery, RelatedOrigins};
use latchkey_api_types::project::ProjectPath;
use latchkey_identity::{Failure, passkeys};

use crate::call::{Call, OpenCall};
use crate::extract::{Body, Path, Query};
use crate::reply::{Cached, Json, Success};
use crate::route::{ANY, Route};

const ONE: &str = "/passkeys/{user_id}/{passkey_id}";

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/passkeys", "List the passkeys of a user")
            .errors(&[CannotGetOwnUserWithoutUser])
            .on(ANY, list),
        Route::get(ONE, "Read a passkey of a user").errors(&[CannotGetOwnUserWithoutUser]).on(ANY, get),
        Route::patch(ONE, "Name a passkey of a user").errors(&[CannotGetOwnUserWithoutUser]).on(ANY, rename),
        Route::delete(ONE, "Remove a passkey of a user")
            .errors(&[CannotGetOwnUserWithoutUser, ReauthenticationRequired])
            .on(ANY, delete),
        Route::get(
            "/projects/{project_id}/.well-known/webauthn",
            "List the origins that may use the project's shared relying party id",
        )
        .open(related_origins),
    ]
}

async fn list(call: Call, Query(query): Query<PasskeysQuery>) -> Result<Json<List<Passkey>>, Failure> {
    passkeys::list(&call.app, &call.auth, query.user_id).await.map(List::whole).map(Json)
}

async fn get(
    call: Call,
    Path(path): Path<PasskeyPath>,
    Query(()): Query<()>,
) -> Result<Json<Passkey>, Failure> {
    passkeys::get(&call.app, &call.auth, path.user_id, path.passkey_id).await.map(Json)
}

async fn rename(
    call: Call,
    Path(path): Path<PasskeyPath>,
    Query(()): Query<()>,
    Body(body): Body<PasskeyUpdate>,
) -> Result<Json<Passkey>, Failure> {
    passkeys::rename(&call.app, &call.auth, path.user_id, path.passkey_id, body.name).await.map(Json)
}

async fn delete(call: Call, Path(path): Path<PasskeyPath>, Query(()): Query<()>) -> Result<Success, Failure> {
    passkeys::delete(&call.app, &call.auth, path.user_id, path.passkey_id).await.map(|()| Success)
}

async fn related_origins(
    call: OpenCall,
    Path(path): Path<ProjectPath>,
    Query(()): Query<()>,
) -> Result<Cached<Json<RelatedOrigins>, 300>, Failure> {
    passkeys::related_origins(&call.app, &path.project_id).await.map(Json).map(Cached)
}
