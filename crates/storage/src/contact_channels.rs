//! Contact channels: the addresses of a user. Owns their rows and SQL; the rules about primary and verified
//! addresses are in `latchkey-identity`.

use latchkey_api_types::ids::{ContactChannelId, ProjectId, UserId};

use crate::engine::{Stmt, StorageError, Tx, Value, args, record, stmt};

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

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT project_id, id, user_id, type, value, is_primary, is_verified, used_for_auth, created_at \
             FROM contact_channels ",
            $rest
        )
    };
}

/// All channels of a user, oldest first.
pub async fn list(
    tx: &mut Tx,
    project: &ProjectId,
    user: UserId,
) -> Result<Vec<ContactChannelRow>, StorageError> {
    tx.query(select!("WHERE project_id = $1 AND user_id = $2 ORDER BY created_at, id"), args![project, user])
        .await
}

/// The channels of everybody, oldest first.
pub async fn list_all(tx: &mut Tx, project: &ProjectId) -> Result<Vec<ContactChannelRow>, StorageError> {
    tx.query(select!("WHERE project_id = $1 ORDER BY created_at, id"), args![project]).await
}

/// One channel of a user.
pub async fn get(
    tx: &mut Tx,
    project: &ProjectId,
    user: UserId,
    id: ContactChannelId,
) -> Result<Option<ContactChannelRow>, StorageError> {
    tx.query_opt(select!("WHERE project_id = $1 AND user_id = $2 AND id = $3"), args![project, user, id])
        .await
}

record! {
    /// The channel by which an address signs somebody in.
    pub struct AuthChannelRow {
        /// Whom.
        pub user_id: UserId,
        /// The address as it is stored.
        pub value: String,
        /// Whether the user proved to own it.
        pub is_verified: bool,
    }
}

/// The channel with which somebody signs in by this email, by the first of the two spellings that one has.
pub async fn used_for_auth(
    tx: &mut Tx,
    project: &ProjectId,
    email: &str,
    normalised: &str,
) -> Result<Option<AuthChannelRow>, StorageError> {
    tx.query_opt(
        "SELECT user_id, value, is_verified FROM contact_channels \
         WHERE project_id = $1 AND type = 'email' AND value IN ($2, $3) AND used_for_auth \
         ORDER BY CASE WHEN value = $2 THEN 0 ELSE 1 END LIMIT 1",
        args![project, email, normalised],
    )
    .await
}

/// Gives a row while this user signs in with this address: the guard of what a code for the address allows.
pub fn signs_in(project: &ProjectId, user: UserId, value: &str) -> Stmt {
    stmt(
        "SELECT user_id FROM contact_channels \
         WHERE project_id = $1 AND user_id = $2 AND type = 'email' AND value = $3 AND used_for_auth",
        args![project, user, value],
    )
}

/// Whether any channel of the project uses this address to sign in.
pub async fn is_used_for_auth(tx: &mut Tx, project: &ProjectId, value: &str) -> Result<bool, StorageError> {
    tx.exists(
        "SELECT 1 FROM contact_channels WHERE project_id = $1 AND type = 'email' AND value = $2 AND used_for_auth",
        args![project, value],
    )
    .await
}

/// The channel by which this address signs somebody in.
pub async fn for_auth(
    tx: &mut Tx,
    project: &ProjectId,
    value: &str,
) -> Result<Option<ContactChannelRow>, StorageError> {
    tx.query_opt(
        select!("WHERE project_id = $1 AND type = 'email' AND value = $2 AND used_for_auth"),
        args![project, value],
    )
    .await
}

/// Confirms that a channel still is the verified one by which its user signs in. Affects no row if it is not.
pub fn confirm_verified_for_auth(project: &ProjectId, id: ContactChannelId) -> Stmt {
    stmt(
        "UPDATE contact_channels SET is_verified = $3 \
         WHERE project_id = $1 AND id = $2 AND is_verified AND used_for_auth",
        args![project, id, true],
    )
}

/// Whether a channel other than this one uses the address to sign in.
pub async fn is_used_for_auth_elsewhere(
    tx: &mut Tx,
    project: &ProjectId,
    value: &str,
    own: ContactChannelId,
) -> Result<bool, StorageError> {
    tx.exists(
        "SELECT 1 FROM contact_channels \
         WHERE project_id = $1 AND type = 'email' AND value = $2 AND used_for_auth AND id <> $3",
        args![project, value, own],
    )
    .await
}

macro_rules! insert {
    ($rest:literal) => {
        concat!(
            "INSERT INTO contact_channels (project_id, id, user_id, type, value, is_primary, is_verified, \
             used_for_auth, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            $rest
        )
    };
}

fn columns(row: &ContactChannelRow) -> Vec<Value> {
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
    ]
}

/// Inserts a channel. Violates `contact_channels_used_for_auth_key`, `…_value_key` or `…_is_primary_key` if its
/// place is taken.
pub fn insert(row: &ContactChannelRow) -> Stmt {
    stmt(insert!(""), columns(row))
}

/// Inserts a channel, or gives the flags of `row` to the one that the user has for this address already. Violates
/// `contact_channels_used_for_auth_key` or `…_is_primary_key` if its place is taken.
pub fn upsert(row: &ContactChannelRow) -> Stmt {
    let text = insert!(
        " ON CONFLICT (project_id, user_id, type, value) DO UPDATE SET is_primary = excluded.is_primary, \
         is_verified = excluded.is_verified, used_for_auth = excluded.used_for_auth"
    );
    stmt(text, columns(row))
}

/// Writes a channel that was read in the same transaction.
pub fn update(row: &ContactChannelRow) -> Stmt {
    stmt(
        "UPDATE contact_channels SET type = $4, value = $5, is_primary = $6, is_verified = $7, used_for_auth = $8 \
         WHERE project_id = $1 AND user_id = $2 AND id = $3",
        args![
            row.project_id,
            row.user_id,
            row.id,
            row.kind,
            row.value,
            row.is_primary,
            row.is_verified,
            row.used_for_auth
        ],
    )
}

/// Notes that a user proved to own an address. Affects no row if they have it no more.
pub fn verify(project: &ProjectId, user: UserId, value: &str) -> Stmt {
    stmt(
        "UPDATE contact_channels SET is_verified = $4 \
         WHERE project_id = $1 AND user_id = $2 AND type = 'email' AND value = $3",
        args![project, user, value, true],
    )
}

/// Removes a channel of a user.
pub fn delete(project: &ProjectId, user: UserId, id: ContactChannelId) -> Stmt {
    stmt(
        "DELETE FROM contact_channels WHERE project_id = $1 AND user_id = $2 AND id = $3",
        args![project, user, id],
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
