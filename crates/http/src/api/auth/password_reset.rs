//! Forgotten passwords.

use latchkey_api_types::ErrorCode::{
    PasswordAuthenticationNotEnabled, PasswordRequirementsNotMet, PasswordTooShort, RedirectUrlNotWhitelisted,
};
use latchkey_api_types::auth::{PasswordReset, PasswordResetRequest, PasswordResetRequested};
use latchkey_api_types::contact_channel::{CodeCheck, VerificationCode};
use latchkey_identity::passwords::reset;
use latchkey_identity::{Failure, Secret};

use crate::call::Call;
use crate::extract::Body;
use crate::reply::{Json, Success};
use crate::route::{ANY, CODE_ERRORS, RateClass, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(
            "/auth/password/send-reset-code",
            "Mail a link by which a forgotten password is replaced",
        )
        .rate(RateClass::Mail)
        .errors(&[PasswordAuthenticationNotEnabled, RedirectUrlNotWhitelisted])
        .on(ANY, send_code),
        Route::post("/auth/password/reset", "Replace a forgotten password by a mailed code")
            .rate(RateClass::Credential)
            .errors(CODE_ERRORS)
            .errors(&[PasswordAuthenticationNotEnabled, PasswordTooShort, PasswordRequirementsNotMet])
            .on(ANY, handle_reset),
        Route::post(
            "/auth/password/reset/check-code",
            "Ask whether a code that replaces a password can be used",
        )
        .rate(RateClass::Credential)
        .errors(CODE_ERRORS)
        .on(ANY, check_code),
    ]
}

async fn send_code(
    call: Call,
    Body(body): Body<PasswordResetRequest>,
) -> Result<Json<PasswordResetRequested>, Failure> {
    reset::send_code(&call.app, &call.auth, body.email.as_str(), body.callback_url.as_str()).await?;
    Ok(Json(PasswordResetRequested::default()))
}

async fn handle_reset(call: Call, Body(body): Body<PasswordReset>) -> Result<Success, Failure> {
    let password = Secret::new(body.password.into_string());
    reset::reset(&call.app, &call.auth, body.code.as_str(), password).await.map(|()| Success)
}

async fn check_code(call: Call, Body(body): Body<VerificationCode>) -> Result<Json<CodeCheck>, Failure> {
    reset::check_code(&call.app, &call.auth.project.id, body.code.as_str()).await?;
    Ok(Json(CodeCheck { is_code_valid: true }))
}
