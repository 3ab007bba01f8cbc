//! Becoming a user: what happens to everybody who is new, whichever way they came (contract 05 §3.2), and the way by
//! which servers create them.

use std::sync::Arc;

use latchkey_api_types::KnownError;
use latchkey_api_types::ids::{ContactChannelId, OauthAccountId, TeamId, UserId};
use latchkey_api_types::user::{OauthAccountInput, ServerUser, UserCreate};
use latchkey_storage::contact_channels;
use latchkey_storage::credentials;
use latchkey_storage::engine::Stmt;
use latchkey_storage::oauth_accounts::{self, OauthAccountRow};
use latchkey_storage::teams as stored_teams;
use latchkey_storage::users::{self, UserRow};

use super::changes::{self, Fields, Password};
use super::{conflict, show, view};
use crate::app::App;
use crate::audit::{self, Event};
use crate::authenticate::Auth;
use crate::contact_channels::{normalise_email, primary_email};
use crate::failure::Failure;
use crate::permissions::grants_for_new_user;
use crate::projects::Project;
use crate::teams;
use crate::webhooks;

/// The name of the team of somebody of whom neither a name nor an address is known.
pub(crate) const PERSONAL_TEAM: &str = "Personal Team";

/// The name of the team that a new user gets.
pub(crate) fn personal_team_name(display_name: Option<&str>, email: Option<&str>) -> String {
    match display_name.or(email) {
        Some(name) => format!("{name}'s Team"),
        None => PERSONAL_TEAM.to_owned(),
    }
}

/// Somebody who is about to become a user.
pub(crate) struct NewUser {
    /// The user, with their primary email; the flags about passwords and accounts are set from the rest.
    pub(crate) row: UserRow,
    /// Hash of the password.
    pub(crate) password: Option<String>,
    /// Accounts with OAuth providers.
    pub(crate) accounts: Vec<OauthAccountRow>,
}

/// A user who comes to be when the statements have run.
pub(crate) struct Created {
    /// The user's row.
    pub(crate) row: UserRow,
    /// The user as they are seen at this moment, before the personal team.
    pub(crate) seen: ServerUser,
    /// What makes it so.
    pub(crate) statements: Vec<Stmt>,
}

/// Everything that happens when somebody becomes a user, in one place for all ways: their row, address, credentials
/// and accounts, the default permissions, the event, and the personal team if the project gives one, which then is
/// selected.
pub(crate) fn creation(app: &App, project: &Project, new: NewUser) -> Created {
    let NewUser { mut row, password, accounts } = new;
    let now = app.now();
    row.has_password = password.is_some();
    row.oauth_accounts = i64::try_from(accounts.len()).unwrap_or(i64::MAX);
    let team = project.settings.teams.create_personal_team_on_sign_up.then(|| {
        let name = personal_team_name(row.display_name.as_deref(), row.primary_email.as_deref());
        teams::blank(&project.id, TeamId::from_uuid(app.random.uuid()), &name, now)
    });
    row.selected_team_id = team.as_ref().map(|team| team.id);

    let mut statements = vec![users::insert(&row)];
    let channel = primary_email(&row, ContactChannelId::from_uuid(app.random.uuid()), now);
    statements.extend(channel.iter().map(contact_channels::insert));
    statements.extend(password.map(|hash| credentials::set_password(&project.id, row.id, &hash, now)));
    statements.extend(accounts.iter().map(oauth_accounts::insert));
    statements.extend(grants_for_new_user(project, row.id, now));
    let seen = view(project, row.clone(), accounts, None);
    statements.extend(webhooks::queue(app, &project.id, &webhooks::Event::UserCreated(&seen)));
    if let Some(team) = team {
        statements.extend(teams::creation(app, project, &team, Some(row.id)));
    }
    Created { row, seen, statements }
}

