//! Apple. Comes back by a form, says the name only in the first one, and has no call for a profile.

use super::{IdTokenUse, Options, Upstream, profile, texts, verified_if};
use crate::issuer::Issuer;

/// The name in its ID tokens, and the audience of secrets that are signed for it.
pub const ISSUER: &str = "https://appleid.apple.com";

pub(super) fn describe(name: &str, _: &Options<'_>) -> Upstream {
    Upstream {
        name: name.into(),
        issuers: vec![Issuer::exactly(ISSUER)],
        authorization_endpoint: format!("{ISSUER}/auth/authorize"),
        token_endpoint: format!("{ISSUER}/auth/token"),
        jwks_uri: Some(format!("{ISSUER}/auth/keys")),
        id_token: IdTokenUse::Required,
        has_pkce: true,
        scopes: texts(&["name", "email"]),
        // It wants a form whenever scopes are asked for.
        authorize_parameters: vec![("response_mode".into(), "form_post".into())],
        // The form goes through the browser of the person, who may write any name into it: for show that will do, and
        // the address there is not looked at.
        profile: profile(
            "{id_token/sub}",
            &["{form/name/firstName} {form/name/lastName}", "{form/name/firstName}", "{form/name/lastName}"],
            &[],
        )
        .with_email("{id_token/email}", verified_if("id_token/email_verified")),
        ..Upstream::default()
    }
}
