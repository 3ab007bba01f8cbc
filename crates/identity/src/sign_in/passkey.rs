//! Signing in with a passkey (contract 04 §9.1).

use latchkey_api_types::KnownError;
use latchkey_api_types::auth::SignInResult;
use latchkey_api_types::passkey::{
    AuthenticationResponse, CEREMONY_TIMEOUT, PasskeyCeremony, RP_ID_PLACEHOLDER, RequestOptions,
};
use latchkey_crypto::webauthn::{Assertion, Ceremony, Flags, verify_assertion};
use latchkey_storage::StorageError;
use latchkey_storage::passkeys::{self, PasskeyRow};
use latchkey_storage::users::{self, UserRow};
use serde::{Deserialize, Serialize};

use super::{Factor, Origin, Unfinished, finish, open};
use crate::app::App;
use crate::audit::{Actor, Event};
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::one_time_codes::{issue, kind};
use crate::passkeys::{
    CHALLENGE_LIFETIME, Refused, credential_id, decode, demands, new_challenge, read_answer, refusal,
    require_enabled, use_code, user_verification,
};
use crate::projects::Project;

/// The longest authenticator data, bytes; extensions may put something in.
const LONGEST_DATA: usize = 16 * 1024;
/// The longest signature, bytes: RSA with 4096 bits.
const LONGEST_SIGNATURE: usize = 512;
/// The longest user handle, bytes (Level 3, section 5.4.3).
const LONGEST_USER_HANDLE: usize = 64;

/// What a code for a sign-in stands for.
#[derive(Serialize, Deserialize)]
struct Challenge {
    challenge: String,
}

/// Begins a sign-in with a passkey. Nobody says who they are: the authenticator knows.
///
/// # Errors
/// `PASSKEY_AUTHENTICATION_NOT_ENABLED`.
pub async fn initiate(app: &App, auth: &Auth) -> Result<PasskeyCeremony<RequestOptions>, Failure> {
    let project = &auth.project;
    require_enabled(project)?;
    let data = Challenge { challenge: new_challenge(app) };
    let code = issue(app, &project.id, kind::PASSKEY_AUTHENTICATION, &data, CHALLENGE_LIFETIME)?;
    app.store.batch(vec![code.statement]).await?;
    let options = RequestOptions {
        challenge: data.challenge,
        rp_id: RP_ID_PLACEHOLDER,
        allow_credentials: Vec::new(),
        timeout: CEREMONY_TIMEOUT,
        user_verification: user_verification(project),
    };
    Ok(PasskeyCeremony { options_json: options, code: code.code })
}

/// Signs in with what an authenticator answered.
///
/// # Errors
/// `PASSKEY_AUTHENTICATION_NOT_ENABLED`, the four `VERIFICATION_CODE_…`, `PASSKEY_AUTHENTICATION_FAILED` for everything
/// else, with the reason in the audit log; `MULTI_FACTOR_AUTHENTICATION_REQUIRED`, where the authenticator did not
/// verify its user or the project does not count that as a second factor.
pub async fn sign_in(
    app: &App,
    auth: &Auth,
    response: &AuthenticationResponse,
    code: &str,
    origin: Origin,
) -> Result<SignInResult, Failure> {
    let project = &auth.project;
    require_enabled(project)?;
    let data = use_code(app, &project.id, kind::PASSKEY_AUTHENTICATION, code).await?;
    let challenge: Challenge = serde_json::from_str(&data).map_err(Failure::internal)?;
    let address = origin.address;
    let refuse = |user: Option<&UserRow>, reason: &str| {
        let event = Event {
            actor: Actor::User,
            user: user.map(|user| user.id),
            session: None,
            ip: address,
            details: serde_json::Value::Null,
        };
        app.activity.note_event(refusal(app, &project.id, &event, reason));
        Failure::from(KnownError::passkey_authentication_failed())
    };
    let id = credential_id(&response.kind, &response.id, response.raw_id.as_deref())
        .map_err(|reason| refuse(None, &reason))?;
    let Some((passkey, user)) = find(app, project, id).await? else {
        return Err(refuse(None, "the credential is unknown"));
    };
    let assertion = verify(project, &passkey, response, &challenge.challenge)
        .map_err(|reason| refuse(Some(&user), &reason))?;

    let rules = &project.settings.latchkey.passkeys;
    let is_two_factors = assertion.flags.user_verified && rules.verified_passkeys_are_two_factors;
    let count = i64::from(assertion.sign_count);
    let used =
        passkeys::note_use(&project.id, passkey.id, count, assertion.flags.backed_up, app.now()).exactly(1);
    let amr = methods(assertion.flags);
    let factor = Factor { user: &user, amr, is_new_user: false, origin, statements: vec![used] };
    let outcome =
        if is_two_factors { open(app, project, factor).await } else { finish(app, project, factor).await };
    outcome.map_err(|unfinished| match unfinished {
        // The counter went on, or the passkey or its owner went away, since they were read.
        Unfinished::Storage(StorageError::Guard { .. } | StorageError::ForeignKey) => {
            refuse(Some(&user), "the passkey was used or removed in the same moment")
        }
        other => other.into(),
    })
}

