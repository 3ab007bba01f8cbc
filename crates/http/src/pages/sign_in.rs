//! Signing in on a page that needs somebody: the form, and what it does.

use latchkey_identity::sign_in::password;
use latchkey_identity::{Failure, Secret, sessions};

use super::view::{Answer, Cookie, Form, Input, View};
use super::visit::Visit;

/// What the form is for, in the visitor's words.
pub(super) fn form() -> Form {
    Form {
        action: "sign-in",
        inputs: vec![
            Input { name: "email", label: "Email", kind: "email", autocomplete: "username" },
            Input { name: "password", label: "Password", kind: "password", autocomplete: "current-password" },
        ],
        button: "Sign in",
        ..Form::default()
    }
}

/// The way out for somebody else.
pub(super) fn other_account() -> Form {
    Form { action: "sign-out", button: "Use another account", is_minor: true, ..Form::default() }
}

/// Who is signed in, for people.
pub(super) fn signed_in_as(visit: &Visit) -> Option<String> {
    let user = &visit.auth.user.as_ref()?.row;
    let name = user.primary_email.as_deref().or(user.display_name.as_deref());
    Some(format!("You are signed in as {}.", name.unwrap_or("somebody without an address")))
}

/// Does what the form says, if it is one of this file's; `None` for other forms. `page` is what the visitor sees again
/// when it fails.
pub(super) async fn act(visit: &Visit, page: View) -> Result<Option<Answer>, Failure> {
    match visit.field("action") {
        "sign-in" => submit(visit, page).await.map(Some),
        "sign-out" => {
            sessions::end_own(&visit.app, &visit.auth).await?;
            Ok(Some(Answer::again(&visit.query).cookie(Cookie::Clear)))
        }
        _ => Ok(None),
    }
}

async fn submit(visit: &Visit, page: View) -> Result<Answer, Failure> {
    let password = Secret::new(visit.field("password").to_owned());
    let signed_in =
        password::sign_in(&visit.app, &visit.auth, visit.field("email"), password, visit.origin.clone())
            .await;
    match signed_in {
        Ok(tokens) => Ok(Answer::again(&visit.query).cookie(Cookie::Set(tokens.refresh_token))),
        Err(failure) => Ok(page.after(&failure).with(form()).into()),
    }
}
