//! Mail on its way out: a sealed row of the job queue, written in the transaction of whatever causes the mail.

use latchkey_api_types::ids::JobId;
use latchkey_mail::{ApiKeyRevoked, EmailVerification, Message, TeamInvitation};
use latchkey_storage::engine::Stmt;
use latchkey_storage::jobs;

use crate::app::App;
use crate::failure::Failure;
use crate::projects::Project;

/// The queue that mail waits in.
pub(crate) const QUEUE: &str = "mail";

/// The statement that queues a mail with a link to verify an address.
pub(crate) fn email_verification(
    app: &App,
    project: &Project,
    to: &str,
    link: &str,
) -> Result<Stmt, Failure> {
    let mail = EmailVerification { project_name: &project.display_name, link };
    let message =
        mail.to_message(to, &app.config.mail.sender(&project.display_name)).map_err(Failure::internal)?;
    queue(app, project, &message)
}

/// The statement that queues a mail with an invitation to a team.
pub(crate) fn team_invitation(
    app: &App,
    project: &Project,
    to: &str,
    team_name: &str,
    link: &str,
) -> Result<Stmt, Failure> {
    let mail = TeamInvitation { project_name: &project.display_name, team_name, link };
    let message =
        mail.to_message(to, &app.config.mail.sender(&project.display_name)).map_err(Failure::internal)?;
    queue(app, project, &message)
}

/// The statement that queues a mail about a key that was found in public.
pub(crate) fn api_key_revoked(
    app: &App,
    project: &Project,
    to: &str,
    description: &str,
) -> Result<Stmt, Failure> {
    let mail = ApiKeyRevoked { project_name: &project.display_name, description };
    let message =
        mail.to_message(to, &app.config.mail.sender(&project.display_name)).map_err(Failure::internal)?;
    queue(app, project, &message)
}

/// Mails carry links that sign people in, so the payload is sealed.
fn queue(app: &App, project: &Project, message: &Message) -> Result<Stmt, Failure> {
    let payload = serde_json::to_vec(message).map_err(Failure::internal)?;
    let now = app.now();
    let id = JobId::from_uuid(app.random.uuid()).to_string();
    let sealed = app.master_keys.seal(QUEUE, &payload);
    Ok(jobs::insert_stmt(&id, Some(project.id.as_str()), QUEUE, &sealed, now, now))
}

/// Opens what `queue` sealed.
pub(crate) fn open(app: &App, payload: &[u8]) -> Result<Message, Failure> {
    let payload = app.master_keys.open(QUEUE, payload).map_err(Failure::internal)?;
    serde_json::from_slice(&payload).map_err(Failure::internal)
}
