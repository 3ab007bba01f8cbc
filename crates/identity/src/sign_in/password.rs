//! Email and password: sign-up and sign-in (contract 04 §5.1, §5.2).

use latchkey_api_types::KnownError;
use latchkey_api_types::auth::{SignInResult, TokenPair};
use latchkey_api_types::ids::UserId;
use latchkey_crypto::Secret;
use latchkey_storage::StorageError;
use latchkey_storage::contact_channels;
use latchkey_storage::credentials::{self, PasswordRow};
use latchkey_storage::users::UserRow;

use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::authenticate::Auth;
use crate::bot_challenge::{self, BotChallenge};
use crate::contact_channels::normalise_email;
use crate::failure::Failure;
use crate::one_time_codes::{email_verification, trusted_callback};
use crate::passwords;
use crate::sessions::find_user;
use crate::sign_in::{Factor, Origin, Unfinished, finish};
use crate::sign_up_rules::{self, Applicant};
use crate::system_mails::{self, To};
use crate::users::{self, NewUser, blank};

/// Authentication method of RFC 8176.
const AMR: &str = "pwd";

/// What a sign-up brings.
pub struct SignUp {
    /// Address as typed.
    pub email: String,
    /// Password as typed.
    pub password: Secret<String>,
    /// Where the link of the verification mail leads; without it no mail is sent.
    pub verification_callback_url: Option<String>,
    /// The answer to a challenge against bots.
    pub bot_challenge: BotChallenge,
    /// From where.
    pub origin: Origin,
}

/// Creates an account with email and password, or turns the anonymous caller into one, and signs it in.
///
/// # Errors
/// In this order: `PASSWORD_AUTHENTICATION_NOT_ENABLED`, `REDIRECT_URL_NOT_WHITELISTED`, `SIGN_UP_NOT_ENABLED`,
/// the password rules, `BOT_CHALLENGE_REQUIRED` or `BOT_CHALLENGE_FAILED`, `SIGN_UP_REJECTED`,
/// `USER_EMAIL_ALREADY_EXISTS`, `MULTI_FACTOR_AUTHENTICATION_REQUIRED`.
pub async fn sign_up(app: &App, auth: &Auth, request: SignUp) -> Result<TokenPair, Failure> {
    let project = &auth.project;
    let settings = &project.settings;
    passwords::require_enabled(project)?;
    let callback = match &request.verification_callback_url {
        Some(callback) => Some(trusted_callback(project, callback)?),
        None => None,
    };
    if !settings.auth.allow_sign_up {
        return Err(KnownError::sign_up_not_enabled().into());
    }
    passwords::check_new(app, project, &request.password).await?;
    let challenge = bot_challenge::check(app, &request.bot_challenge, request.origin.address).await?;
    challenge.admit_new_account(app)?;
    let email = normalise_email(&request.email);

    let now = app.now();
    let upgraded = auth.user.as_ref().map(|user| &user.row).filter(|user| user.is_anonymous);
    let mut user = match upgraded {
        Some(anonymous) => UserRow { is_anonymous: false, signed_up_at: now, ..anonymous.clone() },
        None => blank(&project.id, UserId::from_uuid(app.random.uuid()), now),
    };
    user.country_code = user.country_code.or_else(|| request.origin.country_code());
    user.risk_bot = challenge.risk();
    let admission = sign_up_rules::ask(app, project, &applicant(&user, &email), request.origin.address)?;
    let taken = || Failure::from(KnownError::user_email_already_exists(&email, false));
    if is_taken(app, auth, &email).await? {
        return Err(taken());
    }
    let hash = app.hasher.hash(request.password).await?;
    // An anonymous user may have noted this very address before, and even verified it.
    let verified = user.primary_email.as_ref() == Some(&email) && user.primary_email_verified == Some(true);
    user.primary_email = Some(email.clone());
    user.primary_email_verified = Some(verified);
    user.primary_email_used_for_auth = Some(true);
    user.has_password = true;
    admission.apply(&mut user);

    let mut statements = if upgraded.is_some() {
        let mut statements = users::upgrade(app, project, &user, Some(&hash)).await?;
        statements.extend(admission.restrict(&project.id, user.id));
        statements
    } else {
        let new = NewUser { row: user, password: Some(hash), accounts: Vec::new() };
        let created = users::creation(app, project, new);
        user = created.row;
        created.statements
    };
    let kind = if upgraded.is_some() { audit::kind::UPGRADED } else { audit::kind::SIGNED_UP };
    let event = Event::of_user(Actor::User, user.id).at_address(request.origin.address);
    statements.push(audit::record(app, &project.id, kind, &event));
    let sends_mail = callback.is_some();
    if let Some(callback) = callback {
        let code = email_verification(app, &project.id, user.id, &email, &callback)?;
        statements.push(code.statement);
        let to = To { address: &email, user: Some(&user), accepted: auth.locale };
        statements.push(system_mails::email_verification(app, project, &to, &code.link)?);
    }

    let factor = Factor { user: &user, amr: AMR, is_new_user: true, origin: request.origin, statements };
    let signed_in = finish(app, project, factor).await;
    if sends_mail {
        app.jobs.wake();
    }
    match signed_in {
        Ok(SignInResult { tokens, .. }) => Ok(tokens),
        Err(Unfinished::Storage(StorageError::Unique { index }))
            if index == "contact_channels_used_for_auth_key" =>
        {
            Err(taken())
        }
        // The anonymous caller was upgraded or deleted by somebody else in this moment.
        Err(Unfinished::Storage(StorageError::Guard { .. })) => {
            Err(KnownError::user_authentication_required().into())
        }
        Err(unfinished) => Err(unfinished.into()),
    }
}

