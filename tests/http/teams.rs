//! Contract 06 §1–§4: teams, memberships, member profiles and invitations.

mod accepting;
mod creation;
mod editing;
mod events;
mod invitations;
mod listing;
mod memberships;
mod pictures;
mod profiles;
mod races;

use latchkey_testkit::{Builder, TestServer};

/// An id that nothing has.
const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";

/// A picture of one pixel.
const PNG: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A server whose project lets users create teams.
fn open() -> Builder {
    TestServer::builder().project(|settings| settings.teams.allow_client_team_creation = true)
}
