//! Users: reading, creating, changing and deleting them (contract 05 §1–§3).

mod changes;
mod creation;
mod list;

use std::sync::Arc;

use latchkey_api_types::ids::UserId;
use latchkey_api_types::user::{
    OauthAccount, RiskScores, ServerUser, SignUpRiskScores, UserFields, UserUpdate,
};
use latchkey_api_types::{AccessType, KnownError};
use latchkey_storage::StorageError;
use latchkey_storage::engine::Tx;
use latchkey_storage::oauth_accounts::{self, OauthAccountRow};
use latchkey_storage::team_memberships;
use latchkey_storage::teams::{self, TeamRow};
use latchkey_storage::users::{self, UserRow};
use serde_json::Value;

use crate::app::App;
use crate::audit::{self, Event};
use crate::authenticate::Auth;
use crate::claims::restricted_reason;
use crate::failure::Failure;
use crate::images;
use crate::projects::Project;
use crate::reauthentication::{self, Surface};
use crate::webhooks;

pub use changes::update;
pub(crate) use changes::{Written, totp_seal_context};
pub use creation::create;
pub(crate) use creation::{Created, NewUser, creation, upgrade};
pub use latchkey_storage::users::blank;
pub(crate) use list::views;
pub use list::{list, preview_affected};

/// A user of the project as servers see it.
///
/// # Errors
/// `USER_NOT_FOUND`.
pub async fn get(app: &App, auth: &Auth, id: UserId) -> Result<ServerUser, Failure> {
    let project = auth.project.id.clone();
    let row = app
        .store
        .lookup(move |tx| Box::pin(async move { Ok::<_, Failure>(users::get(tx, &project, id).await?) }))
        .await?
        .ok_or_else(|| Failure::from(KnownError::user_not_found()))?;
    show(app, &auth.project, row).await
}

/// The signed-in user as servers see it.
///
/// # Errors
/// `CANNOT_GET_OWN_USER_WITHOUT_USER`.
pub async fn get_me(app: &App, auth: Auth) -> Result<ServerUser, Failure> {
    match auth.user {
        Some(user) => show(app, &auth.project, user.row).await,
        None => Err(KnownError::cannot_get_own_user_without_user().into()),
    }
}

/// What servers see of a user that was read; clients see a part of it.
pub async fn show(app: &App, project: &Arc<Project>, user: UserRow) -> Result<ServerUser, Failure> {
    // Most users have neither, and the hot path then asks the database nothing more.
    if user.oauth_accounts == 0 && user.selected_team_id.is_none() {
        return Ok(view(project, user, Vec::new(), None));
    }
    let settings = Arc::clone(project);
    app.store.read(move |tx| Box::pin(async move { Ok(show_in(tx, &settings, user).await?) })).await
}

/// The same in a transaction that read the user.
pub(crate) async fn show_in(
    tx: &mut Tx,
    project: &Project,
    user: UserRow,
) -> Result<ServerUser, StorageError> {
    let accounts = match user.oauth_accounts {
        0 => Vec::new(),
        _ => oauth_accounts::list(tx, &project.id, user.id).await?,
    };
    let team = match user.selected_team_id {
        Some(team) => teams::get(tx, &project.id, team).await?,
        None => None,
    };
    Ok(view(project, user, accounts, team))
}

fn view(
    project: &Project,
    user: UserRow,
    accounts: Vec<OauthAccountRow>,
    team: Option<TeamRow>,
) -> ServerUser {
    let reason = restricted_reason(&user, project);
    let accounts = accounts.into_iter().map(|account| OauthAccount {
        id: account.provider_config_id,
        account_id: account.account_id,
        email: account.email,
    });
    ServerUser {
        fields: UserFields {
            id: user.id,
            display_name: user.display_name,
            primary_email: user.primary_email,
            primary_email_verified: user.primary_email_verified == Some(true),
            profile_image_url: images::shown(&project.public_url, user.profile_image_url),
            signed_up_at_millis: user.signed_up_at,
            client_metadata: metadata(user.client_metadata),
            client_read_only_metadata: metadata(user.client_read_only_metadata),
            has_password: user.has_password,
            otp_auth_enabled: user.otp_auth_enabled,
            passkey_auth_enabled: user.passkeys > 0,
            auth_with_email: user.has_password || user.otp_auth_enabled,
            requires_totp_mfa: user.requires_totp_mfa,
            oauth_providers: accounts.collect(),
            selected_team_id: team.as_ref().map(|team| team.id),
            is_anonymous: user.is_anonymous,
            is_restricted: reason.is_some(),
            restricted_reason: reason,
            restricted_by_admin: user.restricted_by_admin,
            restricted_by_admin_reason: user.restricted_by_admin_reason,
        },
        selected_team: team.map(|team| crate::teams::view(project, team)),
        primary_email_auth_enabled: user.primary_email_used_for_auth == Some(true),
        last_active_at_millis: user.last_active_at,
        server_metadata: metadata(user.server_metadata),
        restricted_by_admin_private_details: user.restricted_by_admin_private_details,
        country_code: user.country_code,
        risk_scores: RiskScores {
            sign_up: SignUpRiskScores {
                bot: u8::try_from(user.risk_bot).unwrap_or(u8::MAX),
                free_trial_abuse: u8::try_from(user.risk_free_trial_abuse).unwrap_or(u8::MAX),
            },
        },
    }
}

