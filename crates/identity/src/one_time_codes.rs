//! Codes that work once. Today they are made (for verification mails and second factors); checking and consuming
//! them comes with the methods that need it.

use latchkey_api_types::KnownError;
use latchkey_api_types::ids::{OneTimeCodeId, ProjectId, UserId};
use latchkey_crypto::TokenHash;
use latchkey_storage::engine::Stmt;
use latchkey_storage::one_time_codes::{self, OneTimeCodeRow};
use serde_json::json;
use url::Url;

use crate::app::App;
use crate::failure::Failure;
use crate::projects::Project;

/// Lifetime of mailed codes, milliseconds (contract 04 §4).
const MAILED_LIFETIME: i64 = 7 * 24 * 60 * 60 * 1000;
/// How many characters of a code a person may have to type.
const TYPED: usize = 6;

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
) -> MailedCode {
    let code = app.random.token();
    let now = app.now();
    let statement = one_time_codes::insert(&OneTimeCodeRow {
        project_id: project.clone(),
        id: OneTimeCodeId::from_uuid(app.random.uuid()),
        kind: "email_verification".to_owned(),
        code_hash: TokenHash::of(&code),
        suffix_hash: TokenHash::of(suffix(&code)),
        data: json!({ "user_id": user, "email": email }).to_string(),
        attempts: 0,
        created_at: now,
        expires_at: now + MAILED_LIFETIME,
        used_at: None,
    });
    MailedCode { statement, link: with_code(callback, &code) }
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

/// Reads a callback URL and checks that the project trusts it.
///
/// # Errors
/// `REDIRECT_URL_NOT_WHITELISTED`.
pub(crate) fn trusted_callback(project: &Project, callback: &str) -> Result<Url, Failure> {
    Url::parse(callback)
        .ok()
        .filter(|url| project.settings.trusts_redirect(url))
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
