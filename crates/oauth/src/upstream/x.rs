//! X, once Twitter. Never gives an address.

use super::{ClientAuthentication, Options, Upstream, profile, texts, userinfo};

pub(super) fn describe(name: &str, _: &Options<'_>) -> Upstream {
    Upstream {
        name: name.into(),
        authorization_endpoint: "https://x.com/i/oauth2/authorize".into(),
        token_endpoint: "https://api.x.com/2/oauth2/token".into(),
        has_pkce: true,
        scopes: texts(&["users.read", "offline.access", "tweet.read"]),
        client_authentication: ClientAuthentication::Basic,
        documents: userinfo("https://api.x.com/2/users/me?user.fields=id,name,profile_image_url"),
        profile: profile(
            "{userinfo/data/id}",
            &["{userinfo/data/name}", "{userinfo/data/username}"],
            &["{userinfo/data/profile_image_url}"],
        ),
        ..Upstream::default()
    }
}
