//! Whose sign-in it is when somebody comes with an account of a provider (contract 04 §8.3): a user who has it already, a
//! user whose address it proves, or somebody new.

use std::sync::Arc;

use latchkey_api_types::KnownError;
use latchkey_api_types::ids::{OauthAccountId, UserId};
use latchkey_config::settings::AccountMergeStrategy;
use latchkey_oauth::profile::Profile;
use latchkey_storage::StorageError;
use latchkey_storage::contact_channels::{self, ContactChannelRow};
use latchkey_storage::engine::Stmt;
use latchkey_storage::oauth_accounts::{self, OauthAccountRow};
use latchkey_storage::users::{self as stored_users, UserRow};

use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::bot_challenge::Outcome;
use crate::contact_channels::normalise_email;
use crate::failure::Failure;
use crate::oauth_accounts as linked;
use crate::oauth_upstreams::Provider;
use crate::projects::Project;
use crate::sessions::find_user;
use crate::sign_in::Origin;
use crate::sign_up_rules::{self, Applicant};
use crate::users::{self, NewUser, blank};

/// Somebody who has proven to own an account.
pub(super) struct Arrival<'a> {
    pub(super) project: &'a Arc<Project>,
    pub(super) provider: &'a Provider,
    pub(super) profile: &'a Profile,
    /// Who wants to have it linked.
    pub(super) link: Option<UserId>,
    /// The anonymous user who becomes a real one, unless there is a user already.
    pub(super) upgrade: Option<UserId>,
    /// What the challenge against bots said when the sign-in began.
    pub(super) challenge: Outcome,
    pub(super) origin: &'a Origin,
}

/// Who signs in, once the statements have run.
pub(super) struct Resolved {
    pub(super) user: UserId,
    pub(super) is_new_user: bool,
    /// The link between user and account.
    pub(super) account: OauthAccountId,
    pub(super) statements: Vec<Stmt>,
}

impl Resolved {
    /// Of an account that is linked already.
    fn linked(row: &OauthAccountRow) -> Self {
        Self::by(row, false, Vec::new())
    }

    fn by(row: &OauthAccountRow, is_new_user: bool, statements: Vec<Stmt>) -> Self {
        Self { user: row.user_id, is_new_user, account: row.id, statements }
    }
}

/// Finds the user, or prepares what makes them one.
///
/// # Errors
/// `OAUTH_CONNECTION_ALREADY_CONNECTED_TO_ANOTHER_USER`, `CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE`,
/// `SIGN_UP_NOT_ENABLED`, `BOT_CHALLENGE_FAILED`, `SIGN_UP_REJECTED`.
pub(super) async fn resolve(app: &App, arrival: &Arrival<'_>) -> Result<Resolved, Failure> {
    let known = by_sign_in(app, arrival).await?;
    if let Some(user) = arrival.link {
        return match known {
            Some(row) if row.user_id == user => Ok(Resolved::linked(&row)),
            Some(_) => Err(KnownError::oauth_connection_already_connected_to_another_user().into()),
            None => link(app, arrival, user).await,
        };
    }
    if let Some(row) = known {
        return Ok(Resolved::linked(&row));
    }
    let email = arrival.profile.email.as_deref().map(normalise_email);
    let channel = match &email {
        Some(email) => for_auth(app, arrival, email).await?,
        None => None,
    };
    let strategy = arrival.project.settings.auth.oauth.account_merge_strategy;
    match channel {
        None => sign_up(app, arrival, email, true).await,
        Some(_) if strategy == AccountMergeStrategy::AllowDuplicates => {
            sign_up(app, arrival, email, false).await
        }
        Some(channel) => {
            let merges = strategy == AccountMergeStrategy::LinkMethod;
            if merges && channel.is_verified && arrival.profile.email_verified {
                Ok(merge(app, arrival, &channel))
            } else {
                Err(taken(&channel.value, merges && !channel.is_verified))
            }
        }
    }
}

fn taken(email: &str, would_work_if_verified: bool) -> Failure {
    KnownError::contact_channel_already_used_for_auth_by_someone_else(
        "email",
        Some(email),
        would_work_if_verified,
    )
    .into()
}

/// What a violated rule of the database means after a second look.
pub(super) fn conflict(error: StorageError, profile: &Profile) -> Failure {
    match (error, &profile.email) {
        (StorageError::Unique { index }, Some(email)) if index == "contact_channels_used_for_auth_key" => {
            taken(&normalise_email(email), false)
        }
        (StorageError::Guard { .. } | StorageError::ForeignKey, _) => {
            Failure::text(400, "The user was changed at the same time; please start the sign-in again.")
        }
        (error, _) => linked::conflict(error),
    }
}

/// The row of the account, for a user.
fn account(app: &App, arrival: &Arrival<'_>, user: UserId, allow_sign_in: bool) -> OauthAccountRow {
    OauthAccountRow {
        project_id: arrival.project.id.clone(),
        id: OauthAccountId::from_uuid(app.random.uuid()),
        user_id: user,
        provider_config_id: arrival.provider.id.clone(),
        account_id: arrival.profile.account_id.clone(),
        email: arrival.profile.email.as_deref().map(normalise_email),
        allow_sign_in,
        allow_connected_accounts: true,
        created_at: app.now(),
    }
}

fn recorded(app: &App, arrival: &Arrival<'_>, kind: &str, user: UserId) -> Stmt {
    let event = Event {
        details: serde_json::json!({ "provider": arrival.provider.id }),
        ..Event::of_user(Actor::User, user).at_address(arrival.origin.address)
    };
    audit::record(app, &arrival.project.id, kind, &event)
}