/// Stored JSON text as a value.
pub(crate) fn metadata(stored: Option<String>) -> Value {
    stored.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Value::Null)
}

/// A value as stored JSON text; null is stored as no text.
pub(crate) fn stored_metadata(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| value.to_string())
}

/// What a violated unique index means for somebody who writes a user.
fn conflict(error: StorageError, email: Option<&str>) -> Failure {
    match error {
        StorageError::Unique { index } if index.starts_with("contact_channels_") => {
            creation::email_taken(email.unwrap_or_default())
        }
        StorageError::Unique { index } if index.starts_with("oauth_accounts_") => {
            crate::oauth_accounts::conflict(StorageError::Unique { index })
        }
        other => other.into(),
    }
}

/// Deletes a user and all that belongs to them. Their teams stay.
///
/// # Errors
/// `USER_NOT_FOUND`.
pub async fn delete(app: &Arc<App>, auth: &Auth, id: UserId) -> Result<(), Failure> {
    let project = auth.project.id.clone();
    let recorded = audit::record(app, &project, audit::kind::DELETED, &Event::of_user(auth.access, id));
    let shared = Arc::new((Arc::clone(app), project, recorded));
    let outcome = app.store.write(move |tx| {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let (app, project, recorded) = &*shared;
            let teams = team_memberships::teams_of(tx, project, id).await?;
            let mut statements = Vec::new();
            for team in &teams {
                let event = webhooks::Event::MembershipDeleted { team: *team, user: id };
                statements.extend(webhooks::queue(app, project, &event));
            }
            let event = webhooks::Event::UserDeleted { user: id, teams: &teams };
            statements.extend(webhooks::queue(app, project, &event));
            tx.run(users::delete(project, id).exactly(1)).await?;
            tx.run_all(&statements).await?;
            tx.run(recorded.clone()).await?;
            Ok::<_, StorageError>(())
        })
    });
    match outcome.await {
        Ok(()) => Ok(()),
        Err(StorageError::Guard { .. }) => Err(KnownError::user_not_found().into()),
        Err(error) => Err(error.into()),
    }
}

/// Deletes the signed-in user; clients may do so only where the project allows it.
///
/// # Errors
/// `CANNOT_GET_OWN_USER_WITHOUT_USER`; 400 where it is not allowed.
pub async fn delete_me(app: &Arc<App>, auth: &Auth) -> Result<(), Failure> {
    let id = auth.me()?.row.id;
    if auth.access == AccessType::Client && !auth.project.settings.users.allow_client_user_deletion {
        return Err(Failure::text(400, "This project does not let users delete their own accounts."));
    }
    delete(app, auth, id).await
}

/// Changes the signed-in user.
///
/// # Errors
/// `CANNOT_GET_OWN_USER_WITHOUT_USER`, `REAUTHENTICATION_REQUIRED` where the project asks for it, and those of [`update`].
pub async fn update_me(app: &Arc<App>, auth: &Auth, request: UserUpdate) -> Result<ServerUser, Failure> {
    let id = auth.me()?.row.id;
    let changes_credentials = request.totp_secret_base64.is_some()
        || request.primary_email.is_some()
        || request.otp_auth_enabled.is_some()
        || request.passkey_auth_enabled.is_some();
    if changes_credentials {
        reauthentication::require_recent(app, auth, Surface::Contract).await?;
    }
    update(app, auth, id, request).await
}
