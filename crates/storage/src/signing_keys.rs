//! Keys that sign access tokens: one `active` and one `next` per project and kind of user, and the retired ones
//! whose tokens may still live. Owns their rows and SQL; private keys are sealed by the caller.

use latchkey_api_types::ids::ProjectId;

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// One signing key.
    pub struct SigningKeyRow {
        /// Project whose users' tokens it signs.
        pub project_id: ProjectId,
        /// Key id as in the JWS header.
        pub kid: String,
        /// `normal`, `restricted` or `anonymous`.
        pub user_kind: String,
        /// `active`, `next` or `retired`.
        pub state: String,
        /// PKCS#8 private key, sealed.
        pub private_key_sealed: Vec<u8>,
        /// Public JWK as JSON text.
        pub public_jwk: String,
        /// Creation, epoch milliseconds.
        pub created_at: i64,
        /// When it stopped signing, epoch milliseconds.
        pub retired_at: Option<i64>,
    }
}

/// All keys of a project, oldest first.
pub async fn list(tx: &mut Tx, project: &ProjectId) -> Result<Vec<SigningKeyRow>, StorageError> {
    tx.query(
        "SELECT project_id, kid, user_kind, state, private_key_sealed, public_jwk, created_at, retired_at \
         FROM signing_keys WHERE project_id = $1 ORDER BY created_at, kid",
        args![project],
    )
    .await
}

/// Whether a key signs or will sign.
pub async fn is_in_use(tx: &mut Tx, project: &ProjectId, kid: &str) -> Result<bool, StorageError> {
    tx.exists(
        "SELECT 1 FROM signing_keys WHERE project_id = $1 AND kid = $2 AND state IN ('active', 'next')",
        args![project, kid],
    )
    .await
}

/// Inserts a key unless one of its state exists already for its kind of user: the first of several racers wins.
pub fn insert_if_absent(row: &SigningKeyRow) -> Stmt {
    stmt(
        "INSERT INTO signing_keys (project_id, kid, user_kind, state, private_key_sealed, public_jwk, \
         created_at, retired_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        args![
            row.project_id,
            row.kid,
            row.user_kind,
            row.state,
            row.private_key_sealed,
            row.public_jwk,
            row.created_at,
            row.retired_at
        ],
    )
}

/// Retires the active key of one kind of user. Guard it with `exactly(1)` on `kid`.
pub fn retire(project: &ProjectId, kid: &str, now: i64) -> Stmt {
    stmt(
        "UPDATE signing_keys SET state = 'retired', retired_at = $3 \
         WHERE project_id = $1 AND kid = $2 AND state = 'active'",
        args![project, kid, now],
    )
}

/// Makes the announced key the signing one. Guard it with `exactly(1)` on `kid`.
pub fn activate(project: &ProjectId, kid: &str) -> Stmt {
    stmt(
        "UPDATE signing_keys SET state = 'active' WHERE project_id = $1 AND kid = $2 AND state = 'next'",
        args![project, kid],
    )
}

/// Replaces the sealed private key, when the master key was changed.
pub fn reseal(project: &ProjectId, kid: &str, private_key_sealed: &[u8]) -> Stmt {
    stmt(
        "UPDATE signing_keys SET private_key_sealed = $3 WHERE project_id = $1 AND kid = $2",
        args![project, kid, private_key_sealed],
    )
}

/// Deletes up to [`AT_ONCE`](crate::AT_ONCE) keys that were retired before `before`, whatever their project.
pub fn prune(before: i64) -> Stmt {
    stmt(
        at_once!(
            "DELETE FROM signing_keys WHERE (project_id, kid) IN (SELECT k.project_id, k.kid FROM signing_keys k \
         WHERE k.state = 'retired' AND k.retired_at < $1"
        ),
        args![before],
    )
}
