//! GitHub, at github.com or a GitHub Enterprise Server. Addresses are a call of their own; errors come with status 200.

use super::{DocumentCall, Options, Upstream, call, profile, texts, verified_if};
use crate::issuer::Issuer;
use crate::profile::{EMAILS, ProfileRules, USERINFO};

pub(super) fn describe(name: &str, options: &Options<'_>) -> Upstream {
    let base = options.base("https://github.com");
    let address = match options.base_url {
        None => "https://api.github.com".to_owned(),
        Some(_) => own_api(base),
    };
    let api = |name: &str, path: &str| DocumentCall {
        // Its API wants to know who calls, and has versions.
        headers: [("user-agent", "latchkey"), ("x-github-api-version", "2022-11-28")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..call(name, &format!("{address}{path}"))
    };
    let rules = profile("{userinfo/id}", &["{userinfo/name}", "{userinfo/login}"], &["{userinfo/avatar_url}"])
        .with_email("{emails/[primary=true]/email}", options.if_believed(verified_if("emails/[primary=true]/verified")));
    Upstream {
        name: name.into(),
        issuers: vec![Issuer::exactly(base), Issuer::exactly(format!("{base}/login/oauth"))],
        authorization_endpoint: format!("{base}/login/oauth/authorize"),
        token_endpoint: format!("{base}/login/oauth/access_token"),
        has_pkce: true,
        scopes: texts(&["user:email"]),
        documents: vec![
            api(USERINFO, "/user"), api(EMAILS, "/user/emails"),
        ],
        profile: ProfileRules { requires_email: true, ..rules },
        // Apps whose tokens expire have tokens of eight hours; others do not say anything.
        assumed_lifetime_seconds: Some(8 * 60 * 60),
        ..Upstream::default()
    }
}

/// Where the API of a server is: below it, or for GitHub Enterprise Cloud with data residency on a host of its own.
fn own_api(base: &str) -> String {
    match base.strip_prefix("https://").filter(|host| host.ends_with(".ghe.com")) {
        Some(host) => format!("https://api.{host}"),
        None => format!("{base}/api/v3"),
    }
}
