//! Users. Owns their row and SQL, read together with what every view of a user shows: the primary email and
//! whether there is a password.

mod list;

use latchkey_api_types::ids::{ProjectId, SessionId, TeamId, UserId};

use crate::engine::{Sql, Stmt, StorageError, Tx, Value, args, record, stmt};
use crate::values::json_array;

pub use list::{UserFilter, list};

record! {
    /// One user as read.
    pub struct UserRow {
        /// Project of the user.
        pub project_id: ProjectId,
        /// Identifier.
        pub id: UserId,
        /// Name; never empty.
        pub display_name: Option<String>,
        /// Picture.
        pub profile_image_url: Option<String>,
        /// JSON text that clients read and write.
        pub client_metadata: Option<String>,
        /// JSON text that clients read.
        pub client_read_only_metadata: Option<String>,
        /// JSON text for servers only.
        pub server_metadata: Option<String>,
        /// Whether nobody has signed up yet.
        pub is_anonymous: bool,
        /// Restricted by an administrator or a sign-up rule.
        pub restricted_by_admin: bool,
        /// Reason that the user sees.
        pub restricted_by_admin_reason: Option<String>,
        /// Details that the user does not see.
        pub restricted_by_admin_private_details: Option<String>,
        /// Two upper-case letters.
        pub country_code: Option<String>,
        /// 0–100.
        pub risk_bot: i64,
        /// 0–100.
        pub risk_free_trial_abuse: i64,
        /// May sign in by a mailed code.
        pub otp_auth_enabled: bool,
        /// Must give a TOTP code at sign-in.
        pub requires_totp_mfa: bool,
        /// TOTP secret, sealed.
        pub totp_secret_sealed: Option<Vec<u8>>,
        /// Team that the user works in.
        pub selected_team_id: Option<TeamId>,
        /// Sign-up, epoch milliseconds.
        pub signed_up_at: i64,
        /// Last mint of a token, epoch milliseconds.
        pub last_active_at: i64,
        /// Primary email.
        pub primary_email: Option<String>,
        /// Whether it is verified; `None` without a primary email.
        pub primary_email_verified: Option<bool>,
        /// Whether it can be used to sign in; `None` without a primary email.
        pub primary_email_used_for_auth: Option<bool>,
        /// Whether the user has a password.
        pub has_password: bool,
        /// How many OAuth accounts are linked.
        pub oauth_accounts: i64,
        /// How many passkeys are registered.
        pub passkeys: i64,
    }
}

record! {
    /// What an access token says of its subject (RFC 7519 §4.1.2): as much of a user as a refresh reads.
    pub struct SubjectRow {
        /// Identifier.
        pub id: UserId,
        /// Name; never empty.
        pub display_name: Option<String>,
        /// Whether nobody has signed up yet.
        pub is_anonymous: bool,
        /// Restricted by an administrator or a sign-up rule.
        pub restricted_by_admin: bool,
        /// Must give a TOTP code at sign-in.
        pub requires_totp_mfa: bool,
        /// Team that the user works in.
        pub selected_team_id: Option<TeamId>,
        /// Sign-up, epoch milliseconds.
        pub signed_up_at: i64,
        /// Primary email.
        pub primary_email: Option<String>,
        /// Whether it is verified; `None` without a primary email.
        pub primary_email_verified: Option<bool>,
    }
}

impl UserRow {
    /// The part of the user that an access token tells of.
    pub fn subject(&self) -> SubjectRow {
        SubjectRow {
            id: self.id,
            display_name: self.display_name.clone(),
            is_anonymous: self.is_anonymous,
            restricted_by_admin: self.restricted_by_admin,
            requires_totp_mfa: self.requires_totp_mfa,
            selected_team_id: self.selected_team_id,
            signed_up_at: self.signed_up_at,
            primary_email: self.primary_email.clone(),
            primary_email_verified: self.primary_email_verified,
        }
    }
}

