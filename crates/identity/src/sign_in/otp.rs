//! Codes and links by mail (contract 04 §6): whoever reads the mail of an address signs in as its owner, or signs up
//! with it. The mail carries the whole code as a link, and its first six characters to be typed; the rest, the nonce, is
//! the answer to whoever asked for the mail.

use std::net::IpAddr;
use std::sync::Arc;

use latchkey_api_types::KnownError;
use latchkey_api_types::auth::SignInResult;
use latchkey_api_types::ids::{ProjectId, UserId};
use latchkey_storage::StorageError;
use latchkey_storage::contact_channels::{self, AuthChannelRow};
use latchkey_storage::engine::Stmt;
use latchkey_storage::one_time_codes::OneTimeCodeRow;
use latchkey_storage::users::{self as stored_users, UserRow};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::authenticate::Auth;
use crate::bot_challenge::{self, BotChallenge, Outcome};
use crate::contact_channels::{normalise_email, used_for_auth};
use crate::failure::Failure;
use crate::one_time_codes::{self, kind, trusted_callback, with_code};
use crate::projects::Project;
use crate::sessions::find_user;
use crate::sign_in::{Factor, Origin, Unfinished, finish};
use crate::sign_up_rules::{self, Applicant};
use crate::system_mails::{self, To};
use crate::users::{self, NewUser, blank};

/// Authentication method of RFC 8176.
const AMR: &str = "otp";
/// How often a sign-in looks again when the account changes under it.
const ATTEMPTS: usize = 3;

/// What a code stands for: the address that it went to, and from where it was asked for, which is what counts if it
/// makes an account.
#[derive(Serialize, Deserialize)]
struct Promise {
    email: String,
    country_code: Option<String>,
    address: Option<IpAddr>,
    /// What the challenge against bots said.
    #[serde(default)]
    challenge: Outcome,
}

/// Mails a code to an address and gives the nonce, which completes the six characters that are typed. To a new address
/// and to a known one the same is done.
///
/// # Errors
/// In this order: 403 where the project does not sign in by codes, `USER_EMAIL_ALREADY_EXISTS` if the address is known
/// and not verified, `SIGN_UP_NOT_ENABLED` if it is not known, `BOT_CHALLENGE_REQUIRED` or `BOT_CHALLENGE_FAILED`,
/// `REDIRECT_URL_NOT_WHITELISTED`.
pub async fn send_code(
    app: &App,
    auth: &Auth,
    email: &str,
    callback: &str,
    challenge: &BotChallenge,
    origin: &Origin,
) -> Result<String, Failure> {
    let project = &auth.project;
    require_enabled(project)?;
    // The mail goes to the address as it is stored, never as it was typed.
    let email = match used_for_auth(app, &project.id, email).await? {
        Some(channel) if !channel.is_verified => return Err(not_verified(&channel)),
        Some(channel) => channel.value,
        None => {
            require_sign_up(project)?;
            normalise_email(email)
        }
    };
    let challenge = bot_challenge::check(app, challenge, origin.address).await?;
    let callback = trusted_callback(project, callback)?;
    let promise = Promise { email, country_code: origin.country_code(), address: origin.address, challenge };
    let lifetime = app.config.codes.sign_in_lifetime.as_millis();
    let code = one_time_codes::issue_for_owner(
        app,
        &project.id,
        &promise.email,
        kind::MAGIC_LINK,
        &promise,
        lifetime,
    )?;
    let typed = one_time_codes::typed(&code.code).to_uppercase();
    let link = with_code(&callback, &code.code);
    // Without the user, also where there is one: the mail is made of the same things for everybody.
    let to = To { address: &promise.email, user: None, accepted: auth.locale };
    let mail = system_mails::magic_link(app, project, &to, &link, &typed)?;
    app.store
        .batch(vec![stored_users::enable_otp(&project.id, &promise.email), code.statement, mail])
        .await?;
    app.jobs.wake();
    Ok(one_time_codes::suffix(&code.code).to_owned())
}

/// Says whether a code can be used, and does not use it.
///
/// # Errors
/// Those of `one_time_codes::look_up`.
pub async fn check_code(app: &App, project: &ProjectId, code: &str) -> Result<(), Failure> {
    one_time_codes::look_up(app, project, kind::MAGIC_LINK, code).await.map(|_| ())
}

/// Signs in by a code: the owner of its address, or somebody new, who may have been anonymous so far. What is refused
/// for a reason of the account uses the code up all the same.
///
/// # Errors
/// Those of `one_time_codes::look_up`, then `USER_EMAIL_ALREADY_EXISTS` if the address is known and not verified,
/// `SIGN_UP_NOT_ENABLED`, 403 for somebody new where the project does not sign in by codes any more,
/// `BOT_CHALLENGE_FAILED` for somebody new whose challenge was unavailable, `SIGN_UP_REJECTED`, `MULTI_FACTOR_AUTHENTICATION_REQUIRED`.
pub async fn sign_in(app: &App, auth: &Auth, code: &str, origin: Origin) -> Result<SignInResult, Failure> {
    let found = one_time_codes::look_up(app, &auth.project.id, kind::MAGIC_LINK, code).await?;
    for _ in 0..ATTEMPTS {
        match attempt(app, auth, &found, &origin).await {
            Err(Unfinished::Storage(StorageError::Guard { statement: 0, .. })) => {
                return Err(KnownError::verification_code_already_used().into());
            }
            // Whose address it is changed in this moment: somebody else signed up with it, or gave it away.
            Err(Unfinished::Storage(
                StorageError::Guard { .. } | StorageError::Unique { .. } | StorageError::ForeignKey,
            )) => {}
            finished => {
                app.jobs.wake();
                return Ok(finished?);
            }
        }
    }
    Err(Failure::Busy { retry_after_seconds: 1 })
}

