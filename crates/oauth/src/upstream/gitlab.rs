//! GitLab at gitlab.com. An address counts as verified once the account is confirmed.

use super::{Options, Upstream, profile, texts, userinfo};
use crate::issuer::Issuer;
use crate::profile::EmailVerified;

pub(super) fn describe(name: &str, _: &Options<'_>) -> Upstream {
    Upstream {
        name: name.into(),
        issuers: vec![Issuer::exactly("https://gitlab.com")],
        authorization_endpoint: "https://gitlab.com/oauth/authorize".into(),
        token_endpoint: "https://gitlab.com/oauth/token".into(),
        has_pkce: true,
        scopes: texts(&["read_user"]),
        documents: userinfo("https://gitlab.com/api/v4/user"),
        profile: profile("{userinfo/id}", &["{userinfo/name}"], &["{userinfo/avatar_url}"])
            .with_email("{userinfo/email}", EmailVerified::IfPresent("userinfo/confirmed_at".into())),
        ..Upstream::default()
    }
}
