//! Teams (contract 06 §1): reading, creating, changing and deleting them.

pub mod invitations;
pub mod members;
pub mod profiles;

use std::sync::Arc;

use latchkey_api_types::ids::{ProjectId, TeamId, UserId};
use latchkey_api_types::list::List;
use latchkey_api_types::team::{ClientTeam, ServerTeam, TeamCreate, TeamUpdate, TeamsQuery};
use latchkey_api_types::{AccessType, KnownError};
use latchkey_storage::engine::{Stmt, Tx};
use latchkey_storage::teams::{self, TeamFilter, TeamRow};
use latchkey_storage::{StorageError, team_memberships};

use crate::app::App;
use crate::audit;
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::images::{self, Accepted, Owner, shown};
use crate::permissions::{self, Definitions, system, team_grants};
use crate::projects::Project;
use crate::users::{metadata, stored_metadata};
use crate::webhooks;

/// A team with nothing set but its name.
pub(crate) fn blank(project: &ProjectId, id: TeamId, display_name: &str, now: i64) -> TeamRow {
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
pub(crate) fn creation(app: &App, project: &Project, team: &TeamRow, creator: Option<UserId>) -> Vec<Stmt> {
    let mut statements = vec![teams::insert(team)];
    if let Some(user) = creator {
        statements.push(team_memberships::insert(&project.id, team.id, user, team.created_at));
        let ids = Definitions::of(&project.settings.rbac).for_team_creator();
        statements.extend(team_grants(&project.id, team.id, user, &ids, team.created_at));
    }
    let created = view(project, team.clone());
    statements.extend(webhooks::queue(app, &project.id, &webhooks::Event::TeamCreated(&created)));
    statements
}

/// A team as servers see it; clients see a part of it.
pub(crate) fn view(project: &Project, team: TeamRow) -> ServerTeam {
    ServerTeam {
        client: ClientTeam {
            id: team.id,
            display_name: team.display_name,
            profile_image_url: shown(&project.public_url, team.profile_image_url),
            client_metadata: metadata(team.client_metadata),
            client_read_only_metadata: metadata(team.client_read_only_metadata),
        },
        server_metadata: metadata(team.server_metadata),
        created_at_millis: team.created_at,
    }
}

/// The error for a team that is not there.
pub(crate) fn not_found(team: TeamId) -> Failure {
    KnownError::team_not_found(&team.to_string()).into()
}

/// The signed-in user of a client, who needs one.
///
/// # Errors
/// `USER_AUTHENTICATION_REQUIRED`.
pub(crate) fn signed_in(auth: &Auth) -> Result<UserId, Failure> {
    auth.user_id().ok_or_else(|| KnownError::user_authentication_required().into())
}

/// Demands that a team exists.
///
/// # Errors
/// `TEAM_NOT_FOUND`.
async fn require(app: &App, project: &ProjectId, team: TeamId) -> Result<TeamRow, Failure> {
    let project = project.clone();
    app.store
        .lookup(move |tx| Box::pin(async move { Ok::<_, Failure>(teams::get(tx, &project, team).await?) }))
        .await?
        .ok_or_else(|| not_found(team))
}

/// Lists teams: for clients those of the signed-in user, for servers all or those of one user.
///
/// # Errors
/// For clients `CANNOT_GET_OWN_USER_WITHOUT_USER`, and 403 unless they ask for their own.
pub async fn list(app: &App, auth: &Auth, query: TeamsQuery) -> Result<List<ServerTeam>, Failure> {
    let member = auth.user_filter(query.user_id)?;
    let limit = query.limit.map(|limit| limit.0);
    let filter = TeamFilter {
        member,
        descending: query.desc.is_some_and(|desc| desc.0),
        from: None,
        search: query.query.filter(|text| !text.is_empty()),
        // One more than the page holds says whether there is another.
        limit: limit.map_or(i64::MAX, |limit| limit.saturating_add(1)),
    };
    let (project, cursor) = (auth.project.id.clone(), query.cursor);
    let rows = if member.is_some() {
        app.store.read(move |tx| Box::pin(async move { page(tx, &project, filter, cursor).await })).await?
    } else {
        app.store.scan(move |tx| Box::pin(async move { page(tx, &project, filter, cursor).await })).await?
    };
    let mut items: Vec<ServerTeam> = rows.into_iter().map(|row| view(&auth.project, row)).collect();
    let Some(limit) = limit else { return Ok(List::whole(items)) };
    let next = usize::try_from(limit).ok().and_then(|limit| items.get(limit)).map(|team| team.client.id);
    items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(List::page(items, next.map(|id| id.to_string())))
}

/// One page.
///
/// # Errors
/// 400 for a cursor that is no team of the project.
async fn page(
    tx: &mut Tx,
    project: &ProjectId,
    mut filter: TeamFilter,
    cursor: Option<TeamId>,
) -> Result<Vec<TeamRow>, Failure> {
    if let Some(cursor) = cursor {
        let first = teams::get(tx, project, cursor).await?;
        let first = first.ok_or_else(|| Failure::text(400, "The cursor is no team of the project."))?;
        filter.from = Some((first.created_at, first.id));
    }
    Ok(teams::list(tx, project, &filter).await?)
}

/// Creates a team. Clients become its creator; servers may name one.
///
/// # Errors
/// For clients `USER_AUTHENTICATION_REQUIRED`, and 403 where the project keeps team creation to servers or somebody
/// else is named; `USER_NOT_FOUND` for an unknown creator; 400 for a picture that is not accepted.
pub async fn create(
    app: &App,
    auth: &Auth,
    add_current_user: Option<bool>,
    request: TeamCreate,
) -> Result<ServerTeam, Failure> {
    let project = &auth.project;
    let is_client = auth.access == AccessType::Client;
    if is_client {
        signed_in(auth)?;
        if !project.settings.teams.allow_client_team_creation {
            return Err(Failure::text(403, "This project does not let users create teams."));
        }
    }
    let mut creator = request.creator_user_id.map(|user| auth.user_or_me(user)).transpose()?;
    if add_current_user.is_some() && creator.is_some() {
        return Err(Failure::text(400, "Send either creator_user_id or the deprecated add_current_user."));
    }
    let now = app.now();
    let mut team = blank(&project.id, TeamId::from_uuid(app.random.uuid()), &request.display_name, now);
    let picture = request.profile_image_url.and_then(|url| url.0);
    let picture = match &picture {
        Some(url) => Some(accept_picture(app, auth, team.id, Some(url.as_str()))?),
        None => None,
    };
    if is_client {
        let me = signed_in(auth)?;
        if creator.is_some_and(|creator| creator != me) {
            return Err(Failure::text(403, "Users create teams for themselves only."));
        }
        creator = Some(me);
    }
    if add_current_user == Some(true) {
        let me = auth.user_id();
        creator = Some(me.ok_or_else(|| Failure::text(401, "There is no signed-in user to be added."))?);
    }
    team.client_metadata = request.client_metadata.and_then(|value| stored_metadata(&value.0));
    team.client_read_only_metadata =
        request.client_read_only_metadata.and_then(|value| stored_metadata(&value.0));
    team.server_metadata = request.server_metadata.and_then(|value| stored_metadata(&value.0));
    team.profile_image_url = picture.as_ref().and_then(|picture| picture.url.clone());

    let mut statements = creation(app, project, &team, creator);
    statements.extend(picture.into_iter().flat_map(|picture| picture.statements));
    statements.push(audit::of_team(app, auth, audit::kind::TEAM_CREATED, team.id, creator));
    match app.store.batch(statements).await {
        Ok(_) => Ok(view(project, team)),
        Err(StorageError::ForeignKey) => Err(KnownError::user_not_found().into()),
        Err(error) => Err(error.into()),
    }
}

fn accept_picture(app: &App, auth: &Auth, team: TeamId, url: Option<&str>) -> Result<Accepted, Failure> {
    images::accept(app, &auth.project.id, Owner::Team(team), auth.access, url)
}

/// Reads a team; clients must be in it.
///
/// # Errors
/// `TEAM_NOT_FOUND`; for clients `USER_AUTHENTICATION_REQUIRED`, `TEAM_MEMBERSHIP_NOT_FOUND`.
pub async fn get(app: &App, auth: &Auth, team: TeamId) -> Result<ServerTeam, Failure> {
    if auth.access == AccessType::Client {
        permissions::require_membership(app, &auth.project, team, signed_in(auth)?).await?;
    }
    require(app, &auth.project.id, team).await.map(|row| view(&auth.project, row))
}

/// Demands, in the transaction of the deed, that a client's user may do it and that the team exists.
async fn authorised(
    tx: &mut Tx,
    project: &Project,
    team: TeamId,
    client: Option<UserId>,
    permission: &str,
) -> Result<TeamRow, Failure> {
    if let Some(user) = client {
        permissions::check_in_team(tx, project, team, user, &[permission]).await?;
    }
    teams::get(tx, &project.id, team).await?.ok_or_else(|| not_found(team))
}

/// The user whose permissions count: the signed-in one of a client; servers need none.
fn bound_by(auth: &Auth) -> Result<Option<UserId>, Failure> {
    (auth.access == AccessType::Client).then(|| signed_in(auth)).transpose()
}

/// Changes a team; absent fields stay as they are.
///
/// # Errors
/// `TEAM_NOT_FOUND`; for clients `USER_AUTHENTICATION_REQUIRED`, `TEAM_MEMBERSHIP_NOT_FOUND`,
/// `TEAM_PERMISSION_REQUIRED`; 400 for a picture that is not accepted.
pub async fn update(
    app: &Arc<App>,
    auth: &Auth,
    team: TeamId,
    request: TeamUpdate,
) -> Result<ServerTeam, Failure> {
    let client = bound_by(auth)?;
    if let Some(user) = client {
        permissions::require_in_team(app, &auth.project, team, user, &[system::UPDATE_TEAM]).await?;
    }
    let picture = match &request.profile_image_url {
        Some(url) => {
            let url = url.0.as_ref().map(latchkey_api_types::input::ImageUrl::as_str);
            Some(accept_picture(app, auth, team, url)?)
        }
        None => None,
    };
    let recorded = audit::of_team(app, auth, audit::kind::TEAM_UPDATED, team, None);
    let plan = Arc::new((Arc::clone(app), Arc::clone(&auth.project), request, picture, recorded));
    app.store
        .write(move |tx| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (app, project, request, picture, recorded) = &*plan;
                let mut row = authorised(tx, project, team, client, system::UPDATE_TEAM).await?;
                apply(&mut row, request, picture.as_ref());
                tx.run(teams::update(&row)).await?;
                if let Some(picture) = picture {
                    tx.run_all(&picture.statements).await?;
                }
                let changed = view(project, row);
                let event = webhooks::Event::TeamUpdated(&changed);
                tx.run_all(&webhooks::queue(app, &project.id, &event)).await?;
                tx.run(recorded.clone()).await?;
                Ok(changed)
            })
        })
        .await
}