/// Everything that happens when an anonymous user signs up as this one. The first statement breaks its guard if they
/// are not anonymous any more.
pub(crate) async fn upgrade(
    app: &App,
    project: &Arc<Project>,
    row: &UserRow,
    password: Option<&str>,
) -> Result<Vec<Stmt>, Failure> {
    let now = row.signed_up_at;
    let mut statements =
        vec![users::upgrade(row).exactly(1), contact_channels::demote_primary(&project.id, row.id)];
    let channel = primary_email(row, ContactChannelId::from_uuid(app.random.uuid()), now);
    statements.extend(channel.iter().map(contact_channels::upsert));
    statements.extend(password.map(|hash| credentials::set_password(&project.id, row.id, hash, now)));
    let name = personal_team_name(None, row.primary_email.as_deref());
    statements.push(stored_teams::rename_of_member(&project.id, row.id, PERSONAL_TEAM, &name));
    let seen = show(app, project, row.clone()).await?;
    statements.extend(webhooks::queue(app, &project.id, &webhooks::Event::UserUpdated(&seen)));
    Ok(statements)
}

/// Creates a user without asking them. Sign-up switch and sign-up rules are not consulted.
///
/// # Errors
/// `USER_EMAIL_ALREADY_EXISTS`; 400 for fields that contradict each other or the project's settings.
pub async fn create(app: &App, auth: &Auth, request: UserCreate) -> Result<ServerUser, Failure> {
    let project = &auth.project;
    let mut row = users::blank(&project.id, UserId::from_uuid(app.random.uuid()), app.now());
    let (request, is_anonymous, accounts) = request.into_parts();
    let accounts = linked_accounts(app, project, row.id, accounts)?;
    let fields = Fields::read(app, auth, row.id, request).await?;
    fields.apply(project, &mut row)?;
    row.is_anonymous = is_anonymous;
    // The secret is kept, but only an update switches the second factor on (contract 05 §3.2).
    row.requires_totp_mfa = false;
    let email = fields.email.address.clone().flatten();
    let (verified, used_for_auth) =
        (fields.email.verified == Some(true), fields.email.used_for_auth == Some(true));
    changes::require_email(email.as_deref(), verified, used_for_auth)?;
    if email.is_some() {
        row.primary_email.clone_from(&email);
        row.primary_email_verified = Some(verified);
        row.primary_email_used_for_auth = Some(used_for_auth);
    }
    let password = match fields.password {
        Password::Set(hash) => {
            changes::require_password(project)?;
            Some(hash)
        }
        Password::Keep | Password::Remove => None,
    };
    let id = row.id;
    let Created { seen, mut statements, .. } = creation(app, project, NewUser { row, password, accounts });
    statements.extend(fields.image.into_iter().flat_map(|image| image.statements));
    statements.push(audit::record(app, &project.id, audit::kind::CREATED, &Event::of_user(auth.access, id)));
    match app.store.batch(statements).await {
        Ok(_) => Ok(seen),
        Err(error) => Err(conflict(error, email.as_deref())),
    }
}

fn linked_accounts(
    app: &App,
    project: &Project,
    user: UserId,
    accounts: Vec<OauthAccountInput>,
) -> Result<Vec<OauthAccountRow>, Failure> {
    let providers = &project.settings.auth.oauth.providers;
    let link = |account: OauthAccountInput| {
        if providers.get(&account.id).is_none_or(|provider| provider.provider_type.is_none()) {
            return Err(Failure::text(400, format!("The project has no OAuth provider {:?}.", account.id)));
        }
        Ok(OauthAccountRow {
            project_id: project.id.clone(),
            id: OauthAccountId::from_uuid(app.random.uuid()),
            user_id: user,
            provider_config_id: account.id,
            account_id: account.account_id,
            email: account.email.and_then(|email| email.0).map(|email| normalise_email(email.as_str())),
            allow_sign_in: true,
            allow_connected_accounts: true,
            created_at: app.now(),
        })
    };
    accounts.into_iter().map(link).collect()
}

/// The error for an address with which somebody else signs in.
pub(super) fn email_taken(email: &str) -> Failure {
    KnownError::user_email_already_exists(email, false).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_personal_team_is_named_after_what_is_known() {
        assert_eq!(personal_team_name(Some("Ada"), Some("ada@example.com")), "Ada's Team");
        assert_eq!(personal_team_name(None, Some("ada@example.com")), "ada@example.com's Team");
        assert_eq!(personal_team_name(None, None), PERSONAL_TEAM);
    }
}
