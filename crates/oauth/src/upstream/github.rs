//! GitHub. Addresses are a call of their own; errors come with status 200.

use super::{DocumentCall, Options, Upstream, call, profile, texts, verified_if};
use crate::issuer::Issuer;
use crate::profile::{EMAILS, ProfileRules, USERINFO};

pub(super) fn describe(name: &str, _: &Options<'_>) -> Upstream {
    let api = |name: &str, url: &str| DocumentCall {
        // Its API wants to know who calls, and has versions.
        headers: [("user-agent", "latchkey"), ("x-github-api-version", "2022-11-28")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..call(name, url)
    };
    let rules = profile("{userinfo/id}", &["{userinfo/name}", "{userinfo/login}"], &["{userinfo/avatar_url}"])
        .with_email("{emails/[primary=true]/email}", verified_if("emails/[primary=true]/verified"));
    Upstream {
        name: name.into(),
        issuers: vec![Issuer::exactly("https://github.com"), Issuer::exactly("https://github.com/login/oauth")],
        authorization_endpoint: "https://github.com/login/oauth/authorize".into(),
        token_endpoint: "https://github.com/login/oauth/access_token".into(),
        has_pkce: true,
        scopes: texts(&["user:email"]),
        documents: vec![
            api(USERINFO, "https://api.github.com/user"),
            api(EMAILS, "https://api.github.com/user/emails"),
        ],
        profile: ProfileRules { requires_email: true, ..rules },
        // Apps whose tokens expire have tokens of eight hours; others do not say anything.
        assumed_lifetime_seconds: Some(8 * 60 * 60),
        ..Upstream::default()
    }
}
