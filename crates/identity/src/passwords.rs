//! Passwords: what may become one, setting the first and changing it (contract 04 §5.3, §5.4; design, section 5).
//! What becomes of forgotten ones is in `passwords/reset.rs`.

pub mod reset;

use latchkey_api_types::{KnownError, SessionId};
use latchkey_crypto::{Secret, password_rules};
use latchkey_storage::{
    StorageError, credentials, oauth_authorization_codes, one_time_codes, second_factors, sessions,
};

use crate::app::App;
use crate::audit::{self, Event};
use crate::authenticate::Auth;
use crate::breach_check;
use crate::failure::Failure;
use crate::projects::Project;
use crate::reauthentication::{self, Surface};
use crate::refresh_tokens::RefreshToken;
use crate::sessions::{Standing, standing};

/// # Errors
/// `PASSWORD_AUTHENTICATION_NOT_ENABLED`.
pub(crate) fn require_enabled(project: &Project) -> Result<(), Failure> {
    if project.settings.auth.password.allow_sign_in {
        Ok(())
    } else {
        Err(KnownError::password_authentication_not_enabled().into())
    }
}

/// Refuses a password that is longer than the project allows, as the schema would.
///
/// # Errors
/// `SCHEMA_ERROR` that names `field`.
pub(crate) fn check_length(project: &Project, field: &str, password: &Secret<String>) -> Result<(), Failure> {
    let max = project.settings.latchkey.password.max_length as usize;
    if password.expose().chars().count() <= max {
        return Ok(());
    }
    Err(KnownError::schema_error(&format!("body.{field} must have at most {max} characters")).into())
}

/// Checks a password that is about to be set against the project's rules, cheapest first.
///
/// # Errors
/// `PASSWORD_TOO_SHORT`, `SCHEMA_ERROR` if too long, `PASSWORD_REQUIREMENTS_NOT_MET` for the rules that the contract
/// does not know.
pub async fn check_new(app: &App, project: &Project, password: &Secret<String>) -> Result<(), Failure> {
    let rules = &project.settings.latchkey.password;
    let text = password.expose();
    check_length(project, "password", password)?;
    if text.chars().count() < rules.min_length as usize {
        return Err(KnownError::password_too_short(rules.min_length).into());
    }
    let refused = |message: &str| Failure::from(KnownError::password_requirements_not_met(message));
    if rules.require_classes {
        let classes = password_rules::character_classes(text);
        if text.chars().count() < 12 || !classes.has_all() {
            return Err(refused(
                "The password needs at least 12 characters with upper case, lower case, a digit and a symbol.",
            ));
        }
    }
    if rules.refuse_common && password_rules::is_common(text) {
        return Err(refused("This is one of the most common passwords, which attackers try first."));
    }
    if rules.breach_check
        && app.config.passwords.breach_check.enabled
        && breach_check::is_breached(app, text).await?
    {
        return Err(refused("This password appeared in a data breach, so attackers know it."));
    }
    Ok(())
}

/// Sets the first password of the signed-in user. Sessions stay.
///
/// # Errors
/// `PASSWORD_AUTHENTICATION_NOT_ENABLED`, the password rules, 400 if there is a password.
pub async fn set(app: &App, auth: &Auth, password: Secret<String>) -> Result<(), Failure> {
    let project = &auth.project;
    let user = &auth.me()?.row;
    require_enabled(project)?;
    reauthentication::require_recent(app, auth, Surface::Contract).await?;
    check_new(app, project, &password).await?;
    let exists = || Failure::text(400, "The user has a password already; update it instead.");
    if user.has_password {
        return Err(exists());
    }
    let hash = app.hasher.hash(password).await?;
    let event = Event::of_user(auth.access, user.id);
    let statements = vec![
        credentials::insert_password(&project.id, user.id, &hash, app.now()),
        audit::record(app, &project.id, audit::kind::PASSWORD_SET, &event),
    ];
    match app.store.batch(statements).await {
        Ok(_) => Ok(()),
        Err(StorageError::Unique { .. }) => Err(exists()),
        // The user was deleted in this moment.
        Err(StorageError::ForeignKey) => Err(KnownError::cannot_get_own_user_without_user().into()),
        Err(error) => Err(error.into()),
    }
}

/// Changes the password of the signed-in user and ends all their sessions but the one whose refresh token is given.
///
/// # Errors
/// `PASSWORD_AUTHENTICATION_NOT_ENABLED`, the password rules, `USER_DOES_NOT_HAVE_PASSWORD`,
/// `TOO_MANY_FAILED_ATTEMPTS`, `PASSWORD_CONFIRMATION_MISMATCH`.
pub async fn update(
    app: &App,
    auth: &Auth,
    old: Secret<String>,
    new: Secret<String>,
    refresh_token: Option<&str>,
) -> Result<(), Failure> {
    let project = &auth.project;
    let user = &auth.me()?.row;
    require_enabled(project)?;
    check_length(project, "old_password", &old)?;
    check_new(app, project, &new).await?;
    let (stored, spared) = stored_and_spared(app, auth, refresh_token).await?;
    let stored = stored.ok_or_else(|| Failure::from(KnownError::user_does_not_have_password()))?;
    reauthentication::compare_password(app, auth, user.id, old, &stored, None).await?;
    let hash = app.hasher.hash(new).await?;
    let event = Event::of_user(auth.access, user.id);
    let statements = vec![
        credentials::replace_password(&project.id, user.id, &stored, &hash, app.now()).exactly(1),
        second_factors::forgive(&project.id, user.id),
        one_time_codes::end_of_user(&project.id, user.id, app.now()),
        sessions::delete_of_user(&project.id, user.id, spared),
        oauth_authorization_codes::delete_unused(&project.id, user.id),
        audit::record(app, &project.id, audit::kind::PASSWORD_CHANGED, &event),
    ];
    match app.store.batch(statements).await {
        Ok(_) => Ok(()),
        // Somebody else changed it in this moment, so the old password is not the old password any more.
        Err(StorageError::Guard { .. }) => Err(KnownError::password_confirmation_mismatch().into()),
        Err(error) => Err(error.into()),
    }
}

/// The stored hash, and the session of the refresh token if it is one of this user's and would still be refreshed.
async fn stored_and_spared(
    app: &App,
    auth: &Auth,
    refresh_token: Option<&str>,
) -> Result<(Option<String>, Option<SessionId>), Failure> {
    let project = auth.project.id.clone();
    let user = auth.me()?.row.id;
    let token = refresh_token.and_then(RefreshToken::parse);
    let family = token.as_ref().map(RefreshToken::family_hash);
    let (stored, session) = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let stored = credentials::password(tx, &project, user).await?.and_then(|row| row.hash);
                let session = match &family {
                    Some(family) => {
                        sessions::by_family(tx, &project, family).await?.map(|owned| owned.session)
                    }
                    None => None,
                };
                Ok::<_, Failure>((stored, session))
            })
        })
        .await?;
    let spared = session.zip(token).filter(|(session, token)| {
        session.user_id == user && !matches!(standing(app, session, token, app.now()), Standing::Reused)
    });
    Ok((stored, spared.map(|(session, _)| session.id)))
}
