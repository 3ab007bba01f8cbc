//! Member profiles (contract 06 §3): what members are called in their teams.

use std::collections::BTreeMap;
use std::sync::Arc;

use latchkey_api_types::ids::{TeamId, UserId};
use latchkey_api_types::input::ImageUrl;
use latchkey_api_types::team::{ClientMemberProfile, MemberProfileUpdate, ServerMemberProfile};
use latchkey_api_types::{AccessType, KnownError};
use latchkey_storage::engine::Tx;
use latchkey_storage::team_memberships::{self, MemberRow};
use latchkey_storage::users::UserFilter;
use latchkey_storage::{teams, users};

use crate::app::App;
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::images::{self, Owner};
use crate::permissions::{self, system};
use crate::projects::Project;
use crate::users::{show_in, views};

/// A profile as clients see it: what is not set for the team is the user's own.
fn view(project: &Project, row: MemberRow) -> ClientMemberProfile {
    let picture = row.profile_image_url.or(row.user_profile_image_url);
    ClientMemberProfile {
        team_id: row.team_id,
        user_id: row.user_id,
        display_name: row.display_name.or(row.user_display_name),
        profile_image_url: images::shown(&project.public_url, picture),
    }
}

/// A profile as servers see it.
async fn server_view(tx: &mut Tx, project: &Project, row: MemberRow) -> Result<ServerMemberProfile, Failure> {
    let user = users::get(tx, &project.id, row.user_id).await?;
    let user = user.ok_or_else(|| Failure::internal("a member without user"))?;
    Ok(ServerMemberProfile { user: show_in(tx, project, user).await?, client: view(project, row) })
}

/// Demands that the client's user may see this member of the team.
async fn require_sight(app: &App, auth: &Auth, team: TeamId, user: Option<UserId>) -> Result<(), Failure> {
    let me = auth.me()?.row.id;
    let needed: &[&str] = if user == Some(me) { &[] } else { &[system::READ_MEMBERS] };
    permissions::require_in_team(app, &auth.project, team, me, needed).await
}

/// Lists the members of a team as clients see them, in the order in which they joined.
///
/// # Errors
/// `CANNOT_GET_OWN_USER_WITHOUT_USER`, 400 without a team, `TEAM_MEMBERSHIP_NOT_FOUND`, `TEAM_PERMISSION_REQUIRED`.
pub async fn list_as_client(
    app: &App,
    auth: &Auth,
    team: Option<TeamId>,
    user: Option<UserId>,
) -> Result<Vec<ClientMemberProfile>, Failure> {
    auth.me()?;
    let team = team.ok_or_else(|| Failure::text(400, "Say by team_id whose members are wanted."))?;
    require_sight(app, auth, team, user).await?;
    let project = auth.project.id.clone();
    let rows = app.store.scan(move |tx| {
        Box::pin(
            async move { Ok::<_, Failure>(team_memberships::list(tx, &project, Some(team), user).await?) },
        )
    });
    Ok(rows.await?.into_iter().map(|row| view(&auth.project, row)).collect())
}

/// Lists members as servers see them, in the order in which they joined.
///
/// # Errors
/// `TEAM_NOT_FOUND`, `USER_NOT_FOUND`.
pub async fn list(
    app: &App,
    auth: &Auth,
    team: Option<TeamId>,
    user: Option<UserId>,
) -> Result<Vec<ServerMemberProfile>, Failure> {
    let project = Arc::clone(&auth.project);
    app.store
        .scan(move |tx| {
            Box::pin(async move {
                if let Some(team) = team
                    && teams::get(tx, &project.id, team).await?.is_none()
                {
                    return Err(super::not_found(team));
                }
                if let Some(user) = user
                    && users::get(tx, &project.id, user).await?.is_none()
                {
                    return Err(KnownError::user_not_found().into());
                }
                let members = team_memberships::list(tx, &project.id, team, user).await?;
                let mut profiles = Vec::with_capacity(members.len());
                if let (Some(team), None) = (team, user) {
                    // Whole teams are asked for often: their users are read together.
                    let everybody = UserFilter {
                        include_anonymous: true,
                        include_restricted: true,
                        team: Some(team),
                        ..UserFilter::default()
                    };
                    let rows = users::list(tx, &project.id, &everybody).await?;
                    let shown = views(tx, &project, rows).await?.into_iter();
                    let mut shown: BTreeMap<UserId, _> = shown.map(|user| (user.fields.id, user)).collect();
                    let with_user = members.into_iter().filter_map(|row| {
                        Some(ServerMemberProfile {
                            user: shown.remove(&row.user_id)?,
                            client: view(&project, row),
                        })
                    });
                    profiles.extend(with_user);
                } else {
                    for row in members {
                        profiles.push(server_view(tx, &project, row).await?);
                    }
                }
                Ok(profiles)
            })
        })
        .await
}

/// One member as the transaction sees them.
async fn member(tx: &mut Tx, project: &Project, team: TeamId, user: UserId) -> Result<MemberRow, Failure> {
    permissions::held_by_member(tx, &project.id, team, user).await?;
    let row = team_memberships::get(tx, &project.id, team, user).await?;
    row.ok_or_else(|| permissions::not_a_member(team, user))
}

/// Reads the profile of a member.
///
/// # Errors
/// `USER_NOT_FOUND`, `TEAM_MEMBERSHIP_NOT_FOUND`; for clients `CANNOT_GET_OWN_USER_WITHOUT_USER`,
/// `TEAM_PERMISSION_REQUIRED`.
pub async fn get(app: &App, auth: &Auth, team: TeamId, user: UserId) -> Result<ServerMemberProfile, Failure> {
    if auth.access == AccessType::Client {
        require_sight(app, auth, team, Some(user)).await?;
    }
    let project = Arc::clone(&auth.project);
    app.store
        .read(move |tx| {
            Box::pin(async move {
                let row = member(tx, &project, team, user).await?;
                server_view(tx, &project, row).await
            })
        })
        .await
}

/// Changes the profile of a member; absent fields stay as they are.
///
/// # Errors
/// `USER_NOT_FOUND`, `TEAM_MEMBERSHIP_NOT_FOUND`; for clients `CANNOT_GET_OWN_USER_WITHOUT_USER` and 403 for others;
/// 400 for a picture that is not accepted.
pub async fn update(
    app: &App,
    auth: &Auth,
    team: TeamId,
    user: UserId,
    request: MemberProfileUpdate,
) -> Result<ServerMemberProfile, Failure> {
    if auth.access == AccessType::Client && auth.me()?.row.id != user {
        return Err(Failure::text(403, "Users change their own profiles only."));
    }
    let picture = match &request.profile_image_url {
        Some(url) => {
            let url = url.0.as_ref().map(ImageUrl::as_str);
            // Here clients may name web addresses, too.
            Some(images::accept(app, &auth.project.id, Owner::Member(team, user), AccessType::Server, url)?)
        }
        None => None,
    };
    let plan = Arc::new((Arc::clone(&auth.project), request.display_name, picture));
    app.store
        .write(move |tx| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (project, name, picture) = &*plan;
                let mut row = member(tx, project, team, user).await?;
                row.display_name = name.clone().or(row.display_name);
                if let Some(picture) = picture {
                    row.profile_image_url.clone_from(&picture.url);
                }
                let (name, url) = (row.display_name.as_deref(), row.profile_image_url.as_deref());
                tx.run(team_memberships::set_profile(&project.id, team, user, name, url)).await?;
                if let Some(picture) = picture {
                    tx.run_all(&picture.statements).await?;
                }
                server_view(tx, project, row).await
            })
        })
        .await
}
