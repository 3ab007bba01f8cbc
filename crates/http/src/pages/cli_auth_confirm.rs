//! `cli-auth-confirm`: somebody lets a command-line program sign in as them.

use latchkey_identity::{Failure, cli_logins};

use super::sign_in;
use super::view::{Answer, Cookie, Form, View};
use super::visit::Visit;

/// What is asked for. The code stands there so that it can be compared with the one that the program shows: whoever
/// sends somebody else a link of this kind wants to be signed in as them.
fn request(code: &str) -> View {
    View::new(
        "Sign in a program",
        &[
            "A command-line program asks to sign in as you. Go on only if you started it yourself a moment ago, and if it shows this code:",
            code,
        ],
    )
}

fn incomplete() -> Failure {
    Failure::text(400, "This link is not complete. Start again from the program.")
}

/// Shows what is asked for.
pub(super) async fn show(visit: &Visit) -> Result<Answer, Failure> {
    let code = visit.code("login_code").ok_or_else(incomplete)?;
    // Says early that the attempt is over; uses nothing up.
    cli_logins::has_anonymous_session(&visit.app, &visit.auth.project.id, &code).await?;
    let mut view = request(&code);
    match sign_in::signed_in_as(visit) {
        Some(who) => {
            view.texts.push(who);
            let confirm = Form { action: "confirm", button: "Let it sign in", ..Form::default() };
            Ok(view.with(confirm).with(sign_in::other_account()).into())
        }
        None => Ok(view.with(sign_in::form()).into()),
    }
}

/// Signs the visitor in, or lets the program in.
pub(super) async fn act(visit: &Visit) -> Result<Answer, Failure> {
    let code = visit.code("login_code").ok_or_else(incomplete)?;
    if let Some(answer) = sign_in::act(visit, request(&code)).await? {
        return Ok(answer);
    }
    if visit.field("action") != "confirm" || visit.refresh_token.is_none() {
        return show(visit).await;
    }
    let (project, token) = (&visit.auth.project.id, visit.refresh_token.as_deref());
    cli_logins::complete(&visit.app, project, &code, token, visit.origin.address).await?;
    // The session is the program's from now on, and not shared with this browser.
    let view = View::new("The program is signed in", &["You can close this page and go back to it."]);
    Ok(Answer::from(view).cookie(Cookie::Clear))
}
