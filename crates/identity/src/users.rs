//! Users: reading, creating, changing and deleting them (contract 05 §1–§3).

mod changes;

use latchkey_api_types::ids::{ContactChannelId, OauthAccountId, ProjectId, UserId};
use latchkey_api_types::user::{
    OauthAccount, RiskScores, ServerUser, SignUpRiskScores, UserCreate, UserFields, UserUpdate,
};
use latchkey_api_types::{AccessType, KnownError};
use latchkey_crypto::Secret;
use latchkey_storage::contact_channels::{self, ContactChannelRow};
use latchkey_storage::engine::Tx;
use latchkey_storage::oauth_accounts::{self, OauthAccountRow};
use latchkey_storage::teams::{self, TeamRow};
use latchkey_storage::users::{self, UserRow};
use latchkey_storage::{StorageError, credentials};
use serde_json::Value;

use crate::app::App;
use crate::audit::{self, Event};
use crate::authenticate::Auth;
use crate::claims::restricted_reason;
use crate::contact_channels::normalise_email;
use crate::failure::Failure;
use crate::images::{self, Owner};
use crate::permissions;
use crate::projects::Project;

pub(crate) use changes::totp_seal_context;
pub use changes::update;

/// A user with nothing set yet.
pub(crate) fn blank(project: &ProjectId, id: UserId, now: i64) -> UserRow {
    UserRow {
        project_id: project.clone(),
        id,
        display_name: None,
        profile_image_url: None,
        client_metadata: None,
        client_read_only_metadata: None,
        server_metadata: None,
        is_anonymous: false,
        restricted_by_admin: false,
        restricted_by_admin_reason: None,
        restricted_by_admin_private_details: None,
        country_code: None,
        risk_bot: 0,
        risk_free_trial_abuse: 0,
        otp_auth_enabled: false,
        requires_totp_mfa: false,
        totp_secret_sealed: None,
        selected_team_id: None,
        signed_up_at: now,
        last_active_at: now,
        primary_email: None,
        primary_email_verified: None,
        primary_email_used_for_auth: None,
        has_password: false,
        oauth_accounts: 0,
    }
}

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
pub async fn show(app: &App, project: &Project, user: UserRow) -> Result<ServerUser, Failure> {
    // Most users have neither, and the hot path then asks the database nothing more.
    if user.oauth_accounts == 0 && user.selected_team_id.is_none() {
        return Ok(view(project, user, Vec::new(), None));
    }
    let (id, user_id, team_id) = (project.id.clone(), user.id, user.selected_team_id);
    let (accounts, team) = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let accounts = oauth_accounts::list(tx, &id, user_id).await?;
                let team = match team_id {
                    Some(team) => teams::get(tx, &id, team).await?,
                    None => None,
                };
                Ok::<_, Failure>((accounts, team))
            })
        })
        .await?;
    Ok(view(project, user, accounts, team))
}

