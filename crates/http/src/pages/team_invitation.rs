//! `team-invitation`: somebody who was invited joins a team.

use latchkey_identity::teams::invitations;
use latchkey_identity::{Failure, sessions};

use super::sign_in;
use super::view::{Answer, Cookie, Form, View};
use super::visit::Visit;

const INCOMPLETE: &str = "This link is not complete. Please copy the whole of it from the mail.";

fn invited() -> View {
    View::new("You are invited to a team", &[])
}

/// Shows that there is an invitation. What it is about is told to whoever signed in and asks: each look counts.
pub(super) fn show(visit: &Visit) -> Answer {
    if visit.code("code").is_none() {
        return View::of_failure(&Failure::text(400, INCOMPLETE)).into();
    }
    let mut view = invited();
    if let Some(who) = sign_in::signed_in_as(visit) {
        view.texts.push(who);
        let look = Form { action: "look", button: "Show the invitation", ..Form::default() };
        view.with(look).with(sign_in::other_account()).into()
    } else {
        view.texts.push("Sign in to see which one.".to_owned());
        view.with(sign_in::form()).into()
    }
}

/// Signs the visitor in, shows the team, or lets them join it.
pub(super) async fn act(visit: &Visit) -> Result<Answer, Failure> {
    let code = visit.code("code").ok_or_else(|| Failure::text(400, INCOMPLETE))?;
    if let Some(answer) = sign_in::act(visit, invited()).await? {
        return Ok(answer);
    }
    match visit.field("action") {
        "look" => {
            let team = invitations::details(&visit.app, &visit.auth, &code).await?.team_display_name;
            let mut view = View::new(format!("Join {team}"), &[]);
            view.texts.extend(sign_in::signed_in_as(visit));
            let join = Form { action: "join", button: "Join", ..Form::default() };
            Ok(view.with(join).with(sign_in::other_account()).into())
        }
        "join" => {
            invitations::accept(&visit.app, &visit.auth, &code).await?;
            // Signed in here for this only.
            sessions::end_own(&visit.app, &visit.auth).await?;
            let view = View::new("You have joined the team", &["You can close this page."]);
            Ok(Answer::from(view).cookie(Cookie::Clear))
        }
        _ => Ok(show(visit)),
    }
}
