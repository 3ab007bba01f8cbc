//! The built-in pages of a project, below `/projects/{project_id}/handler`: where links in mails and of command-line
//! programs can lead, so that a project works without pages of its own.
//!
//! GET shows what would happen and changes nothing, so that programs which follow links in mails use nothing up; POST
//! does it, for forms of these pages only. The pages need no script, load nothing, and know their own address from the
//! configuration, never from a request. Somebody who signs in here gets a short cookie that other sites cannot make
//! the browser send.

mod cli_auth_confirm;
mod cookie;
mod email_verification;
mod password_reset;
mod sign_in;
mod team_invitation;
mod view;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::routing::get;
use http::{Method, StatusCode};
use latchkey_api_types::ids::ProjectId;
use latchkey_config::ServerConfig;
use latchkey_identity::{App, Failure, Project, projects};

use crate::reply::{self, Response};
use view::{Answer, View};
use visit::Visit;

/// The pages, by the names in `latchkey_identity::projects::PAGES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    CliAuthConfirm,
    EmailVerification,
    PasswordReset,
    TeamInvitation,
}

impl Page {
    fn named(name: &str) -> Option<Self> {
        match name {
            "cli-auth-confirm" => Some(Self::CliAuthConfirm),
            "email-verification" => Some(Self::EmailVerification),
            "password-reset" => Some(Self::PasswordReset),
            "team-invitation" => Some(Self::TeamInvitation),
            _ => None,
        }
    }

    /// What GET shows.
    async fn show(self, visit: &Visit) -> Result<Answer, Failure> {
        match self {
            Self::CliAuthConfirm => cli_auth_confirm::show(visit).await,
            Self::EmailVerification => Ok(email_verification::show(visit)),
            Self::PasswordReset => Ok(password_reset::show(visit)),
            Self::TeamInvitation => Ok(team_invitation::show(visit)),
        }
    }

    /// What the button does.
    async fn act(self, visit: &Visit) -> Result<Answer, Failure> {
        match self {
            Self::CliAuthConfirm => cli_auth_confirm::act(visit).await,
            Self::EmailVerification => email_verification::act(visit).await,
            Self::PasswordReset => password_reset::act(visit).await,
            Self::TeamInvitation => team_invitation::act(visit).await,
        }
    }
}

#[derive(Clone)]
struct Pages {
    app: Arc<App>,
    config: Arc<ServerConfig>,
}

/// The pages of every project.
pub fn pages(app: &Arc<App>, config: &Arc<ServerConfig>) -> Router {
    let pages = Pages { app: Arc::clone(app), config: Arc::clone(config) };
    Router::new().route("/projects/{project_id}/handler/{page}", get(serve).post(serve)).with_state(pages)
}

async fn serve(
    State(pages): State<Pages>,
    Path((project, page)): Path<(String, String)>,
    request: Request,
) -> Response {
    let found = match (find_project(&pages.app, &project).await, Page::named(&page)) {
        (Ok(Some(project)), Some(page)) => (project, page),
        (Err(failure), _) => return view::unavailable(&failure),
        _ => return reply::text(StatusCode::NOT_FOUND, "There is no page here.\n"),
    };
    let (project, page) = found;
    let acts = request.method() == Method::POST;
    let visit = match Visit::read(&pages.app, &pages.config, Arc::clone(&project), request).await {
        Ok(visit) => visit,
        Err(failure) => return Answer::from(View::of_failure(&failure)).render(&pages.app, &project),
    };
    let answer = if acts { page.act(&visit).await } else { page.show(&visit).await };
    let answer = answer.unwrap_or_else(|failure| Answer::from(View::of_failure(&failure)));
    answer.render(&pages.app, &project)
}

async fn find_project(app: &App, id: &str) -> Result<Option<Arc<Project>>, Failure> {
    match id.parse::<ProjectId>() {
        Ok(id) => projects::find(app, &id).await,
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_that_mails_may_lead_to_is_there() {
        for name in projects::PAGES {
            assert!(Page::named(name).is_some(), "{name}");
        }
    }
}
