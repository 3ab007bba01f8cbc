//! Invitations to teams (contract 06 §4). A code works once: one conditional statement claims it, together with the
//! membership that it gives. What fails before leaves it as it was.

use std::sync::Arc;

use latchkey_api_types::ids::{TeamId, TeamInvitationId, UserId};
use latchkey_api_types::team::{InvitationDetails, TeamInvitation, TeamInvitationCreate};
use latchkey_api_types::{AccessType, KnownError};
use latchkey_crypto::TokenHash;
use latchkey_storage::StorageError;
use latchkey_storage::team_invitations::{self, OpenInvitationRow, TeamInvitationRow};
use latchkey_storage::teams;

use super::members::{ATTEMPTS, joining, was_overtaken};
use crate::app::App;
use crate::audit;
use crate::authenticate::{Auth, CurrentUser};
use crate::claims::restricted_reason;
use crate::contact_channels::normalise_email;
use crate::failure::Failure;
use crate::one_time_codes::{most_attempts, suffix, trusted_callback, with_code};
use crate::permissions::{self, system};
use crate::system_mails::{self, To};

/// Invites an address to a team, by mail.
///
/// # Errors
/// `TEAM_NOT_FOUND`, `REDIRECT_URL_NOT_WHITELISTED`; for clients `USER_AUTHENTICATION_REQUIRED`,
/// `TEAM_MEMBERSHIP_NOT_FOUND`, `TEAM_PERMISSION_REQUIRED`.
pub async fn send(
    app: &App,
    auth: &Auth,
    request: TeamInvitationCreate,
) -> Result<TeamInvitationId, Failure> {
    let (project, team) = (&auth.project, request.team_id);
    if auth.access == AccessType::Client {
        let me = super::signed_in(auth)?;
        permissions::require_in_team(app, project, team, me, &[system::INVITE_MEMBERS]).await?;
    }
    let row = super::require(app, &project.id, team).await?;
    let callback = trusted_callback(project, request.callback_url.as_str())?;
    let code = app.random.token();
    let now = app.now();
    let invitation = TeamInvitationRow {
        project_id: project.id.clone(),
        id: TeamInvitationId::from_uuid(app.random.uuid()),
        team_id: team,
        recipient_email: normalise_email(request.email.as_str()),
        code_hash: TokenHash::of(&code),
        suffix_hash: TokenHash::of(suffix(&code)),
        attempts: 0,
        created_at: now,
        expires_at: now + app.config.codes.team_invitation_lifetime.as_millis(),
        used_at: None,
    };
    let link = with_code(&callback, &code);
    let to = To { address: &invitation.recipient_email, user: None, accepted: auth.locale };
    let mail = system_mails::team_invitation(app, project, &to, &row.display_name, &link)?;
    match app.store.batch(vec![team_invitations::insert(&invitation), mail]).await {
        Ok(_) => {}
        Err(StorageError::ForeignKey) => return Err(super::not_found(team)),
        Err(error) => return Err(error.into()),
    }
    app.jobs.wake();
    Ok(invitation.id)
}

/// The open invitation behind a code; counts the look.
///
/// # Errors
/// In this order: `VERIFICATION_CODE_NOT_FOUND`, `VERIFICATION_CODE_EXPIRED`, `VERIFICATION_CODE_ALREADY_USED`,
/// `VERIFICATION_CODE_MAX_ATTEMPTS_REACHED`.
pub async fn check(app: &App, auth: &Auth, code: &str) -> Result<TeamInvitationRow, Failure> {
    let look = team_invitations::look_up(&auth.project.id, &TokenHash::of(suffix(code)));
    let outcomes = app.store.batch(vec![look]).await?;
    let seen = outcomes.first().map(latchkey_storage::engine::Outcome::read).transpose()?;
    let hash = TokenHash::of(code);
    let found = seen.unwrap_or_default().into_iter().find(|row: &TeamInvitationRow| row.code_hash == hash);
    let invitation = found.ok_or_else(KnownError::verification_code_not_found)?;
    if invitation.expires_at <= app.now() {
        return Err(KnownError::verification_code_expired().into());
    }
    if invitation.used_at.is_some() {
        return Err(KnownError::verification_code_already_used().into());
    }
    if invitation.attempts > most_attempts(app) {
        return Err(KnownError::verification_code_max_attempts_reached().into());
    }
    Ok(invitation)
}

/// The signed-in user, who may accept invitations.
fn acceptor(auth: &Auth) -> Result<&CurrentUser, Failure> {
    let user = auth.user.as_ref().ok_or_else(KnownError::user_authentication_required)?;
    match restricted_reason(&user.row, &auth.project) {
        None => Ok(user),
        Some(reason) => Err(KnownError::team_invitation_restricted_user_not_allowed(reason).into()),
    }
}

/// What an invitation is about, for the user who holds its code.
///
/// # Errors
/// Those of [`check`], `USER_AUTHENTICATION_REQUIRED`, `TEAM_INVITATION_RESTRICTED_USER_NOT_ALLOWED`.
pub async fn details(app: &App, auth: &Auth, code: &str) -> Result<InvitationDetails, Failure> {
    let invitation = check(app, auth, code).await?;
    acceptor(auth)?;
    let team = super::require(app, &auth.project.id, invitation.team_id).await?;
    Ok(InvitationDetails { team_id: team.id, team_display_name: team.display_name })
}

/// Accepts the invitation whose code the signed-in user holds, whatever address it was sent to. A member stays one.
///
/// # Errors
/// Those of [`check`], `USER_AUTHENTICATION_REQUIRED`, `TEAM_INVITATION_RESTRICTED_USER_NOT_ALLOWED`.
pub async fn accept(app: &App, auth: &Auth, code: &str) -> Result<(), Failure> {
    for _ in 0..ATTEMPTS {
        let invitation = check(app, auth, code).await?;
        let user = acceptor(auth)?.row.id;
        if join(app, auth, invitation.id, invitation.team_id, user).await? {
            return Ok(());
        }
    }
    Err(Failure::Busy { retry_after_seconds: 1 })
}

