//! What happened, for people who have to explain it later. Owns the rows and SQL.

use latchkey_api_types::ids::{AuditEventId, ProjectId, SessionId, UserId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// One event.
    pub struct AuditEventRow {
        /// Project in which it happened.
        pub project_id: ProjectId,
        /// Identifier.
        pub id: AuditEventId,
        /// When, epoch milliseconds.
        pub occurred_at: i64,
        /// What, in words with dots: `session.reuse_detected`.
        pub kind: String,
        /// Who: `user`, `server`, `admin`, `system`.
        pub actor: String,
        /// Whose account.
        pub user_id: Option<UserId>,
        /// Which session.
        pub session_id: Option<SessionId>,
        /// Address of the end user where it is known.
        pub ip: Option<String>,
        /// More, as a JSON object; never a secret.
        pub details: String,
    }
}

/// Inserts an event; part of the transaction that did it.
pub fn insert(row: &AuditEventRow) -> Stmt {
    stmt(
        "INSERT INTO audit_events (project_id, id, occurred_at, kind, actor, user_id, session_id, ip, details) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![
            row.project_id,
            row.id,
            row.occurred_at,
            row.kind,
            row.actor,
            row.user_id,
            row.session_id,
            row.ip,
            row.details
        ],
    )
}

/// All events about a user, oldest first.
pub async fn list_of_user(
    tx: &mut Tx,
    project: &ProjectId,
    user: UserId,
) -> Result<Vec<AuditEventRow>, StorageError> {
    tx.query(
        "SELECT project_id, id, occurred_at, kind, actor, user_id, session_id, ip, details FROM audit_events \
         WHERE project_id = $1 AND user_id = $2 ORDER BY occurred_at, id",
        args![project, user],
    )
    .await
}

/// The kind of the events that [`count_sign_up_rules`] counts.
pub const SIGN_UP_RULES_APPLIED: &str = "sign_up_rules.applied";

/// What sign-up rules did since `since`, as the details of the events say it, and how often.
pub async fn count_sign_up_rules(
    tx: &mut Tx,
    project: &ProjectId,
    since: i64,
) -> Result<Vec<(String, i64)>, StorageError> {
    // The kind stands in the text so that the partial index serves.
    tx.query(
        "SELECT details, COUNT(*) FROM audit_events WHERE project_id = $1 AND kind = 'sign_up_rules.applied' \
         AND occurred_at >= $2 GROUP BY details",
        args![project, since],
    )
    .await
}

/// Deletes up to [`AT_ONCE`](crate::AT_ONCE) events of a project from before `before`.
pub fn prune(project: &ProjectId, before: i64) -> Stmt {
    stmt(
        at_once!(
            "DELETE FROM audit_events WHERE project_id = $1 AND id IN (SELECT e.id FROM audit_events e \
         WHERE e.project_id = $1 AND e.occurred_at < $2 ORDER BY e.occurred_at"
        ),
        args![project, before],
    )
}
