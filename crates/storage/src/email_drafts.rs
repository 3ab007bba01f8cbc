//! Drafts of mails. Owns their rows and SQL.

use latchkey_api_types::ids::{EmailDraftId, ProjectId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// A draft.
    pub struct EmailDraftRow {
        /// Whose it is.
        pub project_id: ProjectId,
        /// Identifier.
        pub id: EmailDraftId,
        /// Its name.
        pub display_name: String,
        /// What the mail says: the source of a template.
        pub source: String,
        /// The id of its theme, or `false` for none; the project's if absent.
        pub theme_id: Option<String>,
        /// When it was sent, epoch milliseconds.
        pub sent_at: Option<i64>,
        /// When it was made.
        pub created_at: i64,
        /// When it changed last.
        pub updated_at: i64,
    }
}

/// One draft; `None` if there is none.
pub async fn get(
    tx: &mut Tx,
    project: &ProjectId,
    id: EmailDraftId,
) -> Result<Option<EmailDraftRow>, StorageError> {
    tx.query_opt(
        "SELECT project_id, id, display_name, source, theme_id, sent_at, created_at, updated_at FROM email_drafts \
         WHERE project_id = $1 AND id = $2",
        args![project, id],
    )
    .await
}

/// The newest drafts of a project that were not sent, at most `limit`.
pub async fn list(tx: &mut Tx, project: &ProjectId, limit: i64) -> Result<Vec<EmailDraftRow>, StorageError> {
    tx.query(
        "SELECT project_id, id, display_name, source, theme_id, sent_at, created_at, updated_at FROM email_drafts \
         WHERE project_id = $1 AND sent_at IS NULL ORDER BY updated_at DESC, id LIMIT $2",
        args![project, limit],
    )
    .await
}

/// Inserts a draft.
pub fn insert(row: &EmailDraftRow) -> Stmt {
    stmt(
        "INSERT INTO email_drafts (project_id, id, display_name, source, theme_id, sent_at, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        args![
            row.project_id,
            row.id,
            row.display_name,
            row.source,
            row.theme_id,
            row.sent_at,
            row.created_at,
            row.updated_at
        ],
    )
}

/// Writes what may change about a draft that was read in the same transaction.
pub fn update(row: &EmailDraftRow) -> Stmt {
    stmt(
        "UPDATE email_drafts SET display_name = $3, source = $4, theme_id = $5, updated_at = $6 \
         WHERE project_id = $1 AND id = $2",
        args![row.project_id, row.id, row.display_name, row.source, row.theme_id, row.updated_at],
    )
}

/// Notes that a draft was sent.
pub fn note_sent(project: &ProjectId, id: EmailDraftId, now: i64) -> Stmt {
    stmt("UPDATE email_drafts SET sent_at = $3 WHERE project_id = $1 AND id = $2", args![project, id, now])
}

/// Deletes a draft.
pub fn delete(project: &ProjectId, id: EmailDraftId) -> Stmt {
    stmt("DELETE FROM email_drafts WHERE project_id = $1 AND id = $2", args![project, id])
}
