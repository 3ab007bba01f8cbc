//! Email and password.

use latchkey_api_types::ErrorCode::{
    BotChallengeFailed, BotChallengeRequired, EmailPasswordMismatch, MultiFactorAuthenticationRequired,
    PasswordAuthenticationNotEnabled, PasswordConfirmationMismatch, PasswordRequirementsNotMet,
    PasswordTooShort, RedirectUrlNotWhitelisted, SignUpNotEnabled, SignUpRejected, TooManyFailedAttempts,
    UserDoesNotHavePassword, UserEmailAlreadyExists,
};
use latchkey_api_types::auth::{PasswordSet, PasswordSignIn, PasswordSignUp, PasswordUpdate, TokenPair};
use latchkey_identity::Secret;
use latchkey_identity::bot_challenge::BotChallenge;
use latchkey_identity::sign_in::password::{SignUp, sign_in, sign_up};
use latchkey_identity::{Failure, passwords};

use crate::call::Call;
use crate::extract::{Body, SignedIn};
use crate::reply::{Json, Success};
use crate::route::{ANY, RateClass, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/auth/password/sign-up", "Create an account with email and password")
            .rate(RateClass::Credential)
            .errors(&[
                PasswordAuthenticationNotEnabled,
                RedirectUrlNotWhitelisted,
                SignUpNotEnabled,
                SignUpRejected,
                PasswordTooShort,
                PasswordRequirementsNotMet,
                BotChallengeRequired,
                BotChallengeFailed,
                UserEmailAlreadyExists,
                MultiFactorAuthenticationRequired,
            ])
            .on(ANY, handle_sign_up),
        Route::post("/auth/password/sign-in", "Sign in with email and password")
            .rate(RateClass::Credential)
            .errors(&[
                PasswordAuthenticationNotEnabled,
                EmailPasswordMismatch,
                MultiFactorAuthenticationRequired,
            ])
            .on(ANY, handle_sign_in),
        Route::post("/auth/password/set", "Set the first password of the signed-in user")
            .rate(RateClass::Credential)
            .errors(&[PasswordAuthenticationNotEnabled, PasswordTooShort, PasswordRequirementsNotMet])
            .on(ANY, set),
        Route::post("/auth/password/update", "Change the password of the signed-in user")
            .rate(RateClass::Credential)
            .errors(&[
                PasswordAuthenticationNotEnabled,
                PasswordTooShort,
                PasswordRequirementsNotMet,
                UserDoesNotHavePassword,
                TooManyFailedAttempts,
                PasswordConfirmationMismatch,
            ])
            .on(ANY, update),
    ]
}

async fn handle_sign_up(call: Call, Body(body): Body<PasswordSignUp>) -> Result<Json<TokenPair>, Failure> {
    let request = SignUp {
        email: body.email.into_string(),
        password: Secret::new(body.password.into_string()),
        verification_callback_url: body
            .verification_callback_url
            .map(latchkey_api_types::input::UrlText::into_string),
        bot_challenge: BotChallenge::new(
            body.bot_challenge_token,
            body.bot_challenge_phase,
            body.bot_challenge_unavailable,
        ),
        origin: call.request.origin(),
    };
    sign_up(&call.app, &call.auth, request).await.map(Json)
}

async fn handle_sign_in(call: Call, Body(body): Body<PasswordSignIn>) -> Result<Json<TokenPair>, Failure> {
    let password = Secret::new(body.password.into_string());
    sign_in(&call.app, &call.auth, body.email.as_str(), password, call.request.origin()).await.map(Json)
}

async fn set(call: Call, _: SignedIn, Body(body): Body<PasswordSet>) -> Result<Success, Failure> {
    passwords::set(&call.app, &call.auth, Secret::new(body.password.into_string())).await.map(|()| Success)
}

async fn update(call: Call, _: SignedIn, Body(body): Body<PasswordUpdate>) -> Result<Success, Failure> {
    let (old, new) =
        (Secret::new(body.old_password.into_string()), Secret::new(body.new_password.into_string()));
    let refresh_token = call.request.refresh_token.as_deref();
    passwords::update(&call.app, &call.auth, old, new, refresh_token).await.map(|()| Success)
}
