//! Mails that a project's back end sends to its users (contract 08 §2.1): who gets them and what they are made of. Each
//! becomes a row of the outbox per user; addresses, preferences and words are looked at when it leaves.

mod mailings;
mod unsubscribing;

use std::collections::BTreeSet;

use latchkey_api_types::KnownError;
use latchkey_api_types::email_template::ThemeChoice;
use latchkey_api_types::ids::{EmailDraftId, EmailTemplateId, UserId};
use latchkey_storage::engine::Stmt;
use latchkey_storage::{email_drafts, users};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::app::App;
use crate::authenticate::Auth;
use crate::email_templates;
use crate::failure::Failure;
use crate::notifications;
use crate::outbox::{self, CreatedWith, Mail, Recipient};

pub use mailings::run_due;
pub(crate) use mailings::seal_context;
pub use unsubscribing::unsubscribe;
pub(crate) use unsubscribing::unsubscribe_url;

/// The most users that a request may name: as many get their mails in the transaction of the request. All users of a
/// larger project are served a few at a time, behind it.
const AT_ONCE: usize = 1000;
/// The longest subject, HTML and variables, bytes: what is sealed a thousand times should not be a book.
const LONGEST: usize = 128 * 1024;

/// What a mail is made of.
pub enum Source {
    /// HTML, sent as it is.
    Html(String),
    /// A template, and what it may show.
    Template(EmailTemplateId, Map<String, Value>),
    /// A draft; counts as sent afterwards.
    Draft(String),
}

/// A mail to users.
pub struct NewEmail {
    /// Ids of users.
    pub user_ids: Option<Vec<String>>,
    /// Whether it goes to all users.
    pub all_users: bool,
    /// What it is made of.
    pub source: Source,
    /// In place of the subject that the source says.
    pub subject: Option<String>,
    /// The name of a kind of mail, in place of what the source says.
    pub category: Option<String>,
    /// The theme.
    pub theme: ThemeChoice,
    /// Whether it passes mails that are not.
    pub is_high_priority: bool,
    /// When it may leave, epoch milliseconds; `None` is at once.
    pub scheduled_at: Option<i64>,
}

/// Queues a mail for users. Gives the ids of those who get it, as they were named; all of them if there are few, and
/// nobody if it goes to all of many.
///
/// # Errors
/// In this order: `REQUIRES_CUSTOM_EMAIL_SERVER`, `SCHEMA_ERROR` unless users are named or all are meant, 400 for an
/// unknown kind of mail, an unknown template or draft, `USER_ID_DOES_NOT_EXIST`.
pub async fn send(app: &App, auth: &Auth, request: NewEmail) -> Result<Vec<String>, Failure> {
    if auth.project.settings.emails.server.is_shared {
        return Err(KnownError::requires_custom_email_server().into());
    }
    let named = match (&request.user_ids, request.all_users) {
        (Some(named), false) => Some(named.clone()),
        (None, true) => None,
        _ => {
            return Err(KnownError::schema_error(
                "exactly one of body.user_ids and body.all_users is required",
            )
            .into());
        }
    };
    if named.as_ref().is_some_and(|named| named.len() > AT_ONCE) {
        return Err(Failure::text(
            400,
            "A request may name a thousand users at most; all_users means everybody.",
        ));
    }
    let category = match &request.category {
        Some(name) => Some(
            notifications::by_name(name)
                .ok_or_else(|| Failure::text(400, "There is no such kind of notification."))?,
        ),
        None => None,
    };
    let (mail, noted) = written(app, auth, request, category).await?;
    match named {
        Some(named) => to_named(app, auth, named, &mail, noted).await,
        None => to_all(app, auth, &mail, noted).await,
    }
}

