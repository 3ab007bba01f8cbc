//! The people who administer the server: users of the project `internal` in the team that owns the declared
//! projects.

use latchkey_api_types::ids::{ContactChannelId, ProjectId, UserId};
use latchkey_crypto::Secret;
use latchkey_storage::contact_channels::{self, ContactChannelRow};
use latchkey_storage::users::{self, UserRow};
use latchkey_storage::{StorageError, credentials, teams};

use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::contact_channels::normalise_email;
use crate::declared_projects::owners_team;
use crate::failure::Failure;
use crate::passwords;
use crate::projects;

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
    let statements = vec![
        users::insert(&UserRow {
            display_name: display_name.map(str::to_owned),
            ..crate::users::blank(&internal, user, now)
        }),
        contact_channels::insert(&ContactChannelRow {
            project_id: internal.clone(),
            id: ContactChannelId::from_uuid(app.random.uuid()),
            user_id: user,
            kind: "email".to_owned(),
            value: normalise_email(email),
            is_primary: true,
            is_verified: true,
            used_for_auth: true,
            created_at: now,
        }),
        credentials::set_password(&internal, user, &hash, now),
        teams::add_member(&internal, owners_team(), user, now),
        audit::record(app, &internal, audit::kind::CREATED, &Event::of_user(Actor::System, user)),
    ];
    match app.store.batch(statements).await {
        Ok(_) => Ok(user),
        Err(StorageError::Unique { .. }) => {
            Err(Failure::text(409, "An administrator with this address exists."))
        }
        Err(error) => Err(error.into()),
    }
}