/// A user with nothing set yet, signed up at `now`, epoch milliseconds.
pub fn blank(project: &ProjectId, id: UserId, now: i64) -> UserRow {
    UserRow {
        project_id: project.clone(),
        id,
        display_name: None,
        profile_image_url: None,
        client_metadata: None,
        client_read_only_metadata: None,
        server_metadata: None,
        is_anonymous: false,
        restricted_by_admin: false,
        restricted_by_admin_reason: None,
        restricted_by_admin_private_details: None,
        country_code: None,
        risk_bot: 0,
        risk_free_trial_abuse: 0,
        otp_auth_enabled: false,
        requires_totp_mfa: false,
        totp_secret_sealed: None,
        selected_team_id: None,
        signed_up_at: now,
        last_active_at: now,
        primary_email: None,
        primary_email_verified: None,
        primary_email_used_for_auth: None,
        has_password: false,
        oauth_accounts: 0,
        passkeys: 0,
    }
}

/// The columns of a [`UserRow`] from the tables that [`tables!`] names.
macro_rules! columns {
    () => {
        "u.project_id, u.id, u.display_name, u.profile_image_url, u.client_metadata, \
         u.client_read_only_metadata, u.server_metadata, u.is_anonymous, u.restricted_by_admin, \
         u.restricted_by_admin_reason, u.restricted_by_admin_private_details, u.country_code, u.risk_bot, \
         u.risk_free_trial_abuse, u.otp_auth_enabled, u.requires_totp_mfa, u.totp_secret_sealed, \
         u.selected_team_id, u.signed_up_at, u.last_active_at, c.value, c.is_verified, c.used_for_auth, \
         p.kind IS NOT NULL, (SELECT COUNT(*) FROM oauth_accounts o \
         WHERE o.project_id = u.project_id AND o.user_id = u.id), (SELECT COUNT(*) FROM passkeys k \
         WHERE k.project_id = u.project_id AND k.user_id = u.id) "
    };
}

/// The columns of a [`SubjectRow`] from the tables that [`subject_tables!`] names.
macro_rules! subject_columns {
    () => {
        "u.id, u.display_name, u.is_anonymous, u.restricted_by_admin, u.requires_totp_mfa, u.selected_team_id, \
         u.signed_up_at, c.value, c.is_verified "
    };
}

/// Where the columns of a subject come from; follows `FROM` or `JOIN`, with what joins `u` to the rest.
macro_rules! subject_tables {
    ($on:literal) => {
        concat!(
            "users u ",
            $on,
            " LEFT JOIN contact_channels c ON c.project_id = u.project_id AND c.user_id = u.id \
             AND c.type = 'email' AND c.is_primary "
        )
    };
}

/// Where the columns of a user come from, in the same way.
macro_rules! tables {
    ($on:literal) => {
        concat!(
            $crate::users::subject_tables!($on),
            "LEFT JOIN credentials p ON p.project_id = u.project_id AND p.user_id = u.id AND p.kind = 'password' "
        )
    };
}

pub(crate) use {columns, subject_columns, subject_tables, tables};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), "FROM ", tables!(""), $rest)
    };
}

/// One user; `None` if there is none with this id.
pub async fn get(tx: &mut Tx, project: &ProjectId, id: UserId) -> Result<Option<UserRow>, StorageError> {
    tx.query_opt(select!("WHERE u.project_id = $1 AND u.id = $2"), args![project, id]).await
}

/// The user of a session that is not over at `now`, epoch milliseconds; `None` if either is gone. The hot path of every
/// request.
pub async fn of_session(
    tx: &mut Tx,
    project: &ProjectId,
    id: UserId,
    session: SessionId,
    now: i64,
) -> Result<Option<UserRow>, StorageError> {
    tx.query_opt(
        select!(
            "WHERE u.project_id = $1 AND u.id = $2 AND EXISTS (SELECT 1 FROM sessions s \
             WHERE s.project_id = $1 AND s.id = $3 AND s.user_id = $2 AND (s.expires_at IS NULL OR s.expires_at > $4))"
        ),
        args![project, id, session, now],
    )
    .await
}

