//! Invitations to teams: codes sent by mail, which work once. Owns their rows and SQL; codes are hashes here.

use latchkey_api_types::ids::{ProjectId, TeamId, TeamInvitationId, UserId};
use latchkey_crypto::TokenHash;

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// One invitation as it is stored. `suffix_hash` is of everything behind the first six characters of the code.
    pub struct TeamInvitationRow {
        /// Project of the team.
        pub project_id: ProjectId,
        /// Identifier.
        pub id: TeamInvitationId,
        /// Whereto.
        pub team_id: TeamId,
        /// The normalised address that it was sent to.
        pub recipient_email: String,
        /// Hash of the code.
        pub code_hash: TokenHash,
        /// Hash of the code from its seventh character on.
        pub suffix_hash: TokenHash,
        /// Requests that hit this code or one with the same suffix.
        pub attempts: i64,
        /// Creation, epoch milliseconds.
        pub created_at: i64,
        /// End of validity, epoch milliseconds.
        pub expires_at: i64,
        /// When it was accepted.
        pub used_at: Option<i64>,
    }
}

record! {
    /// An open invitation as lists show it.
    pub struct OpenInvitationRow {
        /// Identifier.
        pub id: TeamInvitationId,
        /// Whereto.
        pub team_id: TeamId,
        /// Name of the team.
        pub team_display_name: String,
        /// End of validity, epoch milliseconds.
        pub expires_at: i64,
        /// The address that it was sent to.
        pub recipient_email: String,
    }
}

/// Inserts an invitation. Violates the foreign key if there is no such team.
pub fn insert(row: &TeamInvitationRow) -> Stmt {
    stmt(
        "INSERT INTO team_invitations (project_id, id, team_id, recipient_email, code_hash, suffix_hash, attempts, \
         created_at, expires_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![
            row.project_id,
            row.id,
            row.team_id,
            row.recipient_email,
            row.code_hash,
            row.suffix_hash,
            row.attempts,
            row.created_at,
            row.expires_at,
            row.used_at
        ],
    )
}

/// Counts a look at every invitation whose code has this suffix, and gives them as [`TeamInvitationRow`]s, this look
/// included.
pub fn look_up(project: &ProjectId, suffix_hash: &TokenHash) -> Stmt {
    stmt(
        "UPDATE team_invitations SET attempts = attempts + 1 WHERE project_id = $1 AND suffix_hash = $2 \
         RETURNING project_id, id, team_id, recipient_email, code_hash, suffix_hash, attempts, created_at, \
         expires_at, used_at",
        args![project, suffix_hash],
    )
}

/// Uses an open invitation up. Touches no row if it is not open (any more).
pub fn claim(project: &ProjectId, id: TeamInvitationId, now: i64) -> Stmt {
    stmt(
        "UPDATE team_invitations SET used_at = $3 \
         WHERE project_id = $1 AND id = $2 AND used_at IS NULL AND expires_at > $3",
        args![project, id, now],
    )
}

/// The team of an invitation that is open and was sent to a verified address of the user.
pub async fn team_for(
    tx: &mut Tx,
    project: &ProjectId,
    id: TeamInvitationId,
    user: UserId,
    now: i64,
) -> Result<Option<TeamId>, StorageError> {
    let team: Option<(TeamId,)> = tx
        .query_opt(
            "SELECT i.team_id FROM team_invitations i JOIN contact_channels c ON c.project_id = i.project_id \
             AND c.type = 'email' AND c.value = i.recipient_email \
             WHERE i.project_id = $1 AND i.id = $2 AND i.used_at IS NULL AND i.expires_at > $4 \
             AND c.user_id = $3 AND c.is_verified",
            args![project, id, user, now],
        )
        .await?;
    Ok(team.map(|(team,)| team))
}

/// The open invitations to a team, oldest first.
pub async fn open_of_team(
    tx: &mut Tx,
    project: &ProjectId,
    team: TeamId,
    now: i64,
) -> Result<Vec<OpenInvitationRow>, StorageError> {
    tx.query(
        "SELECT i.id, i.team_id, t.display_name, i.expires_at, i.recipient_email FROM team_invitations i \
         JOIN teams t ON t.project_id = i.project_id AND t.id = i.team_id \
         WHERE i.project_id = $1 AND i.team_id = $2 AND i.used_at IS NULL AND i.expires_at > $3 \
         ORDER BY i.created_at, i.id",
        args![project, team, now],
    )
    .await
}

/// The open invitations to any verified address of a user, oldest first.
pub async fn open_of_user(
    tx: &mut Tx,
    project: &ProjectId,
    user: UserId,
    now: i64,
) -> Result<Vec<OpenInvitationRow>, StorageError> {
    tx.query(
        "SELECT i.id, i.team_id, t.display_name, i.expires_at, i.recipient_email FROM contact_channels c \
         JOIN team_invitations i ON i.project_id = c.project_id AND i.recipient_email = c.value \
         JOIN teams t ON t.project_id = i.project_id AND t.id = i.team_id \
         WHERE c.project_id = $1 AND c.user_id = $2 AND c.type = 'email' AND c.is_verified \
         AND i.used_at IS NULL AND i.expires_at > $3 ORDER BY i.created_at, i.id",
        args![project, user, now],
    )
    .await
}

/// Takes an open invitation to this team back.
pub fn revoke(project: &ProjectId, team: TeamId, id: TeamInvitationId, now: i64) -> Stmt {
    stmt(
        "DELETE FROM team_invitations \
         WHERE project_id = $1 AND team_id = $2 AND id = $3 AND used_at IS NULL AND expires_at > $4",
        args![project, team, id, now],
    )
}

/// Deletes up to [`AT_ONCE`](crate::AT_ONCE) invitations that expired before `before`, whatever their project.
pub fn prune(before: i64) -> Stmt {
    stmt(
        at_once!(
            "DELETE FROM team_invitations WHERE (project_id, id) IN (SELECT i.project_id, i.id FROM team_invitations i \
         WHERE i.expires_at < $1"
        ),
        args![before],
    )
}
