//! Whether a password is known from a breach, asked by k-anonymity: the service learns five of forty hexadecimal
//! digits of the hash and answers with every match.

use latchkey_crypto::password_rules::{breach_hash, range_contains};

use crate::app::App;
use crate::failure::Failure;

/// The longest answer that is read, bytes. The real service answers with about 40 KiB.
const MAX_ANSWER: usize = 1 << 20;

/// Asks the configured range service. When it cannot be reached, the configuration decides whether the password
/// counts as good or the caller is told to come back.
pub(crate) async fn is_breached(app: &App, password: &str) -> Result<bool, Failure> {
    let settings = &app.config.passwords.breach_check;
    let hash = breach_hash(password);
    let url = format!("{}/{}", settings.url.as_str().trim_end_matches('/'), hash.prefix);
    match app.outgoing.get_text(&url, &[("add-padding", "true")], settings.timeout.as_std(), MAX_ANSWER).await
    {
        Ok(answer) => Ok(range_contains(&answer, &hash.suffix)),
        Err(error) if settings.fail_open => {
            tracing::warn!(%error, "the breach check could not be made; the password was accepted without it");
            Ok(false)
        }
        Err(error) => {
            tracing::warn!(%error, "the breach check could not be made");
            Err(Failure::Busy { retry_after_seconds: 5 })
        }
    }
}
