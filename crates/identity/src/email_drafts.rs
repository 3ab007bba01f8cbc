//! Drafts of mails: what administrators write before they send it.

use latchkey_api_types::email_draft::{EmailDraft, EmailDraftCreate, EmailDraftUpdate};
use latchkey_api_types::email_template::ThemeChoice;
use latchkey_api_types::ids::EmailDraftId;
use latchkey_storage::email_drafts::{self, EmailDraftRow};
use serde_json::Value;

use crate::app::App;
use crate::authenticate::Auth;
use crate::email_templates::check;
use crate::failure::Failure;

/// How many drafts a list shows.
const LISTED: i64 = 1000;
/// What a draft begins with.
const BEGINNING: &str = "Subject: {{ project.displayName }}\nCategory: Marketing\n\n<p>Hello {{ user.displayName|default(\"there\") }},</p>\n";

fn view(row: EmailDraftRow) -> EmailDraft {
    EmailDraft {
        id: row.id,
        display_name: row.display_name,
        tsx_source: row.source,
        theme_id: row
            .theme_id
            .map(|theme| if theme == "false" { Value::Bool(false) } else { Value::String(theme) }),
        sent_at_millis: row.sent_at,
    }
}

fn stored(theme: &ThemeChoice) -> Option<String> {
    match theme {
        ThemeChoice::Default => None,
        ThemeChoice::Without => Some("false".to_owned()),
        ThemeChoice::Theme(id) => Some(id.clone()),
    }
}

fn unknown() -> Failure {
    Failure::text(404, "The project has no such draft of an email.")
}

/// The newest drafts that were not sent.
pub async fn list(app: &App, auth: &Auth) -> Result<Vec<EmailDraft>, Failure> {
    let project = auth.project.id.clone();
    let read = app.store.read(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(email_drafts::list(tx, &project, LISTED).await?) })
    });
    Ok(read.await?.into_iter().map(view).collect())
}

/// One draft.
///
/// # Errors
/// 404.
pub async fn get(app: &App, auth: &Auth, id: EmailDraftId) -> Result<EmailDraft, Failure> {
    let project = auth.project.id.clone();
    let read = app.store.read(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(email_drafts::get(tx, &project, id).await?) })
    });
    read.await?.map(view).ok_or_else(unknown)
}

/// Makes a draft. Its source is tried before it is kept.
///
/// # Errors
/// `EMAIL_RENDERING_ERROR`.
pub async fn create(app: &App, auth: &Auth, request: EmailDraftCreate) -> Result<EmailDraft, Failure> {
    let source = request.tsx_source.unwrap_or_else(|| BEGINNING.to_owned());
    check(&source)?;
    let now = app.now();
    let row = EmailDraftRow {
        project_id: auth.project.id.clone(),
        id: EmailDraftId::from_uuid(app.random.uuid()),
        display_name: request.display_name.into_string(),
        source,
        theme_id: request.theme_id.as_ref().and_then(stored),
        sent_at: None,
        created_at: now,
        updated_at: now,
    };
    app.store.batch(vec![email_drafts::insert(&row)]).await?;
    Ok(view(row))
}

/// Changes a draft. Its source is tried before it is kept.
///
/// # Errors
/// `EMAIL_RENDERING_ERROR`, 404.
pub async fn update(
    app: &App,
    auth: &Auth,
    id: EmailDraftId,
    request: EmailDraftUpdate,
) -> Result<EmailDraft, Failure> {
    if let Some(source) = &request.tsx_source {
        check(source)?;
    }
    let (project, now) = (auth.project.id.clone(), app.now());
    let changed = app.store.write(move |tx| {
        let (project, request) = (project.clone(), request.clone());
        Box::pin(async move {
            let mut row = email_drafts::get(tx, &project, id).await?.ok_or_else(unknown)?;
            if let Some(name) = request.display_name {
                row.display_name = name.into_string();
            }
            if let Some(source) = request.tsx_source {
                row.source = source;
            }
            if let Some(theme) = &request.theme_id {
                row.theme_id = stored(theme);
            }
            row.updated_at = now;
            tx.run(email_drafts::update(&row).exactly(1)).await?;
            Ok::<_, Failure>(row)
        })
    });
    changed.await.map(view)
}

/// Deletes a draft.
///
/// # Errors
/// 404.
pub async fn delete(app: &App, auth: &Auth, id: EmailDraftId) -> Result<(), Failure> {
    let outcomes = app.store.batch(vec![email_drafts::delete(&auth.project.id, id)]).await?;
    match outcomes.first() {
        Some(outcome) if outcome.affected > 0 => Ok(()),
        _ => Err(unknown()),
    }
}
