//! GitLab, at gitlab.com or a server of one's own. An address counts as verified once the account is confirmed.

use super::{Options, Upstream, profile, texts, userinfo};
use crate::issuer::Issuer;
use crate::profile::EmailVerified;

pub(super) fn describe(name: &str, options: &Options<'_>) -> Upstream {
    let base = options.base("https://gitlab.com");
    Upstream {
        name: name.into(),
        issuers: vec![Issuer::exactly(base)],
        authorization_endpoint: format!("{base}/oauth/authorize"),
        token_endpoint: format!("{base}/oauth/token"),
        has_pkce: true,
        scopes: texts(&["read_user"]),
        documents: userinfo(&format!("{base}/api/v4/user")),
        profile: profile("{userinfo/id}", &["{userinfo/name}"], &["{userinfo/avatar_url}"]).with_email(
            "{userinfo/email}",
            options.if_believed(EmailVerified::IfPresent("userinfo/confirmed_at".into())),
        ),
        ..Upstream::default()
    }
}
