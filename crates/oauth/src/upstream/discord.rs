//! Discord. A picture is named by its hash, and its address put together.

use super::{Options, Upstream, profile, texts, userinfo, verified_if};

pub(super) fn describe(name: &str, _: &Options<'_>) -> Upstream {
    Upstream {
        name: name.into(),
        authorization_endpoint: "https://discord.com/oauth2/authorize".into(),
        token_endpoint: "https://discord.com/api/oauth2/token".into(),
        has_pkce: true,
        scopes: texts(&["identify", "email"]),
        documents: userinfo("https://discord.com/api/users/@me"),
        profile: profile(
            "{userinfo/id}",
            &["{userinfo/global_name}", "{userinfo/username}"],
            &["https://cdn.discordapp.com/avatars/{userinfo/id}/{userinfo/avatar}.png"],
        )
        .with_email("{userinfo/email}", verified_if("userinfo/verified")),
        ..Upstream::default()
    }
}
