//! How fast a project's mail may leave. Owns the rows and SQL of `mail_capacities`; the speeds are in
//! `latchkey-identity`.

use latchkey_api_types::ids::ProjectId;

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

/// No mail of the project leaves before `until`, epoch milliseconds.
pub fn hold(project: &ProjectId, until: i64) -> Stmt {
    stmt(
        "INSERT INTO mail_capacities (project_id, held_until, boost_expires_at) VALUES ($1, $2, 0) \
         ON CONFLICT (project_id) DO UPDATE SET held_until = excluded.held_until",
        args![project, until],
    )
}

/// The project's mail may leave again.
pub fn let_go(project: &ProjectId) -> Stmt {
    stmt("UPDATE mail_capacities SET held_until = 0 WHERE project_id = $1", args![project])
}

/// Begins a boost that ends at `expires_at`; touches no row while another one lasts. Epoch milliseconds.
pub fn begin_boost(project: &ProjectId, expires_at: i64, now: i64) -> Stmt {
    stmt(
        "INSERT INTO mail_capacities (project_id, held_until, boost_expires_at) VALUES ($1, 0, $2) \
         ON CONFLICT (project_id) DO UPDATE SET boost_expires_at = excluded.boost_expires_at \
         WHERE mail_capacities.boost_expires_at <= $3",
        args![project, expires_at, now],
    )
}

/// When the last boost of a project ends or ended, epoch milliseconds; `None` if there was none.
pub async fn boost_expires_at(tx: &mut Tx, project: &ProjectId) -> Result<Option<i64>, StorageError> {
    let found: Option<(i64,)> = tx
        .query_opt("SELECT boost_expires_at FROM mail_capacities WHERE project_id = $1", args![project])
        .await?;
    Ok(found.map(|(at,)| at).filter(|at| *at > 0))
}

record! {
    /// A project whose mail may go faster.
    pub struct BoostedProject {
        /// Which one.
        pub project_id: ProjectId,
    }
}

/// The projects whose boost lasts.
pub async fn boosted(tx: &mut Tx, now: i64) -> Result<Vec<BoostedProject>, StorageError> {
    tx.query("SELECT project_id FROM mail_capacities WHERE boost_expires_at > $1", args![now]).await
}
