//! Looking at mails, and changing those that have not left (contract 08 §2.2).

use latchkey_api_types::KnownError;
use latchkey_api_types::ids::{EmailId, NotificationCategoryId, ProjectId};
use latchkey_api_types::list::List;
use latchkey_api_types::outbox::{
    EmailRecipient, EmailRecipientInput, EmailStatus, OutboxEmail, OutboxQuery, OutboxUpdate, RenderedEmail,
    SendAttemptError, SentEmail,
};
use latchkey_api_types::timestamps::rfc3339;
use latchkey_storage::outbox::{self, OutboxRow};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{CreatedWith, Mail, Recipient, open, seal};
use crate::app::App;
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::notifications;

/// The longest page.
const MOST: i64 = 100;
/// How often a change is tried when others change the same mail meanwhile.
const TRIES: usize = 5;

/// What went wrong at one try, as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredError {
    pub(super) attempt_number: i64,
    pub(super) timestamp_millis: i64,
    pub(super) message: String,
}

/// A page of mails, newest first.
///
/// # Errors
/// 400 for a page of another length than 1 to 100, and for a cursor that is no mail of the project.
pub async fn list(app: &App, auth: &Auth, query: OutboxQuery) -> Result<List<OutboxEmail>, Failure> {
    let limit = query.limit.unwrap_or(MOST);
    if !(1..=MOST).contains(&limit) {
        return Err(Failure::text(400, "A page holds from 1 to 100 mails."));
    }
    let wanted = |status: &EmailStatus| {
        query.status.is_none_or(|wanted| wanted == *status)
            && query.simple_status.is_none_or(|wanted| wanted == status.simple())
    };
    let statuses = words(EmailStatus::ALL.into_iter().filter(wanted));
    // One more than the page holds says whether there is another.
    let rows = rows(app, &auth.project.id, statuses, query.cursor, limit + 1).await?;
    let mut items =
        rows.into_iter().map(|row| view(app, &auth.project.id, row)).collect::<Result<Vec<_>, _>>()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let next = items.get(limit).map(|mail| mail.id.to_string());
    items.truncate(limit);
    Ok(List::page(items, next))
}

/// The words of some statuses, between commas, as storage wants them.
fn words(statuses: impl IntoIterator<Item = EmailStatus>) -> String {
    let words: Vec<&str> = statuses.into_iter().map(EmailStatus::as_str).collect();
    format!(",{},", words.join(","))
}

async fn rows(
    app: &App,
    project: &ProjectId,
    statuses: String,
    cursor: Option<EmailId>,
    limit: i64,
) -> Result<Vec<OutboxRow>, Failure> {
    let (project, now) = (project.clone(), app.now());
    let read = app.store.scan(move |tx| {
        Box::pin(async move {
            let from = match cursor {
                None => None,
                Some(cursor) => {
                    let first = outbox::get(tx, &project, cursor, now).await?;
                    let first =
                        first.ok_or_else(|| Failure::text(400, "The cursor is no mail of the project."))?;
                    Some((first.created_at, first.id))
                }
            };
            Ok::<_, Failure>(outbox::list(tx, &project, now, &statuses, from, limit).await?)
        })
    });
    read.await
}

/// The last hundred mails, as the dashboard lists them.
///
/// # Errors
/// Only those of storage.
pub async fn recent(app: &App, auth: &Auth) -> Result<Vec<SentEmail>, Failure> {
    let rows = rows(app, &auth.project.id, words(EmailStatus::ALL), None, MOST).await?;
    let item = |row: OutboxRow| -> Result<SentEmail, Failure> {
        let mail = open(app, &auth.project.id, row.id, &row.content_sealed)?;
        let to = match Recipient::of(row.user_id, row.addresses.as_deref())? {
            Recipient::UserPrimaryEmail(user) => vec![format!("User ID: {user}")],
            Recipient::UserCustomEmails(_, emails) | Recipient::CustomEmails(emails) => emails,
        };
        let error = row.render_error.clone().or_else(|| last_error(&row));
        Ok(SentEmail {
            id: row.id,
            subject: mail.content.map(|content| content.subject).or(mail.subject).unwrap_or_default(),
            sent_at_millis: row.ended_at.unwrap_or(row.created_at),
            to,
            error: error.or(row.skipped_reason),
        })
    };
    rows.into_iter().map(item).collect()
}

/// One mail.
///
/// # Errors
/// 404.
pub async fn get(app: &App, auth: &Auth, id: EmailId) -> Result<OutboxEmail, Failure> {
    view(app, &auth.project.id, find(app, &auth.project.id, id).await?)
}

