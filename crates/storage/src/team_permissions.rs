//! Permissions that users hold directly in teams. Owns their rows and SQL; what a permission contains, and whether it
//! is defined at all, is the business of `latchkey-identity`.

use latchkey_api_types::ids::{ProjectId, TeamId, UserId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// One permission held directly.
    pub struct TeamPermissionRow {
        /// In which team.
        pub team_id: TeamId,
        /// By whom.
        pub user_id: UserId,
        /// Which.
        pub permission_id: String,
    }
}

/// What a member holds directly in a team; `None` if the user is not a member.
pub async fn of_member(
    tx: &mut Tx,
    project: &ProjectId,
    team: TeamId,
    user: UserId,
) -> Result<Option<Vec<String>>, StorageError> {
    let rows: Vec<(Option<String>,)> = tx
        .query(
            "SELECT p.permission_id FROM team_memberships m \
             LEFT JOIN team_permissions p ON p.project_id = m.project_id AND p.team_id = m.team_id \
             AND p.user_id = m.user_id \
             WHERE m.project_id = $1 AND m.team_id = $2 AND m.user_id = $3",
            args![project, team, user],
        )
        .await?;
    Ok((!rows.is_empty()).then(|| rows.into_iter().filter_map(|(id,)| id).collect()))
}

/// What is held directly in a project, of one team or one user if named; in no order.
pub async fn list(
    tx: &mut Tx,
    project: &ProjectId,
    team: Option<TeamId>,
    user: Option<UserId>,
) -> Result<Vec<TeamPermissionRow>, StorageError> {
    match (team, user) {
        (None, None) => {
            tx.query(
                "SELECT team_id, user_id, permission_id FROM team_permissions WHERE project_id = $1",
                args![project],
            )
            .await
        }
        (Some(team), None) => {
            tx.query(
                "SELECT team_id, user_id, permission_id FROM team_permissions WHERE project_id = $1 AND team_id = $2",
                args![project, team],
            )
            .await
        }
        (None, Some(user)) => {
            tx.query(
                "SELECT team_id, user_id, permission_id FROM team_permissions WHERE project_id = $1 AND user_id = $2",
                args![project, user],
            )
            .await
        }
        (Some(team), Some(user)) => {
            tx.query(
                "SELECT team_id, user_id, permission_id FROM team_permissions \
                 WHERE project_id = $1 AND team_id = $2 AND user_id = $3",
                args![project, team, user],
            )
            .await
        }
    }
}

/// Gives a member a permission; nothing happens if it is held directly. Violates the foreign key if the user is not a
/// member.
pub fn grant(project: &ProjectId, team: TeamId, user: UserId, permission: &str, now: i64) -> Stmt {
    stmt(
        "INSERT INTO team_permissions (project_id, team_id, user_id, permission_id, created_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (project_id, team_id, user_id, permission_id) DO NOTHING",
        args![project, team, user, permission, now],
    )
}

/// Takes a directly held permission away.
pub fn revoke(project: &ProjectId, team: TeamId, user: UserId, permission: &str) -> Stmt {
    stmt(
        "DELETE FROM team_permissions WHERE project_id = $1 AND team_id = $2 AND user_id = $3 AND permission_id = $4",
        args![project, team, user, permission],
    )
}

/// Takes a permission away from everybody.
pub fn revoke_everywhere(project: &ProjectId, permission: &str) -> Stmt {
    stmt(
        "DELETE FROM team_permissions WHERE project_id = $1 AND permission_id = $2",
        args![project, permission],
    )
}

/// Lets a permission be held under another id. Nobody may hold one of that id.
pub fn rename(project: &ProjectId, from: &str, to: &str) -> Stmt {
    stmt(
        "UPDATE team_permissions SET permission_id = $3 WHERE project_id = $1 AND permission_id = $2",
        args![project, from, to],
    )
}
