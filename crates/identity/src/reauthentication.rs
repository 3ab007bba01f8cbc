//! Proving again who one is, before something that would let a thief of the session stay: a session remembers when its
//! user last proved it (`auth_time`), refreshing does not renew that, and what changes a credential asks for a recent
//! one. `latchkey.reauthentication` of a project's settings says where and how recent.
//!
//! Whoever has a second factor proves it: a session that was begun without it, or a password alone, is not enough.

use std::net::IpAddr;

use latchkey_api_types::ids::UserId;
use latchkey_api_types::mfa::Reauthenticated;
use latchkey_api_types::{AccessType, KnownError};
use latchkey_config::settings::EnforceReauthentication;
use latchkey_crypto::Secret;
use latchkey_storage::StorageError;
use latchkey_storage::credentials;
use latchkey_storage::engine::Stmt;
use latchkey_storage::second_factors as stored_factors;
use latchkey_storage::sessions::{self, SessionRow};
use latchkey_storage::users::UserRow;
use serde_json::json;

use crate::app::App;
use crate::audit::{self, Event};
use crate::authenticate::{Auth, CurrentUser};
use crate::failure::Failure;
use crate::passwords;
use crate::projects::Project;
use crate::second_factors::{self, with_methods, with_second_factor};

/// What a change of credentials belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    /// Endpoints of our own.
    Latchkey,
    /// Endpoints of the contract, whose clients know nothing of this.
    Contract,
}

/// What somebody presents to prove again who they are.
pub enum Proof {
    /// The password.
    Password(Secret<String>),
    /// A second factor.
    SecondFactor(second_factors::Proof),
}

/// Refuses a change of credentials by somebody whose last proof is too old, where the project asks for a recent one. On
/// the contract's endpoints only clients are asked: servers act there for themselves.
///
/// # Errors
/// `REAUTHENTICATION_REQUIRED`.
pub(crate) async fn require_recent(app: &App, auth: &Auth, surface: Surface) -> Result<(), Failure> {
    let Some(user) = &auth.user else { return Ok(()) };
    match auth.project.settings.latchkey.reauthentication.enforce_on {
        EnforceReauthentication::LatchkeyEndpoints if surface == Surface::Latchkey => {}
        EnforceReauthentication::AllEndpoints
            if surface == Surface::Latchkey || auth.access == AccessType::Client => {}
        _ => return Ok(()),
    }
    require_recent_session(app, &auth.project, user).await
}

/// The same for a client who says by an access token in an address who they are.
///
/// # Errors
/// `REAUTHENTICATION_REQUIRED`.
pub(crate) async fn require_recent_of_client(
    app: &App,
    project: &Project,
    user: &CurrentUser,
) -> Result<(), Failure> {
    match project.settings.latchkey.reauthentication.enforce_on {
        EnforceReauthentication::AllEndpoints => require_recent_session(app, project, user).await,
        _ => Ok(()),
    }
}

async fn require_recent_session(app: &App, project: &Project, current: &CurrentUser) -> Result<(), Failure> {
    let (user, settings) = (&current.row, &project.settings.latchkey.reauthentication);
    let oldest = app.now() - i64::from(settings.max_age_seconds) * 1000;
    let is_recent = |session: &SessionRow| {
        let proved = !user.requires_totp_mfa || session.amr.split(' ').any(|method| method == "mfa");
        !session.is_impersonation && proved && session.auth_time >= oldest
    };
    if session_of(app, project, current).await?.is_some_and(|session| is_recent(&session)) {
        return Ok(());
    }
    Err(required(project, user))
}

fn required(project: &Project, user: &UserRow) -> Failure {
    let settings = &project.settings;
    let methods: &[&str] = if user.requires_totp_mfa {
        &["totp", "backup_code"]
    } else if user.has_password && settings.auth.password.allow_sign_in {
        &["password"]
    } else {
        &[]
    };
    KnownError::reauthentication_required(settings.latchkey.reauthentication.max_age_seconds, methods).into()
}

/// The session of the access token, unless it ended in this moment.
pub(crate) async fn session(app: &App, auth: &Auth) -> Result<Option<SessionRow>, Failure> {
    match &auth.user {
        Some(current) => session_of(app, &auth.project, current).await,
        None => Ok(None),
    }
}

/// The same of somebody who is known to be signed in.
pub(crate) async fn session_of(
    app: &App,
    project: &Project,
    current: &CurrentUser,
) -> Result<Option<SessionRow>, Failure> {
    let (project, id) = (project.id.clone(), current.session);
    let look = app.store.lookup(move |tx| Box::pin(async move { sessions::get(tx, &project, id).await }));
    Ok(look.await?)
}

