//! The data vault (contract 08 §5): a key-value store for back ends, which see to it that nothing here can be read.

use latchkey_api_types::KnownError;
use latchkey_storage::data_vault_entries;

use crate::app::App;
use crate::authenticate::Auth;
use crate::failure::Failure;

/// The longest key, bytes; the SDK's are much shorter.
const MAX_KEY: usize = 1024;

/// The store must be one that the project's settings name.
fn require_store(auth: &Auth, store: &str) -> Result<(), Failure> {
    if auth.project.settings.data_vault.stores.contains_key(store) {
        return Ok(());
    }
    Err(KnownError::data_vault_store_does_not_exist(store).into())
}

/// The value under a key.
///
/// # Errors
/// `DATA_VAULT_STORE_DOES_NOT_EXIST`, `DATA_VAULT_STORE_HASHED_KEY_DOES_NOT_EXIST`.
pub async fn get(app: &App, auth: &Auth, store: &str, hashed_key: &str) -> Result<String, Failure> {
    require_store(auth, store)?;
    let (project, at, key) = (auth.project.id.clone(), store.to_owned(), hashed_key.to_owned());
    let read = app.store.lookup(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(data_vault_entries::get(tx, &project, &at, &key).await?) })
    });
    read.await?
        .ok_or_else(|| KnownError::data_vault_store_hashed_key_does_not_exist(store, hashed_key).into())
}

/// Sets the value under a key.
///
/// # Errors
/// `DATA_VAULT_STORE_DOES_NOT_EXIST`; 400 for a key without end.
pub async fn set(app: &App, auth: &Auth, store: &str, hashed_key: &str, value: &str) -> Result<(), Failure> {
    require_store(auth, store)?;
    if hashed_key.len() > MAX_KEY {
        return Err(Failure::text(400, "The hash of a key has at most 1024 bytes."));
    }
    let statement = data_vault_entries::set(&auth.project.id, store, hashed_key, value, app.now());
    app.store.batch(vec![statement]).await?;
    Ok(())
}
