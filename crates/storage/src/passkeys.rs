//! Passkeys of users. Owns their rows and SQL; what makes one acceptable is decided in `latchkey-identity`.

use latchkey_api_types::ids::{PasskeyId, ProjectId, UserId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// One passkey.
    pub struct PasskeyRow {
        /// Project of the user.
        pub project_id: ProjectId,
        /// Identifier.
        pub id: PasskeyId,
        /// Owner.
        pub user_id: UserId,
        /// What the owner calls it.
        pub name: String,
        /// The authenticator's id of it; unique in the project.
        pub credential_id: Vec<u8>,
        /// `COSE_Key` (RFC 9052 section 7).
        pub public_key: Vec<u8>,
        /// The relying party id that it belongs to.
        pub rp_id: String,
        /// The model of the authenticator, a UUID; zeros if it did not tell.
        pub aaguid: String,
        /// The last signature counter; zero from authenticators that do not count.
        pub sign_count: i64,
        /// Whether its owner may copy it to other devices.
        pub is_backup_eligible: bool,
        /// Whether it was copied when last seen.
        pub is_backed_up: bool,
        /// Registration, epoch milliseconds.
        pub created_at: i64,
        /// Last sign-in, epoch milliseconds.
        pub last_used_at: Option<i64>,
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT project_id, id, user_id, name, credential_id, public_key, rp_id, aaguid, sign_count, \
             is_backup_eligible, is_backed_up, created_at, last_used_at FROM passkeys ",
            $rest
        )
    };
}

/// All passkeys of a user, oldest first.
pub async fn list(tx: &mut Tx, project: &ProjectId, user: UserId) -> Result<Vec<PasskeyRow>, StorageError> {
    tx.query(select!("WHERE project_id = $1 AND user_id = $2 ORDER BY created_at, id"), args![project, user])
        .await
}

/// One passkey of a user.
pub async fn get(
    tx: &mut Tx,
    project: &ProjectId,
    user: UserId,
    id: PasskeyId,
) -> Result<Option<PasskeyRow>, StorageError> {
    tx.query_opt(select!("WHERE project_id = $1 AND user_id = $2 AND id = $3"), args![project, user, id])
        .await
}

/// The passkey with this credential id, whoever owns it.
pub async fn by_credential_id(
    tx: &mut Tx,
    project: &ProjectId,
    credential_id: &[u8],
) -> Result<Option<PasskeyRow>, StorageError> {
    tx.query_opt(select!("WHERE project_id = $1 AND credential_id = $2"), args![project, credential_id]).await
}

/// Inserts a passkey. Violates `passkeys_credential_id_key` if the credential is registered already.
pub fn insert(row: &PasskeyRow) -> Stmt {
    stmt(
        "INSERT INTO passkeys (project_id, id, user_id, name, credential_id, public_key, rp_id, aaguid, sign_count, \
         is_backup_eligible, is_backed_up, created_at, last_used_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        args![
            row.project_id,
            row.id,
            row.user_id,
            row.name,
            row.credential_id,
            row.public_key,
            row.rp_id,
            row.aaguid,
            row.sign_count,
            row.is_backup_eligible,
            row.is_backed_up,
            row.created_at,
            row.last_used_at
        ],
    )
}

/// Notes a sign-in. Affects no row if the passkey is gone or its counter has moved on meanwhile, so that of two
/// answers with one count only one is used. Authenticators that do not count always send zero.
pub fn note_use(project: &ProjectId, id: PasskeyId, sign_count: i64, is_backed_up: bool, now: i64) -> Stmt {
    stmt(
        "UPDATE passkeys SET sign_count = $3, is_backed_up = $4, last_used_at = $5 \
         WHERE project_id = $1 AND id = $2 AND (sign_count < $3 OR (sign_count = 0 AND $3 = 0))",
        args![project, id, sign_count, is_backed_up, now],
    )
}

/// Gives a passkey another name.
pub fn rename(project: &ProjectId, user: UserId, id: PasskeyId, name: &str) -> Stmt {
    stmt(
        "UPDATE passkeys SET name = $4 WHERE project_id = $1 AND user_id = $2 AND id = $3",
        args![project, user, id, name],
    )
}

/// Removes a passkey of a user.
pub fn delete(project: &ProjectId, user: UserId, id: PasskeyId) -> Stmt {
    stmt("DELETE FROM passkeys WHERE project_id = $1 AND user_id = $2 AND id = $3", args![project, user, id])
}

/// Removes all passkeys of a user.
pub fn delete_of_user(project: &ProjectId, user: UserId) -> Stmt {
    stmt("DELETE FROM passkeys WHERE project_id = $1 AND user_id = $2", args![project, user])
}
