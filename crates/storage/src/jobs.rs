//! Work to be done after a transaction, at least once. Owns the rows and SQL of `jobs`; what a job means is the
//! business of whoever put it there. Retried jobs keep their row; finished ones lose it; hopeless ones stay as `dead`.

use crate::engine::{Sql, Stmt, args, record, stmt};

record! {
    /// A job that somebody has claimed.
    pub struct JobRow {
        /// Identifier.
        pub id: String,
        /// Project on whose behalf it runs; `None` for the deployment itself.
        pub project_id: Option<String>,
        /// Kind of work, such as `mail`.
        pub queue: String,
        /// What to do, in a form that the queue defines.
        pub payload: Vec<u8>,
        /// How often it has been claimed, this time included.
        pub attempts: i64,
        /// When it was queued, epoch milliseconds.
        pub created_at: i64,
    }
}

/// Queues a job. Put it into the batch whose consequence it is.
pub fn insert_stmt(
    id: &str,
    project: Option<&str>,
    queue: &str,
    payload: &[u8],
    run_at: i64,
    now: i64,
) -> Stmt {
    stmt(
        "INSERT INTO jobs (id, project_id, queue, payload, state, run_at, attempts, created_at) \
         VALUES ($1, $2, $3, $4, 'queued', $5, 0, $6)",
        args![id, project, queue, payload, run_at, now],
    )
}

const CLAIM: Sql = Sql::both(
    "UPDATE jobs SET locked_until = $3, attempts = attempts + 1 \
     WHERE id IN (SELECT id FROM jobs WHERE queue = $1 AND state = 'queued' AND run_at <= $2 \
     AND (locked_until IS NULL OR locked_until <= $2) ORDER BY run_at, id LIMIT $4) \
     RETURNING id, project_id, queue, payload, attempts, created_at",
)
// Racing servers pass each other instead of waiting; ARRAY makes sure that the choice is made once.
.postgres(
    "UPDATE jobs SET locked_until = $3, attempts = attempts + 1 \
     WHERE id = ANY (ARRAY(SELECT id FROM jobs WHERE queue = $1 AND state = 'queued' AND run_at <= $2 \
     AND (locked_until IS NULL OR locked_until <= $2) ORDER BY run_at, id LIMIT $4 FOR UPDATE SKIP LOCKED)) \
     RETURNING id, project_id, queue, payload, attempts, created_at",
);

/// Claims up to `limit` due jobs of a queue until `lease_until`, those that are due longest. Each goes to one claimant;
/// one whose lease has run out (its claimant died) is due again. Times are epoch milliseconds.
///
/// Run it as the only statement of a [`crate::engine::Store::batch`] and read the outcome as [`JobRow`]s.
pub fn claim(queue: &str, now: i64, lease_until: i64, limit: i64) -> Stmt {
    stmt(CLAIM, args![queue, now, lease_until, limit])
}

/// Removes a job that is done. Touches no row if the lease ran out and somebody else claimed it meanwhile: `attempts`
/// is that of the claimed row.
pub fn complete(id: &str, attempts: i64) -> Stmt {
    stmt("DELETE FROM jobs WHERE id = $1 AND attempts = $2", args![id, attempts])
}

/// Gives a failed job back, due again at `run_at`. `error` is for the operator and holds no secret.
pub fn retry_later(id: &str, attempts: i64, run_at: i64, error: &str) -> Stmt {
    stmt(
        "UPDATE jobs SET run_at = $3, locked_until = NULL, last_error = $4 WHERE id = $1 AND attempts = $2",
        args![id, attempts, run_at, error],
    )
}

/// Gives a job up; it stays for the operator to see.
pub fn bury(id: &str, attempts: i64, error: &str) -> Stmt {
    stmt(
        "UPDATE jobs SET state = 'dead', locked_until = NULL, last_error = $3 WHERE id = $1 AND attempts = $2",
        args![id, attempts, error],
    )
}

/// Deletes up to [`AT_ONCE`](crate::AT_ONCE) jobs that were given up and are from before `before`.
pub fn prune(before: i64) -> Stmt {
    stmt(
        at_once!(
            "DELETE FROM jobs WHERE id IN (SELECT j.id FROM jobs j WHERE j.state = 'dead' AND j.created_at < $1"
        ),
        args![before],
    )
}
