//! Everything below `/auth`: sessions, and one file for each method of signing in.

mod oauth;
mod passkey;
mod password;
mod sessions;

use crate::route::Route;

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = Vec::new();
    routes.extend(password::routes());
    routes.extend(passkey::routes());
    routes.extend(sessions::routes());
    routes.extend(oauth::routes());
    routes
}
