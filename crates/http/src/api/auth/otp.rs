//! Codes and links by mail that sign in.

use latchkey_api_types::ErrorCode::{
    BotChallengeFailed, BotChallengeRequired, MultiFactorAuthenticationRequired, RedirectUrlNotWhitelisted,
    SignUpNotEnabled, SignUpRejected, UserEmailAlreadyExists,
};
use latchkey_api_types::auth::{SignInCodeRequest, SignInCodeSent, SignInResult};
use latchkey_api_types::contact_channel::{CodeCheck, VerificationCode};
use latchkey_identity::Failure;
use latchkey_identity::bot_challenge::BotChallenge;
use latchkey_identity::sign_in::otp;

use crate::call::Call;
use crate::extract::Body;
use crate::reply::Json;
use crate::route::{ANY, CODE_ERRORS, RateClass, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/auth/otp/send-sign-in-code", "Mail a code and a link that sign in")
            .rate(RateClass::Mail)
            .errors(&[
                UserEmailAlreadyExists,
                SignUpNotEnabled,
                BotChallengeRequired,
                BotChallengeFailed,
                RedirectUrlNotWhitelisted,
            ])
            .on(ANY, send_code),
        Route::post("/auth/otp/sign-in", "Sign in by a mailed code")
            .rate(RateClass::Credential)
            .errors(CODE_ERRORS)
            .errors(&[
                UserEmailAlreadyExists,
                SignUpNotEnabled,
                BotChallengeFailed,
                SignUpRejected,
                MultiFactorAuthenticationRequired,
            ])
            .on(ANY, sign_in),
        Route::post("/auth/otp/sign-in/check-code", "Ask whether a code that signs in can be used")
            .rate(RateClass::Credential)
            .errors(CODE_ERRORS)
            .on(ANY, check_code),
    ]
}

async fn send_code(call: Call, Body(body): Body<SignInCodeRequest>) -> Result<Json<SignInCodeSent>, Failure> {
    let (email, callback) = (body.email.as_str(), body.callback_url.as_str());
    let challenge =
        BotChallenge::new(body.bot_challenge_token, body.bot_challenge_phase, body.bot_challenge_unavailable);
    let origin = call.request.origin();
    let nonce = otp::send_code(&call.app, &call.auth, email, callback, &challenge, &origin).await?;
    Ok(Json(SignInCodeSent { nonce }))
}

async fn sign_in(call: Call, Body(body): Body<VerificationCode>) -> Result<Json<SignInResult>, Failure> {
    otp::sign_in(&call.app, &call.auth, body.code.as_str(), call.request.origin()).await.map(Json)
}

async fn check_code(call: Call, Body(body): Body<VerificationCode>) -> Result<Json<CodeCheck>, Failure> {
    otp::check_code(&call.app, &call.auth.project.id, body.code.as_str()).await?;
    Ok(Json(CodeCheck { is_code_valid: true }))
}
