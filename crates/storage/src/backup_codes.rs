//! Backup codes: second factors for the day when the phone is lost. Owns the rows and SQL; codes are hashes here.

use latchkey_api_types::ids::{ProjectId, UserId};
use latchkey_crypto::TokenHash;

use crate::engine::{Stmt, StorageError, Tx, args, stmt};

/// Inserts a code that works once.
pub fn insert(project: &ProjectId, user: UserId, code: &TokenHash, now: i64) -> Stmt {
    stmt(
        "INSERT INTO backup_codes (project_id, user_id, code_hash, created_at) VALUES ($1, $2, $3, $4)",
        args![project, user, code, now],
    )
}

/// Uses a code. Affects no row if it is unknown or was used.
pub fn claim(project: &ProjectId, user: UserId, code: &TokenHash, now: i64) -> Stmt {
    stmt(
        "UPDATE backup_codes SET used_at = $4 \
         WHERE project_id = $1 AND user_id = $2 AND code_hash = $3 AND used_at IS NULL",
        args![project, user, code, now],
    )
}

/// Whether a code is there and was not used.
pub async fn is_valid(
    tx: &mut Tx,
    project: &ProjectId,
    user: UserId,
    code: &TokenHash,
) -> Result<bool, StorageError> {
    tx.exists(
        "SELECT 1 FROM backup_codes \
         WHERE project_id = $1 AND user_id = $2 AND code_hash = $3 AND used_at IS NULL",
        args![project, user, code],
    )
    .await
}

/// How many codes of a user were not used yet.
pub async fn count_left(tx: &mut Tx, project: &ProjectId, user: UserId) -> Result<i64, StorageError> {
    let (count,): (i64,) = tx
        .query_one(
            "SELECT COUNT(*) FROM backup_codes WHERE project_id = $1 AND user_id = $2 AND used_at IS NULL",
            args![project, user],
        )
        .await?;
    Ok(count)
}

/// Deletes the codes of a user.
pub fn delete_of_user(project: &ProjectId, user: UserId) -> Stmt {
    stmt("DELETE FROM backup_codes WHERE project_id = $1 AND user_id = $2", args![project, user])
}