/// Those of these ids that are users, in no order.
pub async fn present<'i>(
    tx: &mut Tx,
    project: &ProjectId,
    ids: impl IntoIterator<Item = &'i UserId>,
) -> Result<Vec<UserId>, StorageError> {
    let text = Sql::both(
        "SELECT u.id FROM json_each($2) j CROSS JOIN users u ON u.project_id = $1 AND u.id = j.value",
    )
    .postgres(
        "SELECT u.id FROM json_array_elements_text(CAST(CAST($2 AS TEXT) AS json)) AS j (value) \
             JOIN users u ON u.project_id = $1 AND u.id = j.value",
    );
    let found: Vec<(UserId,)> = tx.query(text, args![project, json_array(ids)]).await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Up to `limit` ids of users in their order, behind `after` (an id, or nothing).
pub async fn ids_after(
    tx: &mut Tx,
    project: &ProjectId,
    after: &str,
    limit: i64,
) -> Result<Vec<UserId>, StorageError> {
    let found: Vec<(UserId,)> = tx
        .query(
            "SELECT id FROM users WHERE project_id = $1 AND id > $2 ORDER BY id LIMIT $3",
            args![project, after, limit],
        )
        .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// What is written of a user, by insert and update alike. `search_name` is the display name as searches see it.
macro_rules! written {
    () => {
        "display_name, search_name, profile_image_url, client_metadata, client_read_only_metadata, server_metadata, \
         is_anonymous, restricted_by_admin, restricted_by_admin_reason, restricted_by_admin_private_details, \
         country_code, risk_bot, risk_free_trial_abuse, otp_auth_enabled, requires_totp_mfa, totp_secret_sealed, \
         selected_team_id, signed_up_at"
    };
}

/// Its placeholders, behind those of project and id.
macro_rules! placeholders {
    () => {
        "$3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20"
    };
}

/// Project, id, and what is written.
fn written(row: &UserRow) -> Vec<Value> {
    args![
        row.project_id,
        row.id,
        row.display_name,
        row.display_name.as_ref().map(|name| name.to_lowercase()),
        row.profile_image_url,
        row.client_metadata,
        row.client_read_only_metadata,
        row.server_metadata,
        row.is_anonymous,
        row.restricted_by_admin,
        row.restricted_by_admin_reason,
        row.restricted_by_admin_private_details,
        row.country_code,
        row.risk_bot,
        row.risk_free_trial_abuse,
        row.otp_auth_enabled,
        row.requires_totp_mfa,
        row.totp_secret_sealed,
        row.selected_team_id,
        row.signed_up_at
    ]
}

/// Inserts a user. The columns that belong to other tables are ignored.
pub fn insert(row: &UserRow) -> Stmt {
    let mut args = written(row);
    args.extend(args![row.last_active_at]);
    stmt(
        concat!(
            "INSERT INTO users (project_id, id, ",
            written!(),
            ", last_active_at) VALUES ($1, $2, ",
            placeholders!(),
            ", $21)"
        ),
        args,
    )
}

/// Restricts a user, for a reason that only servers see.
pub fn restrict(project: &ProjectId, user: UserId, details: &str) -> Stmt {
    stmt(
        "UPDATE users SET restricted_by_admin = TRUE, restricted_by_admin_private_details = $3 \
         WHERE project_id = $1 AND id = $2",
        args![project, user, details],
    )
}

/// Writes every column of a user that was read in the same transaction. `last_active_at` stays as it is.
pub fn update(row: &UserRow) -> Stmt {
    stmt(
        concat!(
            "UPDATE users SET (",
            written!(),
            ") = (",
            placeholders!(),
            ") WHERE project_id = $1 AND id = $2"
        ),
        written(row),
    )
}

/// Notes activity; an older time never replaces a newer one.
pub fn touch(project: &ProjectId, id: UserId, now: i64) -> Stmt {
    stmt(
        "UPDATE users SET last_active_at = $3 WHERE project_id = $1 AND id = $2 AND last_active_at < $3",
        args![project, id, now],
    )
}

/// Deletes a user and, by cascade, all that belongs to them.
pub fn delete(project: &ProjectId, id: UserId) -> Stmt {
    stmt("DELETE FROM users WHERE project_id = $1 AND id = $2", args![project, id])
}

/// Gives a user a name and a picture where they have none.
pub fn introduce(project: &ProjectId, id: UserId, name: Option<&str>, picture: Option<&str>) -> Stmt {
    stmt(
        "UPDATE users SET display_name = COALESCE(display_name, $3), search_name = COALESCE(search_name, $4), \
         profile_image_url = COALESCE(profile_image_url, $5) WHERE project_id = $1 AND id = $2",
        args![project, id, name, name.map(str::to_lowercase), picture],
    )
}

/// Turns an anonymous user into one who signs up as this row says: when, from where unless that was known before, and
/// how suspect. Affects no row if the user is not anonymous (any more).
pub fn upgrade(row: &UserRow) -> Stmt {
    stmt(
        "UPDATE users SET is_anonymous = $3, signed_up_at = $4, country_code = COALESCE(country_code, $5), \
         risk_bot = $6 WHERE project_id = $1 AND id = $2 AND is_anonymous",
        args![row.project_id, row.id, false, row.signed_up_at, row.country_code, row.risk_bot],
    )
}

/// Lets whoever proved to own this address, and signs in with it, sign in by mailed codes. Affects no row if nobody
/// does, or if they may already.
pub fn enable_otp(project: &ProjectId, email: &str) -> Stmt {
    stmt(
        "UPDATE users SET otp_auth_enabled = TRUE WHERE project_id = $1 AND NOT otp_auth_enabled \
         AND id IN (SELECT c.user_id FROM contact_channels c WHERE c.project_id = $1 AND c.type = 'email' \
         AND c.value = $2 AND c.used_for_auth AND c.is_verified)",
        args![project, email],
    )
}

/// Users who signed up, are not restricted, and have no verified primary email, in the order of their sign-up.
pub async fn unverified(tx: &mut Tx, project: &ProjectId, limit: i64) -> Result<Vec<UserRow>, StorageError> {
    tx.query(
        select!(
            "WHERE u.project_id = $1 AND NOT u.is_anonymous AND NOT u.restricted_by_admin \
             AND NOT COALESCE(c.is_verified, FALSE) ORDER BY u.signed_up_at, u.id LIMIT $2"
        ),
        args![project, limit],
    )
    .await
}

/// How many of them there are.
pub async fn count_unverified(tx: &mut Tx, project: &ProjectId) -> Result<i64, StorageError> {
    let (count,): (i64,) = tx
        .query_one(
            "SELECT COUNT(*) FROM users u WHERE u.project_id = $1 AND NOT u.is_anonymous \
             AND NOT u.restricted_by_admin AND NOT EXISTS (SELECT 1 FROM contact_channels c \
             WHERE c.project_id = u.project_id AND c.user_id = u.id AND c.type = 'email' AND c.is_primary \
             AND c.is_verified)",
            args![project],
        )
        .await?;
    Ok(count)
}

/// Gives a row if TOTP is on, with this secret: the guard of what was done with a code of it.
pub fn confirm_totp(project: &ProjectId, id: UserId, sealed: &[u8]) -> Stmt {
    stmt(
        "SELECT id FROM users WHERE project_id = $1 AND id = $2 AND requires_totp_mfa AND totp_secret_sealed = $3",
        args![project, id, sealed],
    )
}

/// Switches TOTP on. Affects no row if it is on.
pub fn switch_totp_on(project: &ProjectId, id: UserId, sealed: &[u8]) -> Stmt {
    stmt(
        "UPDATE users SET requires_totp_mfa = TRUE, totp_secret_sealed = $3 \
         WHERE project_id = $1 AND id = $2 AND NOT requires_totp_mfa",
        args![project, id, sealed],
    )
}

/// Switches TOTP off. Affects no row if it is off, or on with another secret.
pub fn switch_totp_off(project: &ProjectId, id: UserId, sealed: &[u8]) -> Stmt {
    stmt(
        "UPDATE users SET requires_totp_mfa = FALSE, totp_secret_sealed = NULL \
         WHERE project_id = $1 AND id = $2 AND requires_totp_mfa AND totp_secret_sealed = $3",
        args![project, id, sealed],
    )
}

record! {
    /// A user's TOTP secret.
    pub struct TotpSecretRow {
        /// Whose it is.
        pub id: UserId,
        /// The secret, sealed.
        pub totp_secret_sealed: Vec<u8>,
    }
}

/// The TOTP secrets of all users of a project.
pub async fn totp_secrets(tx: &mut Tx, project: &ProjectId) -> Result<Vec<TotpSecretRow>, StorageError> {
    tx.query(
        "SELECT id, totp_secret_sealed FROM users WHERE project_id = $1 AND totp_secret_sealed IS NOT NULL",
        args![project],
    )
    .await
}

/// Replaces a sealed TOTP secret that is still the one that was read.
pub fn reseal_totp(project: &ProjectId, id: UserId, old: &[u8], new: &[u8]) -> Stmt {
    stmt(
        "UPDATE users SET totp_secret_sealed = $4 WHERE project_id = $1 AND id = $2 AND totp_secret_sealed = $3",
        args![project, id, old, new],
    )
}
