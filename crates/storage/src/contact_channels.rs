//! Contact channels: the addresses of a user. Owns their rows and SQL; the rules about primary and verified
//! addresses are in `latchkey-identity`.

use latchkey_api_types::ids::{ContactChannelId, ProjectId, UserId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// One contact channel.
    pub struct ContactChannelRow {
        /// Project of the user.
        pub project_id: ProjectId,
        /// Identifier.
        pub id: ContactChannelId,
        /// Owner.
        pub user_id: UserId,
        /// Kind of channel; today always `email`.
        pub kind: String,
        /// Normalised address.
        pub value: String,
        /// At most one per user and kind.
        pub is_primary: bool,
        /// Whether the user proved to own it.
        pub is_verified: bool,
        /// Whether it can be used to sign in; unique in the project then.
        pub used_for_auth: bool,
        /// Creation, epoch milliseconds.
        pub created_at: i64,
    }
}

/// All channels of a user, oldest first.
pub async fn list(
    tx: &mut Tx,
    project: &ProjectId,
    user: UserId,
) -> Result<Vec<ContactChannelRow>, StorageError> {
    tx.query(
        "SELECT project_id, id, user_id, type, value, is_primary, is_verified, used_for_auth, created_at \
         FROM contact_channels WHERE project_id = $1 AND user_id = $2 ORDER BY created_at, id",
        args![project, user],
    )
    .await
}

/// Whether any channel of the project uses this address to sign in.
pub async fn is_used_for_auth(tx: &mut Tx, project: &ProjectId, value: &str) -> Result<bool, StorageError> {
    tx.exists(
        "SELECT 1 FROM contact_channels WHERE project_id = $1 AND type = 'email' AND value = $2 AND used_for_auth",
        args![project, value],
    )
    .await
}

/// Inserts a channel. Violates `contact_channels_used_for_auth_key`, `…_value_key` or `…_is_primary_key` if its
/// place is taken.
pub fn insert(row: &ContactChannelRow) -> Stmt {
    stmt(
        "INSERT INTO contact_channels (project_id, id, user_id, type, value, is_primary, is_verified, \
         used_for_auth, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![
            row.project_id,
            row.id,
            row.user_id,
            row.kind,
            row.value,
            row.is_primary,
            row.is_verified,
            row.used_for_auth,
            row.created_at
        ],
    )
}

/// Inserts a channel, or gives the flags of `row` to the one that the user has for this address already. Violates
/// `contact_channels_used_for_auth_key` or `…_is_primary_key` if its place is taken.
pub fn upsert(row: &ContactChannelRow) -> Stmt {
    stmt(
        "INSERT INTO contact_channels (project_id, id, user_id, type, value, is_primary, is_verified, \
         used_for_auth, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (project_id, user_id, type, value) DO UPDATE SET is_primary = excluded.is_primary, \
         is_verified = excluded.is_verified, used_for_auth = excluded.used_for_auth",
        args![
            row.project_id,
            row.id,
            row.user_id,
            row.kind,
            row.value,
            row.is_primary,
            row.is_verified,
            row.used_for_auth,
            row.created_at
        ],
    )
}

/// Sets the three flags of a channel.
pub fn set_flags(
    project: &ProjectId,
    id: ContactChannelId,
    is_primary: bool,
    is_verified: bool,
    used_for_auth: bool,
) -> Stmt {
    stmt(
        "UPDATE contact_channels SET is_primary = $3, is_verified = $4, used_for_auth = $5 \
         WHERE project_id = $1 AND id = $2",
        args![project, id, is_primary, is_verified, used_for_auth],
    )
}

/// Makes no email of the user the primary one.
pub fn demote_primary(project: &ProjectId, user: UserId) -> Stmt {
    stmt(
        "UPDATE contact_channels SET is_primary = $3 \
         WHERE project_id = $1 AND user_id = $2 AND type = 'email' AND is_primary",
        args![project, user, false],
    )
}