/// What the sign-up rules know of somebody who signs up with a password as this user.
fn applicant<'a>(user: &'a UserRow, email: &'a str) -> Applicant<'a> {
    Applicant {
        email,
        country_code: user.country_code.as_deref().unwrap_or_default(),
        auth_method: "password",
        oauth_provider: "",
        risk_bot: user.risk_bot,
        risk_free_trial_abuse: user.risk_free_trial_abuse,
    }
}

async fn is_taken(app: &App, auth: &Auth, email: &str) -> Result<bool, Failure> {
    let (project, email) = (auth.project.id.clone(), email.to_owned());
    app.store
        .read(move |tx| {
            Box::pin(async move { Ok(contact_channels::is_used_for_auth(tx, &project, &email).await?) })
        })
        .await
}

/// Signs in by email and password. An unknown address costs the same work as a wrong password and gives the same
/// answer.
///
/// # Errors
/// `PASSWORD_AUTHENTICATION_NOT_ENABLED`, `EMAIL_PASSWORD_MISMATCH`, `MULTI_FACTOR_AUTHENTICATION_REQUIRED`.
pub async fn sign_in(
    app: &App,
    auth: &Auth,
    email: &str,
    password: Secret<String>,
    origin: Origin,
) -> Result<TokenPair, Failure> {
    passwords::require_enabled(&auth.project)?;
    passwords::check_length(&auth.project, "password", &password)?;
    // Another sign-in may replace an outdated hash in this moment; the password is as right as before, so look again.
    match attempt(app, auth, email, &password, origin.clone()).await {
        Err(Attempt::Overtaken) => attempt(app, auth, email, &password, origin).await,
        done => done,
    }
    .map_err(|failed| match failed {
        Attempt::Overtaken => KnownError::email_password_mismatch().into(),
        Attempt::Failed(failure) => failure,
    })
}

/// Why an attempt to sign in brought no session.
enum Attempt {
    /// The stored hash changed between reading it and writing the session.
    Overtaken,
    Failed(Failure),
}

impl<F: Into<Failure>> From<F> for Attempt {
    fn from(failure: F) -> Self {
        Self::Failed(failure.into())
    }
}

async fn attempt(
    app: &App,
    auth: &Auth,
    email: &str,
    password: &Secret<String>,
    origin: Origin,
) -> Result<TokenPair, Attempt> {
    let project = &auth.project;
    // One question to the database before the hash, whoever is asked for: the rest is read once the password is right.
    let found = find_password(app, auth, email).await?.and_then(|row| Some((row.user_id, row.hash?)));
    let stored = found.as_ref().map(|(_, hash)| hash.clone());
    let verdict = app.hasher.verify(password.clone(), stored).await?;
    let (Some((id, stored)), true) = (found, verdict.matches) else {
        let event = Event::of(Actor::User).at_address(origin.address);
        app.activity.note_event(audit::record(app, &project.id, audit::kind::PASSWORD_REFUSED, &event));
        return Err(KnownError::email_password_mismatch().into());
    };
    let user = find_user(app, &project.id, id).await?.ok_or(Attempt::Overtaken)?;
    // Whoever changes the password at this moment ends all sessions; this one must not slip through, so the hash is
    // confirmed in the transaction that writes the session, or replaced if it is outdated. When the hashing threads
    // are busy, the latter waits for another sign-in.
    let renewed = if verdict.outdated { app.hasher.hash(password.clone()).await.ok() } else { None };
    let unchanged = match renewed {
        Some(new) => credentials::replace_password(&project.id, id, &stored, &new, app.now()),
        None => credentials::confirm_password(&project.id, id, &stored),
    }
    .exactly(1);
    let factor = Factor { user: &user, amr: AMR, is_new_user: false, origin, statements: vec![unchanged] };
    match finish(app, project, factor).await {
        Ok(SignInResult { tokens, .. }) => Ok(tokens),
        Err(Unfinished::Storage(StorageError::Guard { .. } | StorageError::ForeignKey)) => {
            Err(Attempt::Overtaken)
        }
        Err(unfinished) => Err(Attempt::Failed(unfinished.into())),
    }
}

async fn find_password(app: &App, auth: &Auth, email: &str) -> Result<Option<PasswordRow>, Failure> {
    let (project, email, normalised) = (auth.project.id.clone(), email.to_owned(), normalise_email(email));
    app.store
        .lookup(move |tx| {
            Box::pin(async move {
                Ok(credentials::password_by_auth_email(tx, &project, &email, &normalised).await?)
            })
        })
        .await
}
