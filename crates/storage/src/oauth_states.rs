//! OAuth flows between the authorization request and the callback. Owns their rows and SQL; states are hashes here, and
//! what a flow remembers is sealed.

use latchkey_api_types::ids::ProjectId;
use latchkey_crypto::TokenHash;

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// One flow.
    pub struct OauthStateRow {
        /// Project in which somebody signs in.
        pub project_id: ProjectId,
        /// Hash of the state.
        pub state_hash: TokenHash,
        /// What the flow remembers, sealed.
        pub flow_sealed: Vec<u8>,
        /// Whether the browser that began it was given a cookie, and must show it.
        pub has_cookie: bool,
        /// Beginning, epoch milliseconds.
        pub created_at: i64,
    }
}

/// Inserts a flow.
pub fn insert(row: &OauthStateRow) -> Stmt {
    stmt(
        "INSERT INTO oauth_states (project_id, state_hash, flow_sealed, has_cookie, created_at) \
         VALUES ($1, $2, $3, $4, $5)",
        args![row.project_id, row.state_hash, row.flow_sealed, row.has_cookie, row.created_at],
    )
}

/// The flow of a state.
pub async fn get(
    tx: &mut Tx,
    project: &ProjectId,
    state: &TokenHash,
) -> Result<Option<OauthStateRow>, StorageError> {
    tx.query_opt(
        "SELECT project_id, state_hash, flow_sealed, has_cookie, created_at FROM oauth_states \
         WHERE project_id = $1 AND state_hash = $2",
        args![project, state],
    )
    .await
}

/// Takes a flow away. Affects no row if somebody else did.
pub fn claim(project: &ProjectId, state: &TokenHash) -> Stmt {
    stmt("DELETE FROM oauth_states WHERE project_id = $1 AND state_hash = $2", args![project, state])
}

/// Deletes up to [`AT_ONCE`](crate::AT_ONCE) flows that began before `before`, whatever their project.
pub fn prune(before: i64) -> Stmt {
    stmt(
        at_once!(
            "DELETE FROM oauth_states WHERE (project_id, state_hash) IN (SELECT s.project_id, s.state_hash \
         FROM oauth_states s WHERE s.created_at < $1"
        ),
        args![before],
    )
}
