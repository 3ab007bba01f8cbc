//! Teams (contract 06 §1): reading, creating, changing and deleting them.

use latchkey_api_types::ids::{ProjectId, TeamId, UserId};
use latchkey_api_types::team::{ClientTeam, ServerTeam};
use latchkey_storage::engine::Stmt;
use latchkey_storage::team_memberships;
use latchkey_storage::teams::{self, TeamRow};

use crate::app::App;
use crate::permissions::{Definitions, team_grants};
use crate::projects::Project;
use crate::users::metadata;
use crate::webhooks;

/// A team with nothing set but its name.
pub fn blank(project: &ProjectId, id: TeamId, display_name: &str, now: i64) -> TeamRow {
    TeamRow {
        project_id: project.clone(),
        id,
        display_name: display_name.to_owned(),
        profile_image_url: None,
        client_metadata: None,
        client_read_only_metadata: None,
        server_metadata: None,
        created_at: now,
    }
}

/// The statements that create a team, put its creator into it and queue the event. They violate the foreign key if
/// there is no such user.
pub fn creation(app: &App, project: &Project, team: &TeamRow, creator: Option<UserId>) -> Vec<Stmt> {
    let mut statements = vec![teams::insert(team)];
    if let Some(user) = creator {
        statements.push(team_memberships::insert(&project.id, team.id, user, team.created_at));
        let ids = Definitions::of(&project.settings.rbac).for_team_creator();
        statements.extend(team_grants(&project.id, team.id, user, &ids, team.created_at));
    }
    let created = view(team.clone());
    statements.extend(webhooks::queue(app, &project.id, &webhooks::Event::TeamCreated(&created)));
    statements
}

/// A team as servers see it; clients see a part of it.
pub(crate) fn view(team: TeamRow) -> ServerTeam {
    ServerTeam {
        client: ClientTeam {
            id: team.id,
            display_name: team.display_name,
            profile_image_url: team.profile_image_url,
            client_metadata: metadata(team.client_metadata),
            client_read_only_metadata: metadata(team.client_read_only_metadata),
        },
        server_metadata: metadata(team.server_metadata),
        created_at_millis: team.created_at,
    }
}
