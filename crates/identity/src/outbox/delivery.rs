//! Delivering: claims mails that are due, many at a time and few of one project, and writes down how each went. A
//! claim is a lease in the database; a server that dies leaves it to run out.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use latchkey_mail::{Content, Letter, MessageError, SendError};
use latchkey_storage::engine::{Outcome, Stmt};
use latchkey_storage::mail_capacities;
use latchkey_storage::outbox::{self, ClaimedMail};
use latchkey_storage::users::{self, UserRow};
use serde_json::json;
use uuid::Uuid;

use super::capacity::rate;
use super::mails::StoredError;
use super::rendering::{self, NotRendered};
use super::server::{self, Route};
use super::{Recipient, open, seal};
use crate::app::App;
use crate::failure::Failure;
use crate::notifications;
use crate::projects::{self, Project};

/// How much longer than one try may take a claimed mail is ours before somebody else may take it, milliseconds.
const LEASE_MARGIN: i64 = 30_000;
/// The longest rest of a project whose mail server cannot be reached, milliseconds.
const LONGEST_REST: i64 = 60_000;
/// How many mails of one project are claimed at once.
const PER_PROJECT: i64 = 8;
/// After so many failures a mail is given up: about a day and a half later.
const MAX_ATTEMPTS: i64 = 18;
/// Pause after the first failure, milliseconds; doubled after each further one.
const FIRST_PAUSE: i64 = 5_000;
/// The longest pause, milliseconds.
const LONGEST_PAUSE: i64 = 6 * 60 * 60 * 1000;
/// How long a mail waits that has no server to leave by, milliseconds.
const NO_SERVER_PAUSE: i64 = 60_000;
/// How many errors of a mail are kept.
const KEPT_ERRORS: usize = 20;

/// How a delivery went.
enum Delivered {
    /// It is written now, and leaves at its time.
    Rendered(Vec<u8>),
    /// It cannot be written.
    RenderError(String),
    /// Everybody has it.
    Sent,
    /// It is not to leave, for this reason.
    Skipped(&'static str),
    /// It could not leave.
    Failed(SendError),
    /// There was no time for everybody; who has it is written down.
    Unfinished,
    /// There is nothing that takes mail, which is no fault of the mail.
    NoServer,
}

/// Begins to deliver what is due, as far as there is room; returns how many mails that were.
pub(crate) async fn start_due(app: &Arc<App>) -> Result<usize, Failure> {
    let mut started = 0;
    // Held from before the claim, and shared with the deliveries: whoever waits for them must not look in between.
    let working = Arc::new(Arc::clone(&app.outbox.in_flight).read_owned().await);
    loop {
        let slots = &app.outbox.slots;
        let first = Arc::clone(slots).acquire_owned().await.map_err(Failure::internal)?;
        let mut permits = vec![first];
        while let Ok(permit) = Arc::clone(slots).try_acquire_owned() {
            permits.push(permit);
        }
        let room = permits.len();
        let (now, limit) = (app.now(), i64::try_from(room).unwrap_or(1));
        let lease = now + timeout(app) + LEASE_MARGIN;
        let outcomes = app.store.batch(vec![outbox::claim(now, lease, limit, PER_PROJECT)]).await?;
        let claimed: Vec<ClaimedMail> = outcomes.first().map(Outcome::read).transpose()?.unwrap_or_default();
        let taken = claimed.len();
        let claimed = at_their_pace(app, claimed, now).await?;
        started += claimed.len();
        for (mail, permit) in claimed.into_iter().zip(permits) {
            let (app, working) = (Arc::clone(app), Arc::clone(&working));
            tokio::spawn(async move {
                let guards = (permit, working);
                deliver(&app, mail).await;
                drop(guards);
                // There is room again.
                app.jobs.wake();
            });
        }
        if taken == 0 {
            return Ok(started);
        }
    }
}

/// How long a server may take for one mail, milliseconds.
fn timeout(app: &App) -> i64 {
    app.config.mail.timeout.as_millis()
}

/// Those of the claimed mails that may leave now; the others are given back, and their projects rest until there is a
/// place.
async fn at_their_pace(app: &App, claimed: Vec<ClaimedMail>, now: i64) -> Result<Vec<ClaimedMail>, Failure> {
    if claimed.is_empty() {
        return Ok(claimed);
    }
    let read = app
        .store
        .read(move |tx| Box::pin(async move { Ok::<_, Failure>(mail_capacities::boosted(tx, now).await?) }));
    let boosted = read.await?;
    let (mut leaving, mut given_back) = (Vec::new(), Vec::new());
    for mail in claimed {
        let is_boosted = boosted.iter().any(|boosted| boosted.project_id == mail.project_id);
        // Writing a mail is our own work, and waits for nobody.
        let place = if mail.has_rendered {
            app.outbox.pace.take(&mail.project_id, now, rate(app, is_boosted))
        } else {
            Ok(())
        };
        match place {
            Ok(()) => leaving.push(mail),
            Err(until) => {
                given_back.push(outbox::release(&mail, now));
                given_back.push(mail_capacities::hold(&mail.project_id, until));
            }
        }
    }
    if !given_back.is_empty() {
        app.store.batch(given_back).await?;
    }
    Ok(leaving)
}

/// Whether no delivery of this process is in progress.
pub(crate) fn is_quiet(app: &App) -> bool {
    app.outbox.in_flight.try_write().is_ok()
}

/// Returns when no delivery of this process is in progress.
pub(crate) async fn finish(app: &App) {
    drop(app.outbox.in_flight.write().await);
}

/// Delivers a mail and writes down how it went.
async fn deliver(app: &Arc<App>, mail: ClaimedMail) {
    let (sender, parcel) = (Arc::clone(app), mail.clone());
    // A task of its own, so that a panic ends nothing but this delivery.
    let tried = tokio::spawn(async move { attempt(&sender, &parcel).await }).await;
    let outcome = match tried {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(failure)) => {
            tracing::error!(?failure, mail = %mail.id, project = %mail.project_id, "a mail could not be prepared");
            Delivered::Failed(SendError::new("the mail could not be prepared"))
        }
        Err(_) => Delivered::Failed(SendError::new("the delivery broke off")),
    };
    // What cannot be written down now is delivered again when the lease has run out.
    if let Err(error) = app.store.batch(settle(app, &mail, outcome)).await {
        tracing::error!(%error, mail = %mail.id, "how the delivery of a mail went could not be written down");
    }
}