/// The mail, and the statement that notes that a draft was sent.
async fn written(
    app: &App,
    auth: &Auth,
    request: NewEmail,
    category: Option<Uuid>,
) -> Result<(Mail, Option<Stmt>), Failure> {
    let mut mail = Mail {
        content: None,
        subject: request.subject,
        category: notifications::TRANSACTIONAL,
        is_high_priority: request.is_high_priority,
        scheduled_at: request.scheduled_at,
        source: String::new(),
        variables: Map::new(),
        theme_id: None,
        template_id: None,
        draft_id: None,
        created_with: CreatedWith::ProgrammaticCall,
        skip_deliverability_check: false,
    };
    let mut noted = None;
    match request.source {
        Source::Html(html) => mail.source = latchkey_mail::as_template(&html),
        Source::Template(id, variables) => {
            let found = email_templates::find(&auth.project.settings, &id.to_string());
            let (source, theme) =
                found.ok_or_else(|| Failure::text(400, "The project has no such email template."))?;
            (mail.source, mail.theme_id) = (source, theme);
            mail.variables = variables;
            mail.template_id = Some(id.as_uuid());
        }
        Source::Draft(id) => {
            let unknown = || Failure::text(400, "The project has no such draft of an email.");
            let id: EmailDraftId = id.parse().map_err(|_| unknown())?;
            let project = auth.project.id.clone();
            let read = app.store.read(move |tx| {
                Box::pin(async move { Ok::<_, Failure>(email_drafts::get(tx, &project, id).await?) })
            });
            let draft = read.await?.ok_or_else(unknown)?;
            (mail.source, mail.theme_id) = (draft.source, draft.theme_id);
            mail.draft_id = Some(id.to_string());
            mail.created_with = CreatedWith::Draft;
            noted = Some(email_drafts::note_sent(&auth.project.id, id, app.now()));
        }
    }
    match request.theme {
        ThemeChoice::Default => {}
        ThemeChoice::Without => mail.theme_id = Some("false".to_owned()),
        ThemeChoice::Theme(id) => mail.theme_id = Some(id),
    }
    let said = || latchkey_mail::category(&mail.source).and_then(|name| notifications::by_name(&name));
    mail.category = category.or_else(said).unwrap_or(notifications::TRANSACTIONAL);
    let variables = serde_json::to_string(&mail.variables).map_err(Failure::internal)?;
    if mail.source.len().max(variables.len()).max(mail.subject.as_ref().map_or(0, String::len)) > LONGEST {
        return Err(Failure::text(400, "Content and variables of a mail hold at most 128 KiB each."));
    }
    Ok((mail, noted))
}

async fn to_named(
    app: &App,
    auth: &Auth,
    named: Vec<String>,
    mail: &Mail,
    noted: Option<Stmt>,
) -> Result<Vec<String>, Failure> {
    let ids: Vec<Option<UserId>> = named.iter().map(|id| id.parse().ok()).collect();
    let wanted: BTreeSet<UserId> = ids.iter().copied().flatten().collect();
    let project = auth.project.id.clone();
    let read = app.store.read(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(users::present(tx, &project, &wanted).await?) })
    });
    let present: BTreeSet<UserId> = read.await?.into_iter().collect();
    for (name, id) in named.iter().zip(&ids) {
        if id.is_none_or(|id| !present.contains(&id)) {
            return Err(KnownError::user_id_does_not_exist(name).into());
        }
    }
    queue(app, auth, present, mail, noted).await?;
    Ok(named)
}

async fn to_all(app: &App, auth: &Auth, mail: &Mail, noted: Option<Stmt>) -> Result<Vec<String>, Failure> {
    let project = auth.project.id.clone();
    let few = i64::try_from(AT_ONCE).unwrap_or(i64::MAX) + 1;
    let read = app.store.read(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(users::ids_after(tx, &project, "", few).await?) })
    });
    let everybody = read.await?;
    if everybody.len() > AT_ONCE {
        mailings::begin(app, &auth.project, mail, noted).await?;
        return Ok(Vec::new());
    }
    let named = everybody.iter().map(ToString::to_string).collect();
    queue(app, auth, everybody, mail, noted).await?;
    Ok(named)
}

/// Puts a mail into the outbox once for each of a few users.
async fn queue(
    app: &App,
    auth: &Auth,
    users: impl IntoIterator<Item = UserId>,
    mail: &Mail,
    noted: Option<Stmt>,
) -> Result<(), Failure> {
    let mut statements = Vec::from_iter(noted);
    for user in users {
        statements.push(outbox::queue(app, &auth.project, &Recipient::UserPrimaryEmail(user), mail)?);
    }
    if !statements.is_empty() {
        app.store.batch(statements).await?;
        app.jobs.wake();
    }
    Ok(())
}
