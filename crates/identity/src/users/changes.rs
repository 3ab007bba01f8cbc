//! Changing a user: one serialisable transaction that reads, decides and writes (contract 05 §3.2). What takes time
//! (hashing) or can be refused without looking (pictures, restrictions) is done before it.

use std::sync::Arc;

use latchkey_api_types::ids::{ContactChannelId, ProjectId, UserId};
use latchkey_api_types::user::{ServerUser, UserUpdate};
use latchkey_api_types::{AccessType, KnownError};
use latchkey_crypto::{Secret, validate_bcrypt_import};
use latchkey_storage::contact_channels::{self, ContactChannelRow};
use latchkey_storage::engine::Tx;
use latchkey_storage::users::{self, UserRow};
use latchkey_storage::{StorageError, credentials, sessions, teams};

use crate::app::App;
use crate::audit::{self, Event};
use crate::authenticate::Auth;
use crate::contact_channels::normalise_email;
use crate::failure::Failure;
use crate::images::{self, Accepted, Owner};
use crate::projects::Project;
use crate::users::{conflict, non_empty, show, stored_metadata};

/// What is to happen to the password.
enum Password {
    Keep,
    Remove,
    Set(String),
}

/// The primary email and its flags, as asked for. The outer `None` leaves the address as it is.
struct Email {
    address: Option<Option<String>>,
    verified: Option<bool>,
    used_for_auth: Option<bool>,
}

/// A restriction by an administrator, as asked for.
pub(super) struct Restriction {
    pub(super) restricted: Option<bool>,
    pub(super) reason: Option<Option<String>>,
    pub(super) details: Option<Option<String>>,
}

impl Restriction {
    /// Reason and details need the restriction in the same request, and go with it.
    pub(super) fn apply(&self, user: &mut UserRow) -> Result<(), Failure> {
        let explains = self.reason.iter().chain(&self.details).any(Option::is_some);
        if explains && self.restricted != Some(true) {
            return Err(Failure::text(
                400,
                "A reason or private details need restricted_by_admin: true in the same request.",
            ));
        }
        user.restricted_by_admin = self.restricted.unwrap_or(user.restricted_by_admin);
        if let Some(reason) = &self.reason {
            user.restricted_by_admin_reason.clone_from(reason);
        }
        if let Some(details) = &self.details {
            user.restricted_by_admin_private_details.clone_from(details);
        }
        if !user.restricted_by_admin {
            user.restricted_by_admin_reason = None;
            user.restricted_by_admin_private_details = None;
        }
        Ok(())
    }
}

/// Everything about a change that is known before the transaction.
struct Plan {
    request: UserUpdate,
    project: Arc<Project>,
    id: UserId,
    password: Password,
    email: Email,
    restriction: Restriction,
    image: Option<Accepted>,
    totp: Option<Option<Vec<u8>>>,
    new_channel: ContactChannelId,
    now: i64,
}

/// Changes a user; absent fields stay as they are.
///
/// # Errors
/// `USER_NOT_FOUND`, `USER_EMAIL_ALREADY_EXISTS`, `TEAM_MEMBERSHIP_NOT_FOUND`; 400 for fields that contradict each
/// other or the project's settings.
pub async fn update(
    app: &App,
    auth: &Auth,
    id: UserId,
    mut request: UserUpdate,
) -> Result<ServerUser, Failure> {
    let project = &auth.project;
    if request.passkey_auth_enabled == Some(true) {
        return Err(Failure::text(400, "A passkey is registered by its owner; it cannot be switched on."));
    }
    let image = match request.profile_image_url.take() {
        Some(url) => {
            let url = url.0.as_ref().map(latchkey_api_types::input::ImageUrl::as_str);
            Some(images::accept(app, &project.id, Owner::User(id), auth.access, url)?)
        }
        None => None,
    };
    let totp = request.totp_secret_base64.take();
    let totp = totp.map(|secret| secret.0.map(|secret| seal_totp(app, &project.id, id, secret.as_str())));
    let email = Email {
        address: request
            .primary_email
            .take()
            .map(|email| email.0.map(|email| normalise_email(email.as_str()))),
        verified: request.primary_email_verified,
        used_for_auth: request.primary_email_auth_enabled,
    };
    let restriction = Restriction {
        restricted: request.restricted_by_admin,
        reason: request.restricted_by_admin_reason.take().map(|reason| non_empty(reason.0)),
        details: request.restricted_by_admin_private_details.take().map(|details| non_empty(details.0)),
    };
    let password = planned_password(app, auth, id, &mut request).await?;
    let address = email.address.clone().flatten();
    let plan = Arc::new(Plan {
        request,
        project: Arc::clone(project),
        id,
        password,
        email,
        restriction,
        image,
        totp,
        new_channel: ContactChannelId::from_uuid(app.random.uuid()),
        now: app.now(),
    });
    let recorded = audit::record(app, &project.id, audit::kind::UPDATED, &Event::of_user(auth.access, id));
    let written = app
        .store
        .write(move |tx| {
            let (plan, recorded) = (Arc::clone(&plan), recorded.clone());
            Box::pin(async move {
                let user = apply(tx, &plan).await?;
                tx.run(recorded).await.map_err(Written::Storage)?;
                Ok(user)
            })
        })
        .await;
    match written {
        Ok(user) => show(app, project, user).await,
        Err(Written::Storage(error)) => Err(conflict(error, address.as_deref())),
        Err(Written::Failure(failure)) => Err(failure),
    }
}

