//! Registering a passkey: the options, and taking the new credential in.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use latchkey_api_types::KnownError;
use latchkey_api_types::ids::{PasskeyId, ProjectId, UserId};
use latchkey_api_types::passkey::{
    AuthenticatorSelection, CEREMONY_TIMEOUT, CreationExtensions, CreationOptions, KeyParameters,
    PasskeyCeremony, PasskeyRegistered, PasskeyUser, RP_ID_PLACEHOLDER, RegistrationResponse, RelyingParty,
};
use latchkey_crypto::webauthn::{ALGORITHMS, Ceremony, NewCredential, read_registration};
use latchkey_storage::StorageError;
use latchkey_storage::passkeys::{self, PasskeyRow};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    CHALLENGE_LIFETIME, Refused, credential_id, decode, demands, new_challenge, read_answer, refusal,
    require_enabled, use_code, user_verification,
};
use crate::app::App;
use crate::audit::{self, Event};
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::one_time_codes::{issue, kind};
use crate::projects::Project;
use crate::reauthentication::{self, Surface};
use crate::sign_in::Origin;
use crate::users::Written;

/// The most passkeys of one user.
const MOST: usize = 50;
/// How a passkey is called until its owner names it.
const UNNAMED: &str = "Passkey";
/// The longest attestation object, bytes. That of an authenticator with a long chain of certificates has ten thousand.
const LONGEST_ATTESTATION: usize = 64 * 1024;

/// What a code for a registration stands for.
#[derive(Serialize, Deserialize)]
struct Challenge {
    challenge: String,
    user_id: UserId,
}

/// Begins the registration of a passkey for the signed-in user.
///
/// # Errors
/// `PASSKEY_AUTHENTICATION_NOT_ENABLED`, `CANNOT_GET_OWN_USER_WITHOUT_USER`.
pub async fn initiate_registration(
    app: &App,
    auth: &Auth,
) -> Result<PasskeyCeremony<CreationOptions>, Failure> {
    let project = &auth.project;
    require_enabled(project)?;
    let user = &auth.me()?.row;
    reauthentication::require_recent(app, auth, Surface::Contract).await?;
    let data = Challenge { challenge: new_challenge(app), user_id: user.id };
    let code = issue(app, &project.id, kind::PASSKEY_REGISTRATION, &data, CHALLENGE_LIFETIME)?;
    app.store.batch(vec![code.statement]).await?;
    let shown = user.display_name.as_ref().or(user.primary_email.as_ref());
    let name = shown.map_or("User", String::as_str).to_owned();
    let options = CreationOptions {
        rp: RelyingParty { name: project.display_name.clone(), id: RP_ID_PLACEHOLDER },
        user: PasskeyUser {
            id: URL_SAFE_NO_PAD.encode(user.id.to_string()),
            name: name.clone(),
            display_name: name,
        },
        challenge: data.challenge,
        pub_key_cred_params: ALGORITHMS.map(|alg| KeyParameters { alg, kind: "public-key" }).to_vec(),
        timeout: CEREMONY_TIMEOUT,
        attestation: "none",
        exclude_credentials: Vec::new(),
        authenticator_selection: AuthenticatorSelection {
            resident_key: "required",
            require_resident_key: true,
            user_verification: user_verification(project),
        },
        extensions: CreationExtensions { cred_props: true },
    };
    Ok(PasskeyCeremony { options_json: options, code: code.code })
}

/// What a browser made of the options.
pub struct Registration {
    /// The new credential.
    pub credential: RegistrationResponse,
    /// The code that came with the options.
    pub code: String,
    /// What the user calls it.
    pub name: Option<String>,
    /// From where.
    pub origin: Origin,
}

