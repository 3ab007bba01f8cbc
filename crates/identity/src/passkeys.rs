//! Passkeys of users: looking at them, naming and removing them, and what registration and sign-in have in common: which
//! pages and relying party ids a project trusts. How one is registered is in `passkeys/registration.rs`, how one signs
//! in in `sign_in/passkey.rs`; both are contract 04 §9.1, except that a user may have several.

mod registration;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use latchkey_api_types::ids::{PasskeyId, ProjectId, UserId};
use latchkey_api_types::input::{PasskeyName, UserIdOrMe};
use latchkey_api_types::passkey::{Passkey, RelatedOrigins};
use latchkey_api_types::{AccessType, KnownError};
use latchkey_crypto::webauthn::{Ceremony, ClientData, Demands, LONGEST_CREDENTIAL_ID};
use latchkey_storage::StorageError;
use latchkey_storage::engine::Stmt;
use latchkey_storage::passkeys::{self, PasskeyRow};
use serde_json::json;
use url::Url;

use crate::app::App;
use crate::audit::{self, Event};
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::one_time_codes::{claim, look_up};
use crate::projects::{self, Project};
use crate::reauthentication::{self, Surface};

pub use registration::{Registration, initiate_registration, register};

/// How long a challenge may be answered, milliseconds: the browser's time-out and something for the way.
pub(crate) const CHALLENGE_LIFETIME: i64 = 65 * 1000;

/// Why what a browser sent is not accepted: for the audit log, not for the caller.
pub(crate) type Refused = String;

/// # Errors
/// `PASSKEY_AUTHENTICATION_NOT_ENABLED`.
pub(crate) fn require_enabled(project: &Project) -> Result<(), Failure> {
    if project.settings.auth.passkey.allow_sign_in {
        Ok(())
    } else {
        Err(KnownError::passkey_authentication_not_enabled().into())
    }
}

/// A new challenge: 256 random bits, base64url.
pub(crate) fn new_challenge(app: &App) -> String {
    let mut bytes = [0; 32];
    app.random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the authenticator is asked about PIN and biometric.
pub(crate) fn user_verification(project: &Project) -> &'static str {
    if project.settings.latchkey.passkeys.require_user_verification { "required" } else { "preferred" }
}

/// Looks up the code of a ceremony and uses it, so that its challenge is answered once, rightly or wrongly. Gives what
/// the code stands for, as JSON.
///
/// # Errors
/// The four `VERIFICATION_CODE_…`.
pub(crate) async fn use_code(
    app: &App,
    project: &ProjectId,
    kind: &str,
    code: &str,
) -> Result<String, Failure> {
    let row = look_up(app, project, kind, &code.to_lowercase()).await?;
    match app.store.batch(vec![claim(app, &row)]).await {
        Ok(_) => Ok(row.data),
        // Somebody else sent it in the same moment.
        Err(StorageError::Guard { .. }) => Err(KnownError::verification_code_already_used().into()),
        Err(error) => Err(error.into()),
    }
}

/// The answer of a browser to a challenge, as far as it concerns the page and not the authenticator.
pub(crate) struct Answer {
    pub(crate) client_data: ClientData,
    /// The relying party ids that this page may use.
    pub(crate) rp_ids: Vec<String>,
}

/// Checks what the browser collected: that it answers this challenge, on a page that the project trusts.
pub(crate) fn read_answer(
    project: &Project,
    client_data_json: &str,
    ceremony: Ceremony,
    challenge: &str,
) -> Result<Answer, Refused> {
    let json = decode("the client data", client_data_json, 8 * 1024)?;
    let client_data = ClientData::read(&json, ceremony).map_err(|error| error.to_string())?;
    // A challenge is not secret, and compared as text it has one spelling only.
    if client_data.challenge != challenge {
        return Err("the challenge is another one".to_owned());
    }
    let host = trusted_host(project, &client_data.origin)?;
    let shared = project.settings.latchkey.passkeys.shared_rp_id.clone();
    Ok(Answer { client_data, rp_ids: std::iter::once(host).chain(shared).collect() })
}

/// What the authenticator must agree with, for any of these relying party ids.
pub(crate) fn demands<'a>(project: &Project, rp_ids: &'a [&'a str]) -> Demands<'a> {
    Demands { rp_ids, user_verification: project.settings.latchkey.passkeys.require_user_verification }
}

/// The host of an origin that the project trusts (contract 04 §3). An origin is compared with what a browser would
/// write, so that no path, no user name and no second spelling comes with it; apps with schemes of their own have none.
fn trusted_host(project: &Project, origin: &str) -> Result<String, Refused> {
    let refused = || "the origin is not trusted".to_owned();
    let url = Url::parse(origin).map_err(|_| refused())?;
    let is_web = matches!(url.scheme(), "http" | "https");
    if !is_web || url.origin().ascii_serialization() != origin || !project.settings.trusts_redirect(&url) {
        return Err(refused());
    }
    url.host_str().map(str::to_owned).ok_or_else(refused)
}

/// Base64url as browsers write it, at most `longest` bytes. Padding is let pass, for clients that add it; a text that
/// decodes to the same bytes as a shorter one is not.
pub(crate) fn decode(what: &str, text: &str, longest: usize) -> Result<Vec<u8>, Refused> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &URL_SAFE,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    if text.len() > longest.div_ceil(3) * 4 {
        return Err(format!("{what} is too long"));
    }
    LENIENT.decode(text).map_err(|_| format!("{what} is not base64url"))
}

