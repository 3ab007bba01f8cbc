//! Work to be done after a transaction, at least once. Owns the rows and SQL of `jobs`; what a job means is the
//! business of whoever put it there. Failed jobs keep their row; finished ones lose it; hopeless ones stay as `dead`.

use crate::engine::{Outcome, Sql, Stmt, StorageError, Store, ToValue, args, record, stmt};

// Until the typed ids arrive.
type JobId = String;
type ProjectId = String;

record! {
    /// A job that somebody has claimed.
    pub struct JobRow {
        /// Identifier.
        pub id: JobId,
        /// Project on whose behalf it runs; `None` for the deployment itself.
        pub project_id: Option<ProjectId>,
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

/// A job to be queued.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Identifier.
    pub id: JobId,
    /// Project on whose behalf it runs; `None` for the deployment itself.
    pub project_id: Option<ProjectId>,
    /// Kind of work.
    pub queue: &'static str,
    /// What to do; sealed if it holds secrets.
    pub payload: Vec<u8>,
    /// When it is due, epoch milliseconds.
    pub run_at: i64,
    /// Now, epoch milliseconds.
    pub created_at: i64,
}

/// Queues a job. Put it into the batch whose consequence it is.
pub fn insert(job: &NewJob) -> Stmt {
    stmt(
        "INSERT INTO jobs (id, project_id, queue, payload, state, run_at, attempts, created_at) \
         VALUES ($1, $2, $3, $4, 'queued', $5, 0, $6)",
        args![job.id, job.project_id, job.queue, job.payload, job.run_at, job.created_at],
    )
}

const CLAIM: Sql = Sql::both(
    "UPDATE jobs SET locked_until = $3, attempts = attempts + 1 \
     WHERE id IN (SELECT id FROM jobs WHERE queue = $1 AND state = 'queued' AND run_at <= $2 \
     AND (locked_until IS NULL OR locked_until <= $2) ORDER BY run_at, id LIMIT $4) \
     RETURNING id, project_id, queue, payload, attempts, created_at",
)
.postgres(
    "UPDATE jobs SET locked_until = $3, attempts = attempts + 1 \
     WHERE id = ANY (ARRAY(SELECT id FROM jobs WHERE queue = $1 AND state = 'queued' AND run_at <= $2 \
     AND (locked_until IS NULL OR locked_until <= $2) ORDER BY run_at, id LIMIT $4 FOR UPDATE SKIP LOCKED)) \
     RETURNING id, project_id, queue, payload, attempts, created_at",
);

/// Claims up to `limit` due jobs of a queue until `lease_until`, those that are due longest. Each goes to one claimant;
/// one whose lease has run out (its claimant died) is due again. Times are epoch milliseconds.
pub async fn claim(
    store: &Store,
    queue: &str,
    now: i64,
    lease_until: i64,
    limit: i64,
) -> Result<Vec<JobRow>, StorageError> {
    let outcomes = store.batch(vec![stmt(CLAIM, args![queue, now, lease_until, limit])]).await?;
    outcomes.first().map_or_else(|| Ok(Vec::new()), Outcome::read)
}

/// Removes a job that is done.
pub fn complete(id: impl ToValue) -> Stmt {
    stmt("DELETE FROM jobs WHERE id = $1", args![id])
}

/// Gives a failed job back, due again at `run_at`. `error` is for the operator and holds no secret.
pub fn retry_later(id: impl ToValue, run_at: i64, error: &str) -> Stmt {
    stmt(
        "UPDATE jobs SET run_at = $2, locked_until = NULL, last_error = $3 WHERE id = $1",
        args![id, run_at, error],
    )
}

/// Gives a job up; it stays for the operator to see.
pub fn bury(id: impl ToValue, error: &str) -> Stmt {
    stmt(
        "UPDATE jobs SET state = 'dead', locked_until = NULL, last_error = $2 WHERE id = $1",
        args![id, error],
    )
}
