//! Mail to all users of a project, on its way into the outbox. Owns the rows and SQL of `mailings`; what a mail says is
//! the business of `latchkey-identity`.
//!
//! Whoever works on a mailing claims it for a while; `reached` tells how far it has come, and every step proves by it
//! that nobody else made the same one.

use latchkey_api_types::ids::{MailingId, ProjectId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// A mailing that somebody has claimed.
    pub struct MailingRow {
        /// Whose users.
        pub project_id: ProjectId,
        /// Identifier.
        pub id: MailingId,
        /// The mail, sealed.
        pub mail_sealed: Vec<u8>,
        /// The last user who has it: an id, or nothing.
        pub reached: String,
    }
}

/// Begins a mailing, as of `now` in epoch milliseconds.
pub fn insert(project: &ProjectId, id: MailingId, mail_sealed: &[u8], now: i64) -> Stmt {
    stmt(
        "INSERT INTO mailings (project_id, id, mail_sealed, reached, locked_until, created_at) \
         VALUES ($1, $2, $3, '', 0, $4)",
        args![project, id, mail_sealed, now],
    )
}

/// Claims one mailing of a living project until `lease_until`. Gives a [`MailingRow`] if there is one.
pub fn claim(now: i64, lease_until: i64) -> Stmt {
    stmt(
        "UPDATE mailings SET locked_until = $2 WHERE locked_until <= $1 AND (project_id, id) IN \
         (SELECT m.project_id, m.id FROM mailings m JOIN projects p ON p.id = m.project_id \
         WHERE m.locked_until <= $1 AND p.deleted_at IS NULL ORDER BY m.locked_until, m.created_at, m.id LIMIT 1) \
         RETURNING project_id, id, mail_sealed, reached",
        args![now, lease_until],
    )
}

/// Notes how far a mailing has come, for the batch that makes the step. Touches no row if somebody else was faster.
pub fn advance(mailing: &MailingRow, reached: &str, lease_until: i64) -> Stmt {
    stmt(
        "UPDATE mailings SET reached = $4, locked_until = $5 WHERE project_id = $1 AND id = $2 AND reached = $3",
        args![mailing.project_id, mailing.id, mailing.reached, reached, lease_until],
    )
}

/// Ends a mailing that has come to its last user. Touches no row if somebody else was faster.
pub fn finish(mailing: &MailingRow) -> Stmt {
    stmt(
        "DELETE FROM mailings WHERE project_id = $1 AND id = $2 AND reached = $3",
        args![mailing.project_id, mailing.id, mailing.reached],
    )
}

/// All mailings of a project.
pub async fn list(tx: &mut Tx, project: &ProjectId) -> Result<Vec<MailingRow>, StorageError> {
    tx.query(
        "SELECT project_id, id, mail_sealed, reached FROM mailings WHERE project_id = $1",
        args![project],
    )
    .await
}

/// Replaces a seal by another one of the same mail.
pub fn reseal(mailing: &MailingRow, mail_sealed: &[u8]) -> Stmt {
    stmt(
        "UPDATE mailings SET mail_sealed = $3 WHERE project_id = $1 AND id = $2",
        args![mailing.project_id, mailing.id, mail_sealed],
    )
}