/// The statements that say how a delivery went.
fn settle(app: &App, mail: &ClaimedMail, outcome: Delivered) -> Vec<Stmt> {
    let now = app.now();
    match outcome {
        Delivered::Rendered(sealed) => vec![outbox::note_rendered(mail, &sealed, now)],
        Delivered::RenderError(error) => {
            tracing::info!(mail = %mail.id, project = %mail.project_id, error, "a mail could not be rendered");
            vec![outbox::note_render_error(mail, &error.replace('\0', "\u{fffd}"), now)]
        }
        Delivered::Sent => vec![outbox::note_sent(mail, now)],
        Delivered::Unfinished => vec![outbox::release(mail, now)],
        Delivered::Skipped(reason) => vec![outbox::note_skipped(mail, reason, now)],
        Delivered::NoServer => {
            if !app.outbox.said_no_server.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    "mail is waiting, and there is no mail server to take it: see mail.shared.host"
                );
            }
            let until = now + NO_SERVER_PAUSE;
            vec![outbox::release(mail, until), mail_capacities::hold(&mail.project_id, until)]
        }
        Delivered::Failed(error) => {
            let errors = with_error(mail, &error, now);
            let pause = pause(mail.attempts);
            let (id, project, attempts) = (mail.id, &mail.project_id, mail.attempts);
            if error.is_final || attempts >= MAX_ATTEMPTS {
                tracing::error!(mail = %id, %project, attempts, %error, "a mail could not be delivered and is given up");
                return vec![outbox::give_up(mail, &errors, now)];
            }
            tracing::warn!(mail = %id, %project, attempts, %error, "a mail could not be delivered");
            let mut statements = vec![outbox::retry_later(mail, now + pause, &errors, now)];
            if error.is_unreachable {
                statements.push(mail_capacities::hold(project, now + pause.min(LONGEST_REST)));
            }
            statements
        }
    }
}

/// The errors of a mail with one more, as JSON.
fn with_error(mail: &ClaimedMail, error: &SendError, now: i64) -> String {
    let earlier = mail.errors.as_deref().and_then(|errors| serde_json::from_str(errors).ok());
    let mut errors: Vec<StoredError> = earlier.unwrap_or_default();
    errors.push(StoredError {
        attempt_number: mail.attempts,
        timestamp_millis: now,
        // No database keeps this character.
        message: error.to_string().replace('\0', "\u{fffd}"),
    });
    let surplus = errors.len().saturating_sub(KEPT_ERRORS);
    errors.drain(..surplus);
    json!(errors).to_string()
}

/// Takes a mail one step further: renders it, or tries to deliver it to everybody who does not have it yet.
async fn attempt(app: &App, claimed: &ClaimedMail) -> Result<Delivered, Failure> {
    let Some(project) = projects::find(app, &claimed.project_id).await? else {
        // It is being taken apart, and its mails with it.
        return Ok(Delivered::Skipped("MANUALLY_CANCELLED"));
    };
    if claimed.attempts > MAX_ATTEMPTS {
        // Whoever tried before did not live to say how it went.
        return Ok(Delivered::Failed(SendError::last("its delivery broke off too often")));
    }
    let mut mail = open(app, &project.id, claimed.id, &claimed.content_sealed)?;
    let recipient = Recipient::of(claimed.user_id, claimed.addresses.as_deref())?;
    let (user, addresses) = match readers(app, &project, recipient, mail.category).await? {
        Ok(readers) => readers,
        Err(reason) => return Ok(Delivered::Skipped(reason)),
    };
    let Some(content) = &mail.content else {
        return match rendering::render(app, &project, user.as_ref(), &mail).await {
            Ok(content) => {
                mail.content = Some(content);
                seal(app, &project.id, claimed.id, &mail).map(Delivered::Rendered)
            }
            Err(NotRendered::Error(error)) => Ok(Delivered::RenderError(error)),
            Err(NotRendered::Failure(failure)) => Err(failure),
        };
    };
    let route = match server::route(&project) {
        Ok(route) => route,
        Err(error) => return Ok(Delivered::Failed(error)),
    };
    if matches!(route, Route::Shared) && app.mail.is_none() {
        return Ok(Delivered::NoServer);
    }
    let outcome = hand_over(app, claimed, content, &addresses, &project, &route).await?;
    if matches!(&outcome, Delivered::Failed(error) if error.is_unreachable)
        && is_replaced(app, &project).await?
    {
        // The one that takes its place is asked at once.
        return Ok(Delivered::Unfinished);
    }
    Ok(outcome)
}

