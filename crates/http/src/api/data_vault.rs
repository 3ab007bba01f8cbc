//! The data vault: a key-value store for back ends.

use latchkey_api_types::ErrorCode::{DataVaultStoreDoesNotExist, DataVaultStoreHashedKeyDoesNotExist};
use latchkey_api_types::data_vault::{DataVaultGet, DataVaultPath, DataVaultSet, DataVaultValue};
use latchkey_identity::{Failure, data_vault};

use crate::call::Call;
use crate::extract::{Body, Path};
use crate::reply::{Json, Success};
use crate::route::{RateClass, Route, SERVER};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/data-vault/stores/{id}/get", "Read a value of a data vault store")
            .rate(RateClass::Read)
            .errors(&[DataVaultStoreDoesNotExist, DataVaultStoreHashedKeyDoesNotExist])
            .on(SERVER, get),
        Route::post("/data-vault/stores/{id}/set", "Set a value of a data vault store")
            .errors(&[DataVaultStoreDoesNotExist])
            .on(SERVER, set),
    ]
}

async fn get(
    call: Call,
    Path(path): Path<DataVaultPath>,
    Body(body): Body<DataVaultGet>,
) -> Result<Json<DataVaultValue>, Failure> {
    let (store, key) = (path.id.as_str(), body.hashed_key.as_str());
    let encrypted_value = data_vault::get(&call.app, &call.auth, store, key).await?;
    Ok(Json(DataVaultValue { encrypted_value }))
}

async fn set(
    call: Call,
    Path(path): Path<DataVaultPath>,
    Body(body): Body<DataVaultSet>,
) -> Result<Success, Failure> {
    let (store, key) = (path.id.as_str(), body.hashed_key.as_str());
    data_vault::set(&call.app, &call.auth, store, key, &body.encrypted_value).await.map(|()| Success)
}