/// Renews the proof of the present session.
///
/// # Errors
/// `USER_AUTHENTICATION_REQUIRED`; 403 for impersonation; `REAUTHENTICATION_REQUIRED` for a password where there is a
/// second factor; `PASSWORD_AUTHENTICATION_NOT_ENABLED`, `USER_DOES_NOT_HAVE_PASSWORD`,
/// `PASSWORD_CONFIRMATION_MISMATCH`; `TOO_MANY_FAILED_ATTEMPTS`, `INVALID_TOTP_CODE`, `INVALID_BACKUP_CODE`.
pub async fn reauthenticate(
    app: &App,
    auth: &Auth,
    proof: Proof,
    address: Option<IpAddr>,
) -> Result<Reauthenticated, Failure> {
    let user = auth.signed_in()?;
    let project = &auth.project.id;
    let session = session(app, auth).await?.ok_or_else(KnownError::user_authentication_required)?;
    if session.is_impersonation {
        return Err(Failure::text(403, "Whoever acts as a user cannot prove to be them."));
    }
    let (mut statements, amr, refused) = match &proof {
        Proof::SecondFactor(factor) => {
            let statements = second_factors::check(app, project, user, factor, address).await?;
            (statements, with_second_factor(&session.amr), factor.refused())
        }
        Proof::Password(_) if user.requires_totp_mfa => return Err(required(&auth.project, user)),
        Proof::Password(password) => {
            let statements = check_password(app, auth, user, password, address).await?;
            let refused = KnownError::password_confirmation_mismatch().into();
            (statements, with_methods(&session.amr, &["pwd"]), refused)
        }
    };
    let now = app.now();
    let mut event = Event::by(auth).at_address(address);
    event.details = json!({ "amr": amr });
    statements.push(sessions::prove(project, session.id, user.id, now, &amr).exactly(1));
    statements.push(audit::record(app, project, audit::kind::REAUTHENTICATED, &event));
    match app.store.batch(statements).await {
        Ok(_) => {}
        Err(StorageError::Guard { .. }) => return Err(refused),
        Err(error) => return Err(error.into()),
    }
    let max_age = auth.project.settings.latchkey.reauthentication.max_age_seconds;
    Ok(Reauthenticated { authenticated_at_millis: now, recent_until_millis: now + i64::from(max_age) * 1000 })
}

/// Checks the password; what comes back makes sure that it still is the one, and forgives earlier failures. They are
/// counted as those of second factors are, so that a stolen session is no way to guess it.
async fn check_password(
    app: &App,
    auth: &Auth,
    user: &UserRow,
    password: &Secret<String>,
    address: Option<IpAddr>,
) -> Result<Vec<Stmt>, Failure> {
    passwords::require_enabled(&auth.project)?;
    passwords::check_length(&auth.project, "password", password)?;
    let (project, id) = (&auth.project.id, user.id);
    let of = project.clone();
    let stored =
        app.store.lookup(move |tx| Box::pin(async move { credentials::password(tx, &of, id).await }));
    let hash = stored.await?.and_then(|row| row.hash);
    let hash = hash.ok_or_else(|| Failure::from(KnownError::user_does_not_have_password()))?;
    compare_password(app, auth, id, password.clone(), &hash, address).await?;
    Ok(vec![
        credentials::confirm_password(project, id, &hash).exactly(1),
        stored_factors::forgive(project, id),
    ])
}

/// Compares what a signed-in user says to be their password with its hash, as an attempt that counts until it is
/// forgiven.
///
/// # Errors
/// `TOO_MANY_FAILED_ATTEMPTS`, `PASSWORD_CONFIRMATION_MISMATCH`; `USER_AUTHENTICATION_REQUIRED` if the user is gone.
pub(crate) async fn compare_password(
    app: &App,
    auth: &Auth,
    user: UserId,
    password: Secret<String>,
    hash: &str,
    address: Option<IpAddr>,
) -> Result<(), Failure> {
    let project = &auth.project.id;
    let gone = KnownError::user_authentication_required;
    second_factors::take_attempt(app, project, user).await?.ok_or_else(gone)?.require_unlocked()?;
    if app.hasher.verify(password, Some(hash.to_owned())).await?.matches {
        return Ok(());
    }
    let event = Event::by(auth).at_address(address);
    app.activity.note_event(audit::record(app, project, audit::kind::PASSWORD_REFUSED, &event));
    Err(KnownError::password_confirmation_mismatch().into())
}
