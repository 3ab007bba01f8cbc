//! Requests of people who forgot their password, until their address is looked up behind the answer. Owns their rows and
//! SQL; whether anybody has the address is not known here.

use latchkey_api_types::ids::{PasswordResetRequestId, ProjectId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// One request.
    pub struct PasswordResetRequestRow {
        /// Project in which the address may be known.
        pub project_id: ProjectId,
        /// Identifier.
        pub id: PasswordResetRequestId,
        /// What was asked for, sealed.
        pub request_sealed: Vec<u8>,
        /// When, epoch milliseconds.
        pub created_at: i64,
    }
}

/// Inserts a request.
pub fn insert(row: &PasswordResetRequestRow) -> Stmt {
    stmt(
        "INSERT INTO password_reset_requests (project_id, id, request_sealed, created_at) VALUES ($1, $2, $3, $4)",
        args![row.project_id, row.id, row.request_sealed, row.created_at],
    )
}

/// Up to `limit` requests of whatever projects, oldest first.
pub async fn oldest(tx: &mut Tx, limit: i64) -> Result<Vec<PasswordResetRequestRow>, StorageError> {
    tx.query(
        "SELECT project_id, id, request_sealed, created_at FROM password_reset_requests \
         ORDER BY created_at, id LIMIT $1",
        args![limit],
    )
    .await
}

/// Removes a request. Affects no row if somebody else answered it.
pub fn delete(project: &ProjectId, id: PasswordResetRequestId) -> Stmt {
    stmt("DELETE FROM password_reset_requests WHERE project_id = $1 AND id = $2", args![project, id])
}
