//! Permissions that users hold directly in their project. Owns their rows and SQL; what a permission contains, and
//! whether it is defined at all, is the business of `latchkey-identity`.

use latchkey_api_types::ids::{ProjectId, UserId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// One permission held directly.
    pub struct ProjectPermissionRow {
        /// By whom.
        pub user_id: UserId,
        /// Which.
        pub permission_id: String,
    }
}

/// What is held directly in a project, by one user if named; in no order.
pub async fn list(
    tx: &mut Tx,
    project: &ProjectId,
    user: Option<UserId>,
) -> Result<Vec<ProjectPermissionRow>, StorageError> {
    match user {
        None => {
            tx.query(
                "SELECT user_id, permission_id FROM project_permissions WHERE project_id = $1",
                args![project],
            )
            .await
        }
        Some(user) => {
            tx.query(
                "SELECT user_id, permission_id FROM project_permissions WHERE project_id = $1 AND user_id = $2",
                args![project, user],
            )
            .await
        }
    }
}

/// Gives a user a permission; nothing happens if it is held directly. Violates the foreign key if there is no such
/// user.
pub fn grant(project: &ProjectId, user: UserId, permission: &str, now: i64) -> Stmt {
    stmt(
        "INSERT INTO project_permissions (project_id, user_id, permission_id, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (project_id, user_id, permission_id) DO NOTHING",
        args![project, user, permission, now],
    )
}

/// Takes a directly held permission away.
pub fn revoke(project: &ProjectId, user: UserId, permission: &str) -> Stmt {
    stmt(
        "DELETE FROM project_permissions WHERE project_id = $1 AND user_id = $2 AND permission_id = $3",
        args![project, user, permission],
    )
}

/// Takes a permission away from everybody.
pub fn revoke_everywhere(project: &ProjectId, permission: &str) -> Stmt {
    stmt(
        "DELETE FROM project_permissions WHERE project_id = $1 AND permission_id = $2",
        args![project, permission],
    )
}

/// Lets a permission be held under another id. Nobody may hold one of that id.
pub fn rename(project: &ProjectId, from: &str, to: &str) -> Stmt {
    stmt(
        "UPDATE project_permissions SET permission_id = $3 WHERE project_id = $1 AND permission_id = $2",
        args![project, from, to],
    )
}