/// Adds a passkey to those of the signed-in user.
///
/// # Errors
/// `PASSKEY_AUTHENTICATION_NOT_ENABLED`, `CANNOT_GET_OWN_USER_WITHOUT_USER`, the four `VERIFICATION_CODE_…`,
/// `PASSKEY_REGISTRATION_FAILED` for everything else, with the reason in the audit log.
pub async fn register(
    app: &App,
    auth: &Auth,
    registration: Registration,
) -> Result<PasskeyRegistered, Failure> {
    let project = &auth.project;
    require_enabled(project)?;
    let user = auth.me()?.row.id;
    reauthentication::require_recent(app, auth, Surface::Contract).await?;
    let data = use_code(app, &project.id, kind::PASSKEY_REGISTRATION, &registration.code).await?;
    let challenge: Challenge = serde_json::from_str(&data).map_err(Failure::internal)?;
    let event = Event::of_user(auth.access, user).at_address(registration.origin.address);
    let outcome = match read(project, user, &challenge, &registration.credential) {
        Ok(credential) => {
            let row = row(app, &project.id, user, registration.name, credential);
            let event = Event { details: json!({ "passkey_id": row.id }), ..event };
            let written = add(app, row, &event).await?;
            written.map_err(|reason| (Event { details: serde_json::Value::Null, ..event }, reason))
        }
        Err(reason) => Err((event, reason)),
    };
    outcome.map_err(|(event, reason)| {
        app.activity.note_event(refusal(app, &project.id, &event, &reason));
        KnownError::passkey_registration_failed().into()
    })
}

/// Checks a new credential.
fn read(
    project: &Project,
    user: UserId,
    challenge: &Challenge,
    credential: &RegistrationResponse,
) -> Result<NewCredential, Refused> {
    if challenge.user_id != user {
        return Err("the challenge was given to another user".to_owned());
    }
    let id = credential_id(&credential.kind, &credential.id, credential.raw_id.as_deref())?;
    let json = &credential.response.client_data_json;
    let answer = read_answer(project, json, Ceremony::Registration, &challenge.challenge)?;
    let object =
        decode("the attestation object", &credential.response.attestation_object, LONGEST_ATTESTATION)?;
    let rp_ids: Vec<&str> = answer.rp_ids.iter().map(String::as_str).collect();
    let new = read_registration(&object, &demands(project, &rp_ids)).map_err(|e| e.to_string())?;
    if new.credential_id != id {
        return Err("the authenticator made a credential with another id".to_owned());
    }
    Ok(new)
}

fn row(
    app: &App,
    project: &ProjectId,
    user: UserId,
    name: Option<String>,
    credential: NewCredential,
) -> PasskeyRow {
    PasskeyRow {
        project_id: project.clone(),
        id: PasskeyId::from_uuid(app.random.uuid()),
        user_id: user,
        name: name.unwrap_or_else(|| UNNAMED.to_owned()),
        credential_id: credential.credential_id,
        public_key: credential.public_key,
        rp_id: credential.rp_id,
        aaguid: Uuid::from_bytes(credential.aaguid).to_string(),
        sign_count: i64::from(credential.sign_count),
        is_backup_eligible: credential.flags.backup_eligible,
        is_backed_up: credential.flags.backed_up,
        created_at: app.now(),
        last_used_at: None,
    }
}

/// Writes a passkey, unless the credential is registered already or the user has too many.
async fn add(
    app: &App,
    row: PasskeyRow,
    event: &Event,
) -> Result<Result<PasskeyRegistered, Refused>, Failure> {
    let recorded = audit::record(app, &row.project_id, audit::kind::PASSKEY_REGISTERED, event);
    let user_handle = URL_SAFE_NO_PAD.encode(&row.credential_id);
    let shared = Arc::new((row, recorded));
    let outcome = app.store.write(move |tx| {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let (row, recorded) = &*shared;
            if passkeys::list(tx, &row.project_id, row.user_id).await?.len() >= MOST {
                return Ok(false);
            }
            tx.run(passkeys::insert(row)).await?;
            tx.run(recorded.clone()).await?;
            Ok::<_, Written>(true)
        })
    });
    match outcome.await {
        Ok(true) => Ok(Ok(PasskeyRegistered { user_handle })),
        Ok(false) => Ok(Err("the user has too many passkeys".to_owned())),
        // Also if it belongs to the same user: whoever sends it did not just make it.
        Err(Written::Storage(StorageError::Unique { .. })) => {
            Ok(Err("the credential is registered already".to_owned()))
        }
        // The user was deleted in this moment.
        Err(Written::Storage(StorageError::ForeignKey)) => {
            Err(KnownError::cannot_get_own_user_without_user().into())
        }
        Err(Written::Storage(error)) => Err(error.into()),
        Err(Written::Failure(failure)) => Err(failure),
    }
}