async fn find(app: &App, project: &ProjectId, id: EmailId) -> Result<OutboxRow, Failure> {
    let (project, now) = (project.clone(), app.now());
    let read = app
        .store
        .read(move |tx| Box::pin(async move { Ok::<_, Failure>(outbox::get(tx, &project, id, now).await?) }));
    read.await?.ok_or_else(|| Failure::text(404, "There is no such mail."))
}

/// Changes a mail that has not left, or cancels it. What was given up is tried again after any change.
///
/// # Errors
/// 404, 400 for variables that are no object, `EMAIL_NOT_EDITABLE`.
pub async fn update(
    app: &App,
    auth: &Auth,
    id: EmailId,
    request: OutboxUpdate,
) -> Result<OutboxEmail, Failure> {
    let project = &auth.project.id;
    for _ in 0..TRIES {
        let row = find(app, project, id).await?;
        let status = status(&row)?;
        if !status.is_editable() {
            return Err(KnownError::email_not_editable(&id.to_string(), status.as_str()).into());
        }
        let now = app.now();
        let statement = if request.cancel.is_some() {
            outbox::cancel(project, &row, now)
        } else {
            outbox::update(project, &changed(app, project, row, status, &request)?, now)
        };
        let outcomes = app.store.batch(vec![statement]).await?;
        if outcomes.first().is_some_and(|outcome| outcome.affected == 1) {
            // It may be due now.
            app.jobs.wake();
            return get(app, auth, id).await;
        }
    }
    Err(Failure::Busy { retry_after_seconds: 1 })
}

/// A mail with the changes that were asked for.
fn changed(
    app: &App,
    project: &ProjectId,
    mut row: OutboxRow,
    status: EmailStatus,
    request: &OutboxUpdate,
) -> Result<OutboxRow, Failure> {
    let mut mail = open(app, project, row.id, &row.content_sealed)?;
    let mut is_other = false;
    if let Some(source) = &request.tsx_source {
        mail.source.clone_from(source);
        is_other = true;
    }
    if let Some(theme) = &request.theme_id {
        mail.theme_id.clone_from(&theme.0);
        is_other = true;
    }
    if let Some(variables) = &request.variables {
        let Value::Object(variables) = &variables.0 else {
            return Err(Failure::text(400, "The variables of a mail are an object."));
        };
        mail.variables.clone_from(variables);
        is_other = true;
    }
    if let Some(skip) = request.skip_deliverability_check {
        mail.skip_deliverability_check = skip;
    }
    if let Some(to) = &request.to {
        let recipient = match to.clone() {
            EmailRecipientInput::UserPrimaryEmail(user) => Recipient::UserPrimaryEmail(user),
            EmailRecipientInput::UserCustomEmails(user, emails) => Recipient::UserCustomEmails(user, emails),
            EmailRecipientInput::CustomEmails(emails) => Recipient::CustomEmails(emails),
        };
        (row.user_id, row.addresses) = recipient.columns();
    }
    if let Some(at) = request.scheduled_at_millis {
        row.scheduled_at = at;
    }
    if let Some(is_paused) = request.is_paused {
        row.is_paused = is_paused;
    }
    if is_other {
        mail.content = None;
        row.has_rendered = false;
        row.render_error = None;
    }
    if status == EmailStatus::ServerError || is_other {
        row.attempts = 0;
        row.errors = None;
    }
    // What is to be written is looked at at once; what failed keeps its pause unless its time was set anew.
    row.run_at = match (row.has_rendered, status, request.scheduled_at_millis) {
        (false, ..) => app.now(),
        (true, EmailStatus::ServerError, _) | (true, _, Some(_)) => row.scheduled_at,
        (true, _, None) => row.run_at,
    };
    row.content_sealed = seal(app, project, row.id, &mail)?;
    Ok(row)
}

fn status(row: &OutboxRow) -> Result<EmailStatus, Failure> {
    EmailStatus::ALL
        .into_iter()
        .find(|status| status.as_str() == row.status)
        .ok_or_else(|| Failure::internal(format_args!("a mail stands as {:?}", row.status)))
}

fn errors(row: &OutboxRow) -> Vec<StoredError> {
    row.errors.as_deref().and_then(|errors| serde_json::from_str(errors).ok()).unwrap_or_default()
}

fn last_error(row: &OutboxRow) -> Option<String> {
    errors(row).pop().map(|error| error.message)
}

