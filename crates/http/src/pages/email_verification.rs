//! `email-verification`: an address is verified by the code that went there.

use latchkey_identity::{Failure, contact_channels};

use super::view::{Answer, Form, View};
use super::visit::Visit;

const INCOMPLETE: &str = "This link is not complete. Please copy the whole of it from the mail.";

/// Shows the button. Does not look the code up: that would count as an attempt.
pub(super) fn show(visit: &Visit) -> Answer {
    let Some(code) = visit.code("code") else {
        return View::of_failure(&Failure::text(400, INCOMPLETE)).into();
    };
    let confirm =
        Form { action: "confirm", hidden: vec![("code", code)], button: "Confirm", ..Form::default() };
    View::new("Confirm your email address", &["Press the button to confirm that this address is yours."])
        .with(confirm)
        .into()
}

/// Verifies the address.
pub(super) async fn act(visit: &Visit) -> Result<Answer, Failure> {
    let code = visit.code("code").ok_or_else(|| Failure::text(400, INCOMPLETE))?;
    contact_channels::verify(&visit.app, &visit.auth.project.id, &code).await?;
    Ok(View::new("Your email address is confirmed", &["You can close this page."]).into())
}