/// The same in a transaction that has read the user.
pub(crate) async fn show_in(tx: &mut Tx, project: &Project, user: UserRow) -> Result<ServerUser, Failure> {
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
            profile_image_url: user.profile_image_url,
            signed_up_at_millis: user.signed_up_at,
            client_metadata: metadata(user.client_metadata),
            client_read_only_metadata: metadata(user.client_read_only_metadata),
            has_password: user.has_password,
            otp_auth_enabled: user.otp_auth_enabled,
            passkey_auth_enabled: false,
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
        selected_team: team.map(crate::teams::view),
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

/// Empty text is no text.
fn non_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Creates a user without asking them. Sign-up switch and sign-up rules are not consulted.
///
/// # Errors
/// `USER_EMAIL_ALREADY_EXISTS`; 400 for fields that contradict each other or the project's settings.
pub async fn create(app: &App, auth: &Auth, request: UserCreate) -> Result<ServerUser, Failure> {
    let project = &auth.project;
    let now = app.now();
    let mut user = blank(&project.id, UserId::from_uuid(app.random.uuid()), now);
    let email = request.primary_email.and_then(|email| email.0).map(|email| normalise_email(email.as_str()));
    let verified = request.primary_email_verified.unwrap_or(false);
    let used_for_auth = request.primary_email_auth_enabled.unwrap_or(false);
    changes::require_email(email.as_deref(), verified, used_for_auth)?;

    let password = changes::new_password(
        app,
        project,
        request.password.and_then(|password| password.0).map(|password| Secret::new(password.into_string())),
        request.password_hash.map(latchkey_api_types::input::NonEmptyText::into_string),
        false,
    )
    .await?;
    if request.otp_auth_enabled == Some(true) {
        changes::require_otp(project)?;
    }
    let restriction = changes::Restriction {
        restricted: request.restricted_by_admin,
        reason: request.restricted_by_admin_reason.map(|reason| non_empty(reason.0)),
        details: request.restricted_by_admin_private_details.map(|details| non_empty(details.0)),
    };
    restriction.apply(&mut user)?;

    user.display_name = non_empty(
        request.display_name.and_then(|name| name.0).map(latchkey_api_types::input::DisplayName::into_string),
    );
    let image = match request.profile_image_url.and_then(|url| url.0) {
        Some(url) => {
            let owner = Owner::User(user.id);
            Some(images::accept(app, &project.id, owner, auth.access, Some(url.as_str()))?)
        }
        None => None,
    };
    user.profile_image_url = image.as_ref().and_then(|image| image.url.clone());
    user.client_metadata = request.client_metadata.and_then(|value| stored_metadata(&value.0));
    user.client_read_only_metadata =
        request.client_read_only_metadata.and_then(|value| stored_metadata(&value.0));
    user.server_metadata = request.server_metadata.and_then(|value| stored_metadata(&value.0));
    user.is_anonymous = request.is_anonymous.unwrap_or(false);
    user.otp_auth_enabled = request.otp_auth_enabled.unwrap_or(false);
    user.country_code = request.country_code.and_then(|code| code.0).map(|code| code.as_str().to_owned());
    if let Some(scores) = request.risk_scores {
        user.risk_bot = scores.sign_up.bot.0;
        user.risk_free_trial_abuse = scores.sign_up.free_trial_abuse.0;
    }
    // The secret is kept, but only an update switches the second factor on (contract 05 §3.2).
    let secret = request.totp_secret_base64.and_then(|secret| secret.0);
    user.totp_secret_sealed =
        secret.map(|secret| changes::seal_totp(app, &project.id, user.id, secret.as_str()));
    user.has_password = password.is_some();
    let accounts = linked_accounts(app, project, user.id, request.oauth_providers.unwrap_or_default())?;
    user.oauth_accounts = i64::try_from(accounts.len()).unwrap_or(i64::MAX);

    let mut statements = vec![users::insert(&user)];
    if let Some(email) = &email {
        user.primary_email = Some(email.clone());
        user.primary_email_verified = Some(verified);
        user.primary_email_used_for_auth = Some(used_for_auth);
        statements.push(contact_channels::insert(&ContactChannelRow {
            project_id: project.id.clone(),
            id: ContactChannelId::from_uuid(app.random.uuid()),
            user_id: user.id,
            kind: "email".to_owned(),
            value: email.clone(),
            is_primary: true,
            is_verified: verified,
            used_for_auth,
            created_at: now,
        }));
    }
    if let Some(hash) = &password {
        statements.push(credentials::set_password(&project.id, user.id, hash, now));
    }
    statements.extend(accounts.iter().map(oauth_accounts::insert));
    statements.extend(permissions::grants_for_new_user(project, user.id, now));
    statements.extend(image.into_iter().flat_map(|image| image.statements));
    statements.push(audit::record(
        app,
        &project.id,
        audit::kind::CREATED,
        &Event::of_user(auth.access, user.id),
    ));
    match app.store.batch(statements).await {
        Ok(_) => Ok(view(project, user, accounts, None)),
        Err(error) => Err(conflict(error, email.as_deref())),
    }
}

fn linked_accounts(
    app: &App,
    project: &Project,
    user: UserId,
    accounts: Vec<latchkey_api_types::user::OauthAccountInput>,
) -> Result<Vec<OauthAccountRow>, Failure> {
    let providers = &project.settings.auth.oauth.providers;
    let link = |account: latchkey_api_types::user::OauthAccountInput| {
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

/// What a violated unique index means for somebody who writes a user.
fn conflict(error: StorageError, email: Option<&str>) -> Failure {
    match error {
        StorageError::Unique { index } if index.starts_with("contact_channels_") => {
            KnownError::user_email_already_exists(email.unwrap_or_default(), false).into()
        }
        StorageError::Unique { index } if index == "oauth_accounts_sign_in_key" => {
            KnownError::oauth_provider_account_id_already_used_for_sign_in().into()
        }
        StorageError::Unique { index } if index.starts_with("oauth_accounts_") => {
            Failure::text(400, "The same OAuth account is named twice.")
        }
        other => other.into(),
    }
}

/// Deletes a user and all that belongs to them.
///
/// # Errors
/// `USER_NOT_FOUND`.
pub async fn delete(app: &App, auth: &Auth, id: UserId) -> Result<(), Failure> {
    let project = &auth.project.id;
    let statements = vec![
        users::delete(project, id).exactly(1),
        audit::record(app, project, audit::kind::DELETED, &Event::of_user(auth.access, id)),
    ];
    match app.store.batch(statements).await {
        Ok(_) => Ok(()),
        Err(StorageError::Guard { .. }) => Err(KnownError::user_not_found().into()),
        Err(error) => Err(error.into()),
    }
}

/// Deletes the signed-in user; clients may do so only where the project allows it.
///
/// # Errors
/// `CANNOT_GET_OWN_USER_WITHOUT_USER`; 400 where it is not allowed.
pub async fn delete_me(app: &App, auth: &Auth) -> Result<(), Failure> {
    let id = auth.me()?.row.id;
    if auth.access == AccessType::Client && !auth.project.settings.users.allow_client_user_deletion {
        return Err(Failure::text(400, "This project does not let users delete their own accounts."));
    }
    delete(app, auth, id).await
}

/// Changes the signed-in user.
///
/// # Errors
/// `CANNOT_GET_OWN_USER_WITHOUT_USER`, and those of [`update`].
pub async fn update_me(app: &App, auth: &Auth, request: UserUpdate) -> Result<ServerUser, Failure> {
    let id = auth.me()?.row.id;
    update(app, auth, id, request).await
}
