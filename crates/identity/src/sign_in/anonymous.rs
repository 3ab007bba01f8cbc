//! Users who have not signed up (contract 04 §10). Always possible, also where sign-ups are closed: nobody is let in
//! who was not before. Who they become is decided where they sign up; see `users::upgrade`.

use latchkey_api_types::auth::TokenPair;
use latchkey_api_types::ids::UserId;
use latchkey_storage::users::UserRow;

use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::failure::Failure;
use crate::projects::Project;
use crate::sign_in::{Factor, Origin, finish};
use crate::users::{self, NewUser, blank};

/// Creates an anonymous user and signs it in.
pub async fn sign_up(app: &App, project: &Project, origin: Origin) -> Result<TokenPair, Failure> {
    let id = UserId::from_uuid(app.random.uuid());
    let row = UserRow {
        is_anonymous: true,
        country_code: origin.country_code(),
        ..blank(&project.id, id, app.now())
    };
    let created = users::creation(app, project, NewUser { row, password: None, accounts: Vec::new() });
    let mut statements = created.statements;
    let event = Event::of_user(Actor::User, id).at_address(origin.address);
    statements.push(audit::record(app, &project.id, audit::kind::SIGNED_UP_ANONYMOUSLY, &event));
    // Nobody has proved anything: RFC 8176 has no word for that.
    let factor = Factor { user: &created.row, amr: "", is_new_user: true, origin, statements };
    Ok(finish(app, project, factor).await?.tokens)
}
