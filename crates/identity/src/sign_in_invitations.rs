//! Invitations to sign in to a project: a mail that leads somebody to a place of the caller's, without any code.

use crate::app::App;
use crate::authenticate::Auth;
use crate::contact_channels::normalise_email;
use crate::failure::Failure;
use crate::one_time_codes::trusted_callback;
use crate::system_mails::{self, To};

/// Invites an address.
///
/// # Errors
/// `REDIRECT_URL_NOT_WHITELISTED`.
pub async fn send(app: &App, auth: &Auth, email: &str, callback: &str) -> Result<(), Failure> {
    trusted_callback(&auth.project, callback)?;
    let to = To { address: &normalise_email(email), user: None, accepted: auth.locale };
    let mail = system_mails::sign_in_invitation(app, &auth.project, &to, callback)?;
    app.store.batch(vec![mail]).await?;
    app.jobs.wake();
    Ok(())
}
