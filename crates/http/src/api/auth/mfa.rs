//! Second factors: signing in with one, setting it up and removing it; proving again who one is.

use latchkey_api_types::ErrorCode::{
    InvalidBackupCode, InvalidTotpCode, PasswordAuthenticationNotEnabled, PasswordConfirmationMismatch,
    ReauthenticationRequired, TooManyFailedAttempts, UserAuthenticationRequired, UserDoesNotHavePassword,
};
use latchkey_api_types::KnownError;
use latchkey_api_types::auth::SignInResult;
use latchkey_api_types::input::SecretText;
use latchkey_api_types::mfa::{
    BackupCodes, MfaSignIn, MfaStatus, Reauthenticated, Reauthentication, ReauthenticationType,
    SecondFactorType, TotpConfirm, TotpDisable, TotpSetup,
};
use latchkey_identity::second_factors::{self, enrolment};
use latchkey_identity::sign_in::mfa;
use latchkey_identity::{Failure, Secret, reauthentication};

use crate::call::Call;
use crate::extract::Body;
use crate::reply::{Json, Success};
use crate::route::{ANY, CODE_ERRORS, RateClass, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/auth/mfa/sign-in", "Complete a sign-in with the second factor")
            .rate(RateClass::Credential)
            .errors(CODE_ERRORS)
            .errors(&[InvalidTotpCode, InvalidBackupCode, TooManyFailedAttempts])
            .on(ANY, sign_in),
        Route::get("/auth/mfa", "The state of the signed-in user's second factor")
            .errors(&[UserAuthenticationRequired])
            .on(ANY, status),
        Route::post("/auth/mfa/totp/setup", "Get a secret for an authenticator app, with its QR code")
            .errors(&[UserAuthenticationRequired, ReauthenticationRequired])
            .on(ANY, set_up),
        Route::post("/auth/mfa/totp/confirm", "Switch TOTP on with a first code, and get backup codes")
            .rate(RateClass::Credential)
            .errors(&[UserAuthenticationRequired, InvalidTotpCode, TooManyFailedAttempts])
            .on(ANY, confirm),
        Route::post("/auth/mfa/totp/disable", "Switch TOTP off with a second factor")
            .rate(RateClass::Credential)
            .errors(&[UserAuthenticationRequired, InvalidTotpCode, InvalidBackupCode, TooManyFailedAttempts])
            .on(ANY, disable),
        Route::post("/auth/mfa/backup-codes/regenerate", "Get new backup codes in place of the old ones")
            .errors(&[UserAuthenticationRequired, ReauthenticationRequired])
            .on(ANY, regenerate),
        Route::post("/auth/reauthenticate", "Prove again who is signed in, before a change of credentials")
            .rate(RateClass::Credential)
            .errors(&[
                UserAuthenticationRequired,
                ReauthenticationRequired,
                PasswordAuthenticationNotEnabled,
                UserDoesNotHavePassword,
                PasswordConfirmationMismatch,
                InvalidTotpCode,
                InvalidBackupCode,
                TooManyFailedAttempts,
            ])
            .on(ANY, reauthenticate),
    ]
}

/// The property that a type requires.
fn required<T>(field: &str, kind: &str, value: Option<T>) -> Result<T, Failure> {
    let missing = || KnownError::schema_error(&format!("body.{field} is required for the type {kind:?}"));
    value.ok_or_else(|| missing().into())
}

fn proof(
    kind: SecondFactorType,
    totp: Option<SecretText>,
    backup_code: Option<SecretText>,
) -> Result<second_factors::Proof, Failure> {
    let word = kind.as_str();
    let secret = |text: SecretText| Secret::new(text.into_string());
    match kind {
        SecondFactorType::Totp => required("totp", word, totp).map(secret).map(second_factors::Proof::Totp),
        SecondFactorType::BackupCode => {
            required("backup_code", word, backup_code).map(secret).map(second_factors::Proof::BackupCode)
        }
    }
}

async fn sign_in(call: Call, Body(body): Body<MfaSignIn>) -> Result<Json<SignInResult>, Failure> {
    let proof = proof(body.kind, body.totp, body.backup_code)?;
    let origin = call.request.origin();
    mfa::sign_in(&call.app, &call.auth, body.code.as_str(), &proof, origin).await.map(Json)
}

async fn status(call: Call) -> Result<Json<MfaStatus>, Failure> {
    enrolment::status(&call.app, &call.auth).await.map(Json)
}

async fn set_up(call: Call) -> Result<Json<TotpSetup>, Failure> {
    enrolment::set_up(&call.app, &call.auth).await.map(Json)
}

async fn confirm(call: Call, Body(body): Body<TotpConfirm>) -> Result<Json<BackupCodes>, Failure> {
    let code = Secret::new(body.totp.into_string());
    enrolment::confirm(&call.app, &call.auth, &code).await.map(Json)
}

async fn disable(call: Call, Body(body): Body<TotpDisable>) -> Result<Success, Failure> {
    let proof = proof(body.kind, body.totp, body.backup_code)?;
    enrolment::disable(&call.app, &call.auth, &proof, call.request.client_address()).await.map(|()| Success)
}

async fn regenerate(call: Call) -> Result<Json<BackupCodes>, Failure> {
    enrolment::regenerate(&call.app, &call.auth).await.map(Json)
}

async fn reauthenticate(
    call: Call,
    Body(body): Body<Reauthentication>,
) -> Result<Json<Reauthenticated>, Failure> {
    let second = |kind| proof(kind, body.totp, body.backup_code).map(reauthentication::Proof::SecondFactor);
    let proof = match body.kind {
        ReauthenticationType::Password => required("password", "password", body.password)
            .map(|password| reauthentication::Proof::Password(Secret::new(password.into_string())))?,
        ReauthenticationType::Totp => second(SecondFactorType::Totp)?,
        ReauthenticationType::BackupCode => second(SecondFactorType::BackupCode)?,
    };
    let address = call.request.client_address();
    reauthentication::reauthenticate(&call.app, &call.auth, proof, address).await.map(Json)
}
