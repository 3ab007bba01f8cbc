//! Themes of mails (contract 07 §8).

use latchkey_api_types::ErrorCode::EmailRenderingError;
use latchkey_api_types::email_theme::{
    EmailTheme, EmailThemeCreate, EmailThemePath, EmailThemeUpdate, EmailThemes,
};
use latchkey_identity::{Failure, email_themes};

use crate::call::Call;
use crate::extract::{Body, Path};
use crate::reply::{Json, Success};
use crate::route::{ADMIN, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/internal/email-themes", "List the themes of mails").on(ADMIN, list),
        Route::post("/internal/email-themes", "Make a theme of mails").on(ADMIN, create),
        Route::get("/internal/email-themes/{id}", "Read a theme of mails").on(ADMIN, get),
        Route::patch("/internal/email-themes/{id}", "Change a theme of mails")
            .errors(&[EmailRenderingError])
            .on(ADMIN, update),
        Route::delete("/internal/email-themes/{id}", "Delete a theme of mails").on(ADMIN, delete),
    ]
}

async fn list(call: Call) -> Result<Json<EmailThemes>, Failure> {
    Ok(Json(EmailThemes { themes: email_themes::list(&call.auth) }))
}

async fn get(call: Call, Path(path): Path<EmailThemePath>) -> Result<Json<EmailTheme>, Failure> {
    email_themes::get(&call.auth, &path.id).map(Json)
}

async fn create(call: Call, Body(request): Body<EmailThemeCreate>) -> Result<Json<EmailTheme>, Failure> {
    email_themes::create(&call.app, &call.auth, request).await.map(Json)
}

async fn update(
    call: Call,
    Path(path): Path<EmailThemePath>,
    Body(request): Body<EmailThemeUpdate>,
) -> Result<Json<EmailTheme>, Failure> {
    email_themes::update(&call.app, &call.auth, &path.id, request).await.map(Json)
}

async fn delete(call: Call, Path(path): Path<EmailThemePath>) -> Result<Success, Failure> {
    email_themes::delete(&call.app, &call.auth, &path.id).await.map(|()| Success)
}