/// Adds the account to the user who asked for it. It signs in as well, unless another one of the provider does.
async fn link(app: &App, arrival: &Arrival<'_>, user: UserId) -> Result<Resolved, Failure> {
    let project = arrival.project.id.clone();
    let own = app.store.lookup(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(oauth_accounts::list(tx, &project, user).await?) })
    });
    let own = own.await?;
    let mut of_provider = own.iter().filter(|row| row.provider_config_id == arrival.provider.id);
    if let Some(row) = of_provider.clone().find(|row| row.account_id == arrival.profile.account_id) {
        return Ok(Resolved::linked(row));
    }
    let allow_sign_in = !of_provider.any(|row| row.allow_sign_in);
    let account = account(app, arrival, user, allow_sign_in);
    let statements = vec![
        oauth_accounts::insert(&account),
        recorded(app, arrival, audit::kind::OAUTH_ACCOUNT_ADDED, user),
    ];
    Ok(Resolved::by(&account, false, statements))
}

/// Adds the account to the user whose address it is: both sides have proven that the address is theirs, and that it
/// still is verified here is made sure of in the same transaction.
fn merge(app: &App, arrival: &Arrival<'_>, channel: &ContactChannelRow) -> Resolved {
    let account = account(app, arrival, channel.user_id, true);
    let statements = vec![
        contact_channels::confirm_verified_for_auth(&arrival.project.id, channel.id).exactly(1),
        oauth_accounts::insert(&account),
        recorded(app, arrival, audit::kind::OAUTH_ACCOUNT_ADDED, channel.user_id),
    ];
    Resolved::by(&account, false, statements)
}

/// Makes a new user, or turns the anonymous one into one.
async fn sign_up(
    app: &App,
    arrival: &Arrival<'_>,
    email: Option<String>,
    used_for_auth: bool,
) -> Result<Resolved, Failure> {
    let (project, profile) = (arrival.project, arrival.profile);
    if !project.settings.auth.allow_sign_up {
        return Err(KnownError::sign_up_not_enabled().into());
    }
    arrival.challenge.admit_new_account(app)?;
    let anonymous = match arrival.upgrade {
        Some(user) => find_user(app, &project.id, user).await?.filter(|user| user.is_anonymous),
        None => None,
    };
    let country = arrival.origin.country_code();
    let applicant = Applicant {
        email: email.as_deref().unwrap_or_default(),
        country_code: anonymous
            .as_ref()
            .and_then(|user| user.country_code.as_deref())
            .or(country.as_deref())
            .unwrap_or_default(),
        auth_method: "oauth",
        oauth_provider: arrival.provider.named_in_rules(),
        risk_bot: arrival.challenge.risk(),
        risk_free_trial_abuse: anonymous.as_ref().map_or(0, |user| user.risk_free_trial_abuse),
    };
    let admission = sign_up_rules::ask(app, project, &applicant, arrival.origin.address)?;

    let now = app.now();
    let is_upgrade = anonymous.is_some();
    let mut user = if let Some(anonymous) = anonymous {
        UserRow { is_anonymous: false, signed_up_at: now, ..anonymous }
    } else {
        let id = UserId::from_uuid(app.random.uuid());
        UserRow { country_code: country, ..blank(&project.id, id, now) }
    };
    user.risk_bot = arrival.challenge.risk();
    user.display_name = user.display_name.or_else(|| profile.display_name.clone());
    user.profile_image_url = user.profile_image_url.or_else(|| profile.picture.clone());
    if email.is_some() {
        user.primary_email = email;
        user.primary_email_verified = Some(profile.email_verified);
        user.primary_email_used_for_auth = Some(used_for_auth);
    }
    admission.apply(&mut user);
    let id = user.id;
    let account = account(app, arrival, id, true);

    let mut statements = if is_upgrade {
        user.oauth_accounts += 1;
        let mut statements = users::upgrade(app, project, &user, None).await?;
        let (name, picture) = (profile.display_name.as_deref(), profile.picture.as_deref());
        statements.push(stored_users::introduce(&project.id, id, name, picture));
        statements.extend(admission.restrict(&project.id, id));
        statements.push(oauth_accounts::insert(&account));
        statements
    } else {
        let new = NewUser { row: user, password: None, accounts: vec![account.clone()] };
        users::creation(app, project, new).statements
    };
    let kind = if is_upgrade { audit::kind::UPGRADED } else { audit::kind::SIGNED_UP };
    statements.push(recorded(app, arrival, kind, id));
    Ok(Resolved::by(&account, true, statements))
}

async fn by_sign_in(app: &App, arrival: &Arrival<'_>) -> Result<Option<OauthAccountRow>, Failure> {
    let (project, provider) = (arrival.project.id.clone(), arrival.provider.id.clone());
    let account = arrival.profile.account_id.clone();
    let look = app.store.lookup(move |tx| {
        Box::pin(async move {
            Ok::<_, Failure>(oauth_accounts::by_sign_in(tx, &project, &provider, &account).await?)
        })
    });
    look.await
}

async fn for_auth(
    app: &App,
    arrival: &Arrival<'_>,
    email: &str,
) -> Result<Option<ContactChannelRow>, Failure> {
    let (project, email) = (arrival.project.id.clone(), email.to_owned());
    let look = app.store.lookup(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(contact_channels::for_auth(tx, &project, &email).await?) })
    });
    look.await
}
