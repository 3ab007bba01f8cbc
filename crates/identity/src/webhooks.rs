//! Webhooks: the events that a project's endpoints hear of. An event is a list of statements, so that it is queued in
//! the transaction of the deed; it is delivered afterwards, at least once.

use latchkey_api_types::ids::{ProjectId, TeamId, UserId};
use latchkey_api_types::team::ServerTeam;
use latchkey_api_types::user::ServerUser;
use latchkey_storage::engine::Stmt;

use crate::app::App;

/// Something that happened to people, teams or permissions (contract 08 §4.1).
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A user came to be, in any way. The user as it was before a personal team was made.
    UserCreated(&'a ServerUser),
    /// A user changed.
    UserUpdated(&'a ServerUser),
    /// A user is gone; their teams in the order of the teams' creation.
    UserDeleted { user: UserId, teams: &'a [TeamId] },
    /// A team came to be.
    TeamCreated(&'a ServerTeam),
    /// A team changed.
    TeamUpdated(&'a ServerTeam),
    /// A team is gone.
    TeamDeleted { team: TeamId },
    /// A user joined a team.
    MembershipCreated { team: TeamId, user: UserId },
    /// A user left a team.
    MembershipDeleted { team: TeamId, user: UserId },
    /// A user was given a permission in a team.
    TeamPermissionCreated { id: &'a str, team: TeamId, user: UserId },
    /// It was taken away.
    TeamPermissionDeleted { id: &'a str, team: TeamId, user: UserId },
    /// A user was given a permission in the project.
    ProjectPermissionCreated { id: &'a str, user: UserId },
    /// It was taken away.
    ProjectPermissionDeleted { id: &'a str, user: UserId },
}

/// The statements that queue an event for every endpoint of the project that listens; to be run with the deed.
pub fn queue(_app: &App, _project: &ProjectId, _event: &Event<'_>) -> Vec<Stmt> {
    Vec::new()
}
