//! Changing a user: one serialisable transaction that reads, decides and writes (contract 05 §3.2). What takes time
//! (hashing) or can be refused without looking (pictures, restrictions) is done before it, in `changes/fields.rs`; what
//! becomes of the primary email is in `changes/email.rs`.

mod email;
mod fields;

use std::sync::Arc;

use latchkey_api_types::ids::{ContactChannelId, UserId};
use latchkey_api_types::user::{ServerUser, UserUpdate};
use latchkey_api_types::{AccessType, KnownError};
use latchkey_storage::engine::Tx;
use latchkey_storage::oauth_authorization_codes;
use latchkey_storage::users::{self, UserRow};
use latchkey_storage::{
    StorageError, backup_codes, contact_channels, credentials, one_time_codes, passkeys, second_factors,
    sessions, teams,
};

use crate::app::App;
use crate::audit::{self, Event};
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::projects::Project;
use crate::users::creation::{PERSONAL_TEAM, personal_team_name};
use crate::users::{conflict, show_in};
use crate::webhooks;

pub(crate) use fields::totp_seal_context;
pub(super) use fields::{Fields, Password, require_email, require_password};

/// Why a change was not written.
pub(crate) enum Written {
    /// The database refused.
    Storage(StorageError),
    /// The rules did.
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

/// Everything about a change that is known before the transaction.
struct Plan {
    app: Arc<App>,
    project: Arc<Project>,
    id: UserId,
    fields: Fields,
    new_channel: ContactChannelId,
    access: AccessType,
    now: i64,
}

/// Changes a user; absent fields stay as they are.
///
/// # Errors
/// `USER_NOT_FOUND`, `USER_EMAIL_ALREADY_EXISTS`, `TEAM_MEMBERSHIP_NOT_FOUND`; 400 for fields that contradict each
/// other or the project's settings.
pub async fn update(
    app: &Arc<App>,
    auth: &Auth,
    id: UserId,
    request: UserUpdate,
) -> Result<ServerUser, Failure> {
    let project = &auth.project;
    if request.passkey_auth_enabled == Some(true) {
        return Err(Failure::text(400, "A passkey is registered by its owner; it cannot be switched on."));
    }
    let fields = Fields::read(app, auth, id, request).await?;
    let address = fields.email.address.clone().flatten();
    let plan = Arc::new(Plan {
        app: Arc::clone(app),
        project: Arc::clone(project),
        id,
        fields,
        new_channel: ContactChannelId::from_uuid(app.random.uuid()),
        access: auth.access,
        now: app.now(),
    });
    let recorded = audit::record(app, &project.id, audit::kind::UPDATED, &Event::of_user(auth.access, id));
    let written = app
        .store
        .write(move |tx| {
            let (plan, recorded) = (Arc::clone(&plan), recorded.clone());
            Box::pin(async move {
                let user = apply(tx, &plan).await?;
                tx.run(recorded).await?;
                let (app, project) = (&plan.app, &plan.project);
                let seen = show_in(tx, project, user).await?;
                let event = webhooks::Event::UserUpdated(&seen);
                tx.run_all(&webhooks::queue(app, &project.id, &event)).await?;
                Ok(seen)
            })
        })
        .await;
    match written {
        Ok(seen) => Ok(seen),
        Err(Written::Storage(error)) => Err(conflict(error, address.as_deref())),
        Err(Written::Failure(failure)) => Err(failure),
    }
}

async fn apply(tx: &mut Tx, plan: &Plan) -> Result<UserRow, Written> {
    let project = &plan.project.id;
    let fields = &plan.fields;
    let mut user =
        users::get(tx, project, plan.id).await?.ok_or_else(|| Written::from(KnownError::user_not_found()))?;
    fields.apply(&plan.project, &mut user)?;
    if fields.request.is_anonymous.is_some() && user.is_anonymous {
        user.is_anonymous = false;
        user.signed_up_at = plan.now;
        rename_personal_teams(tx, plan).await?;
    }
    if let Some(team) = &fields.request.selected_team_id {
        if let Some(team) = team.0
            && !teams::is_member(tx, project, team, plan.id).await?
        {
            return Err(KnownError::team_membership_not_found(&team.to_string(), &plan.id.to_string()).into());
        }
        user.selected_team_id = team.0;
    }
    tx.run(users::update(&user)).await?;
    if let Some(image) = &fields.image {
        tx.run_all(&image.statements).await?;
    }
    if fields.request.passkey_auth_enabled == Some(false) {
        tx.run(passkeys::delete_of_user(project, plan.id)).await?;
    }
    email::apply(tx, plan).await?;
    apply_totp(tx, plan).await?;
    apply_password(tx, &user, plan).await?;
    users::get(tx, project, plan.id).await?.ok_or_else(|| KnownError::user_not_found().into())
}

/// Somebody who had no name when their team was made has one now.
async fn rename_personal_teams(tx: &mut Tx, plan: &Plan) -> Result<(), Written> {
    let name = plan.fields.display_name();
    let email = plan.fields.email.address.as_ref().and_then(Option::as_deref);
    if name.or(email).is_some() {
        let name = personal_team_name(name, email);
        tx.run(teams::rename_of_member(&plan.project.id, plan.id, PERSONAL_TEAM, &name)).await?;
    }
    Ok(())
}

/// With another secret, nothing of the old one is of use any more. Whoever lost both is let in again by a server; a
/// session forgives nobody their failures, as it may be stolen.
async fn apply_totp(tx: &mut Tx, plan: &Plan) -> Result<(), Written> {
    let Some(totp) = &plan.fields.totp else { return Ok(()) };
    let project = &plan.project.id;
    let forget = if plan.access == AccessType::Client {
        second_factors::forget_secret
    } else {
        second_factors::delete
    };
    tx.run(forget(project, plan.id)).await?;
    tx.run(backup_codes::delete_of_user(project, plan.id)).await?;
    let kind = if totp.is_some() { audit::kind::TOTP_ENABLED } else { audit::kind::TOTP_DISABLED };
    tx.run(audit::record(&plan.app, project, kind, &Event::of_user(plan.access, plan.id))).await?;
    Ok(())
}

async fn apply_password(tx: &mut Tx, user: &UserRow, plan: &Plan) -> Result<(), Written> {
    let project = &plan.project.id;
    match &plan.fields.password {
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
    tx.run(one_time_codes::end_of_user(project, plan.id, plan.now)).await?;
    tx.run(sessions::delete_of_user(project, plan.id, None)).await?;
    tx.run(oauth_authorization_codes::delete_unused(project, plan.id)).await?;
    Ok(())
}
