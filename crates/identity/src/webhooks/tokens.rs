//! Keys to the Svix-shaped routes: short-lived, for one project, and of no use anywhere else. A token is what it says,
//! sealed with the master key, which nobody else can do.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use latchkey_api_types::ids::ProjectId;
use latchkey_api_types::webhook::SvixToken;
use serde::{Deserialize, Serialize};

use super::{require_own, svix};
use crate::app::App;
use crate::failure::Failure;
use crate::projects::{self, Project};

/// How long a token is good, milliseconds.
const LIFETIME: i64 = 60 * 60 * 1000;
/// What tokens are sealed for.
const CONTEXT: &str = "webhook-token";

#[derive(Serialize, Deserialize)]
struct Claims {
    project: ProjectId,
    expires_at: i64,
}

/// A token for the project's webhooks.
pub fn issue_token(app: &App, project: &ProjectId) -> Result<String, Failure> {
    let claims = Claims { project: project.clone(), expires_at: app.now() + LIFETIME };
    let text = serde_json::to_vec(&claims).map_err(Failure::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(app.master_keys.seal(CONTEXT, &text)))
}

/// A key to the project's webhooks: a token for the Svix-shaped routes or, where messages are handed to a Svix server,
/// one of that server's.
///
/// # Errors
/// 502 if the Svix server gives none.
pub async fn token(app: &App, project: &ProjectId) -> Result<SvixToken, Failure> {
    match app.config.webhooks.svix() {
        Some(server) => svix::token(app, server, project).await,
        None => Ok(SvixToken { token: issue_token(app, project)?, url: None }),
    }
}

/// The project `named` in a path, if the token is for it.
///
/// # Errors
/// 401 for a token that is forged, expired or for another project; 404 where messages are handed to a Svix server.
pub async fn project_of_token(app: &App, token: Option<&str>, named: &str) -> Result<Arc<Project>, Failure> {
    require_own(app)?;
    let refused = || Failure::text(401, "The token is not valid for these webhooks.");
    let claims = token.and_then(|token| open(app, token)).ok_or_else(refused)?;
    if claims.expires_at <= app.now() || named.parse().ok().as_ref() != Some(&claims.project) {
        return Err(refused());
    }
    projects::find(app, &claims.project).await?.ok_or_else(refused)
}

fn open(app: &App, token: &str) -> Option<Claims> {
    let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
    serde_json::from_slice(&app.master_keys.open(CONTEXT, &sealed).ok()?).ok()
}
