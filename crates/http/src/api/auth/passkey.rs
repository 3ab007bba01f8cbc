//! Passkeys: registering one and signing in with it.

use latchkey_api_types::ErrorCode::{
    MultiFactorAuthenticationRequired, PasskeyAuthenticationFailed, PasskeyAuthenticationNotEnabled,
    PasskeyRegistrationFailed,
};
use latchkey_api_types::auth::SignInResult;
use latchkey_api_types::input::PasskeyName;
use latchkey_api_types::passkey::{
    CreationOptions, PasskeyCeremony, PasskeyRegistered, PasskeyRegistration, PasskeySignIn, RequestOptions,
};
use latchkey_identity::Failure;
use latchkey_identity::passkeys::{self, Registration};
use latchkey_identity::sign_in::passkey;

use crate::call::Call;
use crate::extract::{Body, SignedIn};
use crate::reply::Json;
use crate::route::{ANY, CODE_ERRORS, RateClass, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/auth/passkey/initiate-passkey-registration", "Begin to register a passkey")
            .errors(&[PasskeyAuthenticationNotEnabled])
            .on(ANY, initiate_registration),
        Route::post("/auth/passkey/register", "Register a passkey for the signed-in user")
            .rate(RateClass::Credential)
            .errors(CODE_ERRORS)
            .errors(&[PasskeyAuthenticationNotEnabled, PasskeyRegistrationFailed])
            .on(ANY, register),
        Route::post("/auth/passkey/initiate-passkey-authentication", "Begin to sign in with a passkey")
            .errors(&[PasskeyAuthenticationNotEnabled])
            .on(ANY, initiate_authentication),
        Route::post("/auth/passkey/sign-in", "Sign in with a passkey")
            .rate(RateClass::Credential)
            .errors(CODE_ERRORS)
            .errors(&[
                PasskeyAuthenticationNotEnabled,
                PasskeyAuthenticationFailed,
                MultiFactorAuthenticationRequired,
            ])
            .on(ANY, sign_in),
    ]
}

async fn initiate_registration(
    call: Call,
    _: SignedIn,
) -> Result<Json<PasskeyCeremony<CreationOptions>>, Failure> {
    passkeys::initiate_registration(&call.app, &call.auth).await.map(Json)
}

async fn register(
    call: Call,
    _: SignedIn,
    Body(body): Body<PasskeyRegistration>,
) -> Result<Json<PasskeyRegistered>, Failure> {
    let registration = Registration {
        credential: body.credential,
        code: body.code,
        name: body.name.map(PasskeyName::into_string),
        origin: call.request.origin(),
    };
    passkeys::register(&call.app, &call.auth, registration).await.map(Json)
}

async fn initiate_authentication(call: Call) -> Result<Json<PasskeyCeremony<RequestOptions>>, Failure> {
    passkey::initiate(&call.app, &call.auth).await.map(Json)
}

async fn sign_in(call: Call, Body(body): Body<PasskeySignIn>) -> Result<Json<SignInResult>, Failure> {
    let from = call.request.origin();
    passkey::sign_in(&call.app, &call.auth, &body.authentication_response, &body.code, from).await.map(Json)
}
