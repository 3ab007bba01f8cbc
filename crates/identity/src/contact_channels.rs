//! Contact channels (contract 05 §6): the addresses of a user, which of them is primary, and which sign in. How an
//! address is verified is in `contact_channels/verification.rs`.

mod verification;

use std::sync::Arc;

use latchkey_api_types::contact_channel::{
    ContactChannel, ContactChannelCreate, ContactChannelType, ContactChannelUpdate,
};
use latchkey_api_types::ids::{ContactChannelId, ProjectId, UserId};
use latchkey_api_types::input::UserIdOrMe;
use latchkey_api_types::{AccessType, KnownError};
use latchkey_storage::StorageError;
use latchkey_storage::contact_channels::{self, AuthChannelRow, ContactChannelRow};
use latchkey_storage::engine::Tx;
use latchkey_storage::users::{self, UserRow};

use crate::app::App;
use crate::audit::{self, Event};
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::reauthentication::{self, Surface};
use crate::users::Written;

pub use verification::{check_code, send_to_channel, send_to_primary, verify};

/// The form in which an address is stored and compared: trimmed and in lower case, nothing else (contract 04 §2).
pub fn normalise_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// The channel that the primary email of a user stands in; `None` if the user has no primary email. `id` and the time
/// are those of a new channel.
pub(crate) fn primary_email(user: &UserRow, id: ContactChannelId, now: i64) -> Option<ContactChannelRow> {
    Some(ContactChannelRow {
        project_id: user.project_id.clone(),
        id,
        user_id: user.id,
        kind: ContactChannelType::Email.as_str().to_owned(),
        value: user.primary_email.clone()?,
        is_primary: true,
        is_verified: user.primary_email_verified == Some(true),
        used_for_auth: user.primary_email_used_for_auth == Some(true),
        created_at: now,
    })
}

/// The channel with which somebody signs in by this address, in whatever spelling.
pub(crate) async fn used_for_auth(
    app: &App,
    project: &ProjectId,
    email: &str,
) -> Result<Option<AuthChannelRow>, Failure> {
    let (project, email, normalised) = (project.clone(), email.to_owned(), normalise_email(email));
    app.store
        .lookup(move |tx| {
            Box::pin(
                async move { Ok(contact_channels::used_for_auth(tx, &project, &email, &normalised).await?) },
            )
        })
        .await
}

fn view(row: ContactChannelRow) -> ContactChannel {
    ContactChannel {
        user_id: row.user_id,
        id: row.id,
        kind: ContactChannelType::Email,
        value: row.value,
        is_primary: row.is_primary,
        is_verified: row.is_verified,
        used_for_auth: row.used_for_auth,
    }
}

/// The channels of a user, or, for servers, of everybody, oldest first.
///
/// # Errors
/// `CANNOT_GET_OWN_USER_WITHOUT_USER`; 403 for clients that do not name their own user.
pub async fn list(
    app: &App,
    auth: &Auth,
    user: Option<UserIdOrMe>,
    channel: Option<ContactChannelId>,
) -> Result<Vec<ContactChannel>, Failure> {
    let user = auth.listed_user(user)?;
    let project = auth.project.id.clone();
    let rows = app.store.scan(move |tx| {
        Box::pin(async move {
            Ok::<_, Failure>(match user {
                Some(user) => contact_channels::list(tx, &project, user).await?,
                None => contact_channels::list_all(tx, &project).await?,
            })
        })
    });
    let wanted = |row: &ContactChannelRow| channel.is_none_or(|id| row.id == id);
    Ok(rows.await?.into_iter().filter(wanted).map(view).collect())
}

/// One channel.
///
/// # Errors
/// 403 for clients and other users; 404.
pub async fn get(
    app: &App,
    auth: &Auth,
    user: UserIdOrMe,
    id: ContactChannelId,
) -> Result<ContactChannel, Failure> {
    let user = auth.addressed_user(user)?;
    find(app, &auth.project.id, user, id)
        .await?
        .map(view)
        .ok_or_else(|| Failure::text(404, "The user has no such contact channel."))
}

