//! The people who administer the server: users of the project `internal` in the team that owns the declared
//! projects.

use latchkey_api_types::ids::{ProjectId, UserId};
use latchkey_crypto::Secret;
use latchkey_storage::users::UserRow;
use latchkey_storage::{StorageError, teams};

use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::contact_channels::normalise_email;
use crate::declared_projects::owners_team;
use crate::failure::Failure;
use crate::passwords;
use crate::projects;
use crate::users::{self, NewUser};

/// Creates an administrator with a verified email and a password; returns the user's id.
///
/// # Errors
/// The password rules of `internal`; 409 if the address is taken.
pub async fn create(
    app: &App,
    email: &str,
    display_name: Option<&str>,
    password: Secret<String>,
) -> Result<UserId, Failure> {
    let internal = ProjectId::internal();
    let project = projects::find(app, &internal)
        .await?
        .ok_or_else(|| Failure::internal("the project internal is missing"))?;
    passwords::check_new(app, &project, &password).await?;
    let hash = app.hasher.hash(password).await?;
    let now = app.now();
    let user = UserId::from_uuid(app.random.uuid());
    let row = UserRow {
        display_name: display_name.map(str::to_owned),
        primary_email: Some(normalise_email(email)),
        primary_email_verified: Some(true),
        primary_email_used_for_auth: Some(true),
        ..users::blank(&internal, user, now)
    };
    let new = NewUser { row, password: Some(hash), accounts: Vec::new() };
    let mut statements = users::creation(app, &project, new).statements;
    statements.push(teams::add_member(&internal, owners_team(), user, now));
    let event = Event::of_user(Actor::System, user);
    statements.push(audit::record(app, &internal, audit::kind::CREATED, &event));
    match app.store.batch(statements).await {
        Ok(_) => Ok(user),
        Err(StorageError::Unique { .. }) => {
            Err(Failure::text(409, "An administrator with this address exists."))
        }
        Err(error) => Err(error.into()),
    }
}
