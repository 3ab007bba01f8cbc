//! Memberships (contract 06 §2): joining and leaving.

use std::sync::Arc;

use latchkey_api_types::ids::{TeamId, UserId};
use latchkey_api_types::team::TeamMembership;
use latchkey_api_types::{AccessType, KnownError};
use latchkey_storage::engine::Stmt;
use latchkey_storage::{StorageError, team_memberships, teams, users};

use crate::app::App;
use crate::audit;
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::permissions::{self, Definitions, system, team_grants};
use crate::projects::Project;
use crate::webhooks::{self, Event};

/// How often something is tried whose ground was taken away between reading and writing.
pub(super) const ATTEMPTS: u32 = 4;

/// The statements that put a user into a team, with what new members get and the events. They violate
/// `team_memberships_pkey` if the user is in it, and the foreign key if either is gone.
pub(super) fn joining(app: &App, project: &Project, team: TeamId, user: UserId) -> Vec<Stmt> {
    let now = app.now();
    let mut statements = vec![team_memberships::insert(&project.id, team, user, now)];
    let ids = Definitions::of(&project.settings.rbac).for_team_member();
    statements.extend(team_grants(&project.id, team, user, &ids, now));
    statements.extend(webhooks::queue(app, &project.id, &Event::MembershipCreated { team, user }));
    for id in ids {
        let event = Event::TeamPermissionCreated { id, team, user };
        statements.extend(webhooks::queue(app, &project.id, &event));
    }
    statements
}

/// Whether a failed write only means that somebody else was faster, so that looking again tells more.
pub(super) fn was_overtaken(error: &StorageError) -> bool {
    matches!(error, StorageError::Guard { .. } | StorageError::Unique { .. } | StorageError::ForeignKey)
}

/// Puts a user into a team.
///
/// # Errors
/// `USER_NOT_FOUND`, `TEAM_NOT_FOUND`, `TEAM_MEMBERSHIP_ALREADY_EXISTS`.
pub async fn add(app: &App, auth: &Auth, team: TeamId, user: UserId) -> Result<TeamMembership, Failure> {
    for _ in 0..ATTEMPTS {
        let project = auth.project.id.clone();
        let (user_exists, team_exists, is_member) = app
            .store
            .read(move |tx| {
                Box::pin(async move {
                    let user_exists = users::get(tx, &project, user).await?.is_some();
                    let team_exists = teams::get(tx, &project, team).await?.is_some();
                    let is_member = teams::is_member(tx, &project, team, user).await?;
                    Ok::<_, Failure>((user_exists, team_exists, is_member))
                })
            })
            .await?;
        if !user_exists {
            return Err(KnownError::user_not_found().into());
        }
        if !team_exists {
            return Err(super::not_found(team));
        }
        if is_member {
            return Err(KnownError::team_membership_already_exists().into());
        }
        let mut statements = joining(app, &auth.project, team, user);
        statements.push(audit::of_team(app, auth, audit::kind::MEMBER_ADDED, team, Some(user)));
        match app.store.batch(statements).await {
            Ok(_) => return Ok(TeamMembership { team_id: team, user_id: user }),
            Err(error) if was_overtaken(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::Busy { retry_after_seconds: 1 })
}

/// Takes a user out of a team; clients may always leave. What was held there is gone, and if they worked in this
/// team they now work in none.
///
/// # Errors
/// `USER_NOT_FOUND`, `TEAM_MEMBERSHIP_NOT_FOUND`; for clients `CANNOT_GET_OWN_USER_WITHOUT_USER`,
/// `TEAM_PERMISSION_REQUIRED`.
pub async fn remove(app: &App, auth: &Auth, team: TeamId, user: UserId) -> Result<(), Failure> {
    let client = match auth.access {
        AccessType::Client => Some(auth.me()?.row.id).filter(|me| *me != user),
        AccessType::Server | AccessType::Admin => None,
    };
    let mut consequences = webhooks::queue(app, &auth.project.id, &Event::MembershipDeleted { team, user });
    consequences.push(audit::of_team(app, auth, audit::kind::MEMBER_REMOVED, team, Some(user)));
    let plan = Arc::new((Arc::clone(&auth.project), consequences));
    app.store
        .write(move |tx| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (project, consequences) = &*plan;
                if let Some(me) = client {
                    permissions::check_in_team(tx, project, team, me, &[system::REMOVE_MEMBERS]).await?;
                }
                permissions::held_by_member(tx, &project.id, team, user).await?;
                tx.run(team_memberships::delete(&project.id, team, user)).await?;
                tx.run(team_memberships::deselect(&project.id, team, user)).await?;
                tx.run_all(consequences).await?;
                Ok(())
            })
        })
        .await
}
