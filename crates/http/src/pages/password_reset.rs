//! `password-reset`: whoever opens the link of the mail chooses another password.

use latchkey_identity::passwords::{self, reset};
use latchkey_identity::{Failure, Secret};

use super::view::{Answer, Form, Input, View};
use super::visit::Visit;

const INCOMPLETE: &str = "This link is not complete. Please copy the whole of it from the mail.";

fn choose(code: String) -> View {
    let form = Form {
        action: "reset",
        hidden: vec![("code", code)],
        inputs: vec![Input {
            name: "password",
            label: "New password",
            kind: "password",
            autocomplete: "new-password",
        }],
        button: "Set password",
        ..Form::default()
    };
    View::new("Choose a new password", &["You will be signed out everywhere."]).with(form)
}

/// Shows the form. Does not look the code up: that would count as an attempt.
pub(super) fn show(visit: &Visit) -> Answer {
    match visit.code("code") {
        Some(code) => choose(code).into(),
        None => View::of_failure(&Failure::text(400, INCOMPLETE)).into(),
    }
}

/// Sets the password.
pub(super) async fn act(visit: &Visit) -> Result<Answer, Failure> {
    let code = visit.code("code").ok_or_else(|| Failure::text(400, INCOMPLETE))?;
    let password = Secret::new(visit.field("password").to_owned());
    // A reset with a password that is refused uses the code up; here somebody may still think of another one.
    if let Err(failure) = passwords::check_new(&visit.app, &visit.auth.project, &password).await {
        return Ok(choose(code).after(&failure).into());
    }
    reset::reset(&visit.app, &visit.auth, &code, password).await?;
    Ok(View::new("Your password is changed", &["You can close this page and sign in with it."]).into())
}
