//! Drafts of mails.

use latchkey_api_types::ErrorCode::EmailRenderingError;
use latchkey_api_types::email_draft::{
    EmailDraft, EmailDraftCreate, EmailDraftPath, EmailDraftUpdate, EmailDrafts,
};
use latchkey_identity::{Failure, email_drafts};

use crate::call::Call;
use crate::extract::{Body, Path};
use crate::reply::{Json, Success};
use crate::route::{ADMIN, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/internal/email-drafts", "List the drafts of mails").on(ADMIN, list),
        Route::post("/internal/email-drafts", "Make a draft of a mail")
            .errors(&[EmailRenderingError])
            .on(ADMIN, create),
        Route::get("/internal/email-drafts/{id}", "Read a draft of a mail").on(ADMIN, get),
        Route::patch("/internal/email-drafts/{id}", "Change a draft of a mail")
            .errors(&[EmailRenderingError])
            .on(ADMIN, update),
        Route::delete("/internal/email-drafts/{id}", "Delete a draft of a mail").on(ADMIN, delete),
    ]
}

async fn list(call: Call) -> Result<Json<EmailDrafts>, Failure> {
    Ok(Json(EmailDrafts { drafts: email_drafts::list(&call.app, &call.auth).await? }))
}

async fn create(call: Call, Body(request): Body<EmailDraftCreate>) -> Result<Json<EmailDraft>, Failure> {
    email_drafts::create(&call.app, &call.auth, request).await.map(Json)
}

async fn get(call: Call, Path(path): Path<EmailDraftPath>) -> Result<Json<EmailDraft>, Failure> {
    email_drafts::get(&call.app, &call.auth, path.id).await.map(Json)
}

async fn update(
    call: Call,
    Path(path): Path<EmailDraftPath>,
    Body(request): Body<EmailDraftUpdate>,
) -> Result<Json<EmailDraft>, Failure> {
    email_drafts::update(&call.app, &call.auth, path.id, request).await.map(Json)
}

async fn delete(call: Call, Path(path): Path<EmailDraftPath>) -> Result<Success, Failure> {
    email_drafts::delete(&call.app, &call.auth, path.id).await.map(|()| Success)
}
