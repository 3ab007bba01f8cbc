//! Teams and who is in them. Owns their rows and SQL.

use latchkey_api_types::ids::{ProjectId, TeamId, UserId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// One team.
    pub struct TeamRow {
        /// Project of the team.
        pub project_id: ProjectId,
        /// Identifier.
        pub id: TeamId,
        /// Name.
        pub display_name: String,
        /// Picture.
        pub profile_image_url: Option<String>,
        /// JSON text that clients read and write.
        pub client_metadata: Option<String>,
        /// JSON text that clients read.
        pub client_read_only_metadata: Option<String>,
        /// JSON text for servers only.
        pub server_metadata: Option<String>,
        /// Creation, epoch milliseconds.
        pub created_at: i64,
    }
}

/// One team; `None` if it does not exist.
pub async fn get(tx: &mut Tx, project: &ProjectId, team: TeamId) -> Result<Option<TeamRow>, StorageError> {
    tx.query_opt(
        "SELECT project_id, id, display_name, profile_image_url, client_metadata, client_read_only_metadata, \
         server_metadata, created_at FROM teams WHERE project_id = $1 AND id = $2",
        args![project, team],
    )
    .await
}

/// Inserts a team unless it exists.
pub fn insert_if_absent(row: &TeamRow) -> Stmt {
    stmt(
        "INSERT INTO teams (project_id, id, display_name, profile_image_url, client_metadata, \
         client_read_only_metadata, server_metadata, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (project_id, id) DO NOTHING",
        args![
            row.project_id,
            row.id,
            row.display_name,
            row.profile_image_url,
            row.client_metadata,
            row.client_read_only_metadata,
            row.server_metadata,
            row.created_at
        ],
    )
}

/// Whether a user is in a team.
pub async fn is_member(
    tx: &mut Tx,
    project: &ProjectId,
    team: TeamId,
    user: UserId,
) -> Result<bool, StorageError> {
    tx.exists(
        "SELECT 1 FROM team_memberships WHERE project_id = $1 AND team_id = $2 AND user_id = $3",
        args![project, team, user],
    )
    .await
}

/// Puts a user into a team; nothing happens if the user is in it.
pub fn add_member(project: &ProjectId, team: TeamId, user: UserId, now: i64) -> Stmt {
    stmt(
        "INSERT INTO team_memberships (project_id, team_id, user_id, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (project_id, team_id, user_id) DO NOTHING",
        args![project, team, user, now],
    )
}
