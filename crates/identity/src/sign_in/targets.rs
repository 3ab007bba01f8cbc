//! Where authorization codes may be sent (contract 04 §3). Links in mails and passkeys go by the project's settings alone,
//! which know nothing of native apps.

use latchkey_api_types::KnownError;
use url::Url;

use crate::failure::Failure;
use crate::projects::Project;

/// The scheme of addresses of native apps, which need no configuration.
const NATIVE: &str = "stack-auth-mobile-oauth-url";

/// The address, if it is one and the project trusts it.
///
/// # Errors
/// `REDIRECT_URL_NOT_WHITELISTED`.
pub(super) fn trusted(project: &Project, address: &str) -> Result<Url, Failure> {
    Url::parse(address)
        .ok()
        .filter(|url| url.scheme() == NATIVE || project.settings.trusts_redirect(url))
        .ok_or_else(|| KnownError::redirect_url_not_whitelisted().into())
}

/// Whether a project names any place that codes may be sent to. Without one, not even native apps get any.
pub(super) fn has_targets(project: &Project) -> bool {
    let domains = &project.settings.domains;
    domains.allow_localhost || domains.trusted_domains.values().any(|domain| domain.base_url.is_some())
}