/// Whether a project has another mail server by now.
async fn is_replaced(app: &App, project: &Project) -> Result<bool, Failure> {
    let now = projects::find(app, &project.id).await?;
    Ok(now.is_some_and(|now| now.settings.emails.server != project.settings.emails.server))
}

/// Hands a mail over for each address that does not have it yet. What went well is written down at once when something
/// else is still to be done.
async fn hand_over(
    app: &App,
    claimed: &ClaimedMail,
    content: &Content,
    addresses: &[String],
    project: &Project,
    route: &Route,
) -> Result<Delivered, Failure> {
    let sender = match route {
        Route::Shared => app.config.mail.shared.sender(&project.display_name),
        Route::Own(own) => own.sender.clone(),
    };
    let had = claimed.delivered_to.as_deref().and_then(|list| serde_json::from_str(list).ok());
    let mut have: Vec<String> = had.unwrap_or_default();
    let mut failed: Option<SendError> = None;
    let end = app.now() + LEASE_MARGIN;
    for address in addresses {
        if have.contains(address) {
            continue;
        }
        if app.now() > end {
            return Ok(Delivered::Unfinished);
        }
        let sent = match content.to_message(address, &sender) {
            Ok(message) => {
                let letter = Letter {
                    message,
                    id: claimed.id.to_string(),
                    sent_at_millis: app.now(),
                    unsubscribe_url: content.unsubscribe_url.clone(),
                };
                send(app, route, &letter).await
            }
            Err(error @ MessageError::Recipient) => Err(SendError::last(error.to_string())),
            Err(error) => Err(SendError::unreachable(error.to_string())),
        };
        match sent {
            Ok(()) => {
                have.push(address.clone());
                if addresses.len() > 1 {
                    let list = json!(have).to_string();
                    app.store.batch(vec![outbox::note_delivered(claimed, &list)]).await?;
                }
            }
            // One that may succeed later weighs more than one that never will.
            Err(error) if failed.as_ref().is_none_or(|failed| failed.is_final) => failed = Some(error),
            Err(_) => {}
        }
    }
    Ok(failed.map_or(Delivered::Sent, Delivered::Failed))
}

async fn send(app: &App, route: &Route, letter: &Letter) -> Result<(), SendError> {
    match (route, &app.mail) {
        (Route::Own(own), _) => server::send(app, &own.server, letter).await,
        (Route::Shared, Some(transport)) => transport.send(letter).await,
        (Route::Shared, None) => Err(SendError::unreachable("there is no mail server")),
    }
}

/// The user whose mail it is and the addresses that it goes to now, or why it goes to none (contract 08 §2.2).
async fn readers(
    app: &App,
    project: &Project,
    recipient: Recipient,
    category: Uuid,
) -> Result<Result<(Option<UserRow>, Vec<String>), &'static str>, Failure> {
    let mut user = None;
    if let Some(id) = recipient.user() {
        let of = project.id.clone();
        let read = app
            .store
            .read(move |tx| Box::pin(async move { Ok::<_, Failure>(users::get(tx, &of, id).await?) }));
        let Some(row) = read.await? else { return Ok(Err("USER_ACCOUNT_DELETED")) };
        if !notifications::is_wanted(app, &project.id, id, category).await? {
            return Ok(Err("USER_UNSUBSCRIBED"));
        }
        user = Some(row);
    }
    let addresses = match recipient {
        Recipient::UserPrimaryEmail(_) => match user.as_ref().and_then(|user| user.primary_email.clone()) {
            Some(email) => vec![email],
            None => return Ok(Err("USER_HAS_NO_PRIMARY_EMAIL")),
        },
        Recipient::UserCustomEmails(_, addresses) | Recipient::CustomEmails(addresses) => addresses,
    };
    Ok(if addresses.is_empty() { Err("NO_EMAIL_PROVIDED") } else { Ok((user, addresses)) })
}

fn pause(attempts: i64) -> i64 {
    let doublings = u32::try_from((attempts - 1).clamp(0, 20)).unwrap_or(0);
    (FIRST_PAUSE << doublings).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        assert_eq!(pause(1), 5_000);
        assert_eq!(pause(3), 20_000);
        assert_eq!(pause(40), LONGEST_PAUSE);
    }
}
