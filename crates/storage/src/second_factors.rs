//! What a user's TOTP needs beside its secret: a secret that waits for its first code, the last step that was
//! accepted, and how often somebody failed. Owns the rows and SQL. A row appears with the first attempt.

use latchkey_api_types::ids::{ProjectId, UserId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// The state of a user's second factor.
    pub struct SecondFactorRow {
        /// A secret that was shown and not yet confirmed by a code, sealed.
        pub pending_secret_sealed: Option<Vec<u8>>,
        /// Until when it can be, epoch milliseconds.
        pub pending_expires_at: Option<i64>,
        /// The last TOTP step that was accepted; older ones and itself are not accepted again.
        pub last_step: i64,
        /// Attempts since the last success.
        pub failures: i64,
        /// No attempt before then, epoch milliseconds.
        pub locked_until: i64,
    }
}

macro_rules! select {
    () => {
        "SELECT pending_secret_sealed, pending_expires_at, last_step, failures, locked_until FROM second_factors \
         WHERE project_id = $1 AND user_id = $2"
    };
}

/// The state of a user's second factor; `None` if nobody tried one yet.
pub async fn get(
    tx: &mut Tx,
    project: &ProjectId,
    user: UserId,
) -> Result<Option<SecondFactorRow>, StorageError> {
    tx.query_opt(select!(), args![project, user]).await
}

/// The same as a statement, so that it can follow an attempt. Gives a [`SecondFactorRow`].
pub fn find(project: &ProjectId, user: UserId) -> Stmt {
    stmt(select!(), args![project, user])
}

/// Makes sure that there is a row. Violates a foreign key if there is no such user.
pub fn ensure(project: &ProjectId, user: UserId) -> Stmt {
    stmt(
        "INSERT INTO second_factors (project_id, user_id, last_step, failures, locked_until) \
         VALUES ($1, $2, 0, 0, 0) ON CONFLICT (project_id, user_id) DO NOTHING",
        args![project, user],
    )
}

/// Takes an attempt, before it is known whether it succeeds, so that attempts at the same time are counted as well.
/// Affects no row while the user is locked. The first five attempts are free; each one after that locks for twice as
/// long as the one before it: half a minute at first, an hour at most.
pub fn take_attempt(project: &ProjectId, user: UserId, now: i64) -> Stmt {
    stmt(
        "UPDATE second_factors SET failures = failures + 1, locked_until = CASE failures \
         WHEN 0 THEN 0 WHEN 1 THEN 0 WHEN 2 THEN 0 WHEN 3 THEN 0 WHEN 4 THEN CAST($3 AS BIGINT) + 30000 WHEN 5 THEN $3 + 60000 \
         WHEN 6 THEN $3 + 120000 WHEN 7 THEN $3 + 240000 WHEN 8 THEN $3 + 480000 WHEN 9 THEN $3 + 960000 \
         WHEN 10 THEN $3 + 1920000 ELSE $3 + 3600000 END \
         WHERE project_id = $1 AND user_id = $2 AND locked_until <= $3",
        args![project, user, now],
    )
}

/// Accepts a TOTP step, which forgives the failures. Affects no row if it, or a later one, was accepted before.
pub fn accept_step(project: &ProjectId, user: UserId, step: i64) -> Stmt {
    stmt(
        "UPDATE second_factors SET last_step = $3, failures = 0, locked_until = 0 \
         WHERE project_id = $1 AND user_id = $2 AND last_step < $3",
        args![project, user, step],
    )
}

/// Forgives the failures.
pub fn forgive(project: &ProjectId, user: UserId) -> Stmt {
    stmt(
        "UPDATE second_factors SET failures = 0, locked_until = 0 WHERE project_id = $1 AND user_id = $2",
        args![project, user],
    )
}

/// Keeps a secret that waits for its first code, in place of another one that waits.
pub fn set_pending(project: &ProjectId, user: UserId, sealed: &[u8], expires_at: i64) -> Stmt {
    stmt(
        "INSERT INTO second_factors (project_id, user_id, pending_secret_sealed, pending_expires_at, last_step, \
         failures, locked_until) VALUES ($1, $2, $3, $4, 0, 0, 0) ON CONFLICT (project_id, user_id) DO UPDATE SET \
         pending_secret_sealed = excluded.pending_secret_sealed, pending_expires_at = excluded.pending_expires_at",
        args![project, user, sealed, expires_at],
    )
}

/// Ends the waiting of a secret whose first code was of `step`. Affects no row if that secret does not wait any more.
pub fn confirm_pending(project: &ProjectId, user: UserId, sealed: &[u8], step: i64) -> Stmt {
    stmt(
        "UPDATE second_factors SET pending_secret_sealed = NULL, pending_expires_at = NULL, last_step = $4, \
         failures = 0, locked_until = 0 WHERE project_id = $1 AND user_id = $2 AND pending_secret_sealed = $3",
        args![project, user, sealed, step],
    )
}

/// Forgets what belongs to the secret of a user. The attempts stay: they were made at the user.
pub fn forget_secret(project: &ProjectId, user: UserId) -> Stmt {
    stmt(
        "UPDATE second_factors SET pending_secret_sealed = NULL, pending_expires_at = NULL, last_step = 0 \
         WHERE project_id = $1 AND user_id = $2",
        args![project, user],
    )
}

/// Forgets everything about a user's second factor.
pub fn delete(project: &ProjectId, user: UserId) -> Stmt {
    stmt("DELETE FROM second_factors WHERE project_id = $1 AND user_id = $2", args![project, user])
}
