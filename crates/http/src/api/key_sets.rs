//! Project keys (contract 07 §6).

use latchkey_api_types::ErrorCode::ApiKeyNotFound;
use latchkey_api_types::key_sets::{KeySet, KeySetCreate, KeySetPath, KeySetUpdate, NewKeySet};
use latchkey_api_types::list::List;
use latchkey_identity::{Failure, key_sets};

use crate::call::Call;
use crate::extract::{Body, Path, Query};
use crate::reply::Json;
use crate::route::{ADMIN, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/internal/api-keys", "List the project's sets of keys").on(ADMIN, list),
        Route::post("/internal/api-keys", "Make a set of keys").on(ADMIN, create),
        Route::get("/internal/api-keys/{id}", "Read a set of keys").errors(&[ApiKeyNotFound]).on(ADMIN, get),
        Route::patch("/internal/api-keys/{id}", "Rename or revoke a set of keys")
            .errors(&[ApiKeyNotFound])
            .on(ADMIN, update),
    ]
}

async fn list(call: Call, Query(()): Query<()>) -> Result<Json<List<KeySet>>, Failure> {
    key_sets::list(&call.app, &call.auth).await.map(List::whole).map(Json)
}

async fn create(
    call: Call,
    Query(()): Query<()>,
    Body(request): Body<KeySetCreate>,
) -> Result<Json<NewKeySet>, Failure> {
    key_sets::create(&call.app, &call.auth, request).await.map(Json)
}

async fn get(
    call: Call,
    Path(path): Path<KeySetPath>,
    Query(()): Query<()>,
) -> Result<Json<KeySet>, Failure> {
    key_sets::get(&call.app, &call.auth, path.id).await.map(Json)
}

async fn update(
    call: Call,
    Path(path): Path<KeySetPath>,
    Query(()): Query<()>,
    Body(request): Body<KeySetUpdate>,
) -> Result<Json<KeySet>, Failure> {
    key_sets::update(&call.app, &call.auth, path.id, request).await.map(Json)
}