async fn find(
    app: &App,
    project: &ProjectId,
    user: UserId,
    id: ContactChannelId,
) -> Result<Option<ContactChannelRow>, Failure> {
    let project = project.clone();
    app.store
        .lookup(move |tx| Box::pin(async move { Ok(contact_channels::get(tx, &project, user, id).await?) }))
        .await
}

/// Adds a channel.
///
/// # Errors
/// 403 for clients and other users; `USER_NOT_FOUND`; 400 if the user has the address already;
/// `CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE`.
pub async fn create(
    app: &App,
    auth: &Auth,
    request: ContactChannelCreate,
) -> Result<ContactChannel, Failure> {
    let user = auth.addressed_user(request.user_id)?;
    reauthentication::require_recent(app, auth, Surface::Contract).await?;
    let row = ContactChannelRow {
        project_id: auth.project.id.clone(),
        id: ContactChannelId::from_uuid(app.random.uuid()),
        user_id: user,
        kind: request.kind.as_str().to_owned(),
        value: normalise_email(request.value.as_str()),
        is_primary: request.is_primary.unwrap_or(false),
        is_verified: request.is_verified.unwrap_or(false),
        used_for_auth: request.used_for_auth,
        created_at: app.now(),
    };
    let event = Event::of_user(auth.access, user);
    let recorded = audit::record(app, &auth.project.id, audit::kind::CONTACT_CHANNEL_ADDED, &event);
    let shared = Arc::new((row, recorded));
    let written = Arc::clone(&shared);
    let outcome = app.store.write(move |tx| {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let (row, recorded) = &*shared;
            if users::get(tx, &row.project_id, row.user_id).await?.is_none() {
                return Err(KnownError::user_not_found().into());
            }
            let own = contact_channels::list(tx, &row.project_id, row.user_id).await?;
            if own.iter().any(|other| other.kind == row.kind && other.value == row.value) {
                return Err(Written::from(has_already()));
            }
            refuse_taken(tx, row, Some(&row.value)).await?;
            if row.is_primary {
                tx.run(contact_channels::demote_primary(&row.project_id, row.user_id)).await?;
            }
            tx.run(contact_channels::insert(row)).await?;
            tx.run(recorded.clone()).await?;
            Ok(())
        })
    });
    let row = &written.0;
    match outcome.await {
        Ok(()) => Ok(view(row.clone())),
        Err(Written::Storage(error)) => Err(conflict(error, Some(&row.value))),
        Err(Written::Failure(failure)) => Err(failure),
    }
}

/// Changes a channel; absent fields stay as they are. Another address has to be verified anew.
///
/// # Errors
/// 403 for clients and other users; 400 if there is no such channel, or if the user has the address already;
/// `CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE`.
pub async fn update(
    app: &App,
    auth: &Auth,
    user: UserIdOrMe,
    id: ContactChannelId,
    request: ContactChannelUpdate,
) -> Result<ContactChannel, Failure> {
    let user = auth.addressed_user(user)?;
    reauthentication::require_recent(app, auth, Surface::Contract).await?;
    let project = auth.project.id.clone();
    let event = Event::of_user(auth.access, user);
    let recorded = audit::record(app, &project, audit::kind::CONTACT_CHANNEL_CHANGED, &event);
    let shared = Arc::new((project, request, recorded));
    let outcome = app.store.write(move |tx| {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let (project, request, recorded) = &*shared;
            let row = contact_channels::get(tx, project, user, id).await?;
            let mut row = row.ok_or_else(|| Written::from(missing()))?;
            if let Some(value) = &request.value {
                row.value = normalise_email(value.as_str());
                row.is_verified = false;
            }
            if let Some(kind) = request.kind {
                kind.as_str().clone_into(&mut row.kind);
            }
            row.is_verified = request.is_verified.unwrap_or(row.is_verified);
            row.used_for_auth = request.used_for_auth.unwrap_or(row.used_for_auth);
            row.is_primary = request.is_primary.unwrap_or(row.is_primary);
            let own = contact_channels::list(tx, project, user).await?;
            if own.iter().any(|other| other.id != id && other.kind == row.kind && other.value == row.value) {
                return Err(has_already().into());
            }
            refuse_taken(tx, &row, None).await?;
            if row.is_primary {
                tx.run(contact_channels::demote_primary(project, user)).await?;
            }
            tx.run(contact_channels::update(&row)).await?;
            tx.run(recorded.clone()).await?;
            Ok(row)
        })
    });
    match outcome.await {
        Ok(row) => Ok(view(row)),
        Err(Written::Storage(error)) => Err(conflict(error, None)),
        Err(Written::Failure(failure)) => Err(failure),
    }
}