/// Accepts an invitation that was sent to a verified address of the user.
///
/// # Errors
/// `VERIFICATION_CODE_NOT_FOUND`; for clients `CANNOT_GET_OWN_USER_WITHOUT_USER` also for others,
/// `TEAM_INVITATION_RESTRICTED_USER_NOT_ALLOWED`.
pub async fn accept_by_id(app: &App, auth: &Auth, id: TeamInvitationId, user: UserId) -> Result<(), Failure> {
    if auth.access == AccessType::Client {
        require_self(auth, user)?;
        acceptor(auth)?;
    }
    for _ in 0..ATTEMPTS {
        let (project, now) = (auth.project.id.clone(), app.now());
        let team = app.store.lookup(move |tx| {
            Box::pin(async move {
                Ok::<_, Failure>(team_invitations::team_for(tx, &project, id, user, now).await?)
            })
        });
        let team = team.await?.ok_or_else(KnownError::verification_code_not_found)?;
        if join(app, auth, id, team, user).await? {
            return Ok(());
        }
    }
    Err(Failure::Busy { retry_after_seconds: 1 })
}

/// Demands that a client speaks for its own user.
fn require_self(auth: &Auth, user: UserId) -> Result<(), Failure> {
    if auth.me()?.row.id == user {
        Ok(())
    } else {
        Err(KnownError::cannot_get_own_user_without_user().into())
    }
}

/// Claims an invitation and lets the user in. False if somebody else was faster, in whatever way.
async fn join(
    app: &App,
    auth: &Auth,
    id: TeamInvitationId,
    team: TeamId,
    user: UserId,
) -> Result<bool, Failure> {
    let project = auth.project.id.clone();
    let is_member = app.store.lookup(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(teams::is_member(tx, &project, team, user).await?) })
    });
    let mut statements = vec![team_invitations::claim(&auth.project.id, id, app.now()).exactly(1)];
    if !is_member.await? {
        statements.extend(joining(app, &auth.project, team, user));
        statements.push(audit::of_team(app, auth, audit::kind::MEMBER_ADDED, team, Some(user)));
    }
    match app.store.batch(statements).await {
        Ok(_) => Ok(true),
        Err(error) if was_overtaken(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn view(row: OpenInvitationRow) -> TeamInvitation {
    TeamInvitation {
        id: row.id,
        team_id: row.team_id,
        team_display_name: row.team_display_name,
        expires_at_millis: row.expires_at,
        recipient_email: row.recipient_email,
    }
}

/// Lists the open invitations to a team, or those to the verified addresses of a user.
///
/// # Errors
/// 400 unless exactly one of the two is named; `TEAM_NOT_FOUND`; for clients `CANNOT_GET_OWN_USER_WITHOUT_USER` also
/// for others, `TEAM_MEMBERSHIP_NOT_FOUND`, `TEAM_PERMISSION_REQUIRED`.
pub async fn list(
    app: &App,
    auth: &Auth,
    team: Option<TeamId>,
    user: Option<UserId>,
) -> Result<Vec<TeamInvitation>, Failure> {
    let is_client = auth.access == AccessType::Client;
    let (project, now) = (Arc::clone(&auth.project), app.now());
    let rows = match (team, user) {
        (Some(team), None) => {
            if is_client {
                let needed = [system::READ_MEMBERS, system::INVITE_MEMBERS];
                let me = auth.me()?.row.id;
                permissions::require_in_team(app, &project, team, me, &needed).await?;
            } else {
                super::require(app, &project.id, team).await?;
            }
            app.store
                .read(move |tx| {
                    Box::pin(async move {
                        Ok::<_, Failure>(team_invitations::open_of_team(tx, &project.id, team, now).await?)
                    })
                })
                .await?
        }
        (None, Some(user)) => {
            if is_client {
                require_self(auth, user)?;
            }
            app.store
                .read(move |tx| {
                    Box::pin(async move {
                        Ok::<_, Failure>(team_invitations::open_of_user(tx, &project.id, user, now).await?)
                    })
                })
                .await?
        }
        _ => return Err(Failure::text(400, "Send exactly one of team_id and user_id.")),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// Takes an open invitation back.
///
/// # Errors
/// 400 without a team, `TEAM_NOT_FOUND`, `VERIFICATION_CODE_NOT_FOUND`; for clients
/// `CANNOT_GET_OWN_USER_WITHOUT_USER`, `TEAM_MEMBERSHIP_NOT_FOUND`, `TEAM_PERMISSION_REQUIRED`.
pub async fn revoke(
    app: &App,
    auth: &Auth,
    id: TeamInvitationId,
    team: Option<TeamId>,
) -> Result<(), Failure> {
    let team = team.ok_or_else(|| Failure::text(400, "Say by team_id whose invitation it is."))?;
    let project = &auth.project;
    if auth.access == AccessType::Client {
        let me = auth.me()?.row.id;
        permissions::require_in_team(app, project, team, me, &[system::REMOVE_MEMBERS]).await?;
    } else {
        super::require(app, &project.id, team).await?;
    }
    let revoked = team_invitations::revoke(&project.id, team, id, app.now()).exactly(1);
    match app.store.batch(vec![revoked]).await {
        Ok(_) => Ok(()),
        Err(StorageError::Guard { .. }) => Err(KnownError::verification_code_not_found().into()),
        Err(error) => Err(error.into()),
    }
}
