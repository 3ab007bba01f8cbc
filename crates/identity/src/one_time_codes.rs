//! Codes that work once: making them, looking them up within the limit of attempts, and using them (contract 05 §6.1).

use latchkey_api_types::KnownError;
use latchkey_api_types::ids::{OneTimeCodeId, ProjectId, UserId};
use latchkey_crypto::TokenHash;
use latchkey_storage::StorageError;
use latchkey_storage::engine::{Outcome, Stmt};
use latchkey_storage::one_time_codes::{self, OneTimeCodeRow};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;

use crate::app::App;
use crate::failure::Failure;
use crate::projects::Project;

/// Purposes of codes; a code of one is unknown to every other.
pub(crate) mod kind {
    pub(crate) const EMAIL_VERIFICATION: &str = "email_verification";
    pub(crate) const MAGIC_LINK: &str = "magic_link";
    pub(crate) const MFA_ATTEMPT: &str = "mfa_attempt";
    pub(crate) const PASSKEY_REGISTRATION: &str = "passkey_registration";
    pub(crate) const PASSKEY_AUTHENTICATION: &str = "passkey_authentication";
    pub(crate) const PASSWORD_RESET: &str = "password_reset";
    pub(crate) const UNSUBSCRIBE: &str = "unsubscribe";
}

/// A code that is not stored yet, and the only copy of it.
pub(crate) struct NewCode {
    /// 45 characters, lower case.
    pub(crate) code: String,
    /// Stores it.
    pub(crate) statement: Stmt,
}

/// Makes a code for a purpose. `data` is what it stands for, kept as JSON; `lifetime` is in milliseconds.
pub(crate) fn issue(
    app: &App,
    project: &ProjectId,
    kind: &str,
    data: &impl Serialize,
    lifetime: i64,
) -> Result<NewCode, Failure> {
    let (code, row) = blank(app, project, kind, data, lifetime)?;
    Ok(NewCode { code, statement: one_time_codes::insert(&row) })
}

/// The same for a user, with whose sessions it ends.
pub(crate) fn issue_for(
    app: &App,
    project: &ProjectId,
    user: UserId,
    kind: &str,
    data: &impl Serialize,
    lifetime: i64,
) -> Result<NewCode, Failure> {
    let (code, row) = blank(app, project, kind, data, lifetime)?;
    let row = OneTimeCodeRow { user_id: Some(user), ..row };
    Ok(NewCode { code, statement: one_time_codes::insert(&row) })
}

/// The same for whoever signs in with an address, if there is somebody.
pub(crate) fn issue_for_owner(
    app: &App,
    project: &ProjectId,
    email: &str,
    kind: &str,
    data: &impl Serialize,
    lifetime: i64,
) -> Result<NewCode, Failure> {
    let (code, row) = blank(app, project, kind, data, lifetime)?;
    Ok(NewCode { code, statement: one_time_codes::insert_for_owner(&row, email) })
}

fn blank(
    app: &App,
    project: &ProjectId,
    kind: &str,
    data: &impl Serialize,
    lifetime: i64,
) -> Result<(String, OneTimeCodeRow), Failure> {
    let code = app.random.token();
    let now = app.now();
    let row = OneTimeCodeRow {
        project_id: project.clone(),
        id: OneTimeCodeId::from_uuid(app.random.uuid()),
        kind: kind.to_owned(),
        code_hash: TokenHash::of(&code),
        suffix_hash: TokenHash::of(suffix(&code)),
        data: serde_json::to_string(data).map_err(Failure::internal)?,
        attempts: 0,
        created_at: now,
        expires_at: now.saturating_add(lifetime),
        used_at: None,
        user_id: None,
    };
    Ok((code, row))
}

/// How many characters of a code a person may have to type.
const TYPED: usize = 6;

/// The characters of a code that a person may type.
pub(crate) fn typed(code: &str) -> &str {
    code.get(..TYPED).unwrap_or_default()
}

/// The part of a code behind the characters that a person may type.
pub(crate) fn suffix(code: &str) -> &str {
    code.get(TYPED..).unwrap_or_default()
}

/// A new code for a mail: the statement that stores it, and the link that carries it.
pub(crate) struct MailedCode {
    pub(crate) statement: Stmt,
    pub(crate) link: String,
}

