//! Who is in which team, and what members are called there. Owns these rows and SQL; [`crate::teams`] asks whether
//! somebody is a member.

use latchkey_api_types::ids::{ProjectId, TeamId, UserId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// A member as the team sees them: what is set for the team alone, and what the user is called elsewhere.
    pub struct MemberRow {
        /// In which team.
        pub team_id: TeamId,
        /// Who.
        pub user_id: UserId,
        /// Name in this team.
        pub display_name: Option<String>,
        /// Picture in this team.
        pub profile_image_url: Option<String>,
        /// The user's own name.
        pub user_display_name: Option<String>,
        /// The user's own picture.
        pub user_profile_image_url: Option<String>,
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT m.team_id, m.user_id, m.display_name, m.profile_image_url, u.display_name, u.profile_image_url \
             FROM team_memberships m JOIN users u ON u.project_id = m.project_id AND u.id = m.user_id ",
            $rest
        )
    };
}

/// One member; `None` if the user is not in the team.
pub async fn get(
    tx: &mut Tx,
    project: &ProjectId,
    team: TeamId,
    user: UserId,
) -> Result<Option<MemberRow>, StorageError> {
    tx.query_opt(
        select!("WHERE m.project_id = $1 AND m.team_id = $2 AND m.user_id = $3"),
        args![project, team, user],
    )
    .await
}

/// The members of all teams, or of one, or the memberships of one user; in the order in which they joined.
pub async fn list(
    tx: &mut Tx,
    project: &ProjectId,
    team: Option<TeamId>,
    user: Option<UserId>,
) -> Result<Vec<MemberRow>, StorageError> {
    match (team, user) {
        (None, None) => {
            tx.query(
                select!("WHERE m.project_id = $1 ORDER BY m.created_at, m.user_id, m.team_id"),
                args![project],
            )
            .await
        }
        (Some(team), None) => {
            tx.query(
                select!("WHERE m.project_id = $1 AND m.team_id = $2 ORDER BY m.created_at, m.user_id"),
                args![project, team],
            )
            .await
        }
        (None, Some(user)) => {
            tx.query(
                select!("WHERE m.project_id = $1 AND m.user_id = $2 ORDER BY m.created_at, m.team_id"),
                args![project, user],
            )
            .await
        }
        (Some(team), Some(user)) => Ok(get(tx, project, team, user).await?.into_iter().collect()),
    }
}

/// The teams of a user, oldest team first.
pub async fn teams_of(tx: &mut Tx, project: &ProjectId, user: UserId) -> Result<Vec<TeamId>, StorageError> {
    let teams: Vec<(TeamId,)> = tx
        .query(
            "SELECT t.id FROM team_memberships m JOIN teams t ON t.project_id = m.project_id AND t.id = m.team_id \
             WHERE m.project_id = $1 AND m.user_id = $2 ORDER BY t.created_at, t.id",
            args![project, user],
        )
        .await?;
    Ok(teams.into_iter().map(|(team,)| team).collect())
}

/// Puts a user into a team. Violates `team_memberships_pkey` if they are in it, the foreign key if either is unknown.
pub fn insert(project: &ProjectId, team: TeamId, user: UserId, now: i64) -> Stmt {
    stmt(
        "INSERT INTO team_memberships (project_id, team_id, user_id, created_at) VALUES ($1, $2, $3, $4)",
        args![project, team, user, now],
    )
}

/// Takes a user out of a team, with the permissions held there.
pub fn delete(project: &ProjectId, team: TeamId, user: UserId) -> Stmt {
    stmt(
        "DELETE FROM team_memberships WHERE project_id = $1 AND team_id = $2 AND user_id = $3",
        args![project, team, user],
    )
}

/// Sets what a member is called in a team.
pub fn set_profile(
    project: &ProjectId,
    team: TeamId,
    user: UserId,
    display_name: Option<&str>,
    profile_image_url: Option<&str>,
) -> Stmt {
    stmt(
        "UPDATE team_memberships SET display_name = $4, profile_image_url = $5 \
         WHERE project_id = $1 AND team_id = $2 AND user_id = $3",
        args![project, team, user, display_name, profile_image_url],
    )
}

/// Makes a user work in no team, if they work in this one.
pub fn deselect(project: &ProjectId, team: TeamId, user: UserId) -> Stmt {
    stmt(
        "UPDATE users SET selected_team_id = NULL WHERE project_id = $1 AND id = $2 AND selected_team_id = $3",
        args![project, user, team],
    )
}

/// Makes every member who works in this team work in none.
pub fn deselect_everybody(project: &ProjectId, team: TeamId) -> Stmt {
    stmt(
        "UPDATE users SET selected_team_id = NULL WHERE project_id = $1 AND selected_team_id = $2 \
         AND id IN (SELECT m.user_id FROM team_memberships m WHERE m.project_id = $1 AND m.team_id = $2)",
        args![project, team],
    )
}
