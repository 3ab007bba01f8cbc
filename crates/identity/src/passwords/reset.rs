//! Forgotten passwords (contract 04 §5.5, §5.6): a link goes to the address by mail, and whoever opens it sets another
//! password. How the link is asked for is in `reset/requests.rs`.

mod requests;

use latchkey_api_types::KnownError;
use latchkey_api_types::ids::{ProjectId, UserId};
use latchkey_crypto::Secret;
use latchkey_storage::oauth_authorization_codes;
use latchkey_storage::users::UserRow;
use latchkey_storage::{
    StorageError, contact_channels, credentials, one_time_codes as stored_codes, sessions,
};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::one_time_codes::{self, kind};
use crate::passwords::{check_length, check_new, require_enabled};
use crate::projects::Project;
use crate::sessions::find_user;
use crate::{users, webhooks};

pub use requests::send_code;
pub(crate) use requests::{Requests, answer_all, work};

/// What a code stands for: the password of this user, as long as this address signs them in.
#[derive(Serialize, Deserialize)]
struct Promise {
    user_id: UserId,
    email: String,
}

/// Says whether a code can be used, and does not use it.
///
/// # Errors
/// Those of `one_time_codes::look_up`.
pub async fn check_code(app: &App, project: &ProjectId, code: &str) -> Result<(), Failure> {
    one_time_codes::look_up(app, project, kind::PASSWORD_RESET, code).await.map(|_| ())
}

/// Sets the password of the user to whom a code went, whether or not there was one, and ends all their sessions. Their
/// address is not verified by it. A password that is refused uses the code up all the same.
///
/// # Errors
/// Those of `one_time_codes::look_up`, then `PASSWORD_AUTHENTICATION_NOT_ENABLED`, the password rules, 400 if the user
/// has no primary email or signs in with the address no more.
pub async fn reset(app: &App, auth: &Auth, code: &str, password: Secret<String>) -> Result<(), Failure> {
    let project = &auth.project;
    check_length(project, "password", &password)?;
    let found = one_time_codes::look_up(app, &project.id, kind::PASSWORD_RESET, code).await?;
    let promise: Promise = one_time_codes::promise(&found)?;
    let (hash, owner) = match prepare(app, project, &promise, password).await {
        Ok(prepared) => prepared,
        Err(failure) => return Err(one_time_codes::refuse(app, &found, failure).await),
    };
    let user = owner.id;
    let seen = users::show(app, project, owner).await?;
    let mut statements = vec![
        one_time_codes::claim(app, &found),
        contact_channels::signs_in(&project.id, user, &promise.email).exactly(1),
        // The password first: whoever signs in with the old one in this moment either has a session by then, which the
        // statements after it end, or finds that the password has changed.
        credentials::set_password(&project.id, user, &hash, app.now()),
        stored_codes::end_of_user(&project.id, user, app.now()),
        sessions::delete_of_user(&project.id, user, None),
        oauth_authorization_codes::delete_unused(&project.id, user),
        audit::record(app, &project.id, audit::kind::PASSWORD_RESET, &Event::of_user(Actor::User, user)),
    ];
    statements.extend(webhooks::queue(app, &project.id, &webhooks::Event::UserUpdated(&seen)));
    match app.store.batch(statements).await {
        Ok(_) => Ok(()),
        Err(StorageError::Guard { statement: 0, .. }) => {
            Err(KnownError::verification_code_already_used().into())
        }
        Err(StorageError::Guard { .. } | StorageError::ForeignKey) => {
            Err(one_time_codes::refuse(app, &found, gone()).await)
        }
        Err(error) => Err(error.into()),
    }
}

/// The hash of a password that the user may have, and the user as they are once they have it.
async fn prepare(
    app: &App,
    project: &Project,
    promise: &Promise,
    password: Secret<String>,
) -> Result<(String, UserRow), Failure> {
    require_enabled(project)?;
    check_new(app, project, &password).await?;
    // First, as hashing takes a while in which the user may change.
    let hash = app.hasher.hash(password).await?;
    let user = find_user(app, &project.id, promise.user_id).await?.ok_or_else(gone)?;
    if user.primary_email.is_none() {
        return Err(Failure::text(
            400,
            "The user has no primary email address, so they can have no password.",
        ));
    }
    Ok((hash, UserRow { has_password: true, ..user }))
}

fn gone() -> Failure {
    Failure::text(400, "Nobody signs in with the address of this code any more.")
}