/// Why a change was not written.
enum Written {
    Storage(StorageError),
    Failure(Failure),
}

impl From<StorageError> for Written {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl From<Failure> for Written {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<KnownError> for Written {
    fn from(error: KnownError) -> Self {
        Self::Failure(error.into())
    }
}

async fn apply(tx: &mut Tx, plan: &Plan) -> Result<UserRow, Written> {
    let project = &plan.project.id;
    let mut user =
        users::get(tx, project, plan.id).await?.ok_or_else(|| Written::from(KnownError::user_not_found()))?;
    apply_plain_fields(&mut user, plan)?;
    if let Some(team) = &plan.request.selected_team_id {
        if let Some(team) = team.0
            && !teams::is_member(tx, project, team, plan.id).await?
        {
            return Err(KnownError::team_membership_not_found(&team.to_string(), &plan.id.to_string()).into());
        }
        user.selected_team_id = team.0;
    }
    tx.run(users::update(&user)).await?;
    for statement in plan.image.iter().flat_map(|image| &image.statements) {
        tx.run(statement.clone()).await?;
    }
    apply_email(tx, plan).await?;
    apply_password(tx, &user, plan).await?;
    users::get(tx, project, plan.id).await?.ok_or_else(|| KnownError::user_not_found().into())
}

fn apply_plain_fields(user: &mut UserRow, plan: &Plan) -> Result<(), Failure> {
    let request = &plan.request;
    if let Some(name) = &request.display_name {
        user.display_name = non_empty(name.0.as_ref().map(|name| name.as_str().to_owned()));
    }
    if let Some(image) = &plan.image {
        user.profile_image_url.clone_from(&image.url);
    }
    if let Some(value) = &request.client_metadata {
        user.client_metadata = stored_metadata(&value.0);
    }
    if let Some(value) = &request.client_read_only_metadata {
        user.client_read_only_metadata = stored_metadata(&value.0);
    }
    if let Some(value) = &request.server_metadata {
        user.server_metadata = stored_metadata(&value.0);
    }
    if let Some(enabled) = request.otp_auth_enabled {
        if enabled && !user.otp_auth_enabled {
            require_otp(&plan.project)?;
        }
        user.otp_auth_enabled = enabled;
    }
    if let Some(totp) = &plan.totp {
        user.totp_secret_sealed.clone_from(totp);
        user.requires_totp_mfa = totp.is_some();
    }
    if request.is_anonymous.is_some() && user.is_anonymous {
        user.is_anonymous = false;
        user.signed_up_at = plan.now;
    }
    if let Some(code) = &request.country_code {
        user.country_code = code.0.as_ref().map(|code| code.as_str().to_owned());
    }
    if let Some(scores) = &request.risk_scores {
        user.risk_bot = scores.sign_up.bot.0;
        user.risk_free_trial_abuse = scores.sign_up.free_trial_abuse.0;
    }
    plan.restriction.apply(user)
}

async fn apply_email(tx: &mut Tx, plan: &Plan) -> Result<(), Written> {
    let Email { address, verified, used_for_auth } = &plan.email;
    if address.is_none() && verified.is_none() && used_for_auth.is_none() {
        return Ok(());
    }
    let project = &plan.project.id;
    let channels = contact_channels::list(tx, project, plan.id).await?;
    let primary = channels.iter().find(|channel| channel.is_primary);
    match (address, primary) {
        (Some(None), _) => {
            tx.run(contact_channels::demote_primary(project, plan.id)).await?;
        }
        (Some(Some(address)), primary) if primary.is_none_or(|primary| primary.value != *address) => {
            let used_for_auth = used_for_auth.unwrap_or(primary.is_some_and(|primary| primary.used_for_auth));
            if used_for_auth && contact_channels::is_used_for_auth(tx, project, address).await? {
                return Err(KnownError::user_email_already_exists(address, false).into());
            }
            tx.run(contact_channels::demote_primary(project, plan.id)).await?;
            let promoted = match channels.iter().find(|channel| channel.value == *address) {
                Some(channel) => contact_channels::set_flags(
                    project,
                    channel.id,
                    true,
                    verified.unwrap_or(channel.is_verified),
                    used_for_auth,
                ),
                None => contact_channels::insert(&ContactChannelRow {
                    project_id: project.clone(),
                    id: plan.new_channel,
                    user_id: plan.id,
                    kind: "email".to_owned(),
                    value: address.clone(),
                    is_primary: true,
                    is_verified: verified.unwrap_or(false),
                    used_for_auth,
                    created_at: plan.now,
                }),
            };
            tx.run(promoted).await?;
        }
        (_, Some(primary)) => {
            let begins = !primary.used_for_auth && *used_for_auth == Some(true);
            if begins && contact_channels::is_used_for_auth(tx, project, &primary.value).await? {
                return Err(KnownError::user_email_already_exists(&primary.value, false).into());
            }
            let flags = contact_channels::set_flags(
                project,
                primary.id,
                true,
                verified.unwrap_or(primary.is_verified),
                used_for_auth.unwrap_or(primary.used_for_auth),
            );
            tx.run(flags).await?;
        }
        (_, None) => require_email(None, *verified == Some(true), *used_for_auth == Some(true))?,
    }
    Ok(())
}

async fn apply_password(tx: &mut Tx, user: &UserRow, plan: &Plan) -> Result<(), Written> {
    let project = &plan.project.id;
    match &plan.password {
        Password::Keep => return Ok(()),
        Password::Remove => tx.run(credentials::remove_password(project, plan.id)).await?,
        Password::Set(hash) => {
            if !user.has_password {
                require_password(&plan.project)?;
                let channels = contact_channels::list(tx, project, plan.id).await?;
                if !channels.iter().any(|channel| channel.is_primary) {
                    return Err(Failure::text(400, "A first password needs a primary email.").into());
                }
            }
            tx.run(credentials::set_password(project, plan.id, hash, plan.now)).await?
        }
    };
    tx.run(sessions::delete_of_user(project, plan.id, None)).await?;
    Ok(())
}

async fn planned_password(
    app: &App,
    auth: &Auth,
    id: UserId,
    request: &mut UserUpdate,
) -> Result<Password, Failure> {
    let password = request.password.take();
    let hash = request.password_hash.take().map(latchkey_api_types::input::NonEmptyText::into_string);
    if matches!(&password, Some(password) if password.0.is_none()) && hash.is_none() {
        return Ok(Password::Remove);
    }
    let password =
        password.and_then(|password| password.0).map(|password| Secret::new(password.into_string()));
    if password.is_none() && hash.is_none() {
        return Ok(Password::Keep);
    }
    debug_assert!(auth.access >= AccessType::Server, "clients cannot write passwords of user {id}");
    // Whether one may be added is decided in the transaction; replacing one is always allowed.
    let hash = new_password(app, &auth.project, password, hash, true).await?;
    Ok(hash.map_or(Password::Keep, Password::Set))
}

/// The hash to store for a password or an imported hash; `None` without either.
///
/// # Errors
/// 400 for both at once, for hashes that are not bcrypt, and, unless `may_replace`, where the project has no
/// passwords.
pub(super) async fn new_password(
    app: &App,
    project: &Project,
    password: Option<Secret<String>>,
    hash: Option<String>,
    may_replace: bool,
) -> Result<Option<String>, Failure> {
    if (password.is_some() || hash.is_some()) && !may_replace {
        require_password(project)?;
    }
    match (password, hash) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(Failure::text(400, "Send either password or password_hash, not both.")),
        (Some(password), None) => Ok(Some(app.hasher.hash(password).await?)),
        (None, Some(hash)) => match validate_bcrypt_import(&hash) {
            Ok(()) => Ok(Some(hash)),
            Err(_) => {
                Err(Failure::text(400, "password_hash must be a bcrypt hash with a cost of at most 16."))
            }
        },
    }
}

fn require_password(project: &Project) -> Result<(), Failure> {
    if project.settings.auth.password.allow_sign_in {
        Ok(())
    } else {
        Err(Failure::text(400, "This project does not use passwords, so none can be added."))
    }
}

pub(super) fn require_otp(project: &Project) -> Result<(), Failure> {
    if project.settings.auth.otp.allow_sign_in {
        Ok(())
    } else {
        Err(Failure::text(400, "This project does not use mailed codes, so they cannot be switched on."))
    }
}

/// An address that does not exist can be neither verified nor used to sign in.
pub(super) fn require_email(email: Option<&str>, verified: bool, used_for_auth: bool) -> Result<(), Failure> {
    match (email, verified, used_for_auth) {
        (None, true, _) => Err(Failure::text(400, "There is no primary email that could be verified.")),
        (None, _, true) => {
            Err(Failure::text(400, "There is no primary email that could be used to sign in."))
        }
        _ => Ok(()),
    }
}

/// What a TOTP secret is sealed for.
pub(crate) fn totp_seal_context(project: &ProjectId, user: UserId) -> String {
    format!("totp:{project}:{user}")
}

/// A TOTP secret as it is stored.
pub(super) fn seal_totp(app: &App, project: &ProjectId, user: UserId, secret_base64: &str) -> Vec<u8> {
    app.master_keys.seal(&totp_seal_context(project, user), secret_base64.as_bytes())
}