fn apply(team: &mut TeamRow, request: &TeamUpdate, picture: Option<&Accepted>) {
    if let Some(name) = &request.display_name {
        team.display_name.clone_from(name);
    }
    if let Some(picture) = picture {
        team.profile_image_url.clone_from(&picture.url);
    }
    if let Some(value) = &request.client_metadata {
        team.client_metadata = stored_metadata(&value.0);
    }
    if let Some(value) = &request.client_read_only_metadata {
        team.client_read_only_metadata = stored_metadata(&value.0);
    }
    if let Some(value) = &request.server_metadata {
        team.server_metadata = stored_metadata(&value.0);
    }
}

/// Deletes a team with its memberships, their permissions and its invitations. Nobody works in it any more.
///
/// # Errors
/// `TEAM_NOT_FOUND`; for clients `USER_AUTHENTICATION_REQUIRED`, `TEAM_MEMBERSHIP_NOT_FOUND`,
/// `TEAM_PERMISSION_REQUIRED`.
pub async fn delete(app: &App, auth: &Auth, team: TeamId) -> Result<(), Failure> {
    let client = bound_by(auth)?;
    let mut consequences = webhooks::queue(app, &auth.project.id, &webhooks::Event::TeamDeleted { team });
    consequences.push(audit::of_team(app, auth, audit::kind::TEAM_DELETED, team, None));
    let plan = Arc::new((Arc::clone(&auth.project), consequences));
    app.store
        .write(move |tx| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (project, consequences) = &*plan;
                authorised(tx, project, team, client, system::DELETE_TEAM).await?;
                tx.run(team_memberships::deselect_everybody(&project.id, team)).await?;
                tx.run(teams::delete(&project.id, team)).await?;
                tx.run_all(consequences).await?;
                Ok(())
            })
        })
        .await
}
