//! Google.

use super::{IdTokenUse, Options, Upstream, profile, texts, userinfo, verified_if};
use crate::issuer::Issuer;

const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
const PROFILE: &str = "https://www.googleapis.com/auth/userinfo.profile";

pub(super) fn describe(name: &str, _: &Options<'_>) -> Upstream {
    Upstream {
        name: name.into(),
        // Its ID tokens may leave out the scheme.
        issuers: vec![Issuer::exactly("https://accounts.google.com"), Issuer::exactly("accounts.google.com")],
        authorization_endpoint: "https://accounts.google.com/o/oauth2/v2/auth".into(),
        token_endpoint: "https://oauth2.googleapis.com/token".into(),
        jwks_uri: Some("https://www.googleapis.com/oauth2/v3/certs".into()),
        id_token: IdTokenUse::CheckedIfPresent,
        has_pkce: true,
        scopes: texts(&[EMAIL, PROFILE]),
        scope_aliases: [("email", EMAIL), ("profile", PROFILE)]
            .map(|(short, name)| (short.to_owned(), name.to_owned()))
            .into(),
        authorize_parameters: vec![("include_granted_scopes".into(), "true".into())],
        documents: userinfo("https://openidconnect.googleapis.com/v1/userinfo"),
        profile: profile("{userinfo/sub}", &["{userinfo/name}"], &["{userinfo/picture}"])
            .with_email("{userinfo/email}", verified_if("userinfo/email_verified")),
        ..Upstream::default()
    }
}