/// The id of a credential, which a browser sends twice.
pub(crate) fn credential_id(kind: &str, id: &str, raw_id: Option<&str>) -> Result<Vec<u8>, Refused> {
    if kind != "public-key" {
        return Err("the credential is not a public key".to_owned());
    }
    let decoded = decode("the credential id", id, LONGEST_CREDENTIAL_ID)?;
    match raw_id {
        Some(raw) if decode("the credential id", raw, LONGEST_CREDENTIAL_ID)? != decoded => {
            Err("the credential has two ids".to_owned())
        }
        _ => Ok(decoded),
    }
}

/// The event of a refusal.
pub(crate) fn refusal(app: &App, project: &ProjectId, event: &Event, reason: &str) -> Stmt {
    let event = Event { details: json!({ "reason": reason }), ..*event };
    audit::record(app, project, audit::kind::PASSKEY_REFUSED, &event)
}

fn view(row: PasskeyRow) -> Passkey {
    Passkey {
        id: row.id,
        user_id: row.user_id,
        name: row.name,
        credential_id: URL_SAFE_NO_PAD.encode(row.credential_id),
        rp_id: row.rp_id,
        aaguid: row.aaguid,
        is_backed_up: row.is_backed_up,
        created_at_millis: row.created_at,
        last_used_at_millis: row.last_used_at,
    }
}

fn missing() -> Failure {
    Failure::text(404, "The user has no such passkey.")
}

/// The passkeys of a user, oldest first.
///
/// # Errors
/// `CANNOT_GET_OWN_USER_WITHOUT_USER`; 403 for clients that do not name their own user.
pub async fn list(app: &App, auth: &Auth, user: UserIdOrMe) -> Result<Vec<Passkey>, Failure> {
    let user = auth.addressed_user(user)?;
    let project = auth.project.id.clone();
    let rows = app.store.lookup(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(passkeys::list(tx, &project, user).await?) })
    });
    Ok(rows.await?.into_iter().map(view).collect())
}

/// One passkey.
///
/// # Errors
/// `CANNOT_GET_OWN_USER_WITHOUT_USER`; 403 for clients and other users; 404.
pub async fn get(app: &App, auth: &Auth, user: UserIdOrMe, id: PasskeyId) -> Result<Passkey, Failure> {
    let user = auth.addressed_user(user)?;
    let project = auth.project.id.clone();
    let row = app.store.lookup(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(passkeys::get(tx, &project, user, id).await?) })
    });
    row.await?.map(view).ok_or_else(missing)
}

/// Gives a passkey another name.
///
/// # Errors
/// As [`get`].
pub async fn rename(
    app: &App,
    auth: &Auth,
    user: UserIdOrMe,
    id: PasskeyId,
    name: PasskeyName,
) -> Result<Passkey, Failure> {
    let owner = auth.addressed_user(user)?;
    let renamed = passkeys::rename(&auth.project.id, owner, id, name.as_str());
    change(app, auth, owner, renamed, audit::kind::PASSKEY_CHANGED, id).await?;
    get(app, auth, user, id).await
}

/// Removes a passkey. Sessions that began with it stay.
///
/// # Errors
/// As [`get`]; `REAUTHENTICATION_REQUIRED` for clients.
pub async fn delete(app: &App, auth: &Auth, user: UserIdOrMe, id: PasskeyId) -> Result<(), Failure> {
    let owner = auth.addressed_user(user)?;
    if auth.access == AccessType::Client {
        reauthentication::require_recent(app, auth, Surface::Latchkey).await?;
    }
    let deleted = passkeys::delete(&auth.project.id, owner, id);
    change(app, auth, owner, deleted, audit::kind::PASSKEY_REMOVED, id).await
}

async fn change(
    app: &App,
    auth: &Auth,
    owner: UserId,
    statement: Stmt,
    kind: &str,
    id: PasskeyId,
) -> Result<(), Failure> {
    let event = Event { details: json!({ "passkey_id": id }), ..Event::of_user(auth.access, owner) };
    let recorded = audit::record(app, &auth.project.id, kind, &event);
    match app.store.batch(vec![statement.exactly(1), recorded]).await {
        Ok(_) => Ok(()),
        Err(StorageError::Guard { .. }) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}

/// What the host of a project's shared relying party id serves at `/.well-known/webauthn`: the trusted domains, of which
/// those with wildcards cannot be listed.
///
/// # Errors
/// 404 for projects that have no shared relying party id, and those that are not there.
pub async fn related_origins(app: &App, project: &str) -> Result<RelatedOrigins, Failure> {
    let nothing = || Failure::text(404, "There is no project with this id and a shared relying party id.");
    let id: ProjectId = project.parse().map_err(|_| nothing())?;
    let project = projects::find(app, &id).await?.ok_or_else(nothing)?;
    if project.settings.latchkey.passkeys.shared_rp_id.is_none() {
        return Err(nothing());
    }
    let domains = project.settings.domains.trusted_domains.values();
    let mut origins: Vec<String> = domains
        .filter_map(|domain| domain.base_url.as_deref())
        .filter(|url| !url.contains('*'))
        .filter_map(|url| Url::parse(url).ok())
        .filter(|url| url.scheme() == "https")
        .map(|url| url.origin().ascii_serialization())
        .collect();
    origins.sort_unstable();
    origins.dedup();
    Ok(RelatedOrigins { origins })
}