/// A mail as the API shows it.
fn view(app: &App, project: &ProjectId, row: OutboxRow) -> Result<OutboxEmail, Failure> {
    let status = status(&row)?;
    let mail = open(app, project, row.id, &row.content_sealed)?;
    let errors = errors(&row);
    let is = |some: &[EmailStatus]| some.contains(&status);
    let has_begun = !is(&[EmailStatus::Paused, EmailStatus::Preparing]);
    let hides_content =
        is(&[EmailStatus::Paused, EmailStatus::Preparing, EmailStatus::Rendering, EmailStatus::RenderError]);
    let rendered = if hides_content { None } else { rendered(&mail) };
    let written_at = row.rendered_at.unwrap_or(row.created_at);
    let was_tried = is(&[EmailStatus::Sending, EmailStatus::Sent, EmailStatus::ServerError]);
    let started_rendering = match status {
        EmailStatus::Rendering => row.started_at,
        EmailStatus::Skipped => rendered.is_some().then_some(written_at),
        _ => has_begun.then_some(written_at),
    };
    let is_written = rendered.is_some() || status == EmailStatus::RenderError;
    let ended = |wanted: EmailStatus| (status == wanted).then_some(row.ended_at).flatten();
    let waits = is(&[EmailStatus::Queued, EmailStatus::Scheduled, EmailStatus::Paused]);
    Ok(OutboxEmail {
        id: row.id,
        created_at_millis: row.created_at,
        updated_at_millis: row.updated_at,
        theme_id: mail.theme_id.clone(),
        to: match Recipient::of(row.user_id, row.addresses.as_deref())? {
            Recipient::UserPrimaryEmail(user_id) => EmailRecipient::UserPrimaryEmail { user_id },
            Recipient::UserCustomEmails(user_id, emails) => {
                EmailRecipient::UserCustomEmails { user_id, emails }
            }
            Recipient::CustomEmails(emails) => EmailRecipient::CustomEmails { emails },
        },
        skip_deliverability_check: mail.skip_deliverability_check,
        scheduled_at_millis: row.scheduled_at,
        created_with: match mail.created_with {
            CreatedWith::Draft => "draft",
            CreatedWith::ProgrammaticCall => "programmatic-call",
        },
        email_draft_id: mail.draft_id.clone(),
        email_programmatic_call_template_id: mail.template_id.map(|id| id.to_string()),
        send_retries: i64::try_from(errors.len()).unwrap_or(i64::MAX).max(row.attempts - 1).max(0),
        next_send_retry_at_millis: (waits && !errors.is_empty()).then_some(row.run_at),
        send_attempt_errors: (!errors.is_empty()).then(|| errors.iter().map(shown).collect()),
        status,
        simple_status: status.simple(),
        is_paused: row.is_paused,
        has_rendered: rendered.is_some(),
        has_delivered: status == EmailStatus::Sent,
        started_rendering_at_millis: started_rendering,
        rendered_at_millis: is_written.then_some(written_at),
        started_sending_at_millis: was_tried.then_some(row.started_at).flatten(),
        error_at_millis: ended(EmailStatus::ServerError),
        server_error: (status == EmailStatus::ServerError)
            .then(|| errors.last().map_or_else(String::new, |error| error.message.clone())),
        delivered_at_millis: ended(EmailStatus::Sent),
        can_have_delivery_info: (status == EmailStatus::Sent).then_some(false),
        skipped_at_millis: ended(EmailStatus::Skipped),
        skipped_reason: row.skipped_reason,
        skipped_details: (status == EmailStatus::Skipped).then(Map::new),
        render_error: if status == EmailStatus::RenderError { row.render_error } else { None },
        rendered,
        tsx_source: mail.source,
        variables: mail.variables,
    })
}

fn rendered(mail: &Mail) -> Option<RenderedEmail> {
    let content = mail.content.as_ref()?;
    Some(RenderedEmail {
        subject: content.subject.clone(),
        html: content.html.clone(),
        text: content.text.clone(),
        is_transactional: mail.category == notifications::TRANSACTIONAL,
        is_high_priority: mail.is_high_priority,
        notification_category_id: NotificationCategoryId::from_uuid(mail.category),
    })
}

fn shown(error: &StoredError) -> SendAttemptError {
    SendAttemptError {
        attempt_number: error.attempt_number,
        timestamp: rfc3339(error.timestamp_millis),
        external_message: error.message.clone(),
        external_details: Map::new(),
    }
}
