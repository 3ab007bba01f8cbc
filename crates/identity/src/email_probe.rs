//! The operators' probe of mail: an account comes to be in the project `internal`, a mail to it leaves by the outbox, and
//! the account goes again. Whoever asks proves that they may by a secret of the configuration.

use std::time::Duration;

use latchkey_api_types::ids::{ProjectId, UserId};
use latchkey_crypto::{Secret, TokenHash};
use latchkey_mail::Message;
use latchkey_storage::outbox::{self as stored, OutboxRow};
use latchkey_storage::users::UserRow;
use latchkey_storage::{StorageError, teams, users as stored_users};

use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::failure::Failure;
use crate::outbox::{self, Mail, Recipient};
use crate::projects::{self, Project};
use crate::users::{self, Created, NewUser};

/// How often is asked whether the mail has left, and the pause in between: less than a request may take.
const LOOKS: u32 = 200;
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// How many of the latest mails of the project are looked through for ours.
const LATEST: i64 = 200;
/// Every status that a mail can have.
const ANY_STATUS: &str =
    ",paused,preparing,rendering,render-error,scheduled,queued,sending,server-error,sent,skipped,";

/// Makes the account, waits for its mail, and removes it. Says nothing if all went well.
///
/// # Errors
/// 404 where no probe is configured, 401 without its token, 503 with a sentence if the mail did not leave in time.
pub async fn run(app: &App, token: Option<&str>) -> Result<(), Failure> {
    let health = &app.config.health;
    let (Some(expected), Some(address)) = (&health.email_token, &health.email_address) else {
        return Err(Failure::text(404, "This server has no health.email_token, so mail cannot be probed."));
    };
    let accepted = TokenHash::of(token.unwrap_or_default()) == TokenHash::of(expected.expose());
    if !accepted || token.is_none() {
        return Err(Failure::text(401, "The bearer token is not that of health.email_token."));
    }
    let internal = ProjectId::internal();
    let project = projects::find(app, &internal).await?;
    let project = project.ok_or_else(|| Failure::internal("the project internal is missing"))?;
    let user = sign_up(app, &project, address).await?;
    let outcome = wait(app, &internal, user.id).await;
    let mut endings = vec![stored_users::delete(&internal, user.id)];
    endings.extend(user.selected_team_id.map(|team| teams::delete(&internal, team)));
    app.store.batch(endings).await?;
    if let Err(Failure::Text { message, .. }) = &outcome {
        tracing::error!(%message, "the probe of mail failed");
    }
    outcome
}

/// An account as a sign-up makes it, with a password that nobody knows, and a mail to it.
async fn sign_up(app: &App, project: &Project, address: &str) -> Result<UserRow, Failure> {
    let hash = app.hasher.hash(Secret::new(app.random.token())).await?;
    let row = UserRow {
        display_name: Some("Probe of mail".to_owned()),
        primary_email: Some(address.to_owned()),
        primary_email_verified: Some(false),
        // Several probes at a time must not fight for the address.
        primary_email_used_for_auth: Some(false),
        ..users::blank(&project.id, UserId::from_uuid(app.random.uuid()), app.now())
    };
    let new = NewUser { row, password: Some(hash), accounts: Vec::new() };
    let Created { row, mut statements, .. } = users::creation(app, project, new);
    let text = "This mail shows that mail leaves this server. It was asked for by POST /health/email.";
    let html = format!("<p>{text}</p>");
    let from = app.config.mail.shared.sender(&project.display_name);
    let message = Message::new(address, from, "A probe of mail", text, html).map_err(Failure::internal)?;
    let recipient = Recipient::address_of(row.id, address);
    statements.push(outbox::queue(app, project, &recipient, &Mail::rendered(&message))?);
    let event = Event::of_user(Actor::System, row.id);
    statements.push(audit::record(app, &project.id, audit::kind::SIGNED_UP, &event));
    app.store.batch(statements).await?;
    app.jobs.wake();
    Ok(row)
}

/// Waits until the mail to a user has left.
async fn wait(app: &App, project: &ProjectId, user: UserId) -> Result<(), Failure> {
    for _ in 0..LOOKS {
        let Some(mail) = find(app, project, user).await? else {
            return Err(Failure::internal("the mail of a probe is not in the outbox"));
        };
        match mail.status.as_str() {
            "sent" => return Ok(()),
            "server-error" | "skipped" | "render-error" => return Err(stuck(&mail)),
            _ if mail.errors.is_some() => return Err(stuck(&mail)),
            _ => tokio::time::sleep(LOOK_AGAIN_AFTER).await,
        }
    }
    Err(Failure::text(503, "The mail did not leave in time."))
}

fn stuck(mail: &OutboxRow) -> Failure {
    let errors: String = mail.errors.as_deref().unwrap_or_default().chars().take(500).collect();
    Failure::text(503, format!("The mail did not leave: {} {errors}", mail.status).trim_end().to_owned())
}

async fn find(app: &App, project: &ProjectId, user: UserId) -> Result<Option<OutboxRow>, Failure> {
    let (project, now) = (project.clone(), app.now());
    let read = app.store.lookup(move |tx| {
        Box::pin(async move { stored::list(tx, &project, now, ANY_STATUS, None, LATEST).await })
    });
    let rows: Result<Vec<OutboxRow>, StorageError> = read.await;
    Ok(rows?.into_iter().find(|row| row.user_id == Some(user)))
}
