//! Project keys: sets of up to three secrets that authenticate callers. Owns their rows and SQL; secrets are
//! hashes here, and comparing them is the caller's work.

use latchkey_api_types::ids::{KeySetId, ProjectId};
use latchkey_crypto::TokenHash;

use crate::engine::{Stmt, StorageError, Tx, args, record, sql, stmt};

record! {
    /// One key set. Each secret is absent or a hash with its last four characters.
    pub struct KeySetRow {
        /// Project that the keys open.
        pub project_id: ProjectId,
        /// Identifier of the set.
        pub id: KeySetId,
        /// Free text.
        pub description: String,
        /// Hash of the publishable client key.
        pub publishable_client_key_hash: Option<TokenHash>,
        /// Its last four characters.
        pub publishable_client_key_last_four: Option<String>,
        /// Hash of the secret server key.
        pub secret_server_key_hash: Option<TokenHash>,
        /// Its last four characters.
        pub secret_server_key_last_four: Option<String>,
        /// Hash of the super secret admin key.
        pub super_secret_admin_key_hash: Option<TokenHash>,
        /// Its last four characters.
        pub super_secret_admin_key_last_four: Option<String>,
        /// Creation, epoch milliseconds.
        pub created_at: i64,
        /// End of validity, epoch milliseconds; `None` never ends.
        pub expires_at: Option<i64>,
        /// Revocation, epoch milliseconds.
        pub revoked_at: Option<i64>,
    }
}

/// All key sets of a project, newest first, revoked and expired ones included.
pub async fn list(tx: &mut Tx, project: &ProjectId) -> Result<Vec<KeySetRow>, StorageError> {
    tx.query(
        "SELECT project_id, id, description, publishable_client_key_hash, publishable_client_key_last_four, \
         secret_server_key_hash, secret_server_key_last_four, super_secret_admin_key_hash, \
         super_secret_admin_key_last_four, created_at, expires_at, revoked_at \
         FROM key_sets WHERE project_id = $1 ORDER BY created_at DESC, id",
        args![project],
    )
    .await
}

/// One key set; `None` if it does not exist.
pub async fn get(tx: &mut Tx, project: &ProjectId, id: KeySetId) -> Result<Option<KeySetRow>, StorageError> {
    tx.query_opt(
        sql!["SELECT ", KeySetRow::COLUMNS, " FROM key_sets WHERE project_id = $1 AND id = $2"],
        args![project, id],
    )
    .await
}

/// Changes the description of a key set, and revokes it if a time is given; one that is revoked stays so since then.
pub fn update(project: &ProjectId, id: KeySetId, description: Option<&str>, revoked_at: Option<i64>) -> Stmt {
    stmt(
        sql![
            "UPDATE key_sets SET description = COALESCE($3, description), \
             revoked_at = COALESCE(revoked_at, $4) WHERE project_id = $1 AND id = $2 RETURNING ",
            KeySetRow::COLUMNS
        ],
        args![project, id, description, revoked_at],
    )
}

/// Inserts a key set, or replaces the secrets of the set with the same id (declared keys are fixed by
/// configuration and may change there). A revoked set comes to life again only when all its secrets are other ones.
pub fn upsert(row: &KeySetRow) -> Stmt {
    stmt(
        "INSERT INTO key_sets (project_id, id, description, publishable_client_key_hash, \
         publishable_client_key_last_four, secret_server_key_hash, secret_server_key_last_four, \
         super_secret_admin_key_hash, super_secret_admin_key_last_four, created_at, expires_at, revoked_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT (project_id, id) DO UPDATE SET description = excluded.description, \
         publishable_client_key_hash = excluded.publishable_client_key_hash, \
         publishable_client_key_last_four = excluded.publishable_client_key_last_four, \
         secret_server_key_hash = excluded.secret_server_key_hash, \
         secret_server_key_last_four = excluded.secret_server_key_last_four, \
         super_secret_admin_key_hash = excluded.super_secret_admin_key_hash, \
         super_secret_admin_key_last_four = excluded.super_secret_admin_key_last_four, \
         expires_at = excluded.expires_at, revoked_at = CASE WHEN \
         key_sets.publishable_client_key_hash = excluded.publishable_client_key_hash \
         OR key_sets.secret_server_key_hash = excluded.secret_server_key_hash \
         OR key_sets.super_secret_admin_key_hash = excluded.super_secret_admin_key_hash \
         THEN key_sets.revoked_at ELSE NULL END",
        args![
            row.project_id,
            row.id,
            row.description,
            row.publishable_client_key_hash,
            row.publishable_client_key_last_four,
            row.secret_server_key_hash,
            row.secret_server_key_last_four,
            row.super_secret_admin_key_hash,
            row.super_secret_admin_key_last_four,
            row.created_at,
            row.expires_at,
            row.revoked_at
        ],
    )
}
