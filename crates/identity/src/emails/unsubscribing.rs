//! How readers end a kind of mail: by the link in it, which works without signing in (contract 08 §3, RFC 8058).

use latchkey_api_types::KnownError;
use latchkey_api_types::Locale;
use latchkey_api_types::ids::{NotificationCategoryId, UserId};
use latchkey_crypto::TokenHash;
use latchkey_storage::StorageError;
use latchkey_storage::engine::Outcome;
use latchkey_storage::one_time_codes::OneTimeCodeRow;
use latchkey_storage::{notification_preferences, one_time_codes as stored_codes};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::App;
use crate::failure::Failure;
use crate::notifications;
use crate::one_time_codes::{self, kind};
use crate::projects::{self, Project};

/// How long a link works, milliseconds.
const LIFETIME: i64 = 30 * 24 * 60 * 60 * 1000;
/// How long a code is.
const CODE: usize = 45;

/// What a code stands for.
#[derive(Serialize, Deserialize)]
struct Wish {
    user_id: UserId,
    category_id: NotificationCategoryId,
}

/// The link by which a user ends a kind of mail; `None` for kinds that cannot be ended. Its code is stored.
pub(crate) async fn unsubscribe_url(
    app: &App,
    project: &Project,
    user: UserId,
    category: Uuid,
) -> Result<Option<String>, Failure> {
    if !notifications::can_be_disabled(category) {
        return Ok(None);
    }
    let wish = Wish { user_id: user, category_id: NotificationCategoryId::from_uuid(category) };
    let new = one_time_codes::issue(app, &project.id, kind::UNSUBSCRIBE, &wish, LIFETIME)?;
    app.store.batch(vec![new.statement]).await?;
    Ok(Some(format!("{}/api/v1/emails/unsubscribe-link?code={}", app.public_url, new.code)))
}

/// Ends the kind of mail that a code stands for, and gives the page that says so, in the language that the reader asks
/// for. A code that was used already gives the same page.
///
/// # Errors
/// 400 for what is no code, `VERIFICATION_CODE_NOT_FOUND`, `VERIFICATION_CODE_EXPIRED`.
pub async fn unsubscribe(app: &App, code: Option<&str>, accepted: Option<Locale>) -> Result<String, Failure> {
    let code = code.filter(|code| code.len() == CODE && code.is_ascii());
    let code =
        code.ok_or_else(|| Failure::text(400, "The link is incomplete: its code has 45 characters."))?;
    let hash = TokenHash::of(&code.to_ascii_lowercase());
    let outcomes = app.store.batch(vec![stored_codes::find_unsubscribe(&hash)]).await?;
    let found: Option<OneTimeCodeRow> = outcomes.first().map(Outcome::first).transpose()?.flatten();
    let found = found.ok_or_else(KnownError::verification_code_not_found)?;
    let project = projects::find(app, &found.project_id).await?;
    let project = project.ok_or_else(KnownError::verification_code_not_found)?;
    if found.used_at.is_none() {
        if found.expires_at <= app.now() {
            return Err(KnownError::verification_code_expired().into());
        }
        let wish: Wish = serde_json::from_str(&found.data).map_err(Failure::internal)?;
        let statements = vec![
            one_time_codes::claim(app, &found),
            notification_preferences::set(&project.id, wish.user_id, wish.category_id, false),
        ];
        match app.store.batch(statements).await {
            // Somebody else was faster, or the user is gone: there will be no more such mail either way.
            Ok(_) | Err(StorageError::Guard { .. } | StorageError::ForeignKey) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let locale = accepted.or(project.settings.latchkey.mail_locale).unwrap_or(app.config.mail.locale);
    Ok(latchkey_mail::unsubscribed_page(locale, &project.display_name))
}