/// How the user proved who they are (RFC 8176): a key in this device or one that travels, a touch, and with a PIN or
/// biometric more than one factor.
const fn methods(flags: Flags) -> &'static str {
    match (flags.backup_eligible, flags.user_verified) {
        (false, false) => "hwk user",
        (false, true) => "hwk user mfa",
        (true, false) => "swk user",
        (true, true) => "swk user mfa",
    }
}

async fn find(
    app: &App,
    project: &Project,
    credential_id: Vec<u8>,
) -> Result<Option<(PasskeyRow, UserRow)>, Failure> {
    let project = project.id.clone();
    app.store
        .read(move |tx| {
            Box::pin(async move {
                let Some(passkey) = passkeys::by_credential_id(tx, &project, &credential_id).await? else {
                    return Ok(None);
                };
                Ok(users::get(tx, &project, passkey.user_id).await?.map(|user| (passkey, user)))
            })
        })
        .await
}

/// Checks an assertion against the passkey that it names.
fn verify(
    project: &Project,
    passkey: &PasskeyRow,
    response: &AuthenticationResponse,
    challenge: &str,
) -> Result<Assertion, Refused> {
    let sent = &response.response;
    if let Some(handle) = sent.user_handle.as_ref().and_then(|handle| handle.0.as_ref()) {
        let handle = decode("the user handle", handle, LONGEST_USER_HANDLE)?;
        if handle != passkey.user_id.to_string().as_bytes() {
            return Err("the user handle is of another user".to_owned());
        }
    }
    let answer = read_answer(project, &sent.client_data_json, Ceremony::Authentication, challenge)?;
    if !answer.rp_ids.contains(&passkey.rp_id) {
        return Err("the passkey belongs to another relying party id".to_owned());
    }
    let data = decode("the authenticator data", &sent.authenticator_data, LONGEST_DATA)?;
    let signature = decode("the signature", &sent.signature, LONGEST_SIGNATURE)?;
    let rp_ids = [passkey.rp_id.as_str()];
    let demands = demands(project, &rp_ids);
    let assertion = verify_assertion(&passkey.public_key, &answer.client_data, &data, &signature, &demands)
        .map_err(|error| error.to_string())?;
    if assertion.flags.backup_eligible != passkey.is_backup_eligible {
        return Err("whether the passkey may be copied has changed".to_owned());
    }
    let (count, last) = (i64::from(assertion.sign_count), passkey.sign_count);
    if count <= last && (count, last) != (0, 0) {
        return Err("the signature counter did not grow: there may be a copy of the authenticator".to_owned());
    }
    Ok(assertion)
}
