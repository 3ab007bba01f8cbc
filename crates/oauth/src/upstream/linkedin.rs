//! LinkedIn. Refuses requests with PKCE from apps that have a secret, and leaves the nonce out of its ID tokens, which
//! are not used therefore.

use super::{Options, Upstream, profile, texts, userinfo, verified_if};

pub(super) fn describe(name: &str, _: &Options<'_>) -> Upstream {
    Upstream {
        name: name.into(),
        authorization_endpoint: "https://www.linkedin.com/oauth/v2/authorization".into(),
        token_endpoint: "https://www.linkedin.com/oauth/v2/accessToken".into(),
        has_pkce: false,
        scopes: texts(&["openid", "profile", "email"]),
        documents: userinfo("https://api.linkedin.com/v2/userinfo"),
        profile: profile("{userinfo/sub}", &["{userinfo/name}"], &["{userinfo/picture}"])
            .with_email("{userinfo/email}", verified_if("userinfo/email_verified")),
        ..Upstream::default()
    }
}
