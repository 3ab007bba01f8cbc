//! Everything below `/auth`: sessions, and one file for each method of signing in.

mod anonymous;
mod cli;
mod mfa;
mod oauth;
mod otp;
mod passkey;
mod password;
mod password_reset;
mod sessions;

use crate::route::Route;

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = Vec::new();
    routes.extend(anonymous::routes());
    routes.extend(cli::routes());
    routes.extend(password::routes());
    routes.extend(mfa::routes());
    routes.extend(passkey::routes());
    routes.extend(password_reset::routes());
    routes.extend(otp::routes());
    routes.extend(sessions::routes());
    routes.extend(oauth::routes());
    routes
}
