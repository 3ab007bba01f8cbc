//! Templates of mails (contract 07 §8).

use latchkey_api_types::ErrorCode::{EmailRenderingError, RequiresCustomEmailServer};
use latchkey_api_types::email_template::{
    EmailTemplate, EmailTemplateCreate, EmailTemplatePath, EmailTemplateUpdate, EmailTemplates,
};
use latchkey_identity::{Failure, email_templates};

use crate::call::Call;
use crate::extract::{Body, Path};
use crate::reply::{Json, Success};
use crate::route::{ADMIN, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/internal/email-templates", "List the templates of mails").on(ADMIN, list),
        Route::post("/internal/email-templates", "Make a template of mails")
            .errors(&[RequiresCustomEmailServer])
            .on(ADMIN, create),
        Route::patch("/internal/email-templates/{id}", "Change a template of mails")
            .errors(&[EmailRenderingError])
            .on(ADMIN, update),
        Route::delete("/internal/email-templates/{id}", "Delete a template of mails").on(ADMIN, delete),
    ]
}

async fn list(call: Call) -> Result<Json<EmailTemplates>, Failure> {
    Ok(Json(EmailTemplates { templates: email_templates::list(&call.auth) }))
}

async fn create(
    call: Call,
    Body(request): Body<EmailTemplateCreate>,
) -> Result<Json<EmailTemplate>, Failure> {
    email_templates::create(&call.app, &call.auth, request).await.map(Json)
}

async fn update(
    call: Call,
    Path(path): Path<EmailTemplatePath>,
    Body(request): Body<EmailTemplateUpdate>,
) -> Result<Json<EmailTemplate>, Failure> {
    email_templates::update(&call.app, &call.auth, &path.id, request).await.map(Json)
}

async fn delete(call: Call, Path(path): Path<EmailTemplatePath>) -> Result<Success, Failure> {
    email_templates::delete(&call.app, &call.auth, &path.id).await.map(|()| Success)
}
