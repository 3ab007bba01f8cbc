//! Which kinds of mail a user wants. Owns the rows in which somebody decided, and their SQL; kinds and defaults are in
//! `latchkey-identity`.

use latchkey_api_types::ids::{NotificationCategoryId, ProjectId, UserId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// One decision.
    pub struct NotificationPreferenceRow {
        /// About which kind.
        pub category_id: NotificationCategoryId,
        /// Whether mail of this kind is wanted.
        pub enabled: bool,
    }
}

/// What a user decided.
pub async fn list(
    tx: &mut Tx,
    project: &ProjectId,
    user: UserId,
) -> Result<Vec<NotificationPreferenceRow>, StorageError> {
    tx.query(
        "SELECT category_id, enabled FROM notification_preferences WHERE project_id = $1 AND user_id = $2",
        args![project, user],
    )
    .await
}

/// Notes a decision. Violates the foreign key if there is no such user.
pub fn set(project: &ProjectId, user: UserId, category: NotificationCategoryId, enabled: bool) -> Stmt {
    stmt(
        "INSERT INTO notification_preferences (project_id, user_id, category_id, enabled) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (project_id, user_id, category_id) DO UPDATE SET enabled = excluded.enabled",
        args![project, user, category, enabled],
    )
}