/// Makes the code by which a user verifies an address.
pub(crate) fn email_verification(
    app: &App,
    project: &ProjectId,
    user: UserId,
    email: &str,
    callback: &Url,
) -> Result<MailedCode, Failure> {
    let data = json!({ "user_id": user, "email": email });
    let lifetime = app.config.codes.email_verification_lifetime.as_millis();
    let NewCode { code, statement } = issue(app, project, kind::EMAIL_VERIFICATION, &data, lifetime)?;
    Ok(MailedCode { statement, link: with_code(callback, &code) })
}

/// Looks a code up, which counts as an attempt, and does not use it. The code is in lower case.
///
/// # Errors
/// In this order: `VERIFICATION_CODE_NOT_FOUND`, `…_EXPIRED`, `…_ALREADY_USED`, `…_MAX_ATTEMPTS_REACHED`.
pub(crate) async fn look_up(
    app: &App,
    project: &ProjectId,
    kind: &str,
    code: &str,
) -> Result<OneTimeCodeRow, Failure> {
    let statements = vec![
        one_time_codes::count_attempt(project, &TokenHash::of(suffix(code))),
        one_time_codes::find(project, kind, &TokenHash::of(code)),
    ];
    let outcomes = app.store.batch(statements).await?;
    let row: Option<OneTimeCodeRow> = outcomes.get(1).map(Outcome::first).transpose()?.flatten();
    let row = row.ok_or_else(KnownError::verification_code_not_found)?;
    if row.expires_at <= app.now() {
        return Err(KnownError::verification_code_expired().into());
    }
    if row.used_at.is_some() {
        return Err(KnownError::verification_code_already_used().into());
    }
    // This look-up is counted already.
    if row.attempts > most_attempts(app) {
        return Err(KnownError::verification_code_max_attempts_reached().into());
    }
    Ok(row)
}

/// How many look-ups a code bears, together with all others that have its suffix.
pub(crate) fn most_attempts(app: &App) -> i64 {
    app.config.codes.attempts.into()
}

/// What a code stands for.
pub(crate) fn promise<T: DeserializeOwned>(row: &OneTimeCodeRow) -> Result<T, Failure> {
    serde_json::from_str(&row.data).map_err(Failure::internal)
}

/// Uses a code up although what it was to allow is refused, and gives the failure to answer (contract 04 §4, step 6). A
/// failure that is not the caller's leaves the code as it was, so that they can try again.
pub(crate) async fn refuse(app: &App, row: &OneTimeCodeRow, failure: Failure) -> Failure {
    if matches!(failure, Failure::Busy { .. } | Failure::Internal(_)) {
        return failure;
    }
    match app.store.batch(vec![claim(app, row)]).await {
        Ok(_) => failure,
        Err(StorageError::Guard { .. }) => KnownError::verification_code_already_used().into(),
        Err(error) => error.into(),
    }
}

/// Uses a code that was looked up; to be run first, with whatever the code allows. Its broken guard means that somebody
/// else was faster.
pub(crate) fn claim(app: &App, row: &OneTimeCodeRow) -> Stmt {
    one_time_codes::claim(&row.project_id, row.id, app.now()).exactly(1)
}

/// The callback URL with `code` set and its other query parameters as they were.
pub(crate) fn with_code(callback: &Url, code: &str) -> String {
    let mut link = callback.clone();
    let others: Vec<(String, String)> = callback
        .query_pairs()
        .filter(|(name, _)| name != "code")
        .map(|(n, v)| (n.into_owned(), v.into_owned()))
        .collect();
    link.query_pairs_mut().clear().extend_pairs(others).append_pair("code", code);
    link.into()
}

/// Reads a callback URL and checks that the project trusts it, or has a built-in page there.
///
/// # Errors
/// `REDIRECT_URL_NOT_WHITELISTED`.
pub(crate) fn trusted_callback(project: &Project, callback: &str) -> Result<Url, Failure> {
    Url::parse(callback)
        .ok()
        .filter(|url| project.settings.trusts_redirect(url) || project.has_page(url))
        .ok_or_else(|| KnownError::redirect_url_not_whitelisted().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_keeps_the_parameters_of_the_callback_and_sets_the_code() {
        let callback = Url::parse("https://app.example.com/handler?next=%2Fa%20b&code=old#part").unwrap();
        assert_eq!(with_code(&callback, "new"), "https://app.example.com/handler?next=%2Fa+b&code=new#part");
    }
}
