//! Bitbucket. Addresses are a call of their own.

use super::{ClientAuthentication, Options, Upstream, call, profile, texts, verified_if};
use crate::profile::{EMAILS, USERINFO};

pub(super) fn describe(name: &str, _: &Options<'_>) -> Upstream {
    Upstream {
        name: name.into(),
        authorization_endpoint: "https://bitbucket.org/site/oauth2/authorize".into(),
        token_endpoint: "https://bitbucket.org/site/oauth2/access_token".into(),
        has_pkce: true,
        scopes: texts(&["account", "email"]),
        client_authentication: ClientAuthentication::Basic,
        documents: vec![
            call(USERINFO, "https://api.bitbucket.org/2.0/user"),
            call(EMAILS, "https://api.bitbucket.org/2.0/user/emails"),
        ],
        profile: profile(
            "{userinfo/account_id}",
            &["{userinfo/display_name}"],
            &["{userinfo/links/avatar/href}"],
        )
        .with_email(
            "{emails/values/[is_primary=true]/email}",
            verified_if("emails/values/[is_primary=true]/is_confirmed"),
        ),
        ..Upstream::default()
    }
}
