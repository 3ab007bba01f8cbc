//! The data vault: opaque values under opaque keys. Owns their rows and SQL.

use latchkey_api_types::ids::ProjectId;

use crate::engine::{Stmt, StorageError, Tx, args, stmt};

/// The value under a key of a store.
pub async fn get(
    tx: &mut Tx,
    project: &ProjectId,
    store: &str,
    hashed_key: &str,
) -> Result<Option<String>, StorageError> {
    let row: Option<(String,)> = tx
        .query_opt(
            "SELECT encrypted_value FROM data_vault_entries \
             WHERE project_id = $1 AND store_id = $2 AND hashed_key = $3",
            args![project, store, hashed_key],
        )
        .await?;
    Ok(row.map(|(value,)| value))
}

/// Sets the value under a key of a store.
pub fn set(project: &ProjectId, store: &str, hashed_key: &str, encrypted_value: &str, now: i64) -> Stmt {
    stmt(
        "INSERT INTO data_vault_entries (project_id, store_id, hashed_key, encrypted_value, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (project_id, store_id, hashed_key) \
         DO UPDATE SET encrypted_value = excluded.encrypted_value, updated_at = excluded.updated_at",
        args![project, store, hashed_key, encrypted_value, now],
    )
}