/// Removes a channel. No other takes its place.
///
/// # Errors
/// 403 for clients and other users; 400 if there is no such channel.
pub async fn delete(app: &App, auth: &Auth, user: UserIdOrMe, id: ContactChannelId) -> Result<(), Failure> {
    let user = auth.addressed_user(user)?;
    reauthentication::require_recent(app, auth, Surface::Contract).await?;
    let project = &auth.project.id;
    let event = Event::of_user(auth.access, user);
    let statements = vec![
        contact_channels::delete(project, user, id).exactly(1),
        audit::record(app, project, audit::kind::CONTACT_CHANNEL_REMOVED, &event),
    ];
    match app.store.batch(statements).await {
        Ok(_) => Ok(()),
        Err(StorageError::Guard { .. }) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}

fn missing() -> Failure {
    Failure::text(400, "The user has no such contact channel.")
}

fn has_already() -> Failure {
    Failure::text(400, "The user has this contact channel already.")
}

fn taken(value: Option<&str>) -> KnownError {
    let kind = ContactChannelType::Email.as_str();
    KnownError::contact_channel_already_used_for_auth_by_someone_else(kind, value, false)
}

/// An address signs in one user only. `said` is what the error repeats of it.
async fn refuse_taken(tx: &mut Tx, row: &ContactChannelRow, said: Option<&str>) -> Result<(), Written> {
    if row.used_for_auth
        && contact_channels::is_used_for_auth_elsewhere(tx, &row.project_id, &row.value, row.id).await?
    {
        return Err(taken(said).into());
    }
    Ok(())
}

/// What a violated unique index means: somebody else was faster.
fn conflict(error: StorageError, said: Option<&str>) -> Failure {
    match error {
        StorageError::Unique { index } if index == "contact_channels_used_for_auth_key" => taken(said).into(),
        StorageError::Unique { index } if index == "contact_channels_value_key" => has_already(),
        StorageError::Unique { index } if index == "contact_channels_is_primary_key" => {
            Failure::text(409, "The primary contact channel was changed by somebody else at the same time.")
        }
        StorageError::ForeignKey => KnownError::user_not_found().into(),
        other => other.into(),
    }
}

impl Auth {
    /// The user that a request names, which for clients must be the signed-in one.
    ///
    /// # Errors
    /// `CANNOT_GET_OWN_USER_WITHOUT_USER` for clients, and for `me`, if nobody is signed in; 403 for clients and other
    /// users.
    pub(crate) fn addressed_user(&self, user: UserIdOrMe) -> Result<UserId, Failure> {
        if self.access == AccessType::Client {
            let me = self.me()?.row.id;
            return match user {
                UserIdOrMe::Id(id) if id != me => {
                    Err(Failure::text(403, "Clients may act for the signed-in user only."))
                }
                _ => Ok(me),
            };
        }
        self.user_or_me(user)
    }

    /// The user whose things are listed; `None` for those of everybody, which only servers may see.
    ///
    /// # Errors
    /// As [`Auth::addressed_user`]; 403 for clients that name nobody.
    pub(crate) fn listed_user(&self, user: Option<UserIdOrMe>) -> Result<Option<UserId>, Failure> {
        match user {
            Some(user) => self.addressed_user(user).map(Some),
            None if self.access == AccessType::Client => {
                self.me()?;
                Err(Failure::text(403, "Clients must name the signed-in user, by its id or as me."))
            }
            None => Ok(None),
        }
    }
}
