//! How an address is verified: a code goes there by mail, and comes back (contract 05 §6.1).

use latchkey_api_types::ids::{ContactChannelId, ProjectId, UserId};
use latchkey_api_types::input::UserIdOrMe;
use latchkey_api_types::{AccessType, KnownError};
use latchkey_storage::StorageError;
use latchkey_storage::contact_channels;
use latchkey_storage::users::UserRow;
use serde::Deserialize;

use super::{find, normalise_email};
use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::one_time_codes::{self, email_verification, trusted_callback};
use crate::sessions::find_user;
use crate::system_mails::{self, To};

/// What a code of this kind stands for.
#[derive(Deserialize)]
struct Promise {
    user_id: UserId,
    email: String,
}

/// Mails a code to a channel of a user.
///
/// # Errors
/// In this order: 400 for clients and other users, `USER_ID_DOES_NOT_EXIST`, 404, `EMAIL_ALREADY_VERIFIED`,
/// `REDIRECT_URL_NOT_WHITELISTED`.
pub async fn send_to_channel(
    app: &App,
    auth: &Auth,
    user: UserIdOrMe,
    id: ContactChannelId,
    callback: &str,
) -> Result<(), Failure> {
    let user = auth.user_or_me(user)?;
    let project = &auth.project.id;
    let found;
    let owner = if auth.access == AccessType::Client {
        let me = &auth.me()?.row;
        if me.id != user {
            return Err(Failure::text(400, "Clients may verify channels of the signed-in user only."));
        }
        me
    } else {
        found = find_user(app, project, user).await?;
        found.as_ref().ok_or_else(|| KnownError::user_id_does_not_exist(&user.to_string()))?
    };
    let channel = find(app, project, user, id)
        .await?
        .ok_or_else(|| Failure::text(404, "The user has no such contact channel."))?;
    if channel.is_verified {
        return Err(KnownError::email_already_verified().into());
    }
    send(app, auth, owner, &channel.value, callback).await
}

/// Mails a code to the primary email of the signed-in user.
///
/// # Errors
/// `EMAIL_IS_NOT_PRIMARY_EMAIL`, `EMAIL_ALREADY_VERIFIED`, `REDIRECT_URL_NOT_WHITELISTED`.
pub async fn send_to_primary(app: &App, auth: &Auth, email: &str, callback: &str) -> Result<(), Failure> {
    let user = &auth.me()?.row;
    let email = normalise_email(email);
    if user.primary_email.as_ref() != Some(&email) {
        return Err(KnownError::email_is_not_primary_email(&email, user.primary_email.as_deref()).into());
    }
    if user.primary_email_verified == Some(true) {
        return Err(KnownError::email_already_verified().into());
    }
    send(app, auth, user, &email, callback).await
}

async fn send(app: &App, auth: &Auth, user: &UserRow, email: &str, callback: &str) -> Result<(), Failure> {
    let project = &auth.project;
    let callback = trusted_callback(project, callback)?;
    let code = email_verification(app, &project.id, user.id, email, &callback)?;
    let to = To { address: email, user: Some(user), accepted: auth.locale };
    let mail = system_mails::email_verification(app, project, &to, &code.link)?;
    app.store.batch(vec![code.statement, mail]).await?;
    app.jobs.wake();
    Ok(())
}

/// Says whether a code can be used, and does not use it.
///
/// # Errors
/// Those of `one_time_codes::look_up`.
pub async fn check_code(app: &App, project: &ProjectId, code: &str) -> Result<(), Failure> {
    one_time_codes::look_up(app, project, one_time_codes::kind::EMAIL_VERIFICATION, code).await.map(|_| ())
}

/// Uses a code: the address to which it went is verified.
///
/// # Errors
/// Those of `one_time_codes::look_up`; 400 if the user has the address no more, which uses the code up as well.
pub async fn verify(app: &App, project: &ProjectId, code: &str) -> Result<(), Failure> {
    let kind = one_time_codes::kind::EMAIL_VERIFICATION;
    let found = one_time_codes::look_up(app, project, kind, code).await?;
    let promise: Promise = one_time_codes::promise(&found)?;
    let event = Event::of_user(Actor::User, promise.user_id);
    let statements = vec![
        one_time_codes::claim(app, &found),
        contact_channels::verify(project, promise.user_id, &promise.email).exactly(1),
        audit::record(app, project, audit::kind::EMAIL_VERIFIED, &event),
    ];
    match app.store.batch(statements).await {
        Ok(_) => Ok(()),
        Err(StorageError::Guard { statement: 0, .. }) => {
            Err(KnownError::verification_code_already_used().into())
        }
        Err(StorageError::Guard { .. }) => {
            let gone = Failure::text(400, "The user does not have this email address any more.");
            Err(one_time_codes::refuse(app, &found, gone).await)
        }
        Err(error) => Err(error.into()),
    }
}