async fn attempt(
    app: &App,
    auth: &Auth,
    found: &OneTimeCodeRow,
    origin: &Origin,
) -> Result<SignInResult, Unfinished> {
    let promise: Promise = one_time_codes::promise(found).map_err(Unfinished::Failed)?;
    let (user, is_new_user, mut statements) = match admit(app, auth, &promise, origin).await {
        Ok(admitted) => admitted,
        Err(failure) => return Err(Unfinished::Failed(one_time_codes::refuse(app, found, failure).await)),
    };
    statements.insert(0, one_time_codes::claim(app, found));
    let factor = Factor { user: &user, amr: AMR, is_new_user, origin: origin.clone(), statements };
    finish(app, &auth.project, factor).await
}

/// Whom a code signs in, whether they are new, and what must hold or happen for that.
async fn admit(
    app: &App,
    auth: &Auth,
    promise: &Promise,
    origin: &Origin,
) -> Result<(UserRow, bool, Vec<Stmt>), Failure> {
    let project = &auth.project;
    let channel = used_for_auth(app, &project.id, &promise.email).await?;
    let owner = match &channel {
        Some(channel) if !channel.is_verified => return Err(not_verified(channel)),
        Some(channel) => find_user(app, &project.id, channel.user_id).await?,
        None => None,
    };
    if let (Some(channel), Some(user)) = (channel, owner) {
        let statements = vec![
            contact_channels::signs_in(&project.id, user.id, &channel.value).exactly(1),
            stored_users::enable_otp(&project.id, &channel.value),
        ];
        return Ok((user, false, statements));
    }
    require_sign_up(project)?;
    require_enabled(project)?;
    // As of now: a racing code may have upgraded the caller.
    let caller = match auth.user.as_ref().filter(|user| user.row.is_anonymous) {
        Some(caller) => find_user(app, &project.id, caller.row.id).await?,
        None => None,
    };
    let (user, statements) =
        sign_up(app, project, promise, caller.filter(|user| user.is_anonymous), origin).await?;
    Ok((user, true, statements))
}

/// A new user with the address of a code, or the anonymous caller as that user.
async fn sign_up(
    app: &App,
    project: &Arc<Project>,
    promise: &Promise,
    anonymous: Option<UserRow>,
    origin: &Origin,
) -> Result<(UserRow, Vec<Stmt>), Failure> {
    promise.challenge.admit_new_account(app)?;
    let email = normalise_email(&promise.email);
    let now = app.now();
    let is_upgrade = anonymous.is_some();
    let mut user = match anonymous {
        Some(anonymous) => UserRow { is_anonymous: false, signed_up_at: now, ..anonymous },
        None => blank(&project.id, UserId::from_uuid(app.random.uuid()), now),
    };
    user.country_code = user.country_code.or_else(|| promise.country_code.clone());
    user.risk_bot = promise.challenge.risk();
    let applicant = Applicant {
        email: &email,
        country_code: user.country_code.as_deref().unwrap_or_default(),
        auth_method: "otp",
        oauth_provider: "",
        risk_bot: user.risk_bot,
        risk_free_trial_abuse: user.risk_free_trial_abuse,
    };
    let admission = sign_up_rules::ask(app, project, &applicant, origin.address)?;
    user.primary_email = Some(email.clone());
    user.primary_email_verified = Some(true);
    user.primary_email_used_for_auth = Some(true);
    user.otp_auth_enabled = true;
    admission.apply(&mut user);

    let (user, mut statements) = if is_upgrade {
        let mut statements = users::upgrade(app, project, &user, None).await?;
        statements.push(stored_users::enable_otp(&project.id, &email));
        statements.extend(admission.restrict(&project.id, user.id));
        (user, statements)
    } else {
        let created =
            users::creation(app, project, NewUser { row: user, password: None, accounts: Vec::new() });
        (created.row, created.statements)
    };
    let kind = if is_upgrade { audit::kind::UPGRADED } else { audit::kind::SIGNED_UP };
    let event = Event {
        details: json!({ "method": "otp", "code_requested_from": promise.address }),
        ..Event::of_user(Actor::User, user.id).at_address(origin.address)
    };
    statements.push(audit::record(app, &project.id, kind, &event));
    Ok((user, statements))
}

fn require_enabled(project: &Project) -> Result<(), Failure> {
    if project.settings.auth.otp.allow_sign_in {
        Ok(())
    } else {
        Err(Failure::text(403, "This project does not let people sign in by codes or links in mails."))
    }
}

fn require_sign_up(project: &Project) -> Result<(), Failure> {
    if project.settings.auth.allow_sign_up { Ok(()) } else { Err(KnownError::sign_up_not_enabled().into()) }
}

/// Whoever signs up with an address that they do not own must not be joined by its owner.
fn not_verified(channel: &AuthChannelRow) -> Failure {
    KnownError::user_email_already_exists(&channel.value, true).into()
}
